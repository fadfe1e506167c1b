//! The bytes of an object, unpacked as they are read: all gzip members, up to a cap.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

const GZIP: u8 = 0x1f;

/// Why an object gives no records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// There are no bytes, packed or unpacked.
    Empty,
    /// The gzip data ends before its end mark.
    Truncated,
    /// The gzip data is damaged.
    Gzip(String),
    /// The unpacked bytes are more than this cap.
    TooLarge(u64),
    /// One record is more than this.
    LargeRecord(usize),
    /// The unpacked bytes are no UTF-8.
    NotText,
    /// The text is no JSON, or ends too early.
    Json(String),
    /// The JSON has no list of records. Digests and error documents look like this.
    NoRecords,
    /// The bytes cannot be got.
    Unread(String),
    /// The object was whole at first, and is not any more.
    Changed,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the object is empty"),
            Self::Truncated => write!(out, "the gzip data ends too early"),
            Self::Gzip(why) => write!(out, "the gzip data is damaged: {why}"),
            Self::TooLarge(cap) => {
                write!(out, "the object is larger than {cap} bytes when unpacked")
            }
            Self::LargeRecord(cap) => write!(out, "a record is larger than {cap} bytes"),
            Self::NotText => write!(out, "the object is not UTF-8 text"),
            Self::Json(why) => write!(out, "the object is not valid JSON: {why}"),
            Self::NoRecords => write!(out, "the object has no list of Records"),
            Self::Unread(why) => write!(out, "{why}"),
            Self::Changed => write!(out, "the object has changed while it was read"),
        }
    }
}

impl std::error::Error for Broken {}

/// Unpacked bytes. Neither the name nor the content type says reliably whether an object is packed; its first bytes
/// do.
pub struct Unpack<R> {
    member: Member<R>,
    read: u64,
    cap: u64,
}

enum Member<R> {
    Plain(R),
    Packed(Box<GzDecoder<R>>),
    Ended,
}

impl<R: BufRead> Unpack<R> {
    /// # Errors
    /// When not even the first bytes can be read.
    pub fn new(mut packed: R, cap: u64) -> Result<Self, Broken> {
        let first = packed.fill_buf().map_err(|why| damage(&why))?.first();
        let member = match first {
            Some(&GZIP) => Member::Packed(Box::new(GzDecoder::new(packed))),
            Some(_) => Member::Plain(packed),
            None => Member::Ended,
        };
        Ok(Self {
            member,
            read: 0,
            cap,
        })
    }

    /// Puts the next bytes there; none at the end.
    ///
    /// # Errors
    /// When the data is damaged, or more than the cap.
    pub fn read(&mut self, to: &mut [u8]) -> Result<usize, Broken> {
        loop {
            let (length, ended) = match &mut self.member {
                Member::Plain(bytes) => (bytes.read(to), false),
                Member::Packed(member) => {
                    let read = member.read(to);
                    let ended = matches!(read, Ok(0)) && !to.is_empty();
                    (read, ended)
                }
                Member::Ended => return Ok(0),
            };
            if ended {
                self.next_member()?;
                continue;
            }
            let length = match length {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(|why| damage(&why))?,
            };
            self.read = self.read.saturating_add(length as u64);
            return if self.read > self.cap {
                Err(Broken::TooLarge(self.cap))
            } else {
                Ok(length)
            };
        }
    }

    /// Reading only the first member would lose the rest without a word.
    fn next_member(&mut self) -> Result<(), Broken> {
        let Member::Packed(member) = std::mem::replace(&mut self.member, Member::Ended) else {
            return Ok(());
        };
        let mut rest = member.into_inner();
        if rest.fill_buf().map_err(|why| damage(&why))?.first() == Some(&GZIP) {
            self.member = Member::Packed(Box::new(GzDecoder::new(rest)));
            return Ok(());
        }
        // Some writers fill the last block with zero bytes.
        loop {
            let padding = rest.fill_buf().map_err(|why| damage(&why))?;
            if padding.iter().any(|byte| *byte != 0) {
                let why = "something else follows it".to_owned();
                return Err(Broken::Gzip(why));
            }
            let length = padding.len();
            if length == 0 {
                return Ok(());
            }
            rest.consume(length);
        }
    }
}

fn damage(error: &io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Broken::Truncated,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Broken::Gzip(error.to_string()),
        _ => Broken::Unread(error.to_string()),
    }
}
