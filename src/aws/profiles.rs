//! Profiles of the AWS configuration files as the AWS CLI reads them. The SDK ignores names with spaces, `mfa_serial`
//! and `ca_bundle`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::profile::{Profile, ProfileSet};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::configuration::config_file;
use crate::secret::ExternalId;

/// Characters that the SDK does not accept in the name of a profile or an SSO session (`validate_identifier` of
/// aws-runtime).
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'-')
    .remove(b'/')
    .remove(b'.')
    .remove(b'%')
    .remove(b'@')
    .remove(b':')
    .remove(b'+');

/// Settings whose value is the name of a profile or an SSO session.
const REFERENCES: [&str; 2] = ["source_profile", "sso_session"];

const DEFAULT_PROFILE: &str = "default";

/// The configuration files and the selected profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles {
    /// The content for the SDK, if names had to be encoded.
    rewritten: Option<[String; 2]>,
    /// The sections; `None` if the SDK cannot parse the files. It then reports the error itself.
    sections: Option<ProfileSet>,
    /// The selected profile as the user writes it.
    selected: Option<String>,
    is_explicit: bool,
}

/// A role that a profile assumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProfileRole {
    /// The name of the profile.
    pub profile: String,
    pub arn: String,
    pub external_id: Option<ExternalId>,
    pub session_name: Option<String>,
    /// The serial number or ARN of the MFA device that the profile requires.
    pub mfa_serial: Option<String>,
    pub duration: Option<Duration>,
}

/// The credentials that the first role is assumed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BaseCredentials {
    /// A profile that the SDK resolves, by its encoded name.
    Profile(String),
    /// An access key in a profile that also assumes a role.
    AccessKey(Credentials),
    SsoSession(SsoSession),
}

/// An SSO session whose name the SDK does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SsoSession {
    pub name: String,
    pub start_url: String,
    pub region: String,
    pub account: String,
    pub role: String,
}

/// Credentials that the SDK cannot resolve by itself: a role with MFA, or an SSO session whose name has spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleChain {
    pub base: BaseCredentials,
    /// The roles in the order in which they are assumed.
    pub roles: Vec<ProfileRole>,
}

impl Profiles {
    /// Reads the configuration files. The selected profile is `name`, or else that of the environment.
    pub async fn load(name: Option<&str>) -> Self {
        let environment = || std::env::var("AWS_PROFILE").ok();
        let selected = name.map(str::to_owned).or_else(environment);
        let texts = [
            (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "config"),
            (
                EnvConfigFileKind::Credentials,
                "AWS_SHARED_CREDENTIALS_FILE",
                "credentials",
            ),
        ]
        .map(|(kind, variable, file)| (kind, read(variable, file)));
        let profiles = Self::parse(texts, selected.filter(|name| !name.is_empty())).await;
        Self {
            is_explicit: name.is_some(),
            ..profiles
        }
    }

    async fn parse(texts: [(EnvConfigFileKind, String); 2], selected: Option<String>) -> Self {
        let names: BTreeMap<String, String> = texts
            .iter()
            .flat_map(|(kind, text)| names_to_encode(*kind, text))
            .collect();
        let contents = texts
            .each_ref()
            .map(|(kind, text)| encode_names(*kind, text, &names));
        let files = sdk_files(&contents);
        let sections =
            aws_config::profile::load(&Fs::default(), &Env::default(), &files, None).await;
        Self {
            is_explicit: false,
            rewritten: (!names.is_empty()).then_some(contents),
            sections: sections.ok(),
            selected,
        }
    }

    /// The files for the SDK, if it cannot read those of the user.
    pub fn files(&self) -> Option<EnvConfigFiles> {
        self.rewritten.as_ref().map(sdk_files)
    }

