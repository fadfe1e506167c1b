//! Shows the records of an object as they are read, some at a time.

use std::ops::ControlFlow;

use super::Watch;
use crate::tail::object::Taker;
use crate::tail::press::Batch;

pub(super) struct Shown<'w, 'a> {
    pub watch: &'w mut Watch<'a>,
    pub what: &'w str,
    pub batch: Batch,
    pub flow: ControlFlow<()>,
}

impl Shown<'_, '_> {
    pub fn hand_on(&mut self) {
        if self.flow.is_continue() {
            let batch = std::mem::take(&mut self.batch);
            self.flow = self.watch.show.batch(&batch, self.what);
        }
    }
}

impl Taker for Shown<'_, '_> {
    fn take(&mut self, text: &str) -> ControlFlow<()> {
        self.watch.late(text);
        self.watch.press.press(text, &mut self.batch);
        if self.batch.is_full() {
            self.hand_on();
        }
        self.flow
    }

    fn pause(&mut self) -> ControlFlow<()> {
        self.hand_on();
        self.flow
    }
}
