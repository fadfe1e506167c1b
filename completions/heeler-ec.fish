# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_heeler_ec_global_optspecs
    string join \n profile= bucket-profile= bucket-role= region= endpoint-url= account-id= name-prefix= progress= color= q/quiet v/verbose log-file= no-input h/help V/version
end

function __fish_heeler_ec_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_heeler_ec_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_heeler_ec_using_subcommand
    set -l cmd (__fish_heeler_ec_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "preflight" -d 'Check the prerequisites and print fixes'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "plan" -d 'Preview setup, or detect drift of an existing deployment'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "setup" -d 'Set up the pipeline from the trail to Heeler\'s queue'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "outputs" -d 'Print the three values to paste into Heeler'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "list" -d 'List the deployments of the account'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "status" -d 'Show whether events can reach Heeler, hop by hop'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "verify" -d 'Send a canary and follow it through each hop'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "coverage" -d 'Show for which accounts and regions the trail delivers'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "cost" -d 'Estimate what each option costs here in a month'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "support" -d 'Write a redacted archive for a support ticket'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "dlq" -d 'Show why messages are in the dead-letter queue, and move them back'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "export" -d 'Export the deployment for Terraform, or the log files for Athena'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "tail" -d 'Show events as they arrive'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "destroy" -d 'Delete the resources that setup created'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "restore" -d 'Restore policies and notification settings from a --backup file'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "policy" -d 'Print the least-privilege IAM policy for a command'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "explain" -d 'Explain a check of preflight'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "completions" -d 'Print a shell completion script'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "help" -d 'Show the help of a command or a topic'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l option -d 'Delivery option to check [default: all]' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l trail -d 'Trail name or ARN (needed only if more than one trail qualifies)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket -d 'Fail unless the trail delivers to this bucket; with --direct, the bucket whose events are sent' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket-kms-key -d 'KMS key that encrypts the log files (overrides detection)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l sns-topic -d 'Use this existing SNS topic; it must already receive an S3 event for every log file' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l log-group -d 'Fail unless the trail delivers to this log group (name or ARN)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l var-file -d 'Read values for Heeler\'s Terraform module from this tfvars file; command-line options override them' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l vendor -d 'Vendor that receives from the queue' -r -f -a "heeler\t'Heeler'
generic\t'Any other vendor that reads S3 events from a queue'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l object-prefix -d 'Announce only objects whose keys start with this [default: keep the current prefix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l object-suffix -d 'Announce only objects whose keys end with this [default: keep the current suffix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l accept -d 'Accept this check although it failed or warned (repeatable); `heeler-ec help checks` lists the checks' -r -f -a "account.endpoint\t''
account.root\t''
bucket.delivery\t''
bucket.destinations\t''
bucket.encryption\t''
bucket.lifecycle\t''
bucket.member_objects\t''
bucket.ownership\t''
bucket.policy\t''
bucket.recent_objects\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.decrypt\t''
key.existing_grants\t''
key.grantable\t''
lint.external_id\t''
lint.root_trust\t''
lint.unknown_account\t''
lint.wildcard_action\t''
lint.wildcard_principal\t''
lint.wildcard_resource\t''
logs.account_subscription_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.member_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
org.control_policies\t''
org.delegated_admin\t''
org.trusted_access\t''
quota.iam\t''
quota.lambda\t''
trail.control_tower\t''
trail.delivery\t''
trail.events.management\t''
trail.events.sources\t''
trail.global_events\t''
trail.logging\t''
trail.multi_region\t''
trail.organization\t''
trail.regions\t''
trail.validation\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l wait -d 'Repeat the checks until they pass or this time is up' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s o -l output -d 'Output format' -r -f -a "table\t'For reading: one line per group of checks, and the problems'
short\t'For reading: only the problems'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l direct -d 'Send the S3 events of --bucket directly to the queue, without a topic and a trail; needs --vendor generic'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l queue-key -d 'Encrypt the queue with a KMS key of the deployment instead of SSE-SQS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l strict -d 'Count warnings as failures'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l deep -d 'Also run checks that need more permissions (IAM quotas, the caller\'s permissions, log transformers)'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l fix -d 'Offer to start the trail and to set the log group\'s retention to one day; asks before each change'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l detail -d 'Show every check, also those that passed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l option -d 'Delivery option [default: the deployed one]' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l trail -d 'Trail name or ARN (needed only if more than one trail qualifies)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket -d 'Fail unless the trail delivers to this bucket; with --direct, the bucket whose events are sent' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket-kms-key -d 'KMS key that encrypts the log files (overrides detection)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l sns-topic -d 'Use this existing SNS topic; it must already receive an S3 event for every log file' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l log-group -d 'Fail unless the trail delivers to this log group (name or ARN)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l var-file -d 'Read values for Heeler\'s Terraform module from this tfvars file; command-line options override them' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l vendor -d 'Vendor that receives from the queue' -r -f -a "heeler\t'Heeler'
generic\t'Any other vendor that reads S3 events from a queue'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l object-prefix -d 'Announce only objects whose keys start with this [default: keep the current prefix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l object-suffix -d 'Announce only objects whose keys end with this [default: keep the current suffix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l accept -d 'Accept this check although it failed or warned (repeatable); `heeler-ec help checks` lists the checks' -r -f -a "account.endpoint\t''
account.root\t''
bucket.delivery\t''
bucket.destinations\t''
bucket.encryption\t''
bucket.lifecycle\t''
bucket.member_objects\t''
bucket.ownership\t''
bucket.policy\t''
bucket.recent_objects\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.decrypt\t''
key.existing_grants\t''
key.grantable\t''
lint.external_id\t''
lint.root_trust\t''
lint.unknown_account\t''
lint.wildcard_action\t''
lint.wildcard_principal\t''
lint.wildcard_resource\t''
logs.account_subscription_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.member_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
org.control_policies\t''
org.delegated_admin\t''
org.trusted_access\t''
quota.iam\t''
quota.lambda\t''
trail.control_tower\t''
trail.delivery\t''
trail.events.management\t''
trail.events.sources\t''
trail.global_events\t''
trail.logging\t''
trail.multi_region\t''
trail.organization\t''
trail.regions\t''
trail.validation\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l heeler-role-arn -l vendor-role-arn -d 'ARN of the Heeler role that may assume your role (repeatable; required for the first setup)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l external-id -d 'External ID that Heeler must present (visible in the process list) [default: keep the current one]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l permissions-boundary -d 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l role-path -d 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l tag -d 'Tag every resource with KEY=VALUE (repeatable); tags that you do not name stay as they are' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l direct -d 'Send the S3 events of --bucket directly to the queue, without a topic and a trail; needs --vendor generic'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l queue-key -d 'Encrypt the queue with a KMS key of the deployment instead of SSE-SQS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l generate-external-id -d 'Generate an external ID, unless one exists already'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l adopt -d 'Adopt untagged resources with the same names, for example those of Heeler\'s Terraform module; destroy then deletes them'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l check -d 'Exit with 1 when anything would change or nothing is deployed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l detailed-exitcode -d 'Exit with 4 when changes are pending, also for a first setup, and with 0 when there are none; 1 keeps its meaning'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l detail -d 'Also show unchanged resources, every setting and whole policies'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l option -d 'Delivery option [default: the deployed one; on a terminal, setup asks for it]' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l trail -d 'Trail name or ARN (needed only if more than one trail qualifies)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket -d 'Fail unless the trail delivers to this bucket; with --direct, the bucket whose events are sent' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket-kms-key -d 'KMS key that encrypts the log files (overrides detection)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l sns-topic -d 'Use this existing SNS topic; it must already receive an S3 event for every log file' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l log-group -d 'Fail unless the trail delivers to this log group (name or ARN)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l var-file -d 'Read values for Heeler\'s Terraform module from this tfvars file; command-line options override them' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l vendor -d 'Vendor that receives from the queue' -r -f -a "heeler\t'Heeler'
generic\t'Any other vendor that reads S3 events from a queue'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l object-prefix -d 'Announce only objects whose keys start with this [default: keep the current prefix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l object-suffix -d 'Announce only objects whose keys end with this [default: keep the current suffix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l accept -d 'Accept this check although it failed or warned (repeatable); `heeler-ec help checks` lists the checks' -r -f -a "account.endpoint\t''
account.root\t''
bucket.delivery\t''
bucket.destinations\t''
bucket.encryption\t''
bucket.lifecycle\t''
bucket.member_objects\t''
bucket.ownership\t''
bucket.policy\t''
bucket.recent_objects\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.decrypt\t''
key.existing_grants\t''
key.grantable\t''
lint.external_id\t''
lint.root_trust\t''
lint.unknown_account\t''
lint.wildcard_action\t''
lint.wildcard_principal\t''
lint.wildcard_resource\t''
logs.account_subscription_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.member_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
org.control_policies\t''
org.delegated_admin\t''
org.trusted_access\t''
quota.iam\t''
quota.lambda\t''
trail.control_tower\t''
trail.delivery\t''
trail.events.management\t''
trail.events.sources\t''
trail.global_events\t''
trail.logging\t''
trail.multi_region\t''
trail.organization\t''
trail.regions\t''
trail.validation\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l heeler-role-arn -l vendor-role-arn -d 'ARN of the Heeler role that may assume your role (repeatable; required for the first setup)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l external-id -d 'External ID that Heeler must present (visible in the process list) [default: keep the current one]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l permissions-boundary -d 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l role-path -d 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l tag -d 'Tag every resource with KEY=VALUE (repeatable); tags that you do not name stay as they are' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l backup -d 'Before changing anything, save the affected policies and settings to this new file (see restore)' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l on-failure -d 'Action after a failed step' -r -f -a "keep\t'Keep what was created; the same command completes it'
rollback\t'Roll back this run\'s changes'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l direct -d 'Send the S3 events of --bucket directly to the queue, without a topic and a trail; needs --vendor generic'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l queue-key -d 'Encrypt the queue with a KMS key of the deployment instead of SSE-SQS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l generate-external-id -d 'Generate an external ID, unless one exists already'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l adopt -d 'Adopt untagged resources with the same names, for example those of Heeler\'s Terraform module; destroy then deletes them'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s y -l yes -d 'Skip the confirmation prompt'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l dry-run -d 'Show the plan without changing anything'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l detail -d 'Also show unchanged resources, every setting and whole policies'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l fix-retention -d 'Before setup, offer to set the log group\'s retention to one day, which deletes older events. You must type the name of the log group, even with --yes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l show-secrets -d 'Show the external ID in JSON output; by default, it is masked there'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'
env\t'For shells: NAME=value lines'
tfvars\t'For Terraform: lines of a tfvars file'
github\t'For GitHub Actions: lines for $GITHUB_OUTPUT; a command on standard error masks the external ID in the log'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand list" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l wait -d 'Repeat until no hop is broken or this time is up' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l external-id -d 'External ID that Heeler presents; without it, any external ID in the trust policy is accepted' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'
junit\t'For continuous integration: JUnit XML with one test case per hop'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l watch -d 'Show the status again every 15 seconds until it is interrupted with Ctrl-C'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand status" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l timeout -d 'Follow the canary for this time' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l resume -d 'Look for a canary that an earlier run sent' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l evidence -d 'Write an evidence report for auditors to this new file as Markdown, and beside it as JSON' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l no-canary -d 'Send nothing; only measure the delivery delay of the newest events'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l all-regions -d 'Send the canary in every enabled region, not only in us-east-1 and the region of the deployment'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand verify" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l trail -d 'Trail name or ARN (needed only if there are several organization trails)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l html -d 'Also write the result to this file as an HTML page, and replace the file if it exists' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l resume -d 'Keep the progress in this file: a run that was interrupted continues, and a complete run deletes the file' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'
csv\t'For spreadsheets: one row per account and region'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l all -d 'Also show accounts and regions without a gap'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l default-regions -d 'Check only regions that are enabled by default, which saves one call per account (AWS allows five per second)'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand coverage" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l trail -d 'Trail name or ARN (needed only if there are several organization trails)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l day -d 'Day to measure, in UTC [default: the last 24 hours]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l max-accounts -d 'List the log files of at most this number of accounts; the others count like these' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l log-files-per-day -d 'Log files of the organization per day' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l events-per-day -d 'Events of the organization per day' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l bytes-per-event -d 'Average size of an event in bytes' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l matching-percent -d 'Percentage of the events that match Heeler\'s filter' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l prices -d 'Take the prices in this TOML file instead of those of us-east-1; other prices stay' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand cost" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l call-log -d 'Also include the last calls of this file, which --log-file wrote' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l redact-accounts -d 'Replace account IDs by account-1, account-2 and so on'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l overwrite -d 'Replace the archive if it exists'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s y -l yes -d 'Skip the confirmation prompt'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l dry-run -d 'Show the files without writing the archive'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand support" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l limit -d 'Read at most this many messages' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l rate -d 'Move at most this many messages per second [default: chosen by SQS]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s y -l yes -d 'Skip the confirmation prompt of redrive'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l force -d 'Move the messages although a hop is broken, or although messages were moved within the last 5 minutes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l trail -d 'Trail name or ARN (only for athena, and needed only if there are several organization trails)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s o -l output -d 'Output format' -r -f -a "hcl\t'Text for the tool: HCL for Terraform, SQL for Athena'
json\t'For programs: the addresses and IDs of the imports, or the statements'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l limit -d 'Exit after this many events' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l timeout -d 'Exit after this long without events (CloudTrail delivers about every 5 minutes)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l give-up-after -d 'Exit after this long without a response from AWS; until then, failed calls are repeated' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l source -d 'Source of the events [default: depends on the deployed option]' -r -f -a "queue\t'A temporary queue that is subscribed to the topic and deleted on exit'
bucket\t'New log objects, found by listing the bucket'
log-group\t'The trail\'s log group'
heeler-queue\t'Heeler\'s own queue. Each receive counts towards its maxReceiveCount of 4. Messages are returned immediately, and reading stops at the first one that was received more than twice'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l columns -d 'Columns of the table, separated by commas [default: those that fit]' -r -f -a "time\t'Time of the call, in UTC'
level\t'Severity'
account\t'Name of the account, or its ID'
account-id\t''
region\t''
service\t''
event\t'Name of the event'
actor\t'User, role session or service that made the call'
source-address\t'IP address or service that the call came from'
user-agent\t''
resource\t'ARN of the first resource'
error\t'Error code, or the message of a failed sign-in'
read-only\t'True for a call that only reads'
event-id\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l max-object-size -d 'Reject log files that are larger than this when decompressed; they count as failed' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one record per line'
csv\t'For spreadsheets'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l exec -d 'Shell command to run, with the record on its standard input' -r -f -a "(__fish_complete_command)"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l webhook -d 'URL to POST alerts to; secrets in the records are masked' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l webhook-format -d 'Payload format of the webhook' -r -f -a "json\t'Selected fields and the record'
slack\t'Slack message'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l account -d 'Account ID; wildcards * and ?, prefix ! to exclude (repeatable)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l event-region -d 'Region, such as us-* or \'!us-east-1\' (repeatable)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l service -d 'Service, such as iam or \'!kms\' (repeatable)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l event -d 'Event name, such as \'Delete*\' or \'!Get*\' (repeatable)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l actor -d 'User, ROLE/SESSION or service that made the call, such as \'Admin/*\' (repeatable)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l since -d 'Only calls since this time: an age such as 2h, or a time such as 2026-01-31T12:00:00Z' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l min-severity -d 'Minimum severity' -r -f -a "low\t''
medium\t''
high\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l severity-file -d 'Custom severity rules, merged over the built-in ones' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l grep -d 'Only records that contain this text, as delivered' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l stats -d 'Print statistics to stderr every 30 seconds'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l errors-only -d 'Only failed calls'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l write-only -d 'Only mutating calls (readOnly is false)'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l heeler-filter -d 'Only events that match the pattern of Heeler\'s subscription filter'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l backup -d 'Before changing anything, save the affected policies and settings to this new file (see restore)' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l bucket -d 'Bucket to clean up, if neither the role nor the trail identifies it any more' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l log-group -d 'Log group in this region to clean up, if neither the role nor the trail identifies it any more' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s y -l yes -d 'Skip the confirmation prompt'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l dry-run -d 'Show what would be deleted without deleting anything'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s y -l yes -d 'Skip the confirmation prompt'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l dry-run -d 'Show what would be restored without changing anything'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l option -d 'Delivery option [default: all for preflight, the recommended one for plan and setup, else the deployed one]' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l on-failure -d 'Include the permissions of setup --on-failure rollback' -r -f -a "keep\t'Keep what was created; the same command completes it'
rollback\t'Roll back this run\'s changes'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l source -d 'Include the permissions of tail with this --source' -r -f -a "queue\t'A temporary queue that is subscribed to the topic and deleted on exit'
bucket\t'New log objects, found by listing the bucket'
log-group\t'The trail\'s log group'
heeler-queue\t'Heeler\'s own queue. Each receive counts towards its maxReceiveCount of 4. Messages are returned immediately, and reading stops at the first one that was received more than twice'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l account -d 'Print only the permissions in one account, if the log bucket is in another account than the trail' -r -f -a "management\t'The management account, which is only read'
bucket\t'The account of the log bucket, which gets the resources'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l trail -d 'Trail name or ARN (needed only if more than one trail qualifies)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket -d 'Fail unless the trail delivers to this bucket; with --direct, the bucket whose events are sent' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket-kms-key -d 'KMS key that encrypts the log files (overrides detection)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l sns-topic -d 'Use this existing SNS topic; it must already receive an S3 event for every log file' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l log-group -d 'Fail unless the trail delivers to this log group (name or ARN)' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l var-file -d 'Read values for Heeler\'s Terraform module from this tfvars file; command-line options override them' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l vendor -d 'Vendor that receives from the queue' -r -f -a "heeler\t'Heeler'
generic\t'Any other vendor that reads S3 events from a queue'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l object-prefix -d 'Announce only objects whose keys start with this [default: keep the current prefix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l object-suffix -d 'Announce only objects whose keys end with this [default: keep the current suffix; at first, all objects]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l permissions-boundary -d 'ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l role-path -d 'IAM path in which to create the roles, such as /platform/ [default: the current one, or /]' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s o -l output -d 'Print an error as JSON, too (the policy is always JSON)' -r -f -a "json\t'For programs: the policy or the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l deep -d 'Include the permissions of preflight --deep'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l fix -d 'Include the permissions of preflight --fix'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l offline -d 'Make no AWS calls: use the names from the other options, and placeholders for the rest'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l direct -d 'Send the S3 events of --bucket directly to the queue, without a topic and a trail; needs --vendor generic'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l queue-key -d 'Encrypt the queue with a KMS key of the deployment instead of SSE-SQS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -s o -l output -d 'Output format' -r -f -a "table\t'For reading'
json\t'For programs: one document with the result and the error'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s o -l output -d 'Output format' -r -f -a "text\t'The script itself'
json\t'For programs: one document with the script'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l profile -d 'AWS profile to use; overrides credentials in the environment' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l bucket-profile -d 'AWS profile for the account of the log bucket; --profile then only reads the organization and its trail' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l bucket-role -d 'Role in the account of the log bucket, assumed instead of a --bucket-profile' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l region -d 'AWS region of the trail\'s bucket or log group; detected by default' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l endpoint-url -d 'Override the default endpoint URL of AWS' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l account-id -d 'Fail unless the credentials for the resources belong to this account' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l name-prefix -d 'Prefix of all resource names' -r -f
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l progress -d 'Format of progress, messages and errors on standard error' -r -f -a "text\t'For reading'
plain\t'For reading, without a line that is redrawn'
json\t'For programs: one JSON object per line'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l color -d 'When to color the output' -r -f -a "auto\t'On a terminal or with FORCE_COLOR, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l log-file -d 'Append one JSON line per AWS API call to this file, without contents or credentials' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -s q -l quiet -d 'Suppress progress and hints'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -s v -l verbose -d 'Log every AWS API call'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -l no-input -d 'Never ask: fail if an answer is needed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "heeler_event_queue_url" -d 'URL of the queue'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "heeler_event_role_arn" -d 'ARN of the role that Heeler or another vendor assumes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "heeler_event_role_external_id" -d 'External ID that Heeler or another vendor presents'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "region" -d 'Region of the queue and the bucket, for another vendor'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "bucket" -d 'Bucket of the objects, for another vendor'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "object_prefix" -d 'Start of the object keys, for another vendor'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -f -a "object_suffix" -d 'End of the object keys, for another vendor'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand dlq" -f -a "redrive" -d 'Move all messages back to Heeler\'s queue'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -f -a "terraform" -d 'Terraform 1.5 or newer, with version 5 of the AWS provider'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -f -a "athena" -d 'Amazon Athena, engine version 3'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "preflight"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "plan"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "setup"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "outputs"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "list"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "status"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "coverage"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "cost"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "dlq"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "dlq-redrive"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "verify"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "support"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "export"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "tail"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "destroy"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -f -a "restore"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.credentials"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.endpoint"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.expected"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.partition"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.region"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "account.root"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.delivery"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.destinations"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.encryption"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.lifecycle"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.matches_trail"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.member_objects"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.notifications"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.owner"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.ownership"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.policy"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.recent_objects"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.region"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.requester_pays"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "bucket.topic"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "caller.permissions"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "key.account"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "key.decrypt"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "key.existing_grants"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "key.grantable"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "key.state"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.external_id"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.root_trust"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.unknown_account"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.wildcard_action"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.wildcard_principal"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "lint.wildcard_resource"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.account"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.account_subscription_filter"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.class"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.data_protection"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.delivery"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.enabled"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.exists"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.filters"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.key"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.member_streams"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.recursion"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.retention"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "logs.transformer"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.alias"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.alias_key"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.dead_letter_queue"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.function"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.function_policy"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.function_role"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.policy"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.queue"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.role"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.terraform_managed"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "names.topic"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.all_features"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.control_policies"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.delegated_admin"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.exists"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.management_account"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "org.trusted_access"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "quota.iam"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "quota.lambda"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.control_tower"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.delivery"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.events.management"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.events.sources"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.found"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.global_events"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.logging"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.multi_region"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.organization"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.regions"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.sns_topic"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand explain" -f -a "trail.validation"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -f -a "bash"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -f -a "elvish"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -f -a "fish"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -f -a "powershell"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -f -a "zsh"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "environment" -d 'Environment variables'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "exit-codes" -d 'Exit codes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "output" -d 'Output formats and streams'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "checks" -d 'Checks of preflight, and which of them can be accepted'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "preflight" -d 'Check the prerequisites and print fixes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "plan" -d 'Preview setup, or detect drift of an existing deployment'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "setup" -d 'Set up the pipeline from the trail to Heeler\'s queue'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "outputs" -d 'Print the three values to paste into Heeler'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "status" -d 'Show whether events can reach Heeler, hop by hop'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "verify" -d 'Send a canary and follow it through each hop'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "tail" -d 'Show events as they arrive'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "coverage" -d 'Show for which accounts and regions the trail delivers'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "list" -d 'List the deployments of the account'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "support" -d 'Write a redacted archive for a support ticket'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "dlq" -d 'Show why messages are in the dead-letter queue, and move them back'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "destroy" -d 'Delete the resources that setup created'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "restore" -d 'Restore policies and notification settings from a --backup file'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "explain" -d 'Explain a check of preflight'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "policy" -d 'Print the least-privilege IAM policy for a command'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "cost" -d 'Estimate what each option costs here in a month'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "export" -d 'Export the deployment for Terraform, or the log files for Athena'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "completions" -d 'Print a shell completion script'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help" -f -a "help" -d 'Show the help of a command or a topic'
