
use builtin;
use str;

set edit:completion:arg-completer[heeler-ec] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'heeler-ec'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'heeler-ec'= {
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand preflight 'Check whether the organization trail is ready, and say how to make it so'
            cand plan 'Show what setup would create and change, or what differs from what was set up'
            cand setup 'Set up the pipeline from the trail to Heeler''s queue'
            cand outputs 'Print the three values to paste into Heeler'
            cand export 'Print what is set up as Terraform''s text: import blocks, and resources as they are'
            cand tail 'Show events as they arrive'
            cand destroy 'Delete what setup made, and nothing else'
            cand restore 'Put back documents that setup or destroy saved with --backup'
            cand policy 'Print the IAM policy that a command needs, and nothing more'
            cand completions 'Print a completion script for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'heeler-ec;preflight'= {
            cand --option 'Check for this way to get events to Heeler; for all of them, side by side, when not given'
            cand --trail 'Take this trail when several would do: its name or ARN'
            cand --bucket 'Insist that the trail delivers to this bucket'
            cand --bucket-kms-key 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s'
            cand --sns-topic 'Take this existing topic, which must already be told of every log object'
            cand --log-group 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)'
            cand --var-file 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win'
            cand --accept 'Take what this check finds as it is (repeatable)'
            cand --wait 'Look again until the checks pass, or this much time is up'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand --strict 'Count warnings as failures'
            cand --deep 'Ask also what needs more permissions: quotas of IAM, the caller''s own permissions, transformers'
            cand --fix 'Offer to start the trail, and to set the log group''s retention to one day; ask before each'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;plan'= {
            cand --option 'How events get to Heeler; the way that was set up, when not given'
            cand --trail 'Take this trail when several would do: its name or ARN'
            cand --bucket 'Insist that the trail delivers to this bucket'
            cand --bucket-kms-key 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s'
            cand --sns-topic 'Take this existing topic, which must already be told of every log object'
            cand --log-group 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)'
            cand --var-file 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win'
            cand --accept 'Take what this check finds as it is (repeatable)'
            cand --heeler-role-arn 'Trust this role of Heeler''s (repeatable; required the first time)'
            cand --external-id 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand --generate-external-id 'Make up an external id, when there is none yet; an existing one is kept'
            cand --adopt 'Take over resources of the same names that bear nobody''s tags, such as those of Heeler''s Terraform module; destroy then deletes them'
            cand --check 'Exit with 1 when anything would change, also when nothing is set up'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;setup'= {
            cand --option 'How events get to Heeler'
            cand --trail 'Take this trail when several would do: its name or ARN'
            cand --bucket 'Insist that the trail delivers to this bucket'
            cand --bucket-kms-key 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s'
            cand --sns-topic 'Take this existing topic, which must already be told of every log object'
            cand --log-group 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)'
            cand --var-file 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win'
            cand --accept 'Take what this check finds as it is (repeatable)'
            cand --heeler-role-arn 'Trust this role of Heeler''s (repeatable; required the first time)'
            cand --external-id 'Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)'
            cand --backup 'Save the documents that will be changed in this file first, which must not exist; see restore'
            cand --on-failure 'When a step fails: keep what was made, to be completed by the same command, or roll everything back'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand --generate-external-id 'Make up an external id, when there is none yet; an existing one is kept'
            cand --adopt 'Take over resources of the same names that bear nobody''s tags, such as those of Heeler''s Terraform module; destroy then deletes them'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --dry-run 'Show the plan and stop'
            cand --fix-retention 'Offer first to set the retention of the trail''s log group to one day (option cloudwatch); the question has to be answered with the name of the group, also with --yes'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;outputs'= {
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;export'= {
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;tail'= {
            cand --limit 'End after this many events'
            cand --timeout 'End when nothing has arrived for this long (CloudTrail delivers every 5 minutes or so)'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;destroy'= {
            cand --backup 'Save the documents that will be changed in this file first, which must not exist; see restore'
            cand --bucket 'The bucket whose notification was set up, when neither role nor trail tell any more'
            cand --log-group 'The log group in this region whose events were subscribed to, when neither role nor trail tell any more'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --dry-run 'Show what would be deleted and stop'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;restore'= {
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --dry-run 'Show what would be put back and stop'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;policy'= {
            cand --option 'For this option; without it, preflight is allowed both, plan and setup s3, and the others what is set up'
            cand --on-failure 'Allow what setup --on-failure rollback takes back, too'
            cand --trail 'Take this trail when several would do: its name or ARN'
            cand --bucket 'Insist that the trail delivers to this bucket'
            cand --bucket-kms-key 'Take this KMS key for that of the log objects, instead of the trail''s or the bucket''s'
            cand --sns-topic 'Take this existing topic, which must already be told of every log object'
            cand --log-group 'Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)'
            cand --var-file 'Take the values of Heeler''s Terraform module from its var.auto.tfvars; other options win'
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand --deep 'Allow what preflight --deep asks, too'
            cand --fix 'Allow what preflight --fix changes, too'
            cand --offline 'Call nothing: take the names from the other options, and placeholders for the rest'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;completions'= {
            cand --profile 'Use this profile of the AWS configuration'
            cand --region 'Work in this region; it has to be that of the trail''s bucket or log group, which is found without it'
            cand --endpoint-url 'Send requests here instead of to AWS'
            cand --account-id 'Refuse to go on when the credentials are of another account'
            cand --name-prefix 'Begin all names with this'
            cand -o 'Print the answer in this form'
            cand --output 'Print the answer in this form'
            cand --color 'Colour the output'
            cand -q 'Print the answer only, no progress and no advice'
            cand --quiet 'Print the answer only, no progress and no advice'
            cand -v 'Tell of every call to AWS'
            cand --verbose 'Tell of every call to AWS'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'heeler-ec;help'= {
            cand preflight 'Check whether the organization trail is ready, and say how to make it so'
            cand plan 'Show what setup would create and change, or what differs from what was set up'
            cand setup 'Set up the pipeline from the trail to Heeler''s queue'
            cand outputs 'Print the three values to paste into Heeler'
            cand export 'Print what is set up as Terraform''s text: import blocks, and resources as they are'
            cand tail 'Show events as they arrive'
            cand destroy 'Delete what setup made, and nothing else'
            cand restore 'Put back documents that setup or destroy saved with --backup'
            cand policy 'Print the IAM policy that a command needs, and nothing more'
            cand completions 'Print a completion script for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'heeler-ec;help;preflight'= {
        }
        &'heeler-ec;help;plan'= {
        }
        &'heeler-ec;help;setup'= {
        }
        &'heeler-ec;help;outputs'= {
        }
        &'heeler-ec;help;export'= {
        }
        &'heeler-ec;help;tail'= {
        }
        &'heeler-ec;help;destroy'= {
        }
        &'heeler-ec;help;restore'= {
        }
        &'heeler-ec;help;policy'= {
        }
        &'heeler-ec;help;completions'= {
        }
        &'heeler-ec;help;help'= {
        }
    ]
    $completions[$command]
}
