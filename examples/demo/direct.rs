//! The steps of the demo for another vendor: S3 events of a bucket directly to a queue.

use std::process::Stdio;

use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;

use crate::console::Console;
use crate::steps::{Demo, Failure, TIMEOUT, error};

/// The options that select the variant.
const ARGUMENTS: [&str; 5] = ["--option", "s3", "--direct", "--vendor", "generic"];
const PREFIX: &str = "flow-logs/";
/// The keys of the objects that the demo creates. The last one is beside the prefix.
const OBJECTS: [&str; 3] = ["flow-logs/one.gz", "flow-logs/two.gz", "other/three.gz"];

/// Prints the introduction.
pub fn show_introduction(console: &Console) {
    console.heading("heeler-ec, S3 events for another vendor");
    console.paragraph(
        "This demo runs on this machine only: an emulator (ministack, on 127.0.0.1) takes the place of AWS. A vendor \
         other than Heeler reads objects of a bucket. S3 sends their events directly to a queue, without a trail and a \
         topic.",
    );
}

impl Demo<'_> {
    /// Runs all steps, until the first failure.
    pub async fn run_direct_steps(self) -> Result<(), Failure> {
        let before = self.org.notification().await;
        let bucket = self.org.bucket().to_owned();
        let objects = ["--bucket", &bucket, "--object-prefix", PREFIX];
        let command = |words: &[&'static str]| [words, &ARGUMENTS].concat();
        self.console.heading("1. Check the prerequisites");
        self.console.paragraph(
            "Preflight checks the bucket and the names only. An organization and a trail are not needed.",
        );
        self.run(&[&command(&["preflight"])[..], &objects].concat())
            .await?;
        self.console.heading("2. Set up");
        self.console.paragraph(
            "Setup creates the queues, the policy of the queue, the role, and its own entry in the notifications of the \
             bucket. The entries of others stay unchanged.",
        );
        let role = self.org.heeler_role_arn();
        let trust = [
            "--yes",
            "--generate-external-id",
            "--vendor-role-arn",
            &role,
        ];
        self.run(&[&command(&["setup"])[..], &objects, &trust].concat())
            .await?;
        self.console.heading("3. See the status");
        self.console.paragraph(
            "Status evaluates each hop between the bucket and the role that the vendor assumes.",
        );
        self.run(&["status"]).await?;
        self.receive_as_vendor().await?;
        let deleted = "the queues, role, policy and grant are deleted";
        self.run_destroy(5, deleted, &before).await?;
        let violations = self.org.proxy().violations();
        if violations.is_empty() {
            return Ok(());
        }
        let message = format!("AWS would reject: {}", violations.join("; "));
        Err(Failure::Error(message))
    }

    async fn receive_as_vendor(&self) -> Result<(), Failure> {
        self.console.heading("4. Receive as the vendor");
        self.console.paragraph(
            "The demo creates three objects, one of them beside the prefix. Then it acts as the vendor: with the values of \
             outputs, it assumes the role, receives the events and reads the objects.",
        );
        let words = ["outputs", "--output", "json"];
        self.show_command(&words).await?;
        let output = self.program(&words).stdout(Stdio::piped()).output().await;
        let output = output.map_err(|cause| Failure::Error(cause.to_string()))?;
        self.check_status(&words, output.status)?;
        let text = String::from_utf8_lossy(&output.stdout);
        self.console.echo(&text);
        let document: Value =
            serde_json::from_str(&text).map_err(|cause| error("outputs", &cause.to_string()))?;
        let value = |name: &str| document["result"][name].as_str().unwrap_or_default();
        for key in OBJECTS {
            let put = self.org.clients().s3.put_object().bucket(self.org.bucket());
            let put = put.key(key).body(ByteStream::from_static(b"content"));
            let put = put.send().await;
            put.map_err(|cause| error("create an object", &cause.to_string()))?;
        }
        let (role, id) = (value("role_arn"), value("external_id"));
        let session = self.org.assume_as_heeler(role, id).await;
        let session =
            session.map_err(|cause| error("the vendor cannot assume the role", &cause))?;
        // S3 also sends a test event.
        let bodies = session.receive_within(value("queue_url"), 3, TIMEOUT).await;
        let bodies = bodies.map_err(|cause| error("the vendor cannot receive", &cause))?;
        let mut read = 0;
        for body in &bodies {
            let event: Value = serde_json::from_str(body).unwrap_or_default();
            let Some(key) = event["Records"][0]["s3"]["object"]["key"].as_str() else {
                continue;
            };
            let object = session.object(self.org.bucket(), key).await;
            object.map_err(|cause| error("the vendor cannot read an object", &cause))?;
            read += 1;
        }
        if read != 2 {
            return Err(Failure::Error(format!(
                "the vendor read {read} of 2 objects"
            )));
        }
        self.console.blank_line();
        self.console
            .verified("the vendor received two raw S3 events and read their objects");
        if session.object(self.org.bucket(), OBJECTS[2]).await.is_ok() {
            return Err(Failure::Error(
                "the role reads objects beside the prefix".into(),
            ));
        }
        self.console
            .verified("the role may not read the object beside the prefix");
        Ok(())
    }
}
