//! Facts about a KMS key.

use std::time::SystemTime;

use crate::aws::arn::Arn;
use crate::error::Error;
use crate::inventory::fact::Fact;

/// The facts about a key that was looked up by its ID, ARN or alias.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// The key ID, ARN or alias that was looked up.
    pub identifier: String,
    pub key: Fact<KmsKeyDetails>,
    /// The key policy; not requested for keys of accounts without credentials.
    pub policy: Fact<String>,
    /// Grants whose grantee is the role that Heeler assumes.
    pub grants: Fact<Vec<KmsGrantFacts>>,
}

impl KeyFacts {
    /// Returns true if `name` is the key's ID, ARN or the identifier that was looked up.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        let Some(key) = self.key.present() else {
            return self.identifier == name;
        };
        self.identifier == name || key.arn == name || key.arn.rsplit('/').next() == Some(name)
    }

    #[must_use]
    pub fn is_managed_by_aws(&self) -> bool {
        self.key.present().is_some_and(|key| !key.customer_managed)
    }

    /// Returns the key's ARN if it is known, and otherwise the identifier that was looked up.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key
            .present()
            .map_or(self.identifier.as_str(), |key| &key.arn)
    }

    /// Returns the account of the key, as far as its ARN is known.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        Arn::parse(self.name()).map(|arn| arn.account)
    }

    /// Returns true if the role that Heeler assumes has a grant to decrypt.
    #[must_use]
    pub fn has_decrypt_grant(&self) -> bool {
        let grants = self.grants.present().into_iter().flatten();
        grants
            .flat_map(|grant| &grant.operations)
            .any(|operation| operation == "Decrypt")
    }

    /// Returns the errors of all failed calls.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self {
            identifier: _,
            key,
            policy,
            grants,
        } = self;
        [key.error(), policy.error(), grants.error()]
            .into_iter()
            .flatten()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKeyDetails {
    pub arn: String,
    pub account: String,
    pub state: String,
    pub description: String,
    pub customer_managed: bool,
    pub deletion_date: Option<SystemTime>,
    /// Expiry of imported key material.
    pub key_material_expires: Option<SystemTime>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsGrantFacts {
    pub name: Option<String>,
    pub operations: Vec<String>,
}
