//! What a user gave as connection settings, and how it becomes [`Options`].

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::connect::DEFAULT_TIMEOUT;
use super::conninfo::{self, KEYWORDS, Parameters, Treatment};
use super::options::{Address, ChannelBinding, Host, Keepalive, Options, Roots, SslMode, TargetSession, Tls};
use super::passfile::{Login, PasswordFile};
use super::pooler::Poolers;
use super::{service, silence};
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::record::decode_text;
use crate::secret::Secret;

/// Where a setting came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line, which other users of the machine can read.
    Argument,
    /// An environment variable.
    Environment,
    /// A configuration file.
    File,
}

/// Connection settings as given: a URL, a conninfo string or a plain database name, and pg_dump's flags beside it.
#[derive(Clone, Default)]
pub struct Spec {
    /// `-d`, or the only argument: `postgresql://...`, `host=... dbname=...`, or a database's name.
    pub target: Option<String>,
    /// Where `target` came from.
    pub origin: Option<Origin>,
    /// `-h`.
    pub host: Option<String>,
    /// `-p`.
    pub port: Option<String>,
    /// `-U`.
    pub user: Option<String>,
    /// A password that was asked for on the terminal or read from a file.
    pub password: Option<Secret>,
    /// What `application_name` is when the settings do not say.
    pub application_name: Option<String>,
}

/// Reads an environment variable, in `decode_text` form.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Where a server's socket lies by default: Debian's and Red Hat's folder, then PostgreSQL's own.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

const SYSTEM_FOLDERS: [&str; 2] = ["/etc/postgresql-common", "/etc"];

impl Spec {
    /// The database that the settings name, if they do, without looking at the environment.
    pub fn database(&self) -> Option<String> {
        let target = self.target.as_deref()?;
        conninfo::parse(target).ok()?.remove("dbname").filter(|name| !name.is_empty())
    }

    /// Whether the target itself has a password in it.
    pub fn has_password(&self) -> bool {
        let parameters = self.target.as_deref().map(conninfo::parse);
        parameters.is_some_and(|parsed| parsed.is_ok_and(|parameters| parameters.contains_key("password")))
    }

    /// Refuses a password on the command line, where every user of the machine can read it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] with the alternatives.
    pub fn refuse_password_on_command_line(&self) -> Result<()> {
        if self.origin != Some(Origin::Argument) || !self.has_password() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Usage, "a password on the command line can be read by every user of this machine").hint(
            "Put it into ~/.pgpass (mode 0600), into PGPASSWORD, or give the whole URL in DATABASE_URL, and leave it out here.",
        ))
    }

    /// Decides every setting as libpq does: the target, then the flags, then the service, then the environment, then
    /// defaults.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] names the parameter that cannot be understood or honoured.
    pub fn resolve(&self, environment: Environment<'_>) -> Result<Options> {
        let parameters = self.merge(environment)?;
        Resolver { parameters, environment, warnings: Vec::new(), password_note: None }.options(self)
    }

    fn merge(&self, environment: Environment<'_>) -> Result<Parameters> {
        let mut parameters = match self.target.as_deref() {
            Some(target) if !target.is_empty() => conninfo::parse(target)?,
            Some(_) | None => Parameters::new(),
        };
        for (name, value) in [("host", &self.host), ("port", &self.port), ("user", &self.user)] {
            if let Some(value) = value {
                parameters.entry(name).or_insert_with(|| value.clone());
            }
        }
        if let Some(password) = &self.password {
            parameters.entry("password").or_insert_with(|| password.expose().to_owned());
        }
        // an empty value means the same as none
        parameters.retain(|_, value| !value.is_empty());

        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let service = parameters.get("service").cloned().or_else(|| variable("PGSERVICE"));
        if let Some(service) = service {
            let explicit = parameters.get("servicefile").cloned().or_else(|| variable("PGSERVICEFILE"));
            let system = match variable("PGSYSCONFDIR") {
                Some(folder) => vec![path(&folder)],
                None => SYSTEM_FOLDERS.iter().map(PathBuf::from).collect(),
            };
            let places = service::Places {
                explicit: explicit.as_deref().map(path),
                home: home(environment).map(|home| home.join(".pg_service.conf")),
                system: system.into_iter().map(|folder| folder.join("pg_service.conf")).collect(),
            };
            for (name, value) in service::find(&service, &places)? {
                parameters.entry(name).or_insert(value);
            }
        }
        for (name, variable_name, treatment) in KEYWORDS {
            if let Some(value) = variable_name.and_then(variable)
                && !parameters.contains_key(name)
            {
                if treatment == Treatment::Refused {
                    let source = variable_name.unwrap_or_default();
                    return Err(conninfo::refused(name).detail(format!("{source} is set")));
                }
                parameters.insert(name, value);
            }
        }
        Ok(parameters)
    }
}

