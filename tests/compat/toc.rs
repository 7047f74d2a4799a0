//! Our table of contents is pg_dump's, entry by entry and in the same order: every field, the dependencies too. What is
//! chosen to differ stands in `DIFFERENCES.md`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use pgproof::archive::toc::{Entry, Toc};
use pgproof::backup::schema::toc_entry;
use pgproof::catalog::{read_attribute_statistics, read_database, read_shared, resolve};
use pgproof::object::EmitOptions;
use pgproof::plan::select::{Content, LargeObjects, List, Sections, Wanted};
use pgproof::plan::{build, select};
use pgproof::server::{Connection, Isolation, LockPatience, Setup, Spec, begin, export_snapshot, join, set_up};

use super::restore::{corpora, corpus_name, load_corpus, load_roles};
use super::{block_on, open};
use crate::support::bin::db;
use crate::support::pg::{Database, Server, newest_server, servers, shared_folder};
use crate::support::{repository, skipped, text_without_attver};

/// Our entries of a whole database.
fn ours(url: &str) -> Vec<Entry> {
    ours_of(url, Content::default(), &[])
}

/// Our entries of a part of a database.
fn ours_of(url: &str, content: Content, wanted: &[Wanted]) -> Vec<Entry> {
    ours_by(url, content, wanted, 0)
}

/// The same, read with so many other sessions.
fn ours_by(url: &str, content: Content, wanted: &[Wanted], helper_count: usize) -> Vec<Entry> {
    block_on(async {
        let spec = Spec { target: Some(url.to_owned()), ..Spec::default() };
        let options = spec.resolve(&|name| std::env::var(name).ok()).expect("the URL is one");
        let mut connection = Connection::connect(&options).await.expect("the server is there");
        set_up(&mut connection, &Setup::default()).await.expect("the session can be set up");
        begin(&mut connection, Isolation::RepeatableRead).await.expect("a transaction can begin");
        let database = read_database(&mut connection).await.expect("the database's own row");
        let selection = resolve(&mut connection, content, wanted, false).await.expect("the patterns mean something");
        let mark = |inventory: &mut _| {
            select::mark(inventory, &selection);
            Ok(())
        };
        let snapshot = export_snapshot(&mut connection).await.expect("a snapshot");
        let mut helpers = Vec::new();
        for _ in 0..helper_count {
            helpers.push(join(&options, &Setup::default(), &snapshot).await.expect("another session"));
        }
        let reading = read_shared(&mut connection, &mut helpers, LockPatience::default(), mark);
        let inventory = reading.await.expect("the catalog can be read");
        let options = EmitOptions {
            quote: pgproof::object::Quote::default(),
            include_acl: true,
            include_comments: true,
            include_security_labels: true,
            include_toast_compression: true,
            load_via_partition_root: false,
            inserts: None,
        };
        let mut plan = build(inventory, &selection, options, Some(&database)).expect("the dump can be ordered");
        read_attribute_statistics(&mut connection, &mut plan, options.quote).await.expect("the statistics can be read");
        plan.entries.iter_mut().map(toc_entry).collect()
    })
}

/// The newest pg_dump's entries of a database, from an archive without compression.
fn theirs(url: &str) -> Toc {
    theirs_of(url, &[])
}

fn theirs_of(url: &str, options: &[&str]) -> Toc {
    let folder = shared_folder();
    let file = folder.path().join("theirs.dump");
    let path = file.to_str().expect("UTF-8 path");
    let mut arguments = vec!["-Fc", "-Z0", "--no-sync", "-f", path, "-d", url];
    arguments.extend(options);
    newest_server().stdout("pg_dump", &arguments);
    open(&file).toc().clone()
}

/// Entries whose statement differs by choice; `DIFFERENCES.md` says why.
const CHOSEN: &[&str] = &["TABLE zoo_inheritance.nn18_quoted"];
const CHOSEN_BEFORE_18: &[&str] = &["TABLE zoo_inheritance.nn_child", "TABLE zoo_inheritance.own_not_null"];

/// What an entry is called in the list of differences, and by which the other archive's dependencies name it.
fn name(entry: &Entry) -> String {
    format!("{} {}.{}", entry.kind, entry.schema.as_deref().unwrap_or("-"), entry.tag)
}

/// A statement without what servers patched in November 2026 keep among a column's parameters and pg_dump 18.6 writes.
fn without_attver(text: Option<&str>) -> Option<String> {
    Some(text_without_attver(text?)).filter(|text| !text.is_empty())
}

