//! The Lambda function that forwards records from the trail's log group to the queue, and its deployment package.

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// The handler setting of the Lambda function: module and function name.
pub const HANDLER: &str = "heeler_event_collection_lambda.lambda_handler";

/// The environment variable with the URL of the queue.
pub const QUEUE_URL: &str = "QUEUE_URL";

/// The environment variable with the queue's `MaximumMessageSize`; the function's default is 262144.
pub const MAX_MESSAGE_BYTES: &str = "MAX_MESSAGE_BYTES";

const FILE: &str = "heeler_event_collection_lambda.py";
const SOURCE: &[u8] = include_bytes!("heeler_event_collection_lambda.py");

/// Returns the deployment package: a zip file with the same bytes from every build, so that no build looks like a
/// change.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "a short name and a small file, written to memory"
)]
pub fn code() -> Vec<u8> {
    zipped(FILE, SOURCE).expect("writing to memory succeeds")
}

/// Returns the digest of the deployment package in the form of Lambda's `CodeSha256`.
#[must_use]
pub fn sha256() -> String {
    STANDARD.encode(Sha256::digest(code()))
}

/// Makes a zip file without compression, whose bytes would depend on the version of the compressor.
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
    fn source_has_handler_and_environment_variables() {
        let (module, function) = HANDLER.split_once('.').expect("a module and a function");
        assert_eq!(format!("{module}.py"), FILE);
        let source = std::str::from_utf8(SOURCE).expect("text");
        assert!(source.contains(&format!("\ndef {function}(event, context):\n")));
        for variable in [QUEUE_URL, MAX_MESSAGE_BYTES] {
            assert!(source.contains(&format!("\"{variable}\"")), "{variable}");
        }
    }

    /// `.gitattributes` prevents that Git changes the line endings on Windows.
    #[test]
    fn source_has_unix_line_endings() {
        assert!(!SOURCE.contains(&b'\r'));
    }

    #[test]
    fn digest_matches_the_package() {
        assert_eq!(code(), code());
        assert_eq!(
            STANDARD.decode(sha256()).expect("base64"),
            Sha256::digest(code()).as_slice()
        );
    }

    /// If a new version of the zip library wrote other bytes, every deployed function would look changed.
    #[test]
    fn package_has_stable_bytes() {
        let zip = zipped("name.py", b"pass\n").expect("writing to memory succeeds");
        let escaped: String = zip
            .iter()
            .flat_map(|byte| byte.escape_ascii())
            .map(char::from)
            .collect();
        let expected = concat!(
            r"PK\x03\x04\n\x00\x00\x00\x00\x00\x00\x00!\x00\x96\x92\x1a\x0e\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00",
            r"name.pypass\n",
            r"PK\x01\x02\n\x03\n\x00\x00\x00\x00\x00\x00\x00!\x00\x96\x92\x1a\x0e\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xa4\x81\x00\x00\x00\x00",
            r"name.pyPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x005\x00\x00\x00*\x00\x00\x00\x00\x00",
        );
        assert_eq!(escaped, expected);
    }
}
