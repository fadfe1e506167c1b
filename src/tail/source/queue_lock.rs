//! Lock files that show which temporary queues are in use by runs on this machine.

use std::fs::File;
use std::path::PathBuf;

/// A locked file named after the queue. The operating system releases the lock when the process ends, even if it is
/// killed.
pub(crate) struct QueueLock {
    path: PathBuf,
    file: Option<File>,
}

impl QueueLock {
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("{name}.lock"))
    }

    /// Creates and locks the file. Errors are ignored, because the heartbeat tag is sufficient.
    pub(crate) fn acquire(name: &str) -> Self {
        let path = Self::path(name);
        let file = File::create_new(&path)
            .ok()
            .filter(|file| file.try_lock().is_ok());
        Self { path, file }
    }

    /// Returns whether a run on this machine uses the queue; `None` if the queue was not created on this machine.
    pub(crate) fn is_held(name: &str) -> Option<bool> {
        let path = Self::path(name);
        // Any user can create a named pipe with this name. Opening the pipe would block.
        if !path.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let file = File::open(&path).ok()?;
        let held = file.try_lock().is_err();
        if !held {
            let _ = std::fs::remove_file(path);
        }
        Some(held)
    }

    /// Deletes the file.
    pub(crate) fn release(self) {
        drop(self.file);
        let _ = std::fs::remove_file(self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::source::temporary_queue::generate_name;

    #[cfg(unix)]
    #[test]
    fn named_pipe_is_not_a_lock() {
        let name = generate_name("heeler_ec_test");
        let path = QueueLock::path(&name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        assert_eq!(QueueLock::is_held(&name), None);
        std::fs::remove_file(path).expect("the pipe");
    }

    #[test]
    fn lock_is_held_until_released() {
        let name = generate_name("heeler_ec_test");
        assert_eq!(QueueLock::is_held(&name), None);
        let lock = QueueLock::acquire(&name);
        assert_eq!(QueueLock::is_held(&name), Some(true));
        // A process that another test is starting may have inherited the file, so closing it would not be enough.
        lock.file
            .expect("a file")
            .unlock()
            .expect("an unlocked file");
        assert_eq!(QueueLock::is_held(&name), Some(false));
        assert_eq!(QueueLock::is_held(&name), None);
    }
}