/// A statement of pg_dump's as ours is to be: on servers before 15 without the word that they refuse (`DIFFERENCES.md`).
fn as_the_server_takes_it(text: Option<&str>, server_major: u32) -> Option<String> {
    let mut text = without_attver(text)?;
    if text.starts_with("CREATE SUBSCRIPTION ") {
        for (since, option) in [(14, ", streaming = off"), (16, ", run_as_owner = true")] {
            text = if server_major < since { text.replacen(option, "", 1) } else { text };
        }
    }
    let is_identity = text.starts_with("ALTER TABLE ") && text.contains(" AS IDENTITY (\n");
    Some(if is_identity && server_major < 15 { text.replacen("\n    LOGGED\n", "\n", 1) } else { text })
}

/// All of an entry that does not depend on numbers, as lines.
fn fields(entry: &Entry, names: &HashMap<i32, String>, create: Option<String>) -> Vec<String> {
    let mut needs: Vec<&str> = entry.dependencies.iter().filter_map(|id| names.get(id).map(String::as_str)).collect();
    needs.sort_unstable();
    vec![
        format!("section {:?}", entry.section),
        format!("owner {:?}", entry.owner),
        format!("catalog {} {}", entry.catalog_oid, entry.object_oid),
        format!("tablespace {:?} method {:?} kind {:?}", entry.tablespace, entry.access_method, entry.relation_kind),
        format!("create {create:?}"),
        format!("drop {:?}", entry.drop),
        format!("copy {:?} data {}", entry.copy, entry.has_data),
        format!("needs {needs:?}"),
    ]
}

fn names(entries: &[Entry]) -> HashMap<i32, String> {
    entries.iter().map(|entry| (entry.dump_id, name(entry))).collect()
}

/// The first differences, or nothing.
fn differences(ours: &[Entry], theirs: &[Entry], server_major: u32) -> String {
    const SHOWN_MAX: usize = 12;
    let (our_names, their_names) = (names(ours), names(theirs));
    let mut found = Vec::new();
    if ours.len() != theirs.len() {
        found.push(format!("{} entries, and pg_dump has {}", ours.len(), theirs.len()));
    }
    for (place, (our, their)) in ours.iter().zip(theirs).enumerate() {
        if name(our) != name(their) {
            found.push(format!("at {place}: {} stands where pg_dump has {}", name(our), name(their)));
            break;
        }
        let ours = fields(our, &our_names, without_attver(our.create.as_deref()));
        let theirs = fields(their, &their_names, as_the_server_takes_it(their.create.as_deref(), server_major));
        for (one, other) in ours.iter().zip(theirs) {
            let entry = name(our);
            let is_listed =
                CHOSEN.contains(&entry.as_str()) || (server_major < 18 && CHOSEN_BEFORE_18.contains(&entry.as_str()));
            let is_chosen = one.starts_with("create ") && is_listed;
            if *one != other && !is_chosen {
                found.push(format!("{}:\n    ours   {one}\n    theirs {other}", name(our)));
            }
        }
    }
    let mut text = String::new();
    for difference in found.iter().take(SHOWN_MAX) {
        let _ = writeln!(text, "  {difference}");
    }
    if found.len() > SHOWN_MAX {
        let _ = writeln!(text, "  and {} more", found.len() - SHOWN_MAX);
    }
    text
}

fn compare(server: &Server, database: &str, report: &mut String) {
    let url = server.url(database);
    let differences = differences(&ours(&url), &theirs(&url).entries, server.major);
    if !differences.is_empty() {
        let _ = writeln!(report, "PostgreSQL {}, database {database}:\n{differences}", server.major);
    }
}

/// Loads every file of the zoo.
pub(crate) fn load_zoo(database: &Database) {
    let folder = repository().join("tests/compat/zoo");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the zoo").map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    if !database.server.knows_icu() {
        skipped(&format!("collations of ICU: PostgreSQL {} was built without it here", database.server.major));
    }
    for file in &files {
        database.sql(&fs::read_to_string(file).expect("a zoo file"));
    }
}

#[test]
fn our_zoo_has_pg_dumps_entries() {
    let mut report = String::new();
    for server in servers() {
        let database = server.database();
        load_zoo(&database);
        compare(&server, &database.name, &mut report);
    }
    assert!(report.is_empty(), "{report}");
}

