//! From options to a session: the hosts in turn, TLS, the login.
#![expect(clippy::wildcard_enum_match_arm, reason = "the protocol crate's messages are a non-exhaustive enum")]

use std::net::{IpAddr, SocketAddr};
use std::os::linux::net::SocketAddrExt as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use rand::seq::SliceRandom as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::cancel::CancelToken;
use super::connection::{Connection, State, TransactionStatus, put_text};
use super::failure::ServerError;
use super::options::{Address, ChannelBinding, Host, Keepalive, Options, SslMode, TargetSession};
use super::talk::Talk;
use super::wire::{Transport, Wire};
use super::{pooler, tls};
use crate::error::{Error, ErrorKind, Result};
use crate::object::version::Version;
use crate::record::encode_text;

/// 3.0 in the protocol's first message.
const PROTOCOL: i32 = 0x0003_0000;

pub(super) async fn connect(options: &Options) -> Result<Connection> {
    let mut hosts: Vec<&Host> = options.hosts.iter().collect();
    if options.load_balance {
        hosts.shuffle(&mut rand::rng());
    }
    let mut passes = vec![options.target];
    if options.target == TargetSession::PreferStandby {
        passes = vec![TargetSession::Standby, TargetSession::Any];
    }
    let mut failures: Vec<Error> = Vec::new();
    for target in passes {
        for host in &hosts {
            match try_host(options, host, target).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    // as libpq: who got as far as a password is not sent on to another server
                    let is_final = matches!(
                        error.kind(),
                        ErrorKind::Authentication | ErrorKind::NoDatabase | ErrorKind::Config | ErrorKind::Refused
                    );
                    let error = match &options.password_note {
                        Some(note) if error.kind() == ErrorKind::Authentication => error.more_detail(note),
                        Some(_) | None => error,
                    };
                    failures.push(match error.kind() == ErrorKind::Refused {
                        true => error,
                        false => error.context(&format!("cannot connect to {}", host.describe())),
                    });
                    if is_final {
                        return Err(summary(failures));
                    }
                }
            }
        }
    }
    Err(summary(failures))
}

/// The last failure, with the others as detail: the last is what ended the attempt.
fn summary(mut failures: Vec<Error>) -> Error {
    let Some(last) = failures.pop() else {
        return Error::new(ErrorKind::Config, "no host to connect to");
    };
    failures.iter().fold(last, |last, other| {
        let detail = other.detail_text().map(|detail| format!(" ({detail})")).unwrap_or_default();
        last.more_detail(&format!("before that: {}{detail}", other.message()))
    })
}

async fn try_host(options: &Options, host: &Host, target: TargetSession) -> Result<Connection> {
    let logged_in = AtomicBool::new(false);
    let attempt = async {
        let mut connection = negotiate(options, host).await?;
        logged_in.store(true, Ordering::Relaxed);
        Box::pin(pooler::recognise(&mut connection, options, host)).await?;
        check_target(&mut connection, target).await?;
        Ok(connection)
    };
    match options.connect_timeout {
        None => attempt.await,
        Some(limit) => match tokio::time::timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) if logged_in.load(Ordering::Relaxed) => Err(Error::new(ErrorKind::Connect, "timeout expired")
                .detail(format!("logged in, and the first question had no answer within {} s", limit.as_secs()))
                .hint("Look whether the pooler has a server process free, or allow more time with connect_timeout.")),
            Err(_) => Err(Error::new(ErrorKind::Connect, "timeout expired")
                .detail(format!("no login within {} s", limit.as_secs()))
                .hint("Check host, port and firewall, or allow more time with connect_timeout.")),
        },
    }
}

/// Whether a failed login may be tried again with the other kind of encryption: only before a password was asked for,
/// so that none is ever sent over the weaker channel after a refusal over the stronger.
struct LoginFailure {
    error: Error,
    asked: bool,
}

