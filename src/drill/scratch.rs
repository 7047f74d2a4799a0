//! Where a drill restores to: a database that did not exist before and does not exist afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Source;
use crate::object::Quote;
use crate::server::{Connection, Options, sqlstate};

use super::embedded::{self, Cluster};
use super::leftover::{self, KEPT, MARKER, Swept};

/// Where a drill restores to.
#[derive(Clone)]
pub enum Place {
    /// A new database on this server; the options lead to any database of it.
    Server(Box<Options>),
    /// A new cluster, made from PostgreSQL's programs on this machine.
    Embedded {
        /// Where the programs are; otherwise they are looked for.
        programs: Option<PathBuf>,
        /// Where to make the cluster; otherwise the folder for temporary files.
        folder: Option<PathBuf>,
    },
}

/// Scratch databases are called so, with the time and a random number, and carry [`leftover::MARKER`] as their comment.
const PREFIX: &str = "pgproof_drill_";
/// How long cleaning up may take when the drill was stopped.
const DROP_MAX: Duration = Duration::from_secs(6);

/// The roles that a backup names.
#[derive(Clone, Copy)]
pub(super) struct Roles<'a> {
    /// All of them.
    pub(super) all: &'a BTreeSet<String>,
    /// Those that own what only superusers may own.
    pub(super) superusers: &'a BTreeSet<String>,
}

/// A scratch database. Dropping the value removes it.
pub(super) struct Scratch {
    /// How to reach it.
    pub(super) target: Options,
    /// What is known of its server.
    pub(super) server: String,
    pub(super) server_version: String,
    /// What drills that died had left.
    pub(super) swept: Swept,
    /// What is not as on the source.
    pub(super) notes: Vec<String>,
    cluster: Option<Cluster>,
    /// How to reach the server without the database.
    maintenance: Options,
    /// A session that shows other drills that the database is in use.
    keeper: Option<Connection>,
    roles: Vec<String>,
    armed: bool,
}

impl Scratch {
    /// Makes the database. `roles` are created where the server does not have them.
    pub(super) async fn prepare(
        place: &Place,
        source: &Source,
        roles: Roles<'_>,
        allow_older: bool,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let name = format!("{PREFIX}{}_{:08x}", now.format("%Y%m%d%H%M%S"), rand::random::<u32>());
        let mut folders = Vec::new();
        let (cluster, maintenance) = match place {
            Place::Server(options) => (None, (**options).clone()),
            Place::Embedded { programs, folder } => {
                let base = folder.clone().unwrap_or_else(std::env::temp_dir);
                folders = embedded::sweep(&base);
                let programs = embedded::find(programs.as_deref(), source.server_version_number / 10_000)?;
                let cluster = Cluster::start(programs, &base).await?;
                let options = cluster.options("postgres")?;
                (Some(cluster), options)
            }
        };
        let mut connection = leftover::connect(&maintenance).await?;
        let mut swept = leftover::sweep(&mut connection, &maintenance).await?;
        swept.removed.extend(folders);
        let mut notes = Vec::new();
        let majors = [connection.version().major(), source.server_version_number / 10_000];
        if let [here, there] = majors
            && here < there
        {
            let text = format!("the scratch server is PostgreSQL {here}, the source was {there}");
            if !allow_older {
                return Err(Error::new(ErrorKind::Refused, text)
                    .detail("an older server does not know all that a newer one dumps")
                    .hint("Drill on a server that is as new as the source, or say --allow-older-server."));
            }
            notes.push(text);
        }
        let server = match &cluster {
            Some(cluster) => format!("embedded PostgreSQL {}", cluster.version()),
            None => connection.peer().to_owned(),
        };
        let server_version = connection.parameter("server_version").unwrap_or("unknown").to_owned();
        let target = maintenance.with_database(&name);
        let mut scratch = Self {
            target,
            server,
            server_version,
            swept,
            notes,
            cluster,
            maintenance,
            keeper: None,
            roles: Vec::new(),
            armed: true,
        };
        scratch.create(&mut connection, &name, source).await?;
        scratch.create_roles(&mut connection, roles.all).await?;
        scratch.raise(&mut connection, roles.superusers).await?;
        connection.close().await;
        Ok(scratch)
    }

    async fn create(&mut self, connection: &mut Connection, name: &str, source: &Source) -> Result<()> {
        let major = connection.version().major();
        let quote = Quote::default();
        let statement = |locale: &str| {
            let (name, encoding) = (quote.identifier(name), quote.literal(&source.encoding));
            format!("create database {name} template template0 encoding {encoding} {locale}")
        };
        let mut locales = vec![locale_clause(source, major)];
        // the source's locale may not exist here; rows and rules do not depend on it, the order of text does
        locales.push("lc_collate 'C' lc_ctype 'C'".to_owned());
        for (index, locale) in locales.iter().enumerate() {
            match connection.execute(&statement(locale)).await {
                Ok(()) => {
                    if index > 0 {
                        let wanted = locales.first().map_or("", String::as_str);
                        self.notes.push(format!("the scratch database has locale C: the server cannot make {wanted}"));
                    }
                    break;
                }
                Err(error) if index + 1 < locales.len() && is_locale_problem(&error) => {}
                Err(error) => {
                    let lacks_right = sqlstate(&error) == Some("42501");
                    let error = error.context(&format!("could not make the scratch database \"{name}\""));
                    return Err(match lacks_right {
                        true => error.hint("The drill's role needs the right to create databases (CREATEDB)."),
                        false => error,
                    });
                }
            }
        }
        // the session comes first: a database without one may be swept by another drill
        let keeper = leftover::connect(&self.target).await?;
        self.keeper = Some(keeper);
        leftover::mark(connection, "database", name, MARKER).await
    }

