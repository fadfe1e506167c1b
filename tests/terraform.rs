//! Adoption and export with the real Terraform, if it is installed.

use crate::commands::heeler_ec;
use crate::commands::{DIRECT, counts, destroy, json, plan_of, setup_again_of, setup_of_with};
use crate::vendor_terraform;
use testkit::terraform::Terraform;
use testkit::{Emulator, Engine, HeelerEc, KeyOwner, Organization};

const S3: &str = include_str!("fixtures/terraform/s3.tf");
const CLOUDWATCH: &str = include_str!("fixtures/terraform/cloudwatch.tf");
const NOTHING: [&str; 0] = [];

/// The attributes that adoption may change, as listed in `docs/adopting.md`.
const EXPECTED_DIFFERENCES: &[&str] = &[
    "assume_role_policy",
    "id",
    "policy",
    "source_account",
    "source_code_hash",
    "last_modified",
    "tags",
    "tags_all",
    "topic",
    "version",
    "qualified_arn",
    "qualified_invoke_arn",
];

/// The variable file of a user of the module.
fn terraform_variables(org: &Organization, option: &str) -> String {
    let own = if option == "s3" {
        format!("s3_cloudtrail_bucket_name = \"{}\"", org.bucket())
    } else {
        let pattern = heeler_ec::option::HEELER_PATTERN;
        let group = org.log_group().expect("a log group");
        format!("log_group_name = \"{group}\"\nfilter_pattern = \"{pattern}\"")
    };
    format!(
        "account_id = \"{}\"\n{own}\nheeler_external_id = \"{}\"\nheeler_security_role_arns = [\"{}\"]\n",
        org.account(),
        vendor_terraform::EXTERNAL_ID,
        org.heeler_role_arn()
    )
}

/// Applies the module, adopts it with the same file, and destroys it.
async fn adopt_applied_module(org: Organization, option: &str, text: &str) {
    let file = terraform_variables(&org, option);
    let files = [("main.tf", text), ("var.auto.tfvars", file.as_str())];
    let Some(terraform) = Terraform::init(&org, &files).await else {
        return;
    };
    terraform.write_bytes("lambda.zip", &vendor_terraform::code());
    terraform.apply().await;
    let given = tempfile::tempdir().expect("a folder");
    let given = given.path().join("var.auto.tfvars");
    std::fs::create_dir_all(given.parent().expect("a folder")).expect("a folder");
    std::fs::write(&given, &file).expect("a file");
    let run = setup_again_of(&org, option)
        .args(["--adopt", "--var-file"])
        .args([&given])
        .run()
        .await
        .expect_status(0);
    if option != "s3" {
        assert!(
            run.stderr.contains("unknown variable filter_pattern"),
            "{}",
            run.stderr
        );
    }
    let again = plan_of(&org, option).args(["--check", "-o", "json"]);
    let again = again.run().await.expect_status(0);
    assert_eq!(counts(&again)[..2], [0, 0]);
    for change in terraform.plan().await {
        let stated = |argument: &String| EXPECTED_DIFFERENCES.contains(&argument.as_str());
        let replaced = change.address.starts_with("aws_lambda_permission");
        assert!(
            change
                .actions
                .iter()
                .all(|action| action == "no-op" || action == "update")
                || replaced,
            "{change:?}"
        );
        assert!(change.arguments.iter().all(stated), "{change:?}");
    }
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

/// Adds the credentials for the account of the bucket, if it is not the management account.
fn in_both_accounts<'a>(org: &Organization, command: HeelerEc<'a>) -> HeelerEc<'a> {
    if org.bucket_account() == org.account() {
        return command;
    }
    command.args(["--bucket-profile", "log-archive"])
}

