//! `verify --against`: a database that holds a thousand objects of every kind is broken in one way after the other, and each
//! breakage must be named; the database that is not broken passes.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::compat::load_zoo;
use crate::support::bin::{Run, db};
use crate::support::pg::{Database, Server, any_server, newest_server, servers};
use crate::support::repository;
use crate::verify::Kept;

/// What of the zoo is broken by nature, or is not restored as it was: rows of a hash partition by an enum, a
/// partition's own state of a trigger, a constraint that is not valid in the parent alone, subscriptions, which no copy of a
/// database has.
const TAME: &str = r#"
drop trigger tr_off on zoo_partition."by range";
truncate zoo_partition.by_enum;
drop table zoo_inheritance.unlogged_child;
do $$ declare subscription name; begin
    for subscription in select subname from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) loop
        execute format('alter subscription %I disable', subscription);
        execute format('alter subscription %I set (slot_name = none)', subscription);
        execute format('drop subscription %I', subscription);
    end loop;
end $$;
refresh materialized view shop.sales_by_month;
select lo_from_bytea(0, 'abc'), lo_create(77001);
"#;

/// The sample without its many rows, and the zoo.
fn filled(server: &Server) -> Database {
    let database = server.database();
    database.sql(&fs::read_to_string(repository().join("tests/sample/schema.sql")).expect("the sample's schema"));
    load_zoo(&database);
    database.sql(TAME);
    database
}

fn restored(kept: &Kept, server: &Server) -> Database {
    let copy = server.database_with("template template0");
    let (store, id) = (kept.folder.path().to_str().expect("UTF-8"), id(kept));
    db(["restore", &id, "--store", store, "-d", &copy.url(), "--confirm", &copy.name]).run().ok();
    copy
}

/// A backup of a part is not what `latest` means.
fn id(kept: &Kept) -> String {
    kept.open().1.id.to_string()
}

fn against(kept: &Kept, database: &Database) -> Run {
    let (store, id) = (kept.folder.path().to_str().expect("UTF-8"), id(kept));
    db(["verify", &id, "--store", store, "--against", &database.url(), "--output", "json"]).run()
}

fn result(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    document["result"].clone()
}

/// A statement, and what must name it.
struct Breakage {
    class: String,
    statement: String,
    kind: Option<String>,
    object: String,
}

fn breakages(database: &Database) -> Vec<Breakage> {
    let script = fs::read_to_string(repository().join("tests/live/breakages.sql")).expect("the breakages");
    let rows: Vec<Value> = serde_json::from_str(&database.sql(&script)).expect("JSON");
    let text = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
    rows.iter()
        .map(|row| Breakage {
            class: text(row, "class").expect("a class"),
            statement: text(row, "statement").expect("a statement"),
            kind: text(row, "kind"),
            object: text(row, "object").expect("an object"),
        })
        .collect()
}

/// Classes that do not disturb each other, and break one database together. What is in no group breaks one of its own.
const TOGETHER: &[&[&str]] = &[
    &["comments gone", "policies", "publications", "collations", "settings"],
    &["owners", "role settings"],
    &["rights given", "text search", "connection limit"],
    &["indexes", "foreign data", "sequences"],
    &["constraints", "statistics"],
    &["triggers", "rules"],
    &["views", "operators"],
    &["materialized views", "extensions"],
];

/// Whether it is about the database as a whole.
fn is_of_database(statement: &str) -> bool {
    ["comment on database ", "alter database "].iter().any(|begin| statement.starts_with(begin))
        || statement.contains(" on database ")
        || statement.contains(" in database ")
}

