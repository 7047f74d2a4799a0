//! Sessions that fall silent: those that work are waited for, those that are lost are given up and ended, in every state.

use std::time::{Duration, Instant};

use pgproof::error::ErrorKind;
use pgproof::server::{Connection, Isolation, Options, Spec, begin};

use super::support::bin::db;
use super::support::pg::{Database, any_server};
use super::support::proxy::Proxy;
use super::support::unique_name;

/// The silence after which the server is asked.
const LIMIT: Duration = Duration::from_secs(1);

/// By then a lost session is given up: the silence, the question, the second question, the end.
const SOON: Duration = Duration::from_secs(12);

fn options(database: &Database, host: &str, port: u16, more: &str) -> Options {
    let target = format!("host={host} port={port} user=postgres dbname={} {more}", database.name);
    let spec = Spec { target: Some(target), ..Spec::default() };
    let limit = |name: &str| (name == "PGPROOF_IDLE_LIMIT").then(|| LIMIT.as_secs().to_string());
    spec.resolve(&limit).expect("the settings are complete")
}

fn direct(database: &Database) -> Options {
    let (host, port) = database.server.address();
    options(database, &host, port, "")
}

async fn through(database: &Database) -> (Proxy, Connection) {
    let (host, port) = database.server.address();
    let proxy = Proxy::to(&host, port);
    let connection = Connection::connect(&options(database, "127.0.0.1", proxy.port, "")).await.unwrap();
    (proxy, connection)
}

