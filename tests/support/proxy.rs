//! A proxy that goes on taking what it is sent and forwards nothing: every acknowledgement comes, no answer does.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Forwards to one address until it is told to fall silent.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    rules: Arc<Rules>,
}

#[derive(Default)]
struct Rules {
    /// A connection falls silent for good when this many bytes have come from the server. 0: it does not.
    limit: AtomicU64,
    /// New connections are accepted and answered by nobody.
    closed: AtomicBool,
    /// The connections so far.
    silenced: Mutex<Vec<Arc<AtomicBool>>>,
    count: AtomicUsize,
}

impl Proxy {
    pub(crate) fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let rules = Arc::new(Rules::default());
        let (target, shared) = ((host.to_owned(), port), Arc::clone(&rules));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.count.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect((target.0.as_str(), target.1)) else { continue };
                let silent = Arc::new(AtomicBool::new(shared.closed.load(Ordering::SeqCst)));
                shared.silenced.lock().expect("no panic").push(Arc::clone(&silent));
                let limit = shared.limit.load(Ordering::SeqCst);
                let ends = |stream: &TcpStream| stream.try_clone().expect("a second handle");
                forward(ends(&client), ends(&server), Arc::clone(&silent), 0);
                forward(server, client, silent, limit);
            }
        });
        Self { port: own, rules }
    }

    /// Connections from now on fall silent after this many bytes of the server.
    pub(crate) fn silence_after(&self, bytes: u64) {
        self.rules.limit.store(bytes, Ordering::SeqCst);
    }

    /// Every connection that there is falls silent.
    pub(crate) fn silence(&self) {
        for silent in self.rules.silenced.lock().expect("no panic").iter() {
            silent.store(true, Ordering::SeqCst);
        }
    }

    /// So does every new one.
    pub(crate) fn close(&self) {
        self.rules.closed.store(true, Ordering::SeqCst);
    }

    /// How many connections have come.
    pub(crate) fn count(&self) -> usize {
        self.rules.count.load(Ordering::SeqCst)
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, silent: Arc<AtomicBool>, limit: u64) {
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        let mut passed = 0;
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            passed += count as u64;
            if limit > 0 && passed > limit {
                silent.store(true, Ordering::SeqCst);
            }
            if !silent.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // the end of a connection is news, too
        if !silent.load(Ordering::SeqCst) {
            drop(to.shutdown(Shutdown::Both));
        }
    });
}