/// Sets up a deployment, and imports it into Terraform with the exported file.
async fn import_exported_file(org: Organization, option: &str, resources: usize) {
    let id = vendor_terraform::EXTERNAL_ID;
    let command = setup_of_with(&org, option, id);
    in_both_accounts(&org, command).run().await.expect_status(0);
    let run = heeler_ec(&org).args(["export", "terraform"]);
    let run = run
        .identity(org.bucket_credentials())
        .run()
        .await
        .expect_status(0);
    assert!(!run.stdout.contains(id));
    assert!(run.writes().is_empty());
    let Some(terraform) = Terraform::init(&org, &[("main.tf", &run.stdout)]).await else {
        return;
    };
    let changes = terraform.plan().await;
    assert_eq!(changes.len(), resources);
    for change in &changes {
        assert!(change.imported, "{change:?}");
        assert_eq!(change.arguments, NOTHING, "{change:?}");
        // Only its trust policy becomes sensitive.
        let expected = if change.address == "aws_iam_role.heeler_iam_role_sqs" {
            "update"
        } else {
            "no-op"
        };
        assert_eq!(change.actions, [expected], "{change:?}");
    }
    let run = heeler_ec(&org).args(["export", "terraform", "-o", "json"]);
    let run = run.identity(org.bucket_credentials());
    let imports = json(&run.run().await.expect_status(0))["imports"].clone();
    let mut addresses: Vec<&str> = imports
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|import| import["to"].as_str())
        .collect();
    addresses.sort_unstable();
    let mut planned: Vec<&str> = changes
        .iter()
        .map(|change| change.address.as_str())
        .collect();
    planned.sort_unstable();
    assert_eq!(addresses, planned);
}

/// Imports a queue that SQS encrypts.
async fn import_queue_without_key(org: Organization) {
    let (bucket, role) = (org.bucket(), org.heeler_role_arn());
    let arguments = "setup --option s3 --direct --vendor generic --yes";
    let run = heeler_ec(&org).args(arguments.split(' '));
    let run = run.args(["--bucket", bucket, "--vendor-role-arn", &role]);
    let run = run.args(["--external-id", vendor_terraform::EXTERNAL_ID]);
    run.run().await.expect_status(0);
    let run = heeler_ec(&org).args(["export", "terraform"]).run().await;
    let Some(terraform) = Terraform::init(&org, &[("main.tf", &run.stdout)]).await else {
        return;
    };
    let changes = terraform.plan().await;
    assert_eq!(changes.len(), 7);
    for change in &changes {
        assert!(change.imported, "{change:?}");
        assert_eq!(change.arguments, NOTHING, "{change:?}");
    }
}

#[tokio::test]
async fn applied_module_is_adopted_with_expected_differences() {
    let emulator = Emulator::own(Engine::Ministack);
    let s3 = Organization::in_emulator(&emulator).build().await;
    let logs = Organization::in_emulator(&emulator)
        .log_group()
        .build()
        .await;
    tokio::join!(
        adopt_applied_module(s3, "s3", S3),
        adopt_applied_module(logs, "cloudwatch", CLOUDWATCH)
    );
}

#[tokio::test]
async fn exported_file_imports_without_changes() {
    let emulator = Emulator::own(Engine::Ministack);
    let s3 = Organization::in_emulator(&emulator);
    let s3 = s3.bucket_key().other_notifications().build().await;
    let logs = Organization::in_emulator(&emulator)
        .log_group()
        .build()
        .await;
    let direct = Organization::in_emulator(&emulator);
    let direct = direct.bucket_key().other_notifications().build().await;
    let without_key = Organization::in_emulator(&emulator).build().await;
    let archive = Organization::in_emulator(&emulator).log_archive();
    let archive = archive.bucket_key_of(KeyOwner::Third).build().await;
    tokio::join!(
        import_exported_file(archive, "s3", 12),
        import_exported_file(s3, "s3", 13),
        import_exported_file(logs, "cloudwatch", 14),
        import_exported_file(direct, DIRECT, 10),
        import_queue_without_key(without_key)
    );
}
