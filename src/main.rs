//! The `db` program: parse, run, exit.

fn main() -> std::process::ExitCode {
    pgproof::cli::main()
}
