//! The input shapes and error codes of AWS's operations, from `models/aws.json`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, OnceLock};

use regex_lite::Regex;
use serde::Deserialize;

/// The models of several services, by signing name.
#[derive(Debug, Deserialize)]
pub struct Models {
    services: BTreeMap<String, Service>,
}

/// The model of one service.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// The wire protocol.
    pub protocol: Protocol,
    /// The operations by name.
    pub operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// The way in which a request is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Protocol {
    /// JSON with the header `x-amz-target`.
    #[serde(rename = "json")]
    Json,
    /// A form with the field `Action`.
    #[serde(rename = "query")]
    Query,
    /// CBOR with the operation in the path.
    #[serde(rename = "smithy-rpc-v2-cbor")]
    RpcV2Cbor,
    /// JSON with members in the path and the query.
    #[serde(rename = "rest-json")]
    RestJson,
    /// XML with members in the path, the query and the headers.
    #[serde(rename = "rest-xml")]
    RestXml,
}

/// An operation of a service.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// The method and the path, in which `{Name}` stands for a member.
    pub http: (String, String),
    /// The name of the input shape, if the operation has members.
    pub input: Option<String>,
    /// The codes of its errors as the service sends them, with their HTTP status.
    pub errors: BTreeMap<String, u16>,
}

/// A shape: a structure, list, map or scalar with its constraints.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// The kind of the shape.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The smallest number, length or number of items.
    pub min: Option<f64>,
    /// The largest number, length or number of items.
    pub max: Option<f64>,
    /// The regular expression that the whole text matches.
    pub pattern: Option<String>,
    /// The permitted values, or none if any value is permitted.
    #[serde(rename = "enum", default)]
    pub values: Vec<String>,
    /// The required members of a structure.
    #[serde(default)]
    pub required: Vec<String>,
    /// The members of a structure.
    #[serde(default)]
    pub members: BTreeMap<String, Member>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// True for a list without an element around its items.
    #[serde(default)]
    pub flattened: bool,
    /// The items of a list.
    pub member: Option<Member>,
    /// The shape of a map's keys.
    pub key: Option<String>,
    /// The shape of a map's values.
    pub value: Option<String>,
}

/// The kind of a shape.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Double,
    Float,
    Boolean,
    Blob,
    Timestamp,
}

/// A member of a structure or list: its shape, its name in a request, and its place outside of the body.
#[derive(Debug, Deserialize)]
pub struct Member(Vec<String>);

impl Member {
    /// The name of the member's shape.
    pub fn shape(&self) -> &str {
        &self.0[0]
    }

    /// The name in a request.
    pub fn wire_name(&self) -> &str {
        &self.0[1]
    }

    /// The place outside of the body: `uri`, `querystring`, `header` or `headers`.
    pub fn place(&self) -> Option<&str> {
        self.0.get(2).map(String::as_str)
    }
}

impl Models {
    /// The error codes of all operations, with their HTTP status.
    pub fn error_codes(&self) -> impl Iterator<Item = (String, u16)> + '_ {
        let operations = self
            .services
            .values()
            .flat_map(|service| service.operations.values());
        operations.flat_map(|operation| {
            operation
                .errors
                .iter()
                .map(|(code, status)| (code.clone(), *status))
        })
    }

    /// Parses the models that are part of this crate.
    pub(crate) fn read() -> Models {
        serde_json::from_str(include_str!("../../models/aws.json")).expect("models in aws.json")
    }

    /// The service with this signing name.
    pub fn service(&self, service: &str) -> Option<&Service> {
        self.services.get(service)
    }

    /// An operation and its service.
    pub fn operation(&self, service: &str, operation: &str) -> Option<(&Service, &Operation)> {
        let service = self.services.get(service)?;
        Some((service, service.operations.get(operation)?))
    }
}

impl Service {
    /// The shape with this name.
    pub fn shape(&self, name: &str) -> &Shape {
        self.shapes
            .get(name)
            .unwrap_or_else(|| panic!("the models have no shape {name}"))
    }
}

/// Returns true if the whole text matches a regular expression of the models.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    static COMPILED: OnceLock<Mutex<HashMap<String, Regex>>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(Mutex::default);
    let mut compiled = compiled.lock().expect("compiled patterns");
    let regex = compiled.entry(pattern.to_owned()).or_insert_with(|| {
        let ascii = pattern.replace(r"\p{L}\p{Z}\p{N}", "a-zA-Z0-9 ");
        let whole = format!("^(?:{ascii})$");
        Regex::new(&whole).unwrap_or_else(|error| panic!("{pattern}: {error}"))
    });
    if pattern.contains(r"\p{L}") {
        return regex.is_match(&in_ascii(text));
    }
    regex.is_match(text)
}

/// Replaces letters and numbers by `a` and separators by a space, because regex-lite has no Unicode classes.
fn in_ascii(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii() => c,
            c if c.is_alphanumeric() => 'a',
            c if c.is_whitespace() => ' ',
            _ => '\u{1}',
        })
        .collect()
}
