//! Starts the AWS emulators as child processes, which end with this process.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time after which an emulator that does not respond counts as failed.
const START_TIMEOUT: Duration = Duration::from_secs(180);
/// The time after which an emulator that does not end is killed.
const END_TIMEOUT: Duration = Duration::from_secs(180);
/// Attempts to start an emulator, because another process may take its port first.
const START_ATTEMPTS: usize = 3;

/// An emulator of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Checks signatures and IAM policies, and delivers from S3 through SNS to SQS.
    Ministack,
    /// Has more control plane operations, such as AWS Organizations and CloudTrail.
    Moto,
}

impl Engine {
    /// The name of the emulator's Python environment and of its requirements file.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Ministack => "ministack",
            Engine::Moto => "moto",
        }
    }

    /// The path that responds with status 200 when the emulator is ready.
    fn ready_path(self) -> &'static str {
        match self {
            Engine::Ministack => "/_ministack/ready",
            Engine::Moto => "/moto-api/data.json",
        }
    }

    /// The Python interpreter of the emulator's environment.
    pub fn interpreter(self) -> PathBuf {
        interpreter(self.name())
    }
}

/// A running emulator; dropping this value ends it.
#[derive(Debug)]
pub struct Emulator {
    engine: Engine,
    address: SocketAddr,
    child: Child,
}

impl Emulator {
    /// The emulator of this kind that the whole process shares.
    ///
    /// It ends with the process, because that closes its standard input.
    pub fn shared(engine: Engine) -> &'static Emulator {
        static MINISTACK: OnceLock<Emulator> = OnceLock::new();
        static MOTO: OnceLock<Emulator> = OnceLock::new();
        let cell = match engine {
            Engine::Ministack => &MINISTACK,
            Engine::Moto => &MOTO,
        };
        cell.get_or_init(|| Emulator::own(engine))
    }

    /// Starts another emulator and waits until it is ready.
    pub fn own(engine: Engine) -> Emulator {
        let mut last = String::new();
        for _ in 0..START_ATTEMPTS {
            match Emulator::start(engine) {
                Ok(emulator) => return emulator,
                Err(error) => last = error,
            }
        }
        panic!("the {} emulator failed to start: {last}", engine.name());
    }

    fn start(engine: Engine) -> Result<Emulator, String> {
        let mut log = tempfile::tempfile().map_err(|error| error.to_string())?;
        let output = |log: &File| log.try_clone().map_err(|error| error.to_string());
        let address = free_address();
        let mut command = Command::new(engine.interpreter());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // Ctrl-C must reach only the program under test, which still needs the emulator to clean up.
            command.process_group(0);
        }
        let child = command
            .arg(repository().join("tests/testkit/emulators/run.py"))
            .arg(engine.name())
            .arg(address.port().to_string())
            .stdin(Stdio::piped())
            .stdout(output(&log)?)
            .stderr(output(&log)?)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut emulator = Emulator {
            engine,
            address,
            child,
        };
        let started = Instant::now();
        while !emulator.is_ready() {
            let ended = matches!(emulator.child.try_wait(), Ok(Some(_)));
            if ended || started.elapsed() > START_TIMEOUT {
                return Err(log_text(&mut log));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(emulator)
    }

    /// The kind of emulator.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The address that the emulator listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the emulator, without a proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns true if the emulator responds to requests.
    pub fn is_ready(&self) -> bool {
        get_status(self.address, self.engine.ready_path()).is_ok_and(|status| status == 200)
    }

    /// Closes the emulator's standard input and waits until its process has ended. Returns false if it had to be killed.
    pub fn end(&mut self) -> bool {
        drop(self.child.stdin.take());
        let started = Instant::now();
        let mut ended_itself = true;
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > END_TIMEOUT {
                ended_itself = false;
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        ended_itself
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

/// The Python interpreter of an environment that `make emulators` creates.
pub fn interpreter(environment: &str) -> PathBuf {
    let path = repository().join(format!(".venv/{environment}/bin/python"));
    assert!(
        path.exists(),
        "the Python environment {environment} is missing: run `make emulators`"
    );
    path
}

/// The root folder of the repository.
pub fn repository() -> &'static Path {
    let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
    testkit
        .ancestors()
        .nth(2)
        .expect("the repository above tests/testkit")
}

fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port on loopback")
}

/// Sends a GET request and returns the status.
fn get_status(address: SocketAddr, path: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    String::from_utf8_lossy(&answer)
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| std::io::Error::other("no status line"))
}

fn log_text(log: &mut File) -> String {
    use std::io::Seek;
    let mut text = String::new();
    let read = log.rewind().and_then(|()| log.read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text,
        _ => "its log is empty".to_owned(),
    }
}
