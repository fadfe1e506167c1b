//! Compares the whole output of a run with an inline snapshot, which `SNAPSHOTS=overwrite` updates.

use snapbox::{Assert, IntoData};
use testkit::{Organization, Run};

use crate::screens::redaction::Redaction;
use crate::screens::screen::{sort_events, tidy};

/// Asserts that standard error is exactly this text. Values that differ from run to run are replaced by fixed ones.
pub fn assert_stderr(org: &Organization, run: &Run, expected: impl IntoData) {
    compare(org, &run.stderr, expected);
}

/// Asserts that standard output is exactly this text.
pub fn assert_stdout(org: &Organization, run: &Run, expected: impl IntoData) {
    compare(org, &run.stdout, expected);
}

fn compare(org: &Organization, text: &str, expected: impl IntoData) {
    let text = Redaction::of(org).apply(&sort_events(&tidy(text)));
    Assert::new().action_env("SNAPSHOTS").eq(text, expected);
}
