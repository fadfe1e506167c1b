//! The arguments of setup and plan, as one value.

use super::delivery_option::DeliveryOption;
use crate::inventory::InventoryRequest;
use crate::secret::ExternalId;

/// A setup that the operator asks for.
#[derive(Clone, Debug)]
pub struct SetupRequest {
    pub option: &'static dyn DeliveryOption,
    /// The search hints, the accepted findings, and the adoption of existing resources.
    pub inventory: InventoryRequest,
    pub trust: TrustRequest,
    /// The requested IAM path of the roles; `None` for the current one.
    pub role_path: Option<String>,
    /// Only a plan is shown: an external ID is generated if none is known, since plans mask it.
    pub dry_run: bool,
}

/// The trust of the role. Empty fields keep the values of an existing role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustRequest {
    pub heeler_roles: Vec<String>,
    pub external_id: Option<ExternalId>,
    /// Generate an external ID if there is none yet.
    pub generate_external_id: bool,
}
