//! Reads CloudTrail events from a source, filters and formats them.
//!
//! `source` reads from AWS or from files and produces `Arrival`s. `formatter` applies the `filter` to each record and
//! formats it; `worker_pool` does this for several local files in parallel. `dedup` recognises repeated deliveries, and
//! `stats` counts the result of every message, object and record.

pub mod account_names;
pub mod arrival;
pub mod dedup;
pub mod delivery_delay;
pub mod filter;
pub mod formatter;
pub mod retry;
pub mod source;
pub mod stats;
pub mod worker_pool;