/// A label on every object that can have one (`SECURITY LABEL` in PostgreSQL's documentation), and on every column. No packaged
/// module provides labels, so that the rows are put into the catalog by hand: restoring them is not tried here.
const LABELS: &str = "
set allow_system_table_mods = on;
do $$
declare catalog regclass;
begin
    foreach catalog in array array['pg_class', 'pg_event_trigger', 'pg_language', 'pg_namespace', 'pg_proc', 'pg_publication', 'pg_type']
    loop
        execute format(
            'insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
             select oid, %s, 0, %L, %L from %s where oid > 16383',
            catalog::oid, 'a provider', 'it''s \\ one of ' || catalog, catalog);
    end loop;
end $$;
insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
select a.attrelid, 'pg_class'::regclass, a.attnum, 'other', 'of ' || a.attname
from pg_attribute a
join pg_class c on c.oid = a.attrelid
where c.oid > 16383 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and not a.attisdropped;
insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
select loid, 'pg_largeobject'::regclass, 0, 'other', 'of a large object' from (select lo_create(0) as loid) l;
insert into pg_shseclabel (objoid, classoid, provider, label)
select oid, 'pg_subscription'::regclass, 'other', 'of a subscription' from pg_subscription
where subdbid = (select oid from pg_database where datname = current_database());
";

#[test]
fn security_labels_are_pg_dumps() {
    let mut report = String::new();
    for server in servers() {
        let database = server.database();
        load_zoo(&database);
        database.sql(LABELS);
        compare(&server, &database.name, &mut report);
        let entries = ours(&database.url());
        let labels: Vec<_> = entries.iter().filter(|entry| entry.kind == "SECURITY LABEL").collect();
        assert!(labels.len() > 300, "{} on {}", labels.len(), server.major);
        assert!(labels.iter().any(|entry| entry.tag.starts_with("SUBSCRIPTION ")), "on {}", server.major);
        database.sql(
            "set allow_system_table_mods = on;
             delete from pg_shseclabel l using pg_subscription s, pg_database d where l.classoid = 'pg_subscription'::regclass
                and s.oid = l.objoid and d.oid = s.subdbid and d.datname = current_database();",
        );
    }
    assert!(report.is_empty(), "{report}");
}

/// A large catalog is read by several sessions, each of which asks about some of the objects.
#[test]
fn several_sessions_read_what_one_reads() {
    for server in servers() {
        let database = server.database();
        load_zoo(&database);
        let (one, three) = (ours(&database.url()), ours_by(&database.url(), Content::default(), &[], 2));
        assert!(one.len() > 200, "{}", one.len());
        assert_eq!(differences(&three, &one, server.major), "", "on {}", server.major);
    }
}

/// What is asked for: pg_dump's arguments, and the same for us.
type Choice = (&'static [&'static str], Content, Vec<Wanted>);

fn choices() -> Vec<Choice> {
    let all = Content::default;
    let wanted = |list, pattern: &str, with_children| Wanted { list, pattern: pattern.to_owned(), with_children };
    let section = |pre_data, data, post_data| Content { sections: Sections { pre_data, data, post_data }, ..all() };
    vec![
        (&["-s"], Content { data: false, ..all() }, vec![]),
        (&["-a"], Content { definitions: false, ..all() }, vec![]),
        (&["-s", "--sequence-data"], Content { data: false, sequence_data: true, ..all() }, vec![]),
        (&["-B"], Content { large_objects: LargeObjects::Never, ..all() }, vec![]),
        (&["--section=pre-data"], section(true, false, false), vec![]),
        (&["--section=data"], section(false, true, false), vec![]),
        (&["--section=post-data"], section(false, false, true), vec![]),
        (&["--no-policies"], Content { policies: false, ..all() }, vec![]),
        (&["--no-publications"], Content { publications: false, ..all() }, vec![]),
        (&["--no-unlogged-table-data"], Content { unlogged_data: false, ..all() }, vec![]),
        (&["-n", "public"], all(), vec![wanted(List::IncludeSchema, "public", false)]),
        (
            &["-b", "-n", "zoo*"],
            Content { large_objects: LargeObjects::Always, ..all() },
            vec![wanted(List::IncludeSchema, "zoo*", false)],
        ),
        (&["-N", "zoo_*"], all(), vec![wanted(List::ExcludeSchema, "zoo_*", false)]),
        (&["-t", "zoo_table.*"], all(), vec![wanted(List::IncludeTable, "zoo_table.*", false)]),
        (
            &["--table-and-children", "zoo_partition.*", "-T", "zoo_partition.k*"],
            all(),
            vec![
                wanted(List::IncludeTable, "zoo_partition.*", true),
                wanted(List::ExcludeTable, "zoo_partition.k*", false),
            ],
        ),
        (
            &["-a", "-t", "zoo*.*"],
            Content { definitions: false, ..all() },
            vec![wanted(List::IncludeTable, "zoo*.*", false)],
        ),
        (&["--exclude-table-data-and-children", "zoo*.*"], all(), vec![wanted(List::ExcludeTableData, "zoo*.*", true)]),
        (&["--exclude-extension", "*"], all(), vec![wanted(List::ExcludeExtension, "*", false)]),
        (&["-e", "plpgsql"], all(), vec![wanted(List::IncludeExtension, "plpgsql", false)]),
    ]
}