/// A session on this host, of which no more is known than that the login went well. Boxed and named: silence on a session is
/// looked into over another one.
pub(super) fn negotiate<'a>(
    options: &'a Options,
    host: &'a Host,
) -> Pin<Box<dyn Future<Output = Result<Connection>> + Send + 'a>> {
    Box::pin(try_encryptions(options, host))
}

async fn try_encryptions(options: &Options, host: &Host) -> Result<Connection> {
    let is_local = !matches!(host.address, Address::Tcp { .. });
    let attempts: &[bool] = match options.tls.mode {
        // there is no TLS on a local socket, and libpq does not insist either
        _ if is_local => &[false],
        SslMode::Disable => &[false],
        SslMode::Allow => &[false, true],
        SslMode::Prefer => &[true, false],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[true],
    };
    let mut first: Option<Error> = None;
    // why the encrypted attempt before this one failed, where it did
    let mut lost: Option<String> = None;
    for (index, &encrypted) in attempts.iter().enumerate() {
        let is_last = index + 1 == attempts.len();
        let opened = match open(options, host, encrypted).await {
            Ok(opened) => opened,
            // only the encryption can differ in the next attempt
            Err(error) if is_last || !encrypted || error.kind() == ErrorKind::Config => {
                return Err(first.unwrap_or(error));
            }
            Err(error) => {
                let detail = error.detail_text().map(|detail| format!(": {detail}")).unwrap_or_default();
                lost = Some(format!("{}{detail}", error.message()));
                first.get_or_insert(error);
                continue;
            }
        };
        let Some(opened) = opened else {
            continue;
        };
        match login(options, host, opened, lost.as_deref()).await {
            Ok(connection) => return Ok(connection),
            Err(failure) if is_last || failure.asked || failure.error.kind() == ErrorKind::NoDatabase => {
                return Err(match first {
                    // the login went further than the handshake before it
                    Some(first) if failure.asked => failure.error.more_detail(first.message()),
                    Some(first) => first.more_detail(failure.error.message()),
                    None => failure.error,
                });
            }
            Err(failure) => {
                first.get_or_insert(failure.error);
            }
        }
    }
    Err(first.unwrap_or_else(|| Error::new(ErrorKind::Connect, "no way to connect was left to try")))
}

struct Opened {
    transport: Transport,
    peer: String,
    /// Where the socket leads, of the addresses that the host's name has.
    numeric: Option<IpAddr>,
    /// The hash of the server's certificate, when encrypted and when its algorithm defines one.
    binding: Option<Vec<u8>>,
    encrypted: bool,
}

/// A socket to the same host with the same encryption as a session has, for its cancel request.
pub(super) async fn open_again(options: &Options, host: &Host, encrypted: bool) -> Result<Transport> {
    match open(options, host, encrypted).await? {
        Some(opened) => Ok(opened.transport),
        None => Err(tls_refused()),
    }
}

/// Opens a socket and encrypts it when asked. `None` when the server has no TLS and the mode allows that.
async fn open(options: &Options, host: &Host, encrypted: bool) -> Result<Option<Opened>> {
    let peer = host.describe();
    let name = match &host.address {
        Address::Unix(directory) => {
            let path = directory.join(format!(".s.PGSQL.{}", host.port));
            let stream = UnixStream::connect(&path).await.map_err(|error| unreachable(error, true))?;
            return Ok(Some(Opened::local(stream, peer)));
        }
        Address::Abstract(prefix) => {
            let stream = connect_abstract(&format!("{prefix}/.s.PGSQL.{}", host.port))?;
            return Ok(Some(Opened::local(stream, peer)));
        }
        Address::Tcp { name, numeric } => {
            let mut stream = connect_tcp(name, *numeric, host.port, options.keepalive).await?;
            let reached = stream.peer_addr().ok().map(|address| address.ip());
            if !encrypted {
                let transport = Transport::Tcp(stream);
                return Ok(Some(Opened { transport, peer, numeric: reached, binding: None, encrypted }));
            }
            let has_tls = options.tls.direct || in_time(options, ask_for_tls(&mut stream)).await?;
            if !has_tls {
                return match options.tls.mode {
                    SslMode::Prefer => Ok(None),
                    SslMode::Disable | SslMode::Allow | SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                        Err(tls_refused())
                    }
                };
            }
            (name, *numeric, reached, stream)
        }
    };
    let (name, numeric, reached, stream) = name;
    let checked_name = if name.is_empty() { numeric.map(|address| address.to_string()) } else { None };
    let stream =
        in_time(options, tls::handshake(&options.tls, checked_name.as_deref().unwrap_or(name), stream)).await?;
    let binding = tls::end_point(&stream);
    Ok(Some(Opened { transport: Transport::Tls(Box::new(stream)), peer, numeric: reached, binding, encrypted }))
}

