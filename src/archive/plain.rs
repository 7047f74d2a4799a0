//! An archive as one SQL script, as `pg_dump -Fp` and `pg_restore -f` print it.
//!
//! [`Script`] hands out pieces in order: text to be written, and places where the data of an entry goes, which the
//! caller streams. Nothing that the source said reaches psql as a command: names in comments lose their line ends, and
//! `\restrict` tells psql to take no command from here to the matching line.

use std::collections::VecDeque;

use super::copy_text::COPY_END;
use super::pick::{Parts, Pass, is_acl, is_preamble, parts};
use super::statement::{self, Place};
use super::toc::{Entry, Toc};
use crate::error::{Error, ErrorKind, Result};
use crate::object::Quote;
use crate::object::version::Version;
use crate::record::encode_text;

/// How an archive is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Create the database too (`-C`).
    pub database: bool,
    /// Drop objects first (`-c`).
    pub clean: bool,
    /// With `IF EXISTS` (`--if-exists`).
    pub if_exists: bool,
    /// Give objects to their owners (`-O` does not).
    pub owners: bool,
    /// Say in which tablespace tables lie.
    pub tablespaces: bool,
    /// Say by which access method tables are stored.
    pub access_methods: bool,
    /// Become this role first.
    pub role: Option<String>,
    /// Load rows under row-level security (`--enable-row-security`).
    pub row_security: bool,
    /// One transaction around all of it.
    pub single_transaction: bool,
    /// Leave out the setting that the source's server does not have; pg_dump and pg_restore always write it.
    pub for_older_servers: bool,
    /// The rows lie in files beside the script: their COPY statement is left to the caller.
    pub rows_in_files: bool,
    /// Quote also the names that need no quotes, in the statements that the script adds to the entries' own.
    pub quote_all: bool,
    /// The key of the `\restrict` lines, letters and digits; without it they are left out.
    pub restrict_key: Option<String>,
    /// Switch triggers off while rows are loaded; for scripts of rows alone (`--disable-triggers`).
    pub disable_triggers: bool,
    /// Who switches triggers off (`-S`).
    pub superuser: Option<String>,
    /// Become each object's owner before it is made, in place of giving it away (`--use-set-session-authorization`).
    pub session_authorization: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            database: false,
            clean: false,
            if_exists: false,
            owners: true,
            tablespaces: true,
            access_methods: true,
            role: None,
            row_security: false,
            single_transaction: false,
            for_older_servers: false,
            rows_in_files: false,
            quote_all: false,
            restrict_key: None,
            disable_triggers: false,
            superuser: None,
            session_authorization: false,
        }
    }
}

/// A key for `\restrict`: 63 random letters and digits, which nobody who wrote the source's names could know.
pub fn restrict_key() -> String {
    use rand::RngExt as _;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(63).map(char::from).collect()
}

/// What stands next in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Text(Vec<u8>),
    /// The rows of the entry at this place of the table of contents, as COPY text without an end mark, and then
    /// [`COPY_END`]. Where the entry has no COPY statement, its data are statements and go in as they are.
    Rows(usize),
    /// The large objects of the entry at this place, as [`LargeObjectText`] writes them.
    LargeObjects(usize),
}

/// The end of rows in a script.
pub const ROWS_END: &[u8] = COPY_END;

enum Step {
    Begin,
    Drop(usize),
    Entry(usize, Parts),
    End,
}

/// The script of one archive, piece by piece.
pub struct Script<'a> {
    toc: &'a Toc,
    options: &'a Options,
    quote: Quote,
    place: Place,
    steps: VecDeque<Step>,
    pieces: VecDeque<Piece>,
    text: String,
    /// Whom the session belongs to, empty for who began it; `None` where that is not known.
    user: Option<String>,
}

impl<'a> Script<'a> {
    /// The script of an archive under these options.
    ///
    /// # Errors
    ///
    /// When the database is to be made whose name no psql command can hold.
    pub fn new(toc: &'a Toc, options: &'a Options) -> Result<Self> {
        Self::of(toc, options, &parts(toc, options.database).into_iter().enumerate().collect::<Vec<_>>())
    }