#[test]
fn parts_have_pg_dumps_entries() {
    let server = newest_server();
    let database = server.database();
    load_zoo(&database);
    let mut report = String::new();
    for (options, content, wanted) in choices() {
        let ours = ours_of(&database.url(), content, &wanted);
        let differences = differences(&ours, &theirs_of(&database.url(), options).entries, server.major);
        if !differences.is_empty() {
            let _ = writeln!(report, "{}:\n{differences}", options.join(" "));
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// What is asked for of the planner's statistics.
fn statistics_choices() -> Vec<Choice> {
    let all = || Content { statistics: true, ..Content::default() };
    let only = || Content { definitions: false, data: false, ..all() };
    let wanted = |list, pattern: &str, with_children| Wanted { list, pattern: pattern.to_owned(), with_children };
    let section = |pre_data, data, post_data| Sections { pre_data, data, post_data };
    vec![
        (&["--statistics"], all(), vec![]),
        (&["--statistics-only"], only(), vec![]),
        (&["--statistics", "--no-data"], Content { data: false, ..all() }, vec![]),
        (&["--statistics", "--no-schema"], Content { definitions: false, ..all() }, vec![]),
        (&["--statistics", "--section=pre-data"], Content { sections: section(true, false, false), ..all() }, vec![]),
        (&["--statistics", "--section=data"], Content { sections: section(false, true, false), ..all() }, vec![]),
        (&["--statistics", "--section=post-data"], Content { sections: section(false, false, true), ..all() }, vec![]),
        (
            &["--statistics-only", "--section=post-data"],
            Content { sections: section(false, false, true), ..only() },
            vec![],
        ),
        (&["--statistics", "-n", "zoo_stat*"], all(), vec![wanted(List::IncludeSchema, "zoo_stat*", false)]),
        (&["--statistics-only", "-N", "zoo_stat*"], only(), vec![wanted(List::ExcludeSchema, "zoo_stat*", false)]),
        (
            &["--statistics-only", "-t", "zoo_statistics.t", "-t", "zoo_statistics.late"],
            only(),
            vec![
                wanted(List::IncludeTable, "zoo_statistics.t", false),
                wanted(List::IncludeTable, "zoo_statistics.late", false),
            ],
        ),
        (
            &["--statistics", "--table-and-children", "zoo_statistics.parted"],
            all(),
            vec![wanted(List::IncludeTable, "zoo_statistics.parted", true)],
        ),
        (
            &["--statistics", "--exclude-table-data", "zoo_statistics.*"],
            all(),
            vec![wanted(List::ExcludeTableData, "zoo_statistics.*", false)],
        ),
    ]
}

/// The zoo, with what the planner can know of it.
fn load_analyzed_zoo(database: &Database) {
    load_zoo(database);
    // a foreign table whose wrapper reads nothing ends ANALYZE of all
    database.sql(
        "do $$
         declare r record;
         begin
             for r in select oid::regclass as name from pg_class where relkind in ('r', 'm', 'p') and oid > 16383 order by oid loop
                 begin
                     execute format('analyze %s', r.name);
                 exception when others then
                     raise notice '%', sqlerrm;
                 end;
             end loop;
         end $$;",
    );
}

#[test]
fn the_planners_statistics_are_pg_dumps() {
    let mut report = String::new();
    for server in servers() {
        let database = server.database();
        load_analyzed_zoo(&database);
        for (options, content, wanted) in statistics_choices() {
            let ours = ours_of(&database.url(), content, &wanted);
            let theirs = theirs_of(&database.url(), options).entries;
            assert_eq!(
                theirs.iter().any(|entry| entry.kind == "STATISTICS DATA"),
                !options.contains(&"--section=pre-data"),
                "{options:?}"
            );
            let differences = differences(&ours, &theirs, server.major);
            if !differences.is_empty() {
                let _ = writeln!(report, "PostgreSQL {}, {}:\n{differences}", server.major, options.join(" "));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// pg_dump adds the statistics of the partitioned index, which is not dumped: its archive does not restore.
#[test]
fn the_statistics_of_a_partition_are_its_own() {
    let server = newest_server();
    let database = server.database();
    load_analyzed_zoo(&database);
    let wanted =
        [Wanted { list: List::IncludeTable, pattern: "zoo_statistics.parted_1".to_owned(), with_children: false }];
    let content = Content { statistics: true, ..Content::default() };
    let tags = |entries: &[Entry]| -> Vec<String> {
        let entries = entries.iter().filter(|entry| entry.kind == "STATISTICS DATA");
        entries.map(|entry| entry.tag.clone()).collect()
    };
    let ours = tags(&ours_of(&database.url(), content, &wanted));
    let theirs = tags(&theirs_of(&database.url(), &["--statistics", "-t", "zoo_statistics.parted_1"]).entries);
    assert_eq!(ours, ["parted_1", "parted_1_expr_b_idx"]);
    assert_eq!(theirs, ["parted_1", "parted_1_expr_b_idx", "parted_expr_b_idx"]);
}

/// A filter file with every kind of line.
const FILTER: &str = r#"
# a comment
include schema zoo_t*
  include schema "zoo_partition"   # another one
exclude table zoo_table.k*
exclude table_data zoo_table."unlogged"
exclude table_data_and_children zoo_partition.*
include extension plpgsql
include foreign_data loop
"#;

const OTHER_FILTER: &str =
    "exclude schema zoo_foreign\nexclude extension postgres_fdw\nexclude table_and_children zoo_partition.*\n";

/// Both programs are called with the same options.
#[test]
fn options_mean_what_they_mean_to_pg_dump() {
    let server = newest_server();
    let database = server.database();
    load_zoo(&database);
    // a foreign table whose rows come from this very server
    database.sql(
        "create extension if not exists postgres_fdw;
         do $$ begin execute format('create server loop foreign data wrapper postgres_fdw options (host %L, port %L, dbname %L)',
             split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
         end $$;
         create user mapping for current_user server loop options (user 'postgres');
         create table public.near (a int); insert into public.near values (1), (2);
         create foreign table public.far (a int) server loop options (table_name 'near');",
    );
    let folder = shared_folder();
    let [filter, other] = [("filter", FILTER), ("other", OTHER_FILTER)].map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the shared folder is writable");
        path.to_str().expect("UTF-8").to_owned()
    });
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let run = |options: &[&str]| {
        let url = database.url();
        let mine = db(["backup", "-d", &url, "-o", ours.to_str().expect("UTF-8")].iter().chain(options)).run();
        let mut arguments = vec!["-Fc", "-Z0", "--no-sync", "-d", &url, "-f", theirs.to_str().expect("UTF-8")];
        arguments.extend(options);
        (mine, server.run("pg_dump", &arguments))
    };
    let mut report = String::new();
    for options in [
        &["--filter", &filter][..],
        &["--filter", &other],
        &["--filter", &filter, "--filter", &other, "-T", "zoo_type*.*"],
        &["--include-foreign-data", "loop"],
        &["--include-foreign-data", "l*", "-t", "far"],
        &["--strict-names", "-t", "zoo_table.*", "-n", "zoo_index"],
        &["-x"],
        &["-O"],
        &["-c", "--if-exists"],
        &["-C"],
        &["--no-comments"],
        &["--no-security-labels"],
        &["--no-subscriptions", "--no-publications"],
        &["--no-tablespaces", "--no-table-access-method"],
        &["--quote-all-identifiers", "-n", "zoo_table"],
        &["--exclude-table-data", "zoo_t*.*"],
        &["--no-data"],
        &["--no-data", "--sequence-data"],
        &["--no-schema"],
        &["--no-toast-compression"],
        &["--load-via-partition-root"],
        &["--enable-row-security"],
        &["--statistics"],
        &["--statistics-only"],
        &["--statistics", "--no-data"],
        &["-s", "--no-statistics"],
        &["--inserts"],
        &["--column-inserts", "--rows-per-insert", "10", "--on-conflict-do-nothing"],
        &["--attribute-inserts", "--inserts", "--load-via-partition-root"],
        &["--rows-per-insert=2147483647", "-a"],
        &["--inserts", "-s"],
        &["--disable-triggers", "-a"],
        &["--encoding", "utf-8"],
        &["-E", "SQL_ASCII"],
        &["--extra-float-digits=-15"],
        &["--extra-float-digits", "3"],
    ] {
        let (mine, stock) = run(options);
        assert!(stock.status.success(), "{}", String::from_utf8_lossy(&stock.stderr));
        mine.ok();
        let differences = differences(&open(&ours).toc().entries, &open(&theirs).toc().entries, server.major);
        if !differences.is_empty() {
            let _ = writeln!(report, "{}:\n{differences}", options.join(" "));
        }
    }
    assert!(report.is_empty(), "{report}");
    for options in [
        &["-t", "nothing"][..],
        &["-n", "nothing"],
        &["-e", "nothing"],
        &["--strict-names", "-t", "near", "-t", "nothing"],
        &["--include-foreign-data", "nothing"],
        &["-t", "a.b.c.d"],
        &["-t", "other_database.public.near"],
        &["-s", "-a"],
        &["-a", "--no-data"],
        &["-s", "--statistics"],
        &["-a", "--statistics"],
        &["-s", "--statistics-only"],
        &["--statistics", "--no-statistics"],
        &["--statistics-only", "--no-statistics"],
        &["-s", "--no-schema"],
        &["--restrict-key", "a b"],
        &["--snapshot", "nonsense"],
        &["-s", "--include-foreign-data", "loop"],
        &["--if-exists"],
        &["-a", "-c"],
        &["--filter", "/nowhere"],
        &["--on-conflict-do-nothing"],
        &["--rows-per-insert", "0"],
        &["--rows-per-insert", "2147483648"],
        &["--rows-per-insert", "x"],
        &["-E", "nonsense"],
        &["-E", ""],
        &["--extra-float-digits", "4"],
        &["--extra-float-digits=-16"],
        &["--extra-float-digits", "2x"],
    ] {
        let (mine, stock) = run(options);
        assert!(!stock.status.success(), "pg_dump takes {options:?}");
        assert!(matches!(mine.code, Some(code) if code != 0), "{}", mine.transcript());
    }
}

#[test]
fn the_sample_has_pg_dumps_entries() {
    let mut report = String::new();
    for server in servers() {
        let database = server.database();
        database.load_sample("1");
        compare(&server, &database.name, &mut report);
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn settings_of_the_database_change_no_entry() {
    let mut report = String::new();
    for server in servers() {
        let database = server.database();
        for setting in [
            "timezone = 'America/St_Johns'",
            "datestyle = 'German'",
            "intervalstyle = 'iso_8601'",
            "bytea_output = 'escape'",
            "extra_float_digits = -5",
            "search_path = 'odd', 'pg_catalog'",
            "quote_all_identifiers = on",
            "xmlbinary = 'hex'",
        ] {
            database.sql(&format!("alter database {} set {setting}", database.name));
        }
        database.sql(
            "create schema odd;
             create table odd.t (a timestamptz default '2026-11-21 12:00:00+00', b bytea default '\\x00ff5c', c interval default '1 day 02:03',
                 d date default '2026-02-01', e double precision default 0.1, f real check (f > 1e-7)) partition by range (a);
             create table odd.p partition of odd.t for values from ('2026-01-01 00:00:00+00') to ('2026-07-01 00:00:00+02');
             create view odd.v as select * from odd.t where a > '2026-03-03 03:03:03+03' and c < '25:00' and b <> '\\x5c27';
             create index on odd.p (a) where a > '2026-05-05 05:05:05+05';",
        );
        compare(&server, &database.name, &mut report);
    }
    assert!(report.is_empty(), "{report}");
}

/// The corpora are no part of the repository; where they are, a folder beside it has them.
#[test]
fn the_corpora_have_pg_dumps_entries() {
    let mut report = String::new();
    for server in servers() {
        load_roles(&server);
        for path in corpora(server.major) {
            let database = load_corpus(&server, &path);
            let before = report.len();
            compare(&server, &database.name, &mut report);
            if report.len() > before {
                let _ = writeln!(report, "(that is {})", corpus_name(&path));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}
