//! The coverage as a matrix that fits the terminal: accounts with gaps first, and only regions with gaps if not all fit.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::region_code::region_code;
use super::{CoverageReport, age, grouped, meaning, plural, sign, tone};
use crate::coverage::key_layout::ObjectTime;
use crate::coverage::{AccountCoverage, PairStatus, RegionName};
use crate::render::{Tone, Ui};
use crate::sanitize::escape_control_chars;

/// The largest number of accounts with equal regions that are shown one by one.
const MAX_EQUAL_ROWS: usize = 3;
/// The widest label of a row: an account ID and a name.
const MAX_LABEL: usize = 34;
const LAST_EVENT: &str = "last event";
/// The space between two columns.
const GAP: usize = 2;

/// A row of the matrix: an account, or several with equal regions.
struct MatrixRow<'a> {
    account: &'a AccountCoverage,
    /// The number of further accounts.
    others: usize,
    last_event: Option<ObjectTime>,
}

/// The columns of one part of the matrix.
struct MatrixPart<'a> {
    regions: Vec<&'a RegionName>,
    /// The width of each column.
    widths: Vec<usize>,
    /// True for region codes and signs, false for region names and words.
    is_short: bool,
    label_width: usize,
}

pub(super) fn coverage_text(ui: Ui, report: &CoverageReport<'_>) -> String {
    let mut text = headline(ui, report);
    let rows = rows(report);
    if !rows.is_empty() {
        write_matrix(ui, &mut text, report, &rows);
    }
    let hidden = report.accounts.len() - shown_accounts(&rows);
    if hidden > 0 {
        let what = if rows.is_empty() {
            "the matrix"
        } else {
            "them"
        };
        let line = format!(
            "{} without a gap (--all shows {what})",
            plural(hidden, "account")
        );
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 0));
        if !rows.is_empty() {
            text.push('\n');
        }
    }
    if !rows.is_empty() {
        write_legend(ui, &mut text, report);
    }
    write_remarks(ui, &mut text, report);
    text
}

fn headline(ui: Ui, report: &CoverageReport<'_>) -> String {
    let total = report.accounts.len();
    let with_gap = report.accounts.iter().filter(|each| each.has_gap()).count();
    let gaps = report.counts.get(PairStatus::Nothing);
    let result = if with_gap == 0 {
        format!("No gap in {}", plural(total, "account"))
    } else {
        format!(
            "{} in {} of {}",
            plural(gaps, "gap"),
            grouped(with_gap),
            plural(total, "account")
        )
    };
    let unknown = match report.counts.get(PairStatus::Unknown) {
        0 => String::new(),
        unknown => format!(", {} unknown", grouped(unknown)),
    };
    let line = format!(
        "{result} and {}{unknown}, checked with {} ({:.1} s).",
        plural(report.regions.len(), "region"),
        plural(report.scan.calls, "call"),
        report.elapsed.as_secs_f64()
    );
    let line = ui.wrap_stdout(&line, 0);
    let mut text = String::new();
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, &line));
    let since = super::rfc3339(report.since);
    let line = format!(
        "Trail {}, s3://{}/{}, log files since {since}",
        report.target.trail, report.target.bucket, report.target.log_prefix
    );
    let _ = writeln!(text, "{}\n", ui.wrap_stdout(&line, 0));
    text
}

/// The accounts to show. Accounts with equal regions form one row if there are many.
fn rows<'a>(report: &CoverageReport<'a>) -> Vec<MatrixRow<'a>> {
    let shown = report.accounts.iter().filter(|account| {
        report.shows_all || account.has_gap() || account.count(PairStatus::Unknown) > 0
    });
    let pattern = |account: &AccountCoverage| -> Vec<PairStatus> {
        let regions = report.regions.iter();
        regions.map(|region| account.pair(region).status).collect()
    };
    let mut groups: Vec<(Vec<PairStatus>, Vec<&'a AccountCoverage>)> = Vec::new();
    let mut positions = std::collections::HashMap::new();
    for account in shown {
        let pattern = pattern(account);
        let position = *positions.entry(pattern.clone()).or_insert_with(|| {
            groups.push((pattern, Vec::new()));
            groups.len() - 1
        });
        groups[position].1.push(account);
    }
    let mut rows = Vec::new();
    for (_, accounts) in groups {
        if report.shows_all || accounts.len() <= MAX_EQUAL_ROWS {
            rows.extend(accounts.into_iter().map(|account| MatrixRow {
                account,
                others: 0,
                last_event: account.last_event(),
            }));
        } else if let [first, others @ ..] = accounts.as_slice() {
            rows.push(MatrixRow {
                account: first,
                others: others.len(),
                last_event: accounts.iter().filter_map(|each| each.last_event()).max(),
            });
        }
    }
    rows
}

