//! Ctrl-C: the first asks to end, with clean-up; the second ends at once and says what is left.

use std::sync::{Arc, Mutex, PoisonError};

use crate::converge::stop::{Stop, Stopper};
use crate::error::{Exit, Result};
use crate::render::Ui;

#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    stop: Stop,
    left: Arc<Mutex<Vec<String>>>,
    cleaning: Arc<Mutex<Option<&'static str>>>,
}

impl Interrupt {
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// What the first interrupt sets off; without it the command just ends.
    pub fn cleans_up(&self, how: &'static str) {
        *self.cleaning.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    /// What to say when the clean-up is cut short: what is left, and what has to be done with it.
    pub fn leaves(&self, lines: Vec<String>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }

    /// Says what has to be done by hand, because the clean-up failed.
    pub fn tell_left(&self, ui: Ui) {
        tell(ui, &self.left);
    }
}

/// Runs a command until it ends, or until somebody insists.
pub(crate) async fn until_second<F>(ui: Ui, work: impl FnOnce(Interrupt) -> F) -> Result<Exit>
where
    F: Future<Output = Result<Exit>>,
{
    let (stopper, stop) = Stopper::new();
    let interrupt = Interrupt {
        stop,
        left: Arc::default(),
        cleaning: Arc::default(),
    };
    let (left, cleaning) = (Arc::clone(&interrupt.left), Arc::clone(&interrupt.cleaning));
    let work = work(interrupt);
    tokio::select! {
        ended = work => ended,
        () = twice(ui, &stopper, &cleaning) => {
            tell(ui, &left);
            Ok(Exit::Interrupted)
        }
    }
}

fn tell(ui: Ui, left: &Mutex<Vec<String>>) {
    let left = left.lock().unwrap_or_else(PoisonError::into_inner);
    if !left.is_empty() {
        left.iter().for_each(|line| ui.alert_as_it_is(line));
    }
}

async fn twice(ui: Ui, stopper: &Stopper, cleaning: &Mutex<Option<&'static str>>) {
    heard().await;
    if let Some(how) = *cleaning.lock().unwrap_or_else(PoisonError::into_inner) {
        ui.story(&format!("Interrupted: {how}. Ctrl-C again leaves at once."));
    }
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