/// Breaks the database of a server in every way, after a backup in this form; returns how many of how many were named, by class,
/// and those that were not.
fn break_all(server: &Server, form: &str) -> (BTreeMap<String, (usize, usize)>, String) {
    let source = filled(server);
    let kept = Kept::new(&source, &["-F", form]);
    let base = restored(&kept, server);
    let whole = against(&kept, &base);
    let mut missed = String::new();
    if whole.code != Some(0) {
        let _ = writeln!(missed, "PostgreSQL {}: false alarms: {:#}", server.major, result(&whole)["findings"]);
    }
    let mut groups: BTreeMap<String, Vec<Breakage>> = BTreeMap::new();
    for breakage in breakages(&base) {
        let group = TOGETHER.iter().find(|group| group.contains(&breakage.class.as_str()));
        let name = group.map_or_else(|| breakage.class.clone(), |group| group.join(", "));
        groups.entry(name).or_default().push(breakage);
    }
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (group, mut breakages) in groups {
        // a script that does not make the database does not tell what is the database's own
        breakages.retain(|breakage| form != "plain" || !is_of_database(&breakage.statement));
        let broken = server.database_with(&format!("template {}", base.name));
        // statements about the database itself have the name of the one that they were made in
        let script: String = breakages.iter().map(|b| b.statement.replace(&base.name, &broken.name) + ";\n").collect();
        broken.sql(&format!("set client_min_messages = warning;\n{script}"));
        let run = against(&kept, &broken);
        let findings = result(&run)["findings"].as_array().cloned().unwrap_or_default();
        let named: HashSet<(&str, &str)> = (findings.iter())
            .map(|finding| {
                (finding["kind"].as_str().unwrap_or_default(), finding["object"].as_str().unwrap_or_default())
            })
            .collect();
        let is_named = |breakage: &Breakage| {
            let is_kind = |kind: &str| breakage.kind.as_deref().is_none_or(|wanted| wanted == kind);
            named.iter().any(|(kind, object)| is_kind(kind) && object.contains(&breakage.object))
        };
        for breakage in &breakages {
            let is_named = is_named(breakage);
            let count = counts.entry(breakage.class.clone()).or_default();
            *count = (count.0 + usize::from(is_named), count.1 + 1);
            if !is_named {
                let _ = writeln!(missed, "PostgreSQL {}, {group}: {}", server.major, breakage.statement);
            }
        }
        if run.code != Some(4) {
            let _ = writeln!(missed, "PostgreSQL {}, {group}: exit {:?}", server.major, run.code);
        }
    }
    (counts, missed)
}

