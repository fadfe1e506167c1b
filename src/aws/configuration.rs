//! Checks of the AWS configuration, before the SDK uses it. The SDK panics on some values.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};

use crate::error::{Error, Result};

/// Environment variables with credentials. Their values become parts of HTTP headers.
const CREDENTIAL_VARIABLES: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const CREDENTIAL_SETTINGS: [&str; 3] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
];
const ENDPOINT_SETTING: &str = "endpoint_url";

/// Rejects values on which the SDK panics: no attempts, an empty endpoint, and credentials that fit into no header.
///
/// # Errors
/// A usage error that names the variable or the setting.
pub(super) fn validate() -> Result<()> {
    let variables = std::env::vars_os().map(|(name, value)| {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        (lossy(name), lossy(value))
    });
    validate_variables(variables)?;
    for path in config_files() {
        // The SDK reports a file that cannot be read.
        if let Ok(text) = std::fs::read(&path) {
            let text = String::from_utf8_lossy(&text);
            validate_file(&path.display().to_string(), &text)?;
        }
    }
    Ok(())
}

fn validate_variables(variables: impl Iterator<Item = (String, String)>) -> Result<()> {
    for (name, value) in variables {
        if name == "AWS_MAX_ATTEMPTS" && value.parse::<u32>().map_or(true, |attempts| attempts == 0)
        {
            return Err(Error::usage(format!(
                "AWS_MAX_ATTEMPTS must be a number of 1 or more, but is {value:?}"
            )));
        }
        if is_empty_endpoint(&name, &value) {
            return Err(Error::usage(format!("{name} is set but empty"))
                .with_hint(format!("remove it: `unset {name}`")));
        }
        if REGION_VARIABLES.contains(&name.as_str()) && !is_region(&value) {
            return Err(
                Error::usage(format!("{name} is {value:?}: not a region")).with_hint(format!(
                    "set it again, for example: export {name}=us-east-1"
                )),
            );
        }
        if CREDENTIAL_VARIABLES.contains(&name.as_str()) && !is_header_text(&value) {
            return Err(Error::usage(format!(
                "{name} contains a line break or another control character"
            ))
            .with_hint("set it again without the character"));
        }
    }
    Ok(())
}

fn is_empty_endpoint(name: &str, value: &str) -> bool {
    name.starts_with("AWS_ENDPOINT_URL") && value.trim().is_empty()
}

/// Replaces this process by one without empty endpoint variables, if there are any: for the AWS CLI they count as unset,
/// but the SDK panics on them. The environment of a running process cannot be changed safely. Returns if there are none,
/// or if the process cannot be replaced; `validate` then rejects them.
#[cfg(unix)]
pub fn restart_without_empty_endpoints() {
    use std::os::unix::process::CommandExt;
    let variables = std::env::vars_os();
    let empty = variables.filter(|(name, value)| {
        is_empty_endpoint(&name.to_string_lossy(), &value.to_string_lossy())
    });
    let names: Vec<_> = empty.map(|(name, _)| name).collect();
    let mut args = process_arguments().into_iter();
    let (Ok(program), Some(name), false) = (std::env::current_exe(), args.next(), names.is_empty())
    else {
        return;
    };
    let mut command = std::process::Command::new(program);
    command.arg0(name).args(args);
    for name in names {
        command.env_remove(name);
    }
    // It returns only an error.
    let _ = command.exec();
}

/// Returns the arguments with which the kernel started the executable. If the dynamic loader was started with the path of
/// this program, the executable is the loader, and the path is the first of its arguments.
#[cfg(unix)]
fn process_arguments() -> Vec<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    // Only Linux has this file.
    let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let Some(line) = line.strip_suffix(b"\0") else {
        return std::env::args_os().collect();
    };
    let args = line.split(|byte| *byte == 0);
    args.map(|arg| std::ffi::OsString::from_vec(arg.to_vec()))
        .collect()
}

/// Does nothing: this platform cannot replace a process, and `validate` rejects empty endpoint variables.
#[cfg(not(unix))]
pub const fn restart_without_empty_endpoints() {}

/// Returns true if the text can be the name of a region, or is empty, which counts as unset.
fn is_region(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The files with settings of the AWS CLI.
fn config_files() -> impl Iterator<Item = PathBuf> {
    [
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ]
    .into_iter()
    .filter_map(|(variable, name)| config_file(variable, name))
}

/// The path of a configuration file: that of the environment variable, in which `~` is the home directory, or the
/// default.
pub(super) fn config_file(variable: &str, name: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let given = std::env::var_os(variable).map(PathBuf::from);
    let path = given.or_else(|| Some(PathBuf::from(home()?).join(".aws").join(name)))?;
    Some(match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    })
}

fn validate_file(path: &str, text: &str) -> Result<()> {
    for (name, value) in settings(text) {
        if name == ENDPOINT_SETTING && value.is_empty() {
            return Err(Error::usage(format!("{path} has an empty {name}"))
                .with_hint("remove the line, or write the URL of the endpoint"));
        }
        if CREDENTIAL_SETTINGS.contains(&name) && !is_header_text(value) {
            return Err(
                Error::usage(format!("{path}: {name} contains a control character"))
                    .with_hint("write the value again without the character"),
            );
        }
    }
    Ok(())
}

/// Returns the settings of all sections, also those that are nested under a service.
fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.trim_start().starts_with(['#', ';', '[']))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim_matches([' ', '\t'])))
}

/// Returns the names of all settings in the configuration files, without their values.
#[must_use]
pub fn setting_names() -> Vec<String> {
    let texts = config_files().filter_map(|path| std::fs::read_to_string(path).ok());
    let names: BTreeSet<String> = texts.flat_map(|text| names_of(&text)).collect();
    names.into_iter().collect()
}

