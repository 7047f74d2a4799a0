//! How to reach a server, fully decided: what `spec` resolves and `connect` uses.

use std::path::PathBuf;
use std::time::Duration;

use super::pooler::Poolers;
use crate::secret::Secret;

/// Where and how to connect. Every connection of a run uses the same value, so that no worker falls back to weaker
/// settings than the first connection had.
#[derive(Clone)]
pub struct Options {
    /// The candidates, tried in order (or in random order, see `load_balance`). Never empty.
    pub hosts: Vec<Host>,
    /// The role that logs in, in `decode_text` form.
    pub user: String,
    /// The database, in `decode_text` form.
    pub database: String,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// Whether SCRAM must be bound to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// How long one host may take to accept the connection and log in; `None` waits for ever.
    pub connect_timeout: Option<Duration>,
    /// What kind of server is acceptable.
    pub target: TargetSession,
    /// Try the hosts in random order.
    pub load_balance: bool,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Command-line options for the backend (`-c name=value`), as libpq's `options`.
    pub backend_options: Option<String>,
    /// Probes for dead peers.
    pub keepalive: Keepalive,
    /// How long a session may be silent where it owes an answer before the server is asked whether it is alive.
    pub idle_limit: Duration,
    /// Poolers that were tried.
    pub poolers: Poolers,
    /// Why the password file has given no password, for when one is asked for.
    pub password_note: Option<String>,
    /// What the user should know of the settings: a password file that was not used. For whoever resolved them to tell;
    /// sessions do not repeat it.
    pub warnings: Vec<String>,
    /// The sessions that are begun with these options.
    pub sessions: super::Sessions,
}

/// One server that may be tried.
#[derive(Clone)]
pub struct Host {
    /// Where it listens.
    pub address: Address,
    /// The port; for a socket, the number in its file name.
    pub port: u16,
    /// The password for this host, from the settings or from the password file.
    pub password: Option<Secret>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host name or a literal address; `numeric` (libpq's `hostaddr`) is where to connect without looking it up.
    Tcp {
        /// The name that certificates and password files are checked against.
        name: String,
        /// The address to connect to instead of looking the name up.
        numeric: Option<std::net::IpAddr>,
    },
    /// The directory of a Unix-domain socket.
    Unix(PathBuf),
    /// The prefix of a socket in Linux's abstract namespace, without its `@`.
    Abstract(String),
}

/// libpq's `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslsni` and `sslnegotiation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// How much is demanded.
    pub mode: SslMode,
    /// Whom to trust.
    pub roots: Roots,
    /// The certificates that were taken back, a PEM file.
    pub revoked: Option<PathBuf>,
    /// The client's certificate chain and key, PEM files.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Begin with TLS at once instead of asking first.
    pub direct: bool,
    /// Send the host's name in the TLS greeting.
    pub server_name: bool,
    /// Nothing older than TLS 1.3.
    pub newest_only: bool,
}

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Plain first, encrypted when the server insists.
    Allow,
    /// Encrypted first, plain when the server cannot.
    Prefer,
    /// Encrypted or not at all.
    Require,
    /// Encrypted, and the certificate's issuer is checked.
    VerifyCa,
    /// Encrypted, and the certificate's issuer and host name are checked.
    VerifyFull,
}

/// Whom a server's certificate may be signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Nobody is checked: no root certificate is configured.
    Unchecked,
    /// The certificates in this PEM file.
    File(PathBuf),
    /// The operating system's certificates.
    System,
}

/// libpq's `channel_binding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Not used.
    Disable,
    /// Used when the server offers it.
    Prefer,
    /// No login without it.
    Require,
}

/// libpq's `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSession {
    /// Any server.
    Any,
    /// One whose sessions may write by default.
    ReadWrite,
    /// One whose sessions may not.
    ReadOnly,
    /// One that is not in recovery.
    Primary,
    /// One that is.
    Standby,
    /// A standby if one of the hosts is one, else any.
    PreferStandby,
}

/// TCP's probes for dead peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether probes are sent at all.
    pub enabled: bool,
    /// Silence before the first probe; `None` takes the system's default.
    pub idle: Option<Duration>,
    /// Pause between probes.
    pub interval: Option<Duration>,
    /// Probes without an answer until the peer counts as dead.
    pub count: Option<u32>,
    /// How long sent bytes may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            enabled: true,
            idle: Some(Duration::from_secs(30)),
            interval: Some(Duration::from_secs(10)),
            count: Some(6),
            user_timeout: None,
        }
    }
}

impl Options {
    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        // another database may be pooled in another way
        Self { database: database.to_owned(), poolers: Poolers::default(), ..self.clone() }
    }

    /// `database "shop" on db.example.com:5432 as "backup"`: for messages, without secrets.
    pub fn describe(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(Host::describe).collect();
        format!("database \"{}\" on {} as \"{}\"", self.database, hosts.join(", "), self.user)
    }
}

impl Host {
    /// The same host at the address that was reached: its name may have several, of several servers.
    pub(super) fn at(&self, reached: Option<std::net::IpAddr>) -> Self {
        let mut host = self.clone();
        if let Address::Tcp { numeric, .. } = &mut host.address {
            *numeric = numeric.or(reached);
        }
        host
    }

    /// `db.example.com:5432` or `/run/postgresql/.s.PGSQL.5432`.
    pub fn describe(&self) -> String {
        match &self.address {
            Address::Tcp { name, numeric: None } => format!("{name}:{}", self.port),
            Address::Tcp { name, numeric: Some(address) } if name.is_empty() => format!("{address}:{}", self.port),
            Address::Tcp { name, numeric: Some(address) } => format!("{name} ({address}):{}", self.port),
            Address::Unix(directory) => format!("{}/.s.PGSQL.{}", directory.display(), self.port),
            Address::Abstract(prefix) => format!("@{prefix}/.s.PGSQL.{}", self.port),
        }
    }
}
