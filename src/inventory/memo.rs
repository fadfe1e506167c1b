//! Asks once what several trails have in common.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Answers by what was asked about; whoever asks for the same meanwhile waits for the one answer.
pub(crate) struct Memo<T>(Mutex<BTreeMap<String, Arc<OnceCell<T>>>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Memo<T> {
    pub async fn get_or_fetch(&self, what: String, ask: impl Future<Output = T>) -> T {
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(what).or_default())
        };
        cell.get_or_init(|| ask).await.clone()
    }
}
