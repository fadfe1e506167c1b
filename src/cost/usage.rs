//! The usage of a month: log files, events and bytes, from measurements and from values of the operator. Pure.

use super::DAYS_PER_MONTH;
use super::event_sample::EventSample;
use super::log_files::LogFileVolume;
use crate::inventory::log_group_volume::LogGroupVolume;

/// The origin of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureSource {
    /// The operator gave the value.
    Given,
    /// The keys and a sample of the log files.
    LogFiles,
    /// The metrics of the log group.
    LogGroupMetrics,
    /// A sample of the events in the log group.
    LogGroupEvents,
}

impl FigureSource {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::LogFiles => "log_files",
            Self::LogGroupMetrics => "log_group_metrics",
            Self::LogGroupEvents => "log_group_events",
        }
    }
}

/// A value and its origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    pub value: f64,
    pub source: FigureSource,
}

/// A value that the estimate of an option needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageFigure {
    /// Log files per month.
    LogFiles,
    /// Events per month.
    Events,
    /// Average size of an event in bytes.
    EventBytes,
    /// The share of the events that match Heeler's filter, between 0 and 1.
    MatchingShare,
}

impl UsageFigure {
    pub const ALL: [Self; 4] = [
        Self::LogFiles,
        Self::Events,
        Self::EventBytes,
        Self::MatchingShare,
    ];

    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogFiles => "log_files_per_month",
            Self::Events => "events_per_month",
            Self::EventBytes => "bytes_per_event",
            Self::MatchingShare => "matching_share",
        }
    }

    /// The option of the command line that gives the value.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::LogFiles => "--log-files-per-day",
            Self::Events => "--events-per-day",
            Self::EventBytes => "--bytes-per-event",
            Self::MatchingShare => "--matching-percent",
        }
    }
}

/// The values that the operator gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GivenUsage {
    pub log_files_per_day: Option<f64>,
    pub events_per_day: Option<f64>,
    pub bytes_per_event: Option<f64>,
    pub matching_percent: Option<f64>,
}

impl GivenUsage {
    /// Returns true if nothing is left to measure.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        UsageFigure::ALL
            .iter()
            .all(|figure| self.get(*figure).is_some())
    }

    /// Returns a value in the unit of the figure.
    fn get(&self, figure: UsageFigure) -> Option<f64> {
        match figure {
            UsageFigure::LogFiles => self.log_files_per_day.map(|count| count * DAYS_PER_MONTH),
            UsageFigure::Events => self.events_per_day.map(|count| count * DAYS_PER_MONTH),
            UsageFigure::EventBytes => self.bytes_per_event,
            UsageFigure::MatchingShare => self.matching_percent.map(|percent| percent / 100.0),
        }
    }
}

/// The results of the measurements. A value is `None` if there is no such place, or if it cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurements {
    pub log_files: Option<LogFileVolume>,
    pub log_group: Option<LogGroupVolume>,
    /// A sample of the events in the log group, if there is none of log files.
    pub log_group_events: Option<EventSample>,
    /// True if the trail delivers to a log group, also to one that cannot be read.
    pub has_log_group: bool,
    /// Digest files per day; `None` if log file validation is off or if no log file was listed.
    pub digest_files_per_day: Option<f64>,
    /// True if the log files are encrypted with a KMS key; `None` if the trail was not read.
    pub has_encrypted_log_files: Option<bool>,
}

impl Measurements {
    /// Returns the sample of events.
    #[must_use]
    pub fn event_sample(&self) -> Option<&EventSample> {
        let of_files = self.log_files.as_ref().map(|volume| &volume.events);
        let of_files = of_files.filter(|sample| sample.events > 0);
        of_files.or(self.log_group_events.as_ref())
    }
}

/// The trail's log group, as far as it could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingLogGroup {
    #[default]
    Absent,
    Unread,
    Read,
}

/// The usage of a month.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthlyUsage {
    figures: [Option<Figure>; UsageFigure::ALL.len()],
    /// Bytes per month that the existing log group receives.
    measured_ingested_bytes: Option<f64>,
    /// True if the operator gave the number of events or their size.
    has_given_volume: bool,
    /// Digest files per month.
    pub digest_files: Option<f64>,
    /// The log group to which the trail delivers already.
    pub log_group: ExistingLogGroup,
    /// The retention of the log group; `None` if there is no log group, if it cannot be read or if it never deletes events.
    pub retention_days: Option<f64>,
    /// Compressed size divided by uncompressed size.
    pub compression: Option<f64>,
    /// True if Heeler needs a KMS key to read each log file.
    pub has_encrypted_log_files: bool,
}