    /// The name of the selected profile as the user writes it.
    pub fn selected(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    /// Returns true if the command line selects the profile. It then overrides credentials in the environment.
    pub const fn is_explicit(&self) -> bool {
        self.is_explicit
    }

    /// The name of the selected profile for the SDK.
    pub fn sdk_name(&self) -> Option<String> {
        self.selected().map(encode)
    }

    /// The region for an empty `AWS_REGION`, which counts as unset: that of the environment's default, or of the
    /// selected profile.
    pub fn region(&self) -> Option<String> {
        let default = std::env::var("AWS_DEFAULT_REGION").ok();
        let name = self.sdk_name();
        default
            .filter(|region| !region.is_empty())
            .or_else(|| {
                let profile = self.profile(name.as_deref().unwrap_or(DEFAULT_PROFILE))?;
                profile.get("region").map(str::to_owned)
            })
            .filter(|region| !region.is_empty())
    }

    /// The setting `ca_bundle` of the selected profile: a file with root certificates.
    pub fn ca_bundle(&self) -> Option<PathBuf> {
        let name = self.sdk_name();
        let profile = self.profile(name.as_deref().unwrap_or(DEFAULT_PROFILE))?;
        profile.get("ca_bundle").map(PathBuf::from)
    }

    /// The command that signs in to the selected profile. For a role, it names the profile at the end of the chain of
    /// `source_profile`, because `aws sso login` refuses a profile without SSO settings.
    pub fn sign_in_command(&self) -> Option<String> {
        let base = *self.chain().last()?;
        let name = quote(&decode(base.name()));
        if base.get("sso_session").is_some() || base.get("sso_start_url").is_some() {
            return Some(format!("aws sso login --profile {name}"));
        }
        base.get("login_session")
            .map(|_| format!("aws login --profile {name}"))
    }

    /// The roles and the first credentials of the selected profile, if the SDK cannot resolve them.
    pub fn role_chain(&self) -> Option<RoleChain> {
        let chain = self.chain();
        let (base, roles) = match chain.split_last()? {
            // A profile that is its own source holds an access key and assumes a role.
            (last, _) if assumes_role(last) => (access_key(last)?, &chain[..]),
            (last, roles) => (self.base_credentials(last), roles),
        };
        let mfa = roles
            .iter()
            .any(|profile| profile.get("mfa_serial").is_some());
        if !mfa && !matches!(base, BaseCredentials::SsoSession(_)) {
            return None;
        }
        let roles = roles
            .iter()
            .rev()
            .filter_map(|profile| assumed_role(profile));
        Some(RoleChain {
            base,
            roles: roles.collect(),
        })
    }

    fn profile(&self, name: &str) -> Option<&Profile> {
        self.sections.as_ref()?.get_profile(name)
    }

    /// The selected profile and its source profiles. It ends at a profile with credentials, or at one that names itself
    /// or an earlier one.
    fn chain(&self) -> Vec<&Profile> {
        let name = self.sdk_name();
        let mut next = name.as_deref().or(Some(DEFAULT_PROFILE));
        let mut chain: Vec<&Profile> = Vec::new();
        while let Some(profile) = next.and_then(|name| self.profile(name)) {
            if chain.iter().any(|seen| seen.name() == profile.name()) {
                break;
            }
            chain.push(profile);
            let ends = !assumes_role(profile) || chain.len() > 1 && has_access_key(profile);
            next = if ends {
                None
            } else {
                profile.get("source_profile")
            };
        }
        chain
    }

    fn base_credentials(&self, profile: &Profile) -> BaseCredentials {
        let session = profile
            .get("sso_session")
            .filter(|name| decode(name) != *name);
        let sso = session.and_then(|encoded| {
            let session = self.sections.as_ref()?.sso_session(encoded)?;
            Some(SsoSession {
                name: decode(encoded),
                start_url: session.get("sso_start_url")?.to_owned(),
                region: session.get("sso_region")?.to_owned(),
                account: profile.get("sso_account_id")?.to_owned(),
                role: profile.get("sso_role_name")?.to_owned(),
            })
        });
        sso.map_or_else(
            || BaseCredentials::Profile(profile.name().to_owned()),
            BaseCredentials::SsoSession,
        )
    }
}

/// A name for the SDK: percent-encoded where the SDK does not accept a character.
fn encode(name: &str) -> String {
    utf8_percent_encode(name, NOT_IN_NAMES).to_string()
}

/// The name that was encoded for the SDK.
pub(super) fn decode(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// A name as one word of a shell command.
pub(super) fn quote(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), std::borrow::Cow::into_owned)
}

