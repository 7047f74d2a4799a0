//! A database with every object on one server, and what a run makes of it by our program and by the stock ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pgproof::codec::compress::{Algorithm, Shape, decompress};

use super::objects::Object;
use super::runs::{Form, LISTED, Run};
use crate::support::bin::db;
use crate::support::pg::{Database, Server, newest_server, shared_folder};
use crate::support::{repository, text_without_attver};

/// The database, and archives of it by both programs.
pub(super) struct Bench {
    pub(super) source: Database,
    newest: Server,
    folder: tempfile::TempDir,
    ours: PathBuf,
    theirs: PathBuf,
    /// What pg_dump makes of the whole database.
    pub(super) whole: String,
    /// What the stock programs restored from a text, which is the same for many runs.
    known: BTreeMap<String, Copy>,
    /// What `db restore` made of a script that many runs write.
    known_ours: BTreeMap<String, OurCopy>,
}

/// A dump as text, and the file that it can be restored from.
pub(super) struct Dump {
    pub(super) text: String,
    path: PathBuf,
}

/// A restored database: what was said against it, and what pg_dump makes of it.
#[derive(Clone)]
pub(super) struct Copy {
    pub(super) errors: Vec<String>,
    pub(super) text: String,
    /// The same by the run's own options, where they are pg_dump's.
    pub(super) again: Option<String>,
}

/// A database that `db restore` made: its exit code, all that it said, and what pg_dump makes of the database.
#[derive(Clone)]
pub(super) struct OurCopy {
    pub(super) is_done: bool,
    pub(super) transcript: String,
    pub(super) text: String,
}

