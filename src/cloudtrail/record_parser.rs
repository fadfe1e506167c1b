//! A pull parser that finds the records in the text of a log file: `Records` arrays or JSON Lines.

use std::ops::Range;

use memchr::memchr;

use crate::cloudtrail::gunzip::LogFileError;
use crate::cloudtrail::json_scan;
use crate::cloudtrail::text_buffer::TextBuffer;

/// Keys by which a bare record (JSON Lines) is recognised. One of them is the first key of a record, both in the order in
/// which CloudTrail writes it and in alphabetical order.
const RECORD_KEYS: &[&[u8]] = &[
    b"additionalEventData",
    b"addendum",
    b"apiVersion",
    b"awsRegion",
    b"errorCode",
    b"errorMessage",
    b"eventCategory",
    b"eventID",
    b"eventName",
    b"eventSource",
    b"eventTime",
    b"eventType",
    b"eventVersion",
    b"userIdentity",
];

/// Longer keys do not occur in records.
const MAX_KEY_BYTES: usize = 256;

/// The layout of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One or more documents, each with a `Records` array, as CloudTrail delivers them.
    Documents,
    /// JSON Lines: one record per line. A truncated line does not affect the others.
    Lines,
}

/// A parser over the text of a log file.
#[derive(Clone)]
pub struct RecordParser<W> {
    buffer: W,
    position: usize,
    state: ParserState,
    documents: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ParserState {
    BetweenDocuments,
    /// Between the members of a document.
    InDocument {
        at_first_key: bool,
        has_records: bool,
    },
    InRecords {
        at_first_record: bool,
    },
}

impl<W: TextBuffer> RecordParser<W> {
    pub fn new(buffer: W) -> Self {
        Self {
            buffer,
            position: 0,
            state: ParserState::BetweenDocuments,
            documents: 0,
        }
    }

