//! The one retry loop, and the one wait for a write to show.

use std::time::Duration;

use tokio::time::Instant;

use super::stop::Stop;
use crate::error::{Error, Result};

/// How waits grow, and how long a write may take to show.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub first: Duration,
    pub longest: Duration,
    pub settle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(5),
            settle: Duration::from_secs(120),
        }
    }
}

/// The waits of one loop: growing, and ended by a deadline or by the operator.
pub(crate) struct Pauses<'a> {
    began: Instant,
    next: Duration,
    longest: Duration,
    stop: &'a Stop,
}

impl<'a> Pauses<'a> {
    pub(crate) fn new(patience: Patience, stop: &'a Stop) -> Self {
        Self {
            began: Instant::now(),
            next: patience.first,
            longest: patience.longest,
            stop,
        }
    }

    /// Waits, unless `budget` is used up; then false.
    pub(crate) async fn pause(&mut self, budget: Duration, doing: &str) -> Result<bool> {
        let left = budget.saturating_sub(self.began.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(self.next.min(left)) => {}
            () = stop.wait() => return Err(Error::interrupted(doing)),
        }
        self.next = (self.next * 2).min(self.longest);
        Ok(true)
    }

    pub(crate) fn waited(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Patience {
    /// Makes a call again while its refusal is one of those that pass by themselves.
    ///
    /// # Errors
    /// The refusal that is final, or that did not pass in its time.
    pub async fn insist<T>(
        &self,
        budget_for: impl Fn(&Error) -> Option<Duration>,
        stop: &Stop,
        told: impl Fn(&Error),
        mut call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let mut pauses = Pauses::new(*self, stop);
        loop {
            let refusal = match call().await {
                Ok(done) => return Ok(done),
                Err(refusal) => refusal,
            };
            let Some(budget) = budget_for(&refusal) else {
                return Err(refusal);
            };
            told(&refusal);
            if !pauses.pause(budget, refusal.doing()).await? {
                let waited = pauses.waited().as_secs();
                let hint = refusal.what_to_do().map_or_else(
                    || {
                        "run the same command again in a few minutes; it goes on where it stopped"
                            .to_owned()
                    },
                    str::to_owned,
                );
                return Err(refusal.hint(format!("AWS still refused after {waited} s; {hint}")));
            }
        }
    }
}
