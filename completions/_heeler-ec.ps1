
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'heeler-ec' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'heeler-ec'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'heeler-ec' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('preflight', 'preflight', [CompletionResultType]::ParameterValue, 'Check the prerequisites and print fixes')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Preview setup, or detect drift of an existing deployment')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Set up the pipeline from the trail to Heeler''s queue')
            [CompletionResult]::new('outputs', 'outputs', [CompletionResultType]::ParameterValue, 'Print the three values to paste into Heeler')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether events can reach Heeler, hop by hop')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export the deployment as Terraform configuration (import and resource blocks)')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Show events as they arrive')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete the resources that setup created')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Restore policies and notification settings from a --backup file')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least-privilege IAM policy for a command')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a check of preflight')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'heeler-ec;preflight' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'Delivery option to check [default: all]')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Trail name or ARN (needed only if more than one trail qualifies)')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'KMS key that encrypts the log files (overrides detection)')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Use this existing SNS topic; it must already receive an S3 event for every log file')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this log group (name or ARN)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Read values for Heeler''s Terraform module from this tfvars file; command-line options override them')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept this check although it failed or warned (repeatable)')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Repeat the checks until they pass or this time is up')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Count warnings as failures')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Also run checks that need more permissions (IAM quotas, the caller''s permissions, log transformers)')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Offer to start the trail and to set the log group''s retention to one day; asks before each change')
            [CompletionResult]::new('--detail', '--detail', [CompletionResultType]::ParameterName, 'Show every check, also those that passed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;plan' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'Delivery option [default: the deployed one]')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Trail name or ARN (needed only if more than one trail qualifies)')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'KMS key that encrypts the log files (overrides detection)')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Use this existing SNS topic; it must already receive an S3 event for every log file')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this log group (name or ARN)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Read values for Heeler''s Terraform module from this tfvars file; command-line options override them')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept this check although it failed or warned (repeatable)')
            [CompletionResult]::new('--heeler-role-arn', '--heeler-role-arn', [CompletionResultType]::ParameterName, 'ARN of the Heeler role that may assume your role (repeatable; required for the first setup)')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'External ID that Heeler must present (visible in the process list) [default: keep the current one]')
            [CompletionResult]::new('--permissions-boundary', '--permissions-boundary', [CompletionResultType]::ParameterName, 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]')
            [CompletionResult]::new('--role-path', '--role-path', [CompletionResultType]::ParameterName, 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Tag every resource with KEY=VALUE (repeatable); tags that you do not name stay as they are')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--generate-external-id', '--generate-external-id', [CompletionResultType]::ParameterName, 'Generate an external ID, unless one exists already')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Adopt untagged resources with the same names, for example those of Heeler''s Terraform module; destroy then deletes them')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Exit with 1 when anything would change or nothing is deployed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;setup' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'Delivery option')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Trail name or ARN (needed only if more than one trail qualifies)')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'KMS key that encrypts the log files (overrides detection)')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Use this existing SNS topic; it must already receive an S3 event for every log file')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this log group (name or ARN)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Read values for Heeler''s Terraform module from this tfvars file; command-line options override them')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept this check although it failed or warned (repeatable)')
            [CompletionResult]::new('--heeler-role-arn', '--heeler-role-arn', [CompletionResultType]::ParameterName, 'ARN of the Heeler role that may assume your role (repeatable; required for the first setup)')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'External ID that Heeler must present (visible in the process list) [default: keep the current one]')
            [CompletionResult]::new('--permissions-boundary', '--permissions-boundary', [CompletionResultType]::ParameterName, 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]')
            [CompletionResult]::new('--role-path', '--role-path', [CompletionResultType]::ParameterName, 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Tag every resource with KEY=VALUE (repeatable); tags that you do not name stay as they are')
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Before changing anything, save the affected policies and settings to this new file (see restore)')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'Action after a failed step')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--generate-external-id', '--generate-external-id', [CompletionResultType]::ParameterName, 'Generate an external ID, unless one exists already')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Adopt untagged resources with the same names, for example those of Heeler''s Terraform module; destroy then deletes them')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan without changing anything')
            [CompletionResult]::new('--fix-retention', '--fix-retention', [CompletionResultType]::ParameterName, 'Before setup, offer to set the log group''s retention to one day, which deletes older events. You must type the name of the log group, even with --yes')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Show the external ID in JSON output; by default, it is masked there')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;outputs' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;status' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Repeat until no hop is broken or this time is up')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'External ID that Heeler presents; without it, any external ID in the trust policy is accepted')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show the status again every 15 seconds until it is interrupted with Ctrl-C')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;export' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;tail' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Exit after this many events')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Exit after this long without events (CloudTrail delivers about every 5 minutes)')
            [CompletionResult]::new('--give-up-after', '--give-up-after', [CompletionResultType]::ParameterName, 'Exit after this long without a response from AWS; until then, failed calls are repeated')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Source of the events [default: depends on the deployed option]')
            [CompletionResult]::new('--max-object-size', '--max-object-size', [CompletionResultType]::ParameterName, 'Reject log files that are larger than this when decompressed; they count as failed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Shell command to run, with the record on its standard input')
            [CompletionResult]::new('--webhook', '--webhook', [CompletionResultType]::ParameterName, 'URL to POST alerts to; secrets in the records are masked')
            [CompletionResult]::new('--webhook-format', '--webhook-format', [CompletionResultType]::ParameterName, 'Payload format of the webhook')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Account ID; wildcards * and ?, prefix ! to exclude (repeatable)')
            [CompletionResult]::new('--event-region', '--event-region', [CompletionResultType]::ParameterName, 'Region, such as us-* or ''!us-east-1'' (repeatable)')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Service, such as iam or ''!kms'' (repeatable)')
            [CompletionResult]::new('--event', '--event', [CompletionResultType]::ParameterName, 'Event name, such as ''Delete*'' or ''!Get*'' (repeatable)')
            [CompletionResult]::new('--actor', '--actor', [CompletionResultType]::ParameterName, 'User, ROLE/SESSION or service that made the call, such as ''Admin/*'' (repeatable)')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only calls since this time: an age such as 2h, or a time such as 2026-01-31T12:00:00Z')
            [CompletionResult]::new('--min-severity', '--min-severity', [CompletionResultType]::ParameterName, 'Minimum severity')
            [CompletionResult]::new('--severity-file', '--severity-file', [CompletionResultType]::ParameterName, 'Custom severity rules, merged over the built-in ones')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Only records that contain this text, as delivered')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--stats', '--stats', [CompletionResultType]::ParameterName, 'Print statistics to stderr every 30 seconds')
            [CompletionResult]::new('--errors-only', '--errors-only', [CompletionResultType]::ParameterName, 'Only failed calls')
            [CompletionResult]::new('--write-only', '--write-only', [CompletionResultType]::ParameterName, 'Only mutating calls (readOnly is false)')
            [CompletionResult]::new('--heeler-filter', '--heeler-filter', [CompletionResultType]::ParameterName, 'Only events that match the pattern of Heeler''s subscription filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;destroy' {
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Before changing anything, save the affected policies and settings to this new file (see restore)')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Bucket to clean up, if neither the role nor the trail identifies it any more')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Log group in this region to clean up, if neither the role nor the trail identifies it any more')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be deleted without deleting anything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;restore' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Skip the confirmation prompt')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be restored without changing anything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;policy' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'Delivery option [default: all for preflight, the recommended one for plan and setup, else the deployed one]')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'Include the permissions of setup --on-failure rollback')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Include the permissions of tail with this --source')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Trail name or ARN (needed only if more than one trail qualifies)')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'KMS key that encrypts the log files (overrides detection)')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Use this existing SNS topic; it must already receive an S3 event for every log file')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Fail unless the trail delivers to this log group (name or ARN)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Read values for Heeler''s Terraform module from this tfvars file; command-line options override them')
            [CompletionResult]::new('--permissions-boundary', '--permissions-boundary', [CompletionResultType]::ParameterName, 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]')
            [CompletionResult]::new('--role-path', '--role-path', [CompletionResultType]::ParameterName, 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print an error as JSON, too (the policy is always JSON)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print an error as JSON, too (the policy is always JSON)')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Include the permissions of preflight --deep')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Include the permissions of preflight --fix')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Make no AWS calls: use the names from the other options, and placeholders for the rest')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;explain' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;completions' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile to use; overrides credentials in the environment')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region of the trail''s bucket or log group; detected by default')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Override the default endpoint URL of AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Fail unless the credentials belong to this account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Prefix of all resource names')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Format of progress, messages and errors on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Suppress progress and hints')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log every AWS API call')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;help' {
            [CompletionResult]::new('preflight', 'preflight', [CompletionResultType]::ParameterValue, 'Check the prerequisites and print fixes')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Preview setup, or detect drift of an existing deployment')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Set up the pipeline from the trail to Heeler''s queue')
            [CompletionResult]::new('outputs', 'outputs', [CompletionResultType]::ParameterValue, 'Print the three values to paste into Heeler')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether events can reach Heeler, hop by hop')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export the deployment as Terraform configuration (import and resource blocks)')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Show events as they arrive')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete the resources that setup created')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Restore policies and notification settings from a --backup file')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least-privilege IAM policy for a command')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a check of preflight')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'heeler-ec;help;preflight' {
            break
        }
        'heeler-ec;help;plan' {
            break
        }
        'heeler-ec;help;setup' {
            break
        }
        'heeler-ec;help;outputs' {
            break
        }
        'heeler-ec;help;status' {
            break
        }
        'heeler-ec;help;export' {
            break
        }
        'heeler-ec;help;tail' {
            break
        }
        'heeler-ec;help;destroy' {
            break
        }
        'heeler-ec;help;restore' {
            break
        }
        'heeler-ec;help;policy' {
            break
        }
        'heeler-ec;help;explain' {
            break
        }
        'heeler-ec;help;completions' {
            break
        }
        'heeler-ec;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
