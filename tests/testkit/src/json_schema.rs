//! Validates what the program prints as JSON against the schemas in `docs/schemas`.
//!
//! The published schemas allow additional keys, because later versions may add some. Here every key must be documented.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use crate::emulator::repository;

/// The commands whose JSON output has a schema of the same name.
const COMMANDS: &[&str] = &[
    "completions",
    "cost",
    "coverage",
    "destroy",
    "dlq",
    "explain",
    "export",
    "list",
    "outputs",
    "plan",
    "policy",
    "preflight",
    "restore",
    "setup",
    "status",
    "support",
    "tail",
    "verify",
];

/// Returns the violations of the schemas in the output of a finished run. Output that is not JSON is not checked.
pub fn violations(args: &[String], stdout: &str, stderr: &str) -> Vec<String> {
    let mut found = Vec::new();
    if has_option(args, &["-o", "--output"], "json") {
        let command = args.iter().find(|arg| COMMANDS.contains(&arg.as_str()));
        match command.map(String::as_str) {
            Some("tail") => found.extend(line_violations("tail", stdout)),
            // A usage error without a command has the same envelope as most commands.
            command => found.extend(text_violations(command.unwrap_or("outputs"), stdout)),
        }
    }
    if has_option(args, &["--progress"], "json") {
        found.extend(line_violations("progress", stderr));
    }
    found
}

/// Returns the violations of a text that has to be one document.
pub fn text_violations(schema: &str, text: &str) -> Vec<String> {
    match serde_json::from_str(text) {
        Ok(document) => document_violations(schema, &document),
        Err(error) => vec![format!("{schema}: not one JSON document: {error}")],
    }
}

fn line_violations(schema: &str, text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| text_violations(schema, line))
        .collect()
}

/// Returns the violations of one document.
fn document_violations(schema: &str, document: &Value) -> Vec<String> {
    validator(schema)
        .iter_errors(document)
        .map(|error| format!("{schema}: {}: {error}", error.instance_path()))
        .collect()
}

fn has_option(args: &[String], names: &[&str], value: &str) -> bool {
    let options = args.iter().take_while(|arg| *arg != "--");
    let options: Vec<&String> = options.collect();
    options
        .windows(2)
        .any(|pair| names.contains(&pair[0].as_str()) && pair[1] == value)
}

/// The validator of a schema, compiled once.
fn validator(name: &str) -> Arc<Validator> {
    static VALIDATORS: OnceLock<Mutex<BTreeMap<String, Arc<Validator>>>> = OnceLock::new();
    let mut validators = VALIDATORS
        .get_or_init(Mutex::default)
        .lock()
        .expect("the validators");
    let validator = validators.entry(name.to_owned()).or_insert_with(|| {
        let mut schema = read_schema(name);
        resolve_error(&mut schema);
        forbid_undocumented_keys(&mut schema);
        let compiled = jsonschema::validator_for(&schema);
        Arc::new(compiled.unwrap_or_else(|error| panic!("docs/schemas/{name}.json: {error}")))
    });
    Arc::clone(validator)
}

fn read_schema(name: &str) -> Value {
    let path = repository().join(format!("docs/schemas/{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Replaces each reference to `error.json` by its content.
fn resolve_error(schema: &mut Value) {
    if schema["$ref"] == "error.json" {
        *schema = read_schema("error");
    }
    children(schema).for_each(resolve_error);
}

/// Forbids every key that a schema with `properties` does not list.
fn forbid_undocumented_keys(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut()
        && object.contains_key("properties")
        && object.get("type") == Some(&Value::from("object"))
    {
        object
            .entry("additionalProperties")
            .or_insert(Value::Bool(false));
    }
    children(schema).for_each(forbid_undocumented_keys);
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(entries) => Box::new(entries.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn undocumented_and_missing_keys_are_violations() {
        let outputs = args("outputs -o json");
        let error = r#"{"operation":null,"cause":"x","code":null,"request_id":null,"hint":null,"exit_code":2}"#;
        let good = format!(r#"{{"result":null,"error":{error}}}"#);
        assert_eq!(violations(&outputs, &good, ""), Vec::<String>::new());
        for bad in [
            String::new(),
            "text".to_owned(),
            format!("{good}{good}"),
            format!(r#"{{"result":null,"error":{error},"more":1}}"#),
            format!(r#"{{"error":{error}}}"#),
            good.replace(r#""code":null,"#, ""),
        ] {
            assert!(!violations(&outputs, &bad, "").is_empty(), "{bad}");
        }
    }

    #[test]
    fn text_output_is_not_checked() {
        assert!(violations(&args("outputs"), "text", "text").is_empty());
        let lines = violations(&args("outputs --progress json"), "text", "text");
        assert_eq!(lines.len(), 1, "{lines:?}");
    }

    #[test]
    fn notices_need_their_own_id() {
        for (id, is_valid) in [
            ("record_counts", true),
            ("text", false),
            ("Two words", false),
        ] {
            let line = format!(r#"{{"type":"notice","level":"status","id":"{id}","message":"x"}}"#);
            assert_eq!(
                text_violations("progress", &line).is_empty(),
                is_valid,
                "{id}"
            );
        }
    }

    /// A key that a schema defines twice would get lost when the schema is written again.
    #[test]
    fn schemas_are_valid_without_duplicate_keys() {
        for entry in std::fs::read_dir(repository().join("docs/schemas")).expect("the schemas") {
            let entry = entry.expect("a file");
            let name = entry.file_name().to_string_lossy().replace(".json", "");
            let text = std::fs::read_to_string(entry.path()).expect("text");
            let schema = serde_json::to_string_pretty(&read_schema(&name)).expect("JSON");
            assert_eq!(text, schema + "\n", "{name}");
            validator(&name);
        }
    }
}
