//! The part of a log file's text that is in memory: all of it, or a sliding window.

use std::ops::Range;

use crate::cloudtrail::gunzip::LogFileError;
use crate::cloudtrail::text_reader::TextReader;

/// Number of bytes that are decompressed at a time.
const READ_BYTES: usize = 512 * 1024;

/// Maximum size of a sliding buffer, and therefore of a value in it.
const MAX_BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// Text in memory that a parser reads from.
pub trait TextBuffer {
    /// The bytes that are in memory.
    fn bytes(&self) -> &[u8];

    /// The text of a range.
    ///
    /// # Errors
    /// Returns an error if it is not UTF-8.
    fn text(&self, range: Range<usize>) -> Result<&str, LogFileError>;

    /// Discards everything before `position`, moves `position` to the new start of the buffer, and reads more data. Returns
    /// false at the end.
    ///
    /// # Errors
    /// Returns an error if the data is damaged.
    fn fill(&mut self, position: &mut usize) -> Result<bool, LogFileError>;
}

/// The whole text.
#[derive(Clone, Copy)]
pub struct InMemoryText<'a>(pub &'a str);

impl TextBuffer for InMemoryText<'_> {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn text(&self, range: Range<usize>) -> Result<&str, LogFileError> {
        self.0.get(range).ok_or(LogFileError::NotUtf8)
    }

    fn fill(&mut self, _: &mut usize) -> Result<bool, LogFileError> {
        Ok(false)
    }
}

/// A sliding window over decompressed data.
pub struct SlidingBuffer<'a> {
    source: TextReader<'a>,
    buffer: Vec<u8>,
    filled: usize,
}

impl<'a> SlidingBuffer<'a> {
    #[must_use]
    pub fn new(source: TextReader<'a>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            filled: 0,
        }
    }
}

impl TextBuffer for SlidingBuffer<'_> {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn text(&self, range: Range<usize>) -> Result<&str, LogFileError> {
        let bytes = self.bytes().get(range).ok_or(LogFileError::NotUtf8)?;
        str::from_utf8(bytes).map_err(|_| LogFileError::NotUtf8)
    }

    fn fill(&mut self, position: &mut usize) -> Result<bool, LogFileError> {
        let kept = self.filled.saturating_sub(*position);
        if kept + READ_BYTES > MAX_BUFFER_BYTES {
            return Err(LogFileError::RecordTooLarge(MAX_BUFFER_BYTES));
        }
        // A value larger than the buffer is scanned again after each read, so the reads grow with it.
        let room = READ_BYTES.max(kept / 2).min(MAX_BUFFER_BYTES - kept);
        self.buffer.copy_within(self.filled - kept..self.filled, 0);
        *position = 0;
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
