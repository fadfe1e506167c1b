//! The identity that makes a request, and the principals of statements that name it.

use super::decision::MissingFacts;
use super::document::PrincipalList;
use super::truth::Truth;

/// The identity that makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An AWS service with its service principal, such as `s3.amazonaws.com`.
    Service(String),
    Role(RolePrincipal),
    User {
        account: String,
        arn: String,
    },
}

/// A session of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePrincipal {
    pub account: String,
    /// ARN of the role; its path may be omitted, because the names of roles are unique in an account.
    pub arn: String,
    /// ARN of the session, such as `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`, if it is known.
    pub session_arn: Option<String>,
    /// Unique ID of the role, such as `AROA…`, if it is known. A policy has it in place of an ARN after a role was
    /// deleted; a new role of the same name has another ID.
    pub unique_id: Option<String>,
}

impl Principal {
    /// Returns the account of a role or user.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Service(_) => None,
            Self::Role(role) => Some(&role.account),
            Self::User { account, .. } => Some(account),
        }
    }
}

/// The ways in which a list of principals names the identity. Each is true, false, or unknown.
pub(super) struct PrincipalMatch {
    /// Names everyone, the service, the user, or the role of the session.
    pub direct: Truth,
    /// Names the session. A permissions boundary does not limit what a resource policy allows to a session.
    pub session: Truth,
    /// Names only the account, which delegates to the policies of its identities.
    pub account: Truth,
}

impl PrincipalMatch {
    /// Returns true if the identity is named in any way.
    pub fn any(&self) -> Truth {
        Truth::any([&self.direct, &self.session, &self.account].map(Clone::clone))
    }
}

/// Finds the identity in the list of a `Principal` element.
pub(super) fn match_principals(list: &PrincipalList, principal: &Principal) -> PrincipalMatch {
    if list.everyone {
        return PrincipalMatch {
            direct: Truth::True,
            session: Truth::False,
            account: Truth::False,
        };
    }
    let named = |matches: &dyn Fn(&str) -> bool| list.aws.iter().any(|named| matches(named));
    let account = principal
        .account()
        .is_some_and(|account| named(&|named| is_account(named, account)));
    let (direct, session) = match principal {
        Principal::Service(name) => (list.services.contains(name), Truth::False),
        Principal::User { arn, .. } => (named(&|named| named == arn), Truth::False),
        Principal::Role(role) => (
            named(&|named| is_role(named, role)),
            Truth::any(list.aws.iter().map(|named| is_session(named, role))),
        ),
    };
    PrincipalMatch {
        direct: direct.into(),
        session,
        account: account.into(),
    }
}

/// Returns true if a statement with this `NotPrincipal` list applies to the identity. AWS compares the account, the role and
/// the session one after the other, so the result is unknown if only some of them are in the list. Source: IAM user guide,
/// "IAM JSON policy elements: `NotPrincipal`".
pub(super) fn is_excluded(list: &PrincipalList, principal: &Principal) -> Truth {
    let matched = match_principals(list, principal);
    if list.everyone {
        return Truth::False;
    }
    let complete = match principal {
        Principal::Service(_) => matched.direct.clone(),
        Principal::User { .. } => matched.direct.clone().and(matched.account.clone()),
        Principal::Role(_) => {
            Truth::all([&matched.direct, &matched.session, &matched.account].map(Clone::clone))
        }
    };
    match (complete, matched.any()) {
        (Truth::True, _) => Truth::False,
        (_, Truth::False) => Truth::True,
        _ => Truth::Unknown(MissingFacts::unsupported(
            "NotPrincipal without the account, role and session".into(),
        )),
    }
}

/// Returns true if an entry is the account, as its ID or its root ARN.
fn is_account(named: &str, account: &str) -> bool {
    named == account
        || named
            .strip_prefix("arn:")
            .and_then(|arn| arn.split_once(':'))
            .is_some_and(|(_, rest)| rest.strip_prefix("iam::") == Some(&format!("{account}:root")))
}