    /// Makes these roles superusers, on a server of our own alone: some objects have no other owners.
    async fn raise(&self, connection: &mut Connection, roles: &BTreeSet<String>) -> Result<()> {
        let quote = Quote { all: true, ..Quote::default() };
        for role in self.roles.iter().filter(|role| self.cluster.is_some() && roles.contains(*role)) {
            connection.execute(&format!("alter role {} superuser", quote.identifier(role))).await?;
        }
        Ok(())
    }

    /// Creates the roles that the server does not have, without the right to log in.
    async fn create_roles(&mut self, connection: &mut Connection, roles: &BTreeSet<String>) -> Result<()> {
        let quote = Quote { all: true, ..Quote::default() };
        for role in roles {
            let known =
                connection.query("select 1 as one from pg_catalog.pg_roles where rolname = $1", &[Some(role)]).await?;
            if !known.is_empty() || role.starts_with("pg_") {
                continue;
            }
            let made = connection.execute(&format!("create role {} nologin", quote.identifier(role))).await;
            made.map_err(|error| {
                error
                    .context(&format!("could not make role \"{role}\", which owns or may use something in the backup"))
                    .hint("Drill with a role that may create roles, or on an embedded server.")
            })?;
            self.roles.push(role.clone());
            leftover::mark(connection, "role", role, MARKER).await?;
        }
        Ok(())
    }

    /// Roles that others made for this drill, to be removed with it.
    pub(super) async fn adopt_roles(&mut self, roles: &[String]) {
        self.roles.extend(roles.iter().cloned());
        if let Some(keeper) = &mut self.keeper {
            for role in roles {
                // without its mark it is removed all the same, unless this drill is killed
                drop(leftover::mark(keeper, "role", role, MARKER).await);
            }
        }
    }

    /// Leaves everything in place, so that the next drill does, too, and says where it is.
    pub(super) async fn keep(mut self) -> Result<String> {
        let name = &self.target.database;
        let place = format!("database \"{name}\" on {}", self.server);
        if let Some(cluster) = self.cluster.take() {
            self.armed = false;
            return Ok(format!("{place}, {}", cluster.leave()));
        }
        self.keeper = None;
        let mut connection = leftover::connect(&self.maintenance).await?;
        leftover::mark(&mut connection, "database", name, KEPT).await?;
        self.armed = false;
        for role in &self.roles {
            leftover::mark(&mut connection, "role", role, KEPT).await?;
        }
        connection.close().await;
        Ok(match self.roles.as_slice() {
            [] => place,
            roles => format!("{place}, with {} that it needs: {}", counted(roles.len(), "role"), roles.join(", ")),
        })
    }

    /// Removes the database, the roles and the cluster. A future that is dropped on its way does so, too.
    pub(super) async fn remove(mut self) -> Result<()> {
        self.keeper = None;
        if let Some(mut cluster) = self.cluster.take() {
            self.armed = false;
            // here and not on another thread: a signal would end the program while that thread is still at it
            return cluster.remove();
        }
        let result = leftover::remove(&self.maintenance, &self.target.database, &self.roles).await;
        self.armed = false;
        result
    }
}

impl Drop for Scratch {
    /// For a drill that was stopped: a signal drops the future that holds this. It waits at most [`DROP_MAX`]; what is left
    /// then carries our marker, and the next drill sweeps it.
    fn drop(&mut self) {
        if !self.armed || self.cluster.is_some() {
            return;
        }
        self.keeper = None;
        let (maintenance, name, roles) = (self.maintenance.clone(), self.target.database.clone(), self.roles.clone());
        let work = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let removing = leftover::remove(&maintenance, &name, &roles);
            // nobody is left who could be told of a failure
            drop(runtime.block_on(async { tokio::time::timeout(DROP_MAX, removing).await }));
        });
        drop(work.join());
    }
}

fn locale_clause(source: &Source, major: u32) -> String {
    let quote = Quote::default();
    let mut clause = format!("lc_collate {} lc_ctype {}", quote.literal(&source.collate), quote.literal(&source.ctype));
    let locale = source.locale.as_deref().map(|locale| quote.literal(locale));
    match (source.locale_provider.as_str(), locale) {
        ("icu", Some(locale)) if major >= 15 => clause.push_str(&format!(" locale_provider icu icu_locale {locale}")),
        ("builtin", Some(locale)) if major >= 17 => {
            clause.push_str(&format!(" locale_provider builtin builtin_locale {locale}"));
        }
        // the server's default provider may be another one
        ("libc", _) if major >= 15 => clause.push_str(" locale_provider libc"),
        _ => {}
    }
    clause
}

/// A locale that the server does not have (`22023`), an encoding that does not fit it (`42P17`), or one of another system.
fn is_locale_problem(error: &Error) -> bool {
    matches!(sqlstate(error), Some("22023" | "42P17" | "42809" | "0A000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_locale_of_the_source_as_the_server_can() {
        let source = Source {
            collate: "en_US.UTF-8".to_owned(),
            ctype: "C".to_owned(),
            locale_provider: "icu".to_owned(),
            locale: Some("und".to_owned()),
            monetary: None,
            ..Source::default()
        };
        assert_eq!(locale_clause(&source, 13), "lc_collate 'en_US.UTF-8' lc_ctype 'C'");
        assert_eq!(
            locale_clause(&source, 17),
            "lc_collate 'en_US.UTF-8' lc_ctype 'C' locale_provider icu icu_locale 'und'"
        );
        let libc = Source { locale_provider: "libc".to_owned(), locale: None, ..source };
        assert_eq!(locale_clause(&libc, 15), "lc_collate 'en_US.UTF-8' lc_ctype 'C' locale_provider libc");
    }
}
