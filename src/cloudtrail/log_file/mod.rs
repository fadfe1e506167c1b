//! Log files: decompresses a file, reads it to its end, and only then passes its records to a sink.
//!
//! Log files are all-or-nothing: half a file would look like an account without activity. A file that fits into the memory
//! limit is read once. A larger file is decompressed twice: once to validate it and once to pass its records on. Memory
//! use is therefore bounded for any input.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

pub use crate::cloudtrail::gunzip::LogFileError;
pub use crate::cloudtrail::layout::LogFormat;
use crate::cloudtrail::record::single_line;
use crate::cloudtrail::record_parser::{RecordParser, RecordSpan};
use crate::cloudtrail::text_buffer::{InMemoryText, SlidingBuffer, TextBuffer};
use crate::cloudtrail::text_reader::{ByteSource, TextReader};
use crate::cloudtrail::wrapped_record::{for_each_record, for_each_record_in_line};

/// Size of the buffer for compressed data.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// The compressed or uncompressed bytes of a log file.
pub enum LogFileSource {
    Bytes(Vec<u8>),
    File(PathBuf),
    /// An anonymous temporary file.
    TempFile(File),
    /// JSON Lines: one record per line, passed on as they arrive. The stream may never end.
    JsonLines(Box<dyn Read + Send>),
}

/// Limits for the decompressed size of a log file.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Larger files are rejected.
    pub max_file_bytes: u64,
    /// Larger files are decompressed twice instead of being held in memory.
    pub max_bytes_in_memory: usize,
}

/// Receives the records of a log file, in order.
pub trait RecordSink {
    /// Receives the text of one record. It may be anything: JSON that is not an object, or an invalid line.
    fn push(&mut self, text: &str) -> ControlFlow<()>;

    /// Called when no further record is available yet, so that buffered records can be written.
    fn flush(&mut self) -> ControlFlow<()>;
}

/// Passes every record to the sink, until the sink breaks.
///
/// # Errors
/// Returns an error if the file is damaged. The sink has then received no records, except the lines of a JSON Lines stream
/// before the damage.
pub fn read_records(
    source: LogFileSource,
    limits: ReadLimits,
    sink: &mut dyn RecordSink,
) -> Result<(), LogFileError> {
    let source = match source {
        LogFileSource::JsonLines(bytes) => {
            let bytes = Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, bytes));
            let text = TextReader::new(bytes, u64::MAX)?;
            return emit_lines(RecordParser::new(SlidingBuffer::new(text)), sink);
        }
        source => source,
    };
    if let Some(text) = read_into_memory(source.open()?, limits)? {
        return emit_in_memory(&text, sink);
    }
    let open = || {
        let text = TextReader::new(source.open()?, limits.max_file_bytes)?;
        Ok(RecordParser::new(SlidingBuffer::new(text)))
    };
    emit_streaming(open, sink)
}

impl LogFileSource {
    fn open(&self) -> Result<ByteSource<'_>, LogFileError> {
        let buffered = |file| -> ByteSource<'_> {
            Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, file))
        };
        let opened: io::Result<ByteSource<'_>> = match self {
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::File(path) => File::open(path).map(buffered),
            Self::TempFile(file) => file.try_clone().and_then(|mut file| {
                file.rewind()?;
                Ok(buffered(file))
            }),
            Self::JsonLines(_) => Ok(Box::new(io::empty())),
        };
        opened.map_err(|error| LogFileError::ReadFailed(error.to_string()))
    }
}

/// Reads the whole text; `None` if it is larger than the memory limit.
fn read_into_memory(
    source: ByteSource<'_>,
    limits: ReadLimits,
) -> Result<Option<String>, LogFileError> {
    const FIRST_STEP: usize = 32 * 1024;
    const LAST_STEP: usize = 1024 * 1024;
    let mut reader = TextReader::new(source, limits.max_file_bytes)?;
    let (mut text, mut filled, mut step) = (Vec::new(), 0, FIRST_STEP);
    loop {
        if text.len() == filled {
            text.resize(filled + step, 0);
            step = (step * 2).min(LAST_STEP);
        }
        let free = text.get_mut(filled..).unwrap_or_default();
        let length = reader.read(free)?;
        if length == 0 {
            break;
        }
        filled += length;
        if filled > limits.max_bytes_in_memory {
            return Ok(None);
        }
    }
    text.truncate(filled);
    match String::from_utf8(text) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(LogFileError::NotUtf8),
    }
}

