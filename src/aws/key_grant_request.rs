//! The grant that the owner of a KMS key in another account creates for a role of this account.

use super::arn::Arn;

/// A grant that only the account of the key can create. A key policy may delegate it, but the key's owner decides that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrantRequest {
    /// ARN of the key.
    pub key_arn: String,
    /// ARN of the role that may decrypt.
    pub grantee: String,
    /// Name of the grant, which makes the command idempotent.
    pub name: String,
}

impl KeyGrantRequest {
    /// Returns the request if the key, given by its ARN, belongs to another account than the role. Grants and policies
    /// cannot name an alias.
    #[must_use]
    pub fn for_key(key: &str, grantee: &str, name: &str) -> Option<Self> {
        let arn = Arn::parse(key)?;
        let is_of_other_account = Arn::parse(grantee)?.account != arn.account;
        (is_of_other_account && arn.resource.starts_with("key/")).then(|| Self {
            key_arn: key.to_owned(),
            grantee: grantee.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the account of the key.
    #[must_use]
    pub fn owner(&self) -> &str {
        Arn::parse(&self.key_arn).map_or("", |arn| arn.account)
    }

    /// Returns the command that creates the grant. KMS accepts it only while the role exists.
    #[must_use]
    pub fn create_command(&self) -> String {
        let Self { grantee, name, .. } = self;
        let options = format!("--grantee-principal {grantee} --operations Decrypt --name {name}");
        self.command("create-grant", &options)
    }

    /// Returns the command that lists the grants of the role.
    #[must_use]
    pub fn list_command(&self) -> String {
        let options = format!("--grantee-principal {}", self.grantee);
        self.command("list-grants", &options)
    }

    /// Returns the command that lists all grants of the name. The grantee of a deleted role is shown as its unique ID.
    #[must_use]
    pub fn list_all_command(&self) -> String {
        let options = format!("--query \"Grants[?Name=='{}']\"", self.name);
        self.command("list-grants", &options)
    }

    /// Returns the command that revokes the grant, with a placeholder for its ID.
    #[must_use]
    pub fn revoke_command(&self) -> String {
        self.command("revoke-grant", "--grant-id GRANT_ID")
    }

    /// The profile is a placeholder, so that no profile of this run replaces it.
    fn command(&self, operation: &str, options: &str) -> String {
        let region = Arn::parse(&self.key_arn).map_or("REGION", |arn| arn.region);
        format!(
            "aws kms {operation} --profile PROFILE_OF_{} --region {region} --key-id {} {options}",
            self.owner(),
            self.key_arn
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:333344445555:key/one";
    const ROLE: &str = "arn:aws:iam::222233334444:role/heeler";

    #[test]
    fn grant_command_names_owner_and_role() {
        let request = KeyGrantRequest::for_key(KEY, ROLE, "heeler-ec").expect("a request");
        assert_eq!(
            request.create_command(),
            "aws kms create-grant --profile PROFILE_OF_333344445555 --region eu-west-1 \
             --key-id arn:aws:kms:eu-west-1:333344445555:key/one \
             --grantee-principal arn:aws:iam::222233334444:role/heeler --operations Decrypt --name heeler-ec"
        );
        assert!(request.list_command().contains("list-grants"));
        assert!(request.revoke_command().contains("--grant-id"));
    }

    #[test]
    fn keys_of_own_account_need_no_request() {
        let own = "arn:aws:kms:eu-west-1:222233334444:key/one";
        let alias = "arn:aws:kms:eu-west-1:333344445555:alias/logs";
        for key in [own, alias, "alias/logs", "0000-1111"] {
            assert_eq!(KeyGrantRequest::for_key(key, ROLE, "heeler-ec"), None);
        }
    }
}
