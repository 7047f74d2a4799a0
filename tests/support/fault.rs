//! A proxy between the program and a real server that fails on demand.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What happens to one connection (plain TCP) or one request (HTTP).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing: bytes go both ways.
    Pass,
    /// The server's answer is cut after so many bytes.
    CutAnswer(u64),
    /// What the program sends is cut after so many bytes.
    CutRequest(u64),
    /// The answer comes no faster than so many bytes a second.
    Slow(u64),
    /// What the program sends is carried out, and the whole answer is lost.
    LoseAnswer,
    /// HTTP only: no answer for so long, then the connection is closed. The server never sees the request.
    Silence(Duration),
    /// HTTP only: this status instead of the server's answer. The server never sees the request.
    Status(u16),
}

/// A request's method and target, and how many came before it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) target: String,
}

/// A listening proxy. It serves until the test's process ends.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    seen: Arc<AtomicUsize>,
}

impl Proxy {
    /// Relays connections to `upstream`; the n-th connection (from 0) meets the fault that `choose` gives.
    pub(crate) fn tcp(upstream: (String, u16), choose: impl Fn(usize) -> Fault + Send + Sync + 'static) -> Self {
        Self::listen(move |client, number| {
            let server = TcpStream::connect((upstream.0.as_str(), upstream.1))?;
            relay(&client, &server, choose(number), &[])
        })
    }

    /// Relays HTTP requests one a connection, so that each can meet its own fault.
    pub(crate) fn http(upstream: &str, choose: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let authority = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self::listen(move |mut client, number| {
            let (head, rest) = read_head(&mut client)?;
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let request = Request { number, method: method.to_owned(), target: target.to_owned() };
            match choose(&request) {
                Fault::Status(status) => answer(&mut client, &head, rest.len() as u64, status),
                Fault::Silence(time) => {
                    thread::sleep(time);
                    client.shutdown(Shutdown::Both)
                }
                fault @ (Fault::Pass
                | Fault::CutAnswer(_)
                | Fault::CutRequest(_)
                | Fault::LoseAnswer
                | Fault::Slow(_)) => {
                    let server = TcpStream::connect(authority.as_str())?;
                    let sent: Vec<u8> = [one_request_only(&head).as_bytes(), rest.as_slice()].concat();
                    relay(&client, &server, fault, &sent)
                }
            }
        })
    }

    fn listen(serve: impl Fn(TcpStream, usize) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(AtomicUsize::new(0));
        let (serve, counter) = (Arc::new(serve), Arc::clone(&seen));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                // An error here is a connection that one side gave up: the program under test has to cope.
                thread::spawn(move || drop(serve(client, number)));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections or requests came.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// The request's head up to its empty line, and what was read beyond it.
fn read_head(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// Asks the server to close after its answer: the next request then comes by a connection of its own.
fn one_request_only(head: &str) -> String {
    let lines = head.trim_end().split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines.map(|line| format!("{line}\r\n")).collect::<String>() + "Connection: close\r\n\r\n"
}

fn answer(client: &mut TcpStream, head: &str, already_read: u64, status: u16) -> io::Result<()> {
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
    let length: u64 = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if !lower.contains("expect: 100-continue") {
        // A connection closed over unread bytes is reset, and the client might never see the answer.
        io::copy(&mut client.take(length.saturating_sub(already_read)), &mut io::sink())?;
    }
    let code = match status {
        403 => "AccessDenied",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>made by the test</Message></Error>");
    write!(client, "HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n", body.len())?;
    write!(client, "Connection: close\r\n\r\n{body}")
}

fn relay(client: &TcpStream, server: &TcpStream, fault: Fault, sent_already: &[u8]) -> io::Result<()> {
    let (up_limit, down_limit, rate) = match fault {
        Fault::CutRequest(bytes) => (bytes, u64::MAX, None),
        Fault::CutAnswer(bytes) => (u64::MAX, bytes, None),
        Fault::Slow(rate) => (u64::MAX, u64::MAX, Some(rate)),
        Fault::Pass | Fault::LoseAnswer | Fault::Status(_) | Fault::Silence(_) => (u64::MAX, u64::MAX, None),
    };
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    to_server.write_all(sent_already)?;
    thread::spawn(move || {
        pump(&mut from_client, &mut to_server, up_limit, None);
        if up_limit < u64::MAX {
            drop(from_client.shutdown(Shutdown::Both));
        }
        drop(to_server.shutdown(if up_limit < u64::MAX { Shutdown::Both } else { Shutdown::Write }));
    });
    match fault {
        Fault::LoseAnswer => drop(io::copy(&mut server.try_clone()?, &mut io::sink())),
        Fault::Pass
        | Fault::CutAnswer(_)
        | Fault::CutRequest(_)
        | Fault::Slow(_)
        | Fault::Silence(_)
        | Fault::Status(_) => pump(&mut server.try_clone()?, &mut client.try_clone()?, down_limit, rate),
    }
    drop(server.shutdown(Shutdown::Both));
    client.shutdown(Shutdown::Both)
}

/// Copies until either side ends or the limit is reached.
fn pump(from: &mut TcpStream, to: &mut TcpStream, limit: u64, rate: Option<u64>) {
    let mut left = limit;
    let mut buffer = [0; 16 * 1024];
    while left > 0 {
        let Ok(count @ 1..) = from.read(&mut buffer) else { return };
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(rate) = rate {
            thread::sleep(Duration::from_secs_f64(count as f64 / rate as f64));
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
        left -= count as u64;
    }
}
