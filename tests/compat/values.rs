//! Values come back bit by bit, whatever a database and a role are set to, in every encoding that PostgreSQL treats differently.

use std::fs;
use std::path::Path;

use super::matrix::stock_errors;
use crate::support::bin::db;
use crate::support::pg::{Database, Server, newest_server, servers, shared_folder};
use crate::support::{repository, unique_name};

/// An encoding, and the text (an expression) that is special in it.
const ENCODINGS: [(&str, &str); 5] = [
    ("UTF8", r"U&'\00e4\00a0\2028\2029\0085\feff\6f22\5b57\+01f600\+10ffff'"),
    ("LATIN1", "convert_from(decode('a0a1e4ffd8f7', 'hex'), 'LATIN1')"),
    ("EUC_JP", "convert_from(decode('b4c1bbfa8eb1a4a28fb0a1', 'hex'), 'EUC_JP')"),
    ("WIN1252", "convert_from(decode('80828a9fa0e4ff', 'hex'), 'WIN1252')"),
    ("SQL_ASCII", "convert_from(decode('8081fffee4f8c3285c80', 'hex'), 'SQL_ASCII')"),
];

/// What a database, and what a role may be set to.
const HOSTILE: [&[(&str, &str)]; 3] = [
    &[
        ("datestyle", "SQL, DMY"),
        ("intervalstyle", "sql_standard"),
        ("timezone", "America/St_Johns"),
        ("bytea_output", "escape"),
        ("extra_float_digits", "-15"),
        ("standard_conforming_strings", "off"),
        ("backslash_quote", "off"),
        ("search_path", "evil, public, pg_catalog"),
        ("array_nulls", "off"),
        ("xmloption", "document"),
        ("transform_null_equals", "on"),
        ("quote_all_identifiers", "on"),
        ("statement_timeout", "20min"),
    ],
    &[
        ("datestyle", "German"),
        ("intervalstyle", "iso_8601"),
        ("timezone", "<-03:30>3:30<-02:30>,M3.2.0,M11.1.0"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "0"),
        ("default_transaction_read_only", "on"),
        ("default_transaction_isolation", "serializable"),
        ("synchronize_seqscans", "on"),
        ("row_security", "off"),
        ("check_function_bodies", "on"),
    ],
    &[
        ("datestyle", "Postgres, MDY"),
        ("intervalstyle", "postgres_verbose"),
        ("timezone", "Asia/Kathmandu"),
        ("search_path", ""),
    ],
];

