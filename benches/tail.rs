//! Measures `tail FILE` against decompression alone: CPU time and peak memory of whole commands, side by side.
//!
//! One log file of 50 MB and one of 500 MB are generated from the real sample records if available, otherwise from those in
//! the repository. Each copy of a record has its own ID, time and address. The release build prints the first file as JSON and
//! as a table, `gzip -dc` decompresses it, and `zcat | jq -c '.Records[]'` (if `jq` is installed) does what users would do
//! without this program. The commands run in turn, so that load on the machine affects all of them; compare their ratios.

mod child;

mod program;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use child::ResourceUsage;
use flate2::Compression;
use flate2::write::GzEncoder;
use heeler_ec::cloudtrail::log_file::collect_records as read;
use program::program;
use testkit::{emulator, samples};

const ROUNDS: u32 = 10;
/// Rounds of commands that take a second or more.
const SLOW_ROUNDS: u32 = 3;
const SMALL_BYTES: usize = 50_000_000;
const LARGE_BYTES: usize = 500_000_000;
/// Number of files that are read in parallel.
const FILE_COUNT: usize = 8;

fn main() -> io::Result<()> {
    let program = program()?;
    let folder = tempfile::tempdir()?;
    let records = records()?;
    let small = folder.path().join("small.json.gz");
    let large = folder.path().join("large.json.gz");
    let mut out = io::stdout();
    writeln!(
        out,
        "\nprogram: {}",
        megabytes(std::fs::metadata(&program)?.len())
    )?;
    for (path, size) in [(&small, SMALL_BYTES), (&large, LARGE_BYTES)] {
        let count = write_log_file(path, size, &records)?;
        let compressed = std::fs::metadata(path)?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            out,
            "{name}: {count} records, {}, compressed {}",
            megabytes(size as u64),
            megabytes(compressed)
        )?;
    }

    let tail = |words: &[&str], paths: &[&Path]| {
        let mut command = Command::new(&program);
        command.env_clear().arg("tail").args(paths).args(words);
        command
    };
    let mut gzip = Command::new("gzip");
    gzip.arg("-dc").arg(&small);
    let mut rows = [
        Row::new("gzip -dc", gzip),
        Row::new("tail -o json", tail(&["-o", "json"], &[&small])),
        Row::new("tail -o table", tail(&["-o", "table"], &[&small])),
        Row::new("tail -o csv", tail(&["-o", "csv"], &[&small])),
    ];
    for _ in 0..ROUNDS {
        rows.iter_mut().try_for_each(Row::measure)?;
    }
    if Command::new("jq").arg("--version").output().is_ok() {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg("exec jq -c '.Records[]' <\"$0\"");
        // Child processes of the shell are not measured, so each half of the pipe has its own row.
        let plain = folder.path().join("small.json");
        io::copy(
            &mut flate2::read::MultiGzDecoder::new(File::open(&small)?),
            &mut File::create(&plain)?,
        )?;
        shell.arg(&plain);
        let mut jq = Row::new("jq -c '.Records[]', without zcat", shell);
        for _ in 0..SLOW_ROUNDS {
            jq.measure()?;
        }
        print_results(&mut out, &rows, Some(&jq))?;
    } else {
        print_results(&mut out, &rows, None)?;
        writeln!(out, "jq is not installed and was not measured")?;
    }

    let mut large = Row::new("tail -o json, 500 MB", tail(&["-o", "json"], &[&large]));
    large.measure()?;
    writeln!(out, "{}", large.line(None))?;
    let paths = vec![small.as_path(); FILE_COUNT];
    let mut several = Row::new("tail -o json, 8 files", tail(&["-o", "json"], &paths));
    several.measure()?;
    writeln!(out, "{}", several.line(None))
}

/// A command and its resource usage so far.
struct Row {
    name: &'static str,
    command: Command,
    rounds: u32,
    cpu: Duration,
    wall: Duration,
    memory: u64,
}

impl Row {
    fn new(name: &'static str, command: Command) -> Self {
        Self {
            name,
            command,
            rounds: 0,
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
            memory: 0,
        }
    }