impl Bench {
    /// Fills a new database.
    pub(super) fn new(server: &Server, objects: &[Object]) -> Self {
        let roles = repository().join("tests/matrix/objects/cluster.sql");
        server.sql("postgres", &fs::read_to_string(roles).expect("the file of roles"));
        let source = server.database_with("template template0");
        let exist = objects.iter().filter(|object| object.is_on(server.major));
        source.sql(&exist.map(|object| object.sql(&source.name) + "\n").collect::<String>());
        let (newest, folder) = (newest_server(), shared_folder());
        let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
        db(["backup", "-d", &source.url(), "-o", path_text(&ours)]).run().ok();
        newest.stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path_text(&theirs)]);
        let whole = without_header(&newest.stdout("pg_dump", &["-d", &source.url()]));
        Self { source, newest, folder, ours, theirs, whole, known: BTreeMap::new(), known_ours: BTreeMap::new() }
    }

    /// Our dump.
    pub(super) fn ours(&self, run: &Run) -> Dump {
        let place = |ending: &str| self.folder.path().join(format!("{}{ending}", run.name));
        let backup = |path: &Path, options: &[String]| {
            let (url, path) = (self.source.url(), path_text(path));
            let arguments = ["backup", "-d", &url, "-o", path].map(str::to_owned);
            db(arguments.iter().chain(options)).run().ok();
        };
        match run.form {
            Form::Plain => {
                let mut options = self.options(run, &self.ours);
                options.extend(["-F", "plain"].map(str::to_owned));
                let ending = match run.packing.as_slice() {
                    [] => ".sql",
                    ["-Z", "gzip"] => ".sql.gz",
                    ["-Z", "zstd"] => ".sql.zst",
                    ["-Z", "lz4"] => ".sql.lz4",
                    other => panic!("{other:?}"),
                };
                let packing = if run.packing.is_empty() { &["-Z", "none"][..] } else { &run.packing };
                options.extend(packing.iter().map(|word| (*word).to_owned()));
                let path = place(ending);
                backup(&path, &options);
                Dump { text: without_header(&unpacked(&path)), path }
            }
            Form::Packed => {
                let path = place("");
                backup(&path, &run.packing.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
                Dump { text: self.script(run, &path), path }
            }
            Form::Restored => Dump { text: self.script(run, &self.ours), path: self.ours.clone() },
        }
    }

    /// The stock programs' dump.
    pub(super) fn theirs(&self, run: &Run) -> String {
        match run.form {
            Form::Plain => self.dumped(run, &self.source),
            Form::Packed => self.whole.clone(),
            Form::Restored => self.script(run, &self.theirs),
        }
    }

    fn dumped(&self, run: &Run, database: &Database) -> String {
        let (url, options) = (database.url(), self.options(run, &self.theirs));
        let arguments: Vec<&str> = ["-d", &url].into_iter().chain(options.iter().map(String::as_str)).collect();
        without_header(&self.newest.stdout("pg_dump", &arguments))
    }

    fn script(&self, run: &Run, archive: &Path) -> String {
        let options = self.options(run, archive);
        let arguments: Vec<&str> = ["-f", "-"].into_iter().chain(options.iter().map(String::as_str)).collect();
        without_header(&self.newest.stdout("pg_restore", &[&arguments[..], &[path_text(archive)]].concat()))
    }

    /// A run's options with the files that they name.
    fn options(&self, run: &Run, archive: &Path) -> Vec<String> {
        let write = |ending: &str, text: &str| {
            let path = self.folder.path().join(format!("{}{ending}", run.name));
            fs::write(&path, text).expect("the shared folder is writable");
            path_text(&path).to_owned()
        };
        let list = || {
            let all = self.newest.stdout("pg_restore", &["-l", path_text(archive)]);
            let lines = all.lines().filter(|line| LISTED.iter().any(|part| line.contains(part)));
            lines.rev().map(|line| format!("{line}\n")).collect::<String>()
        };
        let option = |option: &&str| match *option {
            "{file}" => write(".file", run.file),
            "{list}" => write(".list", &list()),
            other => other.to_owned(),
        };
        run.options.iter().map(option).collect()
    }

    /// What the stock programs make of our dump.
    pub(super) fn restored_by_stock(&mut self, run: &Run, dump: &Dump) -> Copy {
        if let Some(copy) = self.known.get(&dump.text) {
            return copy.clone();
        }
        let server = self.source.server.clone();
        let copy = match run.groups.contains("create") {
            // it is created by the dump, under a name of its own
            true => Database { server: server.clone(), name: crate::support::unique_name("t_") },
            false => server.database_with("template template0"),
        };
        self.restore_schemas(run, dump, &copy);
        let output = if run.groups.contains("create") || run.form == Form::Plain {
            let script = self.folder.path().join("script.sql");
            fs::write(&script, dump.text.replace(&self.source.name, &copy.name))
                .expect("the shared folder is writable");
            let url = if run.groups.contains("create") { server.url("postgres") } else { copy.url() };
            self.newest.run("psql", &["-qX", "-o", "/dev/null", "-d", &url, "-f", path_text(&script)])
        } else {
            let mut options = self.options(run, &dump.path);
            options.extend(["-d".to_owned(), copy.url(), path_text(&dump.path).to_owned()]);
            self.newest.run("pg_restore", &options.iter().map(String::as_str).collect::<Vec<_>>())
        };
        for schema in &run.unmade {
            copy.sql(&format!("drop schema {schema};"));
        }
        let said = String::from_utf8_lossy(&output.stderr).replace(&copy.name, "{database}");
        let errors: Vec<String> = said
            .lines()
            .filter_map(|line| line.split_once("ERROR:  "))
            .map(|(_, message)| message.to_owned())
            .filter(|message| !message.contains("unrecognized configuration parameter \"transaction_timeout\""))
            .collect();
        // views in a circle are complete only with what comes after the data, and owners decide on the order of rights
        let is_same = run.form == Form::Plain && run.groups.contains("post") && run.groups.contains("owner");
        let again =
            (is_same && errors.is_empty()).then(|| self.dumped(run, &copy).replace(&copy.name, &self.source.name));
        let made = Copy { errors, text: self.text(&copy), again };
        self.known.insert(dump.text.clone(), made.clone());
        made
    }

    fn restore_schemas(&self, run: &Run, dump: &Dump, copy: &Database) {
        if run.made.is_empty() {
            return;
        }
        let path = self.folder.path().join("schemas.list");
        let all = self.newest.stdout("pg_restore", &["-l", path_text(&dump.path)]);
        let is_of = |line: &&str| {
            let mut named = run.made.iter();
            named.any(|name| {
                line.contains(&format!(" SCHEMA - {name} ")) || line.contains(&format!(" - SCHEMA {name} "))
            })
        };
        fs::write(&path, all.lines().filter(is_of).map(|line| format!("{line}\n")).collect::<String>())
            .expect("writable");
        // a server before 17 refuses one of its settings, which it counts as an error
        let (list, url) = (path_text(&path), copy.url());
        self.newest.run("pg_restore", &["-L", list, "-d", &url, path_text(&dump.path)]);
    }

    /// What `db restore` makes of it.
    pub(super) fn restored_by_us(&mut self, run: &Run, dump: &Dump) -> OurCopy {
        let is_script = run.form == Form::Plain && run.packing.is_empty();
        if let (true, Some(copy)) = (is_script, self.known_ours.get(&dump.text)) {
            return copy.clone();
        }
        let copy = self.source.server.database_with("template template0");
        let url = copy.url();
        let mut arguments: Vec<String> = ["restore", path_text(&dump.path), "-d", &url].map(str::to_owned).to_vec();
        arguments.extend(["--confirm", &copy.name, "--no-analyze"].map(str::to_owned));
        if run.form == Form::Restored {
            arguments.extend(self.options(run, &dump.path));
        }
        let outcome = db(&arguments).run();
        let made =
            OurCopy { is_done: outcome.code == Some(0), transcript: outcome.transcript(), text: self.text(&copy) };
        if is_script {
            self.known_ours.insert(dump.text.clone(), made.clone());
        }
        made
    }

    fn text(&self, database: &Database) -> String {
        without_header(&self.newest.stdout("pg_dump", &["-d", &database.url()]))
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

/// A script without the lines that name the program and its random key.
pub(super) fn without_header(text: &str) -> String {
    let is_header = |line: &&str| {
        ["\\restrict ", "\\unrestrict ", "-- Dumped by pg_dump version ", "SET transaction_timeout "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    text_without_attver(text).split_inclusive('\n').filter(|line| !is_header(line)).collect()
}

fn unpacked(path: &Path) -> String {
    let file = fs::read(path).expect("the script is there");
    let (algorithm, _) = Algorithm::of_file_name(path_text(path));
    let text = match algorithm {
        Algorithm::None => file,
        packed @ (Algorithm::Gzip | Algorithm::Lz4 | Algorithm::Zstd) => {
            decompress(packed, Shape::File, &file, usize::MAX).expect("it can be unpacked")
        }
    };
    String::from_utf8(text).expect("UTF-8")
}
