
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
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('preflight', 'preflight', [CompletionResultType]::ParameterValue, 'Check whether the organization trail is ready, and say how to make it so')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Show what setup would create and change, or what differs from what was set up')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Set up the pipeline from the trail to Heeler''s queue')
            [CompletionResult]::new('outputs', 'outputs', [CompletionResultType]::ParameterValue, 'Print the three values to paste into Heeler')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print what is set up as Terraform''s text: import blocks, and resources as they are')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Show events as they arrive')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete what setup made, and nothing else')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put back documents that setup or destroy saved with --backup')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the IAM policy that a command needs, and nothing more')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'heeler-ec;preflight' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'Check for this way to get events to Heeler; for all of them, side by side, when not given')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Take this trail when several would do: its name or ARN')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Take this existing topic, which must already be told of every log object')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Take what this check finds as it is (repeatable)')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until the checks pass, or this much time is up')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Count warnings as failures')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Ask also what needs more permissions: quotas of IAM, the caller''s own permissions, transformers')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Offer to start the trail, and to set the log group''s retention to one day; ask before each')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;plan' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'How events get to Heeler; the way that was set up, when not given')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Take this trail when several would do: its name or ARN')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Take this existing topic, which must already be told of every log object')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Take what this check finds as it is (repeatable)')
            [CompletionResult]::new('--heeler-role-arn', '--heeler-role-arn', [CompletionResultType]::ParameterName, 'Trust this role of Heeler''s (repeatable; required the first time)')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--generate-external-id', '--generate-external-id', [CompletionResultType]::ParameterName, 'Make up an external id, when there is none yet; an existing one is kept')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Take over resources of the same names that bear nobody''s tags, such as those of Heeler''s Terraform module; destroy then deletes them')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Exit with 1 when anything would change, also when nothing is set up')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;setup' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'How events get to Heeler')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Take this trail when several would do: its name or ARN')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Take this existing topic, which must already be told of every log object')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Take what this check finds as it is (repeatable)')
            [CompletionResult]::new('--heeler-role-arn', '--heeler-role-arn', [CompletionResultType]::ParameterName, 'Trust this role of Heeler''s (repeatable; required the first time)')
            [CompletionResult]::new('--external-id', '--external-id', [CompletionResultType]::ParameterName, 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)')
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Save the documents that will be changed in this file first, which must not exist; see restore')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'When a step fails: keep what was made, to be completed by the same command, or roll everything back')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--generate-external-id', '--generate-external-id', [CompletionResultType]::ParameterName, 'Make up an external id, when there is none yet; an existing one is kept')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Take over resources of the same names that bear nobody''s tags, such as those of Heeler''s Terraform module; destroy then deletes them')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and stop')
            [CompletionResult]::new('--fix-retention', '--fix-retention', [CompletionResultType]::ParameterName, 'Offer first to set the retention of the trail''s log group to one day (option cloudwatch); the question has to be answered with the name of the group, also with --yes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;outputs' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;export' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;tail' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'End after this many events')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End when nothing has arrived for this long (CloudTrail delivers every 5 minutes or so)')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Where to read events from. The default depends on the option that is set up')
            [CompletionResult]::new('--max-object-size', '--max-object-size', [CompletionResultType]::ParameterName, 'Skip log files larger than this when decompressed')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Run this in a shell, with the record on its standard input')
            [CompletionResult]::new('--webhook', '--webhook', [CompletionResultType]::ParameterName, 'Post it to this address, without the secrets that a record may hold')
            [CompletionResult]::new('--webhook-format', '--webhook-format', [CompletionResultType]::ParameterName, 'What the address takes')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Show the events of this account; * and ? stand for digits, ! before it leaves it out (repeatable)')
            [CompletionResult]::new('--event-region', '--event-region', [CompletionResultType]::ParameterName, 'Show the events in this region, such as us-* or ''!us-east-1'' (repeatable)')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Show the events of this service, such as iam or ''!kms'' (repeatable)')
            [CompletionResult]::new('--event', '--event', [CompletionResultType]::ParameterName, 'Show the events of this name, such as ''Delete*'' or ''!Get*'' (repeatable)')
            [CompletionResult]::new('--actor', '--actor', [CompletionResultType]::ParameterName, 'Show the events of this user, ROLE/SESSION or service, such as ''Admin/*'' (repeatable)')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Show calls that were made since then: a time ago, such as 2h, or a time, such as 2026-01-31T12:00:00Z')
            [CompletionResult]::new('--min-severity', '--min-severity', [CompletionResultType]::ParameterName, 'Show events of this severity or a graver one')
            [CompletionResult]::new('--severity-file', '--severity-file', [CompletionResultType]::ParameterName, 'Judge severity by this table, laid over the one that comes along')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Show records with this text in them, as they were delivered')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--stats', '--stats', [CompletionResultType]::ParameterName, 'Print statistics to stderr every 30 seconds')
            [CompletionResult]::new('--errors-only', '--errors-only', [CompletionResultType]::ParameterName, 'Show calls that failed')
            [CompletionResult]::new('--write-only', '--write-only', [CompletionResultType]::ParameterName, 'Show calls that say that they do not only read')
            [CompletionResult]::new('--heeler-filter', '--heeler-filter', [CompletionResultType]::ParameterName, 'Show what Heeler''s own filter of option cloudwatch lets pass')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;destroy' {
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Save the documents that will be changed in this file first, which must not exist; see restore')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'The bucket whose notification was set up, when neither role nor trail tell any more')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'The log group in this region whose events were subscribed to, when neither role nor trail tell any more')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be deleted and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;restore' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be put back and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;policy' {
            [CompletionResult]::new('--option', '--option', [CompletionResultType]::ParameterName, 'For this option; without it, preflight is allowed both, plan and setup s3, and the others what is set up')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'Allow what setup --on-failure rollback takes back, too')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Include the permissions of tail with this --source')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'Take this trail when several would do: its name or ARN')
            [CompletionResult]::new('--bucket', '--bucket', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this bucket')
            [CompletionResult]::new('--bucket-kms-key', '--bucket-kms-key', [CompletionResultType]::ParameterName, 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s')
            [CompletionResult]::new('--sns-topic', '--sns-topic', [CompletionResultType]::ParameterName, 'Take this existing topic, which must already be told of every log object')
            [CompletionResult]::new('--log-group', '--log-group', [CompletionResultType]::ParameterName, 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)')
            [CompletionResult]::new('--var-file', '--var-file', [CompletionResultType]::ParameterName, 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--deep', '--deep', [CompletionResultType]::ParameterName, 'Allow what preflight --deep asks, too')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Allow what preflight --fix changes, too')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Call nothing: take the names from the other options, and placeholders for the rest')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;completions' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration, whatever credentials the environment holds')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send requests here instead of to AWS')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to go on when the credentials are of another account')
            [CompletionResult]::new('--name-prefix', '--name-prefix', [CompletionResultType]::ParameterName, 'Begin all names with this')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the answer in this form')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print the answer only, no progress and no advice')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every call to AWS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'heeler-ec;help' {
            [CompletionResult]::new('preflight', 'preflight', [CompletionResultType]::ParameterValue, 'Check whether the organization trail is ready, and say how to make it so')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Show what setup would create and change, or what differs from what was set up')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Set up the pipeline from the trail to Heeler''s queue')
            [CompletionResult]::new('outputs', 'outputs', [CompletionResultType]::ParameterValue, 'Print the three values to paste into Heeler')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print what is set up as Terraform''s text: import blocks, and resources as they are')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Show events as they arrive')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete what setup made, and nothing else')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put back documents that setup or destroy saved with --backup')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the IAM policy that a command needs, and nothing more')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
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
