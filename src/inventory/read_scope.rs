//! The context in which a bucket and its topic are read.

use super::facts::{Organization, Trail};
use super::{Fact, InventoryRequest};
use crate::aws::CallerIdentity;

/// The context in which a bucket is read.
#[derive(Clone, Copy)]
pub(super) struct ReadScope<'a> {
    pub trail: &'a Trail,
    pub caller: &'a CallerIdentity,
    pub organization: &'a Fact<Organization>,
    pub request: &'a InventoryRequest,
}
