//! Estimates what each option costs in a month, from the volume of the organization. It makes only reading calls.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::join;

use super::blocking::{read_at_most, run_blocking};
use super::existing_deployment::check_account;
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::aws::arn::Arn;
use crate::cli;
use crate::cost::{
    GivenUsage, LogFileLimits, LogFileProgress, LogFileVolume, MeasuredPeriod, Measurements,
    MeasuringCalls, MonthlyUsage, OptionCost, PriceTable, general_assumptions, measure_log_files,
    sample_log_events,
};
use crate::coverage::{TrailBucket, select_trail};
use crate::error::{Error, Exit, Result};
use crate::filter_pattern::FilterPattern;
use crate::hint::Hint;
use crate::inventory::facts::Trail;
use crate::inventory::log_group_volume::{LogGroupVolume, read_log_group_volume};
use crate::inventory::organization_trails::OrganizationTrails;
use crate::option::{HEELER_PATTERN, OPTIONS};
use crate::render::cost::{CostReport, MeasuredTrail, UnreadSource, cost_document};
use crate::render::coverage::progress_text;
use crate::render::notices::cost::CostNotice;
use crate::render::status_line::StatusLine;

/// The largest price table that is read.
const MAX_PRICE_FILE_BYTES: u64 = 1024 * 1024;
/// The number of accounts from which the progress is reported without a terminal, too.
const MIN_REPORTED_ACCOUNTS: usize = 100;

pub(super) async fn run(context: &Context, args: cli::CostArgs) -> Result<CommandOutcome> {
    let prices = args.prices.clone();
    let prices = run_blocking(&context.interrupt, move || read_prices(prices.as_deref())).await?;
    let given = GivenUsage {
        log_files_per_day: args.log_files_per_day,
        events_per_day: args.events_per_day,
        bytes_per_event: args.bytes_per_event,
        matching_percent: args.matching_percent,
    };
    let now = SystemTime::now();
    let period = MeasuredPeriod::new(args.day, now);
    if args.day.is_some() && period.end > now {
        return Err(Error::usage("the day in --day has not ended yet")
            .with_hint("name an earlier day, or omit --day to measure the last 24 hours"));
    }
    let found = if given.is_complete() {
        FoundVolume::default()
    } else {
        let line = StatusLine::start_delayed(context.ui, "Reading the trail");
        let measuring = Measuring {
            context,
            args: &args,
            line: &line,
            period,
        };
        let found = context.cancellable(Box::pin(measuring.run())).await;
        drop(line);
        found?
    };
    let measured = &found.measurements;
    let usage = MonthlyUsage::new(given, measured);
    let options: Vec<OptionCost> = OPTIONS
        .iter()
        .filter_map(|option| {
            Some(OptionCost {
                option: option.name(),
                estimate: option.monthly_cost(&usage)?,
                delivers_large_events: option.delivers_large_events(),
            })
        })
        .collect();
    let has_amount = options.iter().any(|option| option.estimate.is_ok());
    let report = CostReport {
        trail: found.trail.as_ref(),
        period: found.trail.as_ref().map(|_| period),
        prices: &prices,
        usage: &usage,
        measured,
        options: &options,
        assumptions: &general_assumptions(&usage, measured, period, &prices),
        unread: &found.unread,
        calls: found.calls(),
    };
    let exit = if has_amount {
        Exit::Success
    } else {
        Exit::Negative
    };
    Ok(CommandOutcome::result(cost_document(&context.ui, &report)).with_exit(exit))
}

fn read_prices(file: Option<&Path>) -> Result<PriceTable> {
    let Some(path) = file else {
        return PriceTable::built_in().map_err(|reason| {
            Error::usage("the built-in price table is invalid").with_reason(reason)
        });
    };
    let usage_error = |reason: String| {
        let hint = "a line is, for example: s3_get = { usd = 0.0004, per = 1000, date = 2026-01-31 }, below [prices]";
        Error::usage(format!("cannot use the prices in {}", path.display()))
            .with_reason(reason)
            .with_hint(hint)
    };
    let text = read_at_most(path, MAX_PRICE_FILE_BYTES)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|error| usage_error(error.to_string()))?;
    PriceTable::with_file(&text).map_err(usage_error)
}

/// The volume of a trail, and the places that could not be read.
#[derive(Default)]
struct FoundVolume {
    trail: Option<MeasuredTrail>,
    measurements: Measurements,
    unread: Vec<UnreadSource>,
}

impl FoundVolume {
    /// Returns the calls for which AWS charges.
    fn calls(&self) -> MeasuringCalls {
        let files = self.measurements.log_files.as_ref();
        let group = self.measurements.log_group.as_ref();
        MeasuringCalls {
            list: files.map_or(0, |volume| volume.list_calls),
            get: files.map_or(0, |volume| volume.get_calls),
            metrics: group.map_or(0, |volume| volume.metrics),
        }
    }

