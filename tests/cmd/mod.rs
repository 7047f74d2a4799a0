//! What the program prints and how it ends, word for word, in `tests/cmd/*.toml`.
//!
//! `PGPROOF_BLESS=1 scripts/test cmd::` writes the files anew from what the program does; the difference is then read in review.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use regex::Regex;

use crate::support::bin::db;
use crate::support::pg::{self, Database};
use crate::support::store::Bucket;
use crate::support::{repository, unique_name};

/// A file of calls.
#[derive(serde::Deserialize)]
struct Transcript {
    case: Vec<Case>,
}

/// One call: what is made before it, the call, and what must come of it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    /// Statements run as superuser in the case's own database.
    sql: Option<String>,
    /// Statements of a session that stays open during the call.
    hold: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Calls that must succeed before.
    #[serde(default)]
    before: Vec<Vec<String>>,
    args: Vec<String>,
    code: i32,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

/// What a case stands on. `$URL`, `$DATABASE`, `$HOST`, `$PORT`, `$ROLE`, `$DIR`, `$BUCKET` in its text mean these.
struct Ground {
    database: Option<Database>,
    bucket: Option<Bucket>,
    folder: tempfile::TempDir,
    role: String,
}

impl Ground {
    fn new(case: &Case) -> Self {
        let text = format!("{:?}{:?}{:?}{:?}", case.args, case.env, case.files, case.sql);
        let needs_server = case.sql.is_some() || ["$URL", "$DATABASE", "$PORT"].iter().any(|name| text.contains(name));
        Self {
            database: needs_server.then(|| pg::any_server().database()),
            bucket: text.contains("$BUCKET").then(Bucket::new),
            folder: tempfile::tempdir().unwrap(),
            role: unique_name("r_"),
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = vec![("$DIR", self.folder.path().to_str().unwrap().to_owned()), ("$ROLE", self.role.clone())];
        if let Some(database) = &self.database {
            let (host, port) = database.server.address();
            values.push(("$URL", database.url()));
            values.push(("$DATABASE", database.name.clone()));
            values.push(("$HOST", host));
            values.push(("$PORT", port.to_string()));
        }
        if let Some(bucket) = &self.bucket {
            values.push(("$BUCKET", bucket.name.clone()));
            values.push(("$ENDPOINT", bucket.endpoint.clone()));
        }
        values
    }

    fn fill(&self, text: &str) -> String {
        self.values().iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// The reverse, and whatever else differs from run to run.
    fn hide(&self, text: &str) -> String {
        let text = self.values().iter().fold(text.to_owned(), |text, (name, value)| text.replace(value.as_str(), name));
        let patterns = [
            (r"\d{8}T\d{6}Z(-\d+)?\.json", "[TIME].json"),
            (r"\d{8}T\d{6}Z-[a-z0-9]{4}", "[ID]"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|[+-]\d\d(:?\d\d)?)?", "[TIME]"),
            (r"\b(\d+ (d|h|min) )*\d+(\.\d+)? (d|h|min|s)\b", "[DURATION]"),
            (r"\b\d+(\.\d+)? ?(ms|s)\b", "[DURATION]"),
            (r"request tx[0-9a-z-]+", "request [REQUEST]"),
            (r#""run": "[0-9a-f]{16}""#, "\"run\": \"[RUN]\""),
            (r"\b[\d,]+(\.\d+)? ?(B|kB|MB|GB|KiB|MiB|GiB|bytes)(/s)?\b", "[SIZE]"),
            (r"\b[0-9a-f]{32,64}\b", "[DIGEST]"),
            (r"\b1[3-9]\.\d+( \(Debian [^)]*\))?", "[VERSION]"),
            (r"\bpid \d+|\bprocess \d+", "[PROCESS]"),
            (r"\b[0-9A-F]+/[0-9A-F]{5,}\b", "[LSN]"),
            // said of a phase that takes seconds: here only where the machine is busy
            (r"(?m)^[a-z ]+: done in \[DURATION\](, .*)?\n", ""),
            // a column is as wide as what was hidden in it
            (r"BACKUP {2,}AGE", "BACKUP  AGE"),
            (r"\[DURATION\] {2,}", "[DURATION]  "),
        ];
        patterns
            .iter()
            .fold(text, |text, (pattern, name)| Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            let (server, role) = (database.server.clone(), &self.role);
            drop(database);
            drop(
                server.run(
                    "psql",
                    &["-XAtq", "-d", &server.url("postgres"), "-c", &format!("drop role if exists {role}")],
                ),
            );
        }
    }
}

/// A session that holds its locks until it is dropped.
struct Held(Child);

impl Held {
    fn begin(database: &Database, statements: &str) -> Self {
        let major = database.server.major.to_string();
        let mut psql = Command::new(repository().join("scripts/pg"))
            .args(["run", &major, "psql", "-XAtq", "-d", &database.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(psql.stdin.as_mut().unwrap(), "set application_name = 'holder';\n{statements}\nselect 1 as held;")
            .unwrap();
        let waiting = "select count(*) from pg_stat_activity where application_name = 'holder' \
                       and datname = current_database() and state like 'idle%' and query like '%as held%';";
        while database.sql(waiting) != "1" {
            std::thread::sleep(Duration::from_millis(50));
        }
        Self(psql)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // psql ends with its input; the server then rolls back.
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// Runs a case and gives what it printed and how it ended.
fn play(case: &Case) -> (i32, String, String) {
    let ground = Ground::new(case);
    if let (Some(database), Some(sql)) = (&ground.database, &case.sql) {
        database.sql(&ground.fill(sql));
    }
    for (name, content) in &case.files {
        let path = ground.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, ground.fill(content)).unwrap();
    }
    let call = |args: &[String]| {
        let mut call = db(args.iter().map(|argument| ground.fill(argument)));
        if let Some(bucket) = &ground.bucket {
            call = call.envs(&bucket.environment(None));
        }
        case.env.iter().fold(call, |call, (name, value)| call.env(name, ground.fill(value)))
    };
    for args in &case.before {
        call(args).run().ok();
    }
    let held = case.hold.as_ref().map(|sql| Held::begin(ground.database.as_ref().unwrap(), sql));
    let run = call(&case.args).run();
    drop(held);
    (run.code.unwrap_or(-1), ground.hide(&run.stdout), ground.hide(&run.stderr))
}

#[track_caller]
fn check(name: &str) {
    let path = repository().join("tests/cmd").join(name).with_extension("toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut transcript: Transcript = toml::from_str(&text).unwrap();
    let mut wrong = String::new();
    for case in &mut transcript.case {
        let (code, stdout, stderr) = play(case);
        if (code, stdout.trim_end(), stderr.trim_end()) != (case.code, case.stdout.trim_end(), case.stderr.trim_end()) {
            let about = &case.about;
            let _ = writeln!(wrong, "== {about}\n-- expected exit {}\n{}{}", case.code, case.stdout, case.stderr);
            let _ = writeln!(wrong, "-- got exit {code}\n{stdout}{stderr}");
        }
        (case.code, case.stdout, case.stderr) = (code, stdout, stderr);
    }
    if std::env::var_os("PGPROOF_BLESS").is_some() {
        fs::write(&path, blessed(&text, &transcript)).unwrap();
    } else {
        assert!(wrong.is_empty(), "{name}.toml\n{wrong}");
    }
}

/// The file as it was up to each case's `code`, followed by what the case did.
fn blessed(text: &str, transcript: &Transcript) -> String {
    let mut parts = text.split("[[case]]\n");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (part, case) in parts.zip(&transcript.case) {
        let kept = part.split("\ncode = ").next().unwrap();
        let _ = write!(out, "[[case]]\n{kept}\ncode = {}\n", case.code);
        for (name, text) in [("stdout", &case.stdout), ("stderr", &case.stderr)] {
            if !text.is_empty() {
                let _ = writeln!(out, "{name} = '''\n{text}'''");
            }
        }
        out.push('\n');
    }
    out.trim_end().to_owned() + "\n"
}

#[test]
fn help() {
    check("help");
}

#[test]
fn usage() {
    check("usage");
}

#[test]
fn configuration() {
    check("configuration");
}

#[test]
fn store() {
    check("store");
}

#[test]
fn verify() {
    check("verify");
}

#[test]
fn backup() {
    check("backup");
}

#[test]
fn restore() {
    check("restore");
}
