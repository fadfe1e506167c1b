//! Runs a case: the command with the fault, the same command without it, and destroy. Evaluates each state.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{CloudTrailDelays, HeelerEc, LogFile, Organization, Run};

use super::case::{Case, Command, Kind};
use super::inject::{cause_words, inject, is_refusal};
use crate::commands::{
    DIRECT, destroy, heeler_ec, keys, organization_for, plan_of, preflight_of, setup_of_with,
};

const ID: &str = "id-of-the-setup";

/// The outcome of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The command succeeded.
    Survived,
    /// The command failed and named the cause.
    Refused,
    /// A criterion is not met.
    Bad(String),
    /// No call was affected, which is an error of the matrix.
    NotInjected,
}

impl Outcome {
    /// Returns true if every criterion is met.
    pub fn is_good(&self) -> bool {
        matches!(self, Outcome::Survived | Outcome::Refused)
    }

    /// Parses the text of an outcome.
    pub fn parse(text: &str) -> Outcome {
        match text {
            "survived" => Outcome::Survived,
            "refused" => Outcome::Refused,
            "not injected" => Outcome::NotInjected,
            text => Outcome::Bad(text.trim_start_matches("bad: ").to_owned()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Survived => f.write_str("survived"),
            Outcome::Refused => f.write_str("refused"),
            Outcome::NotInjected => f.write_str("not injected"),
            Outcome::Bad(reason) => write!(f, "bad: {reason}"),
        }
    }
}

/// Organizations that another case has left unchanged, by option and by the presence of a deployment.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<UnusedOrganizations>>);

type UnusedOrganizations = BTreeMap<(&'static str, bool), Vec<Organization>>;

impl Pool {
    async fn take(&self, option: &'static str, is_deployed: bool) -> Organization {
        let unused = self
            .0
            .lock()
            .expect("a pool")
            .get_mut(&(option, is_deployed))
            .and_then(Vec::pop);
        if let Some(org) = unused {
            return org;
        }
        let org = organization(option).await;
        if is_deployed {
            set_up(&org, option).await;
        }
        org
    }

    fn give_back(&self, org: Organization, option: &'static str, is_deployed: bool) {
        org.proxy().clear();
        self.0
            .lock()
            .expect("a pool")
            .entry((option, is_deployed))
            .or_default()
            .push(org);
    }
}

/// An organization with resources of others, which no case may change.
pub async fn organization(option: &'static str) -> Organization {
    organization_for(option).await
}

/// Sets up an option.
pub async fn set_up(org: &Organization, option: &str) {
    setup_of_with(org, option, ID).run().await.expect_status(0);
}

/// The command line of a command.
pub fn command_line<'a>(org: &'a Organization, command: Command, option: &str) -> HeelerEc<'a> {
    match command {
        Command::Preflight => preflight_of(org, option),
        Command::Plan => plan_of(org, option).args(["--external-id", ID]),
        Command::Setup => setup_of_with(org, option, ID),
        Command::Outputs => heeler_ec(org).args(["outputs"]),
        Command::Export => heeler_ec(org).args(["export", "terraform"]),
        // The policy without an option has only the actions of options for Heeler.
        Command::Tail if option == DIRECT => tail(org).extra_actions(&[
            "cloudtrail:DescribeTrails",
            "organizations:DescribeOrganization",
            "s3:ListBucket",
        ]),
        Command::Tail => tail(org),
        Command::Status => heeler_ec(org).args(["status"]),
        Command::Verify => {
            org.play_cloudtrail(CloudTrailDelays::NONE);
            heeler_ec(org).args(["verify", "--timeout", "90s"])
        }
        Command::Coverage => heeler_ec(org).args(["coverage"]),
        Command::Support => heeler_ec(org).args(["support", "--dry-run"]),
        Command::Dlq => heeler_ec(org).args(["dlq"]),
        // A FIFO queue refuses a second redrive within five minutes.
        Command::Redrive => heeler_ec(org).args(["dlq", "redrive", "--yes", "--force"]),
        Command::Destroy => destroy(org),
    }
}

