//! Profiles of the AWS configuration files: names with spaces, MFA, and the command that signs in.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use crate::whole_output::{assert_stderr, assert_stdout};
use snapbox::str;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::commands::heeler_ec;
use testkit::{CTRL_C, Engine, HeelerEc, Organization, emulator};

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

#[cfg(unix)]
#[tokio::test]
async fn empty_endpoint_variable_counts_as_unset() {
    let org = Organization::on(Engine::Ministack).build().await;
    for name in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"] {
        let run = heeler_ec(&org).args(["outputs"]).env(name, "");
        let run = run.run().await.expect_status(1);
        assert!(run.stderr.contains("nothing is deployed"), "{}", run.stderr);
        assert_eq!(run.calls[0].operation, "GetCallerIdentity");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn loader_restarts_without_empty_endpoints() {
    let loaders = std::fs::read_dir("/lib64").into_iter().flatten().flatten();
    let mut loaders = loaders.map(|entry| entry.path());
    let is_loader = |path: &std::path::PathBuf| path.display().to_string().contains("/ld-linux");
    let Some(loader) = loaders.find(is_loader) else {
        let remedy = "use a Linux system with glibc";
        testkit::skip::report("the dynamic loader", "a restart through it", remedy);
        return;
    };
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).program(&loader);
    let run = run.args([env!("CARGO_BIN_EXE_heeler-ec"), "outputs"]);
    let run = run.env("AWS_ENDPOINT_URL_STS", "").run().await;
    let run = run.expect_status(1);
    assert!(run.stderr.contains("nothing is deployed"), "{}", run.stderr);
}

/// A server that answers the first line of each request with a status, headers and a body. Returns its URL.
fn serve(respond: fn(&str) -> (&'static str, &'static str)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let (mut request, mut piece) = (Vec::new(), [0; 1024]);
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(length @ 1..) => request.extend_from_slice(&piece[..length]),
                    _ => break,
                }
            }
            let request = String::from_utf8_lossy(&request);
            let (head, body) = respond(request.lines().next().unwrap_or_default());
            let length = body.len();
            // An error means that the program has closed the connection.
            let _ = write!(
                stream,
                "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    format!("http://{address}")
}

const CORP_SESSION: &str = "\
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1

[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Admin
region = eu-west-1

[profile chained]
role_arn = arn:aws:iam::111122223333:role/Operator
source_profile = sso
region = eu-west-1
";

#[tokio::test]
async fn revoked_sso_session_needs_a_new_login() {
    let home = Home::with_config(CORP_SESSION).await;
    let cache = home.folder.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).expect("a folder");
    // The SHA-1 of `corp`.
    let token = cache.join("ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    let valid = r#"{"accessToken": "a", "expiresAt": "2999-01-01T00:00:00Z"}"#;
    std::fs::write(token, valid).expect("a token");
    let endpoint = serve(|request| {
        assert!(request.contains("role_name=Admin"), "{request}");
        (
            "401 Unauthorized\r\nx-amzn-errortype: UnauthorizedException",
            r#"{"message": "Session token not found or invalid"}"#,
        )
    });
    for profile in ["sso", "chained"] {
        let run = home.outputs(profile).env("AWS_ENDPOINT_URL_SSO", &endpoint);
        let run = run.run().await.expect_status(3);
        assert_stderr(
            &home.org,
            &run,
            str![[r"
error: cannot identify the AWS account of the caller
  cause: an error occurred while loading credentials: service error: UnauthorizedException: Session token not found or invalid
  hint:  the session has expired or does not exist: sign in with `aws sso login --profile sso`

"]],
        );
        assert!(run.calls.is_empty(), "{:?}", run.calls);
    }
}

#[tokio::test]
async fn refusals_of_instance_metadata_are_explained() {
    let home = Home::with_config("").await;
    let run = |respond| {
        let run = heeler_ec(&home.org).args(["outputs"]);
        let config = home.folder.path().join("config");
        run.env("AWS_CONFIG_FILE", &config.to_string_lossy())
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("HOME", &home.folder.path().to_string_lossy())
            .env("AWS_EC2_METADATA_DISABLED", "")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &serve(respond))
            .run()
    };
    let disabled = run(|_| ("403 Forbidden", "")).await.expect_status(3);
    assert_stderr(
        &home.org,
        &disabled,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: no AWS credentials were found in the environment or in a profile, and the instance metadata service (IMDS) refuses to provide any
  hint:  sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE; on an EC2 instance, enable it: `aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled`

"]],
    );
    let without_role = run(|request| {
        if request.starts_with("PUT ") {
            (
                "200 OK\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600",
                "token",
            )
        } else {
            ("404 Not Found", "")
        }
    });
    let without_role = without_role.await.expect_status(3);
    assert_stderr(
        &home.org,
        &without_role,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: no AWS credentials were found in the environment, in a profile, or on this machine
  hint:  sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE; an EC2 instance needs a role (instance profile)

"]],
    );
}

/// An endpoint with TLS in front of an organization. Returns its URL and its certificate.
async fn tls_endpoint(org: &Organization) -> (String, PathBuf) {
    let folder = emulator::repository().join("tests/fixtures/tls");
    let certificate = folder.join("certificate.pem");
    let chain = vec![CertificateDer::from_pem_file(&certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config
        .with_single_cert(chain, key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let target = org.endpoint().replace("http://", "");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                // A program that does not trust the certificate ends the connection.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let emulator = tokio::net::TcpStream::connect(target).await;
                let mut emulator = emulator.expect("the organization");
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut emulator).await;
            });
        }
    });
    (format!("https://{address}"), certificate)
}

#[tokio::test]
async fn certificates_of_the_profile_are_trusted() {
    let home = Home::with_config(
        "[profile plain]\naws_access_key_id = KEY_ID\naws_secret_access_key = SECRET\nregion = us-east-1\n\
         [profile proxy]\naws_access_key_id = KEY_ID\naws_secret_access_key = SECRET\nregion = us-east-1\n\
         ca_bundle = CA_BUNDLE\n",
    )
    .await;
    let (endpoint, certificate) = tls_endpoint(&home.org).await;
    let config = home.folder.path().join("config");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let text = text.replace("CA_BUNDLE", &certificate.to_string_lossy());
    std::fs::write(&config, text).expect("a configuration");
    let outputs = |profile| {
        let run = home.outputs(profile).env("AWS_ENDPOINT_URL", &endpoint);
        run.env("AWS_MAX_ATTEMPTS", "1").run()
    };
    let trusted = outputs("proxy").await.expect_status(1);
    assert!(
        trusted.stderr.contains("nothing is deployed"),
        "{}",
        trusted.stderr
    );
    let unknown = outputs("plain").await.expect_status(3);
    assert!(unknown.calls.is_empty(), "{:?}", unknown.calls);
    assert!(
        unknown.stderr.contains("UnknownIssuer"),
        "{}",
        unknown.stderr
    );
}
