//! Asks the AWS CLI itself what a command line means, without anything being sent.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::emulator::{interpreter, repository};

/// A line that an operator can paste.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ParsedCommand {
    /// What the AWS CLI would ask for, in order.
    pub calls: Vec<ParsedCall>,
    /// The parts of the line that ask AWS for nothing: variables, the program itself.
    pub others: Vec<String>,
}

/// One request, as it would be sent.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ParsedCall {
    /// The signing name of the service, such as `kms`.
    pub service: String,
    /// The operation, as in `Call`.
    pub operation: String,
    /// The region that the line names; `us-east-1` where it names none, `aws-global` for services that have none.
    pub region: String,
    /// The parameters by the names of the API.
    pub parameters: Value,
}

impl ParsedCall {
    /// The request as `service:Operation`, the way IAM names actions.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// What each line means, or why it means nothing: an unknown operation, option, parameter or value, a missing one,
/// broken JSON, or words that a shell would take for something else.
pub fn parse(commands: &[impl AsRef<str>]) -> Vec<Result<ParsedCommand, String>> {
    let lines: Vec<&str> = commands.iter().map(AsRef::as_ref).collect();
    let mut reader = Command::new(interpreter("awscli"))
        .arg(repository().join("tests/testkit/emulators/awscli_parse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reader of command lines");
    let asked = serde_json::to_vec(&lines).expect("lines as JSON");
    let mut stdin = reader.stdin.take().expect("a pipe to the reader");
    stdin.write_all(&asked).expect("a reader that reads");
    drop(stdin);
    let answer = reader
        .wait_with_output()
        .expect("the answer of the reader")
        .stdout;
    let answer: Vec<Value> = serde_json::from_slice(&answer).expect("an answer for each line");
    assert_eq!(answer.len(), lines.len());
    answer.into_iter().map(understood).collect()
}

fn understood(answer: Value) -> Result<ParsedCommand, String> {
    if let Some(why) = answer["error"].as_str() {
        return Err(why.to_owned());
    }
    serde_json::from_value(answer).map_err(|error| error.to_string())
}
