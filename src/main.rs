//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    heeler_ec::command::main()
}