fn path(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(&crate::record::encode_text(text)))
}

/// The user's line of `/etc/passwd`: name and home.
fn account() -> Option<(String, PathBuf)> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let text = decode_text(&std::fs::read("/etc/passwd").ok()?);
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [name, _, id, _, _, home, ..] if **id == *uid => Some(((*name).to_owned(), path(home))),
            _ => None,
        }
    })
}

fn home(environment: Environment<'_>) -> Option<PathBuf> {
    match environment("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Some(path(&home)),
        None => account().map(|(_, home)| home),
    }
}

fn bad_value(name: &str, value: &str, allowed: &str) -> Error {
    Error::new(ErrorKind::Config, format!("invalid {name} value: \"{}\"", value.escape_debug()))
        .hint(format!("Allowed: {allowed}."))
}

/// Without the value: in `postgresql://user:password` it is where a password lands that no @ follows.
fn bad_port() -> Error {
    Error::new(ErrorKind::Config, "invalid port value").hint(
        "Allowed: 1 to 65535. In a URL user and password end with an @: postgresql://user:password@host:5432/database.",
    )
}

struct Resolver<'a> {
    parameters: Parameters,
    environment: Environment<'a>,
    warnings: Vec<String>,
    password_note: Option<String>,
}

impl Resolver<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn choose<T: Copy>(&self, name: &str, choices: &[(&str, T)], default: T) -> Result<T> {
        let Some(value) = self.get(name) else { return Ok(default) };
        choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            bad_value(name, value, &words.join(", "))
        })
    }

    fn integer(&self, name: &str) -> Result<Option<i64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.trim().parse().map(Some).map_err(|_| bad_value(name, value, "a whole number")),
        }
    }

    fn options(mut self, spec: &Spec) -> Result<Options> {
        let user = match self.get("user") {
            Some(user) => user.to_owned(),
            None => self.default_user()?,
        };
        let database = self.get("dbname").unwrap_or(&user).to_owned();
        let hosts = self.hosts(&database, &user)?;
        let tls = self.tls()?;
        let application_name = self
            .get("application_name")
            .map(str::to_owned)
            .or_else(|| spec.application_name.clone())
            .or_else(|| self.get("fallback_application_name").map(str::to_owned))
            .unwrap_or_else(|| "pgproof".to_owned());
        if self.get("gssencmode") == Some("require") {
            return Err(conninfo::refused("gssencmode=require"));
        }
        Ok(Options {
            hosts,
            user,
            database,
            tls,
            channel_binding: self.choose(
                "channel_binding",
                &[
                    ("disable", ChannelBinding::Disable),
                    ("prefer", ChannelBinding::Prefer),
                    ("require", ChannelBinding::Require),
                ],
                ChannelBinding::Prefer,
            )?,
            connect_timeout: match self.integer("connect_timeout")? {
                None => Some(DEFAULT_TIMEOUT),
                Some(seconds) => u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
            },
            target: self.choose(
                "target_session_attrs",
                &[
                    ("any", TargetSession::Any),
                    ("read-write", TargetSession::ReadWrite),
                    ("read-only", TargetSession::ReadOnly),
                    ("primary", TargetSession::Primary),
                    ("standby", TargetSession::Standby),
                    ("prefer-standby", TargetSession::PreferStandby),
                ],
                TargetSession::Any,
            )?,
            load_balance: self.choose("load_balance_hosts", &[("disable", false), ("random", true)], false)?,
            application_name,
            backend_options: self.get("options").map(str::to_owned),
            keepalive: self.keepalive()?,
            idle_limit: self.idle_limit()?,
            poolers: Poolers::default(),
            password_note: self.password_note.take(),
            warnings: std::mem::take(&mut self.warnings),
            sessions: super::Sessions::default(),
        })
    }

    fn default_user(&self) -> Result<String> {
        account()
            .map(|(name, _)| name)
            .or_else(|| (self.environment)("USER").filter(|user| !user.is_empty()))
            .ok_or_else(|| {
                Error::new(ErrorKind::Config, "no user name to log in with").hint("Give one with -U or PGUSER.")
            })
    }

    /// No setting of libpq's: it waits for ever.
    fn idle_limit(&self) -> Result<Duration> {
        const NAME: &str = "PGPROOF_IDLE_LIMIT";
        let Some(text) = (self.environment)(NAME).filter(|text| !text.is_empty()) else {
            return Ok(silence::DEFAULT_LIMIT);
        };
        let seconds = text.trim().parse().ok().filter(|seconds: &u64| *seconds > 0);
        seconds.map(Duration::from_secs).ok_or_else(|| bad_value(NAME, &text, "a whole number of seconds"))
    }

    fn keepalive(&self) -> Result<Keepalive> {
        let default = Keepalive::default();
        let seconds = |name: &str, default: Option<Duration>| -> Result<Option<Duration>> {
            Ok(match self.integer(name)? {
                None => default,
                Some(number) => u64::try_from(number).ok().filter(|number| *number > 0).map(Duration::from_secs),
            })
        };
        Ok(Keepalive {
            enabled: self.integer("keepalives")?.is_none_or(|number| number != 0),
            idle: seconds("keepalives_idle", default.idle)?,
            interval: seconds("keepalives_interval", default.interval)?,
            count: match self.integer("keepalives_count")? {
                None => default.count,
                Some(number) => u32::try_from(number).ok().filter(|number| *number > 0),
            },
            user_timeout: self
                .integer("tcp_user_timeout")?
                .and_then(|number| u64::try_from(number).ok().filter(|number| *number > 0))
                .map(Duration::from_millis),
        })
    }

    fn hosts(&mut self, database: &str, user: &str) -> Result<Vec<Host>> {
        let list = |name: &str| -> Vec<String> {
            self.get(name).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        let count = names.len().max(addresses.len()).max(1);
        if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "there are {} and {}",
                    counted(names.len(), "host name"),
                    counted(addresses.len(), "hostaddr value")
                ),
            ));
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(Error::new(
                ErrorKind::Config,
                format!("there are {} and {}", counted(ports.len(), "port"), counted(count, "host")),
            ));
        }
        let given = self.get("password").map(Secret::new);
        let path = self.password_file().filter(|_| given.is_none());
        let password_file = path.as_ref().map(|path| PasswordFile::read(path, &mut self.warnings));
        self.password_note = self.warnings.last().cloned();
        let mut hosts = Vec::new();
        for index in 0..count {
            let port = match ports.get(if ports.len() == 1 { 0 } else { index }).map_or("", String::as_str) {
                "" => 5432,
                text => text.trim().parse().ok().filter(|port| *port > 0).ok_or_else(bad_port)?,
            };
            let name = names.get(index).map_or("", String::as_str);
            if name.get(1..).is_some_and(|rest| rest.contains('@')) {
                return Err(Error::new(ErrorKind::Config, "a host's name has an @ in it")
                    .detail("it is not shown: it may have a password in front")
                    .hint("Give the user with -U and the password in PGPASSWORD or ~/.pgpass, or write postgresql://user@host/database."));
            }
            let numeric = match addresses.get(index).map_or("", String::as_str) {
                "" => None,
                text => {
                    let address = text.trim().parse::<IpAddr>();
                    Some(address.map_err(|_| bad_value("hostaddr", text, "an IPv4 or IPv6 address"))?)
                }
            };
            let (address, key) = address(name, numeric, port);
            let password = given.clone().or_else(|| {
                let login = Login { host: &key, port, database, user };
                let file = password_file.as_ref()?;
                let found = file.find(&login);
                if found.is_none() && !file.is_empty() {
                    let name = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
                    self.password_note = Some(format!(
                        "password file \"{name}\" has no line for host {key}, port {port}, database {database}, user {user}"
                    ));
                }
                found
            });
            hosts.push(Host { address, port, password });
        }
        Ok(hosts)
    }

    fn password_file(&self) -> Option<PathBuf> {
        match self.get("passfile") {
            Some(file) => Some(path(file)),
            None => home(self.environment).map(|home| home.join(".pgpass")),
        }
    }

    fn tls(&self) -> Result<Tls> {
        let folder = home(self.environment).map(|home| home.join(".postgresql"));
        let in_folder = |name: &str| folder.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
        let system = self.get("sslrootcert") == Some("system");
        let default_mode = match (system, self.get("requiressl")) {
            (true, _) => SslMode::VerifyFull,
            (false, Some("1")) => SslMode::Require,
            (false, Some(_) | None) => SslMode::Prefer,
        };
        let mode = self.choose(
            "sslmode",
            &[
                ("disable", SslMode::Disable),
                ("allow", SslMode::Allow),
                ("prefer", SslMode::Prefer),
                ("require", SslMode::Require),
                ("verify-ca", SslMode::VerifyCa),
                ("verify-full", SslMode::VerifyFull),
            ],
            default_mode,
        )?;
        if system && mode != SslMode::VerifyFull {
            return Err(Error::new(ErrorKind::Config, "a weak sslmode may not be used with sslrootcert=system")
                .hint("Use sslmode=verify-full: anybody can have a certificate that the system trusts."));
        }
        let direct = self.choose("sslnegotiation", &[("postgres", false), ("direct", true)], false)?;
        if direct && mode < SslMode::Require {
            return Err(Error::new(ErrorKind::Config, "a weak sslmode may not be used with sslnegotiation=direct")
                .hint("Use sslmode=require, verify-ca or verify-full."));
        }
        let roots = match self.get("sslrootcert") {
            Some("system") => Roots::System,
            Some(file) if path(file).exists() => Roots::File(path(file)),
            Some(file) if mode >= SslMode::VerifyCa => {
                return Err(Error::new(ErrorKind::Config, format!("root certificate file \"{file}\" does not exist")));
            }
            Some(_) => Roots::Unchecked,
            None => in_folder("root.crt").map_or(Roots::Unchecked, Roots::File),
        };
        let revoked = match self.get("sslcrl") {
            Some(file) => Some(path(file)),
            None => in_folder("root.crl"),
        };
        let identity = match self.get("sslcertmode") {
            Some("disable") => None,
            Some("allow") | None => {
                let certificate = self.get("sslcert").map(path).or_else(|| in_folder("postgresql.crt"));
                let key = self.get("sslkey").map(path).or_else(|| Some(folder.as_ref()?.join("postgresql.key")));
                certificate.filter(|path| path.exists()).zip(key)
            }
            Some(other) => return Err(bad_value("sslcertmode", other, "disable, allow")),
        };
        let newest_only = match self.get("ssl_min_protocol_version") {
            None | Some("TLSv1" | "TLSv1.1" | "TLSv1.2") => false,
            Some("TLSv1.3") => true,
            Some(other) => return Err(bad_value("ssl_min_protocol_version", other, "TLSv1.2, TLSv1.3")),
        };
        let server_name = self.choose("sslsni", &[("0", false), ("1", true)], true)?;
        Ok(Tls { mode, roots, revoked, identity, direct, server_name, newest_only })
    }
}

/// Where to connect, and by what name the password file knows it.
fn address(name: &str, numeric: Option<IpAddr>, port: u16) -> (Address, String) {
    if let Some(address) = numeric {
        let key = if name.is_empty() { address.to_string() } else { name.to_owned() };
        return (Address::Tcp { name: name.to_owned(), numeric }, key);
    }
    if let Some(prefix) = name.strip_prefix('@') {
        return (Address::Abstract(prefix.to_owned()), name.to_owned());
    }
    if name.is_empty() {
        let has_socket = |folder: &&str| PathBuf::from(folder).join(format!(".s.PGSQL.{port}")).exists();
        let folder = SOCKET_FOLDERS.iter().find(|folder| has_socket(folder)).or(SOCKET_FOLDERS.first());
        return (Address::Unix(folder.map(PathBuf::from).unwrap_or_default()), "localhost".to_owned());
    }
    if name.starts_with('/') {
        let is_default = SOCKET_FOLDERS.contains(&name.trim_end_matches('/'));
        let key = if is_default { "localhost".to_owned() } else { name.to_owned() };
        return (Address::Unix(path(name)), key);
    }
    (Address::Tcp { name: name.to_owned(), numeric: None }, name.to_owned())
}

#[cfg(test)]
mod tests;
