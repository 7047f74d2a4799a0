//! A PostgreSQL cluster of our own, made from programs that are installed here: for one drill, in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};

use crate::error::{Error, ErrorKind, Result};
use crate::server::{Connection, Options, Spec};

/// Every folder of a drill begins like this; nothing else does.
const PREFIX: &str = "pgproof-drill-";
/// Who made the folder: its process id. A folder without it is not touched.
const MARKER: &str = "pgproof-drill";
/// How long the server may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// How long it may take to stop before it is killed.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Programs of one PostgreSQL version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
    /// The first number of the version.
    pub(super) major: u32,
    /// What the server says of itself.
    pub(super) version: String,
}

/// Finds the programs that fit: the source's major when it is there, else the next newer one, else the newest.
///
/// Looks at `wanted` alone when it is given; otherwise at PATH and where packages put them.
pub(super) fn find(wanted: Option<&Path>, source_major: u32) -> Result<Programs> {
    let folders = match wanted {
        Some(folder) => vec![folder.to_owned()],
        None => candidates(),
    };
    let mut found: Vec<Programs> = folders.iter().filter_map(|folder| programs(folder)).collect();
    found.sort_by_key(|programs| programs.major);
    let newest = found.last().cloned();
    found.into_iter().find(|programs| programs.major >= source_major).or(newest).ok_or_else(|| {
        let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        Error::new(ErrorKind::Config, "no PostgreSQL programs were found")
            .detail(format!("initdb and postgres are in none of {}", places.join(", ")))
            .hint("Install PostgreSQL's server package, name its programs' folder with --bindir, or drill on a server with --on URL.")
    })
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for base in ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/postgresql"] {
        let Ok(entries) = fs::read_dir(base) else { continue };
        folders.extend(entries.flatten().map(|entry| entry.path().join("bin")));
    }
    // Red Hat's packages, and what "make install" does
    if let Ok(entries) = fs::read_dir("/usr") {
        let is_ours = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("pgsql-"));
        folders.extend(entries.flatten().filter(|e| is_ours(&e.file_name())).map(|entry| entry.path().join("bin")));
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    folders
}

fn programs(folder: &Path) -> Option<Programs> {
    let postgres = folder.join("postgres");
    if !folder.join("initdb").is_file() || !postgres.is_file() {
        return None;
    }
    let output = Command::new(postgres).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    let version = text.split_whitespace().nth(2)?.to_owned();
    let major = version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()?;
    Some(Programs { folder: folder.to_owned(), major, version })
}

/// The user that the server runs as: PostgreSQL refuses to be root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

fn other_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"].iter().find_map(|name| account(&accounts, name)).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Config, "no user to run PostgreSQL as")
            .detail("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
            .hint("Run the drill as an ordinary user.")
    })
}

