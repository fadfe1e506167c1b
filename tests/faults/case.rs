//! The cases: a command, an option, an operation and a kind of fault.

use std::collections::BTreeSet;

use testkit::Call;
use testkit::strict::eventual::has_read_after_write;

use crate::commands::DIRECT;

use super::run::{command_line, organization, run_command, set_up};

/// The commands that call AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    Preflight,
    Plan,
    Setup,
    Outputs,
    Export,
    Tail,
    Status,
    Verify,
    Coverage,
    Support,
    Dlq,
    Redrive,
    Destroy,
}

impl Command {
    pub const ALL: [Command; 13] = [
        Command::Preflight,
        Command::Plan,
        Command::Setup,
        Command::Outputs,
        Command::Export,
        Command::Tail,
        Command::Status,
        Command::Verify,
        Command::Coverage,
        Command::Support,
        Command::Dlq,
        Command::Redrive,
        Command::Destroy,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Command::Preflight => "preflight",
            Command::Plan => "plan",
            Command::Setup => "setup",
            Command::Outputs => "outputs",
            Command::Export => "export",
            Command::Tail => "tail",
            Command::Status => "status",
            Command::Verify => "verify",
            Command::Coverage => "coverage",
            Command::Support => "support",
            Command::Dlq => "dlq",
            Command::Redrive => "redrive",
            Command::Destroy => "destroy",
        }
    }

    /// Returns true if a refusal may make the result negative, because a check could not run.
    pub fn may_be_negative(self) -> bool {
        matches!(
            self,
            Command::Preflight
                | Command::Plan
                | Command::Setup
                | Command::Outputs
                | Command::Export
        )
    }

    /// Returns true if the command creates a temporary queue, which the next run deletes after it was killed.
    pub fn has_temporary_queue(self) -> bool {
        matches!(self, Command::Tail | Command::Verify)
    }

    /// Returns true if the command runs on an organization without a deployment.
    pub fn needs_empty_organization(self) -> bool {
        matches!(self, Command::Preflight | Command::Setup)
    }
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    RefusedOnce,
    RefusedFiveTimes,
    RefusedAlways,
    ResetBefore,
    ResetAfter,
    Cut,
    Stalled,
    Empty,
    Html,
    Killed,
    Throttled,
    InternalError,
    Unavailable,
    ExpiredCredentials,
    ReadLag(usize),
    ShortOutage,
    LongOutage,
}

impl Kind {
    pub const ALL: [Kind; 19] = [
        Kind::RefusedOnce,
        Kind::RefusedFiveTimes,
        Kind::RefusedAlways,
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Cut,
        Kind::Stalled,
        Kind::Empty,
        Kind::Html,
        Kind::Killed,
        Kind::Throttled,
        Kind::InternalError,
        Kind::Unavailable,
        Kind::ExpiredCredentials,
        Kind::ReadLag(1),
        Kind::ReadLag(3),
        Kind::ReadLag(8),
        Kind::ShortOutage,
        Kind::LongOutage,
    ];
    /// Faults of each operation that writes.
    const OF_WRITES: &[Kind] = &[
        Kind::RefusedOnce,
        Kind::RefusedFiveTimes,
        Kind::RefusedAlways,
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Cut,
        Kind::Stalled,
        Kind::Empty,
        Kind::Html,
        Kind::Killed,
    ];
    /// Faults of each operation that reads.
    const OF_READS: &[Kind] = &[Kind::RefusedAlways, Kind::Empty, Kind::Html];
    /// Faults of each command.
    const OF_COMMANDS: &[Kind] = &[
        Kind::Throttled,
        Kind::InternalError,
        Kind::Unavailable,
        Kind::ExpiredCredentials,
        Kind::ReadLag(1),
        Kind::ReadLag(3),
        Kind::ReadLag(8),
        Kind::ShortOutage,
        Kind::LongOutage,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::RefusedOnce => "refused once",
            Kind::RefusedFiveTimes => "refused five times",
            Kind::RefusedAlways => "refused always",
            Kind::ResetBefore => "reset before",
            Kind::ResetAfter => "reset after",
            Kind::Cut => "cut",
            Kind::Stalled => "stalled",
            Kind::Empty => "empty 200",
            Kind::Html => "HTML 200",
            Kind::Killed => "killed",
            Kind::Throttled => "30% throttled",
            Kind::InternalError => "10% 500",
            Kind::Unavailable => "10% 503",
            Kind::ExpiredCredentials => "expired credentials",
            Kind::ReadLag(1) => "read lag 1",
            Kind::ReadLag(3) => "read lag 3",
            Kind::ReadLag(_) => "read lag 8",
            Kind::ShortOutage => "short outage",
            Kind::LongOutage => "long outage",
        }
    }
}

