//! The `db` program: parse, run, exit.

fn main() -> std::process::ExitCode {
    // a core file would hold passwords and keys; where the limit cannot be set it was stricter already
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    pgproof::cli::main()
}
