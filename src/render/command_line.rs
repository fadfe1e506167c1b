//! Commands that are printed for the user, completed with the options of this run.

/// The options of this run's command line that each printed command repeats, so that it works when pasted. Values from
/// the environment are not repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatedOptions {
    pub profile: Option<String>,
    /// The profile for the account of the log bucket.
    pub bucket_profile: Option<String>,
    /// The role in the account of the log bucket.
    pub bucket_role: Option<String>,
    /// The options that are set up in the management account, for which these two are left out.
    pub management_options: Vec<&'static str>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub account_id: Option<String>,
    /// `None` for the default.
    pub name_prefix: Option<String>,
    /// The options that select the trail and accept findings, as pairs of name and value. Commands that run the checks
    /// repeat them.
    pub selection: Vec<(&'static str, String)>,
    /// The options for the resources of a setup, such as the Heeler roles. The commands that build a plan repeat them.
    pub setup: Vec<(&'static str, String)>,
}

impl RepeatedOptions {
    /// Completes a command of this program or of the AWS CLI; any other is returned as it is.
    #[must_use]
    pub fn complete(&self, command: &str) -> String {
        let words = command.trim_start();
        if words.starts_with("heeler-ec ") {
            format!("{command}{}", self.missing_options(words))
        } else if words.starts_with("aws ") {
            self.complete_aws(command)
        } else {
            command.to_owned()
        }
    }

    /// Completes the commands between the backticks of a text.
    #[must_use]
    pub fn complete_text(&self, text: &str) -> String {
        let parts = text.split('`').enumerate();
        let parts = parts.map(|(number, part)| match number % 2 {
            0 => part.to_owned(),
            _ => self.complete(part),
        });
        parts.collect::<Vec<_>>().join("`")
    }

    /// The options that the command does not have, each with a leading space.
    fn missing_options(&self, command: &str) -> String {
        let has_option = |name: &str| command.split([' ', '=']).any(|word| word == name);
        let subcommand = command.split(' ').nth(1).unwrap_or_default();
        if subcommand == "explain" {
            return String::new();
        }
        let builds_plan = matches!(subcommand, "plan" | "setup") && has_option("--option");
        let mut added: Vec<(&str, &str)> = Vec::new();
        if builds_plan || subcommand == "preflight" {
            let selection = self.selection.iter();
            added.extend(selection.map(|(name, value)| (*name, value.as_str())));
        }
        if builds_plan {
            let setup = self.setup.iter();
            added.extend(setup.map(|(name, value)| (*name, value.as_str())));
        }
        let is_of_management = self
            .management_options
            .iter()
            .any(|name| command.contains(&format!("--option {name}")));
        let global = [
            ("--profile", &self.profile),
            ("--bucket-profile", &self.bucket_profile),
            ("--bucket-role", &self.bucket_role),
            ("--region", &self.region),
            ("--endpoint-url", &self.endpoint_url),
            ("--account-id", &self.account_id),
            ("--name-prefix", &self.name_prefix),
        ];
        added.extend(
            global
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_deref()?))),
        );
        added
            .into_iter()
            .filter(|(name, _)| !has_option(name))
            .filter(|(name, _)| !(is_of_management && name.starts_with("--bucket-")))
            // A bucket has one set of credentials.
            .filter(|(name, _)| *name != "--bucket-role" || !has_option("--bucket-profile"))
            // It lists the deployments under all prefixes.
            .filter(|(name, _)| subcommand != "list" || *name != "--name-prefix")
            .map(|(name, value)| format!(" {name} {}", quote(value)))
            .collect()
    }

    /// The profile for a command of the AWS CLI: that of the management account for the organization and its trails, and
    /// otherwise that of the account with the resources. The AWS CLI has no option for a role.
    fn profile_of(&self, command: &str) -> Option<&String> {
        let service = command.split_whitespace().nth(1).unwrap_or_default();
        let is_of_management =
            matches!(service, "account" | "cloudtrail" | "organizations" | "sso");
        match (&self.bucket_profile, &self.bucket_role) {
            (None, None) => self.profile.as_ref(),
            _ if is_of_management => self.profile.as_ref(),
            _ => self.bucket_profile.as_ref(),
        }
    }

    /// Adds the profile and the endpoint to each `aws` of a command, also in `$(aws ...)`.
    fn complete_aws(&self, command: &str) -> String {
        // The AWS CLI lists the profiles only without the option, if the profile does not exist.
        if command.starts_with("aws configure list-profiles") {
            return command.to_owned();
        }
        let options = [
            ("--profile", self.profile_of(command)),
            ("--endpoint-url", self.endpoint_url.as_ref()),
        ];
        let added: String = options
            .into_iter()
            .filter(|(name, _)| !command.contains(name))
            .filter_map(|(name, value)| Some(format!("{name} {} ", quote(value?))))
            .collect();
        if added.is_empty() {
            return command.to_owned();
        }
        let mut text = String::new();
        let mut rest = command;
        while let Some(at) = rest.find("aws ") {
            let (before, after) = rest.split_at(at + "aws ".len());
            text.push_str(before);
            let lead = &rest[..at];
            let is_first = text.trim_start() == "aws ";
            if is_first || lead.ends_with("$(") {
                text.push_str(&added);
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

/// Quotes a value for a shell, if it needs that.
fn quote(value: &str) -> String {
    shlex::try_quote(value).map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> RepeatedOptions {
        RepeatedOptions {
            profile: Some("my org".into()),
            region: Some("eu-west-1".into()),
            name_prefix: Some("two".into()),
            ..RepeatedOptions::default()
        }
    }

    #[test]
    fn own_commands_repeat_global_options() {
        let all = " --profile 'my org' --region eu-west-1 --name-prefix two";
        assert_eq!(
            options().complete("heeler-ec plan"),
            format!("heeler-ec plan{all}")
        );
        assert_eq!(
            options().complete("  heeler-ec destroy --name-prefix one"),
            "  heeler-ec destroy --name-prefix one --profile 'my org' --region eu-west-1"
        );
    }

    #[test]
    fn profile_list_needs_no_profile() {
        let command = "aws configure list-profiles";
        assert_eq!(options().complete(command), command);
    }

    #[test]
    fn selection_is_repeated_where_checks_run() {
        let options = RepeatedOptions {
            selection: vec![("--trail", "org".into())],
            setup: vec![
                ("--heeler-role-arn", "arn:one".into()),
                ("--heeler-role-arn", "arn:two".into()),
            ],
            ..RepeatedOptions::default()
        };
        for (command, added) in [
            ("preflight --option s3", " --trail org"),
            (
                "plan --option s3 --adopt",
                " --trail org --heeler-role-arn arn:one --heeler-role-arn arn:two",
            ),
            (
                "setup --option s3 --heeler-role-arn arn:three",
                " --trail org",
            ),
            (
                "setup --option s3 --trail other --heeler-role-arn arn:three",
                "",
            ),
            ("plan --check", ""),
            ("destroy", ""),
        ] {
            let command = format!("heeler-ec {command}");
            assert_eq!(options.complete(&command), format!("{command}{added}"));
        }
    }

    #[test]
    fn aws_commands_repeat_profile() {
        assert_eq!(
            options().complete("aws sqs delete-queue --queue-url \"$(aws sqs get-queue-url)\""),
            "aws --profile 'my org' sqs delete-queue --queue-url \"$(aws --profile 'my org' sqs get-queue-url)\""
        );
        let login = "aws sso login --profile other";
        assert_eq!(options().complete(login), login);
    }

    #[test]
    fn aws_commands_use_profile_of_their_account() {
        let two = RepeatedOptions {
            profile: Some("payer".into()),
            bucket_profile: Some("archive".into()),
            management_options: vec!["cloudwatch"],
            ..RepeatedOptions::default()
        };
        let role = RepeatedOptions {
            bucket_profile: None,
            bucket_role: Some("arn:aws:iam::222233334444:role/deploy".into()),
            ..two.clone()
        };
        let trail = "aws --profile payer cloudtrail get-trail-status";
        for options in [&two, &role] {
            assert_eq!(options.complete("aws cloudtrail get-trail-status"), trail);
        }
        let bucket = "aws s3api get-bucket-policy";
        assert_eq!(
            two.complete(bucket),
            "aws --profile archive s3api get-bucket-policy"
        );
        assert_eq!(role.complete(bucket), bucket);
        assert_eq!(
            two.complete("heeler-ec status"),
            "heeler-ec status --profile payer --bucket-profile archive"
        );
        assert_eq!(
            two.complete("heeler-ec preflight --option cloudwatch"),
            "heeler-ec preflight --option cloudwatch --profile payer"
        );
        assert!(
            role.complete("heeler-ec status")
                .ends_with("--bucket-role arn:aws:iam::222233334444:role/deploy")
        );
    }

    #[test]
    fn commands_in_text_are_completed() {
        let options = RepeatedOptions {
            region: Some("eu-west-1".into()),
            ..RepeatedOptions::default()
        };
        assert_eq!(
            options.complete_text("run `heeler-ec tail` or `gzip -d x`, not heeler-ec plan"),
            "run `heeler-ec tail --region eu-west-1` or `gzip -d x`, not heeler-ec plan"
        );
    }

    #[test]
    fn commands_without_options_are_unchanged() {
        for command in ["heeler-ec plan --check", "aws s3 ls", "terraform plan"] {
            assert_eq!(RepeatedOptions::default().complete(command), command);
        }
    }
}
