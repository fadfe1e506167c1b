//! A record in, what is shown of it out: what no thread but the one at work has to know.

use std::ops::{ControlFlow, Range};

use super::filter::Filter;
use super::object::Taker;
use super::record::Record;
use super::seen;
use super::visible::start;

/// How much is put together before it is handed on.
const USUAL: usize = 128 * 1024;

/// How a record is written, in the form that was asked for.
pub type Write = Box<dyn Fn(&Record<'_>, &mut Vec<u8>) + Send + Sync>;

/// What becomes of each record.
pub struct Press {
    pub filter: Filter,
    pub write: Write,
}

/// Some records, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    pub items: Vec<Item>,
    text: Vec<u8>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// To be shown unless it was before: the key by which to know that, and its place in the text.
    Wanted {
        key: Option<u64>,
        place: Range<usize>,
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
                }
            }
        };
        batch.items.push(item);
    }
}

impl Batch {
    #[must_use]
    pub fn text(&self, place: Range<usize>) -> &[u8] {
        self.text.get(place).unwrap_or_default()
    }

    fn is_full(&self) -> bool {
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
