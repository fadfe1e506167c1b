//! The files of a support archive, and the result of `support`.

use std::fmt::Write;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::coverage::grouped;
use super::document::{Document, error_json};
use super::plan::{PlanView, plan_json, print_announcement};
use super::report::report_json;
use super::status::{StatusReport, status_json};
use super::{OutputFormat, Ui};
use crate::aws::{AwsCall, CallerIdentity};
use crate::check::Report;
use crate::deployment::Deployment;
use crate::error::Error;
use crate::sanitize::escape_control_chars;
use crate::support::archive::ArchiveFile;
use crate::support::redaction::Redactor;

const BYTES_PER_KB: usize = 1_024;

/// Everything that an archive is made from.
pub struct SupportContent<'a> {
    pub created_at: SystemTime,
    pub name_prefix: &'a str,
    /// The configured region; `None` without a valid configuration.
    pub region: Option<&'a str>,
    pub caller: Option<&'a CallerIdentity>,
    pub deployment: Option<&'a Deployment>,
    pub configuration: &'a ConfigurationNames,
    pub status: Option<Value>,
    pub plan: Option<Value>,
    pub preflight: Option<Value>,
    pub calls: &'a [AwsCall],
    /// The calls of `--call-log`.
    pub logged_calls: Option<&'a [Value]>,
    pub errors: &'a [Error],
}

/// The names of the settings of a run, without their values.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationNames {
    /// Options of the command line.
    pub options: Vec<String>,
    pub variables: Vec<String>,
    /// Settings in the configuration files of the AWS CLI.
    pub settings: Vec<String>,
    pub has_custom_endpoint: bool,
}

/// The result of `support`.
pub struct SupportResult<'a> {
    pub path: &'a str,
    pub files: &'a [ArchiveFile],
    pub redacts_accounts: bool,
    pub error_count: usize,
    pub is_written: bool,
    pub is_cancelled: bool,
}

/// Returns the name of an archive without another name.
#[must_use]
pub fn default_file_name(now: SystemTime) -> String {
    let time = humantime::format_rfc3339_seconds(now).to_string();
    let time: String = time.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("heeler-ec-support-{time}.zip")
}

/// Returns the status as JSON, also if the result of the run is text.
#[must_use]
pub fn status_value(ui: &Ui, report: &StatusReport<'_>) -> Value {
    status_json(ui, report)
}

/// Returns the plan as JSON, also if the result of the run is text.
#[must_use]
pub fn plan_value(view: &PlanView<'_>) -> Value {
    plan_json(view)
}

/// Returns the reports of preflight as JSON, also if the result of the run is text.
#[must_use]
pub fn preflight_value(ui: &Ui, reports: &[Report]) -> Value {
    let reports = reports.iter().map(|report| report_json(*ui, report));
    reports.collect()
}

/// Returns the files of an archive, without secrets.
#[must_use]
pub fn archive_files(
    ui: &Ui,
    content: &SupportContent<'_>,
    redactor: &mut Redactor,
) -> Vec<ArchiveFile> {
    let summary = summary_json(content);
    let configuration = configuration_json(content.configuration);
    let calls = calls_json(content);
    let errors: Value = content
        .errors
        .iter()
        .map(|error| error_json(ui, error))
        .collect();
    let documents = [
        (
            "summary.json",
            "Versions, partition, region, clock, caller and deployment.",
            Some(&summary),
        ),
        (
            "configuration.json",
            "Names of options, variables and settings, without values.",
            Some(&configuration),
        ),
        (
            "status.json",
            "Each hop with its status.",
            content.status.as_ref(),
        ),
        (
            "plan.json",
            "Differences between the deployment and its setup.",
            content.plan.as_ref(),
        ),
        (
            "preflight.json",
            "The checks of all options, because nothing is deployed.",
            content.preflight.as_ref(),
        ),
        (
            "calls.json",
            "Calls to AWS with request IDs, without contents.",
            Some(&calls),
        ),
        ("errors.json", "Reads that failed.", Some(&errors)),
    ];
    let files = documents.into_iter().filter_map(|(name, purpose, value)| {
        Some(ArchiveFile::json(name, purpose, value?, redactor))
    });
    let mut files: Vec<ArchiveFile> = files.collect();
    for file in &mut files {
        file.text = redactor.known_accounts(&file.text);
    }
    let readme = ArchiveFile {
        name: "README.txt",
        purpose: "The files, and what they never contain.",
        text: readme_text(&files),
    };
    files.insert(0, readme);
    files
}

fn readme_text(files: &[ArchiveFile]) -> String {
    let mut text = String::from("An archive of heeler-ec for a support ticket.\n\n");
    for file in files {
        let _ = writeln!(text, "{:<20}{}", file.name, file.purpose);
    }
    text.push_str(
        "\nExternal IDs, access keys, session tokens, e-mail addresses and names of users are\n\
         replaced. The same value has the same replacement in all files. The archive has no\n\
         event, log file or message. account-1 is the account of the caller, if account IDs\n\
         are replaced (--redact-accounts).\n",
    );
    text
}