impl MatrixRow<'_> {
    fn label(&self) -> String {
        let id = &self.account.account;
        if self.others > 0 {
            return format!("{id} and {} more", grouped(self.others));
        }
        escape_control_chars(&format!("{id} {}", self.account.name))
    }
}

fn write_matrix<'a>(
    ui: Ui,
    text: &mut String,
    report: &CoverageReport<'a>,
    rows: &[MatrixRow<'a>],
) {
    let labels: Vec<String> = rows.iter().map(|row| shorten(ui, &row.label())).collect();
    let label_width = labels.iter().map(|label| label.width()).max();
    let label_width = label_width.unwrap_or_default().max("account".len());
    let has_problem = |region: &&RegionName| {
        rows.iter().any(|row| {
            let status = row.account.pair(region).status;
            matches!(status, PairStatus::Nothing | PairStatus::Unknown)
        })
    };
    let regions: &'a [RegionName] = report.regions;
    let all: Vec<&'a RegionName> = regions.iter().collect();
    let problems: Vec<&'a RegionName> = regions.iter().filter(has_problem).collect();
    let needed = if report.shows_all { &all } else { &problems };
    let layout = |regions: &[&'a RegionName], is_short| {
        MatrixPart::new(ui, regions.to_vec(), rows, is_short, label_width)
    };
    let candidates = [(&all, false), (&all, true), (needed, false), (needed, true)];
    let fitting = candidates
        .into_iter()
        .map(|(regions, is_short)| layout(regions, is_short))
        .find(|part| ui.fits_stdout(part.width()));
    let parts = match fitting {
        Some(layout) => vec![layout],
        None => layout(needed, true).split(ui),
    };
    let shown: usize = parts.iter().map(|part| part.regions.len()).sum();
    for part in &parts {
        part.write(ui, text, report, rows, &labels);
        text.push('\n');
    }
    if shown < all.len() {
        let line = format!(
            "{} without a gap in these accounts (--all shows them)",
            plural(all.len() - shown, "other region")
        );
        let end = if shown_accounts(rows) < report.accounts.len() {
            ""
        } else {
            "\n"
        };
        let _ = writeln!(text, "{}{end}", ui.wrap_stdout(&line, 0));
    }
}

