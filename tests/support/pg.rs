//! PostgreSQL servers and databases of a test's own.
//!
//! Statements go through psql and dumps through pg_dump of the server's major: the oracle must not share code with the product.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{note, repository, required_variable, skipped, text_without_attver, unique_name};

/// A running server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) major: u32,
    url: String,
}

/// The servers that tests go over, oldest first: those that `PGPROOF_TEST_MAJORS` asks for, else all that are there.
///
/// Who asks for them goes into the notes, so that `scripts/test --by-major` can run these tests again for other majors.
pub(crate) fn servers() -> Vec<Server> {
    note("majors", "");
    all_servers().into_iter().filter(|server| is_asked_for(server.major)).collect()
}

fn is_asked_for(major: u32) -> bool {
    let majors = std::env::var("PGPROOF_TEST_MAJORS").unwrap_or_default();
    let mut majors = majors.split_whitespace().peekable();
    majors.peek().is_none() || majors.any(|asked| asked == major.to_string())
}

/// Every server that `PGPROOF_TEST_PG` names (`13=URL,15=URL`), oldest first: what is asked for, 15, and the newest, for tests
/// that go from one to another.
pub(crate) fn all_servers() -> Vec<Server> {
    let variable = required_variable("PGPROOF_TEST_PG");
    let mut servers: Vec<Server> = variable
        .split(',')
        .map(|item| {
            let (major, url) = item.split_once('=').expect("PGPROOF_TEST_PG is a list of MAJOR=URL");
            Server { major: major.trim().parse().expect("a major is a number"), url: url.trim().to_owned() }
        })
        .collect();
    servers.sort_by_key(|server| server.major);
    servers
}

/// The server of a major. Where it was not asked for, the test is skipped, and is noted as such.
pub(crate) fn server(major: u32) -> Option<Server> {
    let found = all_servers().into_iter().find(|server| server.major == major && is_asked_for(major));
    if found.is_none() {
        note("majors", "");
        skipped(&format!("needs PostgreSQL {major}"));
    }
    found
}

/// The server for tests that do not depend on the major.
pub(crate) fn any_server() -> Server {
    all_servers().into_iter().find(|server| server.major == 15).expect("PostgreSQL 15 must be there")
}

/// The newest server: its client programs read every archive and every server. `scripts/test` has 18 always.
pub(crate) fn newest_server() -> Server {
    all_servers().pop().expect("at least one server")
}

/// The folder that this machine and every server's programs see under the same path.
pub(crate) fn shared_folder() -> tempfile::TempDir {
    let base = std::env::var_os("PGPROOF_SHARE").map_or_else(|| PathBuf::from("/tmp/pgproof-test"), PathBuf::from);
    fs::create_dir_all(&base).expect("the shared folder can be made");
    tempfile::tempdir_in(base).expect("a folder can be made in the shared folder")
}

