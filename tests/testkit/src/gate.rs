//! A gate at which calls wait until the test opens it, so that no test depends on how long a call takes.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A gate that is closed at first. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<GateState>);

#[derive(Debug)]
struct GateState {
    /// Has no permits; it is closed when the gate is opened.
    barrier: Semaphore,
    /// Has a permit for each call that has arrived and that no `wait_for_call` has returned for.
    arrivals: Semaphore,
    /// Has a permit for each call that the gate still waits for, if it opens by itself.
    expected_calls: Option<Semaphore>,
}

impl Gate {
    /// Creates a gate that only [`Gate::open`] opens.
    pub fn closed() -> Gate {
        Gate::new(None)
    }

    /// Creates a gate that opens when this many calls wait at it.
    pub fn opening_at(calls: usize) -> Gate {
        Gate::new(Some(Semaphore::new(calls)))
    }

    fn new(expected_calls: Option<Semaphore>) -> Gate {
        Gate(Arc::new(GateState {
            barrier: Semaphore::new(0),
            arrivals: Semaphore::new(0),
            expected_calls,
        }))
    }

    /// Lets all calls pass, now and later.
    pub fn open(&self) {
        self.0.barrier.close();
    }

    /// Waits until a further call has arrived at the gate.
    pub async fn wait_for_call(&self) {
        let arrival = self.0.arrivals.acquire().await;
        arrival.expect("a semaphore that is never closed").forget();
    }

    /// Waits as a call: until the gate is open.
    pub(crate) async fn pass(&self) {
        self.0.arrivals.add_permits(1);
        if let Some(expected) = &self.0.expected_calls {
            expected.forget_permits(1);
            if expected.available_permits() == 0 {
                self.open();
            }
        }
        // The only result is the error that the semaphore is closed.
        let _ = self.0.barrier.acquire().await;
    }
}
