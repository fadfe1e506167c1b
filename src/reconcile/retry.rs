//! Retries with exponential backoff, and the wait for a write to become visible.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::hint::Hint;

/// Growth of the pauses between attempts, and the time that a write may take to become visible.
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

/// Growing pauses of one loop, which end at a deadline or when the run is cancelled.
pub(crate) struct Backoff<'a> {
    started: Instant,
    next_pause: Duration,
    longest_pause: Duration,
    cancellation: &'a CancellationToken,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(policy: RetryPolicy, cancellation: &'a CancellationToken) -> Self {
        Self {
            started: Instant::now(),
            next_pause: policy.first_pause,
            longest_pause: policy.longest_pause,
            cancellation,
        }
    }

    /// Pauses and returns true, or returns false if `budget` is used up.
    ///
    /// # Errors
    /// If the run is cancelled meanwhile; `operation` is named in the error.
    pub(crate) async fn wait(&mut self, budget: Duration, operation: &str) -> Result<bool> {
        let remaining = budget.saturating_sub(self.started.elapsed());
        if remaining.is_zero() {
            return Ok(false);
        }
        tokio::select! {
            () = tokio::time::sleep(self.next_pause.min(remaining)) => {}
            () = self.cancellation.cancelled() => return Err(Error::interrupted(format!("did not {operation}"))),
        }
        self.next_pause = (self.next_pause * 2).min(self.longest_pause);
        Ok(true)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl RetryPolicy {
    /// Repeats a call while `budget_for` gives its refusal time to pass.
    ///
    /// # Errors
    /// A final refusal, or one that lasted longer than its budget.
    pub async fn retry<T>(
        &self,
        budget_for: impl Fn(&Error) -> Option<Duration>,
        cancellation: &CancellationToken,
        on_refusal: impl Fn(&Error),
        mut call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let mut backoff = Backoff::new(*self, cancellation);
        loop {
            let refusal = match call().await {
                Ok(value) => return Ok(value),
                Err(refusal) => refusal,
            };
            let Some(budget) = budget_for(&refusal) else {
                return Err(refusal);
            };
            on_refusal(&refusal);
            if !backoff.wait(budget, refusal.operation()).await? {
                let seconds = backoff.elapsed().as_secs();
                let lead = Hint::from(format!("AWS still refused after {seconds} s; "));
                let hint = lead.and(refusal.hint().unwrap_or(&RERUN_LATER.into()));
                return Err(refusal.with_hint(hint));
            }
        }
    }
}

/// Hint for a write that AWS did not complete in time.
pub(super) const RERUN_LATER: &str = "run the same command again in a few minutes to continue";
