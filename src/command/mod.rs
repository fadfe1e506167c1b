//! One file a verb: arguments to a call of the domain to something printed.

mod backup;
mod completions;
mod ctrl_c;
mod destroy;
mod export;
mod outputs;
mod plan;
mod policy;
mod preflight;
mod restore;
mod rollback;
mod setup;
mod tail;
mod tfvars;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser;
use tokio::join;

use crate::aws::{Aws, AwsCall, CallerIdentity, ConnectionSettings};
use crate::check::{self, OptionProfile};
use crate::cli::value_parsers;
use crate::cli::{Cli, Command, DiscoveryArgs, GlobalArgs};
use crate::deployment::Deployment;
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::{Inventory, InventoryRequest, is_missing_credentials};
use crate::naming::ResourceNames;
use crate::option::{self, DeliveryOption};
use crate::render::{self, OutputFormat, Ui, UiOptions};
use crate::resource::role;
use ctrl_c::Interrupt;

/// Parses, runs, and says how it ended.
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
            // A question that nobody will answer must not keep the program.
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
    let world = Context {
        ui,
        global: cli.global,
        interrupt,
        first_write: OnceLock::new(),
    };
    if ui.format() == OutputFormat::Csv && !matches!(cli.command, Command::Tail(_)) {
        return Err(Error::usage("csv output is only available for tail"));
    }
    match cli.command {
        Command::Preflight(args) => {
            world
                .cancel_on_interrupt(preflight::run(&world, args))
                .await
        }
        Command::Plan(args) => world.cancel_on_interrupt(plan::run(&world, args)).await,
        Command::Setup(args) => setup::run(&world, args).await,
        Command::Outputs => world.cancel_on_interrupt(outputs::run(&world)).await,
        Command::Export(args) => world.cancel_on_interrupt(export::run(&world, args)).await,
        Command::Tail(args) => tail::run(&world, args).await,
        Command::Destroy(args) => destroy::run(&world, args).await,
        Command::Restore(args) => restore::run(&world, args).await,
        Command::Policy(args) => world.cancel_on_interrupt(policy::run(&world, args)).await,
        Command::Completions { shell } => Ok(completions::run(&world, shell)),
    }
}

/// What every command is given.
pub(crate) struct Context {
    pub ui: Ui,
    pub global: GlobalArgs,
    pub interrupt: Interrupt,
    /// What was written before the question of the command itself, and stays.
    first_write: OnceLock<String>,
}

impl Context {
    /// From now on, a refusal cannot say that nothing was written.
    pub fn record_write(&self, what: String) {
        // The first is enough to say so.
        let _ = self.first_write.set(what);
    }

    /// What to add where it is said that all else is as before.
    pub fn already_written_suffix(&self) -> String {
        self.first_write
            .get()
            .map_or_else(String::new, |what| format!(", but for this: {what}"))
    }

