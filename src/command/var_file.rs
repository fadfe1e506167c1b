//! Puts the values of a `--var-file` where options would have put them; options that were given win.

use std::fs;
use std::path::Path;

use crate::cli::{Cli, Command, Discovery, Trust};
use crate::error::{Error, Result};
use crate::pipeline::var_file::{VarFile, parse};
use crate::render::Ui;
use crate::tail::record::visible;

/// For every command that takes such a file.
pub(super) fn fill(ui: &Ui, cli: &mut Cli) -> Result<()> {
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
    let file = read(&path)?;
    for (name, line) in &file.unknown {
        ui.alert(&visible(&format!(
            "{}, line {line}: neither module has a variable {name}; it is not used.",
            path.display()
        )));
    }
    let account = &mut cli.global.account_id;
    *account = account.take().or_else(|| file.account.clone());
    if let Some(trust) = trust {
        trust_as_told(trust, &file);
    }
    look_where_told(discovery, file);
    Ok(())
}

fn read(path: &Path) -> Result<VarFile> {
    let doing = || format!("read {}", visible(&path.display().to_string()));
    let text = fs::read_to_string(path).map_err(|why| Error::usage(doing(), why.to_string()))?;
    parse(&text).map_err(|malformed| {
        let why = format!("line {}: {}", malformed.line, visible(&malformed.why));
        Error::usage(doing(), why)
    })
}

fn trust_as_told(trust: &mut Trust, file: &VarFile) {
    if trust.heeler_role_arn.is_empty() {
        trust.heeler_role_arn.clone_from(&file.heeler_roles);
    }
    if trust.external_id.is_none() && !trust.generate_external_id {
        trust.external_id.clone_from(&file.external_id);
    }
}

fn look_where_told(discovery: &mut Discovery, file: VarFile) {
    let put = |option: &mut Option<String>, told: Option<String>| *option = option.take().or(told);
    put(&mut discovery.bucket, file.bucket);
    put(&mut discovery.bucket_kms_key, file.bucket_key);
    put(&mut discovery.sns_topic, file.topic);
    put(&mut discovery.log_group, file.log_group);
}
