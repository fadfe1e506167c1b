//! Runs a child process and measures its CPU time and peak memory, on Linux.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The interval between two measurements.
const INTERVAL: Duration = Duration::from_millis(2);
/// The unit of CPU time in `/proc`.
const TICK: Duration = Duration::from_millis(10);

/// The resources that a process used; `None` on systems other than Linux.
#[derive(Debug, Default)]
pub struct ResourceUsage {
    pub cpu: Option<Duration>,
    /// Peak memory in bytes.
    pub memory: Option<u64>,
}

/// Runs a program until it exits, and fails with its standard error unless it succeeds.
///
/// The figures are from `/proc`. The CPU time stays readable until the process is waited for, the memory only while it
/// runs.
pub fn run(command: &mut Command) -> io::Result<ResourceUsage> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let usage = measure(&child);
    let mut message = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut message)?;
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(usage);
    }
    Err(io::Error::other(format!(
        "the program exited with {status}:\n{message}"
    )))
}

/// Measures the process until it has ended; returns at once on other systems than Linux.
fn measure(child: &Child) -> ResourceUsage {
    let mut usage = ResourceUsage::default();
    while let Some(state) = process_state(child.id()) {
        usage.memory = peak_memory(child.id()).or(usage.memory);
        usage.cpu = Some(state.cpu);
        if state.has_ended {
            break;
        }
        std::thread::sleep(INTERVAL);
    }
    usage
}

/// The state of a process.
pub struct ProcessState {
    /// User and system time of all threads.
    pub cpu: Duration,
    /// True for a process that has ended and is not waited for yet.
    pub has_ended: bool,
}

/// Reads the state of a process; returns `None` if it does not exist, and on other systems than Linux.
pub fn process_state(process: u32) -> Option<ProcessState> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the name in parentheses, which may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number)?.parse::<u32>().ok();
    Some(ProcessState {
        cpu: TICK * (ticks(11)? + ticks(12)?),
        has_ended: *fields.first()? == "Z",
    })
}

fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
