//! Formats that are recognised by their first bytes and not read: archives, other compressions, and Parquet.

/// A format that must be unpacked or converted before the log file in it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedFormat {
    Zip,
    Tar,
    Bzip2,
    Zstandard,
    Xz,
    Lz4,
    SevenZip,
    Parquet,
}

/// The first bytes of each format, and their offset.
const SIGNATURES: &[(PackedFormat, usize, &[u8])] = &[
    (PackedFormat::Zip, 0, b"PK\x03\x04"),
    (PackedFormat::Bzip2, 0, b"BZh"),
    (PackedFormat::Zstandard, 0, b"\x28\xb5\x2f\xfd"),
    (PackedFormat::Xz, 0, b"\xfd7zXZ\0"),
    (PackedFormat::Lz4, 0, b"\x04\x22\x4d\x18"),
    (PackedFormat::SevenZip, 0, b"7z\xbc\xaf\x27\x1c"),
    (PackedFormat::Parquet, 0, b"PAR1"),
    (PackedFormat::Tar, 257, b"ustar"),
];

/// Number of bytes that are needed to recognise every format.
pub const SIGNATURE_BYTES: usize = 262;

impl PackedFormat {
    /// Recognises a format by the beginning of the data.
    #[must_use]
    pub fn detect(head: &[u8]) -> Option<Self> {
        let has_signature = |offset: usize, signature: &[u8]| {
            head.get(offset..)
                .is_some_and(|rest| rest.starts_with(signature))
        };
        SIGNATURES
            .iter()
            .find(|(_, offset, signature)| has_signature(*offset, signature))
            .map(|(format, ..)| *format)
    }

    /// The format as a noun, such as "a zip archive".
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Bzip2 => "compressed with bzip2",
            Self::Zstandard => "compressed with zstd",
            Self::Xz => "compressed with xz",
            Self::Lz4 => "compressed with lz4",
            Self::SevenZip => "a 7z archive",
            Self::Parquet => "a Parquet file",
        }
    }

    /// The command that writes the content to standard output, without the name of the file. `None` if no common command
    /// does.
    #[must_use]
    pub fn unpack_command(self) -> Option<&'static str> {
        match self {
            Self::Zip => Some("unzip -p"),
            Self::Tar => Some("tar -xOf"),
            Self::Bzip2 => Some("bzip2 -dc"),
            Self::Zstandard => Some("zstd -dc"),
            Self::Xz => Some("xz -dc"),
            Self::Lz4 => Some("lz4 -dc"),
            Self::SevenZip => Some("7z x -so"),
            Self::Parquet => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised_by_first_bytes() {
        let mut tar = b"logs/a.json".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\0");
        for (head, expected) in [
            (&b"PK\x03\x04\x14\0"[..], Some(PackedFormat::Zip)),
            (b"BZh91AY", Some(PackedFormat::Bzip2)),
            (b"\x28\xb5\x2f\xfd\x24", Some(PackedFormat::Zstandard)),
            (b"\xfd7zXZ\0\0", Some(PackedFormat::Xz)),
            (b"PAR1\x15", Some(PackedFormat::Parquet)),
            (&tar, Some(PackedFormat::Tar)),
            (br#"{"Records":[]}"#, None),
            (b"PK", None),
            (b"", None),
        ] {
            assert_eq!(PackedFormat::detect(head), expected);
        }
        let longest = SIGNATURES.iter().map(|(_, at, bytes)| at + bytes.len());
        assert_eq!(longest.max(), Some(SIGNATURE_BYTES));
    }
}
