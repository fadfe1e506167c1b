//! Cases of the checks on the key of the log objects.

use std::time::Duration;

use heeler_ec::inventory::facts::{Encryption, KeyFacts, KmsGrantFacts, KmsKeyDetails};
use heeler_ec::inventory::{Fact, Snapshot};

use super::account::bucket;
use super::bucket::set_encryption;
use super::fixture::{KEY, OTHER_ACCOUNT_KEY, now};
use super::{VerdictCase, assert_verdicts, refused, s3};

#[test]
fn key_verdicts() {
    assert_verdicts(&cases());
}

pub fn cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "key.state",
            "does not exist",
            |_| {},
            "skip",
            "encrypted with SSE-S3",
        ),
        s3(
            "key.state",
            "it is AWS managed",
            |s| key(s, |key| key.customer_managed = false),
            "skip",
            "needs no grant",
        ),
        s3("key.state", "it is enabled", with_key, "pass", KEY),
        s3(
            "key.state",
            "--bucket-kms-key is an alias",
            |s| {
                with_key(s);
                s.request.bucket_key = Some("alias/logs".into());
                facts(s).identifier = "alias/logs".into();
            },
            "pass",
            "alias/logs (arn:aws:kms",
        ),
        s3(
            "key.state",
            "it is disabled",
            |s| key(s, |key| key.state = "Disabled".into()),
            "fail",
            "kms enable-key --region eu-west-1",
        ),
        s3(
            "key.state",
            "it is pending deletion",
            |s| {
                key(s, |key| {
                    key.state = "PendingDeletion".into();
                    key.deletion_date = Some(now() + Duration::from_secs(86_400));
                })
            },
            "fail",
            "AWS will delete it 2026-03-03T12:00:00Z",
        ),
        s3(
            "key.state",
            "its replica is pending deletion",
            |s| key(s, |key| key.state = "PendingReplicaDeletion".into()),
            "fail",
            "cancel-key-deletion",
        ),
        s3(
            "key.state",
            "its key material has expired",
            |s| key(s, |key| key.state = "PendingImport".into()),
            "fail",
            "has expired or was deleted",
        ),
        s3(
            "key.state",
            "its key store is disconnected",
            |s| key(s, |key| key.state = "Unavailable".into()),
            "fail",
            "key store",
        ),
        s3(
            "key.state",
            "it is being created",
            |s| key(s, |key| key.state = "Creating".into()),
            "fail",
            "state Creating",
        ),
        s3(
            "key.state",
            "it is being updated",
            |s| key(s, |key| key.state = "Updating".into()),
            "fail",
            "state Updating",
        ),
        s3(
            "key.state",
            "its key material expires within days",
            |s| {
                key(s, |key| {
                    key.key_material_expires = Some(now() + Duration::from_secs(6 * 86_400))
                })
            },
            "warn",
            "expires 2026-03-08T12:00:00Z",
        ),
        s3(
            "key.state",
            "its key material expires later",
            |s| {
                key(s, |key| {
                    key.key_material_expires = Some(now() + Duration::from_secs(8 * 86_400))
                })
            },
            "pass",
            KEY,
        ),
        s3(
            "key.state",
            "it does not exist",
            |s| {
                with_key(s);
                facts(s).key = Fact::Absent;
            },
            "fail",
            "does not exist",
        ),
        s3(
            "key.state",
            "the caller may not describe it",
            |s| {
                with_key(s);
                facts(s).key = Fact::Failed(refused("kms:DescribeKey"));
            },
            "unknown",
            "kms:DescribeKey",
        ),
        s3(
            "key.state",
            "the encryption is unknown",
            |s| {
                bucket(s).encryption = Fact::Failed(refused("s3:GetEncryptionConfiguration"));
                bucket(s).newest_log_object = Fact::Absent;
            },
            "skip",
            "depends on bucket.encryption",
        ),
        s3(
            "key.account",
            "it belongs to this account",
            with_key,
            "pass",
            "account 111122223333",
        ),
        s3(
            "key.account",
            "it belongs to another account",
            with_key_of_other_account,
            "warn",
            "--grantee-principal arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role",
        ),
        s3(
            "key.account",
            "it belongs to another account and cannot be read",
            |s| {
                with_key_of_other_account(s);
                facts(s).key = Fact::Failed(refused("kms:DescribeKey"));
            },
            "warn",
            "aws kms create-grant --profile PROFILE_OF_999900002222",
        ),
        s3(
            "key.account",
            "it belongs to another account, which created the grant",
            |s| {
                with_key_of_other_account(s);
                facts(s).grants = Fact::Present(vec![KmsGrantFacts {
                    name: Some("heeler-ec".into()),
                    operations: vec!["Decrypt".into()],
                }]);
            },
            "pass",
            "account 999900002222, which has granted kms:Decrypt to the role",
        ),
        s3(
            "key.state",
            "it belongs to another account and cannot be read",
            |s| {
                with_key_of_other_account(s);
                facts(s).key = Fact::Failed(refused("kms:DescribeKey"));
            },
            "skip",
            "cannot be read from this account",
        ),
        s3(
            "key.grantable",
            "the management account owns it and its policy is known",
            with_key_of_other_account,
            "skip",
            "depends on key.account",
        ),
        s3(
            "key.account",
            "it does not exist",
            |s| {
                with_key(s);
                facts(s).key = Fact::Absent;
            },
            "skip",
            "depends on key.state",
        ),
        s3(
            "key.grantable",
            "it belongs to another account, whose key policy cannot be read",
            |s| {
                with_key_of_other_account(s);
                facts(s).policy = Fact::NotRequested;
            },
            "skip",
            "depends on key.account",
        ),
        s3(
            "key.grantable",
            "its policy denies the grant",
            |s| deny_grants(s, r#""Sid":"NoGrants","Principal":"*""#),
            "warn",
            "in the policy of arn:aws:kms:eu-west-1:111122223333:key/aaaa-bbbb, statement NoGrants denies kms:CreateGrant, always",
        ),
        s3(
            "key.grantable",
            "its policy denies all grants except for AWS services",
            |s| {
                deny_grants(
                    s,
                    r#""Principal":{"AWS":"*"},"Condition":{"Bool":{"kms:GrantIsForAWSResource":"false"}}"#,
                )
            },
            "warn",
            "aws kms get-key-policy --region eu-west-1",
        ),
        s3(
            "key.grantable",
            "its policy denies the grant to others",
            |s| {
                deny_grants(
                    s,
                    r#""Principal":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}}"#,
                )
            },
            "pass",
            "allows kms:CreateGrant",
        ),
        s3(
            "key.grantable",
            "its policy delegates to IAM",
            with_key,
            "pass",
            "allows kms:CreateGrant to this account",
        ),
        s3(
            "key.grantable",
            "its policy names the caller's role",
            |s| {
                policy(
                    s,
                    r#"{"AWS":"arn:aws:iam::111122223333:role/Admin"}"#,
                    "kms:*Grant",
                )
            },
            "pass",
            "allows kms:CreateGrant",
        ),
        s3(
            "key.grantable",
            "its policy names another principal",
            |s| {
                policy(
                    s,
                    r#"{"AWS":"arn:aws:iam::111122223333:role/KeyAdmin"}"#,
                    "kms:*",
                )
            },
            "warn",
            "does not allow kms:CreateGrant to this account or the caller",
        ),
        s3(
            "key.grantable",
            "its policy delegates only reads to IAM",
            |s| policy(s, r#"{"AWS":"111122223333"}"#, "kms:Describe*"),
            "warn",
            "kms:CreateGrant",
        ),
        s3(
            "key.grantable",
            "its policy allows grants only for AWS services",
            |s| {
                with_key(s);
                facts(s).policy = Fact::Present(r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:CreateGrant","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]}"#.into());
            },
            "warn",
            "does not allow kms:CreateGrant to this account or the caller",
        ),
        s3(
            "key.grantable",
            "the caller may not read its policy",
            |s| {
                with_key(s);
                facts(s).policy = Fact::Failed(refused("kms:GetKeyPolicy"));
            },
            "unknown",
            "kms:GetKeyPolicy",
        ),
        s3(
            "key.grantable",
            "it belongs to another account",
            |s| {
                with_key(s);
                facts(s).policy = Fact::NotRequested;
            },
            "skip",
            "depends on key.account",
        ),
        s3(
            "key.grantable",
            "its policy denies callers from elsewhere",
            |s| {
                deny_grants(
                    s,
                    r#""Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#,
                )
            },
            "unknown",
            "not known for the caller: aws:SourceVpce",
        ),
        s3(
            "key.decrypt",
            "its policy leaves it to IAM",
            with_key,
            "pass",
            "no statement denies the role kms:Decrypt",
        ),
        s3(
            "key.decrypt",
            "its policy denies the role",
            |s| {
                deny_decrypt(
                    s,
                    r#""Sid":"NotHeeler","Principal":{"AWS":"arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role"}"#,
                )
            },
            "fail",
            "statement NotHeeler denies kms:Decrypt, always",
        ),
        s3(
            "key.decrypt",
            "its policy denies all roles but one",
            |s| {
                deny_decrypt(
                    s,
                    r#""Principal":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/siem"}}"#,
                )
            },
            "fail",
            "exempt arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role",
        ),
        s3(
            "key.decrypt",
            "its policy denies it outside the organization and for other services",
            |s| {
                deny_decrypt(
                    s,
                    r#""Principal":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-example"},"StringNotEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#,
                )
            },
            "pass",
            "no statement denies",
        ),
        s3(
            "key.decrypt",
            "its policy denies it through other services than SQS",
            |s| {
                deny_decrypt(
                    s,
                    r#""Principal":"*","Condition":{"StringNotEquals":{"kms:ViaService":"sqs.eu-west-1.amazonaws.com"}}"#,
                )
            },
            "fail",
            "if StringNotEquals kms:ViaService sqs.eu-west-1.amazonaws.com",
        ),
        s3(
            "key.decrypt",
            "its policy denies other networks",
            |s| {
                deny_decrypt(
                    s,
                    r#""Principal":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
                )
            },
            "unknown",
            "not known for the requests of the role: aws:SourceIp",
        ),
        s3(
            "key.decrypt",
            "its policy may not be read",
            |s| {
                with_key(s);
                facts(s).policy = Fact::Failed(refused("kms:GetKeyPolicy"));
            },
            "unknown",
            "kms:GetKeyPolicy",
        ),
        s3(
            "key.existing_grants",
            "there is none",
            with_key,
            "pass",
            "no grant yet",
        ),
        s3(
            "key.existing_grants",
            "the managed grant exists",
            |s| grants(s, &["heeler_event_collection_grant"]),
            "pass",
            "already granted",
        ),
        s3(
            "key.existing_grants",
            "the role has another grant",
            |s| grants(s, &["heeler_event_collection_grant", "by-hand"]),
            "warn",
            "by-hand (Decrypt)",
        ),
        s3(
            "key.existing_grants",
            "the caller may not list grants",
            |s| {
                with_key(s);
                facts(s).grants = Fact::Failed(refused("kms:ListGrants"));
            },
            "unknown",
            "kms:ListGrants",
        ),
    ]
}

