//! The database to restore into: the way to it, and how it is made where it does not exist.

use super::session::connect;
use super::statement;
use crate::archive::toc::Toc;
use crate::error::{ErrorKind, Result};
use crate::object::identifier::Quote;
use crate::object::version::Version;
use crate::server::{Connection, Options};

/// Every server has it unless somebody has dropped it.
const MAINTENANCE: &str = "postgres";

/// Connects to the target. Where it does not exist and `is_made` allows it, to the database from which it can be made; `true` says
/// that it has to be.
///
/// # Errors
///
/// Those of [`connect`].
pub(super) async fn reach(options: &Options, is_made: bool) -> Result<(Connection, bool)> {
    match connect(options).await {
        Ok(connection) => Ok((connection, false)),
        Err(error) if error.kind() == ErrorKind::NoDatabase && is_made => {
            let connection = connect(&options.with_database(MAINTENANCE)).await?;
            Ok((connection, true))
        }
        Err(error) if error.kind() == ErrorKind::NoDatabase => Err(error.hint(
            "Say --create-target to have it made as the source was, or make it first (createdb). --create makes the database that \
             the archive names; -d is then one to connect to first.",
        )),
        Err(error) => Err(error),
    }
}

/// The statement that makes a database of this name, with encoding and locale of the archive's own where it tells them.
pub(super) fn create_statement(name: &str, toc: Option<&Toc>, version: Version) -> String {
    let quote = Quote::default();
    let begin = format!("CREATE DATABASE {}", quote.identifier(name));
    let own = toc.and_then(|toc| {
        let entry = toc.entries.iter().find(|entry| entry.kind == "DATABASE")?;
        let create = statement::create(entry, toc, true, version)?;
        let options = create.trim().strip_prefix("CREATE DATABASE ")?;
        let options = options.strip_prefix(quote.identifier(&entry.tag).as_ref())?;
        Some(format!("{begin}{options}"))
    });
    own.unwrap_or_else(|| match toc.and_then(Toc::encoding) {
        Some(encoding) => format!("{begin} WITH TEMPLATE = template0 ENCODING = {}", quote.literal(encoding)),
        None => format!("{begin} WITH TEMPLATE = template0"),
    })
}

/// Makes the target.
///
/// # Errors
///
/// The server's: a role that may not create databases, a locale that it does not have.
pub(super) async fn make(options: &Options, role: Option<&str>, sql: &str) -> Result<()> {
    let mut connection = connect(&options.with_database(MAINTENANCE)).await?;
    if let Some(role) = role {
        connection.query("select pg_catalog.set_config('role', $1, false)", &[Some(role)]).await?;
    }
    connection.execute(sql).await.map_err(|error| {
        error
            .context(&format!("could not make database \"{}\"", options.database))
            .hint("Make it by hand (createdb) where the source's locale or tablespace does not exist here.")
    })?;
    connection.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::toc::{Container, Created, Entry, Header, Section};
    use crate::codec::compress::Compression;

    #[test]
    fn a_target_is_made_as_the_source_was() {
        let header =
            Header::new(crate::archive::Version::NEWEST, Container::Custom, Compression::None, Created::default());
        let mut toc = Toc { header: header.unwrap(), entries: Vec::new() };
        let newest = Version(180_000);
        assert_eq!(create_statement("a b", None, newest), "CREATE DATABASE \"a b\" WITH TEMPLATE = template0");
        let mut entry = Entry::new(1, "DATABASE", "Shop", Section::PreData);
        entry.create = Some(
            "CREATE DATABASE \"Shop\" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';\n\n".to_owned(),
        );
        toc.entries.push(entry);
        let made = create_statement("copy", Some(&toc), newest);
        assert_eq!(
            made,
            "CREATE DATABASE copy WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';"
        );
        let made = create_statement("copy", Some(&toc), Version(140_000));
        assert_eq!(made, "CREATE DATABASE copy WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C';");
    }
}