/// A user in the text of `/etc/passwd`.
fn account(accounts: &str, name: &str) -> Option<User> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(User { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// A running cluster. Dropping it stops the server and removes the folder.
pub(super) struct Cluster {
    folder: PathBuf,
    /// initdb, then the server.
    process: Option<Child>,
    programs: Programs,
}

impl Cluster {
    /// Makes a cluster below `base` and starts its server, which listens on a socket in the cluster's folder only.
    ///
    /// Dropping the future removes what there is of it.
    pub(super) async fn start(programs: Programs, base: &Path) -> Result<Self> {
        let user = other_user()?;
        let folder = base.join(format!("{PREFIX}{:08x}", rand::random::<u32>()));
        let failed = |what: &str, error: std::io::Error| {
            Error::new(ErrorKind::Disk, format!("could not {what} \"{}\"", folder.display())).caused_by(error)
        };
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| failed("make the folder", error))?;
        // from here on the folder is removed whatever happens
        let mut cluster = Self { folder: folder.clone(), process: None, programs };
        let marker = format!("{}\n", std::process::id());
        fs::write(folder.join(MARKER), marker).map_err(|error| failed("write into", error))?;
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid)).map_err(|error| failed("give away", error))?;
        }
        let data = folder.join("data");
        let log = |mode: &mut fs::OpenOptions| mode.create(true).open(folder.join("log"));
        let output = log(fs::OpenOptions::new().append(true)).map_err(|error| failed("write into", error))?;
        let mut initdb = cluster.command("initdb", user);
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.stdout(Stdio::null()).stderr(output);
        cluster.process = Some(initdb.spawn().map_err(|error| failed("run initdb for", error))?);
        let status = loop {
            match cluster.ended() {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        cluster.process = None;
        if !status.success() {
            return Err(Error::new(ErrorKind::Config, "could not make a scratch cluster")
                .detail(format!("initdb ended with {status}; {}", cluster.log())));
        }
        cluster.configure().map_err(|error| failed("configure", error))?;
        let output = log(fs::OpenOptions::new().append(true)).map_err(|error| failed("write into", error))?;
        let mut postgres = cluster.command("postgres", user);
        postgres.arg("-D").arg(&data).stdout(Stdio::null()).stderr(output);
        cluster.process = Some(postgres.spawn().map_err(|error| failed("start a server in", error))?);
        cluster.wait().await?;
        Ok(cluster)
    }

    fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.process.as_mut().and_then(|process| process.try_wait().ok().flatten())
    }

    /// The last that initdb or the server said.
    fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&log))
    }

    /// Settings for a cluster that nobody needs tomorrow.
    fn configure(&self) -> std::io::Result<()> {
        let path = self.folder.join("data/postgresql.conf");
        let mut file = fs::OpenOptions::new().append(true).open(path)?;
        let socket = self.folder.display().to_string().replace('\'', "''");
        write!(
            file,
            "\nlisten_addresses = ''\nunix_socket_directories = '{socket}'\nunix_socket_permissions = 0700\nport = 5432\n\
             fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nwal_level = minimal\nmax_wal_senders = 0\n\
             max_wal_size = 4GB\nshared_buffers = 128MB\nmaintenance_work_mem = 128MB\nmax_connections = 60\n\
             max_locks_per_transaction = 1024\nlogging_collector = off\n"
        )
    }

    fn command(&self, program: &str, user: Option<User>) -> Command {
        let mut command = Command::new(self.programs.folder.join(program));
        command.stdin(Stdio::null()).current_dir("/").env("LC_ALL", "C");
        // the caller's connection settings and secrets are none of this server's business
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PG") || name.starts_with("AWS_")) {
                command.env_remove(name);
            }
        }
        if let Some(user) = user {
            command.uid(user.uid).gid(user.gid);
        }
        // its own group: a Ctrl-C at the terminal is ours to act on, and what it started ends with it
        command.process_group(0);
        command
    }

    /// Waits until the server takes connections.
    async fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return Err(self.failed_to_start(&format!("it ended with {status}")));
            }
            let options = self.options("postgres")?;
            match Connection::connect(&options).await {
                Ok(connection) => {
                    connection.close().await;
                    return Ok(());
                }
                Err(error) if begun.elapsed() > START_MAX => {
                    return Err(self.failed_to_start(error.message()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn failed_to_start(&self, problem: &str) -> Error {
        Error::new(ErrorKind::Config, "could not start a scratch server").detail(format!("{problem}; {}", self.log()))
    }

    /// How to reach a database of the cluster.
    pub(super) fn options(&self, database: &str) -> Result<Options> {
        let spec = Spec {
            host: Some(self.folder.display().to_string()),
            port: Some("5432".to_owned()),
            user: Some("postgres".to_owned()),
            application_name: Some("pgproof drill".to_owned()),
            ..Spec::default()
        };
        // nothing of the caller's environment or password file leads here
        let mut options = spec.resolve(&|_| None)?;
        options.database = database.to_owned();
        Ok(options)
    }

    /// What the server says of itself.
    pub(super) fn version(&self) -> &str {
        &self.programs.version
    }

    /// Leaves the server running and says how to reach and to stop it.
    pub(super) fn leave(mut self) -> String {
        let folder = std::mem::take(&mut self.folder);
        // without its marker no later drill sweeps it
        drop(fs::remove_file(folder.join(MARKER)));
        let pid = self.process.take().map_or(0, |server| server.id());
        format!("socket in \"{}\", stop it with: kill {pid}", folder.display())
    }

    /// Stops the server and removes everything.
    pub(super) fn remove(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            stop(&mut process);
        }
        if self.folder.as_os_str().is_empty() { Ok(()) } else { remove_folder(&self.folder) }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // a failure leaves a folder with our marker, which the next drill sweeps
        drop(self.remove());
    }
}

fn stop(process: &mut Child) {
    let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    // immediate shutdown: nothing in there is needed again. It may have ended by itself
    if let Some(leader) = group {
        let _ = kill_process(leader, Signal::QUIT);
    }
    let begun = Instant::now();
    while begun.elapsed() < STOP_MAX {
        match process.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Ok(Some(_)) | Err(_) => break,
        }
    }
    // whatever is left of it: a bootstrap process of initdb, a server that hangs
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    drop(process.wait());
}

fn remove_folder(folder: &Path) -> Result<()> {
    let mut removed = fs::remove_dir_all(folder);
    // a process that was just killed may have written a last file
    for _ in 0..10 {
        if removed.is_ok() || !folder.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        removed = fs::remove_dir_all(folder);
    }
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::Disk, format!("could not remove \"{}\"", folder.display())).caused_by(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The end of a log, in one line.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join("; ")
}

/// Removes clusters below `base` whose drill died; says which. Only folders with our marker are touched, and only when the
/// process that made them is gone.
pub(super) fn sweep(base: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(base) else { return Vec::new() };
    let mut swept = Vec::new();
    for entry in entries.flatten() {
        let folder = entry.path();
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let Some(owner) = fs::read_to_string(folder.join(MARKER)).ok().filter(|_| named) else { continue };
        if owner.trim().parse::<u32>().map_or(true, is_alive_drill) {
            continue;
        }
        stop_stray(&folder);
        if remove_folder(&folder).is_ok() {
            swept.push(folder.display().to_string());
        }
    }
    swept
}

/// Whether this process lives and is our program; numbers are used again.
fn is_alive_drill(pid: u32) -> bool {
    let exe = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
    match (exe(&pid.to_string()), exe("self")) {
        (Some(other), Some(own)) => other.file_name() == own.file_name(),
        (None, Some(_)) => false,
        // no /proc: the folder is left alone
        (_, None) => true,
    }
}

/// Ends the server that a dead drill left running in this folder.
fn stop_stray(folder: &Path) {
    let data = folder.join("data");
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return };
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok()) else { return };
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let data_bytes = std::os::unix::ffi::OsStrExt::as_bytes(data.as_os_str());
    // the number may be another process's by now
    if memchr::memmem::find(&command, data_bytes).is_none() {
        return;
    }
    let Some(process) = Pid::from_raw(pid) else { return };
    let _ = kill_process(process, Signal::QUIT); // it may have ended by itself
    let begun = Instant::now();
    while begun.elapsed() < STOP_MAX && fs::metadata(format!("/proc/{pid}")).is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_in_the_accounts() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres:x:103:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(account(accounts, "postgres"), Some(User { uid: 103, gid: 104 }));
        assert_eq!(account(accounts, "nobody"), None);
    }

    #[test]
    fn a_folder_without_programs_is_a_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(Some(folder.path()), 15).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.detail_text().is_some_and(|detail| detail.contains(&folder.path().display().to_string())));
    }

    #[test]
    fn sweeps_only_what_a_dead_drill_left() {
        let base = tempfile::tempdir().unwrap();
        let make = |name: &str, owner: Option<&str>| {
            let folder = base.path().join(name);
            fs::create_dir(&folder).unwrap();
            if let Some(owner) = owner {
                fs::write(folder.join(MARKER), owner).unwrap();
            }
            folder
        };
        // no process has this number: Linux's largest is 2^22
        let dead = make("pgproof-drill-00000001", Some("4194305\n"));
        let alive = make("pgproof-drill-00000002", Some(&std::process::id().to_string()));
        let garbled = make("pgproof-drill-00000003", Some("x"));
        let unmarked = make("pgproof-drill-00000004", None);
        let foreign = make("postgres", Some("4194305\n"));
        assert_eq!(sweep(base.path()), [dead.display().to_string()]);
        assert!(!dead.exists());
        for folder in [alive, garbled, unmarked, foreign] {
            assert!(folder.exists(), "{}", folder.display());
        }
    }
}
