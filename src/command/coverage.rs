//! Shows for which accounts and regions the trail delivers. It makes only reading calls.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::existing_deployment::check_account;
use super::{CommandOutcome, Context};
use crate::cli;
use crate::coverage::matrix::{expected_regions, sort_by_gaps};
use crate::coverage::progress_file::ProgressFile;
use crate::coverage::{
    AccountCoverage, CoverageScan, PairStatus, RegionName, ScanReport, StatusCounts, TrailBucket,
};
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::organization_trails::OrganizationTrails;
use crate::render::coverage::{CoverageReport, coverage_document, progress_text, write_page};
use crate::render::notices::coverage::CoverageNotice;
use crate::render::status_line::StatusLine;

/// The number of accounts from which the progress is reported without a terminal, too.
const MIN_REPORTED_ACCOUNTS: usize = 100;

pub(super) async fn run(context: &Context, args: cli::CoverageArgs) -> Result<CommandOutcome> {
    let line = StatusLine::start_delayed(context.ui, "Reading the accounts of the organization");
    args.html.as_deref().map_or(Ok(()), validate_page_path)?;
    let scan = context.cancellable(Box::pin(scan(context, &args, &line)));
    let found = scan.await.map_err(|error| with_resume_hint(error, &args));
    drop(line);
    let found = found?;
    let report = found.report(args.all);
    let document = coverage_document(&context.ui, &report);
    let has_gap = found.counts.get(PairStatus::Nothing) > 0;
    let exit = if has_gap {
        Exit::Negative
    } else {
        Exit::Success
    };
    let outcome = CommandOutcome::result(document).with_exit(exit);
    let Some(path) = args.html else {
        return Ok(outcome);
    };
    // The result is printed even if the page cannot be written.
    let written = File::create(&path).and_then(|file| write_page(&report, BufWriter::new(file)));
    Ok(match written {
        Ok(()) => outcome.and_notice(&CoverageNotice::PageWritten { file: path }),
        Err(error) => outcome.and_error(Some(Error::failed(
            format!("write the page {}", path.display()),
            error.to_string(),
        ))),
    })
}

/// The result of a scan, with everything that the report borrows.
struct FoundCoverage {
    target: TrailBucket,
    accounts: Vec<AccountCoverage>,
    regions: Vec<RegionName>,
    counts: StatusCounts,
    scan: ScanReport,
    since: SystemTime,
    checked_at: SystemTime,
    elapsed: Duration,
}

impl FoundCoverage {
    fn report(&self, shows_all: bool) -> CoverageReport<'_> {
        CoverageReport {
            target: &self.target,
            accounts: &self.accounts,
            regions: &self.regions,
            counts: &self.counts,
            scan: &self.scan,
            since: self.since,
            checked_at: self.checked_at,
            elapsed: self.elapsed,
            shows_all,
        }
    }
}

async fn scan(
    context: &Context,
    args: &cli::CoverageArgs,
    line: &StatusLine,
) -> Result<FoundCoverage> {
    let began = Instant::now();
    let aws = context.connect().await?;
    let trail = args.trail.as_deref();
    let trails = OrganizationTrails::read(&aws, trail).await?;
    check_account(context, &trails.caller.account)?;
    let target = TrailBucket::find(&aws, &trails, trail).await?;
    let now = SystemTime::now();
    let opt_in_regions = !args.default_regions;
    let mut progress = match &args.resume {
        Some(path) => Some(ProgressFile::open(path, &target, opt_in_regions, now)?),
        None => None,
    };
    // A continued scan has the days of its start, so that all accounts are compared with the same ones.
    let started = progress.as_ref().map_or(now, |file| file.started);
    let mut accounts = match &mut progress {
        Some(file) => std::mem::take(&mut file.accounts),
        None => Vec::new(),
    };
    if !accounts.is_empty() {
        context.ui.notify(&CoverageNotice::Resumed {
            accounts: accounts.len(),
        });
    }
    let prepared = CoverageScan::prepare(&aws, &target, started, opt_in_regions).await?;
    let done: HashSet<String> = accounts.iter().map(|each| each.account.clone()).collect();
    let mut display = ProgressLines {
        context,
        line,
        began: Instant::now(),
        earlier: done.len(),
        total: prepared.account_count(),
        reported_tenths: 0,
    };
    let run = prepared.run(
        |id| done.contains(id),
        |account| {
            if let Some(file) = &mut progress {
                file.append(&account)?;
            }
            accounts.push(account);
            display.update(accounts.len());
            Ok(())
        },
    );
    run.await?;
    if let Some(file) = progress {
        file.remove()?;
    }
    sort_by_gaps(&mut accounts);
    let regions = expected_regions(&accounts, &target.home_region);
    Ok(FoundCoverage {
        counts: StatusCounts::of(&accounts, &regions),
        scan: prepared.report(),
        since: prepared.since(),
        checked_at: started,
        elapsed: began.elapsed(),
        regions,
        accounts,
        target,
    })
}

/// Shows how many accounts were checked: on a terminal always, elsewhere ten times if there are many.
struct ProgressLines<'a> {
    context: &'a Context,
    line: &'a StatusLine,
    began: Instant,
    /// Accounts of earlier runs.
    earlier: usize,
    total: usize,
    reported_tenths: usize,
}

impl ProgressLines<'_> {
    fn update(&mut self, done: usize) {
        let read = done.saturating_sub(self.earlier);
        let text = progress_text(done, self.total, self.began.elapsed(), read);
        self.line.set_text(&text);
        let tenths = done * 10 / self.total.max(1);
        let is_large = self.total >= MIN_REPORTED_ACCOUNTS;
        if is_large && tenths > self.reported_tenths && !self.line.is_visible() {
            self.reported_tenths = tenths;
            self.context.ui.notify(&CoverageNotice::Progress { text });
        }
    }
}

/// Rejects a path without a folder before the calls, which may take long. The file itself is replaced only at the end.
fn validate_page_path(path: &Path) -> Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let is_missing = parent.is_some_and(|parent| !parent.is_dir());
    let reason = match (path.is_dir(), is_missing) {
        (true, _) => "it is a folder",
        (_, true) => "its folder does not exist",
        _ => return Ok(()),
    };
    let headline = format!("cannot write --html {}", path.display());
    Err(Error::usage(headline).with_reason(reason))
}

/// Names the command that continues a scan after an error.
fn with_resume_hint(error: Error, args: &cli::CoverageArgs) -> Error {
    let is_unfinished = matches!(error.exit(), Exit::Interrupted | Exit::Failed);
    let Some(path) = args.resume.as_ref().filter(|path| path.exists()) else {
        return error;
    };
    if !is_unfinished {
        return error;
    }
    let path = path.display().to_string();
    let path = shlex::try_quote(&path).unwrap_or_default();
    let mut command = format!("heeler-ec coverage --resume {path}");
    if let Some(trail) = &args.trail {
        let _ = write!(command, " --trail {trail}");
    }
    if args.default_regions {
        command.push_str(" --default-regions");
    }
    let continuation = |text: &str| Hint::from(text).and_command(command.as_str());
    let hint = match error.hint() {
        Some(hint) => hint.clone().and(&continuation("; to continue, run: ")),
        None => continuation("to continue, run: "),
    };
    error.with_hint(hint)
}