/// Validates the text to its end, then passes its records on. The ranges of the first records are remembered; the others
/// are parsed again, because their ranges would use too much memory.
fn emit_in_memory(text: &str, sink: &mut dyn RecordSink) -> Result<(), LogFileError> {
    const MAX_INDEXED_RECORDS: usize = 128 * 1024;
    let mut parser = RecordParser::new(InMemoryText(text));
    if parser.detect_format()? == Some(LogFormat::Lines) {
        return emit_lines(parser, sink);
    }
    let mut spans = Vec::new();
    while spans.len() < MAX_INDEXED_RECORDS
        && let Some(span) = parser.next_record()?
    {
        validate(&parser, &span)?;
        spans.push(span);
    }
    let mut rest = parser.clone();
    while let Some(span) = parser.next_record()? {
        validate(&parser, &span)?;
    }
    for span in spans {
        if emit_records(&rest, span, sink)?.is_break() {
            return Ok(());
        }
    }
    emit_rest(&mut rest, sink)
}

/// Reads the file twice: once to validate it, once to pass its records on.
fn emit_streaming<W: TextBuffer>(
    open: impl Fn() -> Result<RecordParser<W>, LogFileError>,
    sink: &mut dyn RecordSink,
) -> Result<(), LogFileError> {
    let mut validation = open()?;
    if validation.detect_format()? == Some(LogFormat::Lines) {
        validation.skip_to_end()?;
        return emit_lines(open()?, sink);
    }
    while let Some(span) = validation.next_record()? {
        validate(&validation, &span)?;
    }
    drop(validation);
    emit_rest(&mut open()?, sink).map_err(|_| LogFileError::ChangedWhileReading)
}

fn emit_rest<W: TextBuffer>(
    parser: &mut RecordParser<W>,
    sink: &mut dyn RecordSink,
) -> Result<(), LogFileError> {
    while let Some(span) = parser.next_record()? {
        if emit_records(parser, span, sink)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Checks that the text is valid, and that a wrapped value contains records.
fn validate<W: TextBuffer>(
    parser: &RecordParser<W>,
    span: &RecordSpan,
) -> Result<(), LogFileError> {
    let text = parser.text(span.range.clone())?;
    if span.is_wrapped {
        for_each_record(text, &mut |_| ControlFlow::Continue(())).map(drop)
    } else {
        Ok(())
    }
}

fn emit_records<W: TextBuffer>(
    parser: &RecordParser<W>,
    span: RecordSpan,
    sink: &mut dyn RecordSink,
) -> Result<ControlFlow<()>, LogFileError> {
    let text = parser.text(span.range)?;
    if span.is_wrapped {
        for_each_record(text, &mut |record| sink.push(record))
    } else {
        Ok(sink.push(text))
    }
}

fn emit_lines<W: TextBuffer>(
    mut parser: RecordParser<W>,
    sink: &mut dyn RecordSink,
) -> Result<(), LogFileError> {
    loop {
        while let Some(line) = parser.next_line() {
            if push_line(&parser, line, sink)?.is_break() {
                return Ok(());
            }
        }
        if sink.flush().is_break() {
            return Ok(());
        }
        if !parser.fill()? {
            let last = parser.last_line();
            let _ = push_line(&parser, last, sink)?;
            return Ok(());
        }
    }
}

/// Passes the records of a line on, unless it is empty.
fn push_line<W: TextBuffer>(
    parser: &RecordParser<W>,
    line: Range<usize>,
    sink: &mut dyn RecordSink,
) -> Result<ControlFlow<()>, LogFileError> {
    let line = parser.text(line)?.trim_ascii();
    if line.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    Ok(for_each_record_in_line(line, &mut |record| {
        sink.push(record)
    }))
}

struct CollectSink(Vec<String>);

impl RecordSink for CollectSink {
    fn push(&mut self, text: &str) -> ControlFlow<()> {
        self.0.push(single_line(text).into_owned());
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Reads all records of a log file in memory, each on a single line.
///
/// # Errors
/// Returns an error if the file is damaged or larger than `max_file_bytes`.
pub fn collect_records(bytes: &[u8], max_file_bytes: u64) -> Result<Vec<String>, LogFileError> {
    let limits = ReadLimits {
        max_file_bytes,
        max_bytes_in_memory: usize::MAX,
    };
    let mut sink = CollectSink(Vec::new());
    read_records(LogFileSource::Bytes(bytes.to_vec()), limits, &mut sink)?;
    Ok(sink.0)
}
