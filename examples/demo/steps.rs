//! The steps of the demo: each explains a command, runs it and verifies its result.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::console::Console;
use crate::log_files;
use testkit::organization::allow;
use testkit::{CloudTrailDelays, Emulator, Organization};

/// Time to read a paragraph before the next command runs.
const READING_TIME: Duration = Duration::from_millis(2500);
/// Time between two deliveries, so that events appear one after the other.
const DELIVERY_INTERVAL: Duration = Duration::from_millis(700);
/// The time limit for `tail` to start receiving, and for Heeler to receive.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// The messages of S3 about the new notification.
const TEST_EVENTS: usize = 1;
/// The canaries of `verify`, each in a log file of its own.
const CANARIES: usize = 1;
/// The environment variables of the terminal, which the program shares with the demo.
const TERMINAL_VARIABLES: [&str; 7] = [
    "PATH",
    "TERM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "NO_COLOR",
    "COLORTERM",
];

/// The reason why the demo did not complete.
pub enum Failure {
    Interrupted,
    Error(String),
}

/// Prints the introduction.
pub fn show_introduction(console: &Console) {
    console.heading("heeler-ec, from an empty account to Heeler receiving events");
    console.paragraph(
        "This demo runs on this machine only: an emulator (ministack, on 127.0.0.1) takes the place \
         of AWS. It needs no AWS account, costs nothing and leaves nothing behind. The program is \
         the real heeler-ec. The demo takes half a minute; Ctrl-C ends it.",
    );
}

/// Prints the conclusion and the next step.
pub fn show_conclusion(console: &Console) {
    console.heading("The end");
    console.paragraph(
        "The emulator has stopped. AWS differs in two ways: it checks who may decrypt, and it delivers \
         log files after minutes. On AWS the same commands run in the management account of the \
         organization. Start with preflight, which only reads:",
    );
    console.command(&["preflight"]);
}

/// The simulated organization and the program.
pub struct Demo<'a> {
    pub(crate) console: &'a Console,
    interrupts: watch::Receiver<u32>,
    program: PathBuf,
    pub(crate) org: Organization,
    administrator: Credentials,
}

