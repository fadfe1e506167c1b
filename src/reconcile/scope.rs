//! Scopes: the account and region of each resource, and the connection to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::error::{Error, Result};

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub account: String,
    pub region: String,
}

impl Scope {
    #[must_use]
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {}, region {}", self.account, self.region)
    }
}

/// Connects to the cloud `C` in a scope.
#[async_trait]
pub trait CloudProvider<C>: Sync {
    /// Returns the clients for a scope. A plan calls it once per scope.
    ///
    /// # Errors
    /// A denial makes the scope unavailable; any other error fails the plan.
    async fn connect(&self, scope: &Scope) -> Result<Arc<C>>;
}

/// The clients of every scope of a graph, or the denial.
pub(super) struct Connections<C>(BTreeMap<Scope, Result<Arc<C>>>);

impl<C: Sync> Connections<C> {
    /// Connects to all scopes concurrently.
    pub(super) async fn open(
        scopes: BTreeSet<&Scope>,
        provider: &dyn CloudProvider<C>,
    ) -> Result<Self> {
        let opened = join_all(scopes.iter().map(|scope| provider.connect(scope))).await;
        let mut connections = BTreeMap::new();
        for (scope, connection) in scopes.into_iter().zip(opened) {
            match connection {
                Err(failure) if !failure.is_denied() => return Err(failure),
                connection => connections.insert(scope.clone(), connection),
            };
        }
        Ok(Self(connections))
    }

    pub(super) fn cloud(&self, scope: &Scope) -> Result<&C> {
        match self.0.get(scope) {
            Some(Ok(cloud)) => Ok(cloud),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Error::failed(
                format!("connect to {scope}"),
                "the scope is not part of the plan",
            )),
        }
    }
}
