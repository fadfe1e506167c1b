//! Puts the values of a `--var-file` where options would have put them; options that were given win.

use std::fs;
use std::path::Path;

use crate::cli::tfvars::{Tfvars, parse};
use crate::cli::{Cli, Command, DiscoveryArgs, TrustArgs};
use crate::error::{Error, Result};
use crate::render::Ui;
use crate::sanitize::escape_control_chars;

/// For every command that takes such a file.
pub(super) fn apply(ui: &Ui, cli: &mut Cli) -> Result<()> {
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
    let file = read_file(&path)?;
    for (name, line) in &file.unknown {
        ui.warn(&escape_control_chars(&format!(
            "{}, line {line}: neither module has a variable {name}; it is not used.",
            path.display()
        )));
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
    let text = fs::read_to_string(path)
        .map_err(|why| Error::usage(headline()).with_reason(why.to_string()))?;
    parse(&text).map_err(|malformed| {
        let why = format!(
            "line {}: {}",
            malformed.line,
            escape_control_chars(&malformed.message)
        );
        Error::usage(headline()).with_reason(why)
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
    let put = |option: &mut Option<String>, told: Option<String>| *option = option.take().or(told);
    put(&mut discovery.bucket, file.bucket);
    put(&mut discovery.bucket_kms_key, file.bucket_key);
    put(&mut discovery.sns_topic, file.topic);
    put(&mut discovery.log_group, file.log_group);
}
