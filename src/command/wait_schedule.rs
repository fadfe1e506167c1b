//! The pauses of `--wait`: reads are repeated with growing pauses until a time limit.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// The pauses between reads until a time limit.
pub(super) struct WaitSchedule {
    end: Instant,
    pause: Duration,
}

/// A pause, and the time until the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WaitPause {
    pub pause: Duration,
    pub remaining: Duration,
}

impl WaitSchedule {
    /// Starts the time limit.
    pub fn start(limit: Duration) -> Self {
        Self {
            end: Instant::now() + limit,
            pause: FIRST_PAUSE,
        }
    }

    /// Returns the pause before the next read; `None` if the time is up.
    pub fn next_pause(&mut self) -> Option<WaitPause> {
        let remaining = self.end.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return None;
        }
        let pause = self.pause.min(remaining);
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        Some(WaitPause { pause, remaining })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_the_limit() {
        let mut schedule = WaitSchedule::start(Duration::from_secs(40));
        let mut pauses = Vec::new();
        while let Some(next) = schedule.next_pause() {
            pauses.push((next.pause.as_secs(), next.remaining.as_secs()));
            advance(next.pause).await;
        }
        assert_eq!(
            pauses,
            [(1, 40), (2, 39), (4, 37), (8, 33), (15, 25), (10, 10)]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn limit_of_zero_has_no_pause() {
        assert_eq!(WaitSchedule::start(Duration::ZERO).next_pause(), None);
    }
}