/// Returns the names of the settings of a file. A line that is no setting may contain a part of a value.
fn names_of(text: &str) -> Vec<String> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let names = settings(text).map(|(name, _)| name.to_owned());
    names.filter(|name| is_name(name)).collect()
}

/// Returns the endpoints that the configuration files set for a profile, also in its `services` section.
pub fn file_endpoints(profile: Option<&str>) -> Vec<String> {
    let environment = || std::env::var("AWS_PROFILE").ok();
    let profile = profile.map(str::to_owned).or_else(environment);
    let profile = profile.unwrap_or_else(|| "default".to_owned());
    let texts = config_files().filter_map(|path| std::fs::read_to_string(path).ok());
    texts
        .flat_map(|text| endpoints_of(&text, &profile))
        .collect()
}

fn endpoints_of(text: &str, profile: &str) -> Vec<String> {
    let find_setting = |wanted: &dyn Fn(&str) -> bool, setting: &str| {
        let mut selected = false;
        let mut found = Vec::new();
        for line in text.lines() {
            let trimmed = line.trim();
            if let Some(title) = trimmed.strip_prefix('[') {
                let title = title.split(']').next().unwrap_or_default();
                selected = wanted(&title.split_whitespace().collect::<Vec<_>>().join(" "));
            } else if selected
                && let Some((name, value)) = trimmed.split_once('=')
                && name.trim() == setting
            {
                found.push(value.trim().to_owned());
            }
        }
        found
    };
    let is_profile = |title: &str| {
        // The AWS CLI writes quotes around a name with spaces.
        let name = title.strip_prefix("profile ").unwrap_or(title);
        name.trim_matches(['\'', '"']) == profile
    };
    let mut endpoints = find_setting(&is_profile, ENDPOINT_SETTING);
    for services in find_setting(&is_profile, "services") {
        let is_section = |title: &str| title.strip_prefix("services ") == Some(services.as_str());
        endpoints.extend(find_setting(&is_section, ENDPOINT_SETTING));
    }
    endpoints
}

/// Returns true if a value can be part of an HTTP header.
fn is_header_text(value: &str) -> bool {
    !value.chars().any(char::is_control)
}

/// Credentials of any source, without control characters.
#[derive(Debug)]
pub(super) struct ValidCredentials(pub SharedCredentialsProvider);

impl ProvideCredentials for ValidCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

impl ValidCredentials {
    async fn provide(&self) -> provider::Result {
        let credentials = self.0.provide_credentials().await?;
        let token = credentials.session_token().unwrap_or_default();
        if is_header_text(credentials.access_key_id()) && is_header_text(token) {
            return Ok(credentials);
        }
        Err(CredentialsError::invalid_configuration(
            "the credentials contain a line break or another control character",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable_error(name: &str, value: &str) -> Option<String> {
        let variables = [(name.to_owned(), value.to_owned())].into_iter();
        let refused = validate_variables(variables).err();
        refused.map(|error| error.headline())
    }

    #[test]
    fn variables_that_panic_are_rejected() {
        for (name, value) in [
            ("AWS_ENDPOINT_URL_STS", ""),
            ("AWS_ENDPOINT_URL", " "),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE\n"),
            ("AWS_SESSION_TOKEN", "a\rb"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", "many"),
            ("AWS_REGION", " us-east-1"),
            ("AWS_DEFAULT_REGION", "us east 1"),
        ] {
            let refused = variable_error(name, value).unwrap_or_default();
            assert!(refused.contains(name), "{name}={value:?}: {refused}");
        }
        for (name, value) in [
            ("AWS_ENDPOINT_URL_STS", "https://sts.example.com"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_MAX_ATTEMPTS", "3"),
            ("PATH", ""),
        ] {
            assert_eq!(variable_error(name, value), None);
        }
    }

    const CONFIG: &str = "\
[default]
region = eu-west-1

[profile payer]
endpoint_url = https://one.example.com
services = local

[services local]
sts =
  endpoint_url = http://sts.example.com
sqs =
  endpoint_url = https://sqs.example.com

[services other]
sns =
  endpoint_url = http://sns.example.com
";

    #[test]
    fn endpoints_of_a_services_section_are_found() {
        assert_eq!(
            endpoints_of(CONFIG, "payer"),
            [
                "https://one.example.com",
                "http://sts.example.com",
                "https://sqs.example.com"
            ]
        );
        assert!(endpoints_of(CONFIG, "default").is_empty());
        let quoted = "[profile 'My Team']\nendpoint_url = http://one.example.com\n";
        assert_eq!(endpoints_of(quoted, "My Team"), ["http://one.example.com"]);
    }

    #[test]
    fn names_of_settings_have_no_values() {
        let names = names_of(
            "[default]\nregion = eu-west-1\naws_session_token = IQoJ\nQUJD/EXAMPLE= x\n s3 =\n  max = 1\n",
        );
        assert_eq!(names, ["region", "aws_session_token", "s3", "max"]);
    }

    #[test]
    fn settings_that_panic_are_rejected() {
        assert!(validate_file("config", CONFIG).is_ok());
        assert!(
            validate_file("config", "[default]\r\naws_access_key_id = AKIAEXAMPLE\r\n").is_ok()
        );
        for text in [
            "[default]\nendpoint_url =\n",
            "[services s]\nsts =\n  endpoint_url =\n",
            "[default]\naws_access_key_id = AKIA\u{1}EXAMPLE\n",
            "[default]\naws_session_token = a\rb\n",
        ] {
            assert!(validate_file("config", text).is_err(), "{text:?}");
        }
    }
}
