//! Parses command lines with the AWS CLI itself, which is stopped before it sends a request.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::emulator::{interpreter, repository};

/// A valid command line.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ParsedCommand {
    /// The requests that the AWS CLI would send, in order.
    pub calls: Vec<ParsedCall>,
    /// The other commands of the line: shell variables and `heeler-ec`.
    pub others: Vec<String>,
}

/// A request that the AWS CLI would send.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ParsedCall {
    /// The signing name of the service, such as `kms`.
    pub service: String,
    /// The operation, as in `Call`.
    pub operation: String,
    /// The region of the line: `us-east-1` by default, `aws-global` for a global service.
    pub region: String,
    /// The parameters, under their API names.
    pub parameters: Value,
}

impl ParsedCall {
    /// The request as `service:Operation`, the way IAM names actions.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// Parses each line. An error names an unknown or missing operation, option, parameter or value, invalid JSON, or a
/// word with a special meaning in a shell.
pub fn parse(commands: &[impl AsRef<str>]) -> Vec<Result<ParsedCommand, String>> {
    let lines: Vec<&str> = commands.iter().map(AsRef::as_ref).collect();
    let mut parser = Command::new(interpreter("awscli"))
        .arg(repository().join("tests/testkit/emulators/awscli_parse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parser of command lines");
    let input = serde_json::to_vec(&lines).expect("lines as JSON");
    let mut stdin = parser.stdin.take().expect("a pipe to the parser");
    stdin.write_all(&input).expect("a parser that reads");
    drop(stdin);
    let output = parser
        .wait_with_output()
        .expect("the output of the parser")
        .stdout;
    let results: Vec<Value> = serde_json::from_slice(&output).expect("a result for each line");
    assert_eq!(results.len(), lines.len());
    results.into_iter().map(parsed_command).collect()
}

fn parsed_command(result: Value) -> Result<ParsedCommand, String> {
    if let Some(error) = result["error"].as_str() {
        return Err(error.to_owned());
    }
    serde_json::from_value(result).map_err(|error| error.to_string())
}
