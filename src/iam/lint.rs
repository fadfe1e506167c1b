//! Weaknesses of policies that other tools or people wrote: who may use a role or a queue, and what a role may do. Pure.
//!
//! A weakness is a pattern that AWS or the operator would rather not have, not proof of access. Deny statements are ignored.
//! Source: "IAM JSON policy elements: Principal" and "Access to AWS accounts owned by third parties" in the IAM User Guide.

use std::collections::BTreeSet;

use serde_json::Value;

use super::statements_of;

/// Condition keys that restrict callers to certain resources, accounts or organizations.
const CALLER_KEYS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
];
/// Condition keys that contain the ID of an organization.
const ORGANIZATION_KEYS: &[&str] = &["aws:principalorgid", "aws:sourceorgid"];
const EXTERNAL_ID_KEY: &str = "sts:externalid";
/// Condition keys that restrict resources.
const RESOURCE_KEYS: &[&str] = &["aws:resourceaccount", "aws:resourceorgid", "kms:viaservice"];

/// The pattern of a weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WeaknessKind {
    /// A whole account may assume the role.
    RootTrust,
    /// Another account may assume the role without an external ID.
    MissingExternalId,
    /// Everyone may use the role or the queue.
    WildcardPrincipal,
    /// Every action of a service is allowed.
    WildcardAction,
    /// Every resource is allowed.
    WildcardResource,
    /// An account that is neither known nor in the organization may use the role or the queue.
    UnknownAccount,
}

/// A weakness of one statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyWeakness {
    pub kind: WeaknessKind,
    /// The `Sid` of the statement, or its number.
    pub statement: String,
    /// The principal, action or resource.
    pub subject: String,
}

/// The accounts and the organization that may be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownCallers {
    /// The account of the role or queue.
    pub account: String,
    /// Accounts of the Heeler roles.
    pub heeler_accounts: BTreeSet<String>,
    /// The ID of the organization, if it is known.
    pub organization: Option<String>,
}

/// Finds the weaknesses of a trust policy.
#[must_use]
pub fn lint_trust_policy(document: &Value, known: &KnownCallers) -> Vec<PolicyWeakness> {
    let mut found = BTreeSet::new();
    for statement in &allow_statements(document) {
        for principal in statement.principals() {
            let mut add = |kind| found.insert(statement.weakness(kind, &principal));
            if principal == "*" {
                if !statement.restricts(CALLER_KEYS, |_| true) {
                    add(WeaknessKind::WildcardPrincipal);
                }
                continue;
            }
            let Some(account) = account_of(&principal) else {
                continue;
            };
            if is_whole_account(&principal) && !statement.restricts(&["aws:principalarn"], |_| true)
            {
                add(WeaknessKind::RootTrust);
            }
            if account == known.account {
                continue;
            }
            if !statement.restricts(&[EXTERNAL_ID_KEY], |value| !value.is_empty()) {
                add(WeaknessKind::MissingExternalId);
            }
            let is_heeler = known.heeler_accounts.contains(account);
            if !is_heeler && !statement.is_in_organization(known) {
                add(WeaknessKind::UnknownAccount);
            }
        }
    }
    found.into_iter().collect()
}

/// Finds the weaknesses of the policy of a queue.
#[must_use]
pub fn lint_queue_policy(document: &Value, known: &KnownCallers) -> Vec<PolicyWeakness> {
    let mut found = BTreeSet::new();
    for statement in &allow_statements(document) {
        for principal in statement.principals() {
            let mut add = |kind, subject: &str| found.insert(statement.weakness(kind, subject));
            if principal == "*" {
                if !statement.restricts(CALLER_KEYS, |_| true) {
                    add(WeaknessKind::WildcardPrincipal, &principal);
                }
            } else if account_of(&principal).is_none_or(|account| account == known.account) {
                continue;
            } else if !statement.is_in_organization(known) {
                add(WeaknessKind::UnknownAccount, &principal);
            }
            for action in statement.wildcard_actions() {
                add(WeaknessKind::WildcardAction, &action);
            }
        }
    }
    found.into_iter().collect()
}

