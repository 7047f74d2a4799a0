//! The ground that the other tests stand on is what it claims to be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::support::fault::{Fault, Proxy};
use crate::support::pg;
use crate::support::store::Bucket;

/// The majors that are covered stand in this test's output; 15 is required and the newest programs, the others are what is asked for.
#[test]
fn says_which_servers_the_tests_cover() {
    for server in pg::all_servers() {
        let version = server.sql("postgres", "show server_version;");
        println!("covered: PostgreSQL {version}");
        assert_eq!(version.split(|c: char| !c.is_ascii_digit()).next(), Some(server.major.to_string().as_str()));
    }
    assert_eq!(pg::any_server().major, 15);
    assert!(pg::newest_server().major >= 18, "what 18 writes is compared with: `scripts/test` starts it, too");
}

#[test]
fn each_test_has_its_own_database_and_leaves_none() {
    let server = pg::any_server();
    let database = server.database();
    assert_eq!(database.sql("create table t (a int); insert into t values (1), (2); select count(*) from t;"), "2");
    assert_eq!(database.rows().len(), 1);
    assert!(database.schema_text().contains("CREATE TABLE public.t"));
    let (name, count) = (database.name.clone(), "select count(*) from pg_database where datname = ");
    drop(database);
    assert_eq!(server.sql("postgres", &format!("{count} '{name}';")), "0");
}

#[test]
fn a_bucket_gives_back_what_was_put() {
    let bucket = Bucket::new();
    bucket.put("a/b", b"bytes".to_vec());
    assert_eq!(bucket.keys(), ["a/b"]);
    assert_eq!(bucket.get("a/b"), b"bytes");
    assert!(bucket.open_uploads().is_empty());
}

#[test]
fn the_proxy_answers_for_the_server() {
    let bucket = Bucket::new();
    let proxy = Proxy::http(&bucket.endpoint, |request| match request.number {
        0 => Fault::Status(503),
        1 => Fault::CutAnswer(5),
        2 => Fault::Slow(1000),
        _ => Fault::Pass,
    });
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        answer
    };
    assert!(ask().starts_with("HTTP/1.1 503"));
    assert_eq!(ask(), "HTTP/");
    let begun = Instant::now();
    assert!(ask().starts_with("HTTP/1.1 "));
    assert!(begun.elapsed().as_millis() > 100, "a slow answer takes its time");
    assert!(ask().starts_with("HTTP/1.1 "));
    assert_eq!(proxy.seen(), 4);
}

#[test]
fn the_proxy_cuts_a_connection_to_postgres() {
    let server = pg::any_server();
    let proxy = Proxy::tcp(server.address(), |number| if number == 0 { Fault::Pass } else { Fault::CutRequest(3) });
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable", proxy.port);
    assert_eq!(server.stdout("psql", &["-XAt", "-d", &url, "-c", "select 1"]).trim(), "1");
    assert!(!server.run("psql", &["-XAt", "-d", &url, "-c", "select 1"]).status.success());
}
