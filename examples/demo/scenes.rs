//! The scenes of the demo: what is told, which command runs, and what is proved after it.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::logs;
use crate::stage::Stage;
use testkit::organization::allow;
use testkit::{Emulator, Organization};

/// Time to read what was told before the next command scrolls it away.
const READING: Duration = Duration::from_millis(2500);
/// Time between two deliveries, so that one sees them come.
const DELIVERY: Duration = Duration::from_millis(700);
/// How long the program may take to listen, and Heeler to receive.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the program is to learn from the terminal that it shares with the demo.
const TERMINAL: [&str; 7] = [
    "PATH",
    "TERM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "NO_COLOR",
    "COLORTERM",
];

/// Why the demo did not get to its end.
pub enum Failure {
    Interrupted,
    Broken(String),
}

/// What the audience is told before anything starts.
pub fn opening(stage: &Stage) {
    stage.heading("heeler-ec, from an empty account to Heeler receiving events");
    stage.say(
        "Everything happens on this machine: an emulator (ministack, on 127.0.0.1) answers in the \
         place of AWS. No AWS account is needed, nothing costs anything, and nothing is left \
         afterwards. The program is the real one. Half a minute; Ctrl-C ends it.",
    );
}

/// What the audience can do next.
pub fn closing(stage: &Stage) {
    stage.heading("The end");
    stage.say(
        "The emulator has ended. It did not show everything: it does not check who may decrypt, and \
         AWS takes minutes to deliver. On AWS the same commands work in the organization's \
         management account; begin with the first, which only reads:",
    );
    stage.command(&["preflight"]);
}

/// A simulated organization, and the program that is shown on it.
pub struct Scenes<'a> {
    stage: &'a Stage,
    presses: watch::Receiver<u32>,
    program: PathBuf,
    org: Organization,
    administrator: Credentials,
}