impl MonthlyUsage {
    /// Combines the values that were given with what was measured. Given values take precedence.
    #[must_use]
    pub fn new(given: GivenUsage, measured: &Measurements) -> Self {
        let log_group = measured.log_group.as_ref();
        let measured_bytes = log_group.and_then(|group| group.bytes_per_day);
        // A given volume is another one than that of the log group.
        let has_given_volume = given.events_per_day.is_some() || given.bytes_per_event.is_some();
        let sample = measured.event_sample();
        Self {
            figures: UsageFigure::ALL.map(|figure| {
                let value = given.get(figure).map(|value| Figure {
                    value,
                    source: FigureSource::Given,
                });
                value.or_else(|| measured_figure(figure, measured))
            }),
            measured_ingested_bytes: measured_bytes.map(|bytes| bytes * DAYS_PER_MONTH),
            has_given_volume,
            digest_files: measured
                .digest_files_per_day
                .map(|files| files * DAYS_PER_MONTH),
            log_group: match log_group {
                Some(_) => ExistingLogGroup::Read,
                None if measured.has_log_group => ExistingLogGroup::Unread,
                None => ExistingLogGroup::Absent,
            },
            retention_days: log_group.and_then(|group| group.retention_days.map(f64::from)),
            compression: sample.and_then(EventSample::compression),
            has_encrypted_log_files: measured.has_encrypted_log_files == Some(true),
        }
    }

    /// Returns a figure with its origin.
    #[must_use]
    pub fn get(&self, figure: UsageFigure) -> Option<Figure> {
        let position = UsageFigure::ALL.iter().position(|known| *known == figure);
        position.and_then(|position| self.figures[position])
    }

    /// Returns figures that an estimate needs, in their order.
    ///
    /// # Errors
    /// Returns the figures that are not known.
    pub fn require<const N: usize>(
        &self,
        figures: [UsageFigure; N],
    ) -> Result<[f64; N], Vec<UsageFigure>> {
        let is_missing = |figure: &UsageFigure| self.get(*figure).is_none();
        let missing: Vec<UsageFigure> = figures.iter().copied().filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(figures.map(|figure| self.get(figure).map_or(0.0, |found| found.value)))
    }

    /// Returns the bytes of events that a log group receives in a month: those of the existing log group, or else the
    /// product of events and size.
    ///
    /// # Errors
    /// Returns the figures that are not known.
    pub fn ingested_bytes(&self) -> Result<f64, Vec<UsageFigure>> {
        if let Some(measured) = self.measured_ingested_bytes
            && !self.has_given_volume
        {
            return Ok(measured);
        }
        let [events, bytes] = self.require([UsageFigure::Events, UsageFigure::EventBytes])?;
        Ok(events * bytes)
    }

    /// Returns true if [`Self::ingested_bytes`] is the metric of the existing log group.
    #[must_use]
    pub fn has_measured_ingestion(&self) -> bool {
        self.measured_ingested_bytes.is_some() && !self.has_given_volume
    }

    /// Returns the part of the ingested bytes that the existing log group receives anyway.
    #[must_use]
    pub fn bytes_ingested_already(&self, all: f64) -> f64 {
        match self.measured_ingested_bytes {
            Some(measured) => measured.min(all),
            None if self.log_group == ExistingLogGroup::Absent => 0.0,
            None => all,
        }
    }
}

fn measured_figure(figure: UsageFigure, measured: &Measurements) -> Option<Figure> {
    let files = measured.log_files.as_ref();
    let of_files = |value| Figure {
        value,
        source: FigureSource::LogFiles,
    };
    let sample = files.map(|volume| &volume.events);
    let sample = sample.filter(|sample| sample.events > 0);
    let events = measured.log_group_events.as_ref();
    let of_events = |value| Figure {
        value,
        source: FigureSource::LogGroupEvents,
    };
    let group = measured.log_group.as_ref();
    let of_metrics = |value| Figure {
        value,
        source: FigureSource::LogGroupMetrics,
    };
    match figure {
        // A period without log files does not stand for a month.
        UsageFigure::LogFiles => files
            .filter(|volume| volume.listed_files > 0)
            .map(|volume| of_files(volume.files_per_day * DAYS_PER_MONTH)),
        UsageFigure::Events => {
            let files = files.zip(sample).and_then(|(volume, sample)| {
                let events = volume.bytes_per_day * sample.events_per_byte()?;
                Some(of_files(events * DAYS_PER_MONTH))
            });
            let metric = group.and_then(|group| group.events_per_day);
            files.or_else(|| metric.map(|events| of_metrics(events * DAYS_PER_MONTH)))
        }
        UsageFigure::EventBytes => {
            let metric =
                group.and_then(|group| Some((group.bytes_per_day?, group.events_per_day?)));
            let metric = metric.filter(|(_, events)| *events > 0.0);
            let of_files = sample.and_then(EventSample::bytes_per_event).map(of_files);
            of_files
                .or_else(|| metric.map(|(bytes, events)| of_metrics(bytes / events)))
                .or_else(|| events?.bytes_per_event().map(of_events))
        }
        UsageFigure::MatchingShare => {
            let of_files = sample.and_then(EventSample::matching_share).map(of_files);
            of_files.or_else(|| events?.matching_share().map(of_events))
        }
    }
}