/// The number of accounts in these rows.
fn shown_accounts(rows: &[MatrixRow<'_>]) -> usize {
    rows.iter().map(|row| row.others + 1).sum()
}

/// Shortens a label to the widest one.
fn shorten(ui: Ui, label: &str) -> String {
    if label.width() <= MAX_LABEL {
        return label.to_owned();
    }
    let end = ui.symbol("…", "~");
    let mut short = String::new();
    for c in label.chars() {
        let next = short.width() + c.to_string().width();
        if next + end.width() > MAX_LABEL {
            break;
        }
        short.push(c);
    }
    short + end
}

impl<'a> MatrixPart<'a> {
    fn new(
        ui: Ui,
        regions: Vec<&'a RegionName>,
        rows: &[MatrixRow<'_>],
        is_short: bool,
        label_width: usize,
    ) -> Self {
        let width = |region: &&RegionName| {
            let cells = rows
                .iter()
                .map(|row| cell(ui, row.account.pair(region).status, is_short).width());
            cells.chain([heading(region, is_short).width()]).max()
        };
        Self {
            widths: regions
                .iter()
                .map(|region| width(region).unwrap_or_default())
                .collect(),
            regions,
            is_short,
            label_width,
        }
    }

    /// The width of the whole part.
    fn width(&self) -> usize {
        let columns: usize = self.widths.iter().map(|width| GAP + width).sum();
        self.label_width + columns + GAP + LAST_EVENT.len()
    }

    /// Splits the columns into parts that fit the terminal.
    fn split(self, ui: Ui) -> Vec<Self> {
        let empty = || Self {
            regions: Vec::new(),
            widths: Vec::new(),
            ..self
        };
        let mut parts = vec![empty()];
        for (region, width) in self.regions.iter().zip(&self.widths) {
            let needed = parts.last().map_or(0, |part| part.width() + GAP + width);
            if !ui.fits_stdout(needed) {
                parts.push(empty());
            }
            if let Some(part) = parts.last_mut() {
                part.regions.push(region);
                part.widths.push(*width);
            }
        }
        parts.retain(|part| !part.regions.is_empty());
        parts
    }

    fn write(
        &self,
        ui: Ui,
        text: &mut String,
        report: &CoverageReport<'_>,
        rows: &[MatrixRow<'_>],
        labels: &[String],
    ) {
        let mut line = pad("account", self.label_width);
        for (region, width) in self.regions.iter().zip(&self.widths) {
            let column = pad(&heading(region, self.is_short), *width);
            let _ = write!(line, "{:GAP$}{column}", "");
        }
        let _ = write!(line, "{:GAP$}{LAST_EVENT}", "");
        let _ = writeln!(text, "{}", ui.paint(Tone::Strong, &line));
        for (row, label) in rows.iter().zip(labels) {
            text.push_str(&pad(label, self.label_width));
            for (region, width) in self.regions.iter().zip(&self.widths) {
                let status = row.account.pair(region).status;
                let cell = cell(ui, status, self.is_short);
                let space = width - cell.width();
                let cell = ui.paint(tone(status), &cell);
                let _ = write!(text, "{:GAP$}{cell}{:space$}", "", "");
            }
            let last = age(row.last_event, report.checked_at);
            let _ = writeln!(text, "{:GAP$}{last}", "");
        }
    }
}

fn heading(region: &str, is_short: bool) -> String {
    if is_short {
        region_code(region)
    } else {
        region.to_owned()
    }
}

fn cell(ui: Ui, status: PairStatus, is_short: bool) -> String {
    let word = match status {
        PairStatus::Nothing => " none",
        PairStatus::DigestOnly => " silent",
        PairStatus::Unknown => " unknown",
        PairStatus::Events | PairStatus::NotExpected => "",
    };
    let word = if is_short { "" } else { word };
    format!("{}{word}", sign(ui, status))
}

fn pad(text: &str, width: usize) -> String {
    let space = width.saturating_sub(text.width());
    format!("{text}{:space$}", "")
}

fn write_legend(ui: Ui, text: &mut String, report: &CoverageReport<'_>) {
    let known = PairStatus::ALL.into_iter().rev();
    let known = known.filter(|status| report.counts.get(*status) > 0);
    for status in known {
        let sign = sign(ui, status);
        let painted = ui.paint(tone(status), sign);
        let _ = writeln!(
            text,
            "{painted}{:1$}{2}",
            "",
            3 - sign.width(),
            meaning(status)
        );
    }
}

/// Explains what the result does not contain.
fn write_remarks(ui: Ui, text: &mut String, report: &CoverageReport<'_>) {
    let mut remarks = Vec::new();
    if !report.target.has_digests {
        remarks.push(format!(
            "Log file validation of trail {} is off, so a gap looks like a region without activity.",
            report.target.trail
        ));
    }
    if report.target.has_digests && !report.scan.expects_digests {
        remarks.push(format!(
            "Trail {} has no digest file that is older than two hours, so a gap looks like a region without activity.",
            report.target.trail
        ));
    }
    if report.scan.lacks_opt_in_regions {
        remarks.push(
            "Opt-in regions of some member accounts are not known. To read them, enable trusted access for AWS Account \
             Management (account.amazonaws.com) in AWS Organizations, and allow account:ListRegions."
                .to_owned(),
        );
    }
    let others = &report.scan.other_accounts;
    if !others.is_empty() {
        let verb = if others.len() == 1 { "is" } else { "are" };
        remarks.push(format!(
            "The bucket also has log files of {} that {verb} not in the organization (-o json lists them).",
            plural(others.len(), "account")
        ));
    }
    for remark in remarks {
        let _ = writeln!(text, "\n{}", ui.wrap_stdout(&remark, 0));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::coverage::matrix::{expected_regions, sort_by_gaps};
    use crate::coverage::{Pair, ScanReport, StatusCounts, TrailBucket};

    const REGIONS: [&str; 6] = [
        "ap-southeast-2",
        "eu-central-1",
        "eu-west-1",
        "us-east-1",
        "us-west-1",
        "us-west-2",
    ];

    fn pair(status: PairStatus) -> Pair {
        Pair {
            status,
            last_event: None,
            last_digest: None,
        }
    }

    /// An account with this status in the first regions, and events in the others.
    fn account(number: usize, status: PairStatus, regions: usize) -> AccountCoverage {
        let statuses = REGIONS.iter().enumerate();
        AccountCoverage {
            account: (111_100_000_000_u64 + number as u64).to_string(),
            name: format!("team-{number}"),
            state: "ACTIVE".to_owned(),
            pairs: statuses
                .map(|(index, region)| {
                    let is_first = index < regions;
                    let status = if is_first { status } else { PairStatus::Events };
                    (RegionName::from(*region), pair(status))
                })
                .collect(),
        }
    }

    fn shown(mut accounts: Vec<AccountCoverage>, width: Option<usize>, shows_all: bool) -> String {
        let target = TrailBucket {
            organization: "o-1".to_owned(),
            trail: "org-trail".to_owned(),
            trail_arn: String::new(),
            home_region: "us-east-1".to_owned(),
            is_multi_region: true,
            has_digests: false,
            bucket: "logs".to_owned(),
            bucket_region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            bucket_owner: None,
            log_prefix: "AWSLogs/o-1/".to_owned(),
        };
        sort_by_gaps(&mut accounts);
        let regions = expected_regions(&accounts, "us-east-1");
        let report = CoverageReport {
            target: &target,
            accounts: &accounts,
            regions: &regions,
            counts: &StatusCounts::of(&accounts, &regions),
            scan: &ScanReport {
                calls: 3_812,
                lacks_opt_in_regions: true,
                expects_digests: false,
                other_accounts: vec!["999999999999".to_owned()],
            },
            since: SystemTime::UNIX_EPOCH,
            checked_at: SystemTime::UNIX_EPOCH,
            elapsed: Duration::from_secs(6),
            shows_all,
        };
        coverage_text(Ui::plain(width), &report)
    }

    #[test]
    fn equal_accounts_form_one_row() {
        let mut accounts: Vec<_> = (0..5)
            .map(|number| account(number, PairStatus::Nothing, 2))
            .collect();
        accounts.push(account(5, PairStatus::Nothing, 1));
        accounts.push(account(6, PairStatus::Events, 0));
        let text = shown(accounts.clone(), Some(70), false);
        assert!(
            text.contains(
                "account                  ap-southeast-2  eu-central-1  last event\n\
                 111100000000 and 4 more  x none          x none        never\n\
                 111100000005 team-5      x none          ok            never\n"
            ),
            "{text}"
        );
        assert!(
            text.starts_with("11 gaps in 6 of 7 accounts and 6 regions"),
            "{text}"
        );
        assert!(
            text.contains("\n4 other regions without a gap in these accounts"),
            "{text}"
        );
        assert!(
            text.contains("\n1 account without a gap (--all shows them)\n"),
            "{text}"
        );
        let all = shown(accounts, Some(200), true);
        assert_eq!(all.matches(" team-").count(), 7, "{all}");
        assert!(!all.contains("--all"), "{all}");
    }

    #[test]
    fn lines_fit_narrow_terminals() {
        let accounts = vec![
            account(0, PairStatus::Nothing, 6),
            account(1, PairStatus::Unknown, 3),
            account(2, PairStatus::DigestOnly, 6),
        ];
        for width in [50, 60, 80, 120] {
            let text = shown(accounts.clone(), Some(width), true);
            let longest = text.lines().map(UnicodeWidthStr::width).max();
            assert!(longest <= Some(width), "{width}: {text}");
            for region in REGIONS {
                let code = format!(" {}", region_code(region));
                assert!(
                    text.contains(region) || text.contains(&code),
                    "{region}: {text}"
                );
            }
        }
        // A pipe has no width.
        let text = shown(accounts, None, true);
        assert!(text.contains("us-west-2  last event"), "{text}");
        assert!(text.contains("? unknown"), "{text}");
    }

    #[test]
    fn remarks_explain_missing_information() {
        let text = shown(vec![account(0, PairStatus::Unknown, 1)], None, false);
        assert!(
            text.contains("No gap in 1 account and 6 regions, 1 unknown"),
            "{text}"
        );
        assert!(
            text.contains("Log file validation of trail org-trail is off"),
            "{text}"
        );
        assert!(
            text.contains("Opt-in regions of some member accounts are not known"),
            "{text}"
        );
        assert!(
            text.contains("also has log files of 1 account that is not in"),
            "{text}"
        );
    }

    #[test]
    fn names_of_accounts_are_escaped_and_shortened() {
        let mut named = account(0, PairStatus::Nothing, 1);
        named.name = format!("\u{1b}[31m{}", "x".repeat(60));
        let text = shown(vec![named], Some(80), false);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(
            text.contains("111100000000 \\u{1b}[31mxxxxxxxxxx~  "),
            "{text}"
        );
    }
}