    /// The script of a part of an archive: entries by their places, in the order of the script.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`].
    pub fn of(toc: &'a Toc, options: &'a Options, chosen: &[(usize, Parts)]) -> Result<Self> {
        let mut wanted =
            chosen.iter().filter(|(_, parts)| parts.any()).filter_map(|(index, _)| toc.entries.get(*index));
        if let Some(entry) = wanted.find(|entry| entry.kind == "DATABASE" && entry.tag.contains(['\r', '\n'])) {
            let message = format!("could not write a script for database {:?}", entry.tag);
            return Err(Error::new(ErrorKind::Refused, message)
                .detail("its name has a line end")
                .hint("Leave --create out, or use the custom or directory format."));
        }
        Ok(Self {
            toc,
            options,
            quote: Quote { all: options.quote_all, ..statement::quote(toc) },
            place: Place::new(toc).with_tablespaces(options.tablespaces).with_access_methods(options.access_methods),
            steps: steps(toc, chosen, options),
            pieces: VecDeque::new(),
            text: String::new(),
            user: None,
        })
    }

    fn line(&mut self, parts: &[&str]) {
        self.text.extend(parts.iter().copied());
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.pieces.push_back(Piece::Text(encode_text(&text).into_owned()));
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Begin => self.begin(),
            Step::Drop(index) => {
                if let Some(entry) = self.toc.entries.get(*index) {
                    let drop = statement::drop_statements(entry, self.options.if_exists);
                    self.become_owner(entry);
                    if let Some(schema) = entry.schema.as_deref().filter(|schema| !schema.is_empty()) {
                        let path = self.place.search_path(schema, self.quote).map(|path| path + "\n");
                        self.line(&[&path.unwrap_or_default()]);
                    }
                    self.line(&[&drop]);
                }
            }
            Step::Entry(index, parts) => {
                if let Some(entry) = self.toc.entries.get(*index) {
                    self.entry(*index, entry, *parts);
                }
            }
            Step::End => self.end(),
        }
        self.flush();
    }

    fn begin(&mut self) {
        self.line(&["--\n-- PostgreSQL database dump\n--\n\n"]);
        if let Some(key) = &self.options.restrict_key {
            self.line(&["\\restrict ", key, "\n\n"]);
        }
        let header = &self.toc.header;
        for (word, version) in [("from database", &header.server_version), ("by pg_dump", &header.dump_version)] {
            if let Some(version) = version {
                self.line(&["-- Dumped ", word, " version ", &one_line(version), "\n"]);
            }
        }
        self.line(&["\n"]);
        if self.options.single_transaction {
            self.line(&["BEGIN;\n\n"]);
        }
        self.fixed_state();
    }

    /// What is set once for all of the script.
    fn fixed_state(&mut self) {
        self.line(&[
            "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET idle_in_transaction_session_timeout = 0;\n",
        ]);
        let source = self.toc.header.server_version.as_deref().and_then(Version::from_server_text);
        // psql stops here on a server before 17 when it is to stop at errors, as the backup's RECOVERY.md has it
        if !self.options.for_older_servers || source.is_none_or(|source| source.major() >= 17) {
            self.line(&["SET transaction_timeout = 0;\n"]);
        }
        let text = |kind: &str| {
            let entry = self.toc.entries.iter().find(|entry| entry.kind == kind);
            entry.and_then(|entry| entry.create.clone()).unwrap_or_default()
        };
        let (encoding, search_path) = (text("ENCODING"), text("SEARCHPATH"));
        let strings = if self.quote.standard_strings { "on" } else { "off" };
        self.line(&[&encoding, "SET standard_conforming_strings = ", strings, ";\n"]);
        if let Some(role) = &self.options.role {
            self.line(&["SET ROLE ", &self.quote.identifier(role), ";\n"]);
        }
        self.line(&[&search_path, "SET check_function_bodies = false;\nSET xmloption = content;\n"]);
        self.line(&["SET client_min_messages = warning;\n"]);
        if !self.quote.standard_strings {
            self.line(&["SET escape_string_warning = off;\n"]);
        }
        self.line(&["SET row_security = ", if self.options.row_security { "on" } else { "off" }, ";\n\n"]);
    }

    fn end(&mut self) {
        if self.options.single_transaction {
            self.line(&["COMMIT;\n\n"]);
        }
        self.line(&["--\n-- PostgreSQL database dump complete\n--\n\n"]);
        if let Some(key) = &self.options.restrict_key {
            self.line(&["\\unrestrict ", key, "\n\n"]);
        }
    }

    fn entry(&mut self, index: usize, entry: &Entry, parts: Parts) {
        if parts.definition || (parts.data && !entry.has_data) {
            self.definition(entry, "");
            if matches!(entry.kind.as_str(), "DATABASE" | "DATABASE PROPERTIES") {
                self.connect(&entry.tag);
            }
        }
        if parts.data && entry.has_data {
            self.definition(entry, "Data for ");
            if entry.is_large_objects() || entry.kind == "BLOB COMMENTS" {
                let path = self.place.search_path("pg_catalog", self.quote).map(|path| path + "\n");
                self.line(&[&path.unwrap_or_default()]);
                let is_one_transaction = self.options.single_transaction || entry.kind == "BLOB COMMENTS";
                self.line(&[if is_one_transaction { "" } else { "BEGIN;\n\n" }]);
                self.flush();
                self.pieces.push_back(Piece::LargeObjects(index));
                self.line(&[if is_one_transaction { "" } else { "COMMIT;\n\n" }]);
            } else {
                self.switch_triggers(entry, "DISABLE");
                self.become_owner(entry);
                let copy = entry.copy.as_deref().filter(|_| !self.options.rows_in_files);
                self.line(&[copy.unwrap_or_default()]);
                self.flush();
                self.pieces.push_back(Piece::Rows(index));
                self.switch_triggers(entry, "ENABLE");
            }
        }
    }

    fn switch_triggers(&mut self, entry: &Entry, word: &str) {
        if self.options.disable_triggers {
            let superuser = self.options.superuser.clone().unwrap_or_default();
            self.become_user(&superuser);
            let table = self.quote.qualified(entry.schema.as_deref().filter(|schema| !schema.is_empty()), &entry.tag);
            self.line(&["ALTER TABLE ", &table, " ", word, " TRIGGER ALL;\n\n"]);
        }
    }

    fn become_owner(&mut self, entry: &Entry) {
        if self.options.owners && self.options.session_authorization {
            self.become_user(entry.owner.as_deref().unwrap_or_default());
        }
    }

    /// An empty name is who began the session.
    fn become_user(&mut self, user: &str) {
        if self.user.as_deref() == Some(user) {
            return;
        }
        let value = if user.is_empty() { "DEFAULT".to_owned() } else { self.quote.literal(user) };
        self.line(&["SET SESSION AUTHORIZATION ", &value, ";\n\n"]);
        self.user = Some(user.to_owned());
    }

    /// The entry's settings, its comment, its statement, its owner.
    fn definition(&mut self, entry: &Entry, prefix: &str) {
        self.become_owner(entry);
        for set in self.place.before(entry, self.quote) {
            self.line(&[&set, "\n"]);
        }
        let hyphen = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), one_line);
        let owner = hyphen(entry.owner.as_deref().filter(|_| self.options.owners));
        let schema = hyphen(entry.schema.as_deref());
        self.line(&["--\n-- ", prefix, "Name: ", &one_line(&entry.tag), "; Type: ", &one_line(&entry.kind)]);
        self.line(&["; Schema: ", &schema, "; Owner: ", &owner]);
        let tablespace = entry.tablespace.as_deref().filter(|name| !name.is_empty() && self.options.tablespaces);
        if let Some(tablespace) = tablespace {
            self.line(&["; Tablespace: ", &one_line(tablespace)]);
        }
        self.line(&["\n--\n\n"]);

        let create = statement::create_statements(entry, self.toc);
        if entry.kind == "BLOB METADATA" {
            self.line(&[&create, "\n"]);
        } else if is_acl(entry) && entry.tag.starts_with("LARGE OBJECTS") {
            self.line(&[&create]);
        } else if !create.is_empty() {
            self.line(&[&create, "\n\n"]);
        }
        if self.options.owners && !self.options.session_authorization {
            let statements = statement::owner_statements(entry, self.quote);
            self.line(&[&statements, if statements.is_empty() { "" } else { "\n" }]);
        }
        if let Some(after) = self.place.after(entry, self.quote) {
            self.line(&[&after, "\n"]);
        }
        if is_acl(entry) {
            // it may have become another user
            self.user = None;
        }
    }

    /// Goes on in another database.
    fn connect(&mut self, database: &str) {
        let restrict = self.options.restrict_key.as_deref();
        if let Some(key) = restrict {
            self.line(&["\\unrestrict ", key, "\n"]);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if database.chars().all(is_plain) {
            self.line(&["\\connect ", &self.quote.identifier(database), "\n"]);
        } else {
            let value: String = (database.chars())
                .flat_map(|character| matches!(character, '\\' | '\'').then_some('\\').into_iter().chain([character]))
                .collect();
            let setting = format!("dbname='{value}'");
            // the name's encoding is not known here; as SQL_ASCII psql hands it on as it is
            self.line(&["\\encoding SQL_ASCII\n\\connect -reuse-previous=on "]);
            self.line(&[&self.quote.identifier(&setting), "\n"]);
        }
        if let Some(key) = restrict {
            self.line(&["\\restrict ", key, "\n"]);
        }
        self.line(&["\n"]);
        self.place.forget();
        self.user = None;
        self.fixed_state();
    }
}

