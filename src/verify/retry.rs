//! Repeats a read while AWS does not respond or limits the number of calls.

use std::time::Duration;

use tokio::time::sleep;

use crate::error::Result;
use crate::tail::retry::RetrySchedule;

/// The time after which an outage of AWS ends a run.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// Repeats a read with growing pauses while it fails with a transient error.
///
/// # Errors
/// The error of the read, if it is not transient or the outage takes too long.
pub(super) async fn retry_transient<T>(mut read: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut schedule = RetrySchedule::new(GIVE_UP_AFTER);
    loop {
        match read().await {
            Err(error) if error.is_transient() => match schedule.record_failure() {
                Some(delay) => sleep(delay).await,
                None => return Err(error),
            },
            result => return result,
        }
    }
}