fn tail(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["tail", "--limit", "1", "--timeout", "2m"])
}

/// Sends messages that Heeler did not delete to the dead-letter queue.
async fn send_dead_letters(org: &Organization, option: &str) {
    let (name, is_fifo) = match option {
        "cloudwatch" => ("heeler_event_collection_queue_dlq.fifo", true),
        _ => ("heeler_event_collection_queue_dlq", false),
    };
    let sqs = &org.clients().sqs;
    let url = sqs.get_queue_url().queue_name(name).send().await;
    let url = url.expect("a queue").queue_url;
    for body in ["one", "two"] {
        let mut message = sqs.send_message().set_queue_url(url.clone());
        if is_fifo {
            message = message.message_group_id("group");
            message = message.message_deduplication_id(body);
        }
        message.message_body(body).send().await.expect("a message");
    }
}

/// Runs a command. While `tail` runs, events are delivered. Before `dlq`, messages are in the dead-letter queue.
pub async fn run_command(
    line: HeelerEc<'_>,
    command: Command,
    option: &str,
    org: &Organization,
) -> Run {
    if matches!(command, Command::Dlq | Command::Redrive) {
        send_dead_letters(org, option).await;
    }
    if command != Command::Tail {
        return Box::pin(line.run()).await;
    }
    let deliveries = async {
        loop {
            let record = event(
                org.account(),
                org.region(),
                "iam.amazonaws.com",
                "CreateUser",
                false,
            );
            if option.starts_with("s3") {
                org.deliver(&LogFile::new(org.account(), org.region(), vec![record]))
                    .await;
            } else {
                org.put_log_events(&[record.to_string()]).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        run = Box::pin(line.run()) => run,
        () = deliveries => unreachable!("deliveries have no end"),
    }
}

/// The resources of others, which no case may change.
async fn resources_of_others(org: &Organization) -> Value {
    let clients = org.clients();
    let policy = clients
        .s3
        .get_bucket_policy()
        .bucket(org.bucket())
        .send()
        .await;
    let key = org.bucket_key().expect("a key of the bucket");
    let key_policy = clients.kms.get_key_policy().key_id(key).send().await;
    let mut filters = Vec::new();
    if let Some(group) = org.log_group() {
        let found = org.subscription_filters(group).await;
        filters = found
            .iter()
            .filter_map(|filter| filter.filter_name().map(str::to_owned))
            .collect();
        filters.retain(|name| !name.contains("heeler"));
    }
    json!({
        "notification": others(&org.notification().await),
        "bucket policy": policy.expect("a bucket policy").policy(),
        "key policy": key_policy.expect("a key policy").policy(),
        "subscription filters": filters,
    })
}

/// The entries of a notification configuration that the program did not make.
fn others(notification: &Value) -> Value {
    let mut notification = notification.clone();
    for entries in notification
        .as_object_mut()
        .into_iter()
        .flat_map(|lists| lists.values_mut())
    {
        if let Some(entries) = entries.as_array_mut() {
            entries.retain(|entry| !entry.to_string().contains("heeler"));
        }
    }
    notification
}

/// Runs a case.
pub async fn run_case(case: Case, pool: Pool) -> Outcome {
    let is_deployed = !case.command.needs_empty_organization();
    let org = pool.take(case.option, is_deployed).await;
    let before = resources_of_others(&org).await;
    let injected = org.proxy().injected();
    let line = inject(
        &case,
        org.proxy(),
        command_line(&org, case.command, case.option),
    );
    let run = run_command(line, case.command, case.option, &org).await;
    let was_injected = match case.kind {
        Kind::Killed => run.status < 0,
        Kind::ReadLag(_) => !org.proxy().played_rules().is_empty(),
        _ => org.proxy().injected() > injected,
    };
    org.proxy().clear_faults();
    org.proxy().eventual_consistency(&[]);
    if let Err(reason) = check_run(&case, &run) {
        return Outcome::Bad(format!("{reason}\n{}\n{}", run.stdout, run.stderr));
    }
    if let Err(reason) = check_state(&case, &org, &run, &before).await {
        return Outcome::Bad(format!("{reason}\n{}", run.stderr));
    }
    if run.writes().is_empty() {
        pool.give_back(org, case.option, is_deployed);
    }
    match run.status {
        _ if !was_injected => Outcome::NotInjected,
        0 => Outcome::Survived,
        _ => Outcome::Refused,
    }
}

/// Checks the exit code and the message of the run with the fault.
fn check_run(case: &Case, run: &Run) -> Result<(), String> {
    let output = format!("{}\n{}", run.stdout, run.stderr);
    if output.contains("panicked") || output.contains("Internal error: ") {
        return Err("an error of the program".to_owned());
    }
    let is_documented = match run.status {
        0 | 3 => true,
        // There are messages.
        1 if case.command == Command::Dlq => true,
        // A check that failed, because AWS refused what it needs.
        1 => is_refusal(case.kind) && case.command.may_be_negative(),
        status => case.kind == Kind::Killed && status < 0,
    };
    if !is_documented {
        return Err(format!("exit code {}", run.status));
    }
    let words = cause_words(case);
    let is_failure = run.status > 0 && (case.command, run.status) != (Command::Dlq, 1);
    if is_failure && !words.iter().any(|word| output.contains(*word)) {
        return Err(format!("the message has none of {words:?}"));
    }
    let writes = matches!(
        case.command,
        Command::Setup
            | Command::Destroy
            | Command::Tail
            | Command::Verify
            | Command::Dlq
            | Command::Redrive
    );
    if !writes && !run.writes().is_empty() {
        return Err("a command that only reads has written".to_owned());
    }
    Ok(())
}

/// Checks the state after the run, after the same command without faults, and after destroy.
async fn check_state(
    case: &Case,
    org: &Organization,
    run: &Run,
    before: &Value,
) -> Result<(), String> {
    let option = case.option;
    if run.status == 0 && case.command == Command::Setup {
        check_deployment(org, option, "after a setup with status 0").await?;
    }
    if run.status == 0 && case.command == Command::Destroy {
        check_nothing_left(case, org, "after a destroy with status 0").await?;
    }
    if run.writes().is_empty() {
        // The organization is as it was before.
        return Ok(());
    }
    let again = command_line(org, case.command, option);
    let again = run_command(again, case.command, option, org).await;
    // A destroy that completed before the fault leaves nothing to destroy.
    let is_done = match case.command {
        Command::Destroy => matches!(again.status, 0 | 1),
        // There are messages.
        Command::Dlq => again.status == 1,
        _ => again.status == 0,
    };
    if !is_done {
        return Err(format!(
            "without faults the command exits with {}\n{}",
            again.status, again.stderr
        ));
    }
    if case.command != Command::Destroy {
        check_deployment(org, option, "after the second run").await?;
        let run = destroy(org).run().await;
        if run.status != 0 {
            return Err(format!("destroy exits with {}\n{}", run.status, run.stderr));
        }
    }
    check_nothing_left(case, org, "after destroy").await?;
    let after = resources_of_others(org).await;
    if after != *before {
        return Err(format!(
            "resources of others changed from {before} to {after}"
        ));
    }
    Ok(())
}

/// Checks that the plan is empty and that nothing exists twice.
async fn check_deployment(org: &Organization, option: &str, when: &str) -> Result<(), String> {
    let plan = plan_of(org, option)
        .args(["--check", "--external-id", ID])
        .run()
        .await;
    if plan.status != 0 {
        return Err(format!(
            "plan --check exits with {} {when}\n{}\n{}",
            plan.status, plan.stdout, plan.stderr
        ));
    }
    match keys(org).await {
        1 => Ok(()),
        keys => Err(format!("{keys} keys exist {when}")),
    }
}

async fn check_nothing_left(case: &Case, org: &Organization, when: &str) -> Result<(), String> {
    let mut left = org.leftovers().await;
    if case.command.has_temporary_queue() && case.kind == Kind::Killed {
        // A later run deletes the queue of a killed one after ten minutes.
        left.retain(|line| !line.contains("heeler_ec_tail"));
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("left {when}: {}", left.join(", ")))
    }
}
