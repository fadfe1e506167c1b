//! Shows the whole way of an event, from a simulated organization's CloudTrail to Heeler, on this machine only.
mod logs;
mod scenes;
mod stage;

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::ctrl_c;
use tokio::sync::watch;

use scenes::{Failure, Scenes};
use stage::Stage;
use testkit::{Emulator, Engine};

/// More than any step takes; then something hangs.
const LONGEST: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let stage = Stage::new();
    scenes::opening(&stage);
    // Until here Ctrl-C ends this process, and the emulator ends with it.
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(perform(&stage, &emulator)),
        Err(why) => Err(Failure::Broken(why.to_string())),
    };
    // Only now, when nobody asks it any more.
    drop(emulator);
    match ended {
        Ok(()) => {
            scenes::closing(&stage);
            ExitCode::SUCCESS
        }
        Err(Failure::Interrupted) => {
            stage.say("Interrupted. The emulator has ended, and nothing is left behind.");
            ExitCode::from(130)
        }
        Err(Failure::Broken(why)) => {
            stage.say(&format!("The demo failed: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays all scenes. The first Ctrl-C lets the program that runs clean up, the second ends all.
async fn perform(stage: &Stage, emulator: &Emulator) -> Result<(), Failure> {
    let (pressed, heard) = watch::channel(0);
    let mut insisted = heard.clone();
    let scenes = async { Scenes::prepare(stage, emulator, heard).await?.play().await };
    tokio::select! {
        ended = scenes => ended,
        () = count(pressed) => Err(Failure::Interrupted),
        _ = insisted.wait_for(|times| *times > 1) => Err(Failure::Interrupted),
        () = tokio::time::sleep(LONGEST) => {
            Err(Failure::Broken(format!("it was not over after {LONGEST:?}")))
        }
    }
}

/// Counts how often Ctrl-C was pressed.
async fn count(pressed: watch::Sender<u32>) {
    while ctrl_c().await.is_ok() {
        pressed.send_modify(|times| *times += 1);
    }
    // Without a signal handler the system's own rule holds: the process ends.
    std::future::pending::<()>().await;
}