/// Returns true if an entry is the role, by its ARN with any path or by its unique ID. Wildcards are characters like any
/// other.
fn is_role(named: &str, role: &RolePrincipal) -> bool {
    if named == role.arn || role.unique_id.as_deref() == Some(named) {
        return true;
    }
    match (
        arn_and_name(named, ":role/"),
        arn_and_name(&role.arn, ":role/"),
    ) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// Splits the ARN of a role or session into the part before its resource and the name, without a path.
fn arn_and_name<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (account, path) = arn.split_once(kind)?;
    Some((account, path.rsplit('/').next()?))
}

/// Returns true if an entry is the session. If the name of the session is unknown, an entry of the same role may be it.
fn is_session(named: &str, role: &RolePrincipal) -> Truth {
    if let Some(session) = &role.session_arn {
        return (named == session).into();
    }
    let role_name = arn_and_name(&role.arn, ":role/").map(|(_, name)| name);
    let of_role = |(account, session): (&str, &str)| {
        account.ends_with(&format!(":sts::{}", role.account))
            && session.split('/').next() == role_name
    };
    if named.split_once(":assumed-role/").is_some_and(of_role) {
        let element = format!("the session name of {}", role.arn);
        return Truth::Unknown(MissingFacts::unsupported(element));
    }
    Truth::False
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(session: Option<&str>) -> Principal {
        Principal::Role(RolePrincipal {
            account: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:role/r".into(),
            session_arn: session.map(str::to_owned),
            unique_id: None,
        })
    }

    fn list(aws: &[&str]) -> PrincipalList {
        PrincipalList {
            everyone: aws.contains(&"*"),
            aws: aws.iter().map(|named| (*named).to_owned()).collect(),
            services: Vec::new(),
        }
    }

    const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
    const ROLE: &str = "arn:aws:iam::111122223333:role/r";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";

    #[test]
    fn role_is_named_directly_or_by_account() {
        for (named, direct, session, account) in [
            ("*", true, false, false),
            ("111122223333", false, false, true),
            (ACCOUNT, false, false, true),
            ("arn:aws-us-gov:iam::111122223333:root", false, false, true),
            ("444455556666", false, false, false),
            (ROLE, true, false, false),
            ("arn:aws:iam::111122223333:role/path/r", true, false, false),
            ("arn:aws:iam::444455556666:role/r", false, false, false),
            ("arn:aws:iam::111122223333:role/r*", false, false, false),
            ("arn:aws:iam::111122223333:user/r", false, false, false),
            (SESSION, false, true, false),
            (
                "arn:aws:sts::111122223333:assumed-role/r/t",
                false,
                false,
                false,
            ),
            ("AROAEXAMPLE", false, false, false),
        ] {
            let found = match_principals(&list(&[named]), &role(Some(SESSION)));
            assert_eq!(found.direct, direct.into(), "{named}");
            assert_eq!(found.session, session.into(), "{named}");
            assert_eq!(found.account, account.into(), "{named}");
        }
    }

    #[test]
    fn unknown_session_name_is_a_missing_fact() {
        let found = match_principals(&list(&[SESSION]), &role(None));
        assert!(matches!(found.session, Truth::Unknown(_)));
        let other = SESSION.replace("/r/", "/other/");
        let found = match_principals(&list(&[&other]), &role(None));
        assert_eq!(found.session, Truth::False);
    }

    #[test]
    fn incomplete_not_principal_is_unknown() {
        let excluded = |aws: &[&str]| is_excluded(&list(aws), &role(Some(SESSION)));
        assert_eq!(excluded(&[ACCOUNT, ROLE, SESSION]), Truth::False);
        assert_eq!(excluded(&["*"]), Truth::False);
        assert_eq!(excluded(&["444455556666"]), Truth::True);
        assert!(matches!(excluded(&[ACCOUNT, ROLE]), Truth::Unknown(_)));
        let service = Principal::Service("sns.amazonaws.com".into());
        assert_eq!(is_excluded(&list(&[ACCOUNT, ROLE]), &service), Truth::True);
    }
}
