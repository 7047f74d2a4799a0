//! A proxy that stops a backup's sessions at a moment that the test chooses by what they say to the server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use rustix::net::sockopt::set_socket_recv_buffer_size;

use crate::support::pg::Database;

/// What is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The statement does not reach the server.
    Statement,
    /// The statement does, and so does the one after it not.
    Next,
    /// The statement's answer has begun and goes no further.
    Answer,
}

/// When a backup is stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trigger {
    /// What a session of it says.
    pub(super) pattern: &'static str,
    /// What is stopped of that session.
    pub(super) stop: Stop,
    /// Whether no other session of it may say anything meanwhile.
    pub(super) stops_others: bool,
    /// Whether it counts only from the session that took the snapshot.
    pub(super) by_leader: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The moment has not come.
    Before,
    /// It has.
    Stopped,
    /// The others go on, the one that came to it stands.
    OthersGo,
    /// All go on.
    Open,
}

/// One connection of the backup.
struct Peer {
    pid: i32,
    client: TcpStream,
    is_leader: bool,
    has_joined: bool,
    /// It said what stops, and its next statement is stopped.
    is_next: bool,
}

struct State {
    stage: Stage,
    hit: Option<usize>,
    peers: Vec<Peer>,
    /// How often tables were asked for.
    lock_count: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    trigger: Option<(Trigger, Regex)>,
    taking: Regex,
    joining: Regex,
    locking: Regex,
}

/// The listening end. It serves until the test's process ends.
pub(super) struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

/// What is in flight between the server and a client that has stopped reading: little, so that the server notices.
const IN_FLIGHT: usize = 128 << 10;

impl Gate {
    pub(super) fn open(database: &Database, trigger: Option<Trigger>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let trigger = trigger.map(|trigger| (trigger, Regex::new(trigger.pattern).expect("a pattern")));
        let state = State { stage: Stage::Before, hit: None, peers: Vec::new(), lock_count: 0 };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            trigger,
            taking: Regex::new("pg_export_snapshot").expect("a pattern"),
            joining: Regex::new("(?i-u)set transaction snapshot").expect("a pattern"),
            locking: Regex::new("(?i-u)lock table").expect("a pattern"),
        });
        let (serve, upstream) = (Arc::clone(&shared), database.server.address());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((upstream.0.as_str(), upstream.1)) else { continue };
                set_socket_recv_buffer_size(&server, IN_FLIGHT).expect("a socket's buffer can be set");
                serve.connection(&client, &server);
            }
        });
        Self { port, shared }
    }

    /// The connection URL of a database behind it.
    pub(super) fn url(&self, database: &Database) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", self.port, database.name)
    }

    /// Whether the moment has come.
    pub(super) fn is_reached(&self) -> bool {
        self.shared.lock().hit.is_some()
    }

    /// Lets the sessions go on that did not come to the moment.
    pub(super) fn let_others_go(&self) {
        self.shared.go(Stage::OthersGo);
    }

    /// Lets all go on.
    pub(super) fn let_go(&self) {
        self.shared.go(Stage::Open);
    }

    /// Whether tables were asked for more than once, as is done where one is not free.
    pub(super) fn asks_again(&self) -> bool {
        self.shared.lock().lock_count > 1
    }

    /// The server process of the session that took the snapshot.
    pub(super) fn exporter(&self) -> Option<i32> {
        self.shared.lock().peers.iter().find(|peer| peer.is_leader).map(|peer| peer.pid)
    }

    /// The server processes of sessions that see the snapshot.
    pub(super) fn readers(&self) -> Vec<i32> {
        self.shared.lock().peers.iter().filter(|peer| peer.has_joined || peer.is_leader).map(|peer| peer.pid).collect()
    }

    /// Closes a session's connection as a router does that forgot it, without a word of the server.
    pub(super) fn cut(&self, pid: i32) {
        let state = self.shared.lock();
        let peer = state.peers.iter().find(|peer| peer.pid == pid).expect("a session of the backup");
        drop(peer.client.shutdown(Shutdown::Both));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked")
    }

    fn go(&self, stage: Stage) {
        let mut state = self.lock();
        state.stage = state.stage.max(stage);
        self.changed.notify_all();
    }

    fn connection(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
        let (Ok(from_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) else { return };
        let Ok(kept) = client.try_clone() else { return };
        let number = {
            let mut state = self.lock();
            state.peers.push(Peer { pid: 0, client: kept, is_leader: false, has_joined: false, is_next: false });
            state.peers.len() - 1
        };
        let up = Arc::clone(self);
        thread::spawn(move || {
            up.forward(number, &from_client, &to_server);
            drop(to_server.shutdown(Shutdown::Write));
        });
        let down = Arc::clone(self);
        thread::spawn(move || {
            down.answer(number, &from_server, &to_client);
            drop((from_server.shutdown(Shutdown::Both), to_client.shutdown(Shutdown::Both)));
        });
    }

    /// What the backup says.
    fn forward(&self, number: usize, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            self.said(number, &buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    }

    /// Takes note of what a session says, and returns when it may reach the server.
    fn said(&self, number: usize, words: &[u8]) {
        let mut state = self.lock();
        state.peers[number].is_leader |= self.taking.is_match(words);
        state.peers[number].has_joined |= self.joining.is_match(words);
        state.lock_count += usize::from(self.locking.is_match(words));
        if let (Some((trigger, pattern)), Stage::Before) = (&self.trigger, state.stage) {
            let is_meant = !trigger.by_leader || state.peers[number].is_leader;
            let is_said = is_meant && pattern.is_match(words);
            let is_hit = if trigger.stop == Stop::Next { state.peers[number].is_next } else { is_said };
            state.peers[number].is_next |= is_said;
            if is_hit {
                state.stage = Stage::Stopped;
                state.hit = Some(number);
                self.changed.notify_all();
                if trigger.stop == Stop::Answer {
                    return;
                }
            }
        }
        while self.is_stopped(&state, number) {
            state = self.changed.wait(state).expect("no thread panicked");
        }
    }

    fn is_stopped(&self, state: &State, number: usize) -> bool {
        let Some((trigger, _)) = &self.trigger else { return false };
        // who is kept waiting for an answer may have more to say of the same question, or leave
        let is_hit = state.hit == Some(number) && trigger.stop != Stop::Answer;
        match state.stage {
            Stage::Before | Stage::Open => false,
            Stage::Stopped => is_hit || (trigger.stops_others && state.hit != Some(number)),
            Stage::OthersGo => is_hit,
        }
    }

    /// What the server says.
    fn answer(&self, number: usize, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = vec![0; 16 << 10];
        let mut has_begun = false;
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            {
                let mut state = self.lock();
                if state.peers[number].pid == 0 {
                    state.peers[number].pid = backend_pid(&buffer[..count]).unwrap_or_default();
                }
                let is_answer = self.trigger.as_ref().is_some_and(|(trigger, _)| trigger.stop == Stop::Answer);
                if is_answer && state.hit == Some(number) && state.stage < Stage::Open {
                    while has_begun && state.stage < Stage::Open {
                        state = self.changed.wait(state).expect("no thread panicked");
                    }
                    has_begun = true;
                }
            }
            if to.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    }
}

/// The process id in the greeting: message `K` of 12 bytes.
fn backend_pid(greeting: &[u8]) -> Option<i32> {
    let place = memchr::memmem::find(greeting, b"K\0\0\0\x0c")?;
    let bytes = greeting.get(place + 5..place + 9)?;
    Some(i32::from_be_bytes(bytes.try_into().ok()?))
}

/// Waits until a condition holds; says whether it does.
pub(super) fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
