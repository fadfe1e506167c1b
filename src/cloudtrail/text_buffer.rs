//! The part of an object's text that is in memory: all of it, or a stretch that moves on.

use std::io::BufRead;
use std::ops::Range;

use crate::cloudtrail::gunzip::{GunzipReader, LogFileError};

/// How much is unpacked at a time.
const READ_BYTES: usize = 512 * 1024;

/// A stretch is no longer than this, so no value in it is.
const MAX_BUFFER_BYTES: usize = 16 * 1024 * 1024;

pub trait TextBuffer {
    fn bytes(&self) -> &[u8];

    /// A part of what is there.
    ///
    /// # Errors
    /// When it is no UTF-8.
    fn text(&self, part: Range<usize>) -> Result<&str, LogFileError>;

    /// Forgets all before `at`, so that the stretch begins there and `at` is moved, and reads on. False when there is
    /// no more.
    ///
    /// # Errors
    /// When the data is damaged.
    fn fill(&mut self, at: &mut usize) -> Result<bool, LogFileError>;
}

/// All of it.
#[derive(Clone, Copy)]
pub struct InMemoryText<'a>(pub &'a str);

impl TextBuffer for InMemoryText<'_> {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn text(&self, part: Range<usize>) -> Result<&str, LogFileError> {
        self.0.get(part).ok_or(LogFileError::NotUtf8)
    }

    fn fill(&mut self, _: &mut usize) -> Result<bool, LogFileError> {
        Ok(false)
    }
}

/// A stretch that moves over what is unpacked.
pub struct SlidingBuffer<R> {
    source: GunzipReader<R>,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: BufRead> SlidingBuffer<R> {
    pub fn new(source: GunzipReader<R>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            filled: 0,
        }
    }
}

impl<R: BufRead> TextBuffer for SlidingBuffer<R> {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn text(&self, part: Range<usize>) -> Result<&str, LogFileError> {
        let bytes = self.bytes().get(part).ok_or(LogFileError::NotUtf8)?;
        str::from_utf8(bytes).map_err(|_| LogFileError::NotUtf8)
    }

    fn fill(&mut self, at: &mut usize) -> Result<bool, LogFileError> {
        let kept = self.filled.saturating_sub(*at);
        if kept + READ_BYTES > MAX_BUFFER_BYTES {
            return Err(LogFileError::RecordTooLarge(MAX_BUFFER_BYTES));
        }
        // A value that is longer than the stretch is looked at anew each time, so the steps grow with it.
        let room = READ_BYTES.max(kept / 2).min(MAX_BUFFER_BYTES - kept);
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
