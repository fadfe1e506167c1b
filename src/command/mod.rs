//! One file per command: arguments in, calls of the lower modules, output through `render`.

mod backup;
mod blocking;
mod completions;
mod context;
mod ctrl_c;
mod destroy;
mod existing_deployment;
mod explain;
mod export;
mod guided_setup;
mod help;
mod list;
mod next_steps;
mod outcome;
mod outputs;
mod plan;
mod policy;
mod preflight;
mod prepare;
mod prompt;
mod restore;
mod rollback;
mod setup;
mod status;
mod tail;
mod tfvars;
mod usage_error;
mod write_log;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::{self, Cli, Command, ParsedCommandLine};
use crate::error::{Error, Result};
use crate::option::DeliveryOption;
use crate::render::document::Envelope;
use crate::render::{self, Ui, UiOptions};
pub use completions::completion_script;
pub(crate) use context::Context;
use ctrl_c::Interrupt;
use outcome::CommandOutcome;
use write_log::WriteLog;

/// Parses the arguments, runs the command, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let parsed = cli::parse(&args);
    let ParsedCommandLine {
        cli,
        repeated_options,
    } = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage_error::report(&args, &error),
    };
    let envelope = envelope(&cli.command);
    let options = UiOptions {
        format: cli.command.output_format(),
        progress: cli.global.progress,
        color: cli.global.color,
        quiet: cli.global.quiet,
        verbose: cli.global.verbose,
    };
    let ui = Ui::new(options, repeated_options);
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
    let outcome = ended.unwrap_or_else(CommandOutcome::from);
    let mut exit = outcome.exit_code();
    outcome.print(&ui, envelope);
    if let Some(reason) = render::stdout_error() {
        let error = Error::failed("write the result", reason);
        ui.error(&error);
        exit = error.exit();
    }
    ExitCode::from(exit as u8)
}

/// Returns the arrangement of a command's JSON output. Documents that other programs read have no envelope.
fn envelope(command: &Command) -> Envelope {
    match command {
        Command::Export(_) | Command::Policy(_) => Envelope::Bare,
        Command::Tail(_) => Envelope::Lines,
        _ => Envelope::Wrapped,
    }
}

async fn dispatch(mut cli: Cli, ui: Ui, interrupt: Interrupt) -> Result<CommandOutcome> {
    tfvars::apply(&ui, &interrupt, &mut cli).await?;
    let context = Context {
        ui,
        global: cli.global,
        interrupt,
        writes: WriteLog::default(),
    };
    match cli.command {
        Command::Preflight(args) => context.cancellable(preflight::run(&context, args)).await,
        Command::Plan(args) => context.cancellable(plan::run(&context, args)).await,
        Command::Setup(args) => setup::run(&context, args).await,
        Command::Outputs(args) => context.cancellable(outputs::run(&context, args)).await,
        Command::List(_) => context.cancellable(list::run(&context)).await,
        Command::Status(args) => context.cancellable(status::run(&context, args)).await,
        Command::Export(args) => context.cancellable(export::run(&context, args)).await,
        Command::Tail(args) => tail::run(&context, args).await,
        Command::Destroy(args) => destroy::run(&context, args).await,
        Command::Restore(args) => restore::run(&context, args).await,
        Command::Policy(args) => context.cancellable(policy::run(&context, args)).await,
        Command::Explain(args) => Ok(explain::run(&context, args.check)),
        Command::Help(args) => help::run(&context, args.topic.as_deref()),
        Command::Completions(args) => Ok(completions::run(&context, args.shell)),
    }
}

/// Returns the option of that name; clap accepts no other name.
fn option_by_name(name: &str) -> Result<&'static dyn DeliveryOption> {
    crate::option::find(name).ok_or_else(|| Error::usage(format!("unknown option {name:?}")))
}
