//! Verdicts on what people have: whatever is as it should be passes, in every way of looking, and what is broken is named.

use std::fs;

use serde_json::Value;

use crate::support::bin::{Run, db};
use crate::support::pg::{Database, Server, server, servers, shared_folder};
use crate::verify::Kept;

fn store(kept: &Kept) -> String {
    kept.folder.path().to_str().expect("UTF-8").to_owned()
}

fn restore(kept: &Kept, copy: &Database, options: &[&str]) -> Run {
    let arguments = ["restore", "latest", "--store", &store(kept), "-d", &copy.url(), "--confirm", &copy.name];
    db(arguments.iter().chain(options)).run()
}

fn against(kept: &Kept, database: &Database, options: &[&str]) -> Run {
    let arguments = ["verify", "latest", "--store", &store(kept), "--against", &database.url(), "--output", "json"];
    db(arguments.iter().chain(options)).run()
}

fn findings(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    document["result"]["findings"].clone()
}

/// Objects that were named, each with the kind of its finding.
fn named(run: &Run) -> Vec<String> {
    let all = findings(run);
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let each = |finding: &Value| format!("{} {}", text(finding, "kind"), text(finding, "object"));
    all.as_array().into_iter().flatten().map(each).collect()
}

/// A backup of the database passes, against the database itself, restored, and drilled.
fn passes_everywhere(source: &Database, options: &[&str]) -> (Kept, Database) {
    let server = &source.server;
    let kept = Kept::new(source, options);
    let context = format!("PostgreSQL {}, {options:?}", server.major);
    let here = against(&kept, source, &[]);
    assert_eq!(here.code, Some(0), "{context}, the source: {:#}", findings(&here));
    let copy = server.database_with("template template0");
    restore(&kept, &copy, &[]).ok();
    let there = against(&kept, &copy, &[]);
    assert_eq!(there.code, Some(0), "{context}, restored: {:#}", findings(&there));
    let drill = db(["drill", "latest", "--store", &store(&kept), "--on", &server.url("postgres")]).run();
    assert_eq!(drill.code, Some(0), "{context}, drilled: {drill:?}");
    (kept, copy)
}

#[test]
fn composite_types_of_extensions_are_no_tables_and_do_not_fill_a_database() {
    for server in servers() {
        let source = server.database();
        source.sql(
            "create extension tablefunc; create extension dblink;
             create type mine as (a integer, b text); create table t (m mine); insert into t values (row(1, 'x'));",
        );
        let (kept, copy) = passes_everywhere(&source, &[]);
        // the type that is the user's is expected still
        copy.sql("alter type mine add attribute c integer cascade");
        let broken = against(&kept, &copy, &[]).expect_code(4);
        assert!(named(&broken).iter().any(|object| object.contains("public.mine")), "{broken:?}");
        let full = server.database();
        full.sql("create extension tablefunc; create extension dblink;");
        restore(&kept, &full, &[]).ok();
        full.sql("drop table t");
        let again = restore(&kept, &full, &[]);
        assert_ne!(again.code, Some(0), "the user's own type is something");
    }
}

#[test]
fn an_index_may_have_the_name_of_a_constraint_that_is_not_its_own() {
    for server in servers() {
        let source = server.database();
        source.sql(
            "create table parent (id integer primary key);
             create table child (id integer, parent integer,
                constraint twin foreign key (parent) references parent, constraint other check (id > 0),
                constraint own unique (id));
             create index twin on child (parent); create index other on child (id);",
        );
        for form in ["custom", "plain"] {
            let (kept, copy) = passes_everywhere(&source, &["-F", form]);
            copy.sql("drop index twin; alter table child drop constraint other;");
            let broken = against(&kept, &copy, &[]).expect_code(4);
            let broken = named(&broken);
            for object in ["index public.child.twin", "constraint public.child.other"] {
                assert!(broken.iter().any(|one| one == object), "{object}: {broken:?}");
            }
            assert_eq!(broken.len(), 2, "{broken:?}");
        }
    }
}

