//! Tests of the test kit itself.

mod awscli;
mod emulator;
mod organization;
mod program;
mod proxy;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use testkit::Engine;

const ENGINES: [Engine; 2] = [Engine::Ministack, Engine::Moto];

/// The error code of a failed call.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> Option<String> {
    result
        .err()
        .and_then(|error| error.code().map(str::to_owned))
}
