//! What the program does, seen from outside.

mod adopt;
mod backup;
mod bad_input;
mod bad_luck;
mod cloudwatch_makes;
mod collect;
mod destroy;
mod documents;
mod drift;
mod foreign;
mod function;
mod generated;
mod command_permissions;
mod vendor_terraform;





mod kill;
mod layers;
mod merge;
mod pattern;
mod permissions;
mod policy;
mod preflight;
mod preflight_wire;
mod race;
mod records;
mod rotation;
mod setup_cloudwatch;
mod setup_makes;
mod setup_s3;
mod severity;
mod states;
mod steps;
mod switching;
mod tail;
mod tail_alerts;
mod tail_cloudwatch;
mod tail_files;
mod tail_sources;
mod terminal;
mod terraform;
mod undo;
mod var_file;
