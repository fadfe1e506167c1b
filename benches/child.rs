//! A child process and what it used: its CPU time and its peak memory, where the system tells them.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a glance at the child is from the next.
const GLANCE: Duration = Duration::from_millis(2);
/// Linux counts the CPU time that it shows in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// What a process used; nothing where the system does not tell it.
#[derive(Debug, Default)]
pub struct Used {
    pub cpu: Option<Duration>,
    /// In bytes.
    pub memory: Option<u64>,
}

/// Runs a program to its end, and fails with what it said unless it succeeds.
///
/// The figures are those of `/proc`: the memory as last seen while the process ran, the CPU time as it stays
/// readable until the process is waited for.
pub fn run(command: &mut Command) -> io::Result<Used> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let used = watch(&child);
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(used);
    }
    Err(io::Error::other(format!(
        "the program ended with {status}:\n{said}"
    )))
}

/// Looks at the process until it has ended; elsewhere than on Linux it does not look at all.
fn watch(child: &Child) -> Used {
    let mut used = Used::default();
    while let Some(look) = look(child.id()) {
        used.memory = peak(child.id()).or(used.memory);
        used.cpu = Some(look.cpu);
        if look.ended {
            break;
        }
        std::thread::sleep(GLANCE);
    }
    used
}

/// What the system says of a process at this moment.
pub struct Look {
    /// Of all its threads: in the program, and in the system on its behalf.
    pub cpu: Duration,
    /// It only waits to be waited for.
    pub ended: bool,
}

/// Nothing when there is no such process, and elsewhere than on Linux.
pub fn look(process: u32) -> Option<Look> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name comes second, in parentheses, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number)?.parse::<u32>().ok();
    Some(Look {
        cpu: TICK * (ticks(11)? + ticks(12)?),
        ended: *fields.first()? == "Z",
    })
}

fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
