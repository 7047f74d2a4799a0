//! Sessions that see the same rows in the same form, whatever the database's or the role's own settings are.

use super::connection::Connection;
use super::failure::sqlstate;
use crate::error::{Error, ErrorKind, Result};
use crate::object::version::Version;
use crate::record::DecodeError;

const SEARCH_PATH: &str = "select pg_catalog.set_config('search_path', '', false)";
const SETUP: &str = include_str!("../../sql/session/setup.sql");
const VALUES: &str = include_str!("../../sql/session/values.sql");
const MONETARY: &str = include_str!("../../sql/session/monetary.sql");
const DATABASE_SIZE: &str = include_str!("../../sql/session/database_size.sql");
const IDENTITY: &str = include_str!("../../sql/session/identity.sql");

/// What a session that dumps is set to beyond the pinned settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Become this role (`--role`).
    pub role: Option<String>,
    /// The encoding of names and rows on the wire; `None` is the database's own.
    pub encoding: Option<String>,
    /// Quote every identifier in definitions.
    pub quote_all_identifiers: bool,
    /// Policies may hide rows (`row_security`); otherwise that is an error.
    pub row_security: bool,
    /// `lc_monetary` while values are read; `None` is C.
    pub monetary: Option<String>,
    /// `extra_float_digits` while values are read; `None` is 3, the only one that is exact on every server.
    pub float_digits: Option<i8>,
}

/// How the transaction sees the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// One snapshot for the whole transaction.
    RepeatableRead,
    /// The same, at a moment that some serial order of transactions has too; waits for it.
    SerializableDeferrable,
}

/// Which database this is, on which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The cluster's identifier; `None` where the role may not read it.
    pub system_identifier: Option<String>,
    /// The database's oid.
    pub database_oid: u32,
    /// The database's name.
    pub database: String,
    /// The database's encoding, by PostgreSQL's name.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// The server's exact version.
    pub version: Version,
    /// What `version()` says.
    pub version_text: String,
    /// Whether the server is a standby.
    pub in_recovery: bool,
    /// Who is logged in, after `SET ROLE`.
    pub user: String,
    /// Whether that is a superuser.
    pub superuser: bool,
    /// What to tell the user: a server newer than this program knows, a standby that may cancel the dump.
    pub warnings: Vec<String>,
}

/// Sets the session up as a dump needs it and says where it is.
///
/// The first statement empties `search_path`, so that nothing in the database can come between us and the catalogue.
pub async fn set_up(connection: &mut Connection, setup: &Setup) -> Result<Standing> {
    prepare(connection, setup).await?;
    read_standing(connection).await
}

/// Sets the session up. Where it leads is not asked again of every worker.
pub(super) async fn prepare(connection: &mut Connection, setup: &Setup) -> Result<()> {
    connection.execute(SEARCH_PATH).await?;
    let encoding = match &setup.encoding {
        Some(encoding) => encoding.clone(),
        None => connection.parameter("server_encoding").unwrap_or("UTF8").to_owned(),
    };
    let quote_all = setup.quote_all_identifiers.then_some("on");
    let float_digits = setup.float_digits.map(|digits| digits.to_string());
    let row_security = Some(if setup.row_security { "on" } else { "off" });
    connection
        .query(SETUP, &[Some(&encoding), quote_all, row_security, float_digits.as_deref()])
        .await
        .map_err(|error| refused_setting(error, setup))?;
    if let Some(role) = &setup.role {
        connection
            .query("select pg_catalog.set_config('role', $1, false)", &[Some(role)])
            .await
            .map_err(|error| error.context(&format!("could not become role \"{role}\"")))?;
    }
    Ok(())
}

fn refused_setting(error: Error, setup: &Setup) -> Error {
    match &setup.encoding {
        Some(encoding) if sqlstate(&error) == Some("22023") => {
            Error::new(ErrorKind::Usage, format!("the server has no encoding \"{encoding}\"")).caused_by(error)
        }
        Some(_) | None => error.context("could not set the session up"),
    }
}

/// Pins the forms of values and definitions, for rows and for what is compared with another server.
///
/// # Errors
///
/// When the server does not have the locale of amounts of money.
pub async fn pin_values(connection: &mut Connection, setup: &Setup) -> Result<()> {
    connection.query(VALUES, &[setup.monetary.as_deref()]).await.map(|_| ()).map_err(|error| match &setup.monetary {
        Some(locale) => lacks_locale(error, locale),
        None => error,
    })
}

/// Says of a server's refusal what the locale is needed for.
pub fn lacks_locale(error: Error, locale: &str) -> Error {
    error.hint(format!("Amounts of money were written in the locale \"{locale}\"; install it where the server runs."))
}

/// The locale in which amounts of money are written and read; `None` where the database has none.
pub async fn read_monetary(connection: &mut Connection) -> Result<Option<String>> {
    let rows = connection.query(MONETARY, &[]).await?;
    let locale = rows.first().map(|row| row.string("monetary")).transpose();
    locale.map_err(|error| Error::new(ErrorKind::Server, "query \"monetary\"").caused_by(error))
}

/// The database's bytes on disk. With very many files the server takes its time to say.
pub async fn read_database_size(connection: &mut Connection) -> Result<u64> {
    let row = connection.query_one(DATABASE_SIZE, &[]).await?;
    row.number("size").map_err(|error| Error::new(ErrorKind::Server, "query \"database_size\"").caused_by(error))
}

/// Where a connection leads; needs no set-up.
pub async fn read_standing(connection: &mut Connection) -> Result<Standing> {
    let row = connection.query_one(IDENTITY, &[]).await?;
    let decode = || -> Result<Standing, DecodeError> {
        let version = Version(row.number("version_number")?);
        let mut warnings = Vec::new();
        if version.major() > Version::NEWEST_MAJOR {
            warnings.push(format!(
                "server {version} is newer than {}, the newest major this program was tried on",
                Version::NEWEST_MAJOR
            ));
        }
        let in_recovery = row.boolean("in_recovery")?;
        if in_recovery && row.text("hot_standby_feedback")? != "on" {
            warnings.push(format!(
                "the server is a standby without hot_standby_feedback: a conflict with replay longer than {} cancels the run",
                row.text("standby_delay")?
            ));
        }
        Ok(Standing {
            system_identifier: row.optional_string("system_identifier")?,
            database_oid: row.oid("database_oid")?,
            database: row.string("database")?,
            encoding: row.string("encoding")?,
            collate: row.string("collate")?,
            ctype: row.string("ctype")?,
            version,
            version_text: row.string("version_text")?,
            in_recovery,
            user: row.string("user")?,
            superuser: row.optional("superuser")? == Some("t"),
            warnings,
        })
    };
    let standing = decode().map_err(|error| Error::new(ErrorKind::Server, "query \"identity\"").caused_by(error))?;
    if standing.version.major() < Version::OLDEST_MAJOR {
        return Err(Error::new(
            ErrorKind::Server,
            format!(
                "server {} is older than {}, the oldest major that is supported",
                standing.version,
                Version::OLDEST_MAJOR
            ),
        ));
    }
    Ok(standing)
}

/// Begins the read-only transaction that everything is read in.
pub async fn begin(connection: &mut Connection, isolation: Isolation) -> Result<()> {
    connection
        .execute(match isolation {
            Isolation::RepeatableRead => "begin isolation level repeatable read, read only",
            Isolation::SerializableDeferrable => "begin isolation level serializable, read only, deferrable",
        })
        .await
}
