//! Decompresses a log file while it is read: all gzip members, up to a size limit.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::cloudtrail::archive::PackedFormat;

/// The first byte of gzip data. No JSON text begins with it.
const GZIP_FIRST_BYTE: u8 = 0x1f;

/// The reason why a log file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFileError {
    /// The file is empty, or decompresses to nothing.
    Empty,
    /// The gzip data ends before its trailer.
    Truncated,
    /// The gzip data is damaged.
    DamagedGzip(String),
    /// The decompressed size exceeds this limit.
    TooLarge(u64),
    /// A record exceeds this size.
    RecordTooLarge(usize),
    /// The decompressed bytes are neither UTF-8 nor UTF-16.
    NotUtf8,
    /// The file is an archive, or in a format that is not read.
    Packed(PackedFormat),
    /// The text is not valid JSON, or is truncated.
    InvalidJson(String),
    /// The JSON contains no records in any known form. Digest files and error documents look like this.
    NoRecords,
    /// The bytes could not be read.
    ReadFailed(String),
    /// The file was valid when it was validated, and has changed since.
    ChangedWhileReading,
}

impl fmt::Display for LogFileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the log file is empty"),
            Self::Truncated => write!(out, "the gzip data ends too early"),
            Self::DamagedGzip(reason) => write!(out, "the gzip data is damaged: {reason}"),
            Self::TooLarge(limit) => {
                write!(
                    out,
                    "the log file is larger than {limit} bytes when decompressed"
                )
            }
            Self::RecordTooLarge(limit) => write!(out, "a record is larger than {limit} bytes"),
            Self::NotUtf8 => write!(out, "the log file is not UTF-8 text"),
            Self::Packed(format) => write!(out, "the file is {}", format.description()),
            Self::InvalidJson(reason) => write!(out, "the log file is not valid JSON: {reason}"),
            Self::NoRecords => write!(out, "the log file contains no CloudTrail records"),
            Self::ReadFailed(reason) => write!(out, "{reason}"),
            Self::ChangedWhileReading => write!(out, "the log file changed while it was read"),
        }
    }
}

impl std::error::Error for LogFileError {}

/// A reader of decompressed bytes. The first byte decides whether a file is compressed, because neither its name nor its
/// content type is reliable.
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
    /// Returns an error if the first bytes cannot be read.
    pub fn new(mut source: R, max_bytes: u64) -> Result<Self, LogFileError> {
        let first = source
            .fill_buf()
            .map_err(|error| from_io_error(&error))?
            .first();
        let member = match first {
            Some(&GZIP_FIRST_BYTE) => GzipMember::Gzip(Box::new(GzDecoder::new(source))),
            Some(_) => GzipMember::Plain(source),
            None => GzipMember::End,
        };
        Ok(Self {
            member,
            bytes_read: 0,
            max_bytes,
        })
    }

    /// Reads the next bytes into `buffer` and returns their number; 0 at the end.
    ///
    /// # Errors
    /// Returns an error if the data is damaged or larger than the limit.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LogFileError> {
        loop {
            let (length, member_ended) = match &mut self.member {
                GzipMember::Plain(bytes) => (bytes.read(buffer), false),
                GzipMember::Gzip(member) => {
                    let read = member.read(buffer);
                    let member_ended = matches!(read, Ok(0)) && !buffer.is_empty();
                    (read, member_ended)
                }
                GzipMember::End => return Ok(0),
            };
            if member_ended {
                self.next_member()?;
                continue;
            }
            let length = match length {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(|error| from_io_error(&error))?,
            };
            self.bytes_read = self.bytes_read.saturating_add(length as u64);
            return if self.bytes_read > self.max_bytes {
                Err(LogFileError::TooLarge(self.max_bytes))
            } else {
                Ok(length)
            };
        }
    }

    /// Continues with the next gzip member. A reader of only the first member would silently lose the rest.
    fn next_member(&mut self) -> Result<(), LogFileError> {
        let GzipMember::Gzip(member) = std::mem::replace(&mut self.member, GzipMember::End) else {
            return Ok(());
        };
        let mut rest = member.into_inner();
        if rest
            .fill_buf()
            .map_err(|error| from_io_error(&error))?
            .first()
            == Some(&GZIP_FIRST_BYTE)
        {
            self.member = GzipMember::Gzip(Box::new(GzDecoder::new(rest)));
            return Ok(());
        }
        // Some writers pad the last block with zero bytes.
        loop {
            let padding = rest.fill_buf().map_err(|error| from_io_error(&error))?;
            if padding.iter().any(|byte| *byte != 0) {
                let reason = "other data follows it".to_owned();
                return Err(LogFileError::DamagedGzip(reason));
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
    // An outer layer of gzip data has failed.
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(inner) = inner {
        return LogFileError::clone(inner);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => LogFileError::Truncated,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            LogFileError::DamagedGzip(error.to_string())
        }
        _ => LogFileError::ReadFailed(error.to_string()),
    }
}