fn sessions(database: &Database, pid: i32) -> String {
    database.sql(&format!("select count(*) from pg_stat_activity where pid = {pid};"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_works_is_waited_for() {
    let database = any_server().database();
    database.sql("create table t (a int); insert into t values (1);");
    let options = direct(&database);
    let mut connection = Connection::connect(&options).await.unwrap();
    connection.execute("select pg_sleep(4)").await.unwrap();
    connection.query("select pg_sleep(3)", &[]).await.unwrap();
    // no row for seconds, in the middle of a COPY and at its end
    let mut copy = connection.copy_out("copy (select a, pg_sleep(3) from t) to stdout").await.unwrap();
    while copy.next().await.unwrap().is_some() {}
    assert_eq!(copy.finish().await.unwrap(), 1);
    connection
        .execute(
            "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(3); return new; end';
             create constraint trigger slow after insert on t deferrable initially deferred for each row execute function slow();",
        )
        .await
        .unwrap();
    let mut copy = connection.copy_in("copy t from stdin").await.unwrap();
    copy.send(b"2\n").await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 1);

    // a transaction that waits for a safe snapshot, and one that waits for a lock
    let mut writer = Connection::connect(&options).await.unwrap();
    writer.execute("begin isolation level serializable; insert into t values (3)").await.unwrap();
    let waiting = async {
        begin(&mut connection, Isolation::SerializableDeferrable).await.unwrap();
        connection.execute("select 1; commit").await.unwrap();
        connection.execute("begin; lock table t in access exclusive mode; commit").await.unwrap();
    };
    let writing = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        writer.execute("commit").await.unwrap();
        writer.execute("begin; lock table t in access share mode").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        writer.execute("commit").await.unwrap();
    };
    tokio::join!(waiting, writing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_no_connection_free_for_the_question_is_borne_with() {
    let database = any_server().database();
    let role = unique_name("r_");
    database.sql(&format!("create role {role} login connection limit 1;"));
    let (host, port) = database.server.address();
    let options = Options { user: role.clone(), ..options(&database, &host, port, "") };
    let mut connection = Connection::connect(&options).await.unwrap();
    let result = connection.execute("select pg_sleep(5)").await;
    connection.close().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    database.sql(&format!("drop role {role};"));
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_forwards_is_given_up_and_ended() {
    let database = any_server().database();
    database.sql("create table t as select i, repeat('x', 1000) from generate_series(1, 20000) i;");
    for state in ["execute", "query", "copy out", "copy in", "copy in's end"] {
        for closed in [false, true] {
            let (proxy, mut connection) = through(&database).await;
            let pid = connection.process_id();
            connection.execute("begin").await.unwrap();
            let begun = Instant::now();
            let silence = || {
                proxy.silence();
                if closed {
                    proxy.close();
                }
            };
            let error = match state {
                "execute" => {
                    silence();
                    connection.execute("select 1").await.unwrap_err()
                }
                "query" => {
                    silence();
                    connection.query("select 1", &[]).await.err().unwrap()
                }
                "copy out" => {
                    let mut copy = connection.copy_out("copy t to stdout").await.unwrap();
                    copy.next().await.unwrap();
                    silence();
                    loop {
                        match copy.next().await {
                            Ok(Some(_)) => {}
                            Ok(None) => panic!("the copy ended well"),
                            Err(error) => break error,
                        }
                    }
                }
                other => {
                    let mut copy = connection.copy_in("copy t from stdin").await.unwrap();
                    copy.send(b"1\ta\n").await.unwrap();
                    silence();
                    let sent = if other == "copy in" { copy.send(&[b'\\'; 1 << 21]).await } else { Ok(()) };
                    match sent {
                        Ok(()) => copy.finish().await.unwrap_err(),
                        Err(error) => error,
                    }
                }
            };
            assert_eq!(error.kind(), ErrorKind::Connect, "{state}, {closed}: {error}");
            assert!(error.message().starts_with("no answer for "), "{state}, {closed}: {error}");
            assert!(begun.elapsed() < SOON, "{state}, {closed}: {:?}", begun.elapsed());
            if !closed {
                // nothing of it is left that would hold locks
                assert_eq!(sessions(&database, pid), "0", "{state}: {error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_has_ended_behind_a_proxy_is_given_up() {
    let database = any_server().database();
    let (proxy, mut connection) = through(&database).await;
    let pid = connection.process_id();
    proxy.silence();
    database.sql(&format!("select pg_terminate_backend({pid});"));
    let begun = Instant::now();
    let error = connection.execute("select 1").await.unwrap_err();
    assert!(error.to_string().contains("does not have this session any more"), "{error}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_has_an_end_also_without_connect_timeout() {
    let database = any_server().database();
    let (host, port) = database.server.address();
    for (limit, sslmode) in [(0, "disable"), (0, "prefer"), (100, "disable"), (3000, "require")] {
        let proxy = Proxy::to(&host, port);
        match limit {
            0 => proxy.close(),
            limit => proxy.silence_after(limit),
        }
        let settings = format!("connect_timeout=0 sslmode={sslmode}");
        let begun = Instant::now();
        let result = Connection::connect(&options(&database, "127.0.0.1", proxy.port, &settings)).await;
        // where the login fits into the limit, the session goes on to be silent
        let error = match result {
            Err(error) => error,
            Ok(mut connection) => connection.execute("select repeat('x', 10000)").await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Connect, "{limit} {sslmode}: {error}");
        assert!(begun.elapsed() < SOON, "{limit} {sslmode}: {:?}: {error}", begun.elapsed());
    }
}

#[test]
fn a_backup_ends_wherever_the_network_falls_silent() {
    let database = any_server().database();
    database.load_sample("0.2");
    let (host, port) = database.server.address();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let mut counts = Vec::new();
    // in the login, in the catalog's reading, among the rows
    for (jobs, bytes) in [("1", 600), ("1", 2_000), ("1", 30_000), ("2", 60_000), ("2", 400_000)] {
        let proxy = Proxy::to(&host, port);
        proxy.silence_after(bytes);
        let url = format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", proxy.port, database.name);
        let call = db(["backup", "--store", store, "-d", &url, "-j", jobs]);
        let run = call.env("PGPROOF_IDLE_LIMIT", "1").env("PGCONNECT_TIMEOUT", "0").run().expect_code(10);
        assert!(run.took < Duration::from_secs(20), "{bytes}: {:?}", run.took);
        assert!(run.stderr.contains("no answer for "), "{bytes}: {}", run.transcript());
        counts.push(proxy.count());
    }
    assert!(counts.iter().all(|count| *count > 1), "no question was asked: {counts:?}");
    let listed = db(["list", "--store", store]).run();
    assert!(!listed.stdout.contains(&database.name), "{}", listed.transcript());
}
