//! The verdict on the bucket policy: does it deny Heeler's role to read log objects?

use serde_json::Value;

use super::with_own_bucket;
use crate::aws::arn::{Arn, bucket_arn};
use crate::check::{CheckId, Finding, Verdict, skipped_because};
use crate::iam::statement_reader;
use crate::iam::statement_reader::ParsedCondition;
use crate::inventory::{Fact, Snapshot};

/// Evaluates the Deny statements that apply to Heeler's role.
pub(super) fn policy(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let document = match &bucket.policy {
            Fact::NotRequested => return skipped_because(CheckId::BucketOwner),
            Fact::Failed(error) => return Verdict::Unknown(error.clone()),
            Fact::Absent => return Verdict::Pass("no bucket policy".into()),
            Fact::Present(document) => document,
        };
        let role = snapshot.access_role_arn().unwrap_or_default();
        let reader = HeelerReader {
            object: format!(
                "{}/{}object",
                bucket_arn(
                    Arn::parse(&role).map_or("aws", |arn| arn.partition),
                    &bucket.name
                ),
                snapshot.log_prefix()
            ),
            account: snapshot.account_id().unwrap_or_default(),
            organization: match &snapshot.account.organization {
                Fact::Present(organization) => &organization.id,
                _ => "",
            },
            role: &role,
        };
        let statements = statement_reader::statements(document);
        let meeting: Vec<&Value> = statements
            .iter()
            .filter(|statement| reader.is_affected_by(statement))
            .collect();
        let [first, ..] = meeting.as_slice() else {
            return Verdict::Pass("no statement denies Heeler access".into());
        };
        let named: Vec<&str> = meeting
            .iter()
            .map(|statement| statement_reader::sid(statement))
            .collect();
        let keys: Vec<String> = statement_reader::conditions(first)
            .into_iter()
            .map(|condition| {
                let values = condition.values.join(" or ");
                format!("{} {} {values}", condition.operator, condition.original_key)
            })
            .collect();
        let when = if keys.is_empty() {
            "always".to_owned()
        } else {
            format!("if {}", keys.join(" and "))
        };
        Verdict::Warn(
            Finding::new(
                format!("{} denies s3:GetObject, {when}", named.join(", ")),
                "no Deny that applies to Heeler",
            )
            .because("Heeler reads from its own network with the role that setup creates; after four denied attempts, the message moves to the dead-letter queue")
            .console(format!("S3 > {} > Permissions > Bucket policy", bucket.name))
            .cli(format!(
                "aws s3api get-bucket-policy --bucket {} --query Policy --output text",
                bucket.name
            ))
            .advice(format!("exempt {role} with a condition on aws:PrincipalArn")),
        )
    })
}

/// The properties of Heeler's requests that a bucket policy can test.
struct HeelerReader<'a> {
    object: String,
    account: &'a str,
    organization: &'a str,
    role: &'a str,
}

impl HeelerReader<'_> {
    /// Returns true if the statement may deny Heeler to read a log object.
    fn is_affected_by(&self, statement: &Value) -> bool {
        statement_reader::denies(statement)
            && statement_reader::applies_to_action(statement, "s3:GetObject")
            && statement_reader::applies_to_resource(statement, &self.object)
            && self.is_named_by(statement)
            && statement_reader::conditions(statement)
                .iter()
                .all(|condition| self.may_apply(condition))
    }

    fn is_named_by(&self, statement: &Value) -> bool {
        let root = format!(":iam::{}:root", self.account);
        if let Some(others) = statement.get("NotPrincipal") {
            return !statement_reader::string_list(&others["AWS"]).contains(&self.role);
        }
        statement_reader::names_principal(statement, "AWS", &[self.role, self.account])
            || statement_reader::string_list(&statement["Principal"]["AWS"])
                .iter()
                .any(|named| named.ends_with(&root))
    }

    /// Returns true if a condition of a Deny may match. An unknown condition may.
    fn may_apply(&self, condition: &ParsedCondition<'_>) -> bool {
        let (operator, key) = (condition.operator, condition.key.as_str());
        let plain = [
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
            "ArnEquals",
            "ArnLike",
            "ArnNotEquals",
            "ArnNotLike",
        ];
        if key.starts_with("aws:principal") && !plain.contains(&operator) {
            return true;
        }
        let own = match key {
            // Heeler uses a current TLS version.
            "aws:securetransport" | "s3:tlsversion" => return false,
            "aws:principalarn" => self.role,
            "aws:principalaccount" => self.account,
            "aws:principalorgid" if !self.organization.is_empty() => self.organization,
            _ => return true,
        };
        let named = condition
            .values
            .iter()
            .any(|value| statement_reader::matches_wildcard(value, own));
        if operator.contains("Not") {
            !named
        } else {
            named
        }
    }
}
