//! The client against real servers: logins, TLS, statements, COPY, snapshots, locks.

use std::time::Duration;

use pgproof::copy::Pool;
use pgproof::error::{ErrorKind, Result};
use pgproof::server::{
    Connection, Isolation, LockPatience, LockTarget, Options, Setup, Spec, Statement, TransactionStatus, begin,
    check_columns, export_snapshot, is_table_change, lock_tables, pin_values, set_up, sqlstate, take_over,
};

use super::support::pg::{Database, any_server, servers, shared_folder};
use super::support::unique_name;

fn options(target: &str) -> Options {
    let spec = Spec { target: Some(target.to_owned()), ..Spec::default() };
    spec.resolve(&|_| None).expect("the settings are complete")
}

async fn connect(target: &str) -> Result<Connection> {
    Connection::connect(&options(target)).await
}

/// A role that must log in by SCRAM, dropped at the end.
struct Role<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> Role<'a> {
    fn new(database: &'a Database, password: &str) -> Self {
        let name = unique_name("r_");
        let password = password.replace('\'', "''");
        database.sql(&format!("create role {name} login password '{password}' in role pgproof_scram;"));
        Self { database, name }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        self.database.sql(&format!("drop owned by {0}; drop role {0};", self.name));
    }
}

#[tokio::test]
async fn speaks_with_every_major() {
    for server in servers() {
        let mut connection = connect(&server.url("postgres")).await.unwrap();
        assert_eq!(connection.version().major(), server.major);
        let standing = set_up(&mut connection, &Setup::default()).await.unwrap();
        assert_eq!((standing.database.as_str(), standing.superuser), ("postgres", true));
        assert_eq!(standing.version.major(), server.major);
        assert!(standing.system_identifier.is_some());
        pin_values(&mut connection, &Setup::default()).await.unwrap();
        let settings = connection
            .query_one(
                "select pg_catalog.current_setting('search_path') as path, pg_catalog.current_setting('timezone') as zone,
                    pg_catalog.current_setting('row_security') as rls, pg_catalog.current_setting('client_encoding') as encoding",
                &[],
            )
            .await
            .unwrap();
        for (name, value) in [("path", ""), ("zone", "UTC"), ("rls", "off"), ("encoding", "UTF8")] {
            assert_eq!(settings.text(name).unwrap(), value, "{name}");
        }
        connection.close().await;
    }
}

#[tokio::test]
async fn logs_in_by_scram_with_and_without_tls() {
    let database = any_server().database();
    let role = Role::new(&database, "p:a'ss\\w/ö");
    let (host, port) = database.server.address();
    let name = &role.name;
    let with = |settings: &str| {
        format!("host={host} port={port} dbname={} user={name} password='p:a\\'ss\\\\w/ö' {settings}", database.name)
    };
    let authority = shared_folder().path().parent().expect("a folder").join("tls/ca.crt");
    let authority = authority.display();
    for (settings, encrypted) in [
        ("sslmode=disable".to_owned(), "f"),
        ("sslmode=allow".to_owned(), "f"),
        ("sslmode=prefer".to_owned(), "t"),
        ("sslmode=require channel_binding=require".to_owned(), "t"),
        ("sslmode=require channel_binding=disable".to_owned(), "t"),
        (format!("sslmode=verify-ca sslrootcert={authority}"), "t"),
        (format!("sslmode=verify-full sslrootcert={authority} channel_binding=require"), "t"),
        (format!("host=localhost hostaddr={host} sslmode=verify-full sslrootcert={authority}"), "t"),
        ("sslmode=require ssl_min_protocol_version=TLSv1.3".to_owned(), "t"),
    ] {
        let mut connection = connect(&with(&settings)).await.unwrap_or_else(|error| panic!("{settings}: {error}"));
        let sql = "select ssl from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";
        let row = connection.query_one(sql, &[]).await.unwrap();
        assert_eq!(row.text("ssl").unwrap(), encrypted, "{settings}");
    }
    for (settings, kind, text) in [
        ("password=wrong".to_owned(), ErrorKind::Authentication, "password authentication failed"),
        ("password=''".to_owned(), ErrorKind::Authentication, "asks for a password"),
        ("dbname=t_no_such_database".to_owned(), ErrorKind::NoDatabase, "does not exist"),
        ("sslmode=disable channel_binding=require".to_owned(), ErrorKind::Authentication, "channel binding"),
        (
            format!("host=other.test hostaddr={host} sslmode=verify-full sslrootcert={authority}"),
            ErrorKind::Connect,
            "TLS",
        ),
        ("sslmode=verify-full sslrootcert=system".to_owned(), ErrorKind::Connect, "TLS"),
        ("port=1".to_owned(), ErrorKind::Connect, "could not reach the server"),
    ] {
        let error = connect(&with(&settings)).await.err().unwrap_or_else(|| panic!("{settings} was let in"));
        assert_eq!(error.kind(), kind, "{settings}: {error}");
        assert!(error.to_string().contains(text), "{settings}: {error}");
        assert!(!error.to_string().contains("p:a'ss"), "{error}");
    }
    // the second of two hosts, and one that may not be written to
    let mut connection = connect(&with(&format!("port=1,{port} host={host},{host}"))).await.unwrap();
    connection.execute("select 1").await.unwrap();
    let error = connect(&with("target_session_attrs=standby")).await.err().unwrap();
    assert!(error.to_string().contains("server is not in hot standby mode"), "{error}");
}

