//! Terraform itself, with its provider for AWS, against an emulator. It runs where both are on the machine already;
//! nothing is fetched.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::Organization;

/// The external ID that the vendor's modules share with the organization.
pub const EXTERNAL_ID: &str = "shared-with-the-module";

/// Names a folder with providers, laid out as a filesystem mirror.
const PLUGINS: &str = "HEELER_EC_TERRAFORM_PLUGINS";

/// A working folder of Terraform's.
pub struct Terraform<'a> {
    org: &'a Organization,
    folder: TempDir,
}

impl<'a> Terraform<'a> {
    /// A folder with these files, made ready. Without Terraform or its provider nothing; that is said.
    pub async fn with(org: &'a Organization, files: &[(&str, &str)]) -> Option<Terraform<'a>> {
        let Some(plugins) = plugins().filter(|_| is_installed()) else {
            let _ = writeln!(
                io::stderr(),
                "skipped: Terraform and its provider for AWS are not on this machine ({PLUGINS} may name the folder)"
            );
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

    /// Puts a file of bytes there.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).expect("a file");
    }

    /// Brings about what the files say.
    pub async fn apply(&self) {
        self.run(&["apply", "-input=false", "-auto-approve"]).await;
    }

    /// What it would change, as Terraform tells it to programs: address, actions, and the arguments that differ.
    pub async fn plan(&self) -> Vec<Change> {
        self.run(&["plan", "-input=false", "-out=plan"]).await;
        let shown = self.run(&["show", "-json", "plan"]).await;
        let plan: Value = serde_json::from_str(&shown).expect("a plan");
        let changes = plan["resource_changes"].as_array().cloned();
        changes.unwrap_or_default().iter().map(Change::of).collect()
    }

    async fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("terraform");
        command
            .args(args)
            .arg("-no-color")
            .current_dir(self.folder.path())
            .envs(self.org.env())
            .env("AWS_ENDPOINT_URL", self.org.endpoint())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            // No configuration of whoever runs the tests may interfere.
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

/// What the provider has to be told of an emulator.
const OVERRIDE: &str = r#"provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
}
"#;

/// What Terraform would do to one resource.
#[derive(Debug)]
pub struct Change {
    pub address: String,
    pub actions: Vec<String>,
    /// The arguments whose value would be another.
    pub arguments: Vec<String>,
    pub imported: bool,
}

impl Change {
    fn of(change: &Value) -> Change {
        let (before, after) = (&change["change"]["before"], &change["change"]["after"]);
        let unknown = &change["change"]["after_unknown"];
        let arguments = after.as_object().into_iter().flatten();
        // Terraform takes an empty text for none.
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

/// The folder that has the provider: the one that is named, one of Terraform's own places, or one beside the system.
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
