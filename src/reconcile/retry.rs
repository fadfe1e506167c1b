//! The one retry loop, and the one wait for a write to show.

use std::time::Duration;

use tokio::time::Instant;

use super::cancel::CancellationToken;
use crate::error::{Error, Result};
use crate::hint::Hint;

/// How waits grow, and how long a write may take to show.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub first_pause: Duration,
    pub longest_pause: Duration,
    pub visibility_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(5),
            visibility_timeout: Duration::from_secs(120),
        }
    }
}

/// The waits of one loop: growing, and ended by a deadline or by the operator.
pub(crate) struct Backoff<'a> {
    started: Instant,
    next_pause: Duration,
    longest_pause: Duration,
    cancellation: &'a CancellationToken,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(patience: RetryPolicy, cancellation: &'a CancellationToken) -> Self {
        Self {
            started: Instant::now(),
            next_pause: patience.first_pause,
            longest_pause: patience.longest_pause,
            cancellation,
        }
    }

    /// Waits, unless `budget` is used up; then false.
    pub(crate) async fn wait(&mut self, budget: Duration, doing: &str) -> Result<bool> {
        let left = budget.saturating_sub(self.started.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        let mut stop = self.cancellation.clone();
        tokio::select! {
            () = tokio::time::sleep(self.next_pause.min(left)) => {}
            () = stop.cancelled() => return Err(Error::interrupted(format!("did not {doing}"))),
        }
        self.next_pause = (self.next_pause * 2).min(self.longest_pause);
        Ok(true)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl RetryPolicy {
    /// Makes a call again while its refusal is one of those that pass by themselves.
    ///
    /// # Errors
    /// The refusal that is final, or that did not pass in its time.
    pub async fn retry<T>(
        &self,
        budget_for: impl Fn(&Error) -> Option<Duration>,
        stop: &CancellationToken,
        told: impl Fn(&Error),
        mut call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let mut pauses = Backoff::new(*self, stop);
        loop {
            let refusal = match call().await {
                Ok(done) => return Ok(done),
                Err(refusal) => refusal,
            };
            let Some(budget) = budget_for(&refusal) else {
                return Err(refusal);
            };
            told(&refusal);
            if !pauses.wait(budget, refusal.operation()).await? {
                let waited = pauses.elapsed().as_secs();
                let waited = Hint::from(format!("AWS still refused after {waited} s; "));
                let default = "run the same command again in a few minutes to continue".into();
                let hint = waited.and(refusal.hint().unwrap_or(&default));
                return Err(refusal.with_hint(hint));
            }
        }
    }
}