impl Server {
    /// The connection URL of one of its databases, as superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        let (front, _) = self.url.rsplit_once('/').expect("the URL ends in a database name");
        format!("{front}/{database}")
    }

    /// Host and port.
    pub(crate) fn address(&self) -> (String, u16) {
        let authority = self.url.split("://").nth(1).and_then(|rest| rest.split('/').next()).expect("a URL");
        let (host, port) = authority.rsplit('@').next().and_then(|hp| hp.rsplit_once(':')).expect("host:port");
        (host.to_owned(), port.parse().expect("a port number"))
    }

    /// Whether it was built with ICU. A build without knows one collation of ICU's by name, and cannot use it.
    pub(crate) fn knows_icu(&self) -> bool {
        self.sql("postgres", "select count(*) > 1 from pg_collation where collprovider = 'i';") == "t"
    }

    /// A program of this major, run to its end. Files in its arguments must lie in `shared_folder()`.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command(program, args).stdin(Stdio::null()).output().expect("scripts/pg runs")
    }

    /// The same with standard output going straight to a file, as a shell's `>` does.
    pub(crate) fn run_into(&self, program: &str, args: &[&str], path: &Path) {
        let mut command = Command::new(repository().join("scripts/pg"));
        command.arg("run-into").arg(path).arg(self.major.to_string()).arg(program).args(args);
        let status = command.stdin(Stdio::null()).status().expect("scripts/pg runs");
        assert!(status.success(), "{program} {} of PostgreSQL {}", args.join(" "), self.major);
    }

    /// The same, to be run by the caller.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(repository().join("scripts/pg"));
        command.arg("run").arg(self.major.to_string()).arg(program).args(args);
        command
    }

    /// What a program of this major writes to standard output; anything but success fails the test.
    pub(crate) fn stdout(&self, program: &str, args: &[&str]) -> String {
        let output = self.run(program, args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {} of PostgreSQL {}:\n{errors}", args.join(" "), self.major);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs statements, each in its own transaction; unaligned rows come back.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        // psql takes several -c for several transactions, but one script keeps the order of a file; -f needs a shared file.
        let folder = shared_folder();
        let file = folder.path().join("statements.sql");
        fs::write(&file, statements).expect("the shared folder is writable");
        self.file(database, &file)
    }

    fn file(&self, database: &str, file: &Path) -> String {
        let path = file.to_str().expect("UTF-8 path");
        let out = self.stdout("psql", &["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-f", path]);
        out.trim_end().to_owned()
    }

    /// An empty database with a name of its own, gone when the value is dropped.
    pub(crate) fn database(&self) -> Database {
        self.database_with("")
    }

    /// The same with options of `create database`, as `template template0 encoding 'LATIN1' locale 'C'`.
    pub(crate) fn database_with(&self, options: &str) -> Database {
        let name = unique_name("t_");
        self.sql("postgres", &format!("create database {name} {options};"));
        Database { server: self.clone(), name }
    }
}

/// A database that exists for one test.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) server: Server,
    pub(crate) name: String,
}

impl Database {
    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Runs statements; unaligned rows come back.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }

    /// Loads the sample database; scale 1 is the 100,000 rows of the demo.
    pub(crate) fn load_sample(&self, scale: &str) {
        let script = fs::read_to_string(repository().join("tests/sample/schema.sql")).expect("the sample's schema");
        let rows = fs::read_to_string(repository().join("tests/sample/data.sql")).expect("the sample's rows");
        self.sql(&format!("\\set scale {scale}\n{script}\n{rows}"));
    }

    /// `pg_dump -s` by the newest programs, without the lines that differ between two runs.
    pub(crate) fn schema_text(&self) -> String {
        let url = self.url();
        let text = text_without_attver(&newest_server().stdout("pg_dump", &["-s", "-d", &url]));
        let keep = |line: &&str| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ");
        text.lines().filter(keep).collect::<Vec<_>>().join("\n")
    }

    /// For each table with rows of its own: how many, and a hash of them in no particular order.
    pub(crate) fn rows(&self) -> BTreeMap<String, String> {
        // psql runs each row of the answer as a statement: a name with a newline in it stays whole
        let answer = self.sql(
            "select format('select %L, count(*), coalesce(sum((''x'' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric), 0)
                    from only %I.%I t', translate(n.nspname || '.' || c.relname, E'\\n|', '  '), n.nspname, c.relname)
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'm') and c.relispopulated and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1 \\gexec",
        );
        answer.lines().filter_map(|line| line.split_once('|')).map(|(t, r)| (t.to_owned(), r.to_owned())).collect()
    }
}

const DROP_SUBSCRIPTIONS: &str = "do $$ declare subscription name; begin
    for subscription in select subname from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) loop
        execute format('alter subscription %I disable', subscription);
        execute format('alter subscription %I set (slot_name = none)', subscription);
        execute format('drop subscription %I', subscription);
    end loop;
end $$";

impl Drop for Database {
    fn drop(&mut self) {
        // A test may leave sessions behind: `force` ends them. A failure here must not hide the test's own.
        let statement = format!("drop database if exists {} with (force)", self.name);
        let url = self.server.url("postgres");
        if !self.server.run("psql", &["-XAtq", "-d", &url, "-c", &statement]).status.success() {
            // it has subscriptions, which no database is dropped with
            let own = self.url();
            let steps = ["-c", DROP_SUBSCRIPTIONS, "-c", "\\connect postgres", "-c", &statement];
            drop(self.server.run("psql", &[&["-XAtq", "-d", own.as_str()], &steps[..]].concat()));
        }
    }
}
