//! Applies the values of `--var-file` to the arguments. Arguments on the command line take precedence.

use std::path::Path;

use super::blocking::{read_at_most, run_blocking};
use super::ctrl_c::Interrupt;
use crate::cli::tfvars::{MAX_FILE_BYTES, Tfvars, parse_bytes};
use crate::cli::{Cli, Command, DiscoveryArgs, TrustArgs};
use crate::error::{Error, Result};
use crate::render::Ui;
use crate::render::notices::var_file::VarFileNotice;
use crate::sanitize::escape_control_chars;

/// Applies the file to every command that accepts one.
pub(super) async fn apply(ui: &Ui, interrupt: &Interrupt, cli: &mut Cli) -> Result<()> {
    let (discovery, trust) = match &mut cli.command {
        Command::Preflight(args) => (&mut args.discovery, None),
        Command::Plan(args) => (&mut args.discovery, Some(&mut args.trust)),
        Command::Setup(args) => (&mut args.discovery, Some(&mut args.trust)),
        Command::Policy(args) => (&mut args.discovery, None),
        _ => return Ok(()),
    };
    let Some(path) = discovery.var_file.take() else {
        return Ok(());
    };
    let read = path.clone();
    let file = run_blocking(interrupt, move || read_file(&read)).await?;
    for (name, line) in &file.unknown {
        ui.notify(&VarFileNotice::UnknownVariable {
            file: path.clone(),
            line: *line,
            name: name.clone(),
        });
    }
    let account = &mut cli.global.account_id;
    *account = account.take().or_else(|| file.account.clone());
    if let Some(trust) = trust {
        fill_trust(trust, &file);
    }
    fill_discovery(discovery, file);
    Ok(())
}

fn read_file(path: &Path) -> Result<Tfvars> {
    let headline = || {
        format!(
            "cannot read {}",
            escape_control_chars(&path.display().to_string())
        )
    };
    let bytes = read_at_most(path, MAX_FILE_BYTES)
        .map_err(|error| Error::usage(headline()).with_reason(error.to_string()))?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    parse_bytes(&bytes, is_json).map_err(|error| {
        let reason = format!(
            "line {}: {}",
            error.line,
            escape_control_chars(&error.message)
        );
        Error::usage(headline()).with_reason(reason)
    })
}

fn fill_trust(trust: &mut TrustArgs, file: &Tfvars) {
    if trust.heeler_role_arn.is_empty() {
        trust.heeler_role_arn.clone_from(&file.heeler_roles);
    }
    if trust.external_id.is_none() && !trust.generate_external_id {
        trust.external_id.clone_from(&file.external_id);
    }
}

fn fill_discovery(discovery: &mut DiscoveryArgs, file: Tfvars) {
    let set = |field: &mut Option<String>, value: Option<String>| *field = field.take().or(value);
    set(&mut discovery.bucket, file.bucket);
    set(&mut discovery.bucket_kms_key, file.bucket_key);
    set(&mut discovery.sns_topic, file.topic);
    set(&mut discovery.log_group, file.log_group);
}
