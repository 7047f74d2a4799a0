//! A server that lies: what it sends is written out here, byte by byte.

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::server::Spec;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    out.put_u8(kind);
    out.put_u32(u32::try_from(body.len() + 4).unwrap());
    out.extend_from_slice(body);
    out.to_vec()
}

fn error(severity: &str, code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0V{severity}\0C{code}\0M{text}\0\0").as_bytes())
}

fn tag(text: &str) -> Vec<u8> {
    message(b'C', format!("{text}\0").as_bytes())
}

fn greeting() -> Vec<u8> {
    let parameter = |name: &str, value: &str| message(b'S', format!("{name}\0{value}\0").as_bytes());
    let mut key = 7_i32.to_be_bytes().to_vec();
    key.extend_from_slice(&9_i32.to_be_bytes());
    [message(b'R', &0_i32.to_be_bytes()), parameter("server_version", "18.6"), message(b'K', &key), ready()].concat()
}

/// The answer to the first question of every session: process 7, started at 1.
fn process() -> Vec<u8> {
    let column = |name: &str| [name.as_bytes(), b"\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"].concat();
    let description = [b"\0\x02".to_vec(), column("pid"), column("server_start")].concat();
    let row = message(b'D', b"\0\x02\0\0\0\x017\0\0\0\x011");
    [message(b'1', b""), message(b'2', b""), message(b'T', &description), row, tag("SELECT 1"), ready()].concat()
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn copy_out_begins() -> Vec<u8> {
    message(b'H', &[0, 0, 1, 0, 0])
}

fn row(text: &str) -> Vec<u8> {
    message(b'd', text.as_bytes())
}

/// Connects to a server that greets and then, whatever it is asked, sends `answer` and closes when `closes`.
async fn against(login: Vec<u8>, answer: Vec<u8>, closes: bool) -> Result<Connection> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 65536];
        let _ = socket.read(&mut buffer).await;
        let _ = socket.write_all(&login).await;
        let _ = socket.read(&mut buffer).await;
        let _ = socket.write_all(&process()).await;
        let _ = socket.read(&mut buffer).await;
        let _ = socket.write_all(&answer).await;
        if closes {
            return;
        }
        // cancel requests come on a connection of their own and are left unanswered
        while socket.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    });
    let spec = Spec {
        target: Some(format!("host=127.0.0.1 port={port} user=u sslmode=disable connect_timeout=0")),
        ..Spec::default()
    };
    let limit = |name: &str| (name == "PGPROOF_IDLE_LIMIT").then(|| "1".to_owned());
    Connection::connect(&spec.resolve(&limit).unwrap()).await
}

async fn copy_out_of(answer: Vec<Vec<u8>>, closes: bool) -> Result<(Vec<u8>, u64)> {
    let mut connection = against(greeting(), answer.concat(), closes).await.unwrap();
    let mut copy = connection.copy_out("copy t to stdout").await?;
    let mut data = Vec::new();
    while let Some(piece) = copy.next().await? {
        data.extend_from_slice(&piece);
    }
    let count = copy.finish().await?;
    Ok((data, count))
}

#[tokio::test]
async fn a_copy_that_ends_well_gives_its_rows_and_their_number() {
    let done = message(b'c', b"");
    let answer = vec![copy_out_begins(), row("a\n"), row("b\n"), done, tag("COPY 2"), ready()];
    assert_eq!(copy_out_of(answer, false).await.unwrap(), (b"a\nb\n".to_vec(), 2));
}

#[tokio::test]
async fn a_copy_that_lies_is_never_a_success() {
    let done = message(b'c', b"");
    let cases: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        (
            "error after the data",
            vec![copy_out_begins(), row("a\n"), done.clone(), error("ERROR", "XX000", "late"), ready()],
            "late",
        ),
        (
            "wrong row count",
            vec![copy_out_begins(), row("a\n"), done.clone(), tag("COPY 2"), ready()],
            "server reported 2 rows, received 1",
        ),
        ("no row count", vec![copy_out_begins(), row("a\n"), done.clone(), ready()], "without a row count"),
        ("another tag", vec![copy_out_begins(), done.clone(), tag("SELECT 0"), ready()], "COPY ended with"),
        ("two tags", vec![copy_out_begins(), done.clone(), tag("COPY 0"), tag("COPY 0"), ready()], "CommandComplete"),
        (
            "data after its end",
            vec![copy_out_begins(), done.clone(), row("a\n"), tag("COPY 1"), ready()],
            "unexpected message: CopyData",
        ),
        ("a second COPY", vec![copy_out_begins(), copy_out_begins()], "unexpected message: CopyOutResponse"),
        ("ready without an end", vec![copy_out_begins(), row("a\n"), ready()], "unexpected message: ReadyForQuery"),
        ("no COPY at all", vec![tag("SELECT 1"), ready()], "a statement began no COPY"),
        ("binary", vec![message(b'H', &[1, 0, 0])], "binary"),
        ("error in the middle", vec![copy_out_begins(), row("a\n"), error("ERROR", "22021", "no"), ready()], "no"),
    ];
    for (name, answer, expected) in cases {
        let error = copy_out_of(answer, false).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_in_a_row_is_an_error() {
    let mut cut = row("a long row\n");
    cut.truncate(9);
    for answer in [vec![copy_out_begins(), cut], vec![copy_out_begins()], vec![copy_out_begins(), vec![b'd', 0]]] {
        let error = copy_out_of(answer, true).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.message().contains("closed the connection unexpectedly"), "{error}");
    }
}

