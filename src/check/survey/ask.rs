//! How the survey asks: a few calls at a time, and none for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::aws::Aws;

/// So many calls are under way at once: AWS throttles accounts, not programs.
const AT_ONCE: usize = 8;

/// A service that hangs costs its own lines only.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Clients for one region, and a place in the queue that all regions share.
#[derive(Clone)]
pub(super) struct Ask {
    /// For the one question that may wait for a person to sign in.
    patient: Aws,
    aws: Aws,
    turns: Arc<Semaphore>,
}

impl Ask {
    pub fn new(aws: &Aws) -> Self {
        Self {
            patient: aws.clone(),
            aws: aws.within(LIMIT),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    pub fn at(&self, region: &str) -> Self {
        Self {
            aws: self.aws.at(region),
            ..self.clone()
        }
    }

    pub fn patient(&self) -> &Aws {
        &self.patient
    }

    pub fn region(&self) -> &str {
        self.aws.region()
    }

    /// Waits for a turn: the clients, for as long as the turn is held. Whoever holds one must not ask for another.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            aws: &self.aws,
            _permit: self.turns.clone().acquire_owned().await.ok(),
        }
    }
}

pub(super) struct Turn<'a> {
    aws: &'a Aws,
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for Turn<'_> {
    type Target = Aws;

    fn deref(&self) -> &Aws {
        self.aws
    }
}