impl<'a> Demo<'a> {
    /// Creates the organization.
    pub async fn prepare(
        console: &'a Console,
        emulator: &Emulator,
        interrupts: watch::Receiver<u32>,
    ) -> Result<Demo<'a>, Failure> {
        let program = program()?;
        let org = Organization::in_emulator(emulator)
            .bucket_key()
            .other_notifications()
            .build()
            .await;
        deliver_digests(&org).await;
        let administrator = org.user("you", &allow("*")).await;
        Ok(Demo {
            console,
            interrupts,
            program,
            org,
            administrator,
        })
    }

    /// Runs all steps, until the first failure.
    pub async fn run_steps(self) -> Result<(), Failure> {
        let before = self.org.notification().await;
        self.show_organization();
        self.run_preflight().await?;
        self.run_setup().await?;
        self.run_status().await?;
        self.run_verify().await?;
        self.run_coverage().await?;
        let outputs = self.read_outputs().await?;
        self.run_tail().await?;
        self.receive_as_heeler(&outputs).await?;
        let deleted = "the queues, topic, subscriptions, role, policy, alias and grant are deleted";
        self.run_destroy(9, deleted, &before).await?;
        let violations = self.org.proxy().violations();
        if violations.is_empty() {
            return Ok(());
        }
        let message = format!("AWS would reject: {}", violations.join("; "));
        Err(Failure::Error(message))
    }

    fn show_organization(&self) {
        let (console, org) = (self.console, &self.org);
        console.heading("The organization");
        console.paragraph("The simulated organization has:");
        console.blank_line();
        console.row(
            "organization",
            &format!("{}, four accounts", org.organization_id()),
        );
        console.row(
            "you",
            &format!(
                "an administrator of its management account {}",
                org.account()
            ),
        );
        console.row(
            "trail",
            &format!("{}: all accounts, all regions", org.trail()),
        );
        console.row(
            "bucket",
            &format!("{}, encrypted with a KMS key", org.bucket()),
        );
        console.row(
            "notifications",
            "the bucket already notifies a topic, a queue, a function and EventBridge of other teams; \
             they must stay unchanged",
        );
    }

    async fn run_preflight(&self) -> Result<(), Failure> {
        self.console.heading("1. Check the prerequisites");
        self.console.paragraph(
            "Preflight only reads. Here it warns that requests go to an emulator. Skipped checks do not \
             apply to this organization. Without --option, preflight compares the options.",
        );
        self.run(&["preflight", "--option", "s3"]).await
    }

    async fn run_status(&self) -> Result<(), Failure> {
        self.console.heading("3. See the status");
        self.console.paragraph(
            "Status evaluates each hop between the trail and the role that Heeler assumes. It only reads, and receives from no \
             queue. The harvest is unknown until Heeler has polled.",
        );
        self.run(&["status"]).await
    }

    async fn run_verify(&self) -> Result<(), Failure> {
        self.console.heading("4. Follow a canary");
        self.console.paragraph(
            "Verify makes a call with an ID in its user agent, and looks for the record of this call at each hop. The demo \
             acts as CloudTrail again, with shorter delays. Verify receives from a temporary queue and counts the messages \
             in Heeler's queue.",
        );
        self.org.play_cloudtrail(CloudTrailDelays {
            history: Some(Duration::from_secs(1)),
            bucket: Some(Duration::from_secs(3)),
            log_group: None,
        });
        self.run(&["verify"]).await
    }

    async fn run_coverage(&self) -> Result<(), Failure> {
        self.console.heading("5. See the coverage");
        self.console.paragraph(
            "Coverage lists the keys in the bucket for each account and region. It only reads. The trail has delivered a \
             digest for each of them, as CloudTrail does every hour.",
        );
        self.run(&["coverage", "--all"]).await
    }

    async fn run_setup(&self) -> Result<(), Failure> {
        self.console.heading("2. Set up");
        self.console.paragraph(
            "Setup finds the trail, the bucket and the key, and shows its plan; --yes skips the \
             confirmation. Heeler provides the ARN of the role to trust. The external ID is a \
             shared secret: Heeler must present it to assume the role.",
        );
        let role = self.org.heeler_role_arn();
        let words = [
            "setup",
            "--option",
            "s3",
            "--yes",
            "--generate-external-id",
            "--heeler-role-arn",
            &role,
        ];
        self.run(&words).await
    }

    async fn read_outputs(&self) -> Result<Outputs, Failure> {
        self.console.heading("6. Get the three values for Heeler");
        self.console
            .paragraph("Outputs reads the values from AWS at any time. There is no state file.");
        let words = ["outputs", "--output", "json"];
        self.show_command(&words).await?;
        let output = self.program(&words).stdout(Stdio::piped()).output().await;
        let output = output.map_err(|cause| Failure::Error(cause.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        self.console.echo(&text);
        self.check_status(&words, output.status)?;
        Outputs::parse(&text)
            .ok_or_else(|| Failure::Error("the output does not have the three values".into()))
    }

    async fn run_tail(&self) -> Result<(), Failure> {
        let files = log_files::files(&self.org);
        let events: usize = files.iter().map(|file| file.records.len()).sum();
        self.console.heading("7. Watch events arrive");
        self.console.paragraph(&format!(
            "Tail receives from a temporary queue, so it takes no message from Heeler. Meanwhile the \
             demo acts as CloudTrail: it puts {} log files of four accounts with {events} events \
             into the bucket, and a digest file, which tail skips. One of the events is a denied call.",
            files.len()
        ));
        let limit = events.to_string();
        let words = ["tail", "--limit", &limit, "--timeout", "30s"];
        self.show_command(&words).await?;
        let calls = self.org.proxy().total();
        let mut tail = self
            .program(&words)
            .spawn()
            .map_err(|cause| Failure::Error(cause.to_string()))?;
        let deliveries = async {
            self.wait_until_tail_receives(calls).await?;
            let (org, region) = (&self.org, log_files::REGIONS[0]);
            let (key, content) = log_files::digest(org, org.account(), region);
            self.org.put(&key, content).await;
            for file in &files {
                sleep(DELIVERY_INTERVAL).await;
                self.check_interrupt()?;
                self.org.deliver(file).await;
            }
            Ok(())
        };
        let (status, delivered) = tokio::join!(tail.wait(), deliveries);
        self.check_status(
            &words,
            status.map_err(|cause| Failure::Error(cause.to_string()))?,
        )?;
        delivered
    }

    /// Waits until the program receives messages, after a number of calls of earlier programs.
    async fn wait_until_tail_receives(&self, earlier_calls: usize) -> Result<(), Failure> {
        let started = Instant::now();
        while !self
            .org
            .proxy()
            .calls_since(earlier_calls)
            .iter()
            .any(|call| call.operation == "ReceiveMessage")
        {
            self.check_interrupt()?;
            if started.elapsed() > TIMEOUT {
                return Err(Failure::Error("tail does not receive messages".into()));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn receive_as_heeler(&self, outputs: &Outputs) -> Result<(), Failure> {
        self.console.heading("8. Receive as Heeler");
        self.console.paragraph(
            "Now the demo acts as Heeler: from another account and with only the three values, it \
             assumes the role, receives the messages from the queue, and reads the log files that they \
             name.",
        );
        self.pause().await?;
        self.console.blank_line();
        if self
            .org
            .assume_as_heeler(&outputs.role, "guessed")
            .await
            .is_ok()
        {
            return Err(Failure::Error(
                "the role accepts a wrong external ID".into(),
            ));
        }
        self.console
            .verified("the role rejects a wrong external ID");
        let session = self
            .org
            .assume_as_heeler(&outputs.role, &outputs.external_id)
            .await;
        let session = session.map_err(|cause| error("Heeler cannot assume the role", &cause))?;
        self.console
            .verified("the role accepts the right external ID");
        let expected = log_files::files(&self.org);
        let bodies = session
            .receive_within(
                &outputs.queue,
                expected.len() + TEST_EVENTS + CANARIES,
                TIMEOUT,
            )
            .await;
        let bodies = bodies.map_err(|cause| error("Heeler cannot receive", &cause))?;
        let mut events = 0;
        for key in bodies.iter().filter_map(|body| log_key(body)) {
            let object = session.object(self.org.bucket(), &key).await;
            let object = object.map_err(|cause| error("Heeler cannot read a log file", &cause))?;
            let records = heeler_ec::cloudtrail::log_file::collect_records(&object, u64::MAX);
            events += records
                .map_err(|cause| error("a log file", &cause.to_string()))?
                .len();
        }
        let expected_events: usize = expected.iter().map(|file| file.records.len()).sum();
        let expected_events = expected_events + CANARIES;
        if events != expected_events {
            return Err(Failure::Error(format!(
                "Heeler received {events} of {expected_events} events"
            )));
        }
        self.console.verified(&format!(
            "received {} messages and read all {events} events from the bucket",
            bodies.len()
        ));
        Ok(())
    }

    /// Destroys the deployment, as the step with this number, and verifies that nothing else has changed.
    pub(crate) async fn run_destroy(
        &self,
        number: u8,
        deleted: &str,
        before: &Value,
    ) -> Result<(), Failure> {
        self.console.heading(&format!("{number}. Destroy"));
        self.console.paragraph(
            "Destroy deletes only what setup created. AWS deletes a KMS key after a waiting period, so \
             destroy schedules its deletion.",
        );
        self.run(&["destroy", "--yes"]).await?;
        self.console.blank_line();
        let left = self.org.leftovers().await;
        if !left.is_empty() {
            return Err(Failure::Error(format!("destroy left {}", left.join(", "))));
        }
        self.console.verified(deleted);
        if self.org.notification().await != *before {
            return Err(Failure::Error(
                "the notifications of the bucket have changed".into(),
            ));
        }
        self.console.verified(
            "the bucket still notifies the topic, the queue, the function and EventBridge",
        );
        Ok(())
    }

    /// Prints a command line, runs it on this terminal, and expects success.
    pub(crate) async fn run(&self, words: &[&str]) -> Result<(), Failure> {
        self.show_command(words).await?;
        let status = self.program(words).status().await;
        self.check_status(
            words,
            status.map_err(|cause| Failure::Error(cause.to_string()))?,
        )
    }

    pub(crate) async fn show_command(&self, words: &[&str]) -> Result<(), Failure> {
        self.pause().await?;
        self.console.command(words);
        Ok(())
    }

    /// The program with the administrator's credentials, without the AWS settings of this environment.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let terminal = TERMINAL_VARIABLES
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .env_clear()
            .envs(terminal)
            .envs(self.org.env_for(&self.administrator))
            .env("AWS_ENDPOINT_URL", self.org.endpoint())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) fn check_status(&self, words: &[&str], status: ExitStatus) -> Result<(), Failure> {
        self.check_interrupt()?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::Error(format!(
            "heeler-ec {} exited with {status}",
            words[0]
        )))
    }

    async fn pause(&self) -> Result<(), Failure> {
        self.check_interrupt()?;
        if self.console.is_terminal() {
            let mut interrupts = self.interrupts.clone();
            tokio::select! {
                () = sleep(READING_TIME) => {}
                _ = interrupts.wait_for(|count| *count > 0) => {}
            }
        }
        self.check_interrupt()
    }

    /// Fails after an interrupt.
    fn check_interrupt(&self) -> Result<(), Failure> {
        if *self.interrupts.borrow() > 0 {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }
}

/// The three values for Heeler.
struct Outputs {
    queue: String,
    role: String,
    external_id: String,
}

impl Outputs {
    fn parse(text: &str) -> Option<Outputs> {
        let document: Value = serde_json::from_str(text).ok()?;
        let values = document.get("result")?;
        let value = |name: &str| Some(values.get(name)?.as_str()?.to_owned());
        Some(Outputs {
            queue: value("heeler_event_queue_url")?,
            role: value("heeler_event_role_arn")?,
            external_id: value("heeler_event_role_external_id")?,
        })
    }
}

/// The key of the log file in a notification, if there is one.
fn log_key(body: &str) -> Option<String> {
    let notification = heeler_ec::cloudtrail::s3_notification::parse(body).ok()?;
    notification
        .objects
        .first()
        .map(|object| object.key.clone())
}

/// Delivers a digest for each account and region, before setup makes the bucket notify the topic of their keys.
async fn deliver_digests(org: &Organization) {
    let members = org.members().iter().map(String::as_str);
    for account in std::iter::once(org.account()).chain(members) {
        for region in log_files::REGIONS {
            let (key, content) = log_files::digest(org, account, region);
            org.put(&key, content).await;
        }
    }
}

/// The path of the program, which Cargo builds into the folder above this example.
fn program() -> Result<PathBuf, Failure> {
    let name = format!("heeler-ec{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe()
        .ok()
        .and_then(|example| Some(example.parent()?.parent()?.join(name)))
        .filter(|program| program.exists())
        .ok_or_else(|| Failure::Error("heeler-ec is not built: run `make demo`".into()))
}

pub(crate) fn error(operation: &str, cause: &str) -> Failure {
    Failure::Error(format!("{operation}: {cause}"))
}