/// Finds the weaknesses of a policy that gives permissions to a role.
#[must_use]
pub fn lint_permissions(document: &Value) -> Vec<PolicyWeakness> {
    let mut found = BTreeSet::new();
    for statement in &allow_statements(document) {
        for action in statement.wildcard_actions() {
            found.insert(statement.weakness(WeaknessKind::WildcardAction, &action));
        }
        if statement.only_lists() || statement.restricts(RESOURCE_KEYS, |_| true) {
            continue;
        }
        let resources = statement.texts("Resource");
        let inverted = statement.json.get("NotResource").map(|_| "NotResource");
        let wildcards = resources.iter().map(String::as_str).filter(|resource| {
            let mut parts = resource.splitn(6, ':');
            *resource == "*" || parts.nth(5) == Some("*")
        });
        for resource in wildcards.chain(inverted) {
            found.insert(statement.weakness(WeaknessKind::WildcardResource, resource));
        }
    }
    found.into_iter().collect()
}

/// Returns the other accounts whose roles or users a trust policy names. Whole accounts are not among them.
#[must_use]
pub fn external_accounts(document: &Value, own_account: &str) -> Vec<String> {
    let statements = allow_statements(document);
    let principals = statements.iter().flat_map(AllowStatement::principals);
    let named = principals.filter(|principal| !is_whole_account(principal));
    let accounts = named.filter_map(|principal| account_of(&principal).map(str::to_owned));
    accounts.filter(|account| account != own_account).collect()
}

/// A statement that allows something.
struct AllowStatement {
    json: Value,
    name: String,
}

fn allow_statements(document: &Value) -> Vec<AllowStatement> {
    let statements = statements_of(document).into_iter().enumerate();
    statements
        .filter(|(_, json)| json["Effect"] == "Allow")
        .map(|(number, json)| AllowStatement {
            name: match json["Sid"].as_str() {
                Some(sid) if !sid.is_empty() => format!("statement {sid}"),
                _ => format!("statement {}", number + 1),
            },
            json,
        })
        .collect()
}

impl AllowStatement {
    fn weakness(&self, kind: WeaknessKind, subject: &str) -> PolicyWeakness {
        PolicyWeakness {
            kind,
            statement: self.name.clone(),
            subject: subject.to_owned(),
        }
    }

    fn texts(&self, element: &str) -> Vec<String> {
        texts(&self.json[element])
    }

