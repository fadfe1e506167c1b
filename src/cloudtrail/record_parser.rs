//! A pull parser that finds the records in the text of a log file: `Records` arrays or JSON Lines.

use std::ops::Range;

use memchr::memchr;

use crate::cloudtrail::gunzip::LogFileError;
use crate::cloudtrail::json_scan;
use crate::cloudtrail::layout::{self, LogFormat, MAX_HEAD_BYTES};
use crate::cloudtrail::text_buffer::TextBuffer;
use crate::cloudtrail::wrapped_record::{RECORD_ARRAYS, RECORDS};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A parser over the text of a log file.
#[derive(Clone)]
pub struct RecordParser<W> {
    buffer: W,
    position: usize,
    state: ParserState,
    documents: u64,
    /// The start of the current document, until an array of records is found in it. The document may itself be a record, so
    /// the buffer must keep its beginning.
    document_start: Option<usize>,
    /// The current document is a message of a log group subscription that contains no records.
    is_control_message: bool,
}

/// The position of a value that is or contains records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSpan {
    pub range: Range<usize>,
    /// The value is not an element of a `Records` array: the record in it must be unwrapped.
    pub is_wrapped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ParserState {
    BetweenDocuments,
    /// Between the members of a document.
    InDocument {
        at_first_key: bool,
        has_records: bool,
    },
    InArray {
        at_first_element: bool,
        kind: ArrayKind,
    },
}

/// An array of records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ArrayKind {
    /// `Records` of a log file.
    Records,
    /// An array of a document, in which each element contains a record.
    Wrapped,
    /// A document that is an array.
    Document,
}

impl<W: TextBuffer> RecordParser<W> {
    pub fn new(buffer: W) -> Self {
        Self {
            buffer,
            position: 0,
            state: ParserState::BetweenDocuments,
            documents: 0,
            document_start: None,
            is_control_message: false,
        }
    }

    /// Detects the format by the first document, without advancing; `None` if the text ends before it.
    ///
    /// # Errors
    /// Returns an error if the data is damaged.
    pub fn detect_format(&mut self) -> Result<Option<LogFormat>, LogFileError> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        loop {
            let head = self.buffer.bytes().get(self.position..).unwrap_or_default();
            if let Some(format) = layout::detect(head) {
                return Ok(Some(format));
            }
            if head.len() > MAX_HEAD_BYTES || !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The next value that is or contains records; `None` at the end of a complete file.
    ///
    /// # Errors
    /// Returns an error if the file is damaged or is not a CloudTrail log file.
    pub fn next_record(&mut self) -> Result<Option<RecordSpan>, LogFileError> {
        loop {
            let Some(byte) = self.peek()? else {
                return self.finish();
            };
            match self.state {
                ParserState::BetweenDocuments => {
                    if let Some(string) = self.begin_document(byte)? {
                        return Ok(Some(string));
                    }
                }
                ParserState::InDocument {
                    has_records: true, ..
                } if byte == b'}' => {
                    self.position += 1;
                    self.state = ParserState::BetweenDocuments;
                }
                ParserState::InDocument { .. } if byte == b'}' => {
                    self.position += 1;
                    self.state = ParserState::BetweenDocuments;
                    let start = self.document_start.take().unwrap_or_default();
                    return Ok(Some(RecordSpan {
                        range: start..self.position,
                        is_wrapped: true,
                    }));
                }
                ParserState::InDocument {
                    at_first_key,
                    has_records,
                } => self.state = self.parse_key(at_first_key, has_records)?,
                ParserState::InArray { kind, .. } if byte == b']' => {
                    self.position += 1;
                    self.state = match kind {
                        ArrayKind::Document => ParserState::BetweenDocuments,
                        ArrayKind::Records | ArrayKind::Wrapped => ParserState::InDocument {
                            at_first_key: false,
                            has_records: true,
                        },
                    };
                }
                ParserState::InArray {
                    at_first_element,
                    kind,
                } => {
                    self.expect_separator(at_first_element)?;
                    let range = self.parse_value()?;
                    self.state = ParserState::InArray {
                        at_first_element: false,
                        kind,
                    };
                    return Ok(Some(RecordSpan {
                        range,
                        is_wrapped: kind != ArrayKind::Records,
                    }));
                }
            }
        }
    }

    /// Starts a document. A document that is a string is returned completely: it may contain a record.
    fn begin_document(&mut self, first: u8) -> Result<Option<RecordSpan>, LogFileError> {
        match first {
            b'{' => {
                self.document_start = Some(self.position);
                self.is_control_message = false;
                self.state = ParserState::InDocument {
                    at_first_key: true,
                    has_records: false,
                };
            }
            b'[' => {
                self.state = ParserState::InArray {
                    at_first_element: true,
                    kind: ArrayKind::Document,
                };
            }
            b'"' => {
                self.documents += 1;
                let range = self.parse_value()?;
                return Ok(Some(RecordSpan {
                    range,
                    is_wrapped: true,
                }));
            }
            // Files with byte order marks may have been concatenated.
            _ if self.skip_byte_order_mark()? => return Ok(None),
            _ => {
                return Err(invalid_json(
                    "it does not begin with a JSON object or array",
                ));
            }
        }
        self.position += 1;
        self.documents += 1;
        Ok(None)
    }

    fn skip_byte_order_mark(&mut self) -> Result<bool, LogFileError> {
        loop {
            let rest = self.buffer.bytes().get(self.position..).unwrap_or_default();
            if rest.starts_with(BYTE_ORDER_MARK) {
                self.position += BYTE_ORDER_MARK.len();
                return Ok(true);
            }
            let may_continue =
                rest.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(rest);
            if !may_continue || !self.fill()? {
                return Ok(false);
            }
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
        let mut kept = self.document_start.unwrap_or(self.position);
        let ahead = self.position.saturating_sub(kept);
        let has_more = self.buffer.fill(&mut kept)?;
        self.document_start = self.document_start.map(|_| kept);
        self.position = kept + ahead;
        Ok(has_more)
    }

    fn finish(&self) -> Result<Option<RecordSpan>, LogFileError> {
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
        let (kind, is_message_type) = match self.text(key)?.trim_matches('"') {
            RECORDS => (Some(ArrayKind::Records), false),
            name if RECORD_ARRAYS.contains(&name) => (Some(ArrayKind::Wrapped), false),
            name => (None, name == "messageType"),
        };
        if self.peek()? != Some(b':') {
            return Err(invalid_json("a key has no value"));
        }
        self.position += 1;
        match (self.peek()?, kind) {
            (Some(b'['), Some(kind)) if !self.is_control_message => {
                self.position += 1;
                self.document_start = None;
                return Ok(ParserState::InArray {
                    at_first_element: true,
                    kind,
                });
            }
            (Some(b'n') | None, _) => {}
            (Some(_), Some(ArrayKind::Records)) => {
                return Err(invalid_json("Records is not an array"));
            }
            _ => {}
        }
        let value = self.parse_value()?;
        let value = self.text(value)?;
        if is_message_type {
            self.is_control_message = value == r#""CONTROL_MESSAGE""#;
        }
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
