//! Short codes of regions, as AWS uses them in the IDs of Availability Zones: `use1` is us-east-1.

/// Returns the code of a region. The name of a region has words and a number, such as `ap-southeast-2`.
///
/// Source: "AZ IDs" in the AWS Resource Access Manager User Guide, such as `use1-az2`.
pub(super) fn region_code(region: &str) -> String {
    let mut code = String::new();
    for (index, word) in region.split('-').enumerate() {
        match (index, word) {
            (0, _) => code.push_str(word),
            (_, "northeast") => code.push_str("ne"),
            (_, "northwest") => code.push_str("nw"),
            (_, "southeast") => code.push_str("se"),
            (_, "southwest") => code.push_str("sw"),
            _ if word.bytes().all(|byte| byte.is_ascii_digit()) => code.push_str(word),
            _ => code.extend(word.chars().next()),
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_zone_ids() {
        for (region, code) in [
            ("us-east-1", "use1"),
            ("ap-southeast-2", "apse2"),
            ("ap-northeast-3", "apne3"),
            ("eu-central-1", "euc1"),
            ("us-gov-west-1", "usgw1"),
            ("", ""),
        ] {
            assert_eq!(region_code(region), code);
        }
    }
}
