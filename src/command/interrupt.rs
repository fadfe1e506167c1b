//! Ctrl-C: the first asks to end, with clean-up; the second ends at once and says what is left.

use std::sync::{Arc, Mutex, PoisonError};

use crate::converge::stop::{Stop, Stopper};
use crate::error::{Exit, Result};
use crate::render::Ui;

#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    stop: Stop,
    left: Arc<Mutex<Vec<String>>>,
}

impl Interrupt {
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// What has to be done by hand when the clean-up is cut short.
    pub fn leaves(&self, lines: Vec<String>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }
}

/// Runs a command until it ends, or until somebody insists.
pub(crate) async fn until_second<F>(ui: Ui, work: impl FnOnce(Interrupt) -> F) -> Result<Exit>
where
    F: Future<Output = Result<Exit>>,
{
    let (stopper, stop) = Stopper::new();
    let interrupt = Interrupt { stop, left: Arc::default() };
    let left = Arc::clone(&interrupt.left);
    let work = work(interrupt);
    tokio::select! {
        ended = work => ended,
        () = twice(ui, &stopper) => {
            let left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if !left.is_empty() {
                ui.alert("Left behind; to remove it by hand:");
                left.iter().for_each(|line| ui.alert(&format!("  {line}")));
            }
            Ok(Exit::Interrupted)
        }
    }
}

async fn twice(ui: Ui, stopper: &Stopper) {
    heard().await;
    ui.story("Interrupted: finishing what is under way. Press Ctrl-C again to leave at once.");
    stopper.stop();
    heard().await;
}

/// Waits for Ctrl-C, or for a polite end by the system.
async fn heard() {
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