/// Rows of the table `floats` in COPY's binary form: the patterns at the ends of the formats, then any.
fn float_rows(count: u32) -> Vec<u8> {
    const SPECIAL_32: [u32; 10] =
        [0, 0x8000_0000, 1, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0x7f80_0000, 0xff80_0000, 0x3f80_0001];
    const SPECIAL_64: [u64; 10] = [
        0,
        1 << 63,
        1,
        (1 << 63) | 1,
        0x000f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x3ff0_0000_0000_0001,
    ];
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for id in 0..count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let place = usize::try_from(id).expect("a small number");
        let [b0, b1, b2, b3, ..] = state.to_be_bytes();
        let f4 = f32::from_bits(SPECIAL_32.get(place).copied().unwrap_or(u32::from_be_bytes([b0, b1, b2, b3])));
        let f8 = f64::from_bits(SPECIAL_64.get(place).copied().unwrap_or(state.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        // the bits of one NaN are not those of another, and text has one word for all
        let f4 = if f4.is_nan() { f32::NAN } else { f4 };
        let f8 = if f8.is_nan() { f64::NAN } else { f8 };
        bytes.extend(3_i16.to_be_bytes());
        bytes.extend(4_i32.to_be_bytes());
        bytes.extend(id.to_be_bytes());
        bytes.extend(4_i32.to_be_bytes());
        bytes.extend(f4.to_be_bytes());
        bytes.extend(8_i32.to_be_bytes());
        bytes.extend(f8.to_be_bytes());
    }
    bytes.extend((-1_i16).to_be_bytes());
    bytes
}

fn empty(server: &Server, encoding: &str) -> Database {
    server.database_with(&format!("template template0 encoding '{encoding}' locale 'C'"))
}

/// All of the values in UTF8, in a new database.
pub(super) fn database(server: &Server) -> Database {
    let (encoding, special) = ENCODINGS[0];
    let database = empty(server, encoding);
    load(&database, encoding, special);
    database
}

fn load(database: &Database, encoding: &str, special: &str) {
    let folder = shared_folder();
    let path = folder.path().join("floats");
    fs::write(&path, float_rows(10_000)).expect("the shared folder is writable");
    database.sql(&fs::read_to_string(repository().join("tests/compat/values/values.sql")).expect("the values"));
    // 81 bytes, of which 63 stay: without an encoding the cut is in the middle of a character
    let client = if encoding == "SQL_ASCII" { "SQL_ASCII" } else { "UTF8" };
    let character = if matches!(encoding, "UTF8" | "SQL_ASCII") { "\u{e4}" } else { "ee" };
    let long = format!("x{}", character.repeat(40));
    database.sql(&format!(
        "set client_encoding = '{client}';
         \\copy floats from '{}' (format binary)
         create table special (t text, a text[], c char(20));
         insert into special
             select repeat({special}, i % 5) || chr(1 + i % 127) || {special}, array[{special}, null, '\\', ''], {special}
             from generate_series(1, 500) i;
         create table \"{long}\" (\"{long}\" text);
         insert into \"{long}\" values ({special});",
        path.display()
    ));
}

/// A hash of each table's rows by what the types' own binary output functions give, and of all large objects.
fn bits(database: &Database, encoding: &str) -> String {
    database.sql(&format!(
        r"set client_encoding = '{encoding}'; set search_path = pg_catalog; set bytea_output = hex; set extra_float_digits = 3;
          set quote_all_identifiers = off; set datestyle = 'ISO, YMD'; set intervalstyle = postgres; set timezone = 'UTC';
          set standard_conforming_strings = on; set transform_null_equals = off; set array_nulls = on;
          select format('select %L, count(*), md5(coalesce(string_agg(md5(r), '','' order by md5(r)), ''''))
                  from (select array_to_string(array[%s]::text[], ''|'', ''-'') as r from only %I.%I t) x',
                  encode(textsend(c.relname::text), 'hex'), x.list, n.nspname, c.relname)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
          cross join lateral (
              select coalesce(string_agg(case
                      when t.typsend <> 0 and t.typtype = 'b' and t.typname <> 'refcursor' and t.typsend::oid < 16384 and coalesce(e.oid < 16384, true)
                          then format('encode(%s(t.%I), ''hex'')', t.typsend::regproc, a.attname)
                      else format('t.%I::text', a.attname) end, ', ' order by a.attnum), '') as list
              from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type e on e.oid = t.typelem
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) x
          where c.relkind = 'r' and n.nspname = 'public' order by 1 \gexec
          select 'large objects', count(*), md5(string_agg(oid || md5(lo_get(oid)), ',' order by oid))
          from pg_largeobject_metadata;"
    ))
}

/// Makes settings the database's, or a role's in it.
fn set(database: &Database, role: Option<&str>, settings: &[(&str, &str)]) {
    let subject = match role {
        None => format!("database {}", database.name),
        Some(role) => format!("role {role} in database {}", database.name),
    };
    let is_list = |name: &str, value: &str| matches!(name, "search_path" | "datestyle") && !value.is_empty();
    let value = |name: &str, value: &str| if is_list(name, value) { value.to_owned() } else { format!("'{value}'") };
    let statements: Vec<String> =
        settings.iter().map(|(name, text)| format!("alter {subject} set {name} = {};", value(name, text))).collect();
    database.server.sql("postgres", &statements.join("\n"));
}

/// One database, its encoding and settings, and what its rows are.
struct Case {
    source: Database,
    encoding: &'static str,
    role: String,
    of_database: &'static [(&'static str, &'static str)],
    of_role: &'static [(&'static str, &'static str)],
    expected: String,
    findings: Vec<String>,
}

impl Case {
    fn new(server: &Server, (encoding, special): (&'static str, &str), number: usize) -> Self {
        let source = empty(server, encoding);
        load(&source, encoding, special);
        let role = unique_name("values_");
        server.sql("postgres", &format!("create role {role} superuser login;"));
        let (of_database, of_role) = (HOSTILE[number % HOSTILE.len()], HOSTILE[(number + 1) % HOSTILE.len()]);
        let expected = bits(&source, encoding);
        assert!(expected.lines().count() > 25, "{expected}");
        set(&source, None, of_database);
        set(&source, Some(&role), of_role);
        Self { source, encoding, role, of_database, of_role, expected, findings: Vec::new() }
    }

    fn as_role(&self, database: &Database) -> String {
        database.url().replace("postgres@", &format!("{}@", self.role))
    }

    fn found(&mut self, what: &str) {
        self.findings.push(format!("{} of {}: {what}", self.encoding, self.source.server.major));
    }

    fn compare(&mut self, copy: &Database, what: &str) {
        let found = bits(copy, self.encoding);
        let lost: Vec<&str> = self.expected.lines().filter(|line| !found.contains(line)).take(3).collect();
        if found != self.expected {
            let text = format!("{what}: {lost:?}");
            self.found(&text);
        }
    }

    /// A backup by the database's settings alone or by those of the role on top of them, and what restores make of it.
    fn round(&mut self, form: &[&str], is_role: bool) {
        let folder = shared_folder();
        let path = folder.path().join("archive");
        let text = path.to_str().expect("UTF-8");
        let url = if is_role { self.as_role(&self.source) } else { self.source.url() };
        let run = db(["backup", "-d", &url, "-o", text].iter().chain(form)).run();
        if run.code != Some(0) {
            return self.found(&run.transcript());
        }
        self.by_stock(&path, form);
        self.by_us(text, form);
    }

    fn by_stock(&mut self, path: &Path, form: &[&str]) {
        let copy = empty(&self.source.server, self.encoding);
        for error in stock_errors(&newest_server(), &copy, path, form.contains(&"plain")) {
            self.found(&format!("{form:?} by the stock program: {error}"));
        }
        self.compare(&copy, &format!("{form:?} by the stock program"));
    }

    /// Into a database that is set as the source is.
    fn by_us(&mut self, path: &str, form: &[&str]) {
        let copy = empty(&self.source.server, self.encoding);
        set(&copy, None, self.of_database);
        set(&copy, Some(&self.role), self.of_role);
        let run = db(["restore", path, "-d", &self.as_role(&copy), "--confirm", &copy.name, "-j", "2"]).run();
        if run.code != Some(0) {
            self.found(&run.transcript());
        }
        self.compare(&copy, &format!("{form:?} by db restore"));
    }

    /// A backup in a store, whose digests are compared with the restored rows.
    fn verified(&mut self) {
        let store = shared_folder();
        let place = store.path().to_str().expect("UTF-8");
        let copy = empty(&self.source.server, self.encoding);
        set(&copy, None, self.of_role);
        for arguments in [
            &["backup", "-d", &self.as_role(&self.source), "--store", place][..],
            &["restore", "latest", "--store", place, "-d", &copy.url(), "--confirm", &copy.name],
            &["verify", "latest", "--store", place, "--against", &copy.url()],
        ] {
            if arguments[0] == "verify" {
                // the settings of a database are compared, too
                copy.server.sql("postgres", &format!("alter database {} reset all;", copy.name));
                set(&copy, None, self.of_database);
                set(&copy, Some(&self.role), self.of_role);
            }
            let run = db(arguments).run();
            if run.code != Some(0) {
                return self.found(&run.transcript());
            }
        }
    }

    fn end(self) -> Vec<String> {
        let Self { source, role, findings, .. } = self;
        let server = source.server.clone();
        drop(source);
        server.sql("postgres", &format!("drop role {role};"));
        findings
    }
}

fn check(encoding: usize) {
    let mut findings = Vec::new();
    for (number, server) in servers().iter().enumerate() {
        let mut case = Case::new(server, ENCODINGS[encoding], encoding + number);
        case.round(&["-F", "custom"], false);
        case.round(&["-F", "directory", "-Z", "lz4"], true);
        case.round(&["-F", "plain", "-Z", "none"], true);
        case.verified();
        findings.extend(case.end());
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn values_come_back_in_utf8() {
    check(0);
}

#[test]
fn values_come_back_in_latin1() {
    check(1);
}

#[test]
fn values_come_back_in_euc_jp() {
    check(2);
}

#[test]
fn values_come_back_in_win1252() {
    check(3);
}

#[test]
fn values_come_back_without_an_encoding() {
    check(4);
}
