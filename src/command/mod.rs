//! One file a verb: arguments to a call of the domain to something printed.

mod backup;
mod completions;
mod destroy;
mod export;
mod interrupt;
mod outputs;
mod plan;
mod policy;
mod preflight;
mod restore;
mod rollback;
mod setup;
mod tail;
mod var_file;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser;
use tokio::join;

use crate::aws::{Aws, Call, Caller, Settings};
use crate::check::survey::{Facts, Hints, without_credentials};
use crate::cli::{Cli, Command, Discovery, Format, Global};
use crate::error::{Error, Exit, Result};
use crate::names::Names;
use crate::pipeline::deployment::Deployment;
use crate::pipeline::{Kind, input, kind};
use crate::render::{self, Ui};
use crate::resource::role;
use crate::route::Route;
use interrupt::Interrupt;

/// Parses, runs, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ui = Ui::new(&cli.global);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(interrupt::until_second(ui, |interrupt| {
                dispatch(cli, ui, interrupt)
            }));
            // A question that nobody will answer must not keep the program.
            runtime.shutdown_background();
            ended
        }
        Err(why) => Err(Error::unanswered("start", why.to_string())),
    };
    let ended = ended.and_then(|exit| match render::unwritten() {
        None => Ok(exit),
        Some(why) => Err(Error::unanswered("write the answer", why)),
    });
    let exit = ended.unwrap_or_else(|error| {
        render::error::error(&ui, &error);
        error.exit()
    });
    ExitCode::from(exit as u8)
}

async fn dispatch(mut cli: Cli, ui: Ui, interrupt: Interrupt) -> Result<Exit> {
    var_file::fill(&ui, &mut cli)?;
    let world = World {
        ui,
        global: cli.global,
        interrupt,
        wrote: OnceLock::new(),
    };
    if ui.format == Format::Csv && !matches!(cli.command, Command::Tail(_)) {
        return Err(Error::usage(
            "print the answer as csv",
            "only the events that tail shows are rows",
        ));
    }
    match cli.command {
        Command::Preflight(args) => world.reading(preflight::run(&world, args)).await,
        Command::Plan(args) => world.reading(plan::run(&world, args)).await,
        Command::Setup(args) => setup::run(&world, args).await,
        Command::Outputs => world.reading(outputs::run(&world)).await,
        Command::Export(args) => world.reading(export::run(&world, args)).await,
        Command::Tail(args) => tail::run(&world, args).await,
        Command::Destroy(args) => destroy::run(&world, args).await,
        Command::Restore(args) => restore::run(&world, args).await,
        Command::Policy(args) => world.reading(policy::run(&world, args)).await,
        Command::Completions { shell } => Ok(completions::run(&world, shell)),
    }
}

/// What every command is given.
pub(crate) struct World {
    pub ui: Ui,
    pub global: Global,
    pub interrupt: Interrupt,
    /// What was written before the question of the command itself, and stays.
    wrote: OnceLock<String>,
}

impl World {
    /// From now on, a refusal cannot say that nothing was written.
    pub fn has_written(&self, what: String) {
        // The first is enough to say so.
        let _ = self.wrote.set(what);
    }

    /// What to add where it is said that all else is as before.
    pub fn but_for(&self) -> String {
        self.wrote
            .get()
            .map_or_else(String::new, |what| format!(", but for this: {what}"))
    }