fn with_key(snapshot: &mut Snapshot) {
    let kms = Encryption::Kms(Some(KEY.into()));
    set_encryption(snapshot, Some(KEY), &Encryption::S3, Some(kms));
}

/// Encrypts the log objects with a key of another account.
fn with_key_of_other_account(snapshot: &mut Snapshot) {
    let kms = Encryption::Kms(Some(OTHER_ACCOUNT_KEY.into()));
    set_encryption(
        snapshot,
        Some(OTHER_ACCOUNT_KEY),
        &Encryption::S3,
        Some(kms),
    );
    bucket(snapshot).keys.reverse();
    if let Fact::Present(key) = &mut facts(snapshot).key {
        key.account = "999900002222".into();
    }
}

fn facts(snapshot: &mut Snapshot) -> &mut KeyFacts {
    &mut bucket(snapshot).keys[0]
}

fn key(snapshot: &mut Snapshot, change: impl FnOnce(&mut KmsKeyDetails)) {
    with_key(snapshot);
    match &mut facts(snapshot).key {
        Fact::Present(key) => change(key),
        other => panic!("no key: {other:?}"),
    }
}

fn policy(snapshot: &mut Snapshot, principal: &str, action: &str) {
    with_key(snapshot);
    facts(snapshot).policy = Fact::Present(format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"*"}}]}}"#
    ));
}

/// The key policy delegates to IAM, with one deny.
fn deny_grants(snapshot: &mut Snapshot, rest: &str) {
    deny_action(snapshot, "kms:CreateGrant", rest);
}

fn deny_decrypt(snapshot: &mut Snapshot, rest: &str) {
    deny_action(snapshot, "kms:Decrypt", rest);
}

fn deny_action(snapshot: &mut Snapshot, action: &str, rest: &str) {
    with_key(snapshot);
    let document = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:root"}},"Action":"kms:*","Resource":"*"}},
        {{"Effect":"Deny","Action":"{action}","Resource":"*",{rest}}}]}}"#
    );
    serde_json::from_str::<serde_json::Value>(&document).expect("a policy");
    facts(snapshot).policy = Fact::Present(document);
}

fn grants(snapshot: &mut Snapshot, names: &[&str]) {
    with_key(snapshot);
    let grants = names.iter().map(|name| KmsGrantFacts {
        name: Some((*name).to_owned()),
        operations: vec!["Decrypt".into()],
    });
    facts(snapshot).grants = Fact::Present(grants.collect());
}
