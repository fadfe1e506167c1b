#![no_main]

#[path = "../src/holds.rs"]
#[allow(dead_code, reason = "each target holds one kind of input to it")]
mod holds;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holds::message(bytes));
