#![no_main]

#[path = "../src/properties.rs"]
#[allow(dead_code, reason = "each target checks one kind of input")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::check_message(bytes));
