//! Reads the text of a log file: decompresses it, also gzip data inside gzip data, and converts UTF-16 to UTF-8.

use std::io::{self, BufRead, BufReader, Read};

use crate::cloudtrail::archive::{PackedFormat, SIGNATURE_BYTES};
use crate::cloudtrail::gunzip::{GunzipReader, LogFileError};

/// The bytes of a log file as they are stored.
pub type ByteSource<'a> = Box<dyn BufRead + 'a>;

/// Gzip data inside gzip data: Firehose compresses data that CloudWatch Logs has compressed already. More layers do not
/// occur.
const MAX_GZIP_LAYERS: usize = 3;

/// Size of the buffer for the data of an inner layer.
const LAYER_BUFFER_BYTES: usize = 64 * 1024;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// A reader of the text, as UTF-8 without a byte order mark. It does not check that the text is valid UTF-8.
pub struct TextReader<'a> {
    layer: GzipLayer<'a>,
    utf16: Option<Utf16Decoder>,
}

impl<'a> TextReader<'a> {
    /// Recognises the format by the first bytes, because neither the name of a file nor its content type is reliable.
    ///
    /// # Errors
    /// Returns an error if the first bytes cannot be read, or belong to an archive.
    pub fn new(source: ByteSource<'a>, max_bytes: u64) -> Result<Self, LogFileError> {
        let mut layer = GzipLayer::open(source, max_bytes)?;
        for _ in 1..MAX_GZIP_LAYERS {
            if !layer.head().starts_with(&[0x1f, 0x8b]) {
                break;
            }
            let inner = BufReader::with_capacity(LAYER_BUFFER_BYTES, layer);
            layer = GzipLayer::open(Box::new(inner), max_bytes)?;
        }
        if let Some(format) = PackedFormat::detect(layer.head()) {
            return Err(LogFileError::Packed(format));
        }
        let (bom_bytes, big_endian) = match layer.head() {
            [0xff, 0xfe, ..] => (2, Some(false)),
            [0xfe, 0xff, ..] => (2, Some(true)),
            [b'{' | b'[', 0, ..] => (0, Some(false)),
            [0, b'{' | b'[', ..] => (0, Some(true)),
            head if head.starts_with(UTF8_BOM) => (UTF8_BOM.len(), None),
            _ => (0, None),
        };
        layer.head_position = bom_bytes;
        Ok(Self {
            layer,
            utf16: big_endian.map(Utf16Decoder::new),
        })
    }

    /// Reads the next bytes into `buffer` and returns their number; 0 at the end.
    ///
    /// # Errors
    /// Returns an error if the data is damaged or larger than the limit.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LogFileError> {
        match &mut self.utf16 {
            None => self.layer.read_bytes(buffer),
            Some(decoder) => decoder.read(&mut self.layer, buffer),
        }
    }
}

/// One layer of gzip or plain data, with its first bytes.
struct GzipLayer<'a> {
    source: GunzipReader<ByteSource<'a>>,
    head: Vec<u8>,
    head_position: usize,
}

impl<'a> GzipLayer<'a> {
    fn open(source: ByteSource<'a>, max_bytes: u64) -> Result<Self, LogFileError> {
        let mut source = GunzipReader::new(source, max_bytes)?;
        let mut head = vec![0; SIGNATURE_BYTES];
        let mut length = 0;
        // A pipe may deliver a few bytes at a time, and then nothing for hours.
        while length < SIGNATURE_BYTES && !is_sufficient(head.get(..length).unwrap_or_default()) {
            match source.read(head.get_mut(length..).unwrap_or_default())? {
                0 => break,
                count => length += count,
            }
        }
        head.truncate(length);
        Ok(Self {
            source,
            head,
            head_position: 0,
        })
    }

    fn head(&self) -> &[u8] {
        &self.head
    }

    fn read_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, LogFileError> {
        let rest = self.head.get(self.head_position..).unwrap_or_default();
        if rest.is_empty() {
            return self.source.read(buffer);
        }
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.head_position += length;
        Ok(length)
    }
}

impl Read for GzipLayer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_bytes(buffer).map_err(io::Error::other)
    }
}