/// The delivery options.
pub const OPTIONS: [&str; 3] = ["s3", "cloudwatch", DIRECT];

/// A case of the matrix.
#[derive(Clone, Debug)]
pub struct Case {
    pub command: Command,
    pub option: &'static str,
    /// The operation as `service:Operation`, or `*`.
    pub operation: String,
    pub kind: Kind,
    /// True if the operation writes.
    pub writes: bool,
}

impl Case {
    /// The name, such as `setup/s3/sqs:CreateQueue/reset after`.
    pub fn name(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.command.name(),
            self.option,
            self.operation,
            self.kind.name()
        )
    }

    /// Parses a name.
    pub fn parse(name: &str) -> Option<Case> {
        let [command, option, operation, kind] =
            name.split('/').collect::<Vec<_>>().try_into().ok()?;
        Some(Case {
            command: Command::ALL
                .into_iter()
                .find(|known| known.name() == command)?,
            option: OPTIONS.into_iter().find(|known| *known == option)?,
            operation: operation.to_owned(),
            kind: Kind::ALL.into_iter().find(|known| known.name() == kind)?,
            writes: operation == "*" || Call::is_write(operation.split(':').next_back()?),
        })
    }
}

/// All cases. The operations are those of a run of each command without faults.
pub async fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for option in OPTIONS {
        let org = organization(option).await;
        for command in Command::ALL {
            if command == Command::Plan {
                continue;
            }
            let calls = run_command(command_line(&org, command, option), command, option, &org)
                .await
                .calls;
            if command == Command::Setup {
                // On a deployment: a plan without one only reads that nothing is there.
                let plan = command_line(&org, Command::Plan, option);
                let calls = run_command(plan, Command::Plan, option, &org).await.calls;
                add_cases(&mut cases, Command::Plan, option, &calls);
            }
            add_cases(&mut cases, command, option, &calls);
            if command == Command::Setup {
                set_up(&org, option).await;
            }
        }
    }
    cases
}

fn add_cases(cases: &mut Vec<Case>, command: Command, option: &'static str, calls: &[Call]) {
    let names: BTreeSet<(String, bool)> = calls
        .iter()
        .map(|call| (call.name(), call.writes()))
        .collect();
    let operations = names.into_iter().flat_map(|(name, writes)| {
        let kinds = if writes {
            Kind::OF_WRITES
        } else {
            Kind::OF_READS
        };
        kinds.iter().map(move |kind| (name.clone(), writes, *kind))
    });
    let whole = Kind::OF_COMMANDS
        .iter()
        .map(|kind| ("*".to_owned(), true, *kind));
    for (operation, writes, kind) in operations.chain(whole) {
        // A read can only be stale if the same read was made before a write. Commands that read never write, and tail
        // makes no call twice, except for calls of its temporary queue that change it.
        if matches!(kind, Kind::ReadLag(_)) && !has_read_after_write(calls) {
            continue;
        }
        // Options share most reads: each distinct read of a command is tested once.
        let is_known = !writes
            && cases.iter().any(|case| {
                (case.command, &case.operation, case.kind) == (command, &operation, kind)
            });
        if !is_known {
            cases.push(Case {
                command,
                option,
                operation,
                kind,
                writes,
            });
        }
    }
}