impl Iterator for Script<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Some(piece);
            }
            let step = self.steps.pop_front()?;
            self.step(&step);
        }
    }
}

/// What is written in which order: drops backwards, then the passes.
fn steps(toc: &Toc, chosen: &[(usize, Parts)], options: &Options) -> VecDeque<Step> {
    let mut steps = VecDeque::from([Step::Begin]);
    let wanted = || {
        let chosen = chosen.iter().filter(|(_, parts)| parts.any());
        chosen.filter_map(|(index, parts)| Some((*index, toc.entries.get(*index)?, *parts)))
    };
    if options.clean {
        let drops = wanted().filter(|(_, entry, _)| {
            // with --create, dropping the database drops all of it
            let is_database = matches!(entry.kind.as_str(), "DATABASE" | "DATABASE PROPERTIES");
            entry.drop.is_some() && !is_preamble(entry) && (!options.database || is_database)
        });
        let mut backwards: Vec<Step> = drops.map(|(index, ..)| Step::Drop(index)).collect();
        backwards.reverse();
        steps.extend(backwards);
    }
    for pass in Pass::ALL {
        let of_pass = wanted().filter(|(_, entry, _)| Pass::of(entry) == pass);
        steps.extend(of_pass.map(|(index, _, parts)| Step::Entry(index, parts)));
    }
    steps.push_back(Step::End);
    steps
}