    /// Keeps a measurement. A place that belongs to another account or that the caller may not read is reported, and any
    /// other error ends the command.
    fn take<T>(&mut self, place: String, measured: Result<T>) -> Result<Option<T>> {
        match measured {
            Ok(measured) => Ok(Some(measured)),
            Err(error) if error.is_denied() || error.exit() == Exit::Negative => {
                self.unread.push(UnreadSource { place, error });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// A measurement of a trail.
struct Measuring<'a> {
    context: &'a Context,
    args: &'a cli::CostArgs,
    line: &'a StatusLine,
    period: MeasuredPeriod,
}

impl Measuring<'_> {
    async fn run(&self) -> Result<FoundVolume> {
        let filter = FilterPattern::parse(HEELER_PATTERN).map_err(|error| {
            Error::usage("Heeler's filter is invalid").with_reason(error.to_string())
        })?;
        let filter = Arc::new(filter);
        let aws = self.context.connect().await?;
        let given = self.args.trail.as_deref();
        let trails = OrganizationTrails::read(&aws, given).await?;
        check_account(self.context, &trails.caller.account)?;
        let selected = select_trail(&trails, given, aws.region(), "heeler-ec cost");
        let (_, trail) = selected.map_err(with_volume_hint)?;
        let (files, group) = join!(
            self.measure_bucket(&aws, &trails, Arc::clone(&filter)),
            measure_log_group(&aws, &trails, trail)
        );
        let mut found = FoundVolume {
            trail: Some(MeasuredTrail::from(trail)),
            ..FoundVolume::default()
        };
        let files = found.take(format!("bucket {}", trail.bucket), files)?;
        let place = trail.log_group.as_deref().map_or("", log_group_name);
        let place = format!("log group {place}");
        let is_group_missing = matches!(group, Ok(None));
        let group = found.take(place.clone(), group)?.flatten();
        let has_sample = files
            .as_ref()
            .is_some_and(|volume| volume.events.events > 0);
        if let (false, Some((group_aws, name, _))) = (has_sample, &group) {
            let now = SystemTime::now();
            let sample = sample_log_events(group_aws, name, &filter, now).await;
            found.measurements.log_group_events = found.take(place, sample)?.flatten();
        }
        found.measurements.digest_files_per_day = files
            .as_ref()
            .filter(|volume| trail.log_file_validation && volume.pairs > 0.0)
            .map(|volume| volume.pairs * 24.0);
        found.measurements.has_log_group = trail.log_group.is_some() && !is_group_missing;
        found.measurements.has_encrypted_log_files = Some(trail.kms_key.is_some());
        found.measurements.log_files = files;
        found.measurements.log_group = group.map(|(_, _, volume)| volume);
        Ok(found)
    }

    async fn measure_bucket(
        &self,
        aws: &Aws,
        trails: &OrganizationTrails,
        filter: Arc<FilterPattern>,
    ) -> Result<LogFileVolume> {
        let target = TrailBucket::find(aws, trails, self.args.trail.as_deref()).await?;
        let limits = LogFileLimits {
            period: self.period,
            max_accounts: self.args.max_accounts as usize,
            filter,
        };
        let began = Instant::now();
        let mut reported_tenths = 0;
        let report = |progress| {
            let text = match progress {
                LogFileProgress::Listed { done, total } => {
                    progress_text(done, total, began.elapsed(), done)
                }
                LogFileProgress::Read { done, total } => {
                    format!("Read {done} of {total} log files")
                }
            };
            self.line.set_text(&text);
            if let LogFileProgress::Listed { done, total } = progress {
                let tenths = done * 10 / total.max(1);
                let is_large = total >= MIN_REPORTED_ACCOUNTS;
                if is_large && tenths > reported_tenths && !self.line.is_visible() {
                    reported_tenths = tenths;
                    self.context.ui.notify(&CostNotice::Progress { text });
                }
            }
        };
        measure_log_files(aws, &target, &limits, report).await
    }
}

/// Reads the volume of the trail's log group, if it has one. Returns the clients and the name of the log group, too.
async fn measure_log_group(
    aws: &Aws,
    trails: &OrganizationTrails,
    trail: &Trail,
) -> Result<Option<(Aws, String, LogGroupVolume)>> {
    let Some(arn) = trail.log_group.as_deref().and_then(Arn::parse) else {
        return Ok(None);
    };
    if arn.account != trails.caller.account {
        return Err(Error::negative(format!(
            "the log group belongs to account {}",
            arn.account
        )));
    }
    let aws = aws.in_region(arn.region);
    let name = log_group_name(arn.resource).to_owned();
    let volume = read_log_group_volume(&aws, &name, SystemTime::now()).await?;
    Ok(volume.map(|volume| (aws, name, volume)))
}

/// Returns the name at the end of the ARN of a log group.
fn log_group_name(arn: &str) -> &str {
    arn.split_once("log-group:").map_or(arn, |(_, name)| name)
}

/// Names the options that replace a measurement.
fn with_volume_hint(error: Error) -> Error {
    let options = "; without a trail, give --log-files-per-day, --events-per-day, --bytes-per-event and --matching-percent";
    let hint = error.hint().cloned().unwrap_or_default();
    error.with_hint(hint.and(&Hint::from(options)))
}
