//! The events that Heeler evaluates, as a CloudWatch Logs filter pattern.

/// Successful write calls, except frequent ones without security relevance. The text is the vendor's, character by
/// character.
pub const HEELER_PATTERN: &str = "{$.readOnly IS FALSE && \
    $.errorCode NOT EXISTS && \
    $.eventName!=AssumeRole && \
    $.eventName!=CompleteLayerUpload && \
    $.eventName!=ConsoleLogin && \
    $.eventName!=CreateGrant && \
    $.eventName!=CreateNetworkInterface && \
    $.eventName!=Federate && \
    $.eventName!=GetSigninToken && \
    $.eventName!=InitiateLayerUpload && \
    $.eventName!=PurgeQueue && \
    $.eventName!=PutImage && \
    $.eventName!=PutObject && \
    $.eventName!=RetireGrant && \
    $.eventName!=SendCommand && \
    $.eventName!=StartQuery && \
    $.eventName!=UpdateInstanceInformation && \
    $.eventName!=UploadLayerPart}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter_pattern::FilterPattern;

    #[test]
    fn pattern_equals_the_vendors_text() {
        assert_eq!(HEELER_PATTERN.chars().count(), 533);
        let terms: Vec<&str> = HEELER_PATTERN
            .trim_matches(['{', '}'])
            .split(" && ")
            .collect();
        assert_eq!(terms.len(), 18);
        assert_eq!(terms[0], "$.readOnly IS FALSE");
        assert_eq!(terms[1], "$.errorCode NOT EXISTS");
        let excludes_a_name = |term: &&str| term.starts_with("$.eventName!=");
        assert!(terms[2..].iter().all(excludes_a_name));
        assert!(terms[2..].is_sorted(), "{terms:?}");
    }

    #[test]
    fn pattern_parses() {
        assert!(FilterPattern::parse(HEELER_PATTERN).is_ok());
    }
}
