//! Connects the reconciliation engine to AWS.

use std::sync::Arc;

use async_trait::async_trait;

use crate::aws::Aws;
use crate::aws::clients::Clients;
use crate::error::Result;
use crate::reconcile::scope::{CloudProvider, Scope};

#[async_trait]
impl CloudProvider<Aws> for Clients {
    async fn connect(&self, scope: &Scope) -> Result<Arc<Aws>> {
        self.in_scope(&scope.account, &scope.region).await
    }
}
