//! The wait until the tags of a KMS key affect authorization.
//!
//! "It might take up to five minutes for tag and alias changes to affect KMS key authorization. Recent changes might be
//! visible in API operations before they affect authorization." (AWS KMS Developer Guide, "ABAC for AWS KMS")

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::Error;

/// A flag that is set if the tags of a key are new. A key and its alias share the flag.
#[derive(Clone, Debug, Default)]
pub struct TagPropagation(Arc<AtomicBool>);

impl TagPropagation {
    /// The maximum propagation time that KMS documents, with a margin for clock differences.
    pub(super) const TIMEOUT: Duration = Duration::from_secs(310);

    /// Records that this run wrote the tags, or that another run wrote them some minutes ago.
    pub(super) fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns the time to retry a call that was denied because the tags do not affect authorization yet. A missing
    /// permission causes the same error. An explicit deny has a different message and is not retried.
    pub(super) fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        self.explains(refusal).then_some(Self::TIMEOUT)
    }

    pub(super) fn retry_reason(&self, refusal: &Error) -> String {
        if !self.explains(refusal) {
            return refusal.cause();
        }
        let action = refusal.required_permission().unwrap_or("the call");
        format!(
            "KMS denies {action}; it can take five minutes until the tags of a new key count in permissions"
        )
    }

    fn explains(&self, refusal: &Error) -> bool {
        const IMPLICIT_DENIALS: [&str; 2] = [
            "no identity-based policy allows",
            "no permissions boundary allows",
        ];
        let is_of_kms = |action: &str| action.starts_with("kms:") && action != "kms:CreateKey";
        self.0.load(Ordering::Relaxed)
            && refusal.required_permission().is_some_and(is_of_kms)
            && IMPLICIT_DENIALS
                .iter()
                .any(|words| refusal.matches("AccessDeniedException", words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(action: &'static str, why: &str) -> Error {
        let error = Error::failed("change the key", why).with_permission(action);
        error.with_code(Some("AccessDeniedException".to_owned()), None)
    }

    const IMPLICIT: &str = "User: arn:aws:iam::111122223333:user/u is not authorized to perform this action because no \
                            identity-based policy allows it";

    #[test]
    fn denial_waits_five_minutes_for_new_tags() {
        let propagation = TagPropagation::default();
        let shared = propagation.clone();
        let actions = [
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DisableKey",
            "kms:EnableKey",
            "kms:EnableKeyRotation",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
        ];
        for action in actions {
            assert_eq!(shared.retry_budget(&denial(action, IMPLICIT)), None);
        }
        propagation.start();
        for action in actions {
            let budget = shared.retry_budget(&denial(action, IMPLICIT));
            assert!(budget.is_some_and(|time| time.as_secs() >= 300), "{action}");
        }
    }

    #[test]
    fn explicit_denial_is_final() {
        let propagation = TagPropagation::default();
        propagation.start();
        let why = "not authorized to perform: kms:PutKeyPolicy with an explicit deny in an identity-based policy";
        assert_eq!(
            propagation.retry_budget(&denial("kms:PutKeyPolicy", why)),
            None
        );
    }
}
