//! Prints the outcomes of the fault matrix by kind of fault.

use std::collections::BTreeMap;
use std::time::Duration;

use super::case::Case;
use super::run::Outcome;

/// Prints a line while the matrix runs.
#[expect(clippy::print_stderr, reason = "progress of a test that takes an hour")]
pub fn note(line: &str) {
    eprintln!("{line}");
}

/// Prints the table, and fails if a case is bad or was not injected.
pub fn assert_none_bad(outcomes: &BTreeMap<String, Outcome>, elapsed: Duration) {
    let mut rows: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for (name, outcome) in outcomes {
        let kind = Case::parse(name).map_or("unknown", |case| case.kind.name());
        let column = match outcome {
            Outcome::Survived => 0,
            Outcome::Refused => 1,
            Outcome::Bad(_) => 2,
            Outcome::NotInjected => 3,
        };
        rows.entry(kind.to_owned()).or_default()[column] += 1;
    }
    note(&format!(
        "{:<22}{:>6}{:>10}{:>9}{:>6}{:>14}",
        "fault", "cases", "survived", "refused", "bad", "not injected"
    ));
    let mut total = [0; 4];
    for (kind, row) in &rows {
        print_row(kind, *row);
        for (sum, count) in total.iter_mut().zip(row) {
            *sum += count;
        }
    }
    print_row("total", total);
    note(&format!(
        "bad = {}, {} s",
        total[2] + total[3],
        elapsed.as_secs()
    ));
    let failed = outcomes.iter().filter(|(_, outcome)| !outcome.is_good());
    let failed: Vec<String> = failed
        .map(|(name, outcome)| format!("{name}: {outcome}"))
        .collect();
    assert!(
        failed.is_empty(),
        "{} bad cases:\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

fn print_row(name: &str, row: [usize; 4]) {
    let cases: usize = row.iter().sum();
    note(&format!(
        "{name:<22}{cases:>6}{:>10}{:>9}{:>6}{:>14}",
        row[0], row[1], row[2], row[3]
    ));
}
