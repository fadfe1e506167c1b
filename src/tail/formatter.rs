//! A record in, what is shown of it out: what no thread but the one at work has to know.

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

/// How much is put together before it is handed on.
const BATCH_BYTES: usize = 128 * 1024;

/// How a record is written, in the form that was asked for.
pub type FormatRecord = Box<dyn Fn(&Record<'_>, &mut Vec<u8>) + Send + Sync>;

/// What becomes of each record.
pub struct RecordFormatter {
    pub filter: RecordFilter,
    pub format: FormatRecord,
    /// Where somebody is to be told of grave events: how grave an event is.
    pub alert_severities: Option<Arc<SeverityTable>>,
}

/// Some records, in their order.
#[derive(Debug, Default)]
pub struct RecordBatch {
    pub items: Vec<BatchItem>,
    text: Vec<u8>,
}

/// What became of one.
#[derive(Clone, Debug)]
pub enum BatchItem {
    /// To be shown unless it was before: the key by which to know that, and its place in the text.
    Matched {
        key: Option<u64>,
        range: Range<usize>,
        /// Somebody is to be told of it.
        alert: Option<Box<Alert>>,
    },
    Filtered,
    /// How it begins.
    Unreadable(String),
}

impl RecordFormatter {
    /// Puts one record into the batch.
    pub fn push_record(&self, text: &str, batch: &mut RecordBatch) {
        let item = match Record::read(text) {
            None => BatchItem::Unreadable(preview(text)),
            Some(record) if !self.filter.matches(&record) => BatchItem::Filtered,
            Some(record) => {
                let begin = batch.text.len();
                (self.format)(&record, &mut batch.text);
                BatchItem::Matched {
                    key: record
                        .dedup_key()
                        .map(|(account, id)| dedup::event_key(&account, &id)),
                    range: begin..batch.text.len(),
                    alert: self.build_alert(&record),
                }
            }
        };
        batch.items.push(item);
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
    #[must_use]
    pub fn text(&self, place: Range<usize>) -> &[u8] {
        self.text.get(place).unwrap_or_default()
    }

    /// Whether it should be handed on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.text.len() >= BATCH_BYTES || self.items.len() >= BATCH_BYTES / 64
    }
}

/// Presses what it is given, and hands it on in batches.
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