#[test]
fn an_index_that_is_not_valid_is_said_to_be_left_out_and_not_expected() {
    for server in servers() {
        let source = server.database();
        source.sql("create table t (id integer); insert into t values (1), (1); create index good on t (id);");
        // it fails, and leaves what it began
        drop(server.run("psql", &["-Xq", "-d", &source.url(), "-c", "create unique index concurrently bad on t (id)"]));
        assert_eq!(source.sql("select indisvalid from pg_index where indexrelid = 'bad'::regclass"), "f");
        let folder = shared_folder();
        let file = folder.path().join("t.dump");
        let run = db(["backup", "-d", &source.url(), "-o", file.to_str().expect("UTF-8")]).run().ok();
        assert!(run.stderr.contains("index public.bad is not valid and is left out"), "{}", run.stderr);
        let (kept, copy) = passes_everywhere(&source, &[]);
        copy.sql("update pg_index set indisvalid = false where indexrelid = 'good'::regclass");
        let broken = against(&kept, &copy, &[]).expect_code(4);
        assert_eq!(named(&broken), ["index public.t.good"]);
    }
}

/// A table that is an extension's, whose own rows are told by a condition.
fn configured(database: &Database, is_filled: bool) {
    database.sql(
        "create extension hstore schema public;
         create table public.setting (name text, is_own boolean);
         insert into public.setting values ('delivered', false);
         alter extension hstore add table public.setting;
         update pg_catalog.pg_extension set extconfig = array['public.setting'::regclass::oid],
            extcondition = array['where is_own'] where extname = 'hstore';",
    );
    if is_filled {
        database.sql("insert into public.setting values ('mine', true), ('too', true)");
    }
}

#[test]
fn rows_of_an_extensions_configuration_tables_are_compared_with_its_condition() {
    for server in servers() {
        let source = server.database();
        configured(&source, true);
        for form in [&["-F", "custom"][..], &["-F", "plain"], &["-F", "directory", "-a"]] {
            let kept = Kept::new(&source, form);
            let context = format!("PostgreSQL {}, {form:?}", server.major);
            let here = against(&kept, &source, &[]);
            assert_eq!(here.code, Some(0), "{context}: {here:?}");
            // what the hack made is in the extension's script of no server: the target has it already
            let copy = server.database();
            configured(&copy, false);
            restore(&kept, &copy, &[]).ok();
            let there = against(&kept, &copy, &[]);
            assert_eq!(there.code, Some(0), "{context}: {there:?}");
            copy.sql("insert into public.setting values ('delivered later', false)");
            against(&kept, &copy, &[]).expect_code(0);
            copy.sql("update public.setting set name = 'other' where name = 'mine'");
            assert_eq!(named(&against(&kept, &copy, &[]).expect_code(4)), ["row_digest public.setting"], "{context}");
            copy.sql("alter extension hstore drop table public.setting; drop table public.setting");
            let gone = named(&against(&kept, &copy, &[]).expect_code(4));
            assert!(gone.contains(&"table_missing public.setting".to_owned()), "{context}: {gone:?}");
        }
    }
}

/// An extension of our own, in a folder that the server looks into.
fn own_extension() -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = shared_folder();
    let inside = folder.path().join("extension");
    fs::create_dir(&inside).expect("a folder");
    for path in [folder.path(), &inside] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own folder");
    }
    let control = "default_version = '1.0'\nrelocatable = false\nschema = kept\n";
    fs::write(inside.join("pgproof_kept.control"), control).expect("a file");
    fs::write(
        inside.join("pgproof_kept--1.0.sql"),
        "create table @extschema@.setting (name text, is_own boolean);
         insert into @extschema@.setting values ('delivered', false);
         create sequence @extschema@.counter;
         create type @extschema@.pair as (a integer, b integer);
         select pg_catalog.pg_extension_config_dump('@extschema@.setting', 'where is_own');
         select pg_catalog.pg_extension_config_dump('@extschema@.counter', '');",
    )
    .expect("a file");
    let path = folder.path().display().to_string();
    (folder, format!("?options=-c%20extension_control_path%3D{path}:%24system"))
}

