//! Ctrl-C: the first one cancels the command, which cleans up; the second one exits immediately and lists what is left.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::outcome::CommandOutcome;
use crate::error::{Error, Result};
use crate::render::Ui;

/// The cancellation of a command, and the messages for an interrupted one.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    cancellation: CancellationToken,
    leftovers: Arc<Mutex<Vec<String>>>,
    cleanup_message: Arc<Mutex<Option<&'static str>>>,
}

impl Interrupt {
    pub fn cancellation(&self) -> CancellationToken {
        self.cancellation.clone()
    }

    /// Sets the action that the first Ctrl-C announces. Without one the command just ends.
    pub fn set_cleanup_message(&self, message: &'static str) {
        *self
            .cleanup_message
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    /// Sets the lines to print if the clean-up is cut short: what is left, and how to remove it.
    pub fn set_leftovers(&self, lines: Vec<String>) {
        *self
            .leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lines;
    }

    /// Prints these lines, because the clean-up failed.
    pub fn print_leftovers(&self, ui: Ui) {
        print_lines(ui, &self.leftovers);
    }
}

/// Runs a command until it ends, or until the second Ctrl-C.
pub(crate) async fn run_until_second_ctrl_c<F>(
    ui: Ui,
    work: impl FnOnce(Interrupt) -> F,
) -> Result<CommandOutcome>
where
    F: Future<Output = Result<CommandOutcome>>,
{
    let cancellation = CancellationToken::new();
    let interrupt = Interrupt {
        cancellation: cancellation.clone(),
        leftovers: Arc::default(),
        cleanup_message: Arc::default(),
    };
    let leftovers = Arc::clone(&interrupt.leftovers);
    let cleanup_message = Arc::clone(&interrupt.cleanup_message);
    let work = work(interrupt);
    tokio::select! {
        result = work => result,
        () = wait_for_two_signals(ui, &cancellation, &cleanup_message) => {
            print_lines(ui, &leftovers);
            Err(Error::interrupted("the clean-up was not completed"))
        }
    }
}

fn print_lines(ui: Ui, lines: &Mutex<Vec<String>>) {
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().for_each(|line| ui.warn_unwrapped(line));
}

async fn wait_for_two_signals(
    ui: Ui,
    cancellation: &CancellationToken,
    cleanup_message: &Mutex<Option<&'static str>>,
) {
    next_signal().await;
    let message = *cleanup_message
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(message) = message {
        ui.status(&format!(
            "Interrupted: {message}. Press Ctrl-C again to exit immediately."
        ));
    }
    cancellation.cancel();
    next_signal().await;
}

/// Waits for Ctrl-C (SIGINT) or SIGTERM.
async fn next_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                received = tokio::signal::ctrl_c() => {
                    if received.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a signal handler the default of the system applies: the program ends.
        std::future::pending::<()>().await;
    }
}
