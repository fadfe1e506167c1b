//! Ctrl-C: the first one cancels the command, which cleans up; the second one exits immediately and lists what is left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::outcome::CommandOutcome;
use crate::error::{Error, Result};
use crate::render::Ui;
use crate::render::message::{Message, Notice};
use crate::render::notices::interrupt::CleanUp;

/// The cancellation of a command, and the messages for an interrupted one.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    cancellation: CancellationToken,
    leftovers: Arc<Mutex<Option<Message>>>,
    clean_up: Arc<Mutex<Option<CleanUp>>>,
}

impl Interrupt {
    pub fn cancellation(&self) -> CancellationToken {
        self.cancellation.clone()
    }

    /// Sets the action that the first Ctrl-C announces. Without one the command just ends.
    pub fn set_clean_up(&self, clean_up: CleanUp) {
        *lock(&self.clean_up) = Some(clean_up);
    }

    /// Forgets the action, because it is complete.
    pub fn clear_clean_up(&self) {
        *lock(&self.clean_up) = None;
    }

    /// Sets the message to print if the clean-up is cut short: what is left, and how to remove it.
    pub fn set_leftovers(&self, notice: &dyn Notice) {
        *lock(&self.leftovers) = Some(notice.message());
    }

    /// Forgets the message, because nothing is left.
    pub fn clear_leftovers(&self) {
        *lock(&self.leftovers) = None;
    }

    /// Prints the message, because the clean-up failed.
    pub fn print_leftovers(&self, ui: Ui) {
        print_message(ui, &self.leftovers);
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
    let signals = EndSignals::register();
    let cancellation = CancellationToken::new();
    let interrupt = Interrupt {
        cancellation: cancellation.clone(),
        leftovers: Arc::default(),
        clean_up: Arc::default(),
    };
    let leftovers = Arc::clone(&interrupt.leftovers);
    let clean_up = Arc::clone(&interrupt.clean_up);
    let work = work(interrupt);
    tokio::select! {
        result = work => result,
        () = wait_for_two_signals(signals, ui, &cancellation, &clean_up) => {
            print_message(ui, &leftovers);
            Err(Error::interrupted("the clean-up was not completed"))
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print_message(ui: Ui, message: &Mutex<Option<Message>>) {
    if let Some(message) = &*lock(message) {
        ui.message(message);
    }
}

async fn wait_for_two_signals(
    mut signals: EndSignals,
    ui: Ui,
    cancellation: &CancellationToken,
    clean_up: &Mutex<Option<CleanUp>>,
) {
    signals.next().await;
    let clean_up = *lock(clean_up);
    if let Some(clean_up) = clean_up {
        ui.notify(&clean_up);
    }
    cancellation.cancel();
    signals.next().await;
}

/// The signals that end a command: Ctrl-C (SIGINT) and SIGTERM.
///
/// A signal that the system refuses to report keeps its default action: the program ends.
struct EndSignals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl EndSignals {
    /// Registers the signals at once, so that one that arrives before the first wait is not lost.
    fn register() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = received(self.interrupt.as_mut()) => {}
            () = received(self.terminate.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(not(unix))]
impl EndSignals {
    fn register() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