fn assumes_role(profile: &Profile) -> bool {
    profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none()
}

fn has_access_key(profile: &Profile) -> bool {
    profile.get("aws_access_key_id").is_some()
}

fn access_key(profile: &Profile) -> Option<BaseCredentials> {
    let setting = |name: &str| profile.get(name).map(str::to_owned);
    Some(BaseCredentials::AccessKey(Credentials::new(
        setting("aws_access_key_id")?,
        setting("aws_secret_access_key")?,
        setting("aws_session_token"),
        None,
        "profile",
    )))
}

fn assumed_role(profile: &Profile) -> Option<ProfileRole> {
    let setting = |name: &str| profile.get(name).map(str::to_owned);
    Some(ProfileRole {
        profile: decode(profile.name()),
        arn: setting("role_arn")?,
        external_id: setting("external_id").map(ExternalId::new),
        session_name: setting("role_session_name"),
        mfa_serial: setting("mfa_serial"),
        duration: setting("duration_seconds")
            .and_then(|seconds| seconds.parse().ok())
            .map(Duration::from_secs),
    })
}

/// The text of a configuration file; empty if it cannot be read, because the SDK reports that.
fn read(variable: &str, file: &str) -> String {
    config_file(variable, file)
        .and_then(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default()
}

fn sdk_files(contents: &[String; 2]) -> EnvConfigFiles {
    let [config, credentials] = contents;
    EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, config)
        .with_contents(EnvConfigFileKind::Credentials, credentials)
        .build()
}

/// A section title: its kind, such as `profile `, and its name. The AWS CLI reads titles of the configuration file as
/// words of a shell, and those of the credentials file as they are (botocore, `configloader.py`).
fn section_name(kind: EnvConfigFileKind, line: &str) -> Option<(&'static str, String)> {
    let (title, _) = line.strip_prefix('[')?.split_once(']')?;
    if matches!(kind, EnvConfigFileKind::Credentials) {
        return Some(("", title.trim().to_owned()));
    }
    let words = shlex::split(title)?;
    match words.as_slice() {
        [prefix, name] if prefix == "profile" => Some(("profile ", name.clone())),
        [prefix, name] if prefix == "sso-session" => Some(("sso-session ", name.clone())),
        _ => None,
    }
}

/// The names that the SDK does not accept, each with its encoded form.
fn names_to_encode(
    kind: EnvConfigFileKind,
    text: &str,
) -> impl Iterator<Item = (String, String)> + '_ {
    text.lines()
        .filter_map(move |line| section_name(kind, line))
        .map(|(_, name)| {
            let encoded = encode(&name);
            (name, encoded)
        })
        .filter(|(name, encoded)| name != encoded)
}

/// The text with encoded names, in section titles and in references to them.
fn encode_names(kind: EnvConfigFileKind, text: &str, names: &BTreeMap<String, String>) -> String {
    let mut rewritten = String::with_capacity(text.len());
    for line in text.lines() {
        let title = section_name(kind, line)
            .and_then(|(prefix, name)| Some(format!("[{prefix}{}]", names.get(&name)?)));
        let reference = || {
            let (setting, value) = line.split_once('=')?;
            let encoded = names.get(value.trim())?;
            let known = REFERENCES.contains(&setting.trim());
            known.then(|| format!("{setting}= {encoded}"))
        };
        rewritten.push_str(&title.or_else(reference).unwrap_or_else(|| line.to_owned()));
        rewritten.push('\n');
    }
    rewritten
}

#[cfg(test)]
mod tests;
