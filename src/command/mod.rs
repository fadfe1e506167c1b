//! One file per command: arguments in, calls of the lower modules, output through `render`.

mod backup;
mod blocking;
mod bucket_credentials;
mod call_log_file;
mod changed_tags;
mod completions;
mod context;
mod cost;
mod coverage;
mod ctrl_c;
mod destroy;
mod dlq;
mod evidence;
mod existing_deployment;
mod explain;
mod export;
mod guided_setup;
mod help;
mod list;
mod next_steps;
mod outcome;
mod outputs;
mod overview;
mod pipe_writer;
mod plan;
mod policy;
mod preflight;
mod prepare;
mod prompt;
mod restore;
mod rollback;
mod setup;
mod status;
mod support;
mod tail;
mod temporary_queue;
mod tfvars;
mod usage_error;
mod verify;
mod wait_schedule;
mod write_log;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::aws::configuration::restart_without_empty_endpoints;
use crate::cli::{self, Cli, Command, ParsedCommandLine};
use crate::error::{Error, Result};
use crate::option::{self, DeliveryOption};
use crate::render::document::Envelope;
use crate::render::status_line::StatusLine;
use crate::render::{self, Ui, UiOptions};
pub use completions::completion_script;
pub(crate) use context::Context;
use ctrl_c::Interrupt;
use outcome::CommandOutcome;
use write_log::WriteLog;

/// Parses the arguments, runs the command, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    restart_without_empty_endpoints();
    let args: Vec<OsString> = std::env::args_os().collect();
    let parsed = cli::parse(&args, render::is_stdout_terminal());
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
        no_input: cli.global.no_input,
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
    // The futures of commands are so large that a nested one has to be on the heap.
    match cli.command {
        Command::Preflight(args) => {
            let run = context.cancellable(Box::pin(preflight::run(&context, args)));
            with_status_line(ui, "Running the checks", run).await
        }
        Command::Plan(args) => {
            let run = context.cancellable(Box::pin(plan::run(&context, args)));
            with_status_line(ui, "Comparing with AWS", run).await
        }
        Command::Setup(args) => Box::pin(setup::run(&context, args)).await,
        Command::Outputs(args) => {
            let run = context.cancellable(Box::pin(outputs::run(&context, args)));
            with_status_line(ui, READING, run).await
        }
        Command::List(_) => {
            let run = context.cancellable(Box::pin(list::run(&context)));
            with_status_line(ui, "Reading the roles", run).await
        }
        Command::Overview => {
            let run = context.cancellable(Box::pin(overview::run(&context)));
            with_status_line(ui, "Reading the deployments", run).await
        }
        // Each reading of --watch redraws the screen.
        Command::Status(args) if args.watch => {
            let run = context.cancellable(Box::pin(status::run(&context, args)));
            run.await
        }
        Command::Status(args) => {
            let run = context.cancellable(Box::pin(status::run(&context, args)));
            with_status_line(ui, READING, run).await
        }
        Command::Coverage(args) => Box::pin(coverage::run(&context, args)).await,
        Command::Cost(args) => Box::pin(cost::run(&context, args)).await,
        Command::Dlq(args) => Box::pin(dlq::run(&context, args)).await,
        Command::Verify(args) => Box::pin(verify::run(&context, args)).await,
        Command::Support(args) => Box::pin(support::run(&context, args)).await,
        Command::Export(args) => {
            let run = context.cancellable(Box::pin(export::run(&context, args)));
            with_status_line(ui, READING, run).await
        }
        Command::Tail(args) => Box::pin(tail::run(&context, args)).await,
        Command::Destroy(args) => Box::pin(destroy::run(&context, args)).await,
        Command::Restore(args) => Box::pin(restore::run(&context, args)).await,
        Command::Policy(args) => {
            let run = context.cancellable(Box::pin(policy::run(&context, args)));
            with_status_line(ui, "Reading the names of your account", run).await
        }
        Command::Explain(args) => Ok(explain::run(&context, args.check)),
        Command::Help(args) => help::run(&context, args.topic.as_deref()),
        Command::Completions(args) => Ok(completions::run(&context, args.shell)),
    }
}

const READING: &str = "Reading the deployment";

/// Shows a line at the end of the terminal while a command reads, if that takes longer than a second.
async fn with_status_line<T>(ui: Ui, text: &str, work: impl Future<Output = T>) -> T {
    let _line = StatusLine::start_delayed(ui, text);
    work.await
}

/// Returns the option that the arguments name, or its variant for another vendor.
///
/// # Errors
/// A usage error if the arguments contradict each other.
fn requested_option(
    name: Option<&str>,
    direct: &cli::DirectArgs,
) -> Result<Option<&'static dyn DeliveryOption>> {
    let is_heeler = direct.vendor == cli::VendorArg::Heeler;
    let option = name.map(option_by_name).transpose()?;
    for (name, given) in [
        ("--object-prefix", &direct.object_prefix),
        ("--object-suffix", &direct.object_suffix),
    ] {
        if let Some(text) = given {
            option::object_key_part::validate(name, text)?;
        }
    }
    match option {
        Some(option) if direct.direct => option::direct_variant(option, is_heeler).map(Some),
        _ if !is_heeler => Err(Error::usage("--vendor generic needs --direct")
            .with_hint("name an option and --direct, or leave --vendor out to set up for Heeler")),
        option => Ok(option),
    }
}

/// Returns the option of that name; clap accepts no other name.
fn option_by_name(name: &str) -> Result<&'static dyn DeliveryOption> {
    let mut options = option::OPTIONS.iter().copied();
    options
        .find(|option| option.name() == name)
        .ok_or_else(|| Error::usage(format!("unknown option {name:?}")))
}
