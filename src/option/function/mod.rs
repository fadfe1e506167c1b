//! The function that sends what the trail's log group receives to the queue, as Lambda takes its code.

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// What Lambda calls: the file's name without its ending, and a function in it.
pub const HANDLER: &str = "heeler_event_collection_lambda.lambda_handler";

/// The variable that tells the function the URL of its queue.
pub const QUEUE_URL: &str = "QUEUE_URL";

/// The variable that tells the function the queue's `MaximumMessageSize`; without it, 262144.
pub const MAX_MESSAGE_BYTES: &str = "MAX_MESSAGE_BYTES";

const FILE: &str = "heeler_event_collection_lambda.py";
const SOURCE: &[u8] = include_bytes!("heeler_event_collection_lambda.py");

/// The function as a zip file: the same bytes from every build, or each would look like a change.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "a name and a size that a zip file has room for, written to memory"
)]
pub fn code() -> Vec<u8> {
    zipped(FILE, SOURCE).expect("memory takes what is written to it")
}

/// The digest of the zip file in the form of Lambda's `CodeSha256`.
#[must_use]
pub fn sha256() -> String {
    STANDARD.encode(Sha256::digest(code()))
}

/// Not compressed, so that no other release of a compressor makes other bytes.
fn zipped(name: &str, bytes: &[u8]) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, options)?;
    zip.write_all(bytes)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handler_is_in_the_file() {
        let (module, function) = HANDLER.split_once('.').expect("a module and a function");
        assert_eq!(format!("{module}.py"), FILE);
        let source = std::str::from_utf8(SOURCE).expect("text");
        assert!(source.contains(&format!("\ndef {function}(event, context):\n")));
        for variable in [QUEUE_URL, MAX_MESSAGE_BYTES] {
            assert!(source.contains(&format!("\"{variable}\"")), "{variable}");
        }
    }

    /// On Windows, too, where Git may write other line ends: see `.gitattributes`.
    #[test]
    fn the_source_has_the_line_ends_of_linux() {
        assert!(!SOURCE.contains(&b'\r'));
    }

    #[test]
    fn the_digest_is_of_the_bytes() {
        assert_eq!(code(), code());
        assert_eq!(
            STANDARD.decode(sha256()).expect("base64"),
            Sha256::digest(code()).as_slice()
        );
    }

    /// When a release of the library writes something else, every function that is out there looks changed.
    #[test]
    fn the_bytes_around_the_source_are_always_the_same() {
        let zip = zipped("name.py", b"pass\n").expect("memory takes it");
        let shown: String = zip
            .iter()
            .flat_map(|byte| byte.escape_ascii())
            .map(char::from)
            .collect();
        insta::assert_snapshot!(shown, @r"PK\x03\x04\n\x00\x00\x00\x00\x00\x00\x00!\x00\x96\x92\x1a\x0e\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00name.pypass\nPK\x01\x02\n\x03\n\x00\x00\x00\x00\x00\x00\x00!\x00\x96\x92\x1a\x0e\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xa4\x81\x00\x00\x00\x00name.pyPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x005\x00\x00\x00*\x00\x00\x00\x00\x00");
    }
}
