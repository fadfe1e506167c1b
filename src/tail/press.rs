//! A record in, what is shown of it out: what no thread but the one at work has to know.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::filter::Filter;
use super::object::Taker;
use super::record::Record;
use super::seen;
use super::visible::start;
use crate::alert::Alert;
use crate::severity::{Level, Table};

/// How much is put together before it is handed on.
const USUAL: usize = 128 * 1024;

/// How a record is written, in the form that was asked for.
pub type Write = Box<dyn Fn(&Record<'_>, &mut Vec<u8>) + Send + Sync>;

/// What becomes of each record.
pub struct Press {
    pub filter: Filter,
    pub write: Write,
    /// Where somebody is to be told of grave events: how grave an event is.
    pub alerts: Option<Arc<Table>>,
}

/// Some records, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    pub items: Vec<Item>,
    text: Vec<u8>,
}

/// What became of one.
#[derive(Clone, Debug)]
pub enum Item {
    /// To be shown unless it was before: the key by which to know that, and its place in the text.
    Wanted {
        key: Option<u64>,
        place: Range<usize>,
        /// Somebody is to be told of it.
        alert: Option<Box<Alert>>,
    },
    Filtered,
    /// How it begins.
    Unreadable(String),
}

impl Press {
    /// Puts one record into the batch.
    pub fn press(&self, text: &str, batch: &mut Batch) {
        let item = match Record::read(text) {
            None => Item::Unreadable(start(text)),
            Some(record) if !self.filter.passes(&record) => Item::Filtered,
            Some(record) => {
                let begin = batch.text.len();
                (self.write)(&record, &mut batch.text);
                Item::Wanted {
                    key: record.key().map(|(account, id)| seen::key(&account, &id)),
                    place: begin..batch.text.len(),
                    alert: self.alert(&record),
                }
            }
        };
        batch.items.push(item);
    }

    fn alert(&self, record: &Record<'_>) -> Option<Box<Alert>> {
        let level = record.level(self.alerts.as_ref()?);
        let text = |field: Option<Cow<'_, str>>| field.map(Cow::into_owned);
        (level == Level::High).then(|| {
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
                record: record.on_one_line().into_owned(),
            })
        })
    }
}

impl Batch {
    #[must_use]
    pub fn text(&self, place: Range<usize>) -> &[u8] {
        self.text.get(place).unwrap_or_default()
    }

    /// Whether it should be handed on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.text.len() >= USUAL || self.items.len() >= USUAL / 64
    }
}

/// Presses what it is given, and hands it on in batches.
pub struct Pressing<'a, F> {
    press: &'a Press,
    hand_on: F,
    batch: Batch,
}

impl<'a, F: FnMut(Batch) -> ControlFlow<()>> Pressing<'a, F> {
    pub fn new(press: &'a Press, hand_on: F) -> Self {
        Self {
            press,
            hand_on,
            batch: Batch::default(),
        }
    }
}

impl<F: FnMut(Batch) -> ControlFlow<()>> Taker for Pressing<'_, F> {
    fn take(&mut self, text: &str) -> ControlFlow<()> {
        self.press.press(text, &mut self.batch);
        if self.batch.is_full() {
            self.pause()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn pause(&mut self) -> ControlFlow<()> {
        if self.batch.items.is_empty() {
            return ControlFlow::Continue(());
        }
        (self.hand_on)(std::mem::take(&mut self.batch))
    }
}
