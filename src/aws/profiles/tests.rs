use super::*;

const SPACES: &str = "\
[profile 'My Team']
aws_access_key_id = 111122223333
aws_secret_access_key = secret

[profile \"Payer Admin\"]
sso_session = my corp
sso_account_id = 111122223333
sso_role_name = Admin

[profile role]
role_arn = arn:aws:iam::111122223333:role/Operator
source_profile = Payer Admin

[sso-session 'my corp']
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1

# A comment with [profile 'Not A Section'] in it
[profile plain]
region = eu-west-1
s3 =
  addressing_style = path
";

async fn profiles(config: &str, credentials: &str, selected: &str) -> Profiles {
    let texts = [
        (EnvConfigFileKind::Config, config.to_owned()),
        (EnvConfigFileKind::Credentials, credentials.to_owned()),
    ];
    Profiles::parse(texts, Some(selected.to_owned())).await
}

#[tokio::test]
async fn quoted_names_are_encoded_for_the_sdk() {
    let profiles = profiles(SPACES, "[Team of Keys]\naws_access_key_id = a\n", "My Team").await;
    assert_eq!(profiles.sdk_name().as_deref(), Some("My%20Team"));
    assert_eq!(profiles.selected(), Some("My Team"));
    let sections = profiles.sections.as_ref().expect("sections");
    for name in [
        "My%20Team",
        "Payer%20Admin",
        "role",
        "plain",
        "Team%20of%20Keys",
    ] {
        assert!(sections.get_profile(name).is_some(), "{name}");
    }
    let role = sections.get_profile("role").expect("the role");
    assert_eq!(role.get("source_profile"), Some("Payer%20Admin"));
    let [config, _] = profiles.rewritten.as_ref().expect("rewritten files");
    assert!(config.contains("# A comment with [profile 'Not A Section'] in it\n"));
    assert!(config.contains("  addressing_style = path\n"));
}

#[tokio::test]
async fn files_with_plain_names_stay_unchanged() {
    let profiles = profiles("[profile work]\nregion = eu-west-1\n", "", "work").await;
    assert!(profiles.files().is_none());
    assert_eq!(profiles.sdk_name().as_deref(), Some("work"));
}

#[tokio::test]
async fn unquoted_name_with_spaces_is_ignored() {
    let profiles = profiles("[profile My Team]\nregion = eu-west-1\n", "", "My Team").await;
    assert!(profiles.chain().is_empty());
}

#[tokio::test]
async fn sign_in_command_names_the_source_profile() {
    for (selected, expected) in [
        ("role", Some("aws sso login --profile 'Payer Admin'")),
        ("Payer Admin", Some("aws sso login --profile 'Payer Admin'")),
        ("My Team", None),
        ("missing", None),
    ] {
        let profiles = profiles(SPACES, "", selected).await;
        assert_eq!(
            profiles.sign_in_command().as_deref(),
            expected,
            "{selected}"
        );
    }
    let login = "[profile console]\nlogin_session = arn:aws:iam::111122223333:user/ann\n\
                 [profile via]\nrole_arn = arn:aws:iam::111122223333:role/Admin\nsource_profile = console\n";
    for selected in ["console", "via"] {
        let profiles = profiles(login, "", selected).await;
        let command = profiles.sign_in_command();
        assert_eq!(command.as_deref(), Some("aws login --profile console"));
    }
}

#[tokio::test]
async fn session_with_spaces_is_resolved_by_the_program() {
    let chain = profiles(SPACES, "", "role").await.role_chain();
    let chain = chain.expect("a chain");
    let BaseCredentials::SsoSession(session) = &chain.base else {
        panic!("{chain:?}");
    };
    assert_eq!(session.name, "my corp");
    assert_eq!(session.region, "eu-west-1");
    assert_eq!(chain.roles.len(), 1);
    // The SDK resolves all others.
    assert_eq!(profiles(SPACES, "", "My Team").await.role_chain(), None);
}

const MFA: &str = "\
[profile base]
aws_access_key_id = 111122223333
aws_secret_access_key = secret

[profile first]
role_arn = arn:aws:iam::111122223333:role/First
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/ann
duration_seconds = 7200
external_id = 0123456789abcdef

[profile second]
role_arn = arn:aws:iam::444455556666:role/Second
source_profile = first
role_session_name = ann

[profile itself]
role_arn = arn:aws:iam::111122223333:role/First
source_profile = itself
mfa_serial = GAHT12345678
aws_access_key_id = 111122223333
aws_secret_access_key = secret

[profile without]
role_arn = arn:aws:iam::111122223333:role/First
source_profile = base

[profile one]
role_arn = arn:aws:iam::111122223333:role/First
source_profile = other
mfa_serial = GAHT12345678

[profile other]
role_arn = arn:aws:iam::111122223333:role/First
source_profile = one
";

#[tokio::test]
async fn roles_with_mfa_are_assumed_in_order() {
    let chain = profiles(MFA, "", "second").await.role_chain();
    let chain = chain.expect("a chain");
    assert_eq!(chain.base, BaseCredentials::Profile("base".to_owned()));
    let roles: Vec<_> = chain.roles.iter().map(|role| &*role.profile).collect();
    assert_eq!(roles, ["first", "second"]);
    let [first, second] = &chain.roles[..] else {
        panic!("{chain:?}");
    };
    let device = "arn:aws:iam::111122223333:mfa/ann";
    assert_eq!(first.mfa_serial.as_deref(), Some(device));
    assert_eq!(first.duration, Some(Duration::from_secs(7200)));
    assert!(!format!("{first:?}").contains("0123456789abcdef"));
    assert_eq!(second.session_name.as_deref(), Some("ann"));
    assert_eq!(second.mfa_serial, None);
}

#[tokio::test]
async fn role_can_be_its_own_source() {
    let chain = profiles(MFA, "", "itself").await.role_chain();
    let chain = chain.expect("a chain");
    assert!(matches!(chain.base, BaseCredentials::AccessKey(_)));
    assert_eq!(chain.roles.len(), 1);
}

#[tokio::test]
async fn roles_without_mfa_are_left_to_the_sdk() {
    assert_eq!(profiles(MFA, "", "without").await.role_chain(), None);
    // A loop of source profiles is reported by the SDK.
    assert_eq!(profiles(MFA, "", "one").await.role_chain(), None);
}

#[tokio::test]
async fn certificates_are_those_of_the_selected_profile() {
    let config =
        "[default]\nca_bundle = /etc/default.pem\n[profile work]\nca_bundle = /etc/work.pem\n";
    for (selected, path) in [("work", "/etc/work.pem"), ("default", "/etc/default.pem")] {
        let found = profiles(config, "", selected).await.ca_bundle();
        assert_eq!(found, Some(PathBuf::from(path)));
    }
}