    /// The AWS principals; `*` if everyone is allowed. Services and identity providers are not among them.
    fn principals(&self) -> Vec<String> {
        if self.json.get("NotPrincipal").is_some() {
            return vec!["*".to_owned()];
        }
        match &self.json["Principal"] {
            Value::String(text) => vec![text.clone()],
            Value::Object(kinds) => kinds.get("AWS").map(texts).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The actions that are `*` or all of a service.
    fn wildcard_actions(&self) -> Vec<String> {
        let inverted = self.json.get("NotAction").map(|_| "NotAction".to_owned());
        let is_wildcard = |action: &String| action == "*" || action.ends_with(":*");
        let actions = self.texts("Action").into_iter().filter(is_wildcard);
        actions.chain(inverted).collect()
    }

    /// Returns true if the statement allows only actions that list or describe, most of which accept no resource.
    fn only_lists(&self) -> bool {
        let actions = self.texts("Action");
        let lists = |action: &String| {
            let verb = action
                .split_once(':')
                .map(|(_, verb)| verb.to_ascii_lowercase());
            verb.is_some_and(|verb| verb.starts_with("list") || verb.starts_with("describe"))
        };
        !actions.is_empty() && actions.iter().all(lists)
    }

    /// Returns true if a condition restricts one of these keys, in lower case, to values that are accepted. A condition that
    /// also holds for a missing key, or that excludes values, restricts nothing.
    fn restricts(&self, keys: &[&str], accepts: impl Fn(&str) -> bool) -> bool {
        let Some(operators) = self.json["Condition"].as_object() else {
            return false;
        };
        operators.iter().any(|(operator, conditions)| {
            let operator = operator.to_ascii_lowercase();
            let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
            let is_like = matches!(operator, "stringlike" | "arnlike" | "arnequals");
            let is_equal = matches!(operator, "stringequals" | "stringequalsignorecase");
            let conditions = conditions.as_object().into_iter().flatten();
            (is_like || is_equal)
                && conditions.into_iter().any(|(key, values)| {
                    let values = texts(values);
                    let is_restricted = |value: &String| {
                        let is_anything = value.chars().all(|c| matches!(c, '*' | '?' | ':'));
                        accepts(value) && !(is_like && is_anything)
                    };
                    keys.contains(&key.to_ascii_lowercase().as_str())
                        && !values.is_empty()
                        && values.iter().all(is_restricted)
                })
        })
    }

    /// Returns true if a condition restricts the callers to the known organization.
    fn is_in_organization(&self, known: &KnownCallers) -> bool {
        known
            .organization
            .as_deref()
            .is_some_and(|id| self.restricts(ORGANIZATION_KEYS, |value| value == id))
    }
}

/// A string or a list of strings.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => {
            let items = items.iter().filter_map(Value::as_str);
            items.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The account of a principal: of its ARN, or an account ID. A deleted principal has none.
fn account_of(principal: &str) -> Option<&str> {
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_id(principal) {
        return Some(principal);
    }
    let account = principal.split(':').nth(4);
    account.filter(|account| principal.starts_with("arn:") && is_id(account))
}

fn is_whole_account(principal: &str) -> bool {
    account_of(principal) == Some(principal) || principal.ends_with(":root")
}

#[cfg(test)]
mod tests {
    use super::WeaknessKind::{
        MissingExternalId, RootTrust, UnknownAccount, WildcardAction, WildcardPrincipal,
        WildcardResource,
    };
    use super::*;
    use serde_json::json;

    const HEELER: &str = "arn:aws:iam::999900001111:role/heeler-security";

    fn known() -> KnownCallers {
        KnownCallers {
            account: "111122223333".to_owned(),
            heeler_accounts: BTreeSet::from(["999900001111".to_owned()]),
            organization: Some("o-example".to_owned()),
        }
    }

    fn document(statement: &Value) -> Value {
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    fn kinds(found: &[PolicyWeakness]) -> Vec<WeaknessKind> {
        found.iter().map(|weakness| weakness.kind).collect()
    }

    fn trust(principal: Value, condition: Value) -> Vec<WeaknessKind> {
        let mut statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole" });
        statement["Principal"] = principal;
        statement["Condition"] = condition;
        kinds(&lint_trust_policy(&document(&statement), &known()))
    }

    #[test]
    fn trust_of_heeler_role_needs_an_external_id() {
        let id = |operator: &str| json!({ operator: { "sts:ExternalId": "id" } });
        let heeler = || json!({ "AWS": HEELER });
        assert_eq!(trust(heeler(), id("StringEquals")), []);
        assert_eq!(
            trust(
                heeler(),
                json!({ "StringEquals": { "STS:externalid": ["id"] } })
            ),
            []
        );
        for condition in [
            json!({}),
            json!({ "StringEquals": { "sts:ExternalId": "" } }),
            json!({ "StringLike": { "sts:ExternalId": "*" } }),
            json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }),
            id("StringEqualsIfExists"),
            id("StringNotEquals"),
            id("ForAllValues:StringEquals"),
        ] {
            assert_eq!(
                trust(heeler(), condition.clone()),
                [MissingExternalId],
                "{condition}"
            );
        }
        // A role of the same account needs none.
        let own = json!({ "AWS": "arn:aws:iam::111122223333:role/admin" });
        assert_eq!(trust(own, json!({})), []);
    }

    #[test]
    fn trust_of_whole_accounts_and_others_is_found() {
        let id = json!({ "StringEquals": { "sts:ExternalId": "id" } });
        for root in ["arn:aws:iam::999900001111:root", "999900001111"] {
            assert_eq!(
                trust(json!({ "AWS": root }), id.clone()),
                [RootTrust],
                "{root}"
            );
        }
        let narrowed = json!({
            "StringEquals": { "sts:ExternalId": "id" }, "ArnEquals": { "aws:PrincipalArn": HEELER }
        });
        assert_eq!(trust(json!({ "AWS": "999900001111" }), narrowed), []);
        let own = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        assert_eq!(trust(own, json!({})), [RootTrust]);
        let other = || json!({ "AWS": ["arn:aws:iam::444455556666:role/other", HEELER] });
        assert_eq!(trust(other(), id.clone()), [UnknownAccount]);
        let of_organization = json!({
            "StringEquals": { "sts:ExternalId": "id", "aws:PrincipalOrgID": "o-example" }
        });
        assert_eq!(trust(other(), of_organization), []);
        let of_another = json!({
            "StringEquals": { "sts:ExternalId": "id", "aws:PrincipalOrgID": ["o-example", "o-2"] }
        });
        assert_eq!(trust(other(), of_another), [UnknownAccount]);
        assert_eq!(trust(json!("*"), id.clone()), [WildcardPrincipal]);
        assert_eq!(trust(json!({ "AWS": "*" }), id), [WildcardPrincipal]);
        assert_eq!(
            trust(json!({ "Service": "lambda.amazonaws.com" }), json!({})),
            []
        );
        // A deleted principal is the subject of another check.
        assert_eq!(trust(json!({ "AWS": "AROAEXAMPLEEXAMPLE" }), json!({})), []);
    }

    #[test]
    fn queue_policies_need_a_restricting_condition() {
        let lint = |statement: Value| kinds(&lint_queue_policy(&document(&statement), &known()));
        let everyone = |condition: Value| {
            lint(json!({
                "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Condition": condition
            }))
        };
        let topic = "arn:aws:sns:us-east-1:111122223333:topic";
        assert_eq!(
            everyone(json!({ "ArnEquals": { "aws:SourceArn": topic } })),
            []
        );
        assert_eq!(
            everyone(json!({ "StringEquals": { "aws:PrincipalOrgID": "o-example" } })),
            []
        );
        for condition in [
            json!({}),
            json!({ "Bool": { "aws:SecureTransport": "true" } }),
            json!({ "ArnLike": { "aws:SourceArn": "*" } }),
            json!({ "ArnLike": { "aws:SourceArn": [topic, "*:*:*:*:*:*"] } }),
            json!({ "ArnNotEquals": { "aws:SourceArn": topic } }),
        ] {
            assert_eq!(
                everyone(condition.clone()),
                [WildcardPrincipal],
                "{condition}"
            );
        }
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:*" });
        assert_eq!(lint(deny), []);
        let own = json!({
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "SQS:*"
        });
        assert_eq!(lint(own), []);
        let other = json!({
            "Effect": "Allow", "Principal": { "AWS": "444455556666" }, "Action": ["sqs:*", "sqs:SendMessage"]
        });
        assert_eq!(lint(other), [WildcardAction, UnknownAccount]);
        let inverted = json!({
            "Effect": "Allow", "NotPrincipal": { "AWS": "444455556666" }, "Action": "sqs:SendMessage"
        });
        assert_eq!(lint(inverted), [WildcardPrincipal]);
    }

    #[test]
    fn permissions_need_actions_and_resources() {
        let lint = |statement: Value| kinds(&lint_permissions(&document(&statement)));
        let allow = |action: Value, resource: Value| {
            lint(json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
        };
        let queue = || json!("arn:aws:sqs:us-east-1:111122223333:queue");
        assert_eq!(allow(json!(["sqs:ReceiveMessage", "s3:Get*"]), queue()), []);
        assert_eq!(allow(json!("sqs:*"), queue()), [WildcardAction]);
        assert_eq!(
            allow(json!("*"), json!("*")),
            [WildcardAction, WildcardResource]
        );
        for everything in [json!("*"), json!(["arn:aws:s3:::b/*", "arn:aws:s3:::*"])] {
            assert_eq!(allow(json!("s3:GetObject"), everything), [WildcardResource]);
        }
        assert_eq!(
            allow(json!("s3:GetObject"), json!("arn:aws:s3:::bucket/*")),
            []
        );
        assert_eq!(
            allow(
                json!(["s3:ListAllMyBuckets", "logs:DescribeLogGroups"]),
                json!("*")
            ),
            []
        );
        let via_service = json!({
            "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": { "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }
        });
        assert_eq!(lint(via_service), []);
        let inverted = json!({ "Effect": "Allow", "NotAction": "iam:*", "NotResource": "a" });
        assert_eq!(lint(inverted), [WildcardAction, WildcardResource]);
    }

    #[test]
    fn weakness_names_its_statement_and_subject() {
        let policy = json!({ "Statement": [
            { "Sid": "Send", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage" },
            { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sqs:SendMessage" },
        ] });
        let found = lint_queue_policy(&policy, &known());
        let names: Vec<&str> = found.iter().map(|each| each.statement.as_str()).collect();
        assert_eq!(names, ["statement 2", "statement Send"]);
        assert!(found.iter().all(|each| each.subject == "*"));
        assert_eq!(lint_queue_policy(&json!("damaged"), &known()), []);
    }
}
