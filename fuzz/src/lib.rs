//! The modules of heeler-ec that read untrusted bytes, compiled without the rest of the program.

#[path = "../../src/cloudtrail/mod.rs"]
pub mod cloudtrail;
#[path = "../../src/iam/mod.rs"]
pub mod iam;
#[path = "../../src/sanitize.rs"]
pub mod sanitize;
