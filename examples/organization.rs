//! Simulates an organization on this machine until its input ends, and prints how to reach it: for trying the
//! program by hand. An argument is a number of milliseconds by which every call is delayed, as if it were far away.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

#[path = "../tests/harness/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "an example uses a part of the harness"
)]
mod harness;

use std::time::Duration;

use harness::{Emulator, Engine, Object, World, object};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() {
    let emulator = Emulator::own(Engine::Ministack);
    let world = World::in_emulator(&emulator)
        .bucket_key()
        .foreign_notifications()
        .log_group()
        .build()
        .await;
    let delay = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or_default();
    world.proxy().delay(Duration::from_millis(delay));
    println!("export AWS_ENDPOINT_URL={}", world.endpoint());
    for (name, value) in world.env() {
        if name.starts_with("AWS_") {
            println!("export {name}={value}");
        }
    }
    let role = world.heeler_role_arn();
    println!("# heeler-ec setup --option s3 --generate-external-id --heeler-role-arn {role}");
    println!(
        "# heeler-ec setup --option cloudwatch --generate-external-id --heeler-role-arn {role}"
    );
    println!(
        "# Enter delivers two events, in an object and to the log group; the end of input ends the organization."
    );
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let account = &world.members()[0];
        let records = vec![
            object::event(
                account,
                "eu-west-1",
                "iam.amazonaws.com",
                "CreateUser",
                false,
            ),
            object::event(
                account,
                "eu-west-1",
                "s3.amazonaws.com",
                "ListBuckets",
                true,
            ),
        ];
        let texts: Vec<String> = records.iter().map(ToString::to_string).collect();
        world.log(&texts).await;
        let key = world
            .deliver(&Object::new(account, "eu-west-1", records))
            .await;
        println!("# delivered {key}");
    }
}
