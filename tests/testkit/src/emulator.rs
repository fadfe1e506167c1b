//! Starts the AWS emulators as child processes that cannot outlive this one.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long an emulator may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a start is tried when another process took the port first.
const STARTS: usize = 3;

/// Which emulator stands in for AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Checks signatures and policies, and delivers from S3 through SNS to SQS.
    Ministack,
    /// Has the wider control plane: organizations, service access, trails.
    Moto,
}

impl Engine {
    /// The name of the engine's environment and requirement file.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Ministack => "ministack",
            Engine::Moto => "moto",
        }
    }

    /// The path that answers with success once the engine is up.
    fn ready_path(self) -> &'static str {
        match self {
            Engine::Ministack => "/_ministack/ready",
            Engine::Moto => "/moto-api/data.json",
        }
    }

    /// The Python interpreter that has the engine installed.
    pub fn interpreter(self) -> PathBuf {
        interpreter(self.name())
    }
}

/// A running emulator; it ends when this value is dropped.
#[derive(Debug)]
pub struct Emulator {
    engine: Engine,
    address: SocketAddr,
    child: Child,
}

impl Emulator {
    /// The one emulator of this kind that the whole process shares.
    ///
    /// It ends with the process, because its standard input then ends.
    pub fn shared(engine: Engine) -> &'static Emulator {
        static MINISTACK: OnceLock<Emulator> = OnceLock::new();
        static MOTO: OnceLock<Emulator> = OnceLock::new();
        let cell = match engine {
            Engine::Ministack => &MINISTACK,
            Engine::Moto => &MOTO,
        };
        cell.get_or_init(|| Emulator::own(engine))
    }

    /// Starts an emulator of the caller's own and waits until it answers.
    pub fn own(engine: Engine) -> Emulator {
        let mut last = String::new();
        for _ in 0..STARTS {
            match Emulator::start(engine) {
                Ok(emulator) => return emulator,
                Err(why) => last = why,
            }
        }
        panic!("the {} emulator does not start: {last}", engine.name());
    }

    fn start(engine: Engine) -> Result<Emulator, String> {
        let mut log = tempfile::tempfile().map_err(|error| error.to_string())?;
        let output = |log: &File| log.try_clone().map_err(|error| error.to_string());
        let address = free_address();
        let mut command = Command::new(engine.interpreter());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // Ctrl-C is for the program under test, which still has to clean up.
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
        while !emulator.answers() {
            let ended = matches!(emulator.child.try_wait(), Ok(Some(_)));
            if ended || started.elapsed() > PATIENCE {
                return Err(said(&mut log));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(emulator)
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Where the emulator listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The emulator's own URL, with no proxy before it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether the emulator answers requests.
    pub fn answers(&self) -> bool {
        get(self.address, self.engine.ready_path()).is_ok_and(|status| status == 200)
    }

    /// Closes the emulator's standard input and waits until the process is gone.
    pub fn end(&mut self) {
        drop(self.child.stdin.take());
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > Duration::from_secs(10) {
                // It has had its chance to end by itself.
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

/// The Python interpreter of one of the environments that the Makefile makes.
pub fn interpreter(environment: &str) -> PathBuf {
    let path = repository().join(format!(".venv/{environment}/bin/python"));
    assert!(
        path.exists(),
        "{environment} is not installed: run `make emulators`"
    );
    path
}

/// The root of the repository.
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

/// The status of a plain GET.
fn get(address: SocketAddr, path: &str) -> std::io::Result<u16> {
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

fn said(log: &mut File) -> String {
    use std::io::Seek;
    let mut text = String::new();
    let read = log.rewind().and_then(|()| log.read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text,
        _ => "it said nothing".to_owned(),
    }
}
