//! The operator's wish to end early: no new call is begun, those under way are finished.

use tokio::sync::watch;

#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The other end, held by whoever hears the signal.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    #[must_use]
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    #[must_use]
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked for; for ever when nobody can ask any more.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