#[test]
fn an_extension_with_configuration_rows_is_restored_verified_and_drilled() {
    // older servers have one folder for all extensions
    let Some(server) = server(18) else { return };
    let (_folder, options) = own_extension();
    let url = |server: &Server, database: &str| format!("{}{options}", server.url(database));
    let source = server.database();
    let script = "create extension pgproof_kept; insert into kept.setting values ('mine', true);
        select nextval('kept.counter'), nextval('kept.counter');";
    server.stdout("psql", &["-Xq", "-v", "ON_ERROR_STOP=1", "-d", &url(&server, &source.name), "-c", script]);
    for form in ["custom", "plain"] {
        let kept = Kept::new(&source, &["-F", form]);
        let copy = server.database();
        let copy_url = url(&server, &copy.name);
        db(["restore", "latest", "--store", &store(&kept), "-d", &copy_url, "--confirm", &copy.name]).run().ok();
        assert_eq!(copy.sql("select count(*) from kept.setting"), "2");
        let there = against(&kept, &copy, &[]);
        assert_eq!(there.code, Some(0), "{form}: {there:?}");
        let drill = db(["drill", "latest", "--store", &store(&kept), "--on", &url(&server, "postgres")]).run();
        assert_eq!(drill.code, Some(0), "{form}: {drill:?}");
        copy.sql("delete from kept.setting where is_own");
        assert_eq!(named(&against(&kept, &copy, &[]).expect_code(4)), ["row_count kept.setting"]);
    }
}

/// Some of everything that options of a restore leave out, owned by a role that is not who restores.
const OWNED: &str = "
    create schema app authorization sample_owner;
    set role sample_owner;
    create type app.pair as (a integer, b integer);
    create table app.item (id integer generated always as identity primary key, serial serial, name text not null unique,
        pair app.pair, constraint named check (name <> ''));
    create table app.part (id integer references app.item, at date) partition by range (at);
    create table app.part_2026 partition of app.part for values from ('2026-01-01') to ('2027-01-01');
    create index on app.part (at);
    alter table app.item enable row level security;
    create policy own on app.item for select to sample_reader using (name = current_user);
    comment on table app.item is 'things'; comment on policy own on app.item is 'only their own';
    create function app.total(a integer, b integer default 1) returns bigint language sql as 'select count(*) from app.item';
    create function app.touch() returns trigger language plpgsql as 'begin return new; end';
    create trigger touch before update on app.item for each row execute function app.touch();
    create view app.names as select name from app.item;
    create materialized view app.counted as select count(*) from app.item;
    insert into app.item (name) values ('a'), ('b'); insert into app.part values (1, '2026-05-05');
    grant select on app.item to sample_reader; grant execute on function app.total to sample_reader;
    revoke delete on app.item from sample_owner; grant usage on schema app to sample_reader;
    reset role;
    create table public.other (id integer primary key); insert into public.other values (1);
    select lo_from_bytea(0, 'abc');";

#[test]
fn a_restore_with_options_is_verified_and_drilled_with_the_same() {
    for server in servers() {
        let source = server.database();
        source.sql(&format!(
            "{}
             drop schema if exists shop, staff, billing cascade; {OWNED}",
            fs::read_to_string(crate::support::repository().join("tests/sample/schema.sql"))
                .expect("the sample's schema")
        ));
        let custom = Kept::new(&source, &["-F", "custom"]);
        let plain = Kept::new(&source, &["-F", "plain"]);
        for (kept, options, before) in [
            (&custom, &["--no-owner"][..], ""),
            (&custom, &["--no-owner", "--role", "postgres"], ""),
            (&custom, &["--no-privileges"], ""),
            (&custom, &["--no-owner", "--no-privileges", "--no-comments"], ""),
            (&custom, &["--no-policies", "--no-comments"], ""),
            (&custom, &["--no-tablespaces", "--no-table-access-method"], ""),
            (&custom, &["--schema-only"], ""),
            (&custom, &["--schema", "app"], ""),
            (&custom, &["--exclude-schema", "public"], ""),
            (&custom, &["--schema", "public"], ""),
            (&custom, &["--table", "app.item"], "create schema app; create type app.pair as (a integer, b integer)"),
            (&custom, &["--table", "other", "--no-owner"], ""),
            (&plain, &["--no-owner"], ""),
            (&plain, &["--no-privileges", "--no-comments"], ""),
        ] {
            let context = format!("PostgreSQL {}, {options:?}", server.major);
            let copy = server.database_with("template template0");
            copy.sql(before);
            let run = restore(kept, &copy, options);
            // a table alone may lack what its statement names
            assert_eq!(run.code, Some(0), "{context}: {run:?}");
            let run = against(kept, &copy, options);
            assert_eq!(run.code, Some(0), "{context}: {:#} {}", findings(&run), run.stderr);
            let table = if matches!(options, ["--schema", "public"] | ["--table", "other", ..]) {
                "public.other"
            } else {
                "app.item"
            };
            copy.sql(&format!("alter table {table} add column more integer"));
            let broken = named(&against(kept, &copy, options).expect_code(4));
            assert!(broken.iter().any(|one| one.contains(table)), "{context}: {broken:?}");
            if before.is_empty() {
                let on = server.url("postgres");
                let place = store(kept);
                let arguments = ["drill", "latest", "--store", &place, "--on", &on];
                let drill = db(arguments.iter().chain(options)).run();
                assert_eq!(drill.code, Some(0), "{context}, drilled: {drill:?}");
            }
        }
    }
}

