//! Filters records and formats them into batches. Each worker thread can run this code.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::dedup;
use super::filter::RecordFilter;
use crate::alert::Alert;
use crate::cloudtrail::log_file::RecordSink;
use crate::cloudtrail::record::Record;
use crate::sanitize::preview;
use crate::severity::{SeverityLevel, SeverityTable};

/// Size at which a batch is sent.
const BATCH_BYTES: usize = 128 * 1024;

/// A function that writes a record in the output format.
pub type FormatRecord = Box<dyn Fn(&Record<'_>, &mut Vec<u8>) + Send + Sync>;

/// A filter and a formatter for records.
pub struct RecordFormatter {
    pub filter: RecordFilter,
    pub format: FormatRecord,
    /// True if a date is printed when it changes.
    pub separates_dates: bool,
    /// The severity table for alerts; `None` if there are no receivers of alerts.
    pub alert_severities: Option<Arc<SeverityTable>>,
}

/// A batch of consecutive records.
#[derive(Debug, Default)]
pub struct RecordBatch {
    pub items: Vec<BatchItem>,
    text: Vec<u8>,
}

/// The result for one record.
#[derive(Clone, Debug)]
pub enum BatchItem {
    /// The record matches the filter.
    Matched {
        /// The key by which a repeated delivery is recognised.
        key: Option<u64>,
        /// The range of the formatted record in the text of the batch.
        range: Range<usize>,
        /// The alert to send for the record.
        alert: Option<Box<Alert>>,
        /// The date of the record, if dates are lines of their own.
        date: Option<String>,
    },
    Filtered,
    /// A preview of text that is not a record.
    Unreadable(String),
}

impl RecordFormatter {
    /// Filters and formats one record into the batch.
    pub fn push_record(&self, text: &str, batch: &mut RecordBatch) {
        let item = match Record::read(text) {
            None => BatchItem::Unreadable(preview(text)),
            Some(record) if !self.filter.matches(&record) => BatchItem::Filtered,
            Some(record) => {
                let start = batch.text.len();
                (self.format)(&record, &mut batch.text);
                BatchItem::Matched {
                    key: record
                        .dedup_key()
                        .map(|(account, id)| dedup::event_key(&account, &id)),
                    range: start..batch.text.len(),
                    alert: self.build_alert(&record),
                    date: self.date(&record),
                }
            }
        };
        batch.items.push(item);
    }

    fn date(&self, record: &Record<'_>) -> Option<String> {
        let time = record.event_time().filter(|_| self.separates_dates)?;
        time.split_once('T').map(|(date, _)| date.to_owned())
    }

    fn build_alert(&self, record: &Record<'_>) -> Option<Box<Alert>> {
        let level = self.alert_severities.as_ref()?.level_of_record(record);
        let text = |field: Option<Cow<'_, str>>| field.map(Cow::into_owned);
        (level == SeverityLevel::High).then(|| {
            Box::new(Alert {
                level,
                time: text(record.event_time()),
                account: text(record.account()),
                region: text(record.region()),
                service: text(record.service()),
                event: text(record.event_name()),
                actor: text(record.actor()),
                error: text(record.error_code()),
                event_id: text(record.event_id()),
                record: record.to_single_line().into_owned(),
            })
        })
    }
}

impl RecordBatch {
    /// The formatted text of a range.
    #[must_use]
    pub fn text(&self, range: Range<usize>) -> &[u8] {
        self.text.get(range).unwrap_or_default()
    }

    /// Returns true if the batch should be sent.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.text.len() >= BATCH_BYTES || self.items.len() >= BATCH_BYTES / 64
    }
}

/// A sink that formats records and sends them in batches.
pub struct BatchingSink<'a, F> {
    formatter: &'a RecordFormatter,
    send: F,
    batch: RecordBatch,
}

impl<'a, F: FnMut(RecordBatch) -> ControlFlow<()>> BatchingSink<'a, F> {
    pub fn new(formatter: &'a RecordFormatter, send: F) -> Self {
        Self {
            formatter,
            send,
            batch: RecordBatch::default(),
        }
    }
}

impl<F: FnMut(RecordBatch) -> ControlFlow<()>> RecordSink for BatchingSink<'_, F> {
    fn push(&mut self, text: &str) -> ControlFlow<()> {
        self.formatter.push_record(text, &mut self.batch);
        if self.batch.is_full() {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.items.is_empty() {
            return ControlFlow::Continue(());
        }
        (self.send)(std::mem::take(&mut self.batch))
    }
}
