//! Policy documents, parsed strictly: a document that AWS would not accept is an error rather than a guess.

use std::fmt;

use serde_json::{Map, Value};

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub(super) statements: Vec<PolicyStatement>,
    /// True if the version of the document supports policy variables.
    pub(super) has_variables: bool,
}

/// The reason why a document is not a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySyntaxError(String);

impl fmt::Display for PolicySyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicySyntaxError {}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyStatement {
    pub sid: Option<String>,
    pub denies: bool,
    pub principals: PrincipalElement,
    pub actions: NameList,
    /// `None` in trust policies, which have no resource.
    pub resources: Option<NameList>,
    pub conditions: Vec<PolicyCondition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PrincipalElement {
    Absent,
    Principal(PrincipalList),
    NotPrincipal(PrincipalList),
}

/// Principals by kind. `Federated` and `CanonicalUser` are omitted, because no caller in this program is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PrincipalList {
    pub everyone: bool,
    pub aws: Vec<String>,
    pub services: Vec<String>,
}

/// The patterns of an `Action`, `NotAction`, `Resource` or `NotResource` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameList {
    pub negated: bool,
    pub patterns: Vec<String>,
}

/// One operator with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyCondition {
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

impl fmt::Display for PolicyCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(" or ");
        write!(f, "{} {} {values}", self.operator, self.key)
    }
}

impl Policy {
    /// Parses the text of a document.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or an element has the wrong type or an unknown value.
    pub fn parse(text: &str) -> Result<Self, PolicySyntaxError> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| PolicySyntaxError(format!("the policy is not valid JSON: {error}")))?;
        Self::from_document(&document)
    }

    /// Reads a document that is parsed as JSON already.
    ///
    /// # Errors
    ///
    /// If an element has the wrong type or an unknown value.
    pub fn from_document(document: &Value) -> Result<Self, PolicySyntaxError> {
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(single) => vec![single],
            None => return Err(PolicySyntaxError("the policy has no Statement".into())),
        };
        let parse = |(index, statement)| {
            parse_statement(statement).map_err(|problem| {
                PolicySyntaxError(format!("statement {} of the policy: {problem}", index + 1))
            })
        };
        let version = document.get("Version").and_then(Value::as_str);
        Ok(Self {
            statements: statements
                .into_iter()
                .enumerate()
                .map(parse)
                .collect::<Result<_, _>>()?,
            has_variables: version == Some("2012-10-17"),
        })
    }
}

fn parse_statement(statement: &Value) -> Result<PolicyStatement, String> {
    let Value::Object(fields) = statement else {
        return Err("it is not an object".into());
    };
    let effect = fields.get("Effect").and_then(Value::as_str);
    let denies = match effect.unwrap_or_default().to_ascii_lowercase().as_str() {
        "allow" => false,
        "deny" => true,
        _ => return Err("its Effect is neither Allow nor Deny".into()),
    };
    let principals = match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (None, None) => PrincipalElement::Absent,
        (Some(named), None) => PrincipalElement::Principal(parse_principals(named)?),
        (None, Some(named)) => PrincipalElement::NotPrincipal(parse_principals(named)?),
        (Some(_), Some(_)) => return Err("it has Principal and NotPrincipal".into()),
    };
    let actions = name_list(fields, "Action")?.ok_or("it has neither Action nor NotAction")?;
    let conditions = match fields.get("Condition") {
        None => Vec::new(),
        Some(Value::Object(operators)) => parse_conditions(operators)?,
        Some(_) => return Err("its Condition is not an object".into()),
    };
    let sid = fields.get("Sid").and_then(Value::as_str);
    Ok(PolicyStatement {
        sid: sid.filter(|sid| !sid.is_empty()).map(str::to_owned),
        denies,
        principals,
        actions,
        resources: name_list(fields, "Resource")?,
        conditions,
    })
}

/// Returns the element `name` or its negated form.
fn name_list(fields: &Map<String, Value>, name: &str) -> Result<Option<NameList>, String> {
    let negated_name = format!("Not{name}");
    let (negated, value) = match (fields.get(name), fields.get(&negated_name)) {
        (None, None) => return Ok(None),
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        (Some(_), Some(_)) => return Err(format!("it has {name} and {negated_name}")),
    };
    let patterns = strings(value).ok_or(format!("its {name} is not a list of strings"))?;
    Ok(Some(NameList { negated, patterns }))
}

fn parse_principals(value: &Value) -> Result<PrincipalList, String> {
    let Value::Object(kinds) = value else {
        return match value.as_str() {
            Some("*") => Ok(PrincipalList {
                everyone: true,
                ..PrincipalList::default()
            }),
            _ => Err("its Principal is neither an object nor *".into()),
        };
    };
    let list = |kind: &str| match kinds.get(kind) {
        Some(value) => strings(value).ok_or(format!("its Principal {kind} is not a list")),
        None => Ok(Vec::new()),
    };
    let aws = list("AWS")?;
    Ok(PrincipalList {
        everyone: aws.iter().any(|named| named == "*"),
        aws,
        services: list("Service")?,
    })
}

fn parse_conditions(operators: &Map<String, Value>) -> Result<Vec<PolicyCondition>, String> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else {
            return Err(format!("its condition {operator} is not an object"));
        };
        for (key, values) in keys {
            conditions.push(PolicyCondition {
                operator: operator.clone(),
                key: key.clone(),
                values: strings(values).ok_or(format!("its condition on {key} has no list"))?,
            });
        }
    }
    Ok(conditions)
}

/// Returns a single value or a list as strings. Conditions may have Booleans and numbers.
fn strings(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        single => Some(vec![text(single)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_documents_are_refused() {
        let table = [
            ("no JSON", "not valid JSON"),
            ("[]", "no Statement"),
            (r#"{"Statement":"x"}"#, "not an object"),
            (r#"{"Statement":{"Action":"*"}}"#, "Effect"),
            (r#"{"Statement":{"Effect":"Maybe","Action":"*"}}"#, "Effect"),
            (r#"{"Statement":{"Effect":"Allow"}}"#, "neither Action"),
            (
                r#"{"Statement":[{"Effect":"Allow","Action":"*"},{"Effect":"Deny","Action":{}}]}"#,
                "statement 2 of the policy: its Action",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}"#,
                "Action and NotAction",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":"me"}}"#,
                "neither an object nor *",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Condition":[]}}"#,
                "Condition",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":null}}}}"#,
                "condition on k",
            ),
        ];
        for (text, expected) in table {
            let error = Policy::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn single_values_and_lists_are_equal() {
        let single = r#"{"Statement":{"Effect":"allow","Principal":{"AWS":"*"},"Action":"a:b","Resource":"*",
            "Condition":{"Bool":{"k":true}}}}"#;
        let lists = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["a:b"],"Resource":["*"],
            "Condition":{"Bool":{"k":["true"]}}}]}"#;
        assert_eq!(Policy::parse(single), Policy::parse(lists));
    }
}
