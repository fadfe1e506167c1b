//! How the survey asks: a few calls at a time, and none for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::facts::Taken;
use super::once::Once;
use crate::aws::Aws;

/// So many calls are under way at once: AWS throttles accounts, not programs.
const AT_ONCE: usize = 8;

/// So many of them are kept for what others wait for: else the first call of a long way would queue behind the last
/// ones of short ways.
const KEPT: usize = 2;

/// A service that hangs costs its own lines only.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Clients for one region, and a place in the queue that all regions share.
#[derive(Clone)]
pub(super) struct Ask {
    /// For the one question that may wait for a person to sign in.
    patient: Aws,
    aws: Aws,
    turns: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    /// Whether others wait for what is asked.
    ahead: bool,
    /// Who has the names that setup would take, by option and place: the same for every trail.
    pub taken: Arc<Once<Taken>>,
}

impl Ask {
    pub fn new(aws: &Aws) -> Self {
        Self {
            patient: aws.clone(),
            aws: aws.within(LIMIT),
            turns: Arc::new(Semaphore::new(AT_ONCE - KEPT)),
            kept: Arc::new(Semaphore::new(KEPT)),
            ahead: false,
            taken: Arc::default(),
        }
    }

    pub fn at(&self, region: &str) -> Self {
        Self {
            aws: self.aws.at(region),
            ..self.clone()
        }
    }

    /// For the calls of the longest ways.
    pub fn ahead(&self) -> Self {
        Self {
            ahead: true,
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
        let any = self.turns.clone().acquire_owned();
        let permit = if self.ahead {
            tokio::select! {
                biased;
                kept = self.kept.clone().acquire_owned() => kept,
                any = any => any,
            }
        } else {
            any.await
        };
        Turn {
            aws: &self.aws,
            _permit: permit.ok(),
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
