//! One file per command: arguments in, calls of the lower modules, output through `render`.

mod backup;
mod completions;
mod context;
mod ctrl_c;
mod destroy;
mod existing_deployment;
mod export;
mod next_steps;
mod outputs;
mod plan;
mod policy;
mod preflight;
mod prepare;
mod prompt;
mod restore;
mod rollback;
mod setup;
mod tail;
mod tfvars;
mod write_log;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::{Error, Exit, Result};
use crate::option::DeliveryOption;
use crate::render::{self, OutputFormat, Ui, UiOptions};
pub(crate) use context::Context;
use ctrl_c::Interrupt;
use write_log::WriteLog;

/// Parses the arguments, runs the command, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ui = Ui::new(UiOptions {
        format: cli.global.output,
        color: cli.global.color,
        quiet: cli.global.quiet,
        verbose: cli.global.verbose,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(ctrl_c::run_until_second_ctrl_c(ui, |interrupt| {
                dispatch(cli, ui, interrupt)
            }));
            // A prompt that is still open must not keep the process alive.
            runtime.shutdown_background();
            ended
        }
        Err(why) => Err(Error::failed("start", why.to_string())),
    };
    let ended = ended.and_then(|exit| match render::stdout_error() {
        None => Ok(exit),
        Some(why) => Err(Error::failed("write the result", why)),
    });
    let exit = ended.unwrap_or_else(|error| {
        ui.error(&error);
        error.exit()
    });
    ExitCode::from(exit as u8)
}

async fn dispatch(mut cli: Cli, ui: Ui, interrupt: Interrupt) -> Result<Exit> {
    tfvars::apply(&ui, &mut cli)?;
    let context = Context {
        ui,
        global: cli.global,
        interrupt,
        writes: WriteLog::default(),
    };
    if ui.format() == OutputFormat::Csv && !matches!(cli.command, Command::Tail(_)) {
        return Err(Error::usage("csv output is only available for tail"));
    }
    match cli.command {
        Command::Preflight(args) => {
            context
                .cancel_on_interrupt(preflight::run(&context, args))
                .await
        }
        Command::Plan(args) => context.cancel_on_interrupt(plan::run(&context, args)).await,
        Command::Setup(args) => setup::run(&context, args).await,
        Command::Outputs => context.cancel_on_interrupt(outputs::run(&context)).await,
        Command::Export(args) => {
            context
                .cancel_on_interrupt(export::run(&context, args))
                .await
        }
        Command::Tail(args) => tail::run(&context, args).await,
        Command::Destroy(args) => destroy::run(&context, args).await,
        Command::Restore(args) => restore::run(&context, args).await,
        Command::Policy(args) => {
            context
                .cancel_on_interrupt(policy::run(&context, args))
                .await
        }
        Command::Completions { shell } => Ok(completions::run(&context, shell)),
    }
}

/// Returns the option of that name; clap accepts no other name.
fn option_by_name(name: &str) -> Result<&'static dyn DeliveryOption> {
    crate::option::find(name).ok_or_else(|| Error::usage(format!("unknown option {name:?}")))
}