fn summary_json(content: &SupportContent<'_>) -> Value {
    let deployment = content.deployment.map(|deployment| {
        let extra = deployment.extra_tags();
        let extra: Vec<&String> = extra.iter().map(|(key, _)| key).collect();
        json!({
            "option": deployment.option,
            "region": deployment.region,
            "role_arn": deployment.role_arn,
            "version": deployment.version(),
            "has_expected_trust_policy": deployment.trust.is_some(),
            "extra_tag_keys": extra,
        })
    });
    json!({
        "created_at": time_text(content.created_at),
        "heeler_ec_version": env!("CARGO_PKG_VERSION"),
        "operating_system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "partition": content.caller.map(|caller| &caller.partition),
        "region": content.region,
        "caller": content.caller.map(|caller| &caller.arn),
        "clock_offset_seconds": clock_offset_seconds(content.calls),
        "name_prefix": content.name_prefix,
        "deployment": deployment,
    })
}

/// Returns the time of AWS minus the time of this machine, from the fastest response.
fn clock_offset_seconds(calls: &[AwsCall]) -> Option<i64> {
    let dated = calls
        .iter()
        .filter_map(|call| Some((call, call.server_time?)));
    let (call, server_time) = dated.min_by_key(|(call, _)| call.duration)?;
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    Some(seconds(server_time)? - seconds(call.finished_at)?)
}

fn configuration_json(names: &ConfigurationNames) -> Value {
    json!({
        "options": names.options,
        "environment_variables": names.variables,
        "aws_settings": names.settings,
        "custom_endpoint": names.has_custom_endpoint,
    })
}

fn calls_json(content: &SupportContent<'_>) -> Value {
    let calls = content.calls.iter().map(|call| {
        json!({
            "time": time_text(call.finished_at),
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "status": call.status,
            "error_code": call.error_code,
            "request_id": call.request_id,
            "extended_request_id": call.extended_request_id,
            "attempts": call.attempts,
            "elapsed_ms": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
        })
    });
    json!({
        "this_run": calls.collect::<Vec<_>>(),
        "call_log": content.logged_calls,
    })
}

fn time_text(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Returns a size for reading.
#[must_use]
pub fn size_text(bytes: usize) -> String {
    if bytes < BYTES_PER_KB {
        return format!("{bytes} bytes");
    }
    format!("{} KB", grouped(bytes.div_ceil(BYTES_PER_KB)))
}

/// Prints the files before the question. If the user is asked, they are printed also with `--quiet`.
pub fn announce_archive(ui: &Ui, result: &SupportResult<'_>, asked: bool) {
    print_announcement(*ui, &result_text(ui.for_stderr(), result), asked);
}

/// Returns the result: as JSON the files, as text the path of the archive or, without one, the files.
#[must_use]
pub fn support_document(ui: &Ui, result: &SupportResult<'_>) -> Option<Document> {
    if ui.format() == OutputFormat::Json {
        let files = result.files.iter().map(|file| {
            json!({
                "name": file.name,
                "purpose": file.purpose,
                "bytes": file.text.len(),
            })
        });
        return Some(Document::Json(json!({
            "path": result.path,
            "written": result.is_written,
            "cancelled": result.is_cancelled,
            "redacted_accounts": result.redacts_accounts,
            "errors": result.error_count,
            "files": files.collect::<Vec<_>>(),
        })));
    }
    if result.is_written {
        return Some(Document::Text(format!(
            "{}\n",
            escape_control_chars(result.path)
        )));
    }
    (!result.is_cancelled).then(|| Document::Text(result_text(*ui, result)))
}

fn result_text(ui: Ui, result: &SupportResult<'_>) -> String {
    let path = escape_control_chars(result.path);
    let mut text = format!("{}\n\n", ui.wrap_stdout(&format!("Archive {path}:"), 2));
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let name_width = widest(&mut result.files.iter().map(|file| file.name.len()));
    let sizes: Vec<String> = result
        .files
        .iter()
        .map(|file| size_text(file.text.len()))
        .collect();
    let size_width = widest(&mut sizes.iter().map(String::len));
    for (file, size) in result.files.iter().zip(&sizes) {
        let start = format!("  {:<name_width$}  {size:>size_width$}  ", file.name);
        let line = format!("{start}{}", file.purpose);
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, start.len()));
    }
    let accounts = if result.redacts_accounts {
        "Account IDs are replaced."
    } else {
        "It has account IDs (--redact-accounts replaces them)."
    };
    let note = format!(
        "It has no external ID, access key, session token, e-mail address or event. {accounts}"
    );
    let _ = writeln!(text, "\n{}", ui.wrap_stdout(&note, 0));
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(milliseconds: u64, server_seconds: Option<u64>) -> AwsCall {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        AwsCall {
            service: "sts".to_owned(),
            operation: "GetCallerIdentity".to_owned(),
            region: None,
            status: Some(200),
            error_code: None,
            request_id: None,
            extended_request_id: None,
            attempts: 1,
            duration: Duration::from_millis(milliseconds),
            finished_at: at(1_000),
            server_time: server_seconds.map(at),
        }
    }

    #[test]
    fn clock_offset_is_that_of_the_fastest_call() {
        assert_eq!(clock_offset_seconds(&[]), None);
        assert_eq!(clock_offset_seconds(&[call(1, None)]), None);
        let calls = [call(50, Some(2_000)), call(9, Some(700)), call(1, None)];
        assert_eq!(clock_offset_seconds(&calls), Some(-300));
    }

    #[test]
    fn sizes_and_names_are_readable() {
        let sizes = [7, 1_024, 1_025, 5_000_000].map(size_text);
        assert_eq!(sizes, ["7 bytes", "1 KB", "2 KB", "4,883 KB"]);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_824_000);
        assert_eq!(
            default_file_name(time),
            "heeler-ec-support-20261128T000000Z.zip"
        );
    }
}