fn breakages_are_named(form: &str, servers: &[Server]) {
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = servers.iter().map(|server| scope.spawn(move || break_all(server, form))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut all_missed = String::new();
    for (server, (counts, missed)) in servers.iter().zip(results) {
        let total = counts.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        println!("PostgreSQL {}, {form}: {} of {} breakages are named", server.major, total.0, total.1);
        for (class, (found, total)) in &counts {
            println!("  {class}: {found} of {total}");
        }
        assert!(total.1 >= 900, "PostgreSQL {}: only {} breakages", server.major, total.1);
        all_missed.push_str(&missed);
    }
    assert!(all_missed.is_empty(), "{form}: {all_missed}");
}

#[test]
fn every_single_breakage_of_a_restored_database_is_named_and_the_whole_one_passes() {
    breakages_are_named("custom", &servers());
}

#[test]
fn every_single_breakage_is_named_after_a_plain_backup_too() {
    // what differs from major to major is the same in every form
    breakages_are_named("plain", &[any_server(), newest_server()]);
}

#[test]
fn a_database_that_moved_to_another_major_passes_and_what_cannot_be_compared_is_listed() {
    for (from, to) in moves() {
        let source = from.database();
        source.sql(&fs::read_to_string(repository().join("tests/sample/schema.sql")).expect("the sample's schema"));
        let kept = Kept::new(&source, &[]);
        let copy = restored(&kept, &to);
        let run = against(&kept, &copy);
        assert_eq!(run.code, Some(0), "{} to {}: {:#}", from.major, to.major, result(&run)["findings"]);
        copy.sql(
            "alter policy own_team on staff.member using (true);
             create or replace function staff.current_team() returns integer language sql stable as 'select 7';
             comment on schema shop is 'broken';
             create or replace view shop.open_purchase as select id, customer_id, ordered_at, status from shop.purchase;
             drop materialized view shop.sales_by_month cascade;",
        );
        let run = against(&kept, &copy).expect_code(4);
        let document = result(&run);
        let findings = document["findings"].to_string();
        for object in ["staff.member.own_team", "FUNCTION staff.current_team()", "SCHEMA shop", "shop.sales_by_month"] {
            assert!(findings.contains(object), "{} to {}, {object}: {findings}", from.major, to.major);
        }
        let live = document["levels"].as_array().into_iter().flatten().find(|level| level["level"] == "live");
        let left = live.map(|level| level["not_checked"].to_string()).unwrap_or_default();
        assert!(left.contains("VIEW shop.open_purchase"), "{} to {}: {left}", from.major, to.major);
    }
}

/// From the oldest server to the newest, and back from there to the one before.
fn moves() -> Vec<(Server, Server)> {
    let all = servers();
    let pairs =
        [(all.first(), all.last()), (all.first(), all.get(1)), (all.get(1), all.last()), (all.last(), all.get(1))];
    let pairs = pairs.into_iter().filter_map(|(from, to)| Some((from?.clone(), to?.clone())));
    pairs.filter(|(from, to)| from.major != to.major).collect()
}

#[test]
fn definitions_are_compared_of_backups_in_every_form() {
    let server = newest_server();
    let database = server.database();
    database.sql("create table t (id int primary key); create view v as select id from t; comment on view v is 'a';");
    for form in [
        &["-F", "custom"][..],
        &["-F", "directory"],
        &["-F", "tar"],
        &["-F", "plain"],
        &["-F", "plain", "--inserts", "--clean", "--if-exists"],
        &["-F", "plain", "--no-owner", "--no-tablespaces", "--no-table-access-method", "--quote-all-identifiers"],
    ] {
        let kept = Kept::new(&database, form);
        let copy = restored(&kept, &server);
        let whole = against(&kept, &copy);
        assert_eq!(whole.code, Some(0), "{form:?}: {:#}", result(&whole)["findings"]);
        copy.sql("comment on view v is 'b'");
        let broken = against(&kept, &copy);
        assert_eq!(broken.code, Some(4), "{form:?}: {broken:?}");
        let findings = result(&broken)["findings"].clone();
        let has_kind = |kind: &str| findings.as_array().into_iter().flatten().any(|finding| finding["kind"] == kind);
        assert!(has_kind("comment"), "{form:?}: {findings:#}");
    }
}

#[test]
fn a_plain_backup_of_names_with_line_ends_and_bodies_like_scripts_is_compared() {
    let server = newest_server();
    let database = server.database();
    database.sql(HOSTILE);
    for form in [&["-F", "plain"][..], &["-F", "plain", "--inserts"], &["-F", "plain", "--rows-per-insert", "2"]] {
        let kept = Kept::new(&database, form);
        let copy = restored(&kept, &server);
        let whole = against(&kept, &copy);
        assert_eq!(whole.code, Some(0), "{form:?}: {:#}", result(&whole)["findings"]);
        for (statement, object) in [
            ("comment on table s.\"a\nb\" is 'other'", "TABLE \"a\nb\""),
            (
                "alter table \"x\ny\".\"t; Type: VIEW; Schema: s; Owner: o\" owner to pg_monitor",
                "t; Type: VIEW; Schema: s; Owner: o",
            ),
            ("create or replace function s.body() returns text language sql as 'select 1::text'", "s.body()"),
            ("insert into s.\"a\nb\" values (7)", "s.a\\nb"),
        ] {
            let broken = server.database_with(&format!("template {}", copy.name));
            broken.sql(statement);
            let run = against(&kept, &broken).expect_code(4);
            let findings = result(&run)["findings"].clone();
            let is_named = findings.as_array().into_iter().flatten().any(|finding| {
                let name = finding["object"].as_str().unwrap_or_default();
                name.contains(object) || name.replace('\n', "\\n").contains(object)
            });
            assert!(is_named, "{form:?}, {statement}: {findings:#}");
        }
    }
}

/// Names and texts that look like parts of a script.
const HOSTILE: &str = r#"
create schema s; create schema "x
y";
create table s.note (id int, body text);
create table s."a
b" ("c
d" int);
create table s."a b" ("c d" int);
comment on table s."a
b" is 'one';
comment on table s."a b" is 'COPY s.note (id, body) FROM stdin;
9	no
\.
';
create table "x
y"."t; Type: VIEW; Schema: s; Owner: o" (a int);
insert into s.note values (1, 'a'), (2, 'INSERT INTO s.note VALUES (3);'), (3, E'x
\.
--
-- Data for Name: a b; Type: TABLE DATA; Schema: s; Owner: o
--
');
insert into s."a
b" values (1), (2);
insert into s."a b" values (1), (2), (3);
insert into "x
y"."t; Type: VIEW; Schema: s; Owner: o" values (5);
create function s.body() returns text language sql as $$ /*
--
-- Data for Name: note; Type: TABLE DATA; Schema: s; Owner: postgres
--

COPY s.note (id, body) FROM stdin;
INSERT INTO s.note VALUES (4, 'no');
\.

*/ select 'x'::text
$$;
create view s.like_rows as select '
COPY s.note (id, body) FROM stdin;
\.
'::text as a, '
-- Name: no; Type: TABLE; Schema: s; Owner: o
' as b;
create table s.defaults (a text default '
COPY s."a b" ("c d") FROM stdin;
INSERT INTO s."a b" VALUES (1);
', b text check (b <> '
--
-- PostgreSQL database dump complete
--
'));
insert into s.defaults default values;
"#;

#[test]
fn a_backup_of_a_part_is_compared_as_far_as_it_goes() {
    let server = any_server();
    let database = filled(&server);
    let copy = {
        let kept = Kept::new(&database, &[]);
        restored(&kept, &server)
    };
    for options in [
        &["-t", "shop.customer", "-t", "shop.customer_overview"][..],
        &["-n", "shop", "-n", "billing"],
        &["-N", "zoo*", "--no-comments", "--no-privileges"],
        &["-s"],
        &["-a"],
        &["--quote-all-identifiers"],
        &["--section=post-data"],
        &["--no-toast-compression", "--no-publications", "--no-policies"],
    ] {
        let kept = Kept::new(&database, options);
        let run = against(&kept, &copy);
        assert_eq!(run.code, Some(0), "{options:?}: {:#}", result(&run)["findings"]);
    }
}
