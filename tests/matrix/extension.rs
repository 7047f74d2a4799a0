//! Rows that an extension asks to have dumped. Restoring them needs the extension's own script, so they are no part of the
//! matrix's database.

use std::fmt::Write as _;

use crate::support::bin::db;
use crate::support::pg::{newest_server, servers};

/// A member of the extension that only its catalog row says the rows of, where a condition holds.
const SQL: &str = "
    create schema kept;
    create extension hstore schema kept;
    create table kept.setting (name text, is_own boolean);
    insert into kept.setting values ('delivered', false), ('mine', true);
    create table kept.secret (name text);
    insert into kept.secret values ('not asked for');
    alter extension hstore add table kept.setting;
    alter extension hstore add table kept.secret;
    update pg_catalog.pg_extension set extconfig = array['kept.setting'::regclass::oid], extcondition = array['where is_own']
        where extname = 'hstore';";

const ROWS: &str = "COPY kept.setting (name, is_own) FROM stdin;\nmine\tt\n\\.\n";

/// Options, and whether the rows are shown.
const RUNS: [(&[&str], bool); 13] = [
    (&[], true),
    (&["-a"], true),
    (&["-s"], false),
    (&["--section=data"], true),
    (&["--section=post-data"], false),
    (&["-n", "kept"], true),
    (&["-n", "public"], false),
    (&["-N", "kept"], false),
    (&["-t", "kept.setting"], true),
    (&["-T", "kept.setting"], false),
    (&["-e", "hstore"], true),
    (&["--exclude-extension", "hstore", "-n", "public"], false),
    (&["--exclude-table-data", "kept.*"], false),
];

#[test]
fn rows_of_an_extensions_table_are_dumped_where_it_asks_for_them() {
    let mut report = String::new();
    for server in servers() {
        let source = server.database();
        source.sql(SQL);
        let url = source.url();
        for (options, is_shown) in RUNS {
            let ours =
                db(["backup", "-d", &url, "-F", "plain", "-Z", "none", "-o", "-"].iter().chain(options)).run().ok();
            let theirs = newest_server().stdout("pg_dump", &[&["-d", url.as_str()], options].concat());
            let ours = super::bench::without_header(&ours.stdout);
            if ours.contains(ROWS) != is_shown || ours.contains("not asked for") || ours.contains("CREATE TABLE") {
                let _ = writeln!(report, "{} {options:?}:\n{ours}", server.major);
            }
            if ours != super::bench::without_header(&theirs) {
                let _ = writeln!(report, "{} {options:?}: it is not what pg_dump writes", server.major);
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}