/// Returns true if the first bytes show that the data is text.
fn is_sufficient(head: &[u8]) -> bool {
    let begins_like_json = matches!(
        head.first(),
        Some(b'{' | b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n')
    );
    head.len() >= 2 && (begins_like_json || head.contains(&b'\n'))
}

/// A converter from UTF-16 to UTF-8. PowerShell writes UTF-16 when output is redirected to a file.
struct Utf16Decoder {
    big_endian: bool,
    /// The first byte of a code unit whose second byte has not been read yet.
    odd_byte: Option<u8>,
    /// The first half of a surrogate pair whose second half has not been read yet.
    high_surrogate: Option<u16>,
    decoded: Vec<u8>,
    position: usize,
}

impl Utf16Decoder {
    fn new(big_endian: bool) -> Self {
        Self {
            big_endian,
            odd_byte: None,
            high_surrogate: None,
            decoded: Vec::new(),
            position: 0,
        }
    }

    fn read(
        &mut self,
        source: &mut GzipLayer<'_>,
        buffer: &mut [u8],
    ) -> Result<usize, LogFileError> {
        let mut bytes = [0; 8 * 1024];
        while self.position == self.decoded.len() {
            self.decoded.clear();
            self.position = 0;
            let length = source.read_bytes(&mut bytes)?;
            if length == 0 {
                let is_complete = self.odd_byte.is_none() && self.high_surrogate.is_none();
                return if is_complete {
                    Ok(0)
                } else {
                    Err(LogFileError::NotUtf8)
                };
            }
            for byte in bytes.iter().take(length) {
                self.push(*byte)?;
            }
        }
        let rest = self.decoded.get(self.position..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.position += length;
        Ok(length)
    }

    fn push(&mut self, byte: u8) -> Result<(), LogFileError> {
        let Some(first) = self.odd_byte.take() else {
            self.odd_byte = Some(byte);
            return Ok(());
        };
        let unit = if self.big_endian {
            u16::from_be_bytes([first, byte])
        } else {
            u16::from_le_bytes([first, byte])
        };
        let units = match self.high_surrogate.take() {
            Some(high) => [high, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.high_surrogate = Some(unit);
                return Ok(());
            }
            None => [unit, 0],
        };
        let character = char::decode_utf16(units).next();
        let Some(Ok(character)) = character else {
            return Err(LogFileError::NotUtf8);
        };
        let mut encoded = [0; 4];
        self.decoded
            .extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("a write to memory");
        encoder.finish().expect("a write to memory")
    }

    fn read_all(bytes: &[u8]) -> Result<String, LogFileError> {
        let mut reader = TextReader::new(Box::new(bytes), 1 << 20)?;
        let (mut text, mut buffer) = (Vec::new(), [0; 7]);
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(String::from_utf8(text).expect("UTF-8")),
                length => text.extend_from_slice(&buffer[..length]),
            }
        }
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    const TEXT: &str = "{\"a\": \"é ☃ 🦀\"}\r\n";

    #[test]
    fn byte_order_marks_are_removed() {
        let marked = format!("\u{feff}{TEXT}");
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(TEXT, u16::to_le_bytes),
            utf16(TEXT, u16::to_be_bytes),
        ] {
            assert_eq!(read_all(&bytes).as_deref(), Ok(TEXT));
            assert_eq!(read_all(&gzip(&bytes)).as_deref(), Ok(TEXT));
        }
    }

    #[test]
    fn incomplete_utf16_is_an_error() {
        let whole = utf16("\u{feff}{\"a\":\"🦀", u16::to_le_bytes);
        assert!(read_all(&whole).is_ok());
        for cut in [1, 2] {
            assert_eq!(
                read_all(&whole[..whole.len() - cut]),
                Err(LogFileError::NotUtf8)
            );
        }
    }

    #[test]
    fn gzip_inside_gzip_is_decompressed() {
        let twice = gzip(&gzip(TEXT.as_bytes()));
        assert_eq!(read_all(&twice).as_deref(), Ok(TEXT));
        let members = gzip(&[gzip(b"{\"a\""), gzip(b":1}")].concat());
        assert_eq!(read_all(&members).as_deref(), Ok("{\"a\":1}"));
        let cut = gzip(&gzip(TEXT.as_bytes())[..20]);
        assert_eq!(read_all(&cut), Err(LogFileError::Truncated));
        let bomb = gzip(&gzip(&vec![b' '; (1 << 20) + 1]));
        assert_eq!(read_all(&bomb), Err(LogFileError::TooLarge(1 << 20)));
    }

    #[test]
    fn packed_formats_are_named() {
        for bytes in [b"BZh91AY&SY".to_vec(), gzip(b"BZh91AY&SY")] {
            assert_eq!(
                read_all(&bytes),
                Err(LogFileError::Packed(PackedFormat::Bzip2))
            );
        }
    }
}
