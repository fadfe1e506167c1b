//! Profiles of the AWS configuration files: names with spaces, MFA, and the command that signs in.

use crate::whole_output::{assert_stderr, assert_stdout};
use snapbox::str;
use tempfile::TempDir;

use crate::commands::heeler_ec;
use testkit::{CTRL_C, Engine, HeelerEc, Organization};

/// An organization, and a folder for the configuration files.
struct Home {
    org: Organization,
    folder: TempDir,
}

impl Home {
    async fn with_config(config: &str) -> Self {
        let org = Organization::on(Engine::Ministack).build().await;
        let owner = org.env();
        let value = |name: &str| {
            let found = owner.iter().find(|(variable, _)| variable == name);
            found.map_or_else(String::new, |(_, value)| value.clone())
        };
        let config = config
            .replace("KEY_ID", &value("AWS_ACCESS_KEY_ID"))
            .replace("SECRET", &value("AWS_SECRET_ACCESS_KEY"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config"), config).expect("a configuration");
        Self { org, folder }
    }

    /// `outputs` with a profile, without credentials in the environment.
    fn outputs(&self, profile: &str) -> HeelerEc<'_> {
        let config = self.folder.path().join("config");
        heeler_ec(&self.org)
            .args(["outputs", "--profile", profile])
            .env("AWS_CONFIG_FILE", &config.to_string_lossy())
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("HOME", &self.folder.path().to_string_lossy())
    }
}

const NAMES_WITH_SPACES: &str = "\
[profile 'My Team']
aws_access_key_id = KEY_ID
aws_secret_access_key = SECRET
region = us-east-1

[profile \"Payer Admin\"]
aws_access_key_id = KEY_ID
aws_secret_access_key = SECRET
region = us-east-1

[profile plain]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = Payer Admin
region = us-east-1

[profile sso]
sso_session = my corp
sso_account_id = 111122223333
sso_role_name = A
region = us-east-1

[sso-session 'my corp']
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
";

#[tokio::test]
async fn profile_names_may_have_spaces() {
    let home = Home::with_config(NAMES_WITH_SPACES).await;
    for (profile, expected) in [
        (
            "My Team",
            str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  to choose an option and set it up, start with: heeler-ec preflight --profile 'My Team'

"#]],
        ),
        (
            "Payer Admin",
            str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  to choose an option and set it up, start with: heeler-ec preflight --profile 'Payer Admin'

"#]],
        ),
    ] {
        let run = home.outputs(profile).run().await.expect_status(1);
        let calls: Vec<_> = run.calls.iter().map(|call| &*call.operation).collect();
        assert!(calls.contains(&"GetCallerIdentity"), "{profile}: {calls:?}");
        assert_stderr(&home.org, &run, expected);
    }
    let run = home.outputs("No Team").run().await.expect_status(3);
    assert_stderr(
        &home.org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: there is no profile No Team in the AWS configuration
  hint:  `aws configure list-profiles` lists the profiles

"]],
    );
}

#[tokio::test]
async fn sso_session_name_may_have_spaces() {
    let home = Home::with_config(NAMES_WITH_SPACES).await;
    // The AWS CLI names the cached token by the SHA-1 of the session's name, `my corp`.
    let cache = home.folder.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).expect("a folder");
    let token = cache.join("2603e49e9877a1061664a5a7f900ffb84f872d49.json");
    let expired = r#"{"accessToken": "a", "expiresAt": "2020-01-01T00:00:00Z"}"#;
    std::fs::write(token, expired).expect("a token");
    let run = home.outputs("sso").run().await.expect_status(3);
    assert_stderr(
        &home.org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: an error occurred while loading credentials: an error occurred while loading an access token: the SSO token has expired and cannot be refreshed
  hint:  the session has expired or does not exist: sign in with `aws sso login --profile sso`

"]],
    );
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn sso_hint_names_the_source_profile() {
    let home = Home::with_config(
        "[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n\
         [profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Admin\n\
         [profile chained]\nrole_arn = arn:aws:iam::111122223333:role/Operator\nsource_profile = sso\n\
         region = eu-west-1\n",
    )
    .await;
    let run = home.outputs("chained").run().await.expect_status(3);
    assert_stderr(
        &home.org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: an error occurred while loading credentials: an error occurred while loading an access token: failed to load the cached SSO token
  hint:  the session has expired or does not exist: sign in with `aws sso login --profile sso`

"]],
    );
}

#[tokio::test]
async fn console_session_hint_is_aws_login() {
    let home = Home::with_config(
        "[profile console]\nlogin_session = arn:aws:iam::111122223333:user/ann\nregion = us-west-2\n\
         [profile viaconsole]\nrole_arn = arn:aws:iam::111122223333:role/Admin\nsource_profile = console\n\
         region = us-west-2\n",
    )
    .await;
    for profile in ["console", "viaconsole"] {
        let run = home.outputs(profile).run().await.expect_status(3);
        assert_stderr(
            &home.org,
            &run,
            str![[r"
error: cannot identify the AWS account of the caller
  cause: an error occurred while loading credentials: unexpected credentials error: failed to read `/tmp/.tmpAbCdEf/.aws/login/cache/0011223344556677889900112233445566778899001122334455667788990011.json`: No such file or directory (os error 2)
  hint:  the session has expired or does not exist: sign in with `aws login --profile console`

"]],
        );
    }
}

const MFA: &str = "\
[profile base]
aws_access_key_id = KEY_ID
aws_secret_access_key = SECRET

[profile admin]
role_arn = arn:aws:iam::111122223333:role/Admin
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/ann
region = us-east-1
";
const MFA_QUESTION: &str = "MFA code for arn:aws:iam::111122223333:mfa/ann: ";

#[tokio::test]
async fn terminal_asks_once_for_mfa_code() {
    let home = Home::with_config(MFA).await;
    let run = home
        .outputs("admin")
        .on_terminal(100, &[(MFA_QUESTION, "123456")])
        .run()
        .await;
    assert_eq!(
        run.stdout.matches(MFA_QUESTION).count(),
        1,
        "{}",
        run.stdout
    );
    let assumed: Vec<_> = run
        .calls
        .iter()
        .filter(|call| call.operation == "AssumeRole")
        .collect();
    let [call] = &assumed[..] else {
        panic!("{assumed:?}");
    };
    let body = String::from_utf8_lossy(&call.body);
    assert!(body.contains("TokenCode=123456"), "{body}");
    assert!(
        body.contains("SerialNumber=arn%3Aaws%3Aiam%3A%3A111122223333%3Amfa%2Fann"),
        "{body}"
    );
    let others = run
        .calls
        .iter()
        .filter(|other| other.operation != "AssumeRole");
    for other in others {
        assert_ne!(other.access_key, call.access_key, "{}", other.operation);
    }
}

#[tokio::test]
async fn mfa_needs_a_terminal() {
    let home = Home::with_config(MFA).await;
    let run = home.outputs("admin").run().await.expect_status(3);
    assert_stderr(
        &home.org,
        &run,
        str![[r#"
error: cannot sign in
  cause: profile admin needs an MFA code, and standard input is not a terminal
  hint:  export a session first: eval "$(aws configure export-credentials --profile admin --format env)"

"#]],
    );
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn malformed_mfa_code_is_refused_without_calls() {
    let home = Home::with_config(MFA).await;
    let run = home
        .outputs("admin")
        .on_terminal(100, &[(MFA_QUESTION, "12345")]);
    let run = run.run().await.expect_status(2);
    assert_stdout(
        &home.org,
        &run,
        str![[r"
MFA code for arn:aws:iam::111122223333:mfa/ann: 12345
[1m[31merror:[0m the MFA code is not a number of six digits
  hint:  run the command again, and type the code that the device shows

"]],
    );
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn ctrl_c_ends_the_mfa_question() {
    let home = Home::with_config(MFA).await;
    let run = home
        .outputs("admin")
        .on_terminal(100, &[(MFA_QUESTION, CTRL_C)]);
    let run = run.run().await.expect_status(130);
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn certificates_of_the_profile_are_read() {
    let home = Home::with_config(
        "[profile cab]\naws_access_key_id = KEY_ID\naws_secret_access_key = SECRET\n\
         ca_bundle = /nowhere/ca.pem\nregion = us-east-1\n",
    )
    .await;
    let run = home.outputs("cab").run().await.expect_status(2);
    assert_stderr(
        &home.org,
        &run,
        str![[r"
error: cannot read the certificates of ca_bundle of the profile (/nowhere/ca.pem)
  cause: No such file or directory (os error 2)

"]],
    );
}

#[tokio::test]
async fn empty_region_variable_counts_as_unset() {
    let home = Home::with_config(
        "[profile west]\naws_access_key_id = KEY_ID\naws_secret_access_key = SECRET\nregion = eu-west-2\n",
    )
    .await;
    let run = home.outputs("west").env("AWS_REGION", "");
    let run = run
        .env("AWS_DEFAULT_REGION", "")
        .run()
        .await
        .expect_status(1);
    assert!(
        run.calls.iter().any(|call| call.region == "eu-west-2"),
        "{:?}",
        run.calls
    );
    let run = home.outputs("west").env("AWS_REGION", " us-east-1");
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &home.org,
        &run,
        str![[r#"
error: AWS_REGION is " us-east-1": not a region
  hint:  set it again, for example: export AWS_REGION=us-east-1

"#]],
    );
}
