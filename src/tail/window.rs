//! The part of an object's text that is in memory: all of it, or a stretch that moves on.

use std::io::BufRead;
use std::ops::Range;

use super::unpack::{Broken, Unpack};

/// How much is unpacked at a time.
const STEP: usize = 512 * 1024;

/// A stretch is no longer than this, so no value in it is.
const LONGEST: usize = 16 * 1024 * 1024;

pub trait Window {
    fn bytes(&self) -> &[u8];

    /// A part of what is there.
    ///
    /// # Errors
    /// When it is no UTF-8.
    fn text(&self, part: Range<usize>) -> Result<&str, Broken>;

    /// Forgets all before `at`, so that the stretch begins there and `at` is moved, and reads on. False when there is
    /// no more.
    ///
    /// # Errors
    /// When the data is damaged.
    fn more(&mut self, at: &mut usize) -> Result<bool, Broken>;
}

/// All of it.
#[derive(Clone, Copy)]
pub struct Whole<'a>(pub &'a str);

impl Window for Whole<'_> {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn text(&self, part: Range<usize>) -> Result<&str, Broken> {
        self.0.get(part).ok_or(Broken::NotText)
    }

    fn more(&mut self, _: &mut usize) -> Result<bool, Broken> {
        Ok(false)
    }
}

/// A stretch that moves over what is unpacked.
pub struct Moving<R> {
    source: Unpack<R>,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: BufRead> Moving<R> {
    pub fn new(source: Unpack<R>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            filled: 0,
        }
    }
}

impl<R: BufRead> Window for Moving<R> {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn text(&self, part: Range<usize>) -> Result<&str, Broken> {
        let bytes = self.bytes().get(part).ok_or(Broken::NotText)?;
        str::from_utf8(bytes).map_err(|_| Broken::NotText)
    }

    fn more(&mut self, at: &mut usize) -> Result<bool, Broken> {
        let kept = self.filled.saturating_sub(*at);
        if kept + STEP > LONGEST {
            return Err(Broken::LargeRecord(LONGEST));
        }
        // A value that is longer than the stretch is looked at anew each time, so the steps grow with it.
        let room = STEP.max(kept / 2).min(LONGEST - kept);
        self.buffer.copy_within(self.filled - kept..self.filled, 0);
        *at = 0;
        if self.buffer.len() < kept + room {
            self.buffer.resize(kept + room, 0);
        }
        self.filled = kept;
        let free = self.buffer.get_mut(kept..).unwrap_or_default();
        let length = self.source.read(free)?;
        self.filled += length;
        Ok(length > 0)
    }
}
