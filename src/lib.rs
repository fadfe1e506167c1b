//! Connects an AWS organization's `CloudTrail` to Heeler, and proves that events arrive.
//!
//! Each room knows only those below it: `cli` → `command` → { `pipeline`, `check`, `tail`, `converge`, `backup`, `render`,
//! `aws` }; `pipeline` → `resource` → { `aws`, `policy`, `converge` }; `check` → { `aws`, `permit`, `policy` };
//! `export` → { `resource`, `converge` }; `permit` → { `aws`, `names`, `policy`, `route` };
//! `tail` → `aws`; `alert` → { `severity`, `web` }; `aws` → `web`; `render` → the plain types of the others; `pattern` and `severity` know nobody. A test holds the code to it.

pub mod alert;
pub mod aws;
pub mod backup;
pub mod check;
pub mod cli;
pub mod cloudtrail;
pub mod command;
pub mod deployment;
pub mod error;
pub mod export;
pub mod filter_pattern;
pub mod hint;
pub mod http;
pub mod iam;
pub mod inventory;
pub mod naming;
pub mod option;
pub mod ownership;
pub mod permissions;
pub mod reconcile;
pub mod render;
pub mod resource;
pub mod sanitize;
pub mod secret;
pub mod severity;
pub mod tail;
