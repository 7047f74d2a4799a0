//! A session of psql that stays open, so that a statement can wait while the test does something else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pg::Database;

/// Ends each answer. No row of a test looks like it.
const MARK: &str = "~~end~~";

/// What no statement of a test's own set-up may take.
const LIMIT: Duration = Duration::from_secs(60);

/// One session on a server.
pub(super) struct Session {
    /// Its server process.
    pub(super) pid: i32,
    input: ChildStdin,
    lines: Receiver<(Instant, String)>,
    rows: Vec<String>,
    begun: Instant,
}

/// What came back of one call.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The lines that psql printed.
    pub(super) rows: Vec<String>,
    /// The SQLSTATE of the last statement that failed, or 00000.
    pub(super) sqlstate: String,
    /// When it was sent and when it was done.
    pub(super) begun: Instant,
    pub(super) ended: Instant,
}

impl Answer {
    /// For how long it ran after `moment`.
    pub(super) fn after(&self, moment: Instant) -> Duration {
        self.ended.saturating_duration_since(self.begun.max(moment))
    }
}

impl Session {
    pub(super) fn open(database: &Database) -> Self {
        let mut command = database.server.command("psql", &["-XAtq", "-d", &database.url()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("psql can be run");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
            // it ends with its input, or when its server process is gone
            drop(child.wait());
        });
        let mut session = Self { pid: 0, input, lines, rows: Vec::new(), begun: Instant::now() };
        session.pid = session.run("select pg_backend_pid()").first().expect("a row").parse().expect("a number");
        session
    }

    /// Sends statements and does not wait.
    pub(super) fn begin(&mut self, sql: &str) {
        self.begun = Instant::now();
        let call = format!("\\set LAST_ERROR_SQLSTATE 00000\n{sql};\n\\echo '{MARK}' :LAST_ERROR_SQLSTATE\n");
        // a session that was ended shows when its answer does not come
        drop(self.input.write_all(call.as_bytes()));
    }

    /// What came back of what was begun; `None` when it has not ended by then.
    pub(super) fn answer(&mut self, limit: Duration) -> Option<Answer> {
        let end = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((ended, line)) => match line.strip_prefix(MARK) {
                    Some(sqlstate) => {
                        return Some(Answer {
                            rows: std::mem::take(&mut self.rows),
                            sqlstate: sqlstate.trim().to_owned(),
                            begun: self.begun,
                            ended,
                        });
                    }
                    None => self.rows.push(line),
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Runs statements that must succeed.
    #[track_caller]
    pub(super) fn run(&mut self, sql: &str) -> Vec<String> {
        self.begin(sql);
        let answer = self.answer(LIMIT).unwrap_or_else(|| panic!("no answer to: {sql}"));
        assert_eq!(answer.sqlstate, "00000", "{sql}");
        answer.rows
    }
}
