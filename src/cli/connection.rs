//! Which server and database: pg_dump's letters, and everything that libpq takes.

use std::os::unix::ffi::OsStrExt as _;

use super::context::Context;
use crate::config;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink as _};
use crate::record::decode_text;
use crate::secret::Secret;
use crate::server::{self, Origin, Spec};

/// Which server and database.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Connection options")]
pub(super) struct ConnectionArgs {
    /// The database: a name, a URL or key=value pairs [env: PGDATABASE]
    #[arg(short, long, value_name = "DBNAME")]
    pub(super) dbname: Option<String>,

    /// The server's host or socket folder [env: PGHOST]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,

    /// The server's port [env: PGPORT]
    #[arg(short, long, value_name = "PORT")]
    port: Option<String>,

    /// The user to connect as [env: PGUSER]
    #[arg(short = 'U', long, value_name = "NAME")]
    username: Option<String>,

    /// Ask for the password
    #[arg(short = 'W', long)]
    password: bool,

    /// Never ask for a password, which is the default
    #[arg(short = 'w', long, conflicts_with = "password")]
    no_password: bool,
}

impl ConnectionArgs {
    /// Decides every setting; `positional` is the database as pg_dump also takes it.
    pub(super) async fn resolve(&self, positional: Option<&str>, context: &Context) -> Result<server::Options> {
        let (target, origin) = match (positional, &self.dbname) {
            (Some(_), Some(_)) if !context.origins.contains_key("dbname") => {
                return Err(Error::new(ErrorKind::Usage, "the database is named twice")
                    .hint("Name it with -d or as the argument, not both."));
            }
            (Some(name), _) => (Some(name.to_owned()), Origin::Argument),
            (None, target) => (target.clone(), self.origin(context)),
        };
        self.resolve_target(target, origin, context).await
    }

    fn origin(&self, context: &Context) -> Origin {
        match context.origins.get("dbname") {
            None => Origin::Argument,
            Some(config::Origin::Variable(_)) => Origin::Environment,
            Some(config::Origin::Line(_)) => Origin::File,
        }
    }

    async fn resolve_target(
        &self,
        target: Option<String>,
        origin: Origin,
        context: &Context,
    ) -> Result<server::Options> {
        let password = if self.password { Some(ask_password().await?) } else { None };
        let spec = Spec {
            target,
            origin: Some(origin),
            host: self.host.clone(),
            port: self.port.clone(),
            user: self.username.clone(),
            password,
            application_name: Some("pgproof".to_owned()),
        };
        resolve(&spec, context)
    }
}

/// Decides the settings of a URL or database name that stands for itself, as in `--against URL`.
pub(super) fn resolve_url(name: &str, target: &str, context: &Context) -> Result<server::Options> {
    let origin = match context.origins.get(name) {
        None => Origin::Argument,
        Some(config::Origin::Variable(_)) => Origin::Environment,
        Some(config::Origin::Line(_)) => Origin::File,
    };
    let spec = Spec {
        target: Some(target.to_owned()),
        origin: Some(origin),
        application_name: Some("pgproof".to_owned()),
        ..Spec::default()
    };
    resolve(&spec, context)
}

fn resolve(spec: &Spec, context: &Context) -> Result<server::Options> {
    if let Some(target) = spec.target.as_deref() {
        refuse_half_a_url(target)?;
    }
    spec.refuse_password_on_command_line()?;
    let mut options = spec.resolve(&|name| std::env::var_os(name).map(|value| decode_text(value.as_bytes())))?;
    options.sessions = context.sessions.clone();
    if let (Some(path), Some(Origin::File), true) = (&context.open_file, spec.origin, spec.has_password()) {
        options.warnings.push(format!(
            "configuration file \"{}\" has a password in it and can be read by others; permissions should be u=rw (0600)",
            path.display()
        ));
    }
    // files of this machine are no part of what a manifest or a proof keeps
    for warning in &options.warnings {
        context.talk.event(Event::Warning(Message::new(warning.clone())));
    }
    Ok(options)
}

/// libpq takes `postgresql:/host/db` for the name of a database, and looks for it on this machine.
fn refuse_half_a_url(target: &str) -> Result<()> {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    if matches!(scheme, Some("postgres" | "postgresql")) && !target.contains("://") {
        return Err(Error::new(ErrorKind::Usage, "the database is named by half a URL")
            .hint("Write it as postgresql://user@host:port/database."));
    }
    Ok(())
}

async fn ask_password() -> Result<Secret> {
    let asked = tokio::task::spawn_blocking(|| rpassword::prompt_password("Password: ")).await;
    match asked {
        Ok(Ok(password)) => Ok(Secret::new(password)),
        Ok(Err(error)) => Err(Error::new(ErrorKind::Refused, "could not ask for the password")
            .caused_by(error)
            .hint("Without a terminal give it in PGPASSWORD or ~/.pgpass.")),
        Err(error) => Err(Error::new(ErrorKind::Bug, "could not ask for the password").caused_by(error)),
    }
}
