//! PgBouncer in front of a server, on a port of its own.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::pg::Server;
use super::repository;

/// A pooler that runs until the value is dropped.
pub(crate) struct Pooler {
    pub(crate) port: u16,
    process: Child,
    folder: tempfile::TempDir,
}

impl Pooler {
    /// Starts one in front of a server, with every database of it; `settings` are lines of its configuration.
    pub(crate) fn start(server: &Server, mode: &str, pool_size: usize, settings: &str) -> Self {
        let found = Command::new(repository().join("scripts/pgbouncer")).stderr(Stdio::inherit()).output();
        let found = found.expect("scripts/pgbouncer runs");
        assert!(found.status.success(), "PgBouncer is needed: see scripts/pgbouncer");
        let program = String::from_utf8(found.stdout).expect("UTF-8");
        let (host, server_port) = server.address();
        // free now; whoever takes it first makes the start fail loudly
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
        let configuration = folder.path().join("pgbouncer.ini");
        let mut file = fs::File::create(&configuration).expect("the folder is ours");
        write!(
            file,
            "[databases]\n* = host={host} port={server_port} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\ndefault_pool_size = {pool_size}\nmax_client_conn = 100\n\
             logfile = {}\n{settings}\n",
            folder.path().join("log").display()
        )
        .expect("the file can be written");
        let mut command = Command::new(program.trim());
        // it does not run as root
        if rustix::process::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        let process = command.arg("-q").arg(&configuration).stdin(Stdio::null()).spawn().expect("PgBouncer runs");
        let pooler = Self { port, process, folder };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return pooler;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PgBouncer did not start:\n{}", pooler.log());
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
