//! Runs Terraform and its AWS provider against an emulator, if both are installed. Nothing is downloaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{Organization, skip};

/// The external ID that the vendor's modules share with the organization.
pub const EXTERNAL_ID: &str = "shared-with-the-module";

/// The environment variable that names a folder of providers, in the layout of a filesystem mirror.
const PLUGINS: &str = "HEELER_EC_TERRAFORM_PLUGINS";

/// A working directory of Terraform.
pub struct Terraform<'a> {
    org: &'a Organization,
    folder: TempDir,
}

impl<'a> Terraform<'a> {
    /// Initializes a working directory with these files. Returns `None` without Terraform or its provider, with a notice.
    pub async fn init(org: &'a Organization, files: &[(&str, &str)]) -> Option<Terraform<'a>> {
        let Some(plugins) = plugins().filter(|_| is_installed()) else {
            let remedy = format!("install it and set {PLUGINS} to the folder of its AWS provider");
            skip::report("terraform", "tests with Terraform", &remedy);
            return None;
        };
        let terraform = Terraform {
            org,
            folder: tempfile::tempdir().expect("a folder"),
        };
        terraform.write("emulator_override.tf", OVERRIDE);
        for (name, text) in files {
            terraform.write(name, text);
        }
        let plugins = format!("-plugin-dir={}", plugins.display());
        terraform.run(&["init", "-input=false", &plugins]).await;
        Some(terraform)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file");
    }

    /// Writes a binary file.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).expect("a file");
    }

    /// Applies the configuration.
    pub async fn apply(&self) {
        self.run(&["apply", "-input=false", "-auto-approve"]).await;
    }

    /// Plans the configuration and returns the change of each resource.
    pub async fn plan(&self) -> Vec<Change> {
        self.run(&["plan", "-input=false", "-out=plan"]).await;
        let shown = self.run(&["show", "-json", "plan"]).await;
        let plan: Value = serde_json::from_str(&shown).expect("a plan");
        let changes = plan["resource_changes"].as_array().cloned();
        changes
            .unwrap_or_default()
            .iter()
            .map(Change::from_json)
            .collect()
    }

    async fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("terraform");
        command
            .args(args)
            .arg("-no-color")
            .current_dir(self.folder.path())
            .envs(self.org.env_for(self.org.bucket_credentials()))
            .env("AWS_ENDPOINT_URL", self.org.endpoint())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            // The Terraform configuration of the user who runs the tests must not be read.
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("none.tfrc"))
            .env("TF_VAR_external_id", EXTERNAL_ID)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        self.write("none.tfrc", "");
        let output = command.output().await.expect("terraform");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "terraform {args:?}\n{stdout}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        stdout
    }
}

/// The provider settings for an emulator.
const OVERRIDE: &str = r#"provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
}
"#;

/// The planned change of one resource.
#[derive(Debug)]
pub struct Change {
    pub address: String,
    pub actions: Vec<String>,
    /// The arguments whose values would change.
    pub arguments: Vec<String>,
    pub imported: bool,
}

impl Change {
    fn from_json(change: &Value) -> Change {
        let (before, after) = (&change["change"]["before"], &change["change"]["after"]);
        let unknown = &change["change"]["after_unknown"];
        let arguments = after.as_object().into_iter().flatten();
        // Terraform treats an empty string as null.
        let plain = |value: &Value| {
            if value == "" {
                Value::Null
            } else {
                value.clone()
            }
        };
        let differs = |name: &String, value: &Value| {
            plain(&before[name]) != plain(value) || unknown[name] == true
        };
        Change {
            address: change["address"].as_str().unwrap_or_default().to_owned(),
            actions: change["change"]["actions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            arguments: arguments
                .filter(|(name, value)| differs(name, value))
                .map(|(name, _)| name.clone())
                .collect(),
            imported: change["change"]["importing"].is_object(),
        }
    }
}

fn is_installed() -> bool {
    let found = std::process::Command::new("terraform")
        .arg("version")
        .env("CHECKPOINT_DISABLE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// The folder with the AWS provider: from the environment variable, Terraform's folders or the system's.
fn plugins() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let of_home = home.iter().flat_map(|home| {
        [".terraform.d/plugins", ".local/share/terraform/plugins"].map(|folder| home.join(folder))
    });
    let named = std::env::var_os(PLUGINS).map(PathBuf::from);
    let of_system = [
        "/usr/local/share/terraform/plugins",
        "/usr/share/terraform/plugins",
    ];
    named
        .into_iter()
        .chain(of_home)
        .chain(of_system.map(PathBuf::from))
        .chain(folders(Path::new("/opt")))
        .find(|folder| {
            let hosts = folders(folder);
            hosts.iter().any(|host| host.join("hashicorp/aws").is_dir())
        })
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}
