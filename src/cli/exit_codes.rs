//! The exit codes of each command, for help and the manual pages.

/// An exit code, and what it means for a command.
pub type ExitCode = (u8, &'static str);

/// Returns the exit codes of a command that say more than success (0), invalid usage (2), an AWS or network error (3) and
/// Ctrl-C (130), and the meaning of its success. Returns none of a command that has only those.
#[must_use]
pub fn exit_codes(command: &str) -> &'static [ExitCode] {
    match command {
        "preflight" => &[
            (0, "ready (without --option: at least one option is ready)"),
            (1, "not ready"),
        ],
        "plan" => &[
            (0, "the plan was made, also if changes are pending"),
            (
                1,
                "a check failed, nothing is deployed, or --check found a change",
            ),
            (4, "changes are pending (only with --detailed-exitcode)"),
        ],
        "setup" => &[
            (0, "everything is set up"),
            (1, "a check failed, a resource conflicts, or you said no"),
            (3, "a step failed; run setup again to continue"),
        ],
        "outputs" => &[(0, "printed"), (1, "nothing is deployed")],
        "status" => &[
            (0, "no hop is broken; some may be unknown"),
            (1, "a hop is broken, or nothing is deployed"),
        ],
        "verify" => &[
            (0, "the canary was seen at every point"),
            (1, "nothing is deployed"),
            (5, "the canary was not seen yet"),
        ],
        "tail" => &[
            (0, "events were shown"),
            (1, "no event arrived, or nothing is deployed"),
            (3, "AWS did not respond, or an alert was not delivered"),
        ],
        "coverage" => &[(0, "no gap"), (1, "a gap, or no organization trail")],
        "cost" => &[
            (0, "the amount of at least one option is known"),
            (1, "no amount is known, or no organization trail"),
        ],
        "support" => &[
            (0, "the archive was written or shown"),
            (1, "you said no, or --account-id names another account"),
            (3, "AWS could not be read; the archive was still written"),
        ],
        "dlq" => &[
            (
                0,
                "the queue is empty; with redrive: the messages were moved",
            ),
            (
                1,
                "there are messages; with redrive: a hop is broken, or you said no",
            ),
            (3, "AWS did not respond, or the move task failed"),
        ],
        "destroy" => &[
            (0, "deleted"),
            (1, "nothing to delete, a conflict, or you said no"),
            (3, "a resource was not deleted; run destroy again"),
        ],
        "restore" => &[
            (0, "restored"),
            (1, "a document was skipped, or you said no"),
        ],
        "export" => &[(0, "printed"), (1, "nothing to export")],
        _ => &[],
    }
}
