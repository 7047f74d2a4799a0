//! The `db` program as a user runs it.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One call of the program, in an environment that holds nothing of the caller's.
pub(crate) struct Db {
    command: Command,
    shown: Vec<String>,
    /// HOME, so that no `.pgpass` or AWS profile of the person who runs the tests counts.
    _home: tempfile::TempDir,
}

/// What a call did.
#[derive(Debug)]
pub(crate) struct Run {
    shown: Vec<String>,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// What a call took of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// The most that was resident, in bytes.
    pub(crate) memory: u64,
    /// Time of processors: others on the machine do not count.
    pub(crate) processor: Duration,
}

/// A call that runs while the test does something else.
pub(crate) struct Running {
    process: u32,
    end: Receiver<Run>,
    ended: Option<Run>,
}

/// Begins a call: `db(["list", "--store", path])`.
pub(crate) fn db<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Db {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_db"));
    let mut shown = Vec::new();
    for arg in args {
        shown.push(arg.as_ref().to_string_lossy().into_owned());
        command.arg(arg);
    }
    command.env_clear().env("HOME", home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("RUST_BACKTRACE", "1").current_dir(home.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Db { command, shown, _home: home }
}

impl Db {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs(mut self, variables: &[(&'static str, String)]) -> Self {
        self.command.envs(variables.iter().map(|(name, value)| (*name, value)));
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(arg.as_ref().to_string_lossy().into_owned());
        self.command.arg(arg);
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Run {
        let begun = Instant::now();
        let output = self.command.output().expect("db can be run");
        Run {
            shown: self.shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: begun.elapsed(),
        }
    }

    /// Runs the program to its end and watches what it takes.
    pub(crate) fn run_watched(mut self) -> (Run, Taken) {
        fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
            let mut pipe = pipe.expect("it is piped");
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                drop(pipe.read_to_end(&mut bytes));
                String::from_utf8_lossy(&bytes).into_owned()
            })
        }
        let begun = Instant::now();
        let mut child = self.command.spawn().expect("db can be run");
        let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
        let (status, times) = (format!("/proc/{}/status", child.id()), format!("/proc/{}/stat", child.id()));
        let mut taken = Taken::default();
        let ended = loop {
            if let Ok(text) = std::fs::read_to_string(&status)
                && let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))
            {
                taken.memory = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024;
            }
            if let Ok(text) = std::fs::read_to_string(&times)
                && let Some((_, fields)) = text.rsplit_once(") ")
            {
                // user and system time in hundredths of a second
                let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
                taken.processor = Duration::from_millis(ticks.sum::<u64>() * 10);
            }
            if let Some(ended) = child.try_wait().expect("a child") {
                break ended;
            }
            std::thread::sleep(Duration::from_millis(3));
        };
        let took = begun.elapsed();
        let text = |reading: JoinHandle<String>| reading.join().expect("a thread that reads");
        (Run { shown: self.shown, code: ended.code(), stdout: text(stdout), stderr: text(stderr), took }, taken)
    }

    /// Starts the program; what it prints is kept.
    pub(crate) fn start(mut self) -> Running {
        let begun = Instant::now();
        let child = self.command.spawn().expect("db can be run");
        let (process, (sender, end)) = (child.id(), channel());
        thread::spawn(move || {
            let output = child.wait_with_output().expect("db can be waited for");
            // nobody receives where the test has failed already
            let _ = sender.send(Run {
                shown: self.shown,
                code: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                took: begun.elapsed(),
            });
        });
        Running { process, end, ended: None }
    }

    /// Starts the program with its output thrown away, for tests that end it by a signal.
    pub(crate) fn spawn(mut self) -> Child {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.spawn().expect("db can be run")
    }
}

impl Running {
    /// Whether it has come to its end.
    pub(crate) fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.end.try_recv().ok();
        }
        self.ended.is_some()
    }

    /// What it did. One that has not ended by then is killed, which shows as a call without a code.
    pub(crate) fn end_within(mut self, limit: Duration) -> Run {
        let ended = self.ended.take().or_else(|| self.end.recv_timeout(limit).ok());
        ended.unwrap_or_else(|| {
            drop(Command::new("kill").args(["-s", "KILL", &self.process.to_string()]).status());
            self.end.recv().expect("a killed process ends")
        })
    }
}

impl Drop for Running {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        if self.ended.is_none() && self.end.try_recv().is_err() {
            drop(Command::new("kill").args(["-s", "KILL", &self.process.to_string()]).stderr(Stdio::null()).status());
        }
    }
}

impl Run {
    /// The call and all that it printed, as a terminal would show it.
    pub(crate) fn transcript(&self) -> String {
        let code = self.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        format!("$ db {}\n{}{}[exit {code}]\n", self.shown.join(" "), self.stdout, self.stderr)
    }

    /// Fails the test unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit {code}, got:\n{}", self.transcript());
        self
    }

    /// Fails the test unless the program succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.expect_code(0)
    }
}
