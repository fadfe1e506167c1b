//! The resources that setup creates under fixed names.

use crate::check_id::CheckId;
use crate::naming::ResourceNames;

/// A resource that has its own name. The name must be available before setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedResource {
    Role,
    Policy,
    FunctionRole,
    FunctionPolicy,
    Queue,
    DeadLetterQueue,
    FifoQueue,
    DeadLetterFifoQueue,
    KeyAlias,
    Topic,
    Function,
}

/// An AWS resource type whose instances are found by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedResourceType {
    Role,
    Policy,
    Queue,
    KeyAlias,
    Topic,
    Function,
}

impl NamedResource {
    /// Returns the type, which decides how the name is looked up.
    #[must_use]
    pub fn resource_type(self) -> NamedResourceType {
        match self {
            Self::Role | Self::FunctionRole => NamedResourceType::Role,
            Self::Policy | Self::FunctionPolicy => NamedResourceType::Policy,
            Self::Queue | Self::DeadLetterQueue | Self::FifoQueue | Self::DeadLetterFifoQueue => {
                NamedResourceType::Queue
            }
            Self::KeyAlias => NamedResourceType::KeyAlias,
            Self::Topic => NamedResourceType::Topic,
            Self::Function => NamedResourceType::Function,
        }
    }

    /// Returns true for IAM resources, whose names are unique in the account rather than in a region.
    #[must_use]
    pub fn is_global(self) -> bool {
        matches!(
            self.resource_type(),
            NamedResourceType::Role | NamedResourceType::Policy
        )
    }

    /// Returns true for IAM roles.
    #[must_use]
    pub fn is_role(self) -> bool {
        self.resource_type() == NamedResourceType::Role
    }

    /// Returns the ID of the check for the name.
    #[must_use]
    pub fn check(self) -> CheckId {
        match self {
            Self::Role => CheckId::NamesRole,
            Self::Policy => CheckId::NamesPolicy,
            Self::FunctionRole => CheckId::NamesFunctionRole,
            Self::FunctionPolicy => CheckId::NamesFunctionPolicy,
            Self::Queue | Self::FifoQueue => CheckId::NamesQueue,
            Self::DeadLetterQueue | Self::DeadLetterFifoQueue => CheckId::NamesDeadLetterQueue,
            Self::KeyAlias => CheckId::NamesAlias,
            Self::Topic => CheckId::NamesTopic,
            Self::Function => CheckId::NamesFunction,
        }
    }

    /// Returns the name that setup would use.
    #[must_use]
    pub fn name(self, names: &ResourceNames) -> String {
        match self {
            Self::Role => names.role(),
            Self::Policy => names.policy(),
            Self::FunctionRole => names.function_role(),
            Self::FunctionPolicy => names.function_policy(),
            Self::Queue => names.queue(),
            Self::DeadLetterQueue => names.dead_letter_queue(),
            Self::FifoQueue => names.fifo_queue(),
            Self::DeadLetterFifoQueue => names.dead_letter_fifo_queue(),
            Self::KeyAlias => names.key_alias(),
            Self::Topic => names.topic(),
            Self::Function => names.function(),
        }
    }
}