/// Bounds what is exchanged before there is a session, also where `connect_timeout` bounds nothing.
async fn in_time<T>(options: &Options, exchange: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(options.idle_limit, exchange).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::Connect, "the server does not answer the request for SSL")
            .detail(format!("no answer for {} s", options.idle_limit.as_secs()))),
    }
}

impl Opened {
    fn local(stream: UnixStream, peer: String) -> Self {
        Self { transport: Transport::Unix(stream), peer, numeric: None, binding: None, encrypted: false }
    }
}

fn tls_refused() -> Error {
    Error::new(ErrorKind::Connect, "server does not support SSL, but SSL was required")
        .hint("Switch SSL on in the server, or use sslmode=prefer if the network may be trusted.")
}

fn unreachable(error: std::io::Error, is_local: bool) -> Error {
    let hint = if is_local {
        "Is the server running on this machine, and does it use this socket directory and port?"
    } else {
        "Is the server running on that host, and does it accept TCP connections on that port?"
    };
    Error::new(ErrorKind::Connect, "could not reach the server").caused_by(error).hint(hint)
}

fn connect_abstract(name: &str) -> Result<UnixStream> {
    let open = || {
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        // a local socket answers at once or not at all
        let stream = std::os::unix::net::UnixStream::connect_addr(&address)?;
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    };
    open().map_err(|error| unreachable(error, true))
}

async fn connect_tcp(name: &str, numeric: Option<IpAddr>, port: u16, keepalive: Keepalive) -> Result<TcpStream> {
    let addresses: Vec<SocketAddr> = match numeric {
        Some(address) => vec![SocketAddr::new(address, port)],
        None => tokio::net::lookup_host((name, port))
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Connect, format!("could not find host \"{name}\""))
                    .caused_by(error)
                    .hint("Check the host's name and the resolver.")
            })?
            .collect(),
    };
    let mut failure = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                tune(&stream, keepalive).map_err(|error| unreachable(error, false))?;
                return Ok(stream);
            }
            Err(error) => failure = Some(unreachable(error, false).more_detail(&format!("address {address}"))),
        }
    }
    Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Connect, format!("host \"{name}\" has no address"))))
}

