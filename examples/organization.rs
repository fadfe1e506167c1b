//! Simulates an organization on this machine until standard input ends, and prints its environment variables, to try
//! the program by hand. The argument is a delay of every call in milliseconds.

#![expect(clippy::print_stdout, reason = "printing is its purpose")]

use std::time::Duration;

use testkit::{CloudTrailDelays, Emulator, Engine, LogFile, Organization, log_file};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() {
    let emulator = Emulator::own(Engine::Ministack);
    let org = Organization::in_emulator(&emulator)
        .bucket_key()
        .other_notifications()
        .log_group()
        .build()
        .await;
    let delay = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or_default();
    org.proxy().delay(Duration::from_millis(delay));
    // For the canaries of verify.
    let (soon, later) = (Duration::from_secs(1), Duration::from_secs(3));
    org.play_cloudtrail(CloudTrailDelays {
        history: Some(soon),
        bucket: Some(later),
        log_group: Some(later),
    });
    println!("export AWS_ENDPOINT_URL={}", org.endpoint());
    for (name, value) in org.env() {
        if name.starts_with("AWS_") {
            println!("export {name}={value}");
        }
    }
    let role = org.heeler_role_arn();
    println!("# heeler-ec setup --option s3 --generate-external-id --heeler-role-arn {role}");
    println!(
        "# heeler-ec setup --option cloudwatch --generate-external-id --heeler-role-arn {role}"
    );
    println!(
        "# Enter delivers two events to the bucket and the log group. Ctrl-D stops the emulator."
    );
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let account = &org.members()[0];
        let records = vec![
            log_file::event(
                account,
                "eu-west-1",
                "iam.amazonaws.com",
                "CreateUser",
                false,
            ),
            log_file::event(
                account,
                "eu-west-1",
                "s3.amazonaws.com",
                "ListBuckets",
                true,
            ),
        ];
        let texts: Vec<String> = records.iter().map(ToString::to_string).collect();
        org.put_log_events(&texts).await;
        let key = org
            .deliver(&LogFile::new(account, "eu-west-1", records))
            .await;
        println!("# delivered {key}");
    }
}