    fn measure(&mut self) -> io::Result<()> {
        let started = Instant::now();
        let ResourceUsage { cpu, memory } = child::run(&mut self.command)?;
        self.wall += started.elapsed();
        self.cpu += cpu.unwrap_or_default();
        self.memory = self.memory.max(memory.unwrap_or_default());
        self.rounds += 1;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        (self.cpu / self.rounds.max(1)).as_secs_f64()
    }

    fn line(&self, against: Option<&Row>) -> String {
        let ratio = against.map_or(String::new(), |other| {
            format!("{:>8.2}", self.seconds() / other.seconds())
        });
        format!(
            "{:<34}{:>7.3} s CPU {:>7.3} s wall {:>12} peak{ratio}",
            self.name,
            self.seconds(),
            (self.wall / self.rounds.max(1)).as_secs_f64(),
            megabytes(self.memory)
        )
    }
}

fn print_results(out: &mut impl Write, rows: &[Row; 4], jq: Option<&Row>) -> io::Result<()> {
    let [gzip, json, ..] = rows;
    writeln!(
        out,
        "\nmean of {ROUNDS} rounds; last column: CPU, times that of gzip -dc"
    )?;
    for row in rows {
        writeln!(out, "{}", row.line(Some(gzip)))?;
    }
    if let Some(jq) = jq {
        writeln!(out, "{}", jq.line(Some(gzip)))?;
        let times = (jq.seconds() + gzip.seconds()) / json.seconds();
        writeln!(
            out,
            "zcat | jq -c takes {times:.1} times the CPU of tail -o json"
        )?;
    }
    writeln!(out)
}

/// All available real records.
fn records() -> io::Result<Vec<String>> {
    let folder = emulator::repository().join("tests/fixtures/tail/objects");
    let mut found = Vec::new();
    if let Some(logs) = samples::real_logs() {
        for (_, bytes) in samples::log_files_below(&logs) {
            found.extend(read(&bytes, u64::MAX).map_err(io::Error::other)?);
        }
    } else {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            // These are generated edge cases.
            if path.to_string_lossy().contains("/123456789012_") || path.extension().is_none() {
                continue;
            }
            let bytes = std::fs::read(&path)?;
            found.extend(read(&bytes, u64::MAX).map_err(io::Error::other)?);
        }
    }
    Ok(found)
}

/// Writes a log file with the given decompressed size; returns its number of records.
fn write_log_file(path: &Path, size: usize, records: &[String]) -> io::Result<usize> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut encoder = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::new(6));
    encoder.write_all(b"{\"Records\":[")?;
    let (mut written, mut count) = (14, 0);
    for record in records.iter().cycle() {
        let record = varied(record, &mut random);
        written += record.len() + 1;
        if written > size {
            break;
        }
        if count > 0 {
            encoder.write_all(b",")?;
        }
        encoder.write_all(record.as_bytes())?;
        count += 1;
    }
    encoder.write_all(b"]}")?;
    encoder.finish()?.flush()?;
    Ok(count)
}

/// The record with a new ID, time, address and request ID.
fn varied(record: &str, random: &mut Random) -> String {
    let mut text = record.to_owned();
    for (name, digits) in [
        ("\"eventID\":\"", "0123456789abcdef"),
        ("\"requestID\":\"", "0123456789abcdef"),
        ("\"sourceIPAddress\":\"", "123456789"),
    ] {
        let Some(begin) = text.find(name).map(|at| at + name.len()) else {
            continue;
        };
        let Some(length) = text[begin..].find('"') else {
            continue;
        };
        let value = &text[begin..begin + length];
        if !value
            .chars()
            .all(|c| c.is_ascii_hexdigit() || matches!(c, '-' | '.'))
        {
            continue;
        }
        let new: String = value
            .chars()
            .map(|c| {
                if c.is_ascii_hexdigit() {
                    random.one_of(digits)
                } else {
                    c
                }
            })
            .collect();
        text.replace_range(begin..begin + length, &new);
    }
    text
}

/// A fixed pseudo-random sequence.
struct Random(u64);

impl Random {
    fn one_of(&mut self, letters: &str) -> char {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let number = usize::try_from(self.0 >> 33).unwrap_or_default();
        char::from(letters.as_bytes()[number % letters.len()])
    }
}

#[expect(clippy::cast_precision_loss, reason = "printed with one decimal")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