#[test]
fn options_of_a_restore_hide_nothing_else() {
    for server in servers() {
        let source = server.database();
        source.sql(
            &fs::read_to_string(crate::support::repository().join("tests/sample/schema.sql")).expect("the sample"),
        );
        source.sql(OWNED);
        let kept = Kept::new(&source, &[]);
        let copy = server.database_with("template template0");
        restore(&kept, &copy, &["--no-owner"]).ok();
        let name = |statement: &str, options: &[&str]| {
            let broken = server.database_with(&format!("template {}", copy.name));
            broken.sql(statement);
            named(&against(&kept, &broken, options).expect_code(4))
        };
        let whose = name("alter table app.item owner to sample_reader", &["--no-owner", "--role", "postgres"]);
        assert!(whose.contains(&"owner app.item".to_owned()), "{whose:?}");
        for (statement, object) in [
            ("revoke select on app.item from sample_reader", "rights app: TABLE item"),
            ("grant insert on app.item to sample_reader", "rights app: TABLE item"),
            ("drop policy own on app.item", "policy app.item.own"),
            ("drop index app.part_at_idx", "index app.part.part_at_idx"),
            ("comment on table app.item is 'x'", "comment app: TABLE item"),
            ("delete from public.other", "row_count public.other"),
            ("create table app.more ()", "object_unexpected app.more"),
        ] {
            let found = name(statement, &["--no-owner"]);
            assert!(found.contains(&object.to_owned()), "PostgreSQL {}, {statement}: {found:?}", server.major);
        }
        assert_ne!(against(&kept, &copy, &[]).code, Some(0), "owners are compared where they are not left out");
        let run = db(["verify", "latest", "--store", &store(&kept), "--no-owner"]).run().expect_code(2);
        assert!(run.stderr.contains("need --against"), "{}", run.stderr);
        let typo = against(&kept, &copy, &["--table", "no_such"]);
        assert_eq!(typo.code, Some(2), "{typo:?}");
    }
}

/// What servers of different majors make of the same statements.
const OTHER_MAJOR: &str = r#"
create table ref2 (id int, primary key (id)) partition by range (id);
create table ref2_1 partition of ref2 for values from (0) to (10);
create table ref2_2 partition of ref2 for values from (10) to (20) partition by range (id);
create table ref2_2a partition of ref2_2 for values from (10) to (15);
create table p (a int, b int, constraint "Named" foreign key (a) references ref2,
    foreign key (b) references ref2 on delete cascade) partition by list (a);
create table p1 partition of p for values in (1);
create table p2 (b int, a int);
alter table p2 add constraint p2_own foreign key (a) references ref2;
alter table p attach partition p2 for values in (2);
create table p3 partition of p for values in (3) partition by list (b);
create table p3x partition of p3 for values in (1);
create table self (id int primary key, up int references self) partition by range (id);
create table self1 partition of self for values from (0) to (10);
create table self2 partition of self for values from (10) to (20);
create table nonpart (a int references ref2, b int references self);
create table ident (id int generated always as identity, a int);
create type fr as range (subtype = float8);
create schema q; create type q."Odd Range" as range (subtype = int4);
create table nn (a int not null, b int); create table nn_child (c int) inherits (nn);
create domain d1 as int not null;
insert into ref2 values (1), (2), (11); insert into p values (1, 1), (2, 1); insert into nonpart values (1);
"#;

/// From 17 on.
const IDENTITY: &str = "
create table pid (id int generated always as identity, a int) partition by range (id);
create table pid1 partition of pid for values from (0) to (10);";

/// From 18 on.
const NAMED_NOT_NULL: &str = r#"
create table n18 (a int constraint "my nn" not null, b int, constraint odd not null b);
alter table n18 add c int; alter table n18 add constraint nv not null c not valid;
create table n18c () inherits (n18);"#;