fn tune(stream: &TcpStream, keepalive: Keepalive) -> std::io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    if keepalive.enabled {
        sockopt::set_socket_keepalive(stream, true)?;
        if let Some(idle) = keepalive.idle {
            sockopt::set_tcp_keepidle(stream, idle)?;
        }
        if let Some(interval) = keepalive.interval {
            sockopt::set_tcp_keepintvl(stream, interval)?;
        }
        if let Some(count) = keepalive.count {
            sockopt::set_tcp_keepcnt(stream, count)?;
        }
    }
    if let Some(limit) = keepalive.user_timeout {
        sockopt::set_tcp_user_timeout(stream, u32::try_from(limit.as_millis()).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// Asks whether the server speaks TLS. Exactly one byte is read: whatever an attacker put behind it is then part of
/// the TLS handshake, and ends it.
async fn ask_for_tls(stream: &mut TcpStream) -> Result<bool> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    let mut answer = [0];
    let exchange = async {
        stream.write_all(&request).await?;
        stream.read_exact(&mut answer).await
    };
    exchange.await.map_err(|error| unreachable(error, false))?;
    match answer {
        [b'S'] => Ok(true),
        [b'N'] => Ok(false),
        _ => Err(Error::new(ErrorKind::Connect, "the server's answer to the request for SSL is not PostgreSQL's")),
    }
}

fn startup(options: &Options, output: &mut BytesMut) -> Result<()> {
    let mut body = BytesMut::new();
    body.put_i32(PROTOCOL);
    let mut put = |name: &str, value: &str| put_text(name, &mut body).and_then(|()| put_text(value, &mut body));
    put("user", &options.user)?;
    put("database", &options.database)?;
    put("application_name", &options.application_name)?;
    if let Some(backend_options) = &options.backend_options {
        put("options", backend_options)?;
    }
    body.put_u8(0);
    let length =
        u32::try_from(body.len() + 4).map_err(|_| Error::new(ErrorKind::Config, "connection settings are too long"))?;
    output.put_u32(length);
    output.extend_from_slice(&body);
    Ok(())
}

async fn login(options: &Options, host: &Host, opened: Opened, lost: Option<&str>) -> Result<Connection, LoginFailure> {
    let encrypted = opened.encrypted;
    let reached = host.at(opened.numeric);
    let mut wire = Wire::new(opened.transport, opened.peer, options.idle_limit);
    let mut asked = false;
    let channel = Channel { encrypted, binding: opened.binding, lost };
    match authenticate(options, host, &mut wire, &channel, &mut asked).await {
        Ok(()) => {}
        Err(error) => return Err(LoginFailure { error, asked }),
    }
    let mut connection =
        begin_session(options, &reached, wire, encrypted).await.map_err(|error| LoginFailure { error, asked })?;
    connection.warnings.extend(lost.map(|reason| {
        format!("the session with {} is not encrypted: {reason} (sslmode=prefer goes on without)", connection.peer())
    }));
    Ok(connection)
}

/// What the login goes through.
struct Channel<'a> {
    encrypted: bool,
    /// See [`Opened`].
    binding: Option<Vec<u8>>,
    /// Why it is not encrypted though the server has TLS.
    lost: Option<&'a str>,
}

impl Channel<'_> {
    /// Whoever breaks a handshake may do so to read what comes next. Unlike libpq we do not tell him the password.
    fn check_clear_password(&self) -> Result<()> {
        match self.lost {
            None => Ok(()),
            Some(reason) => Err(Error::new(
                ErrorKind::Authentication,
                "the password is not sent in clear after SSL with the server has failed",
            )
            .detail(reason.to_owned())
            .hint("Mend the server's certificate or name its root with sslrootcert; sslmode=disable says that the network may be trusted.")),
        }
    }
}

