//! Names of all resources.

/// The names of a deployment, which share one prefix, and the IAM path of its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceNames {
    prefix: String,
    role_path: String,
}

/// The IAM path of roles that have no other one.
const DEFAULT_ROLE_PATH: &str = "/";

impl ResourceNames {
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            role_path: DEFAULT_ROLE_PATH.to_owned(),
        }
    }

    /// Names with another IAM path of the roles, which starts and ends with a slash.
    #[must_use]
    pub fn with_role_path(self, path: &str) -> Self {
        Self {
            role_path: path.to_owned(),
            ..self
        }
    }

    #[must_use]
    pub fn role_path(&self) -> &str {
        &self.role_path
    }

    /// The path and the name of a role as its ARN has them after `role/`.
    #[must_use]
    pub fn role_with_path(&self, role: &str) -> String {
        format!("{}{role}", self.role_path.trim_start_matches('/'))
    }

    /// The names of the deployment that a queue belongs to. Returns `None` if it is not a queue of heeler-ec.
    #[must_use]
    pub fn from_queue_name(queue: &str) -> Option<Self> {
        queue.strip_suffix("_event_collection_queue").map(Self::new)
    }

    /// The names of the deployment that a role of Heeler belongs to. Returns `None` if it has the name of another role.
    #[must_use]
    pub fn from_role_name(role: &str) -> Option<Self> {
        role.strip_suffix("_event_collection_sqs_role")
            .map(Self::new)
    }

    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    #[must_use]
    pub fn key_alias(&self) -> String {
        format!("alias/{}_kms_key_sqs", self.prefix)
    }

    #[must_use]
    pub fn queue(&self) -> String {
        self.with_suffix("queue")
    }

    #[must_use]
    pub fn dead_letter_queue(&self) -> String {
        self.with_suffix("queue_dlq")
    }

    #[must_use]
    pub fn fifo_queue(&self) -> String {
        self.with_suffix("queue.fifo")
    }

    #[must_use]
    pub fn dead_letter_fifo_queue(&self) -> String {
        self.with_suffix("queue_dlq.fifo")
    }

    #[must_use]
    pub fn topic(&self) -> String {
        self.with_suffix("topic")
    }

    #[must_use]
    pub fn role(&self) -> String {
        self.with_suffix("sqs_role")
    }

    #[must_use]
    pub fn policy(&self) -> String {
        self.with_suffix("sqs_policy")
    }

    #[must_use]
    pub fn function(&self) -> String {
        self.with_suffix("lambda")
    }

    #[must_use]
    pub fn function_role(&self) -> String {
        self.with_suffix("lambda_role")
    }

    #[must_use]
    pub fn function_policy(&self) -> String {
        self.with_suffix("lambda_policy")
    }

    /// Name of the subscription filter on the trail's log group.
    #[must_use]
    pub fn subscription_filter(&self) -> String {
        format!("{}_cloudwatch_log_subscription_filter", self.prefix)
    }

    #[must_use]
    pub fn grant(&self) -> String {
        self.with_suffix("grant")
    }

    /// ID of the managed entry in the bucket's notification configuration.
    #[must_use]
    pub fn notification_id(&self) -> String {
        format!("{}-ec", self.prefix)
    }

    /// Prefix of the names of temporary queues.
    #[must_use]
    pub fn temporary_queue_prefix(&self) -> String {
        format!("{}_ec_tail", self.prefix)
    }

    fn with_suffix(&self, what: &str) -> String {
        format!("{}_event_collection_{what}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_name_contains_the_prefix() {
        let names = ResourceNames::new("heeler_next");
        assert_eq!(ResourceNames::from_role_name(&names.role()), Some(names));
        assert_eq!(ResourceNames::from_role_name("heeler_next_sqs_role"), None);
    }

    #[test]
    fn role_path_is_part_of_role_arn_only() {
        let names = ResourceNames::new("heeler");
        assert_eq!(names.role_with_path("collector"), "collector");
        let names = names.with_role_path("/platform/security/");
        assert_eq!(
            names.role_with_path("collector"),
            "platform/security/collector"
        );
        assert_eq!(names.role(), ResourceNames::new("heeler").role());
    }
}
