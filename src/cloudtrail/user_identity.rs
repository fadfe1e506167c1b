//! The `userIdentity` of a record: the caller of an API call.

use std::borrow::Cow;

use crate::cloudtrail::json_members::JsonMembers;
use crate::cloudtrail::lenient_json::as_text;

/// The fields of `userIdentity` that identify the caller. The fields that are present depend on `type`. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.
#[derive(Default)]
pub struct UserIdentity<'a> {
    identity_type: Option<Cow<'a, str>>,
    user_name: Option<Cow<'a, str>>,
    arn: Option<Cow<'a, str>>,
    invoked_by: Option<Cow<'a, str>>,
    principal_id: Option<Cow<'a, str>>,
    pub account_id: Option<Cow<'a, str>>,
    session_context: Option<&'a str>,
    on_behalf_of: Option<&'a str>,
}

impl<'a> UserIdentity<'a> {
    /// Reads the value of `userIdentity`. All fields are empty if it is not an object.
    #[must_use]
    pub fn parse(json: &'a str) -> Self {
        let mut identity = Self::default();
        let Some(mut members) = JsonMembers::parse(json) else {
            return identity;
        };
        while let Ok(Some((name, value))) = members.next() {
            match name {
                "type" => identity.identity_type = as_text(value),
                "userName" => identity.user_name = as_text(value),
                "arn" => identity.arn = as_text(value),
                "invokedBy" => identity.invoked_by = as_text(value),
                "principalId" => identity.principal_id = as_text(value),
                "accountId" => identity.account_id = as_text(value),
                "sessionContext" => identity.session_context = Some(value),
                "onBehalfOf" => identity.on_behalf_of = Some(value),
                _ => {}
            }
        }
        identity
    }

    /// The name of the caller: the field that is typical for its type, otherwise the most specific field that is present.
    #[must_use]
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        let by_type = match self.identity_type.as_deref() {
            Some("Root") => Some(Cow::Borrowed("root")),
            Some("AssumedRole") => self.resource_name().or_else(|| self.role_name()),
            Some("AWSService") => self.invoked_by.clone(),
            Some("AWSAccount") => self.account_id.clone(),
            _ => None,
        };
        by_type
            .or_else(|| self.user_name.clone())
            .or_else(|| self.resource_name())
            .or_else(|| self.invoked_by.clone())
            .or_else(|| self.identity_center_user())
            .or_else(|| self.principal_id.clone())
            .or_else(|| self.account_id.clone())
    }

    /// The resource name in the ARN: `assumed-role/ROLE/SESSION` gives `ROLE/SESSION`, `user/Alice` gives `Alice`.
    fn resource_name(&self) -> Option<Cow<'a, str>> {
        match self.arn.as_ref()? {
            Cow::Borrowed(arn) => Some(Cow::Borrowed(resource_name_in_arn(arn)?)),
            Cow::Owned(arn) => Some(Cow::Owned(resource_name_in_arn(arn)?.to_owned())),
        }
    }

    /// The role of a session. In some records this is the only field with the role.
    fn role_name(&self) -> Option<Cow<'a, str>> {
        let issuer = find_member(self.session_context?, "sessionIssuer")?;
        as_text(find_member(issuer, "userName")?)
    }

    /// The ID of the Identity Center user on whose behalf the call was made. Records contain no name for it.
    fn identity_center_user(&self) -> Option<Cow<'a, str>> {
        as_text(find_member(self.on_behalf_of?, "userId")?)
    }
}

fn resource_name_in_arn(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    Some(resource.split_once('/').map_or(resource, |(_, name)| name))
}

fn find_member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut members = JsonMembers::parse(object)?;
    while let Ok(Some((name, value))) = members.next() {
        if name == key {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_types_have_display_names() {
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
            let read = UserIdentity::parse(identity);
            assert_eq!(read.display_name().as_deref(), Some(expected), "{identity}");
        }
    }

    #[test]
    fn identity_without_names_has_no_display_name() {
        for identity in [
            r#"{"type":"AWSService"}"#,
            "{}",
            "null",
            r#""alice""#,
            r#"["a"]"#,
        ] {
            assert_eq!(
                UserIdentity::parse(identity).display_name(),
                None,
                "{identity}"
            );
        }
    }
}
