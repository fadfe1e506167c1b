//! The deadline of `--timeout`: the time after which `tail` ends if no event arrives.

use std::time::Duration;

use tokio::time::Instant;

/// A deadline that each event moves.
pub(super) struct IdleTimeout {
    timeout: Duration,
    deadline: Instant,
}

impl IdleTimeout {
    pub fn start(timeout: Duration) -> Self {
        Self {
            timeout,
            deadline: deadline_after(timeout),
        }
    }

    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Starts the timeout again at the time of an event. Returns false if that is not later than the deadline.
    pub fn restart_from(&mut self, event: Instant) -> bool {
        match event.checked_add(self.timeout) {
            Some(later) if later > self.deadline => {
                self.deadline = later;
                true
            }
            _ => false,
        }
    }

    /// Moves the deadline by a time in which no event could arrive, such as an outage.
    pub fn extend(&mut self, by: Duration) {
        self.deadline = self.deadline.checked_add(by).unwrap_or(self.deadline);
    }
}

/// The deadline for a timeout, limited to a year from now if the clock cannot represent it.
fn deadline_after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + Duration::from_secs(86_400 * 365))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    /// The seconds until the deadline.
    fn seconds_left(idle: &IdleTimeout) -> u64 {
        (idle.deadline() - Instant::now()).as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn event_restarts_the_timeout() {
        let mut idle = IdleTimeout::start(Duration::from_secs(60));
        advance(Duration::from_secs(50)).await;
        assert_eq!(seconds_left(&idle), 10);
        assert!(idle.restart_from(Instant::now()));
        assert_eq!(seconds_left(&idle), 60);
        assert!(!idle.restart_from(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn outage_does_not_count_towards_the_timeout() {
        let mut idle = IdleTimeout::start(Duration::from_secs(60));
        advance(Duration::from_secs(50)).await;
        idle.extend(Duration::from_secs(40));
        assert_eq!(seconds_left(&idle), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn longest_timeout_is_a_year() {
        let mut idle = IdleTimeout::start(Duration::MAX);
        assert_eq!(seconds_left(&idle), 86_400 * 365);
        idle.extend(Duration::MAX);
        assert_eq!(seconds_left(&idle), 86_400 * 365);
    }
}