#[tokio::test]
async fn logs_in_through_a_unix_socket_and_to_oddly_named_databases() {
    // a name that is no UTF-8 can be given only from a database without an encoding
    let plain = any_server().database_with("template template0 encoding 'SQL_ASCII' locale 'C'");
    let (_, port) = plain.server.address();
    let folder = shared_folder();
    let socket = folder.path().parent().expect("a folder").display().to_string();
    let bytes: Vec<u8> = (1..=255).filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    for part in bytes.chunks(60) {
        let name = pgproof::record::decode_text(part);
        let mut admin =
            connect(&format!("host={socket} port={port} dbname={} user=postgres", plain.name)).await.unwrap();
        let quoted = name.replace('"', "\"\"");
        admin
            .execute(&format!("create database \"{quoted}\" template template0 encoding 'SQL_ASCII' locale 'C'"))
            .await
            .unwrap();
        let there = async {
            let options = options("user=postgres dbname=postgres");
            let base = Options { hosts: self::options(&format!("host={socket} port={port}")).hosts, ..options };
            let mut connection = Connection::connect(&base.with_database(&name)).await?;
            set_up(&mut connection, &Setup::default()).await
        };
        let standing = there.await;
        admin.execute(&format!("drop database \"{quoted}\" with (force)")).await.unwrap();
        assert_eq!(standing.unwrap().database, name);
    }
}

#[tokio::test]
async fn runs_statements_and_stays_usable_after_errors() {
    let database = any_server().database();
    let mut connection = connect(&database.url()).await.unwrap();
    connection.execute("create table t (a int, b text); insert into t values (1, 'x'), (2, null)").await.unwrap();
    let rows = connection.query("select a, b from t where a >= $1::int order by a", &[Some("1")]).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].text("b").unwrap(), rows[1].optional("b").unwrap()), ("x", None));

    let error = connection.execute("select * from missing").await.unwrap_err();
    assert_eq!((error.kind(), sqlstate(&error)), (ErrorKind::Server, Some("42P01")));
    let statements = ["select 1 as n", "select 1/0 as n", "select 3 as n"];
    let pipeline: Vec<Statement<'_>> =
        statements.iter().map(|sql| Statement { name: "numbers", sql, parameters: &[] }).collect();
    let error = connection.pipeline(&pipeline).await.unwrap_err();
    assert!(error.message().starts_with("query \"numbers\": division by zero"), "{error}");
    let many: Vec<Statement<'_>> =
        (0..500).map(|_| Statement { name: "many", sql: "select repeat('x', 10000) as x", parameters: &[] }).collect();
    let results = connection.pipeline(&many).await.unwrap();
    assert!(results.iter().all(|rows| rows.len() == 1 && rows[0].text("x").unwrap().len() == 10_000));
    let error = connection.execute("copy t from stdin").await.unwrap_err();
    assert!(error.to_string().contains("not possible here"), "{error}");
    connection.execute("copy t to stdout").await.unwrap();

    connection.execute("begin").await.unwrap();
    assert_eq!(connection.transaction_status(), TransactionStatus::Open);
    connection.execute("select 1/0").await.unwrap_err();
    assert_eq!(connection.transaction_status(), TransactionStatus::Failed);
    connection.execute("rollback; do $$ begin raise notice 'hello'; end $$").await.unwrap();
    assert!(connection.take_notices().iter().any(|notice| notice.message == "hello"));

    let token = connection.cancel_token();
    let cancelled = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        token.cancel().await
    });
    let error = connection.execute("select pg_sleep(30)").await.unwrap_err();
    assert_eq!(sqlstate(&error), Some("57014"));
    cancelled.await.unwrap().unwrap();
}

