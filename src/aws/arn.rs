//! Amazon Resource Names (ARNs): parsing and building.

/// The parts of an ARN.
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

    /// The resource without its type: `a/b` for `role/a/b`. ARNs of queues and topics have no type.
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

/// The IAM path of the role with this ARN: `/a/` for `role/a/b`, and `/` for `role/b`.
#[must_use]
pub fn role_path(text: &str) -> String {
    let path_and_name = Arn::parse(text).map_or("", |arn| arn.name());
    let path = path_and_name.rsplit_once('/').map(|(path, _)| path);
    path.map_or_else(|| "/".to_owned(), |path| format!("/{path}/"))
}

/// Returns true for the name or the ARN of a FIFO queue. SQS requires this suffix.
#[must_use]
pub fn is_fifo_queue(text: &str) -> bool {
    text.strip_suffix(".fifo").is_some()
}

/// Builds an ARN. The region is empty for IAM, and both region and account are empty for S3.
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

/// Builds the ARNs of one partition, account and region. Each part may also be a wildcard or a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnBuilder<'a> {
    pub partition: &'a str,
    pub account: &'a str,
    pub region: &'a str,
}

impl ArnBuilder<'_> {
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        self.regional("sqs", name)
    }

    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        self.regional("sns", name)
    }

    #[must_use]
    pub fn function(&self, name: &str) -> String {
        self.regional("lambda", &format!("function:{name}"))
    }

    /// The ARN of a KMS key from its id.
    #[must_use]
    pub fn key(&self, id: &str) -> String {
        self.regional("kms", &format!("key/{id}"))
    }

    /// The ARN of a KMS alias from its name, which starts with `alias/`.
    #[must_use]
    pub fn key_alias(&self, alias: &str) -> String {
        self.regional("kms", alias)
    }

    /// The ARN of a log group, which some actions of CloudWatch Logs require.
    #[must_use]
    pub fn log_group(&self, name: &str) -> String {
        self.regional("logs", &format!("log-group:{name}"))
    }

    /// The ARN of everything in a log group, which the other actions of CloudWatch Logs require.
    #[must_use]
    pub fn log_group_content(&self, name: &str) -> String {
        self.regional("logs", &format!("log-group:{name}:*"))
    }

    #[must_use]
    pub fn trail(&self, name: &str) -> String {
        self.regional("cloudtrail", &format!("trail/{name}"))
    }

    #[must_use]
    pub fn role(&self, name: &str) -> String {
        self.iam("role", name)
    }

    #[must_use]
    pub fn policy(&self, name: &str) -> String {
        self.iam("policy", name)
    }

    #[must_use]
    pub fn user(&self, name: &str) -> String {
        self.iam("user", name)
    }

    /// The ARN by which a policy names the account as a whole.
    #[must_use]
    pub fn account_root(&self) -> String {
        build(self.partition, "iam", "", self.account, "root")
    }

    #[must_use]
    pub fn bucket(&self, name: &str) -> String {
        bucket_arn(self.partition, name)
    }

    /// The ARN of all objects of a bucket whose keys start with `prefix`.
    #[must_use]
    pub fn objects(&self, bucket: &str, prefix: &str) -> String {
        format!("{}/{prefix}*", self.bucket(bucket))
    }

    fn iam(&self, kind: &str, name: &str) -> String {
        let resource = format!("{kind}/{name}");
        build(self.partition, "iam", "", self.account, &resource)
    }

    fn regional(&self, service: &str, resource: &str) -> String {
        build(self.partition, service, self.region, self.account, resource)
    }
}

/// Returns the ARN of a bucket, which has neither region nor account.
#[must_use]
pub fn bucket_arn(partition: &str, name: &str) -> String {
    format!("arn:{partition}:s3:::{name}")
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
    fn role_path_is_between_type_and_name() {
        for (resource, path) in [
            ("role/b", "/"),
            ("role/a/b", "/a/"),
            ("role/a/c/b", "/a/c/"),
        ] {
            let arn = build("aws", "iam", "", "111122223333", resource);
            assert_eq!(role_path(&arn), path);
        }
    }

    #[test]
    fn built_arn_parses_back() {
        let text = build("aws", "sqs", "eu-west-1", "111122223333", "queue");
        assert_eq!(Arn::parse(&text).unwrap().name(), "queue");
    }
}