impl<'a> Scenes<'a> {
    /// Makes the organization.
    pub async fn prepare(
        stage: &'a Stage,
        emulator: &Emulator,
        presses: watch::Receiver<u32>,
    ) -> Result<Scenes<'a>, Failure> {
        let program = program()?;
        let org = Organization::in_emulator(emulator)
            .bucket_key()
            .other_notifications()
            .build()
            .await;
        let administrator = org.user("you", &allow("*")).await;
        Ok(Scenes {
            stage,
            presses,
            program,
            org,
            administrator,
        })
    }

    /// Plays everything in order, to the end or to the first failure.
    pub async fn play(self) -> Result<(), Failure> {
        let before = self.org.notification().await;
        self.introduce();
        self.check().await?;
        self.set_up().await?;
        let outputs = self.read_outputs().await?;
        self.watch_events().await?;
        self.be_heeler(&outputs).await?;
        self.take_down(&before).await
    }

    fn introduce(&self) {
        let (stage, org) = (self.stage, &self.org);
        stage.heading("The organization");
        stage.say("This is what an operator finds:");
        stage.gap();
        stage.row(
            "organization",
            &format!("{}, four accounts", org.organization_id()),
        );
        stage.row(
            "you",
            &format!(
                "an administrator of its management account {}",
                org.account()
            ),
        );
        stage.row(
            "trail",
            &format!("{}: all accounts, all regions", org.trail()),
        );
        stage.row(
            "bucket",
            &format!("{}, encrypted with a KMS key", org.bucket()),
        );
        stage.row(
            "notified",
            "by this bucket already: a topic, a queue, a function and EventBridge, of other teams; \
             they must not notice anything",
        );
    }

    async fn check(&self) -> Result<(), Failure> {
        self.stage.heading("1. Is the organization ready?");
        self.stage.say(
            "Preflight only reads. It warns of two things here, and is right: the root user asks, and \
             requests go to an emulator. What is skipped does not concern this organization. Without \
             --option it compares the two ways to Heeler.",
        );
        self.run(&["preflight", "--option", "s3"]).await
    }

    async fn set_up(&self) -> Result<(), Failure> {
        self.stage.heading("2. Set it up");
        self.stage.say(
            "Setup finds trail, bucket and key by itself, shows what it will make, and would now \
             ask; --yes answers. The one thing that AWS cannot tell is the role to trust, which \
             Heeler's console shows. The external id is a password of sorts: Heeler has to name it \
             to get in.",
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
        self.stage.heading("3. The three values for Heeler");
        self.stage.say("They can be asked for at any time, also by a script. There is no state file: AWS knows them.");
        let words = ["outputs", "--output", "json"];
        self.announce(&words).await?;
        let ran = self.program(&words).stdout(Stdio::piped()).output().await;
        let ran = ran.map_err(|why| Failure::Broken(why.to_string()))?;
        let text = String::from_utf8_lossy(&ran.stdout);
        self.stage.echo(&text);
        self.ended(&words, ran.status)?;
        Outputs::read(&text)
            .ok_or_else(|| Failure::Broken("the outputs are not the three values".into()))
    }

    async fn watch_events(&self) -> Result<(), Failure> {
        let files = logs::files(&self.org);
        let events: usize = files.iter().map(|file| file.records.len()).sum();
        self.stage.heading("4. Do events arrive?");
        self.stage.say(&format!(
            "Tail listens with a queue of its own, so that Heeler misses nothing. Meanwhile the \
             demo does what CloudTrail does every five minutes or so: it puts log files of four \
             accounts into the bucket, {} of them with {events} events, and a digest file, which \
             holds no events and is skipped. One of the events is a refused call.",
            files.len()
        ));
        let limit = events.to_string();
        let words = ["tail", "--limit", &limit, "--timeout", "30s"];
        self.announce(&words).await?;
        let mut tail = self
            .program(&words)
            .spawn()
            .map_err(|why| Failure::Broken(why.to_string()))?;
        let deliveries = async {
            self.listened_to().await?;
            let (key, content) = logs::digest(&self.org);
            self.org.put(&key, content).await;
            for file in &files {
                sleep(DELIVERY).await;
                self.go_on()?;
                self.org.deliver(file).await;
            }
            Ok(())
        };
        let (status, delivered) = tokio::join!(tail.wait(), deliveries);
        self.ended(
            &words,
            status.map_err(|why| Failure::Broken(why.to_string()))?,
        )?;
        delivered
    }

    /// Waits until the program waits for messages.
    async fn listened_to(&self) -> Result<(), Failure> {
        let started = Instant::now();
        while !self
            .org
            .proxy()
            .calls()
            .iter()
            .any(|call| call.operation == "ReceiveMessage")
        {
            self.go_on()?;
            if started.elapsed() > PATIENCE {
                return Err(Failure::Broken("tail does not listen".into()));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn be_heeler(&self, outputs: &Outputs) -> Result<(), Failure> {
        self.stage.heading("5. Does Heeler get them?");
        self.stage.say(
            "Now the demo plays Heeler: with nothing but the three values it enters the role from \
             an account of its own, takes the messages out of the queue, and reads the log files \
             that they name.",
        );
        self.pause().await?;
        self.stage.gap();
        if self
            .org
            .assume_as_heeler(&outputs.role, "guessed")
            .await
            .is_ok()
        {
            return Err(Failure::Broken(
                "the role lets in whoever guesses an external id".into(),
            ));
        }
        self.stage
            .proved("with a wrong external id the role lets nobody in");
        let inside = self
            .org
            .assume_as_heeler(&outputs.role, &outputs.external_id)
            .await;
        let inside = inside.map_err(|why| broken("Heeler cannot enter the role", &why))?;
        self.stage.proved("with the right one Heeler is in");
        let expected = logs::files(&self.org);
        let bodies = inside
            .receive(&outputs.queue, expected.len() + 1, PATIENCE)
            .await;
        let bodies = bodies.map_err(|why| broken("Heeler cannot receive", &why))?;
        let mut events = 0;
        for key in bodies.iter().filter_map(|body| log_key(body)) {
            let object = inside.object(self.org.bucket(), &key).await;
            let object = object.map_err(|why| broken("Heeler cannot read a log file", &why))?;
            let records = heeler_ec::cloudtrail::log_file::collect_records(&object, u64::MAX);
            events += records
                .map_err(|why| broken("a log file", &why.to_string()))?
                .len();
        }
        let wanted: usize = expected.iter().map(|file| file.records.len()).sum();
        if events != wanted {
            return Err(Failure::Broken(format!(
                "Heeler got {events} of {wanted} events"
            )));
        }
        self.stage.proved(&format!(
            "{} messages received, and all {events} events read out of the bucket",
            bodies.len()
        ));
        Ok(())
    }

    async fn take_down(&self, before: &Value) -> Result<(), Failure> {
        self.stage.heading("6. Take it down again");
        self.stage.say(
            "Destroy removes what setup made and nothing else. AWS deletes keys only after a time \
             of grace, so the key is scheduled.",
        );
        self.run(&["destroy", "--yes"]).await?;
        self.stage.gap();
        let left = self.org.leftovers().await;
        if !left.is_empty() {
            return Err(Failure::Broken(format!("destroy left {}", left.join(", "))));
        }
        self.stage
            .proved("queues, topic, subscriptions, role, policy, alias and grant are gone");
        if self.org.notification().await != *before {
            return Err(Failure::Broken(
                "the bucket's notifications are not as they were".into(),
            ));
        }
        self.stage.proved(
            "the bucket notifies the topic, the queue, the function and EventBridge as before",
        );
        Ok(())
    }

    /// Shows a command line, runs it on the audience's terminal, and expects success.
    async fn run(&self, words: &[&str]) -> Result<(), Failure> {
        self.announce(words).await?;
        let status = self.program(words).status().await;
        self.ended(
            words,
            status.map_err(|why| Failure::Broken(why.to_string()))?,
        )
    }

    async fn announce(&self, words: &[&str]) -> Result<(), Failure> {
        self.pause().await?;
        self.stage.command(words);
        Ok(())
    }

    /// The program as the administrator would start it, with nothing of the audience's own AWS settings.
    fn program(&self, words: &[&str]) -> Command {
        let terminal = TERMINAL
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

    fn ended(&self, words: &[&str], status: ExitStatus) -> Result<(), Failure> {
        self.go_on()?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::Broken(format!(
            "heeler-ec {} ended with {status}",
            words[0]
        )))
    }

    async fn pause(&self) -> Result<(), Failure> {
        self.go_on()?;
        if self.stage.is_watched() {
            let mut presses = self.presses.clone();
            tokio::select! {
                () = sleep(READING) => {}
                _ = presses.wait_for(|times| *times > 0) => {}
            }
        }
        self.go_on()
    }

    /// Ends the demo between two steps when that was asked for.
    fn go_on(&self) -> Result<(), Failure> {
        if *self.presses.borrow() > 0 {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }
}

/// The three values.
struct Outputs {
    queue: String,
    role: String,
    external_id: String,
}

impl Outputs {
    fn read(text: &str) -> Option<Outputs> {
        let values: Value = serde_json::from_str(text).ok()?;
        let value = |name: &str| Some(values.get(name)?.as_str()?.to_owned());
        Some(Outputs {
            queue: value("heeler_event_queue_url")?,
            role: value("heeler_event_role_arn")?,
            external_id: value("heeler_event_role_external_id")?,
        })
    }
}

/// The log file that a message announces; none if it announces something else.
fn log_key(body: &str) -> Option<String> {
    let notice = heeler_ec::cloudtrail::s3_notification::parse(body).ok()?;
    notice.objects.first().map(|object| object.key.clone())
}

/// The program that was built with this example: it lies one folder up.
fn program() -> Result<PathBuf, Failure> {
    let name = format!("heeler-ec{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.parent()?.join(name)))
        .filter(|program| program.exists())
        .ok_or_else(|| Failure::Broken("the program is not built: run `make demo`".into()))
}

fn broken(what: &str, why: &str) -> Failure {
    Failure::Broken(format!("{what}: {why}"))
}