    /// What to say of the writes when a command ends before its own.
    pub fn nothing_written(&self) -> &'static str {
        if self.wrote.get().is_some() {
            "nothing else was written"
        } else {
            "nothing was written"
        }
    }

    pub(super) fn interrupted(&self) -> Error {
        Error::interrupted(format!("go on: {}", self.nothing_written()))
    }

    pub async fn aws(&self) -> Result<Aws> {
        refuse_open_endpoint()?;
        let ui = self.ui;
        let aws = Aws::connect(&Settings {
            profile: self.global.profile.clone(),
            region: self.global.region.clone(),
            endpoint: self.global.endpoint_url.clone(),
            listener: ui.is_verbose().then(|| {
                let told: Arc<dyn Fn(Call) + Send + Sync> =
                    Arc::new(move |call| render::progress::call(ui, &call));
                told
            }),
        })
        .await?;
        // It may come from the AWS configuration file, too.
        if let Some(endpoint) = aws.endpoint() {
            input::endpoint(&endpoint)
                .map_err(|why| Error::usage(format!("use the endpoint {endpoint}"), why))?;
        }
        Ok(aws)
    }

    pub fn names(&self) -> Names {
        Names::new(&self.global.name_prefix)
    }

    pub fn hints(&self, discovery: &Discovery, heeler_roles: &[String]) -> Hints {
        Hints {
            account: self.global.account_id.clone(),
            region: self.global.region.clone(),
            trail: discovery.trail.clone(),
            bucket: discovery.bucket.clone(),
            bucket_key: discovery.bucket_kms_key.clone(),
            topic: discovery.sns_topic.clone(),
            heeler_roles: heeler_roles.to_vec(),
            log_group: discovery.log_group.clone(),
            names: self.names(),
            own_options: self.own_options(),
            accepted: Vec::new(),
            adopt: false,
            deep: false,
        }
    }

    /// A command of ours to be run next, with the global options of this run.
    pub fn again(&self, verb: &str) -> String {
        format!("heeler-ec {verb}{}", self.own_options())
    }

    fn own_options(&self) -> String {
        let global = &self.global;
        let prefix = (global.name_prefix != DEFAULT_PREFIX).then_some(&global.name_prefix);
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
    pub async fn look(&self, aws: &Aws, hints: Hints, routes: &[Route]) -> Result<Facts> {
        let facts = Facts::take(aws, hints, routes).await;
        match facts.caller() {
            Err(error) if without_credentials(error) => Err(error.clone()),
            _ => Ok(facts),
        }
    }

    /// The role by which everything under this prefix is found, whoever made it.
    pub async fn role(&self, aws: &Aws) -> Result<Option<role::Found>> {
        role::find(aws, &self.names().role()).await
    }

    /// What was set up under this prefix.
    pub async fn deployment(&self, aws: &Aws) -> Result<Option<Deployment>> {
        Ok(self.role(aws).await?.as_ref().and_then(Deployment::read))
    }

    /// What was set up under this prefix, with clients for its region; without one there is nothing to show.
    pub async fn deployed(&self) -> Result<(Aws, Caller, Deployment)> {
        let aws = self.aws().await?;
        let (caller, deployment) = join!(aws.caller(), self.deployment(&aws));
        let caller = caller?;
        self.refuse_other_account(&caller.account)?;
        let deployment = deployment?.ok_or_else(|| nothing_set_up(self))?;
        Ok((aws.at(&deployment.region), caller, deployment))
    }

    /// Asks; an interrupt is no answer.
    pub async fn confirms(&self, question: &str) -> Result<bool> {
        self.confirms_by(question, "yes").await
    }

    /// Asks for a word to be typed, so that nobody says it by habit.
    pub async fn confirms_by(&self, question: &str, word: &str) -> Result<bool> {
        let (ui, mut stop) = (self.ui, self.interrupt.stop());
        let (question, word) = (question.to_owned(), word.to_owned());
        tokio::select! {
            answer = tokio::task::spawn_blocking(move || ui.confirms(&question, &word)) => Ok(answer.unwrap_or(false)),
            () = stop.wait() => Err(self.interrupted()),
        }
    }

    /// A command that changes nothing ends at the first interrupt.
    async fn reading(&self, work: impl Future<Output = Result<Exit>>) -> Result<Exit> {
        let mut stop = self.interrupt.stop();
        tokio::select! {
            ended = work => ended,
            () = stop.wait() => Ok(Exit::Interrupted),
        }
    }

    /// Refuses credentials of another account than the one that was named.
    pub fn refuse_other_account(&self, account: &str) -> Result<()> {
        match &self.global.account_id {
            Some(wanted) if wanted != account => Err(Error::no(
                "go on",
                format!("the credentials are for {account}, but --account-id is {wanted}"),
            )
            .hint("export AWS_PROFILE=PROFILE_OF_THAT_ACCOUNT")),
            _ => Ok(()),
        }
    }
}

const DEFAULT_PREFIX: &str = "heeler";

/// The variables that replace endpoints are held to the same rule as `--endpoint-url`.
fn refuse_open_endpoint() -> Result<()> {
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if name.starts_with("AWS_ENDPOINT_URL") && !value.is_empty() {
            input::endpoint(&value).map_err(|why| Error::usage(format!("use {name}"), why))?;
        }
    }
    Ok(())
}

/// The option of that name; clap takes no other.
pub(crate) fn option(name: &str) -> Result<&'static Kind> {
    kind(name)
        .ok_or_else(|| Error::usage("choose an option", format!("there is no option {name:?}")))
}

/// That there is nothing to show or to undo.
pub(crate) fn nothing_set_up(world: &World) -> Error {
    let prefix = world.names();
    Error::no(
        "find a deployment",
        format!(
            "there is no role {} made by heeler-ec in this account",
            prefix.role()
        ),
    )
    .hint(world.again("setup --option s3 --heeler-role-arn ARN --generate-external-id"))
}
