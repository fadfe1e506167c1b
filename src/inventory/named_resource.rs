//! The resources that setup creates under fixed names.

use crate::naming::ResourceNames;

/// A resource with a name of its own, which must be available before setup.
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

impl NamedResource {
    /// Returns true for IAM resources, whose names are unique in the account rather than in a region.
    #[must_use]
    pub fn is_global(self) -> bool {
        matches!(
            self,
            Self::Role | Self::Policy | Self::FunctionRole | Self::FunctionPolicy
        )
    }

    /// Returns true for IAM roles.
    #[must_use]
    pub fn is_role(self) -> bool {
        matches!(self, Self::Role | Self::FunctionRole)
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
