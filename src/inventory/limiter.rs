//! How the survey asks: a few calls at a time, and none for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::aws::Aws;
use crate::inventory::facts::NameOwners;
use crate::inventory::memo::Memo;

/// So many calls are under way at once: AWS throttles accounts, not programs.
const MAX_CALLS_IN_FLIGHT: usize = 8;

/// So many of them are kept for what others wait for: else the first call of a long way would queue behind the last
/// ones of short ways.
const RESERVED_CALLS: usize = 2;

/// A service that hangs costs its own lines only.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Clients for one region, and a place in the queue that all regions share.
#[derive(Clone)]
pub(crate) struct LimitedClients {
    /// For the one question that may wait for a person to sign in.
    without_timeout: Aws,
    aws: Aws,
    shared: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    /// Whether others wait for what is asked.
    prioritized: bool,
    /// Who has the names that setup would take, by option and place: the same for every trail.
    pub name_owners: Arc<Memo<NameOwners>>,
}

impl LimitedClients {
    pub fn new(aws: &Aws) -> Self {
        Self {
            without_timeout: aws.clone(),
            aws: aws.with_timeout(CALL_TIMEOUT),
            shared: Arc::new(Semaphore::new(MAX_CALLS_IN_FLIGHT - RESERVED_CALLS)),
            reserved: Arc::new(Semaphore::new(RESERVED_CALLS)),
            prioritized: false,
            name_owners: Arc::default(),
        }
    }

    pub fn at(&self, region: &str) -> Self {
        Self {
            aws: self.aws.in_region(region),
            ..self.clone()
        }
    }

    /// For the calls of the longest ways.
    pub fn prioritized(&self) -> Self {
        Self {
            prioritized: true,
            ..self.clone()
        }
    }

    pub fn without_timeout(&self) -> &Aws {
        &self.without_timeout
    }

    pub fn region(&self) -> &str {
        self.aws.region()
    }

    /// Waits for a turn: the clients, for as long as the turn is held. Whoever holds one must not ask for another.
    pub async fn acquire(&self) -> ClientPermit<'_> {
        let any = self.shared.clone().acquire_owned();
        let permit = if self.prioritized {
            tokio::select! {
                biased;
                kept = self.reserved.clone().acquire_owned() => kept,
                any = any => any,
            }
        } else {
            any.await
        };
        ClientPermit {
            aws: &self.aws,
            _permit: permit.ok(),
        }
    }
}

pub(crate) struct ClientPermit<'a> {
    aws: &'a Aws,
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for ClientPermit<'_> {
    type Target = Aws;

    fn deref(&self) -> &Aws {
        self.aws
    }
}
