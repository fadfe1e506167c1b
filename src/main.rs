//! The executable.

fn main() -> std::process::ExitCode {
    heeler_ec::command::main()
}
