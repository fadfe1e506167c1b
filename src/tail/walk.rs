//! Record after record through the text of an object: the lists of `Records` in it, or a record a line.

use std::ops::Range;

use memchr::memchr;

use super::scan;
use super::unpack::Broken;
use super::window::Window;

/// By which a record that stands alone is known. One of them comes first in it, as CloudTrail writes it and in the
/// order of the alphabet.
const OF_A_RECORD: &[&[u8]] = &[
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

/// What is longer is no key of a record.
const LONGEST_KEY: usize = 256;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Documents with a list of `Records` each, as CloudTrail delivers one. Several may follow each other.
    Documents,
    /// A record a line. Each stands alone, and one that is cut costs no other.
    Lines,
}

/// Goes through the documents of an object.
#[derive(Clone)]
pub struct Walk<W> {
    window: W,
    at: usize,
    place: Place,
    documents: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    /// Among the keys of a document: whether one was there, and whether records were.
    Keys {
        first: bool,
        records: bool,
    },
    List {
        first: bool,
    },
}

impl<W: Window> Walk<W> {
    pub fn new(window: W) -> Self {
        Self {
            window,
            at: 0,
            place: Place::Between,
            documents: 0,
        }
    }

    /// Told by the first key, without going on; nothing when there is too little of it.
    ///
    /// # Errors
    /// When the data is damaged.
    pub fn form(&mut self) -> Result<Option<Form>, Broken> {
        match self.sign()? {
            None => return Ok(None),
            Some(b'{') => {}
            Some(_) => return Ok(Some(Form::Documents)),
        }
        loop {
            let begin = self.window.bytes().get(self.at..).unwrap_or_default();
            if let Some(key) = first_key(begin) {
                let alone = OF_A_RECORD.contains(&key);
                return Ok(Some(if alone { Form::Lines } else { Form::Documents }));
            }
            if begin.len() > LONGEST_KEY {
                return Ok(Some(Form::Documents));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// The next record, as a part of the window; nothing at the end of a whole object.
    ///
    /// # Errors
    /// When the object is damaged or none of CloudTrail's.
    pub fn record(&mut self) -> Result<Option<Range<usize>>, Broken> {
        loop {
            let Some(sign) = self.sign()? else {
                return self.end();
            };
            self.place = match (self.place, sign) {
                (Place::Between, b'{') => {
                    self.at += 1;
                    self.documents += 1;
                    Place::Keys {
                        first: true,
                        records: false,
                    }
                }
                (Place::Between, _) => return Err(json("it does not begin with an object")),
                (Place::Keys { records: true, .. }, b'}') => {
                    self.at += 1;
                    Place::Between
                }
                (Place::Keys { .. }, b'}') => return Err(Broken::NoRecords),
                (Place::Keys { first, records }, _) => self.key(first, records)?,
                (Place::List { .. }, b']') => {
                    self.at += 1;
                    Place::Keys {
                        first: false,
                        records: true,
                    }
                }
                (Place::List { first }, _) => {
                    self.separator(first)?;
                    let value = self.value()?;
                    self.place = Place::List { first: false };
                    return Ok(Some(value));
                }
            };
        }
    }

    /// The next line, without its end; nothing when more has to be read first.
    pub fn line(&mut self) -> Option<Range<usize>> {
        let rest = self.window.bytes().get(self.at..)?;
        let length = memchr(b'\n', rest)?;
        let line = self.at..self.at + length;
        self.at = line.end + 1;
        Some(line)
    }

    /// What stands behind the last line end.
    pub fn last_line(&mut self) -> Range<usize> {
        let line = self.at..self.window.bytes().len();
        self.at = line.end;
        line
    }

    /// Passes over all that is left.
    ///
    /// # Errors
    /// When the data is damaged.
    pub fn pass(&mut self) -> Result<(), Broken> {
        loop {
            self.at = self.window.bytes().len();
            if !self.more()? {
                return Ok(());
            }
        }
    }

    /// # Errors
    /// When it is no UTF-8.
    pub fn text(&self, part: Range<usize>) -> Result<&str, Broken> {
        self.window.text(part)
    }

    /// Reads on. False at the end.
    ///
    /// # Errors
    /// When the data is damaged.
    pub fn more(&mut self) -> Result<bool, Broken> {
        self.window.more(&mut self.at)
    }

    fn end(&self) -> Result<Option<Range<usize>>, Broken> {
        match self.place {
            Place::Between if self.documents == 0 => Err(Broken::Empty),
            Place::Between => Ok(None),
            _ => Err(json("it ends too early")),
        }
    }

    fn key(&mut self, first: bool, records: bool) -> Result<Place, Broken> {
        self.separator(first)?;
        if self.sign()? != Some(b'"') {
            return Err(json("a key is no text"));
        }
        let key = self.value()?;
        let is_records = self.text(key)? == r#""Records""#;
        if self.sign()? != Some(b':') {
            return Err(json("a key has no value"));
        }
        self.at += 1;
        match self.sign()? {
            Some(b'[') if is_records => {
                self.at += 1;
                return Ok(Place::List { first: true });
            }
            Some(b'n') | None => {}
            Some(_) if is_records => return Err(json("Records is not a list")),
            Some(_) => {}
        }
        let value = self.value()?;
        self.text(value)?;
        Ok(Place::Keys {
            first: false,
            records,
        })
    }

    /// All but the first of a row stand behind a comma.
    fn separator(&mut self, first: bool) -> Result<(), Broken> {
        if first {
            return Ok(());
        }
        if self.sign()? != Some(b',') {
            return Err(json("a comma is missing"));
        }
        self.at += 1;
        Ok(())
    }

    /// The value that begins behind white space.
    fn value(&mut self) -> Result<Range<usize>, Broken> {
        match self.sign()? {
            None => return Err(json("it ends too early")),
            Some(b',' | b':' | b'}' | b']') => return Err(json("a value is missing")),
            Some(_) => {}
        }
        loop {
            if let Some(end) = scan::value_end(self.window.bytes(), self.at) {
                let value = self.at..end;
                self.at = end;
                return Ok(value);
            }
            if !self.more()? {
                return Err(json("it ends too early"));
            }
        }
    }

    /// What stands behind white space; nothing at the end.
    fn sign(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let rest = self.window.bytes().get(self.at..).unwrap_or_default();
            let space = rest
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            if let Some(space) = space {
                self.at += space;
                return Ok(rest.get(space).copied());
            }
            self.at += rest.len();
            if !self.more()? {
                return Ok(None);
            }
        }
    }
}

fn json(why: &str) -> Broken {
    Broken::Json(why.to_owned())
}

fn first_key(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"{")?.trim_ascii_start();
    let key = inside.strip_prefix(b"\"")?;
    key.get(..memchr(b'"', key)?)
}
