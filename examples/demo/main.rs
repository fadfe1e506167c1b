//! Demonstrates `heeler-ec` on a simulated organization on this machine, from preflight to destroy. With the argument
//! `direct`, demonstrates a setup for another vendor.

mod console;
mod direct;
mod log_files;
mod steps;

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::ctrl_c;
use tokio::sync::watch;

use console::Console;
use steps::{Demo, Failure};
use testkit::{Emulator, Engine};

/// The time limit of the whole demo.
const TIME_LIMIT: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let console = Console::new();
    if is_direct() {
        direct::show_introduction(&console);
    } else {
        steps::show_introduction(&console);
    }
    // Until the signal handler is installed, Ctrl-C ends this process and the emulator with it.
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run_demo(&console, &emulator)),
        Err(error) => Err(Failure::Error(error.to_string())),
    };
    // The emulator must run until the last request.
    drop(emulator);
    match ended {
        Ok(()) => {
            steps::show_conclusion(&console);
            ExitCode::SUCCESS
        }
        Err(Failure::Interrupted) => {
            console.paragraph(
                "Interrupted. The emulator has stopped. Nothing is left on this machine.",
            );
            ExitCode::from(130)
        }
        Err(Failure::Error(message)) => {
            console.paragraph(&format!("The demo failed: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns true for the variant with another vendor.
fn is_direct() -> bool {
    std::env::args().nth(1).as_deref() == Some("direct")
}

/// Runs all steps. The first Ctrl-C lets the running program clean up, the second ends the demo at once.
async fn run_demo(console: &Console, emulator: &Emulator) -> Result<(), Failure> {
    let (sender, interrupts) = watch::channel(0);
    let mut second_interrupt = interrupts.clone();
    let steps = async {
        let demo = Demo::prepare(console, emulator, interrupts).await?;
        if is_direct() {
            demo.run_direct_steps().await
        } else {
            demo.run_steps().await
        }
    };
    tokio::select! {
        result = steps => result,
        () = count_interrupts(sender) => Err(Failure::Interrupted),
        _ = second_interrupt.wait_for(|count| *count > 1) => Err(Failure::Interrupted),
        () = tokio::time::sleep(TIME_LIMIT) => {
            Err(Failure::Error(format!("not complete after {TIME_LIMIT:?}")))
        }
    }
}

/// Counts the interrupts.
async fn count_interrupts(sender: watch::Sender<u32>) {
    while ctrl_c().await.is_ok() {
        sender.send_modify(|count| *count += 1);
    }
    // Without a signal handler the system ends the process on Ctrl-C.
    std::future::pending::<()>().await;
}
