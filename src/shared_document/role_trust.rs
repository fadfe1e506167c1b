//! The trust policy of a role: which principals may assume it, as a document and read back from one.

/// A role as IAM returns it.
pub use aws_sdk_iam::types::Role as IamRole;
use serde_json::{Value, json};

use crate::iam;
use crate::reconcile::state::State;
use crate::secret::ExternalId;

/// The principal that a role trusts.
pub enum TrustedEntity {
    Heeler(HeelerTrust),
    /// The Lambda service, which runs the function with the role.
    Lambda,
}

/// The roles of Heeler that may assume a role, and the external ID that they must present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeelerTrust {
    pub principals: Vec<String>,
    pub external_id: ExternalId,
}

impl HeelerTrust {
    /// Trusts no principal. It is for a role that is only read or deleted.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            principals: Vec::new(),
            external_id: ExternalId::new(""),
        }
    }

    /// Returns true if the trust names at least one principal, and no deleted one. IAM rejects any other.
    pub(crate) fn can_be_written(&self) -> bool {
        let is_deleted = |principal: &String| iam::is_deleted_principal_id(principal);
        !self.principals.is_empty() && !self.principals.iter().any(is_deleted)
    }
}

/// The value that a shown trust policy has in place of the external ID.
const EXTERNAL_ID_MASK: &str = "(external id)";
/// The `Sid` of the statement that allows Heeler to assume the role.
const HEELER_SID: &str = "HeelerAssumeRole";

/// Builds the trust policy for a principal.
pub(crate) fn trust_policy(entity: &TrustedEntity) -> Value {
    iam::document(vec![match entity {
        TrustedEntity::Heeler(trust) => json!({
            "Sid": HEELER_SID,
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": { "AWS": trust.principals },
            "Condition": { "StringEquals": { "sts:ExternalId": trust.external_id.expose() } },
        }),
        TrustedEntity::Lambda => json!({
            "Sid": "LambdaAssumeRole",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": { "Service": "lambda.amazonaws.com" },
        }),
    }])
}

/// Decodes the trust policy that IAM returns with a role.
pub(crate) fn trust_policy_of(role: &IamRole) -> Value {
    iam::parse_encoded_document(role.assume_role_policy_document().unwrap_or_default())
}

/// Reads which roles of Heeler a role trusts. Returns `None` if the trust policy has another form. Statements that
/// someone added are ignored.
#[must_use]
pub fn parse_trust(role: &IamRole) -> Option<HeelerTrust> {
    let document = trust_policy_of(role);
    let statements = iam::statements_of(&document);
    let statement = match statements.as_slice() {
        [only] => only,
        several => several
            .iter()
            .find(|statement| statement.get("Sid").is_some_and(|sid| sid == HEELER_SID))?,
    };
    let principals = match statement.get("Principal")?.get("AWS")? {
        Value::Array(principals) => principals
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        principal => vec![principal.as_str()?.to_owned()],
    };
    let external_id = match statement
        .get("Condition")?
        .get("StringEquals")?
        .get("sts:ExternalId")?
    {
        Value::Array(ids) => ids.first()?.as_str()?,
        id => id.as_str()?,
    };
    Some(HeelerTrust {
        principals,
        external_id: ExternalId::new(external_id),
    })
}

/// A state with the trust policy in one field and the external ID in a secret one, so that the policy can be shown.
pub(crate) fn trust_state(document: &Value) -> State {
    let mut masked = iam::canonical(document);
    let mut ids = Vec::new();
    extract_external_ids(&mut masked, &mut ids);
    State::default()
        .with_document("trust", masked, document.clone())
        .with_secret("external_id", ids)
}

fn extract_external_ids(value: &mut Value, ids: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name.eq_ignore_ascii_case("sts:ExternalId") {
                    ids.push(std::mem::replace(value, Value::from(EXTERNAL_ID_MASK)));
                } else {
                    extract_external_ids(value, ids);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| extract_external_ids(item, ids)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> HeelerTrust {
        HeelerTrust {
            principals: vec!["arn:aws:iam::999988887777:role/heeler".into()],
            external_id: ExternalId::new("very-secret-id+1"),
        }
    }

    fn iam_role(document: &str) -> IamRole {
        IamRole::builder()
            .path("/")
            .role_name("r")
            .role_id("AROAEXAMPLE")
            .arn("arn:aws:iam::111122223333:role/r")
            .create_date(aws_smithy_types::DateTime::from_secs(0))
            .assume_role_policy_document(document)
            .build()
            .unwrap()
    }

    #[test]
    fn written_trust_policy_parses_back() {
        let encoded = percent_encoding::utf8_percent_encode(
            &trust_policy(&TrustedEntity::Heeler(trust())).to_string(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        assert_eq!(parse_trust(&iam_role(&encoded)), Some(trust()));
    }

    #[test]
    fn single_statement_is_read_like_a_list() {
        let mut document = trust_policy(&TrustedEntity::Heeler(trust()));
        document["Statement"] = document["Statement"][0].take();
        let found = parse_trust(&iam_role(&document.to_string()));
        assert_eq!(found, Some(trust()));
    }

    #[test]
    fn added_trust_statements_are_ignored() {
        let mut document = trust_policy(&TrustedEntity::Heeler(trust()));
        let statements = document["Statement"].as_array_mut().unwrap();
        statements.insert(
            0,
            json!({ "Sid": "Theirs", "Principal": { "AWS": "AROAEXAMPLE" } }),
        );
        let found = parse_trust(&iam_role(&document.to_string()));
        assert_eq!(found, Some(trust()));
    }

    #[test]
    fn unrecognized_trust_policy_has_no_trust() {
        let of_service = r#"{"Statement":[{"Principal":{"Service":"x"}}]}"#;
        assert_eq!(parse_trust(&iam_role(of_service)), None);
        assert_eq!(parse_trust(&iam_role("not json")), None);
    }
}