async fn authenticate(
    options: &Options,
    host: &Host,
    wire: &mut Wire,
    channel: &Channel<'_>,
    asked: &mut bool,
) -> Result<()> {
    startup(options, wire.output())?;
    wire.flush(&[]).await?;
    let mut scram: Option<Scram> = None;
    for _ in 0..LOGIN_MESSAGES_MAX {
        let message = wire.next().await?;
        match message {
            Message::AuthenticationOk => {
                let bound = scram.as_ref().is_some_and(|scram| scram.bound && scram.finished);
                if scram.as_ref().is_some_and(|scram| !scram.finished) {
                    return Err(wire.confused("the login ended before the server proved that it knows the password"));
                }
                if options.channel_binding == ChannelBinding::Require && !bound {
                    return Err(no_binding("the server let us in without it"));
                }
                return Ok(());
            }
            Message::AuthenticationCleartextPassword => {
                *asked = true;
                if options.channel_binding == ChannelBinding::Require {
                    return Err(no_binding("the server asks for the password itself"));
                }
                channel.check_clear_password()?;
                let password = password(host)?;
                frontend::password_message(&encode_text(password), wire.output()).map_err(bad_password)?;
                wire.flush(&[]).await?;
            }
            Message::AuthenticationMd5Password(body) => {
                *asked = true;
                if options.channel_binding == ChannelBinding::Require {
                    return Err(no_binding("the server asks for an MD5 hash"));
                }
                let hash = md5_hash(&encode_text(&options.user), &encode_text(password(host)?), body.salt());
                frontend::password_message(hash.as_bytes(), wire.output()).map_err(bad_password)?;
                wire.flush(&[]).await?;
            }
            Message::AuthenticationSasl(body) => {
                *asked = true;
                let begun = Scram::begin(options, host, channel.encrypted, channel.binding.as_deref(), &body)?;
                frontend::sasl_initial_response(begun.mechanism, begun.exchange.message(), wire.output())
                    .map_err(bad_password)?;
                scram = Some(begun);
                wire.flush(&[]).await?;
            }
            Message::AuthenticationSaslContinue(body) => {
                let Some(scram) = scram.as_mut().filter(|scram| !scram.finished) else {
                    return Err(wire.confused("SASL continued before it began"));
                };
                scram.exchange.update(body.data()).map_err(scram_failed)?;
                frontend::sasl_response(scram.exchange.message(), wire.output()).map_err(bad_password)?;
                wire.flush(&[]).await?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let Some(scram) = scram.as_mut().filter(|scram| !scram.finished) else {
                    return Err(wire.confused("SASL ended before it began"));
                };
                scram.exchange.finish(body.data()).map_err(scram_failed)?;
                scram.finished = true;
            }
            Message::ErrorResponse(body) => return Err(ServerError::decode(&body).into_error()),
            Message::NoticeResponse(_) | Message::ParameterStatus(_) => {}
            Message::AuthenticationGss | Message::AuthenticationGssContinue(_) => return Err(unsupported("GSSAPI")),
            Message::AuthenticationSspi => return Err(unsupported("SSPI")),
            Message::AuthenticationKerberosV5 => return Err(unsupported("Kerberos 5")),
            Message::AuthenticationScmCredential => return Err(unsupported("SCM credentials")),
            _ => return Err(wire.confused("unexpected message during the login")),
        }
    }
    Err(endless(wire))
}

/// A server says some thirty things before a session begins, and login triggers some more.
const LOGIN_MESSAGES_MAX: u32 = 10_000;

fn endless(wire: &Wire) -> Error {
    wire.confused(format!("more than {LOGIN_MESSAGES_MAX} messages before the session begins"))
}

struct Scram {
    exchange: sasl::ScramSha256,
    mechanism: &'static str,
    bound: bool,
    finished: bool,
}

impl Scram {
    fn begin(
        options: &Options,
        host: &Host,
        encrypted: bool,
        binding: Option<&[u8]>,
        body: &AuthenticationSaslBody,
    ) -> Result<Self> {
        let mut plain = false;
        let mut plus = false;
        let mut mechanisms = body.mechanisms();
        while let Ok(Some(mechanism)) = mechanisms.next() {
            plain |= mechanism == sasl::SCRAM_SHA_256;
            plus |= mechanism == sasl::SCRAM_SHA_256_PLUS;
        }
        let wanted = options.channel_binding != ChannelBinding::Disable && encrypted;
        let (channel, mechanism, bound) = match binding {
            Some(hash) if plus && wanted => {
                (sasl::ChannelBinding::tls_server_end_point(hash.to_vec()), sasl::SCRAM_SHA_256_PLUS, true)
            }
            _ if options.channel_binding == ChannelBinding::Require => {
                return Err(no_binding("the server or its certificate does not offer it"));
            }
            // the server sees from this whether somebody in the middle took its offer out of the list
            Some(_) if wanted && plain => (sasl::ChannelBinding::unrequested(), sasl::SCRAM_SHA_256, false),
            _ if plain => (sasl::ChannelBinding::unsupported(), sasl::SCRAM_SHA_256, false),
            _ => {
                return Err(Error::new(ErrorKind::Authentication, "no SASL mechanism in common with the server")
                    .hint("This program speaks SCRAM-SHA-256, md5 and clear passwords."));
            }
        };
        let exchange = sasl::ScramSha256::new(&encode_text(password(host)?), channel);
        Ok(Self { exchange, mechanism, bound, finished: false })
    }
}