#[tokio::test]
async fn a_length_is_not_believed_before_its_bytes_have_come() {
    for (kind, length) in
        [(b'd', u32::MAX), (b'd', 3), (b'd', 0), (b'D', 0x7fff_ffff), (b'C', 1 << 20), (b'Z', 1 << 30)]
    {
        let mut lie = vec![kind];
        lie.extend_from_slice(&length.to_be_bytes());
        let error = copy_out_of(vec![copy_out_begins(), lie], false).await.unwrap_err();
        assert!(error.to_string().contains("does not keep to PostgreSQL's protocol"), "{kind} {length}: {error}");
    }
    // a legal length whose bytes do not come costs no memory and ends with the connection
    let mut claim = vec![b'd'];
    claim.extend_from_slice(&(1_u32 << 30).to_be_bytes());
    let error = copy_out_of(vec![copy_out_begins(), claim], true).await.unwrap_err();
    assert!(error.message().contains("closed the connection"), "{error}");
}

#[tokio::test]
async fn rows_that_do_not_fit_their_description_are_refused() {
    let description = message(b'T', b"\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
    for (body, expected) in [
        (&b"\0\x02\0\0\0\x01x\0\0\0\x01y"[..], "2 values for 1 column"),
        (&b"\0\x01\0\0\0\x09x"[..], "protocol"),
        (&b"\0\x01"[..], "protocol"),
    ] {
        let answer = [message(b'1', b""), message(b'2', b""), description.clone(), message(b'D', body)].concat();
        let mut connection = against(greeting(), answer, false).await.unwrap();
        let error = connection.query("select 1", &[]).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let again = connection.query("select 1", &[]).await.unwrap_err();
        assert!(again.message().contains("left in the middle of a statement"), "{again}");
    }
}

#[tokio::test]
async fn a_login_that_is_none_is_refused() {
    let r = |code: i32, rest: &[u8]| message(b'R', &[&code.to_be_bytes(), rest].concat());
    for (login, expected) in [
        (vec![b'X'; 20], "protocol"),
        (message(b'E', &[b'M'; 100_000]), "claims"),
        (r(7, b""), "GSSAPI"),
        (r(9, b""), "SSPI"),
        (r(5, b"salt"), "asks for a password"),
        (r(10, b"SCRAM-SHA-512\0\0"), "no SASL mechanism in common"),
        (r(11, b"r=x"), "SASL continued before it began"),
        (r(12, b"v=x"), "SASL ended before it began"),
        ([r(0, b""), message(b'Z', b"I")].concat(), "does not tell its version"),
        (error("FATAL", "28P01", "password authentication failed"), "Check the user name and the password"),
        (error("FATAL", "3D000", "database \"x\" does not exist"), "psql -l"),
    ] {
        let error = against(login, Vec::new(), false).await.err().unwrap();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_peer_that_says_no_more_is_given_up_in_every_state() {
    let copying = [copy_out_begins(), row("a\n")].concat();
    for (answer, statement) in
        [(copying, "copy"), (Vec::new(), "copy"), (tag("SELECT 1"), "execute"), (Vec::new(), "query")]
    {
        let mut connection = against(greeting(), answer, false).await.unwrap();
        let error = match statement {
            "copy" => match connection.copy_out("copy t to stdout").await {
                Ok(mut copy) => copy.next().await.err().unwrap(),
                Err(error) => error,
            },
            "execute" => connection.execute("select 1").await.unwrap_err(),
            _ => connection.query("select 1", &[]).await.err().unwrap(),
        };
        assert_eq!(error.kind(), ErrorKind::Connect, "{statement}: {error}");
        assert!(error.message().contains("s from 127.0.0.1"), "{statement}: {error}");
        // the other session finds nobody who greets it
        assert!(error.to_string().contains("connection"), "{statement}: {error}");
    }
    for login in [Vec::new(), message(b'R', &0_i32.to_be_bytes())] {
        let error = against(login, Vec::new(), false).await.err().unwrap();
        assert!(error.to_string().contains("no answer for 1 s"), "{error}");
    }
}

#[tokio::test]
async fn a_fatal_error_is_the_end_of_the_connection_and_keeps_its_text() {
    let answer = [error("FATAL", "57P01", "terminating connection due to administrator command")].concat();
    let mut connection = against(greeting(), answer, true).await.unwrap();
    let error = connection.execute("select 1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("administrator command"), "{error}");
    assert_eq!(super::super::sqlstate(&error), Some("57P01"));
}

#[tokio::test]
async fn row_values_stay_out_of_errors() {
    let body = "SERROR\0VERROR\0C23505\0Mduplicate key value violates unique constraint \"k\"\0DKey (a)=(secret) already exists.\0WCOPY t, line 3, column a: \"secret\"\0\0";
    let answer = [message(b'E', body.as_bytes()), ready()].concat();
    let mut connection = against(greeting(), answer, false).await.unwrap();
    let error = connection.execute("select 1").await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(error.to_string().contains("COPY t, line 3, column a"), "{error}");
}

/// The most memory that this process has had, in MiB. Each test is a process of its own.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn notice(text: &str) -> Vec<u8> {
    message(b'N', format!("SNOTICE\0VNOTICE\0C00000\0M{text}\0\0").as_bytes())
}

#[tokio::test]
async fn floods_before_the_session_end_in_flat_memory() {
    let setting = |index: usize| message(b'S', format!("name{index}\0{}\0", "x".repeat(60_000)).as_bytes());
    let text = "x".repeat(60_000);
    let auth = message(b'R', &0_i32.to_be_bytes());
    let many: Vec<u8> = (0..500).flat_map(setting).collect();
    for (first, piece) in
        [(auth.clone(), many), (auth.clone(), notice(&text)), (Vec::new(), notice(&text)), (auth, setting(1))]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 1000];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&first).await;
            while socket.write_all(&piece).await.is_ok() {}
        });
        let spec =
            Spec { target: Some(format!("host=127.0.0.1 port={port} user=u sslmode=disable")), ..Spec::default() };
        let begun = std::time::Instant::now();
        let error = Connection::connect(&spec.resolve(&|_| None).unwrap()).await.err().unwrap();
        assert!(error.to_string().contains("more than 10000 messages"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        serving.await.unwrap();
    }
    assert!(peak_memory() < 200, "{} MiB", peak_memory());
}

