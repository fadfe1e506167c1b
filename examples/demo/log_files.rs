//! The log files that the demo delivers in place of CloudTrail.

use serde_json::{Value, json};

use testkit::{LogFile, Organization, log_file};

/// The log files in the order of delivery.
pub fn files(org: &Organization) -> Vec<LogFile> {
    let [production, staging, audit] = [0, 1, 2].map(|number| org.members()[number].as_str());
    vec![
        LogFile::new(
            org.account(),
            "us-east-1",
            vec![console_login(org.account())],
        ),
        LogFile::new(
            production,
            "eu-west-1",
            vec![
                log_file::event(
                    production,
                    "eu-west-1",
                    "ec2.amazonaws.com",
                    "RunInstances",
                    false,
                ),
                denied_call(
                    production,
                    "eu-west-1",
                    "s3.amazonaws.com",
                    "PutBucketPolicy",
                ),
            ],
        ),
        LogFile::new(
            staging,
            "eu-central-1",
            vec![
                call_by_role(staging, "eu-central-1", "kms.amazonaws.com", "Decrypt"),
                call_by_role(
                    staging,
                    "eu-central-1",
                    "lambda.amazonaws.com",
                    "CreateFunction20150331",
                ),
            ],
        ),
        LogFile::new(
            audit,
            "us-east-1",
            vec![log_file::event(
                audit,
                "us-east-1",
                "iam.amazonaws.com",
                "CreateAccessKey",
                false,
            )],
        ),
    ]
}

/// The regions that every account has.
pub const REGIONS: [&str; 17] = [
    "us-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The key and the content of a digest file, which has no events.
pub fn digest(org: &Organization, account: &str, region: &str) -> (String, Vec<u8>) {
    let stamp = LogFile::new(account, "us-east-1", Vec::new()).stamp;
    let (year, month, day) = (&stamp[0..4], &stamp[4..6], &stamp[6..8]);
    let key = format!(
        "AWSLogs/{}/{account}/CloudTrail-Digest/{region}/{year}/{month}/{day}/\
         {account}_CloudTrail-Digest_{region}_{}_us-east-1_{stamp}.json.gz",
        org.organization_id(),
        org.trail(),
    );
    let content = json!({"awsAccountId": account, "digestEndTime": stamp, "logFiles": []});
    let content = log_file::gzip(content.to_string().as_bytes());
    (key, content.expect("gzip into memory"))
}

fn console_login(account: &str) -> Value {
    let mut event = log_file::event(
        account,
        "us-east-1",
        "signin.amazonaws.com",
        "ConsoleLogin",
        false,
    );
    event["eventType"] = "AwsConsoleSignIn".into();
    event["responseElements"] = json!({"ConsoleLogin": "Success"});
    event["additionalEventData"] = json!({"MFAUsed": "Yes", "MobileVersion": "No"});
    event
}

fn denied_call(account: &str, region: &str, source: &str, name: &str) -> Value {
    let mut event = log_file::event(account, region, source, name, false);
    event["errorCode"] = "AccessDenied".into();
    event["errorMessage"] = "Access Denied".into();
    event
}

fn call_by_role(account: &str, region: &str, source: &str, name: &str) -> Value {
    let mut event = log_file::event(account, region, source, name, false);
    event["userIdentity"] = json!({
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLE:build-7",
        "arn": format!("arn:aws:sts::{account}:assumed-role/deploy/build-7"),
        "accountId": account,
        "sessionContext": {"sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLEEXAMPLE",
            "arn": format!("arn:aws:iam::{account}:role/deploy"),
            "accountId": account,
            "userName": "deploy"
        }}
    });
    event
}
