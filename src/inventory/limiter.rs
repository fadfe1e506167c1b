//! AWS clients with a limit on concurrent calls and on the duration of each call.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fact::Fact;
use super::facts::NameOwner;
use super::memo::Memo;
use crate::aws::Aws;

/// Maximum number of concurrent calls. AWS throttles calls per account, so all clients share this limit.
const MAX_CALLS_IN_FLIGHT: usize = 8;

/// Number of concurrent calls that are reserved for prioritized clients. Without them, the first call of a long chain
/// would wait for the last calls of short chains.
const RESERVED_CALLS: usize = 2;

/// Time limit of a call, so that a service without a response affects only its own checks.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Clients for one region. All regions share the limit on concurrent calls.
#[derive(Clone)]
pub(super) struct LimitedClients {
    /// Clients without a time limit, for the call that may wait for the user to sign in.
    without_timeout: Aws,
    aws: Aws,
    shared: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    /// True if other calls wait for the results.
    prioritized: bool,
    /// Owners of the names that setup would use, which are the same for every trail.
    pub name_owners: Arc<Memo<Fact<NameOwner>>>,
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

    pub fn in_region(&self, region: &str) -> Self {
        Self {
            aws: self.aws.in_region(region),
            ..self.clone()
        }
    }

    /// Returns clients with the credentials of the management account.
    pub fn in_management_account(&self) -> Self {
        Self {
            aws: self.aws.management().clone(),
            ..self.clone()
        }
    }

    /// Returns clients for the calls on the critical path.
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

    /// Waits until another call may start. A caller that holds a permit must not acquire a second one.
    pub async fn acquire(&self) -> ClientPermit<'_> {
        let shared = self.shared.clone().acquire_owned();
        let permit = if self.prioritized {
            tokio::select! {
                biased;
                reserved = self.reserved.clone().acquire_owned() => reserved,
                shared = shared => shared,
            }
        } else {
            shared.await
        };
        ClientPermit {
            aws: &self.aws,
            _permit: permit.ok(),
        }
    }
}

/// A permit for one call. It gives access to the clients until it is dropped.
pub(super) struct ClientPermit<'a> {
    aws: &'a Aws,
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for ClientPermit<'_> {
    type Target = Aws;

    fn deref(&self) -> &Aws {
        self.aws
    }
}