    /// What to say of the writes when a command ends before its own.
    pub fn unchanged_notice(&self) -> &'static str {
        if self.first_write.get().is_some() {
            "no other changes were made"
        } else {
            "no changes were made"
        }
    }

    pub(super) fn interrupted_error(&self) -> Error {
        Error::interrupted(self.unchanged_notice())
    }

    pub async fn connect(&self) -> Result<Aws> {
        reject_insecure_endpoints()?;
        let ui = self.ui;
        let aws = Aws::connect(&ConnectionSettings {
            profile: self.global.profile.clone(),
            region: self.global.region.clone(),
            endpoint: self.global.endpoint_url.clone(),
            observer: ui.is_verbose().then(|| {
                let told: Arc<dyn Fn(AwsCall) + Send + Sync> =
                    Arc::new(move |call| render::progress::print_call(ui, &call));
                told
            }),
        })
        .await?;
        // It may come from the AWS configuration file, too.
        if let Some(endpoint) = aws.endpoint() {
            value_parsers::endpoint(&endpoint).map_err(|why| {
                Error::usage(format!("the endpoint {endpoint} is not allowed")).with_reason(why)
            })?;
        }
        Ok(aws)
    }

    pub fn names(&self) -> ResourceNames {
        ResourceNames::new(&self.global.name_prefix)
    }

    pub fn hints(&self, discovery: &DiscoveryArgs, heeler_roles: &[String]) -> InventoryRequest {
        InventoryRequest {
            expected_account: self.global.account_id.clone(),
            expected_region: self.global.region.clone(),
            trail: discovery.trail.clone(),
            bucket: discovery.bucket.clone(),
            bucket_key: discovery.bucket_kms_key.clone(),
            topic: discovery.sns_topic.clone(),
            heeler_roles: heeler_roles.to_vec(),
            log_group: discovery.log_group.clone(),
            names: self.names(),
            global_options: self.global_options(),
            accepted_checks: Vec::new(),
            adopt: false,
            deep: false,
        }
    }

    /// A command of ours to be run next, with the global options of this run.
    pub fn command_line(&self, verb: &str) -> String {
        format!("heeler-ec {verb}{}", self.global_options())
    }

    fn global_options(&self) -> String {
        let global = &self.global;
        let prefix = (global.name_prefix != DEFAULT_NAME_PREFIX).then_some(&global.name_prefix);
        [
            ("--profile", global.profile.as_ref()),
            ("--region", global.region.as_ref()),
            ("--name-prefix", prefix),
        ]
        .into_iter()
        .filter_map(|(option, value)| value.map(|value| format!(" {option} {value}")))
        .collect()
    }

    /// Looks at everything that checks stand on.
    pub async fn collect_inventory(
        &self,
        aws: &Aws,
        hints: InventoryRequest,
        options: &[OptionProfile],
    ) -> Result<Inventory> {
        let facts = check::collect(aws, hints, options).await;
        match facts.caller() {
            Err(error) if is_missing_credentials(error) => Err(error.clone()),
            _ => Ok(facts),
        }
    }

    /// The role by which everything under this prefix is found, whoever made it.
    pub async fn find_role(&self, aws: &Aws) -> Result<Option<role::Found>> {
        role::get_role(aws, &self.names().role()).await
    }

    /// What was set up under this prefix.
    pub async fn find_deployment(&self, aws: &Aws) -> Result<Option<Deployment>> {
        Ok(self
            .find_role(aws)
            .await?
            .as_ref()
            .and_then(Deployment::from_role))
    }

    /// What was set up under this prefix, with clients for its region; without one there is nothing to show.
    pub async fn require_deployment(&self) -> Result<(Aws, CallerIdentity, Deployment)> {
        let aws = self.connect().await?;
        let (caller, deployment) = join!(aws.caller_identity(), self.find_deployment(&aws));
        let caller = caller?;
        self.check_account(&caller.account)?;
        let deployment = deployment?.ok_or_else(|| no_deployment_error(self))?;
        Ok((aws.in_region(&deployment.region), caller, deployment))
    }

    /// Asks; an interrupt is no answer.
    pub async fn confirm(&self, question: &str) -> Result<bool> {
        self.confirm_by_typing(question, "yes").await
    }

    /// Asks for a word to be typed, so that nobody says it by habit.
    pub async fn confirm_by_typing(&self, question: &str, word: &str) -> Result<bool> {
        let (ui, cancellation) = (self.ui, self.interrupt.cancellation());
        let (question, word) = (question.to_owned(), word.to_owned());
        tokio::select! {
            answer = tokio::task::spawn_blocking(move || ui.prompt(&question, &word)) => Ok(answer.unwrap_or(false)),
            () = cancellation.cancelled() => {
                // The terminal stands behind the question.
                self.ui.warn("");
                Err(self.interrupted_error())
            }
        }
    }

    /// A command that changes nothing ends at the first interrupt.
    async fn cancel_on_interrupt(&self, work: impl Future<Output = Result<Exit>>) -> Result<Exit> {
        let cancellation = self.interrupt.cancellation();
        tokio::select! {
            ended = work => ended,
            () = cancellation.cancelled() => Ok(Exit::Interrupted),
        }
    }

    /// Refuses credentials of another account than the one that was named.
    pub fn check_account(&self, account: &str) -> Result<()> {
        match &self.global.account_id {
            Some(wanted) if wanted != account => Err(Error::negative(format!(
                "wrong account: the credentials are for {account}, but --account-id is {wanted}"
            ))
            .with_hint(OTHER_ACCOUNT_HINT)),
            _ => Ok(()),
        }
    }
}

/// Hint shown when the credentials belong to another account.
pub(crate) const OTHER_ACCOUNT_HINT: &str =
    "use --profile PROFILE to select other credentials; it overrides the environment";

/// Headline of the error when a prompt is needed and cannot be shown.
pub(crate) const NOT_A_TERMINAL: &str =
    "confirmation is needed, but standard input is not a terminal";

/// Creates the error for a prompt that was not confirmed.
pub(crate) fn not_confirmed_error(notice: &str) -> Error {
    Error::negative(format!("not confirmed; {notice}"))
}

const DEFAULT_NAME_PREFIX: &str = "heeler";

/// The variables that replace endpoints are held to the same rule as `--endpoint-url`.
fn reject_insecure_endpoints() -> Result<()> {
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if name.starts_with("AWS_ENDPOINT_URL") && !value.is_empty() {
            value_parsers::endpoint(&value)
                .map_err(|why| Error::usage(format!("{name} is not allowed")).with_reason(why))?;
        }
    }
    Ok(())
}

/// The option of that name; clap takes no other.
pub(crate) fn option_by_name(name: &str) -> Result<&'static dyn DeliveryOption> {
    option::find(name).ok_or_else(|| Error::usage(format!("unknown option {name:?}")))
}

/// Creates the error for a name prefix without a deployment.
pub(crate) fn no_deployment_error(context: &Context) -> Error {
    let prefix = &context.global.name_prefix;
    let role = context.names().role();
    let setup = format!(
        "setup --option {} --heeler-role-arn ARN --generate-external-id",
        option::recommended().name()
    );
    Error::negative(format!(
        "nothing is deployed under the name prefix {prefix:?}"
    ))
    .with_reason(format!(
        "this account has no role {role} that is managed by heeler-ec"
    ))
    .with_hint(Hint::from("to set it up: ").and_command(context.command_line(&setup)))
}
