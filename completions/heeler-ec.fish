# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_heeler_ec_global_optspecs
    string join \n profile= region= endpoint-url= account-id= name-prefix= o/output= color= q/quiet v/verbose h/help V/version
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

complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "preflight" -d 'Check whether the organization trail is ready, and say how to make it so'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "plan" -d 'Show what setup would create and change, or what differs from what was set up'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "setup" -d 'Set up the pipeline from the trail to Heeler\'s queue'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "outputs" -d 'Print the three values to paste into Heeler'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "export" -d 'Print what is set up as Terraform\'s text: import blocks, and resources as they are'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "tail" -d 'Show events as they arrive'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "destroy" -d 'Delete what setup made, and nothing else'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "restore" -d 'Put back documents that setup or destroy saved with --backup'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "policy" -d 'Print the IAM policy that a command needs, and nothing more'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c heeler-ec -n "__fish_heeler_ec_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l option -d 'Check for this way to get events to Heeler; for all of them, side by side, when not given' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l trail -d 'Take this trail when several would do: its name or ARN' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket -d 'Insist that the trail delivers to this bucket' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l bucket-kms-key -d 'Take this KMS key for that of the log objects, instead of the trail\'s or the bucket\'s' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l sns-topic -d 'Take this existing topic, which must already be told of every log object' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l log-group -d 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l var-file -d 'Take the values of Heeler\'s Terraform module from its var.auto.tfvars; other options win' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l accept -d 'Take what this check finds as it is (repeatable)' -r -f -a "bucket.encryption\t''
bucket.evidence\t''
bucket.lifecycle\t''
bucket.ownership\t''
bucket.policy\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.grantable\t''
key.grants\t''
logs.account_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.org_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
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
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l wait -d 'Look again until the checks pass, or this much time is up' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l strict -d 'Count warnings as failures'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l deep -d 'Ask also what needs more permissions: quotas of IAM, the caller\'s own permissions, transformers'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -l fix -d 'Offer to start the trail, and to set the log group\'s retention to one day; ask before each'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand preflight" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l option -d 'How events get to Heeler; the way that was set up, when not given' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l trail -d 'Take this trail when several would do: its name or ARN' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket -d 'Insist that the trail delivers to this bucket' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l bucket-kms-key -d 'Take this KMS key for that of the log objects, instead of the trail\'s or the bucket\'s' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l sns-topic -d 'Take this existing topic, which must already be told of every log object' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l log-group -d 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l var-file -d 'Take the values of Heeler\'s Terraform module from its var.auto.tfvars; other options win' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l accept -d 'Take what this check finds as it is (repeatable)' -r -f -a "bucket.encryption\t''
bucket.evidence\t''
bucket.lifecycle\t''
bucket.ownership\t''
bucket.policy\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.grantable\t''
key.grants\t''
logs.account_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.org_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
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
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l heeler-role-arn -d 'Trust this role of Heeler\'s (repeatable; required the first time)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l external-id -d 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l generate-external-id -d 'Make up an external id, when there is none yet; an existing one is kept'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l adopt -d 'Take over resources of the same names that bear nobody\'s tags, such as those of Heeler\'s Terraform module; destroy then deletes them'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -l check -d 'Exit with 1 when anything would change, also when nothing is set up'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand plan" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l option -d 'How events get to Heeler' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l trail -d 'Take this trail when several would do: its name or ARN' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket -d 'Insist that the trail delivers to this bucket' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l bucket-kms-key -d 'Take this KMS key for that of the log objects, instead of the trail\'s or the bucket\'s' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l sns-topic -d 'Take this existing topic, which must already be told of every log object' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l log-group -d 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l var-file -d 'Take the values of Heeler\'s Terraform module from its var.auto.tfvars; other options win' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l accept -d 'Take what this check finds as it is (repeatable)' -r -f -a "bucket.encryption\t''
bucket.evidence\t''
bucket.lifecycle\t''
bucket.ownership\t''
bucket.policy\t''
bucket.requester_pays\t''
caller.permissions\t''
key.account\t''
key.grantable\t''
key.grants\t''
logs.account_filter\t''
logs.data_protection\t''
logs.delivery\t''
logs.key\t''
logs.org_streams\t''
logs.retention\t''
logs.transformer\t''
names.alias_key\t''
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
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l heeler-role-arn -d 'Trust this role of Heeler\'s (repeatable; required the first time)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l external-id -d 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l backup -d 'Save the documents that will be changed in this file first, which must not exist; see restore' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l on-failure -d 'When a step fails: keep what was made, to be completed by the same command, or roll everything back' -r -f -a "keep\t'Leave what was made; the same command goes on from there'
rollback\t'Delete what this run made, put back what it changed, and leave what it found'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l generate-external-id -d 'Make up an external id, when there is none yet; an existing one is kept'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l adopt -d 'Take over resources of the same names that bear nobody\'s tags, such as those of Heeler\'s Terraform module; destroy then deletes them'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s y -l yes -d 'Do not ask'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l dry-run -d 'Show the plan and stop'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -l fix-retention -d 'Offer first to set the retention of the trail\'s log group to one day (option cloudwatch); the question has to be answered with the name of the group, also with --yes'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand setup" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand outputs" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand export" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l limit -d 'End after this many events' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l timeout -d 'End when nothing has arrived for this long (CloudTrail delivers every 5 minutes or so)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l source -d 'Where to read events from. The default depends on the option that is set up' -r -f -a "queue\t'A temporary queue that is subscribed to the topic and deleted at the end'
bucket\t'New log objects, found by listing the bucket'
log-group\t'The trail\'s log group'
heeler-queue\t'Heeler\'s own queue. Each receive counts towards its maxReceiveCount of 4, so messages are returned immediately and reading stops at the first one received more than twice'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l max-object-size -d 'Skip log files larger than this when decompressed' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l exec -d 'Run this in a shell, with the record on its standard input' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l webhook -d 'Post it to this address, without the secrets that a record may hold' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l webhook-format -d 'What the address takes' -r -f -a "json\t'Fields and the record'
slack\t'A message for Slack'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l account -d 'Show the events of this account; * and ? stand for digits, ! before it leaves it out (repeatable)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l event-region -d 'Show the events in this region, such as us-* or \'!us-east-1\' (repeatable)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l service -d 'Show the events of this service, such as iam or \'!kms\' (repeatable)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l event -d 'Show the events of this name, such as \'Delete*\' or \'!Get*\' (repeatable)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l actor -d 'Show the events of this user, ROLE/SESSION or service, such as \'Admin/*\' (repeatable)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l since -d 'Show calls that were made since then: a time ago, such as 2h, or a time, such as 2026-01-31T12:00:00Z' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l min-severity -d 'Show events of this severity or a graver one' -r -f -a "low\t''
medium\t''
high\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l severity-file -d 'Judge severity by this table, laid over the one that comes along' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l grep -d 'Show records with this text in them, as they were delivered' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l stats -d 'Print statistics to stderr every 30 seconds'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l errors-only -d 'Show calls that failed'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l write-only -d 'Show calls that say that they do not only read'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -l heeler-filter -d 'Show what Heeler\'s own filter of option cloudwatch lets pass'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand tail" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l backup -d 'Save the documents that will be changed in this file first, which must not exist; see restore' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l bucket -d 'The bucket whose notification was set up, when neither role nor trail tell any more' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l log-group -d 'The log group in this region whose events were subscribed to, when neither role nor trail tell any more' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s y -l yes -d 'Do not ask'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -l dry-run -d 'Show what would be deleted and stop'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand destroy" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s y -l yes -d 'Do not ask'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -l dry-run -d 'Show what would be put back and stop'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand restore" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l option -d 'For this option; without it, preflight is allowed both, plan and setup s3, and the others what is set up' -r -f -a "s3\t'S3 → SNS → SQS (recommended)'
cloudwatch\t'CloudWatch Logs → Lambda → SQS FIFO'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l on-failure -d 'Allow what setup --on-failure rollback takes back, too' -r -f -a "keep\t'Leave what was made; the same command goes on from there'
rollback\t'Delete what this run made, put back what it changed, and leave what it found'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l source -d 'Include the permissions of tail with this --source' -r -f -a "queue\t'A temporary queue that is subscribed to the topic and deleted at the end'
bucket\t'New log objects, found by listing the bucket'
log-group\t'The trail\'s log group'
heeler-queue\t'Heeler\'s own queue. Each receive counts towards its maxReceiveCount of 4, so messages are returned immediately and reading stops at the first one received more than twice'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l trail -d 'Take this trail when several would do: its name or ARN' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket -d 'Insist that the trail delivers to this bucket' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l bucket-kms-key -d 'Take this KMS key for that of the log objects, instead of the trail\'s or the bucket\'s' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l sns-topic -d 'Take this existing topic, which must already be told of every log object' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l log-group -d 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l var-file -d 'Take the values of Heeler\'s Terraform module from its var.auto.tfvars; other options win' -r -F
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l deep -d 'Allow what preflight --deep asks, too'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l fix -d 'Allow what preflight --fix changes, too'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -l offline -d 'Call nothing: take the names from the other options, and placeholders for the rest'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand policy" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l profile -d 'Use this profile of the AWS configuration, whatever credentials the environment holds' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l region -d 'Work in this region; it has to be that of the trail\'s bucket or log group, which is found without it' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l endpoint-url -d 'Send requests here instead of to AWS' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l account-id -d 'Refuse to go on when the credentials are of another account' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l name-prefix -d 'Begin all names with this' -r
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s o -l output -d 'Print the answer in this form' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; of tail only'"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s q -l quiet -d 'Print the answer only, no progress and no advice'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s v -l verbose -d 'Tell of every call to AWS'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand completions" -s V -l version -d 'Print version'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "preflight" -d 'Check whether the organization trail is ready, and say how to make it so'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "plan" -d 'Show what setup would create and change, or what differs from what was set up'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "setup" -d 'Set up the pipeline from the trail to Heeler\'s queue'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "outputs" -d 'Print the three values to paste into Heeler'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "export" -d 'Print what is set up as Terraform\'s text: import blocks, and resources as they are'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "tail" -d 'Show events as they arrive'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "destroy" -d 'Delete what setup made, and nothing else'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "restore" -d 'Put back documents that setup or destroy saved with --backup'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "policy" -d 'Print the IAM policy that a command needs, and nothing more'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c heeler-ec -n "__fish_heeler_ec_using_subcommand help; and not __fish_seen_subcommand_from preflight plan setup outputs export tail destroy restore policy completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