/// Text for a comment: it must not leave its line, whatever the source calls its objects.
pub fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\0', '\u{2028}', '\u{2029}'], " ")
}

/// Large objects as statements: their contents in pieces, each a literal.
#[derive(Clone, Debug)]
pub struct LargeObjectText {
    quote: Quote,
    held: Vec<u8>,
}

/// So many bytes of a large object go into one statement.
const LARGE_OBJECT_PIECE: usize = 16 * 1024;

impl LargeObjectText {
    /// A writer for this archive's literals.
    pub fn new(toc: &Toc) -> Self {
        Self { quote: statement::quote(toc), held: Vec::new() }
    }

    /// A large object begins.
    pub fn begin(&mut self, oid: u32, out: &mut Vec<u8>) {
        // 131072 is INV_WRITE
        out.extend_from_slice(format!("SELECT pg_catalog.lo_open('{oid}', 131072);\n").as_bytes());
    }

    /// Takes some of its bytes.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let room = LARGE_OBJECT_PIECE - self.held.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.held.extend_from_slice(now);
            bytes = later;
            if self.held.len() == LARGE_OBJECT_PIECE {
                self.write(out);
            }
        }
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            let escape = if self.quote.standard_strings { "\\x" } else { "\\\\x" };
            let literal = format!("SELECT pg_catalog.lowrite(0, '{escape}{}');\n", hex::encode(&self.held));
            out.extend_from_slice(literal.as_bytes());
            self.held.clear();
        }
    }

    /// The large object ends.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        self.write(out);
        out.extend_from_slice(b"SELECT pg_catalog.lo_close(0);\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::toc::{Created, Header, Section};
    use super::super::{Version, toc};
    use super::*;
    use crate::codec::compress::Compression;

    fn script(entries: Vec<Entry>, options: &Options) -> (String, Vec<Piece>) {
        let header =
            Header::new(Version::V1_16, toc::Container::Custom, Compression::None, Created::default()).unwrap();
        let toc = Toc { header, entries };
        let pieces: Vec<Piece> = Script::new(&toc, options).unwrap().collect();
        let text = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(String::from_utf8(text.clone()).unwrap()),
            Piece::Rows(_) | Piece::LargeObjects(_) => None,
        });
        (text.collect(), pieces)
    }

    fn table(tag: &str) -> Entry {
        Entry {
            create: Some(format!("CREATE TABLE {tag};\n")),
            drop: Some(format!("DROP TABLE {tag};\n")),
            owner: Some("o".to_owned()),
            ..Entry::new(1, "TABLE", tag, Section::PreData)
        }
    }

    #[test]
    fn names_cannot_leave_their_comment() {
        let hostile = "t\n\\! touch x\r\u{2028}DROP TABLE y; --";
        let mut entry = table("t");
        entry.tag = hostile.to_owned();
        entry.schema = Some(hostile.to_owned());
        entry.owner = Some(hostile.to_owned());
        entry.tablespace = Some(hostile.to_owned());
        entry.drop = None;
        let (text, _) = script(vec![entry], &Options { restrict_key: Some("k".to_owned()), ..Options::default() });
        let comment = text.lines().find(|line| line.contains("Name: ")).unwrap();
        assert_eq!(comment.matches("\\! touch x").count(), 4);
        assert!(text.starts_with("--\n-- PostgreSQL database dump\n--\n\n\\restrict k\n"));
        assert!(text.ends_with("\\unrestrict k\n\n"));
    }

    #[test]
    fn reconnects_under_restriction_whatever_the_database_is_called() {
        let database = |name: &str| Entry {
            create: Some("CREATE DATABASE x;\n".to_owned()),
            ..Entry::new(1, "DATABASE", name, Section::PreData)
        };
        let mut options = Options { restrict_key: Some("k".to_owned()), ..Options::default() };
        options.database = true;
        let (text, _) = script(vec![database("a b'\\")], &options);
        assert!(
            text.contains("\\unrestrict k\n\\encoding SQL_ASCII\n\\connect -reuse-previous=on \"dbname='a b\\'\\\\'\"\n\\restrict k\n\n"),
            "{text}"
        );
        let header =
            Header::new(Version::V1_16, toc::Container::Custom, Compression::None, Created::default()).unwrap();
        let toc = Toc { header, entries: vec![database("a\nb")] };
        assert!(Script::new(&toc, &options).is_err());
    }

    #[test]
    fn drops_backwards_and_puts_data_where_it_belongs() {
        let mut data = Entry::new(3, "TABLE DATA", "a", Section::Data);
        data.has_data = true;
        data.copy = Some("COPY a FROM stdin;\n".to_owned());
        let entries = vec![table("a"), table("b"), data];
        let (text, pieces) = script(entries, &Options { clean: true, if_exists: true, ..Options::default() });
        assert!(text.contains("DROP TABLE IF EXISTS b;\nDROP TABLE IF EXISTS a;\n--\n"), "{text}");
        let rows = pieces.iter().position(|piece| *piece == Piece::Rows(2)).unwrap();
        assert!(matches!(&pieces[rows - 1], Piece::Text(text) if text.ends_with(b"COPY a FROM stdin;\n")));
    }

    #[test]
    fn writes_large_objects_in_literals() {
        let header =
            Header::new(Version::V1_16, toc::Container::Custom, Compression::None, Created::default()).unwrap();
        let mut writer = LargeObjectText::new(&Toc { header, entries: Vec::new() });
        let mut out = Vec::new();
        writer.begin(7, &mut out);
        writer.push(&vec![0xab; LARGE_OBJECT_PIECE + 1], &mut out);
        writer.end(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("lowrite").count(), 2);
        assert!(text.ends_with("lowrite(0, '\\xab');\nSELECT pg_catalog.lo_close(0);\n\n"));
    }
}
