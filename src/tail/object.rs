//! An object: unpacked, seen to its end, and only then given out, record by record. All of it or nothing, because half
//! a file looks like a quiet account.
//!
//! What unpacks to no more than the share of memory is held and read once. What is larger is unpacked twice: to see
//! whether it is whole, and to give it out. So memory is bounded, whatever arrives.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use super::record::one_line;
pub use super::unpack::Broken;
use super::unpack::Unpack;
use super::walk::{Form, Walk};
use super::window::{Moving, Whole, Window};

/// How much packed data is read at a time.
const PACKED_STEP: usize = 64 * 1024;

/// Where an object's bytes are.
pub enum Packed {
    Bytes(Vec<u8>),
    File(PathBuf),
    /// A file without a name.
    Kept(File),
    /// A record a line, given out as they come, and for ever perhaps.
    Lines(Box<dyn Read + Send>),
}

/// How much may be unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one object, in all.
    pub object: u64,
    /// Of one object, in memory.
    pub held: usize,
}

/// Who is given the records.
pub trait Taker {
    /// One record, or what stands in the place of one.
    fn take(&mut self, text: &str) -> ControlFlow<()>;

    /// The next may be long in coming.
    fn pause(&mut self) -> ControlFlow<()>;
}

type Source<'a> = Box<dyn BufRead + 'a>;

/// Gives out every record, unless the taker has had enough before.
///
/// # Errors
/// What is wrong with the object; then nothing was given out, but for lines that came before the fault.
pub fn read(packed: Packed, limits: Limits, taker: &mut dyn Taker) -> Result<(), Broken> {
    let packed = match packed {
        Packed::Lines(bytes) => {
            let bytes = Unpack::new(BufReader::with_capacity(PACKED_STEP, bytes), u64::MAX)?;
            return lines(Walk::new(Moving::new(bytes)), taker);
        }
        packed => packed,
    };
    if let Some(text) = whole(packed.open()?, limits)? {
        return give_out(|| Ok(Walk::new(Whole(&text))), taker);
    }
    let open = || {
        let bytes = Unpack::new(packed.open()?, limits.object)?;
        Ok(Walk::new(Moving::new(bytes)))
    };
    give_out(open, taker)
}

impl Packed {
    fn open(&self) -> Result<Source<'_>, Broken> {
        let buffered =
            |file| -> Source<'_> { Box::new(BufReader::with_capacity(PACKED_STEP, file)) };
        let opened: io::Result<Source<'_>> = match self {
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::File(path) => File::open(path).map(buffered),
            Self::Kept(file) => file.try_clone().and_then(|mut file| {
                file.rewind()?;
                Ok(buffered(file))
            }),
            Self::Lines(_) => Ok(Box::new(io::empty())),
        };
        opened.map_err(|why| Broken::Unread(why.to_string()))
    }
}

/// All of its text, if there is room for it.
fn whole(packed: Source<'_>, limits: Limits) -> Result<Option<String>, Broken> {
    const FIRST_STEP: usize = 32 * 1024;
    const LAST_STEP: usize = 1024 * 1024;
    let mut source = Unpack::new(packed, limits.object)?;
    let (mut text, mut filled, mut step) = (Vec::new(), 0, FIRST_STEP);
    loop {
        if text.len() == filled {
            text.resize(filled + step, 0);
            step = (step * 2).min(LAST_STEP);
        }
        let free = text.get_mut(filled..).unwrap_or_default();
        let length = source.read(free)?;
        if length == 0 {
            break;
        }
        filled += length;
        if filled > limits.held {
            return Ok(None);
        }
    }
    text.truncate(filled);
    match String::from_utf8(text) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Broken::NotText),
    }
}

/// Goes through it twice: to its end, and once more to give it out.
fn give_out<W: Window>(
    open: impl Fn() -> Result<Walk<W>, Broken>,
    taker: &mut dyn Taker,
) -> Result<(), Broken> {
    let mut first = open()?;
    if first.form()? == Some(Form::Lines) {
        first.pass()?;
        return lines(open()?, taker);
    }
    while let Some(record) = first.record()? {
        first.text(record)?;
    }
    drop(first);
    let mut second = open()?;
    while let Some(record) = second.record().map_err(|_| Broken::Changed)? {
        if taker.take(second.text(record)?).is_break() {
            break;
        }
    }
    Ok(())
}

fn lines<W: Window>(mut walk: Walk<W>, taker: &mut dyn Taker) -> Result<(), Broken> {
    loop {
        while let Some(line) = walk.line() {
            if take_line(&walk, line, taker)?.is_break() {
                return Ok(());
            }
        }
        if taker.pause().is_break() {
            return Ok(());
        }
        if !walk.more()? {
            let last = walk.last_line();
            let _ = take_line(&walk, last, taker)?;
            return Ok(());
        }
    }
}

/// An empty line is no record.
fn take_line<W: Window>(
    walk: &Walk<W>,
    line: Range<usize>,
    taker: &mut dyn Taker,
) -> Result<ControlFlow<()>, Broken> {
    let line = walk.text(line)?.trim_ascii();
    if line.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    Ok(taker.take(line))
}

/// Every record of an object in memory, on one line each.
///
/// # Errors
/// What is wrong with the object.
pub fn records(bytes: &[u8], cap: u64) -> Result<Vec<String>, Broken> {
    struct All(Vec<String>);
    impl Taker for All {
        fn take(&mut self, text: &str) -> ControlFlow<()> {
            self.0.push(one_line(text).into_owned());
            ControlFlow::Continue(())
        }

        fn pause(&mut self) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let limits = Limits {
        object: cap,
        held: usize::MAX,
    };
    let mut all = All(Vec::new());
    read(Packed::Bytes(bytes.to_vec()), limits, &mut all)?;
    Ok(all.0)
}