    /// Detects the format by the first key, without advancing; `None` if the text ends before it.
    ///
    /// # Errors
    /// Returns an error if the data is damaged.
    pub fn detect_format(&mut self) -> Result<Option<LogFormat>, LogFileError> {
        match self.peek()? {
            None => return Ok(None),
            Some(b'{') => {}
            Some(_) => return Ok(Some(LogFormat::Documents)),
        }
        loop {
            let start = self.buffer.bytes().get(self.position..).unwrap_or_default();
            if let Some(key) = first_key(start) {
                let is_record = RECORD_KEYS.contains(&key);
                return Ok(Some(if is_record {
                    LogFormat::Lines
                } else {
                    LogFormat::Documents
                }));
            }
            if start.len() > MAX_KEY_BYTES {
                return Ok(Some(LogFormat::Documents));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The range of the next record in the buffer; `None` at the end of a complete file.
    ///
    /// # Errors
    /// Returns an error if the file is damaged or is not a CloudTrail log file.
    pub fn next_record(&mut self) -> Result<Option<Range<usize>>, LogFileError> {
        loop {
            let Some(byte) = self.peek()? else {
                return self.finish();
            };
            self.state = match (self.state, byte) {
                (ParserState::BetweenDocuments, b'{') => {
                    self.position += 1;
                    self.documents += 1;
                    ParserState::InDocument {
                        at_first_key: true,
                        has_records: false,
                    }
                }
                (ParserState::BetweenDocuments, _) => {
                    return Err(invalid_json("it does not begin with an object"));
                }
                (
                    ParserState::InDocument {
                        has_records: true, ..
                    },
                    b'}',
                ) => {
                    self.position += 1;
                    ParserState::BetweenDocuments
                }
                (ParserState::InDocument { .. }, b'}') => return Err(LogFileError::NoRecords),
                (
                    ParserState::InDocument {
                        at_first_key: first,
                        has_records: records,
                    },
                    _,
                ) => self.parse_key(first, records)?,
                (ParserState::InRecords { .. }, b']') => {
                    self.position += 1;
                    ParserState::InDocument {
                        at_first_key: false,
                        has_records: true,
                    }
                }
                (
                    ParserState::InRecords {
                        at_first_record: first,
                    },
                    _,
                ) => {
                    self.expect_separator(first)?;
                    let value = self.parse_value()?;
                    self.state = ParserState::InRecords {
                        at_first_record: false,
                    };
                    return Ok(Some(value));
                }
            };
        }
    }

    /// The next line, without its line break; `None` if more data must be read first.
    pub fn next_line(&mut self) -> Option<Range<usize>> {
        let rest = self.buffer.bytes().get(self.position..)?;
        let length = memchr(b'\n', rest)?;
        let line = self.position..self.position + length;
        self.position = line.end + 1;
        Some(line)
    }

    /// The text after the last line break.
    pub fn last_line(&mut self) -> Range<usize> {
        let line = self.position..self.buffer.bytes().len();
        self.position = line.end;
        line
    }

    /// Skips the rest.
    ///
    /// # Errors
    /// Returns an error if the data is damaged.
    pub fn skip_to_end(&mut self) -> Result<(), LogFileError> {
        loop {
            self.position = self.buffer.bytes().len();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The text of a range in the buffer.
    ///
    /// # Errors
    /// Returns an error if it is not UTF-8.
    pub fn text(&self, part: Range<usize>) -> Result<&str, LogFileError> {
        self.buffer.text(part)
    }

    /// Reads more data; returns false at the end.
    ///
    /// # Errors
    /// Returns an error if the data is damaged.
    pub fn fill(&mut self) -> Result<bool, LogFileError> {
        self.buffer.fill(&mut self.position)
    }

    fn finish(&self) -> Result<Option<Range<usize>>, LogFileError> {
        match self.state {
            ParserState::BetweenDocuments if self.documents == 0 => Err(LogFileError::Empty),
            ParserState::BetweenDocuments => Ok(None),
            _ => Err(invalid_json("it ends too early")),
        }
    }

    fn parse_key(&mut self, first: bool, records: bool) -> Result<ParserState, LogFileError> {
        self.expect_separator(first)?;
        if self.peek()? != Some(b'"') {
            return Err(invalid_json("a key is not a string"));
        }
        let key = self.parse_value()?;
        let is_records = self.text(key)? == r#""Records""#;
        if self.peek()? != Some(b':') {
            return Err(invalid_json("a key has no value"));
        }
        self.position += 1;
        match self.peek()? {
            Some(b'[') if is_records => {
                self.position += 1;
                return Ok(ParserState::InRecords {
                    at_first_record: true,
                });
            }
            Some(b'n') | None => {}
            Some(_) if is_records => return Err(invalid_json("Records is not an array")),
            Some(_) => {}
        }
        let value = self.parse_value()?;
        self.text(value)?;
        Ok(ParserState::InDocument {
            at_first_key: false,
            has_records: records,
        })
    }

    /// Expects a comma, except before the first element.
    fn expect_separator(&mut self, first: bool) -> Result<(), LogFileError> {
        if first {
            return Ok(());
        }
        if self.peek()? != Some(b',') {
            return Err(invalid_json("a comma is missing"));
        }
        self.position += 1;
        Ok(())
    }

    /// The range of the next value.
    fn parse_value(&mut self) -> Result<Range<usize>, LogFileError> {
        match self.peek()? {
            None => return Err(invalid_json("it ends too early")),
            Some(b',' | b':' | b'}' | b']') => return Err(invalid_json("a value is missing")),
            Some(_) => {}
        }
        loop {
            if let Some(end) = json_scan::value_end(self.buffer.bytes(), self.position) {
                let value = self.position..end;
                self.position = end;
                return Ok(value);
            }
            if !self.fill()? {
                return Err(invalid_json("it ends too early"));
            }
        }
    }

    /// The next byte that is not whitespace; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, LogFileError> {
        loop {
            let rest = self.buffer.bytes().get(self.position..).unwrap_or_default();
            let space = rest
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            if let Some(space) = space {
                self.position += space;
                return Ok(rest.get(space).copied());
            }
            self.position += rest.len();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }
}

fn invalid_json(reason: &str) -> LogFileError {
    LogFileError::InvalidJson(reason.to_owned())
}

fn first_key(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"{")?.trim_ascii_start();
    let key = inside.strip_prefix(b"\"")?;
    key.get(..memchr(b'"', key)?)
}
