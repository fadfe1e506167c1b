//! Ctrl-C: the first asks to end, with clean-up; the second ends at once and says what is left.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::error::{Exit, Result};
use crate::render::Ui;

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

    /// What the first interrupt sets off; without it the command just ends.
    pub fn set_cleanup_message(&self, how: &'static str) {
        *self
            .cleanup_message
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    /// What to say when the clean-up is cut short: what is left, and what has to be done with it.
    pub fn set_leftovers(&self, lines: Vec<String>) {
        *self
            .leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lines;
    }

    /// Says what has to be done by hand, because the clean-up failed.
    pub fn print_leftovers(&self, ui: Ui) {
        print_lines(ui, &self.leftovers);
    }
}

/// Runs a command until it ends, or until somebody insists.
pub(crate) async fn run_until_second_ctrl_c<F>(
    ui: Ui,
    work: impl FnOnce(Interrupt) -> F,
) -> Result<Exit>
where
    F: Future<Output = Result<Exit>>,
{
    let cancellation = CancellationToken::new();
    let interrupt = Interrupt {
        cancellation: cancellation.clone(),
        leftovers: Arc::default(),
        cleanup_message: Arc::default(),
    };
    let (left, cleaning) = (
        Arc::clone(&interrupt.leftovers),
        Arc::clone(&interrupt.cleanup_message),
    );
    let work = work(interrupt);
    tokio::select! {
        ended = work => ended,
        () = wait_for_two_signals(ui, &cancellation, &cleaning) => {
            print_lines(ui, &left);
            Ok(Exit::Interrupted)
        }
    }
}

fn print_lines(ui: Ui, left: &Mutex<Vec<String>>) {
    let left = left.lock().unwrap_or_else(PoisonError::into_inner);
    if !left.is_empty() {
        left.iter().for_each(|line| ui.warn_unwrapped(line));
    }
}

async fn wait_for_two_signals(
    ui: Ui,
    cancellation: &CancellationToken,
    cleaning: &Mutex<Option<&'static str>>,
) {
    next_signal().await;
    if let Some(how) = *cleaning.lock().unwrap_or_else(PoisonError::into_inner) {
        ui.status(&format!("Interrupted: {how}. Ctrl-C again leaves at once."));
    }
    cancellation.cancel();
    next_signal().await;
}

/// Waits for Ctrl-C, or for a polite end by the system.
async fn next_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                heard = tokio::signal::ctrl_c() => { if heard.is_err() { std::future::pending::<()>().await; } }
                _ = ended.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a signal handler the system's own rule holds: the program ends.
        std::future::pending::<()>().await;
    }
}
