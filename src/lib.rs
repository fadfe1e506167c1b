//! Sets up Heeler event collection for an AWS organization's `CloudTrail`.
//!
//! `docs/architecture.md` describes the modules and the direction of their dependencies. A test enforces it.

pub mod alert;
pub mod aws;
pub mod backup;
pub mod check;
pub mod check_id;
pub mod cli;
pub mod cloudtrail;
pub mod command;
pub mod cost;
pub mod coverage;
pub mod dead_letter;
pub mod deployment;
pub mod error;
pub mod export;
pub mod filter_pattern;
pub mod hint;
pub mod hop;
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
pub mod shared_document;
pub mod support;
pub mod tail;
pub mod verify;
