//! Changes that a command makes before its own prompt, such as `setup --fix-retention`.

use std::sync::OnceLock;

#[derive(Debug, Default)]
pub(crate) struct WriteLog {
    first: OnceLock<String>,
}

impl WriteLog {
    /// Records a change. Later messages then no longer claim that nothing has changed.
    pub fn record(&self, change: String) {
        // The first change is enough.
        let _ = self.first.set(change);
    }

    /// Returns true if a change was recorded.
    pub fn has_changes(&self) -> bool {
        self.first.get().is_some()
    }

    /// Describes the recorded change as an exception; empty if there was none.
    pub fn exception(&self) -> String {
        self.first
            .get()
            .map_or_else(String::new, |change| format!(", except that {change}"))
    }

    /// Describes the changes so far when a command ends before its own.
    pub fn unchanged_notice(&self) -> &'static str {
        if self.has_changes() {
            "no other changes were made"
        } else {
            "no changes were made"
        }
    }
}