#[tokio::test]
async fn long_and_many_notices_are_kept_in_part() {
    const LONG: usize = 300 << 20;
    // a notice and an error of 300 MiB whose text is all one field, and very many small notices
    let mut head = b"SERROR\0VERROR\0C22000\0M".to_vec();
    head.resize(head.len() + 10, b'x');
    for kind in [b'N', b'E'] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let head = head.clone();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 65536];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&greeting()).await;
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&process()).await;
            let _ = socket.read(&mut buffer).await;
            for _ in 0..20_000 {
                let _ = socket.write_all(&notice(&"y".repeat(100))).await;
            }
            let mut frame = vec![kind];
            frame.extend_from_slice(&u32::try_from(LONG + 4).unwrap().to_be_bytes());
            frame.extend_from_slice(&head);
            let _ = socket.write_all(&frame).await;
            let mut left = LONG - head.len();
            let piece = vec![b'x'; 1 << 20];
            while left > 0 {
                let count = left.min(piece.len());
                let _ = socket.write_all(&piece[..count]).await;
                left -= count;
            }
            let _ = socket.write_all(&[tag("SELECT 1"), ready()].concat()).await;
            let _ = socket.read(&mut buffer).await;
        });
        let spec =
            Spec { target: Some(format!("host=127.0.0.1 port={port} user=u sslmode=disable")), ..Spec::default() };
        let mut connection = Connection::connect(&spec.resolve(&|_| None).unwrap()).await.unwrap();
        let result = connection.execute("select 1").await;
        assert_eq!(result.is_err(), kind == b'E');
        if let Err(error) = result {
            assert!(error.message().starts_with("xxxxxxxxxx"), "{}", &error.message()[..50]);
            assert!(error.message().len() <= 1 << 20);
        }
        assert!(connection.dropped_notice_count() > 10_000);
        assert!(!connection.take_notices().is_empty());
    }
    assert!(peak_memory() < 200, "{} MiB", peak_memory());
}