#[tokio::test]
async fn copies_rows_of_all_sizes_through_unchanged() {
    for server in servers() {
        let database = server.database();
        let mut connection = connect(&database.url()).await.unwrap();
        connection
            .execute(
                "create table source (id int, t text);
                 insert into source select i, case when i % 10 = 0 then null else repeat(chr(9) || 'é\\', i % 50) end
                     from generate_series(1, 20000) i;
                 insert into source values (0, repeat('large', 1000000));
                 create table target (like source); create table nothing ()",
            )
            .await
            .unwrap();
        connection.execute("insert into nothing default values").await.unwrap();
        let mut pieces = Vec::new();
        let mut copy = connection.copy_out("copy source to stdout").await.unwrap();
        while let Some(piece) = copy.next().await.unwrap() {
            assert!(!piece.is_empty());
            pieces.push(piece);
        }
        assert_eq!(copy.finish().await.unwrap(), 20_001);
        let mut copy = connection.copy_in("copy target from stdin").await.unwrap();
        for piece in &pieces {
            copy.send(piece).await.unwrap();
        }
        assert_eq!(copy.finish().await.unwrap(), 20_001);
        let differ = "select count(*) as n from (table source except all table target) d";
        assert_eq!(connection.query_one(differ, &[]).await.unwrap().text("n").unwrap(), "0");

        let mut copy = connection.copy_out("copy nothing to stdout").await.unwrap();
        assert_eq!(copy.next().await.unwrap().unwrap().as_ref(), b"\n");
        assert_eq!(copy.next().await.unwrap(), None);
        assert_eq!(copy.finish().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_rejected_copy_leaves_the_connection_usable() {
    let database = any_server().database();
    let mut connection = connect(&database.url()).await.unwrap();
    connection.execute("create table t (a int check (a < 10))").await.unwrap();
    let error = connection.copy_in("copy missing from stdin").await.err().unwrap();
    assert_eq!(sqlstate(&error), Some("42P01"));

    // far more data than the socket holds, and the first row is wrong
    let mut copy = connection.copy_in("copy t from stdin").await.unwrap();
    let data = "secret\n".repeat(1_000_000);
    let mut failure = None;
    for piece in data.as_bytes().chunks(65536) {
        if let Err(error) = copy.send(piece).await {
            failure = Some(error);
            break;
        }
    }
    let error = match failure {
        Some(error) => error,
        None => copy.finish().await.unwrap_err(),
    };
    assert_eq!(sqlstate(&error), Some("22P02"));
    assert!(error.to_string().contains("COPY t, line 1, column a"), "{error}");
    connection.execute("select 1").await.unwrap();

    let mut copy = connection.copy_in("copy t from stdin").await.unwrap();
    copy.send(b"1\n11\n").await.unwrap();
    assert_eq!(sqlstate(&copy.finish().await.unwrap_err()), Some("23514"));
    let mut copy = connection.copy_in("copy t from stdin").await.unwrap();
    copy.send(b"1\n").await.unwrap();
    copy.abort("the source ended too early").await.unwrap();
    assert_eq!(connection.query_one("select count(*) as n from t", &[]).await.unwrap().text("n").unwrap(), "0");

    // given up in the middle: the connection says so
    let mut copy = connection
        .copy_out("copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout")
        .await
        .unwrap();
    copy.next().await.unwrap().unwrap();
    drop(copy);
    let error = connection.execute("select 1").await.unwrap_err();
    assert!(error.message().contains("left in the middle of a statement"), "{error}");
}

#[tokio::test]
async fn workers_see_the_snapshot_and_nothing_newer() {
    let database = any_server().database();
    database.sql("create table t (a int); insert into t values (1);");
    for isolation in [Isolation::RepeatableRead, Isolation::SerializableDeferrable] {
        let mut connection = connect(&database.url()).await.unwrap();
        let before = connection.query_one("select count(*) as n from t", &[]).await.unwrap().string("n").unwrap();
        begin(&mut connection, isolation).await.unwrap();
        let snapshot = export_snapshot(&mut connection).await.unwrap();
        database.sql("insert into t values (2);");
        let pool = Pool::open(&options(&database.url()), &Setup::default(), &snapshot, 3).await.unwrap();
        for mut worker in pool.into_connections() {
            let row = worker.query_one("select count(*) as n from public.t", &[]).await.unwrap();
            assert_eq!(row.text("n").unwrap(), before);
        }
        connection.close().await;
        let error = Pool::open(&options(&database.url()), &Setup::default(), &snapshot, 1).await.err().unwrap();
        assert!(error.message().starts_with("could not join the snapshot"), "{error}");
    }
}

#[tokio::test]
async fn a_locked_table_is_named_with_who_holds_it() {
    let database = any_server().database();
    database.sql("create schema s; create table s.\"T 1\" (a int); create table t2 (a int); create table t3 (a int);");
    let oid = |name: &str| database.sql(&format!("select '{name}'::regclass::oid;")).parse().expect("an oid");
    let target = |name: &str| LockTarget { oid: oid(name), qualified_name: name.to_owned() };
    let targets = vec![target("public.t2"), target("s.\"T 1\"")];
    let mut holder = connect(&database.url()).await.unwrap();
    holder.execute("begin; lock table s.\"T 1\"").await.unwrap();

    let mut connection = connect(&database.url()).await.unwrap();
    set_up(&mut connection, &Setup::default()).await.unwrap();
    begin(&mut connection, Isolation::RepeatableRead).await.unwrap();
    let patience = LockPatience { pause: Duration::from_millis(100), total: Duration::from_millis(300) };
    let error = lock_tables(&mut connection, &targets, patience).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.message().ends_with("for a lock on table s.\"T 1\""), "{error}");
    assert!(error.to_string().contains(&format!("blocked by pid {}", holder.process_id())), "{error}");

    holder.execute("rollback").await.unwrap();
    lock_tables(&mut connection, &targets, patience).await.unwrap();
    let replaced = vec![target("public.t2"), LockTarget { oid: 1, qualified_name: "public.t3".to_owned() }];
    let error = lock_tables(&mut connection, &replaced, patience).await.unwrap_err();
    assert!(error.message().contains("public.t3 was changed") && is_table_change(&error), "{error}");
}

#[tokio::test]
async fn a_table_that_was_emptied_after_the_snapshot_is_noticed_under_its_lock() {
    for server in servers() {
        let database = server.database();
        for change in [
            "truncate t; insert into t select 1",
            "alter table t alter a type bigint",
            "alter table t add b float default random()",
            "alter table t set unlogged",
            "vacuum full t",
            "drop table t",
            "alter table t rename to u",
        ] {
            database.sql("drop table if exists t, u; create table t (a int); insert into t select 1;");
            let oid = database.sql("select 't'::regclass::oid;").parse().expect("an oid");
            let targets = [LockTarget { oid, qualified_name: "public.t".to_owned() }];
            let mut connection = connect(&database.url()).await.unwrap();
            set_up(&mut connection, &Setup::default()).await.unwrap();
            begin(&mut connection, Isolation::RepeatableRead).await.unwrap();
            export_snapshot(&mut connection).await.unwrap();
            database.sql(&format!("{change};"));
            let error = lock_tables(&mut connection, &targets, LockPatience::default()).await.unwrap_err();
            assert!(is_table_change(&error), "{}: {change}: {error}", server.major);
            assert_eq!(error.kind(), ErrorKind::Locked);
        }
    }
}

#[tokio::test]
async fn columns_that_changed_places_after_the_snapshot_are_noticed() {
    for server in servers() {
        let database = server.database();
        database.sql("create table t (a int, b int); create table same (a int);");
        let target = |name: &str| LockTarget {
            oid: database.sql(&format!("select '{name}'::regclass::oid;")).parse().expect("an oid"),
            qualified_name: format!("public.{name}"),
        };
        let targets = [target("same"), target("t")];
        let mut reader = connect(&database.url()).await.unwrap();
        begin(&mut reader, Isolation::RepeatableRead).await.unwrap();
        let snapshot = export_snapshot(&mut reader).await.unwrap();
        let mut now = connect(&database.url()).await.unwrap();
        database.sql("alter table same add c int; alter table t alter a set not null;");
        check_columns(&mut reader, &mut now, &snapshot, &targets).await.unwrap();
        database.sql("alter table t rename a to c; alter table t rename b to a; alter table t rename c to b;");
        let error = check_columns(&mut reader, &mut now, &snapshot, &targets).await.unwrap_err();
        assert!(is_table_change(&error) && error.message().contains("public.t "), "{}: {error}", server.major);
    }
}

/// A third session waits for the table: by its turn the taker would wait until the holder ends.
#[tokio::test]
async fn a_session_takes_a_lock_over_past_those_who_wait_for_it() {
    for server in servers() {
        let database = server.database();
        database.sql("create table t (a int); create table u (a int);");
        let target = |name: &str| LockTarget {
            oid: database.sql(&format!("select '{name}'::regclass::oid;")).parse().expect("an oid"),
            qualified_name: format!("public.{name}"),
        };
        let targets = [target("t"), target("u")];
        let [mut holder, mut taker, mut waiter] =
            [connect(&database.url()).await, connect(&database.url()).await, connect(&database.url()).await]
                .map(|connection| connection.unwrap());
        holder.execute("begin; lock table public.t, public.u in access share mode").await.unwrap();
        taker.execute("begin read only").await.unwrap();
        let altered =
            tokio::spawn(async move { waiter.execute("alter table public.u add b int").await.map(|()| waiter) });
        let waiting = "select count(*) from pg_locks where not granted and relation = 'u'::regclass;";
        while database.sql(waiting) == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        take_over(&mut taker, &mut holder, &targets).await.unwrap();
        holder.execute("commit").await.unwrap();
        assert_eq!(database.sql(waiting), "1", "{}: the waiter came before the taker", server.major);
        taker.execute("commit").await.unwrap();
        altered.await.unwrap().unwrap();
    }
}
