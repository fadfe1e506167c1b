//! The operator's wish to end early: no new call is begun, those under way are finished.

use tokio::sync::watch;

#[derive(Clone, Debug)]
pub struct CancellationToken(watch::Receiver<bool>);

/// The other end, held by whoever hears the signal.
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    #[must_use]
    pub fn new() -> (Self, CancellationToken) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), CancellationToken(receiver))
    }

    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl CancellationToken {
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked for; for ever when nobody can ask any more.
    pub async fn cancelled(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
