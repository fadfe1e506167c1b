#![no_main]

#[path = "../src/policy_properties.rs"]
mod policy_properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_properties::check_policy(bytes));