fn password(host: &Host) -> Result<&str> {
    host.password.as_ref().map(crate::secret::Secret::expose).ok_or_else(|| {
        Error::new(ErrorKind::Authentication, "the server asks for a password, and none is given")
            .hint("Put it into PGPASSWORD, the password file (~/.pgpass, mode 0600) or the service file.")
    })
}

fn bad_password(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Config, "the password cannot be sent").caused_by(error)
}

fn scram_failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Authentication, "SCRAM authentication failed").caused_by(error)
}

fn no_binding(reason: &str) -> Error {
    Error::new(ErrorKind::Authentication, "channel binding is required, but is not possible").detail(reason)
}

fn unsupported(method: &str) -> Error {
    Error::new(ErrorKind::Authentication, format!("the server asks for {method}, which is not supported"))
        .hint("Let this role log in by scram-sha-256 in pg_hba.conf.")
}

async fn begin_session(options: &Options, host: &Host, mut wire: Wire, encrypted: bool) -> Result<Connection> {
    let mut talk = Talk::default();
    let mut key = (0, 0);
    let mut count = 0;
    loop {
        count += 1;
        if count > LOGIN_MESSAGES_MAX {
            return Err(endless(&wire));
        }
        match wire.next().await? {
            Message::BackendKeyData(body) => key = (body.process_id(), body.secret_key()),
            Message::ParameterStatus(body) => talk.set(&body),
            Message::NoticeResponse(body) => talk.notice(&body),
            Message::ErrorResponse(body) => return Err(ServerError::decode(&body).into_error()),
            Message::ReadyForQuery(_) => break,
            _ => return Err(wire.confused("unexpected message before the session began")),
        }
    }
    wire.login_complete();
    let version = talk
        .setting("server_version")
        .and_then(Version::from_server_text)
        .ok_or_else(|| wire.confused("the server does not tell its version"))?;
    let cancel = CancelToken::new(options, host, encrypted, key.0, key.1);
    let seat = options.sessions.enter(&cancel);
    Ok(Connection {
        wire,
        talk,
        warnings: Vec::new(),
        process_id: key.0,
        version,
        status: TransactionStatus::Idle,
        state: State::Ready,
        pooled: false,
        cancel,
        seat,
    })
}

const TARGET: &str = include_str!("../../sql/session/target.sql");

async fn check_target(connection: &mut Connection, target: TargetSession) -> Result<()> {
    if target == TargetSession::Any {
        return Ok(());
    }
    let row = connection.query_one(TARGET, &[]).await?;
    let decode =
        |error: crate::record::DecodeError| Error::new(ErrorKind::Server, "target_session_attrs").caused_by(error);
    let standby = row.boolean("in_recovery").map_err(decode)?;
    let read_only = row.boolean("read_only").map_err(decode)?;
    let problem = match target {
        TargetSession::ReadWrite if read_only => "session is read-only",
        TargetSession::ReadOnly if !read_only => "session is not read-only",
        TargetSession::Primary if standby => "server is in hot standby mode",
        TargetSession::Standby if !standby => "server is not in hot standby mode",
        TargetSession::ReadWrite
        | TargetSession::ReadOnly
        | TargetSession::Primary
        | TargetSession::Standby
        | TargetSession::PreferStandby
        | TargetSession::Any => return Ok(()),
    };
    Err(Error::new(ErrorKind::Connect, problem).hint("target_session_attrs asks for another kind of server."))
}

/// What `connect_timeout` is when nobody sets it. libpq waits for ever; a nightly job should not.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
