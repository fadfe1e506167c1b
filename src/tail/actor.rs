//! Who made a call, in the words a person would use.

use serde::Deserialize;

use super::shape;

/// The part of `userIdentity` that names somebody. Which fields are there depends on `type`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    #[serde(rename = "type", deserialize_with = "shape::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    user_name: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    arn: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    invoked_by: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    principal_id: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    pub account_id: Option<String>,
    #[serde(deserialize_with = "shape::object")]
    session_context: Option<Session>,
    #[serde(deserialize_with = "shape::object")]
    on_behalf_of: Option<Person>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Session {
    #[serde(deserialize_with = "shape::object")]
    session_issuer: Option<Issuer>,
}

/// The role behind a session. Some records name the role only here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Issuer {
    #[serde(deserialize_with = "shape::text")]
    user_name: Option<String>,
}

/// The Identity Center user a call is made for. AWS documents an id for it, and no name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Person {
    #[serde(deserialize_with = "shape::text")]
    user_id: Option<String>,
}

impl Identity {
    /// Names the actor by the field its type is known by, else by the most telling field there is.
    pub fn name(&self) -> Option<String> {
        let by_type = match self.kind.as_deref() {
            Some("Root") => Some("root"),
            Some("AssumedRole") => self.resource().or_else(|| self.role()),
            Some("AWSService") => self.invoked_by.as_deref(),
            Some("AWSAccount") => self.account_id.as_deref(),
            _ => None,
        };
        by_type
            .or(self.user_name.as_deref())
            .or_else(|| self.resource())
            .or(self.invoked_by.as_deref())
            .or_else(|| self.on_behalf_of.as_ref()?.user_id.as_deref())
            .or(self.principal_id.as_deref())
            .or(self.account_id.as_deref())
            .map(str::to_owned)
    }

    /// Takes the name out of an ARN: `assumed-role/ROLE/SESSION` gives `ROLE/SESSION`, `user/Alice` gives `Alice`.
    fn resource(&self) -> Option<&str> {
        let resource = self.arn.as_deref()?.splitn(6, ':').nth(5)?;
        Some(resource.split_once('/').map_or(resource, |(_, name)| name))
    }

    fn role(&self) -> Option<&str> {
        self.session_context
            .as_ref()?
            .session_issuer
            .as_ref()?
            .user_name
            .as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_identity_has_a_readable_name() {
        for (identity, expected) in [
            (
                r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root"}"#,
                "root",
            ),
            (
                r#"{"type":"IAMUser","userName":"alice","principalId":"AIDA"}"#,
                "alice",
            ),
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob"}"#,
                "bob",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROA:i-0","arn":"arn:aws:sts::111122223333:assumed-role/Web/i-0"}"#,
                "Web/i-0",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROA:i-0","sessionContext":{"sessionIssuer":{"userName":"Web"}}}"#,
                "Web",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROA:i-0"}"#,
                "AROA:i-0",
            ),
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::111122223333:federated-user/carol","principalId":"1:carol"}"#,
                "carol",
            ),
            (
                r#"{"type":"AWSService","invokedBy":"config.amazonaws.com"}"#,
                "config.amazonaws.com",
            ),
            (
                r#"{"type":"AWSAccount","principalId":"AROA:x","accountId":"444455556666"}"#,
                "444455556666",
            ),
            (
                r#"{"type":"SAMLUser","principalId":"ns:dora","userName":"dora"}"#,
                "dora",
            ),
            (
                r#"{"type":"WebIdentityUser","principalId":"graph:1","userName":"emil"}"#,
                "emil",
            ),
            (
                r#"{"type":"IdentityCenterUser","accountId":"1","userName":"fay"}"#,
                "fay",
            ),
            (
                r#"{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1"}}"#,
                "u-1",
            ),
            (
                r#"{"type":"Unknown","userName":"gil","accountId":"1"}"#,
                "gil",
            ),
            (
                r#"{"accountId":"111122223333","invokedBy":"ec2.amazonaws.com"}"#,
                "ec2.amazonaws.com",
            ),
            (
                r#"{"type":"NotYetInvented","accountId":"111122223333"}"#,
                "111122223333",
            ),
            (
                r#"{"type":["IAMUser"],"userName":"hal","sessionContext":"odd"}"#,
                "hal",
            ),
            (
                r#"{"type":"AssumedRole","arn":"no arn","userName":"ida"}"#,
                "ida",
            ),
        ] {
            let read: Identity = shape::parse_object(identity).expect("every case is an object");
            assert_eq!(read.name().as_deref(), Some(expected), "{identity}");
        }
    }

    #[test]
    fn an_identity_without_any_name_names_nobody() {
        let read: Identity =
            shape::parse_object(r#"{"type":"AWSService"}"#).expect("this is an object");
        assert_eq!(read.name(), None);
    }
}