#[test]
fn what_another_major_makes_of_the_same_is_no_difference() {
    for from in servers() {
        for to in servers() {
            let source = from.database();
            source.sql(OTHER_MAJOR);
            if from.major >= 17 {
                source.sql(IDENTITY);
            }
            // an older server knows no words for these
            if from.major >= 18 && to.major >= 18 {
                source.sql(NAMED_NOT_NULL);
            }
            let context = format!("{} to {}", from.major, to.major);
            let kept = Kept::new(&source, &[]);
            let copy = to.database_with("template template0");
            restore(&kept, &copy, &[]).ok();
            let run = against(&kept, &copy, &[]);
            assert_eq!(run.code, Some(0), "{context}: {:#}", findings(&run));
            let mut breakages = vec![
                ("alter table p drop constraint \"Named\"", "public.p.Named"),
                ("alter table nonpart drop constraint nonpart_a_fkey", "public.nonpart.nonpart_a_fkey"),
                ("alter table p detach partition p1", "public.p1"),
                ("alter table ident alter column id drop identity", "ident"),
                ("alter table nn alter column a drop not null", "public.nn.a"),
                ("drop type fr", "public.fr"),
            ];
            if from.major == to.major {
                // between majors the text of a domain is listed as not compared
                breakages.push(("alter domain d1 drop not null", "public.d1"));
            }
            if from.major >= 17 && to.major >= 17 {
                breakages.push(("alter table pid alter column id drop identity", "pid"));
            }
            for (statement, object) in breakages {
                let broken = to.database_with(&format!("template {}", copy.name));
                broken.sql(statement);
                let found = named(&against(&kept, &broken, &[]).expect_code(4));
                assert!(found.iter().any(|one| one.contains(object)), "{context}, {statement}: {found:?}");
            }
        }
    }
}

#[test]
fn functions_of_range_types_are_the_bootstrap_superusers_whoever_that_is() {
    for server in servers() {
        let source = server.database();
        source.sql(
            &fs::read_to_string(crate::support::repository().join("tests/sample/schema.sql")).expect("the sample"),
        );
        // as where the bootstrap superuser has another name
        source.sql(
            "create type public.spread as range (subtype = float8);
             create function public.spread(text) returns integer language sql as 'select 1';
             update pg_proc set proowner = 'sample_owner'::regrole where prorettype = 'public.spread'::regtype;",
        );
        let (kept, copy) = passes_everywhere(&source, &[]);
        copy.sql("drop function public.spread(text)");
        let broken = named(&against(&kept, &copy, &[]).expect_code(4));
        assert!(broken.iter().any(|one| one.contains("public.spread(text)")), "{broken:?}");
    }
}

#[test]
fn what_only_superusers_own_is_drilled_on_an_embedded_server() {
    let server = crate::support::pg::any_server();
    let role = crate::support::unique_name("r_");
    let source = server.database();
    source.sql(&format!(
        "create role {role} superuser; set role {role};
         create function public.watch() returns event_trigger language plpgsql as 'begin end';
         create event trigger watch on ddl_command_end when tag in ('DROP AGGREGATE') execute function public.watch();
         create foreign data wrapper odd;"
    ));
    let kept = Kept::new(&source, &[]);
    let drill = db(["drill", "latest", "--store", &store(&kept)]).run();
    source.sql(&format!("drop owned by {role}"));
    server.sql("postgres", &format!("drop role {role}"));
    assert_eq!(drill.code, Some(0), "{drill:?}");
}

#[test]
fn a_scratch_server_that_is_older_than_the_source_is_refused_unless_asked_for() {
    let (older, newer) = (crate::support::pg::any_server(), crate::support::pg::newest_server());
    let source = newer.database();
    source.sql("create table t (id integer); insert into t values (1)");
    let kept = Kept::new(&source, &[]);
    let place = store(&kept);
    let on = older.url("postgres");
    let refused = db(["drill", "latest", "--store", &place, "--on", &on]).run();
    assert_eq!(refused.code, Some(6), "{refused:?}");
    let said = format!("the scratch server is PostgreSQL {}, the source was {}", older.major, newer.major);
    assert!(refused.stderr.contains(&said) && refused.stderr.contains("--allow-older-server"), "{}", refused.stderr);
    let drilled = db(["drill", "latest", "--store", &place, "--on", &on, "--allow-older-server"]).run().ok();
    assert!(drilled.stdout.contains(&said) || drilled.stderr.contains(&said), "{drilled:?}");
}
