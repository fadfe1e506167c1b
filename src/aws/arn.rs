//! Amazon Resource Names: taken apart and put together.

/// The six parts of an ARN, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (arn.partition.starts_with("aws") && !arn.service.is_empty() && !arn.resource.is_empty())
            .then_some(arn)
    }

    /// What comes after the type: `a/b` of `role/a/b`, or all of it for a queue or a topic.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.resource
            .split_once(['/', ':'])
            .map_or(self.resource, |(_, name)| name)
    }
}

/// The name at the end of the ARN of a queue, a topic, a role or a policy.
#[must_use]
pub fn resource_name(text: &str) -> &str {
    text.rsplit([':', '/']).next().unwrap_or(text)
}

/// Writes an ARN. IAM and S3 leave region or account empty.
#[must_use]
pub fn build(
    partition: &str,
    service: &str,
    region: &str,
    account: &str,
    resource: &str,
) -> String {
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_is_parsed_into_parts() {
        let arn = Arn::parse("arn:aws-us-gov:iam::111122223333:role/path/heeler").unwrap();
        assert_eq!(arn.partition, "aws-us-gov");
        assert_eq!((arn.region, arn.account), ("", "111122223333"));
        assert_eq!(arn.name(), "path/heeler");
    }

    #[test]
    fn invalid_arns_are_rejected() {
        for text in [
            "",
            "arn",
            "arn:aws:iam",
            "urn:aws:iam::1:role/x",
            "arn:aws:sns:r:1:",
            "*",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn built_arn_parses_back() {
        let text = build("aws", "sqs", "eu-west-1", "111122223333", "queue");
        assert_eq!(Arn::parse(&text).unwrap().name(), "queue");
    }
}
