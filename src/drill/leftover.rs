//! What a drill leaves on a server, and how it goes: databases and roles that carry its mark.

use crate::error::{Error, ErrorKind, Result};
use crate::object::Quote;
use crate::record::DecodeError;
use crate::server::{Connection, Options, sqlstate};

/// The comment of databases and roles that a drill made: whatever carries it may be dropped when no session uses it.
pub(super) const MARKER: &str = "made by pgproof drill, dropped when it ends";
/// The comment of those that were to be kept: no drill touches them.
pub(super) const KEPT: &str = "made by pgproof drill --keep, not dropped by any other";

const BEGIN: &str = include_str!("../../sql/drill/begin.sql");
const END_CREATION: &str = include_str!("../../sql/drill/end_creation.sql");
const SUBSCRIPTIONS: &str = include_str!("../../sql/drill/subscription.sql");
const DATABASES: &str = include_str!("../../sql/drill/leftover_database.sql");
const ROLES: &str = include_str!("../../sql/drill/leftover_role.sql");

/// Names are quoted: as what they are called they may be words of SQL.
fn quote() -> Quote {
    Quote { all: true, ..Quote::default() }
}

/// A session that works whatever its role and its database are set to.
pub(super) async fn connect(options: &Options) -> Result<Connection> {
    let mut connection = Connection::connect(options).await?;
    // the timeout first: it may be shorter than what follows
    connection.execute("set statement_timeout = 0; set search_path = ''").await?;
    connection.query(BEGIN, &[]).await.map_err(|error| error.context("could not set the session up"))?;
    Ok(connection)
}

/// Writes this comment on a database or a role.
pub(super) async fn mark(connection: &mut Connection, what: &str, name: &str, comment: &str) -> Result<()> {
    let quote = quote();
    let sql = format!("comment on {what} {} is {}", quote.identifier(name), quote.literal(comment));
    connection.execute(&sql).await
}

/// Removes the database of a drill, with whoever still uses it, and its roles.
pub(super) async fn remove(maintenance: &Options, name: &str, roles: &[String]) -> Result<()> {
    let mut connection = connect(maintenance).await?;
    // the statement that creates it goes on without its client: once it is ended, there is a database or there is none
    connection.query(END_CREATION, &[Some(&format!("create database {name} "))]).await?;
    drop_subscriptions(&mut connection, maintenance, name).await?;
    connection.execute(&format!("drop database if exists {} with (force)", quote().identifier(name))).await?;
    let mut result = Ok(());
    for role in roles {
        // another drill on this server may use the role still: it then drops it
        let dropped = connection.execute(&format!("drop role if exists {}", quote().identifier(role))).await;
        if let Err(error) = dropped
            && !is_in_use(&error)
        {
            result = Err(error);
        }
    }
    connection.close().await;
    result
}

/// A database with subscriptions cannot be dropped, and they can only be dropped from within. They never reached their
/// publishers, where nothing is to be removed.
async fn drop_subscriptions(connection: &mut Connection, maintenance: &Options, name: &str) -> Result<()> {
    let names: Vec<String> = connection
        .query(SUBSCRIPTIONS, &[Some(name)])
        .await?
        .iter()
        .map(|row| row.string("name"))
        .collect::<Result<_, _>>()
        .map_err(unknown)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut within = connect(&maintenance.with_database(name)).await?;
    // event triggers that were restored have no say in it; who may not set this has none that fire for him alone
    drop(within.execute("set session_replication_role = replica").await);
    for name in names {
        let name = quote().identifier(&name).into_owned();
        within.execute(&format!("alter subscription {name} disable")).await?;
        within.execute(&format!("alter subscription {name} set (slot_name = none)")).await?;
        within.execute(&format!("drop subscription {name}")).await?;
    }
    within.close().await;
    Ok(())
}

/// What was found of drills that died.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// What is gone.
    pub(super) removed: Vec<String>,
    /// What stays, and why.
    pub(super) stays: Vec<String>,
}

/// Removes what drills left that died: databases with our name and our comment that no session uses (without the comment
/// only when they are an hour old), then roles with our comment.
pub(super) async fn sweep(connection: &mut Connection, maintenance: &Options) -> Result<Swept> {
    let mut swept = Swept::default();
    for row in connection.query(DATABASES, &[Some(MARKER)]).await? {
        let name = row.string("name").map_err(unknown)?;
        let dropped = async {
            drop_subscriptions(connection, maintenance, &name).await?;
            // without force: a session that came meanwhile keeps the database
            connection.execute(&format!("drop database if exists {}", quote().identifier(&name))).await
        };
        match dropped.await {
            Ok(()) => swept.removed.push(format!("database \"{name}\"")),
            Err(error) => swept.stays.push(format!("database \"{name}\": {}", error.message())),
        }
    }
    for row in connection.query(ROLES, &[Some(MARKER), Some(KEPT)]).await? {
        let name = row.string("name").map_err(unknown)?;
        match connection.execute(&format!("drop role if exists {}", quote().identifier(&name))).await {
            Ok(()) => swept.removed.push(format!("role \"{name}\"")),
            // somebody has found a use for it
            Err(error) if is_in_use(&error) => {}
            Err(error) => swept.stays.push(format!("role \"{name}\": {}", error.message())),
        }
    }
    Ok(swept)
}

/// Something depends on the role.
fn is_in_use(error: &Error) -> bool {
    sqlstate(error) == Some("2BP01")
}

fn unknown(error: DecodeError) -> Error {
    Error::new(ErrorKind::Server, "query \"leftover\" was not understood").caused_by(error)
}
