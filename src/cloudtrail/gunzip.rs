//! The bytes of an object, unpacked as they are read: all gzip members, up to a cap.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

const GZIP_FIRST_BYTE: u8 = 0x1f;

/// Why an object gives no records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFileError {
    /// There are no bytes, packed or unpacked.
    Empty,
    /// The gzip data ends before its end mark.
    Truncated,
    /// The gzip data is damaged.
    DamagedGzip(String),
    /// The unpacked bytes are more than this cap.
    TooLarge(u64),
    /// One record is more than this.
    RecordTooLarge(usize),
    /// The unpacked bytes are no UTF-8.
    NotUtf8,
    /// The text is no JSON, or ends too early.
    InvalidJson(String),
    /// The JSON has no list of records. Digests and error documents look like this.
    NoRecords,
    /// The bytes cannot be got.
    ReadFailed(String),
    /// The object was whole at first, and is not any more.
    ChangedWhileReading,
}

impl fmt::Display for LogFileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the object is empty"),
            Self::Truncated => write!(out, "the gzip data ends too early"),
            Self::DamagedGzip(why) => write!(out, "the gzip data is damaged: {why}"),
            Self::TooLarge(cap) => {
                write!(out, "the object is larger than {cap} bytes when unpacked")
            }
            Self::RecordTooLarge(cap) => write!(out, "a record is larger than {cap} bytes"),
            Self::NotUtf8 => write!(out, "the object is not UTF-8 text"),
            Self::InvalidJson(why) => write!(out, "the object is not valid JSON: {why}"),
            Self::NoRecords => write!(out, "the object has no list of Records"),
            Self::ReadFailed(why) => write!(out, "{why}"),
            Self::ChangedWhileReading => write!(out, "the object has changed while it was read"),
        }
    }
}

impl std::error::Error for LogFileError {}

/// Unpacked bytes. Neither the name nor the content type says reliably whether an object is packed; its first bytes
/// do.
pub struct GunzipReader<R> {
    member: GzipMember<R>,
    bytes_read: u64,
    max_bytes: u64,
}

enum GzipMember<R> {
    Plain(R),
    Gzip(Box<GzDecoder<R>>),
    End,
}

impl<R: BufRead> GunzipReader<R> {
    /// # Errors
    /// When not even the first bytes can be read.
    pub fn new(mut packed: R, cap: u64) -> Result<Self, LogFileError> {
        let first = packed
            .fill_buf()
            .map_err(|why| from_io_error(&why))?
            .first();
        let member = match first {
            Some(&GZIP_FIRST_BYTE) => GzipMember::Gzip(Box::new(GzDecoder::new(packed))),
            Some(_) => GzipMember::Plain(packed),
            None => GzipMember::End,
        };
        Ok(Self {
            member,
            bytes_read: 0,
            max_bytes: cap,
        })
    }

    /// Puts the next bytes there; none at the end.
    ///
    /// # Errors
    /// When the data is damaged, or more than the cap.
    pub fn read(&mut self, to: &mut [u8]) -> Result<usize, LogFileError> {
        loop {
            let (length, ended) = match &mut self.member {
                GzipMember::Plain(bytes) => (bytes.read(to), false),
                GzipMember::Gzip(member) => {
                    let read = member.read(to);
                    let ended = matches!(read, Ok(0)) && !to.is_empty();
                    (read, ended)
                }
                GzipMember::End => return Ok(0),
            };
            if ended {
                self.next_member()?;
                continue;
            }
            let length = match length {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(|why| from_io_error(&why))?,
            };
            self.bytes_read = self.bytes_read.saturating_add(length as u64);
            return if self.bytes_read > self.max_bytes {
                Err(LogFileError::TooLarge(self.max_bytes))
            } else {
                Ok(length)
            };
        }
    }

    /// Reading only the first member would lose the rest without a word.
    fn next_member(&mut self) -> Result<(), LogFileError> {
        let GzipMember::Gzip(member) = std::mem::replace(&mut self.member, GzipMember::End) else {
            return Ok(());
        };
        let mut rest = member.into_inner();
        if rest.fill_buf().map_err(|why| from_io_error(&why))?.first() == Some(&GZIP_FIRST_BYTE) {
            self.member = GzipMember::Gzip(Box::new(GzDecoder::new(rest)));
            return Ok(());
        }
        // Some writers fill the last block with zero bytes.
        loop {
            let padding = rest.fill_buf().map_err(|why| from_io_error(&why))?;
            if padding.iter().any(|byte| *byte != 0) {
                let why = "something else follows it".to_owned();
                return Err(LogFileError::DamagedGzip(why));
            }
            let length = padding.len();
            if length == 0 {
                return Ok(());
            }
            rest.consume(length);
        }
    }
}

fn from_io_error(error: &io::Error) -> LogFileError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => LogFileError::Truncated,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            LogFileError::DamagedGzip(error.to_string())
        }
        _ => LogFileError::ReadFailed(error.to_string()),
    }
}
