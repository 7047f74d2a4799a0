//! The server's system catalogs, read into an [`Inventory`].
//!
//! A fixed number of queries, whatever the size of the database: first lists of everything (one round trip), from which
//! the caller selects; then the locks on what was selected; then the details of that (one more round trip). The text of
//! every query is a file of `sql/catalog` that can be pasted into psql.

mod attachment;
mod database;
mod definition;
mod dependency;
mod expected;
mod globals;
mod query;
mod select;
mod share;
mod statistics;
mod step;

pub use database::read_database;
pub use expected::read_expected;
pub use globals::{Passwords, read_globals};
pub use select::resolve;
pub use statistics::read_attribute_statistics;

use query::{Query, catalog_sql};

use crate::error::{Error, ErrorKind, Result};
use crate::object::table::Rows;
use crate::object::unsupported::Unsupported;
use crate::object::{self, Components, Detail, Facts, Inventory, Object, Quote, sequence, version::Version};
use crate::record::{DecodeError, Record};
use crate::server::{Connection, LockPatience, LockTarget, Statement, is_lock_timeout, lock_tables};

/// Reads the database of this session, which is in a snapshot's transaction and was set up for a dump.
///
/// `select` marks, in the inventory of lists, what is to be dumped and whose details are wanted. Tables whose details
/// are wanted are locked in `ACCESS SHARE` mode before those are read.
pub async fn read(
    connection: &mut Connection,
    patience: LockPatience,
    select: impl FnOnce(&mut Inventory) -> Result<()>,
) -> Result<Inventory> {
    read_shared(connection, &mut Vec::new(), patience, select).await
}

/// Reads as [`read`] does, with the queries shared out among this session and `helpers`, which see the same snapshot and
/// wait for no lock for long (`lock_timeout`): what they do not get, this session reads, which has the locks.
///
/// # Errors
///
/// Those of [`read`]; what `helpers` then holds is of no more use.
pub async fn read_shared(
    connection: &mut Connection,
    helpers: &mut Vec<Connection>,
    patience: LockPatience,
    select: impl FnOnce(&mut Inventory) -> Result<()>,
) -> Result<Inventory> {
    let mut inventory = Inventory::new(read_facts(connection).await?);
    let lists = [attachment::BEFORE, step::LISTS, definition::LISTS, attachment::AFTER];
    inventory = share::run(connection, helpers, &lists, inventory).await?;
    let version = inventory.facts.version;
    let ahead = helpers.pop().map(|helper| tokio::spawn(dependency::read_ahead(helper, version)));
    if inventory.facts.version.major() > Version::NEWEST_MAJOR {
        let unknown = self_test(connection).await?;
        inventory.unsupported.extend(unknown);
    }
    select(&mut inventory)?;
    refuse_unreadable(&inventory)?;
    lock_tables(connection, &lock_targets(&inventory), patience).await?;
    let mut dependencies = None;
    if let Some(ahead) = ahead {
        let ended = ahead.await.map_err(|error| Error::new(ErrorKind::Bug, "reading the catalog").caused_by(error))?;
        match ended {
            Ok((helper, read)) => {
                helpers.push(helper);
                dependencies = Some(read);
            }
            Err(error) if is_lock_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    inventory = share::run(connection, helpers, &[definition::DETAILS, step::DETAILS], inventory).await?;
    // last, because both ends of a dependency must be there
    match dependencies {
        Some(read) => dependency::note(&read, &mut inventory),
        None => {
            inventory = share::run(connection, helpers, &[std::slice::from_ref(&step::DEPENDENCY)], inventory).await?
        }
    }
    refuse_incomplete(&inventory)?;
    inventory = share::run(connection, helpers, &[step::REST], inventory).await?;
    read_sequence_states(connection, &mut inventory).await?;
    refuse_unknown_states(&inventory)?;
    Ok(inventory)
}

const SELF_TEST: Query = Query::new("self_test", &[(18, catalog_sql!("self_test.pg18"))]);

/// What the catalogs of a server have that this program does not know, for servers that are newer than it: columns, values of
/// columns, catalogs in dependencies. A server of a major that is known has nothing of the kind; before 18 it is not asked.
///
/// # Errors
///
/// The server's, and answers that are not understood.
pub async fn self_test(connection: &mut Connection) -> Result<Vec<Unsupported>> {
    let Some(sql) = SELF_TEST.for_version(connection.version()) else { return Ok(Vec::new()) };
    let catalogs = format!("{{{}}}", object::self_test::catalogs().collect::<Vec<_>>().join(","));
    let rows = connection.query(sql, &[Some(&catalogs)]).await?;
    object::self_test::unknown(&rows).map_err(|error| not_understood(SELF_TEST.stem, &error))
}

/// The tables to lock: partitioned ones too, because their partitions are read with their parents' bounds.
fn lock_targets(inventory: &Inventory) -> Vec<LockTarget> {
    let quote = Quote { all: true, ..Quote::default() };
    (inventory.objects().iter())
        .filter(|object| object.wants_details && object.detail.is_lockable() && is_dumped(object))
        .map(|object| LockTarget { oid: object.catalog_id.oid, qualified_name: inventory.qualified(object, quote) })
        .collect()
}

/// Whether definition or rows are dumped; what is only inherited from is not the caller's to lock.
fn is_dumped(object: &Object) -> bool {
    object.dump.intersects(Components::DEFINITION.with(Components::DATA))
        || matches!(&object.detail, Detail::Table(table) if table.rows != Rows::None)
}

/// Reads where the sequences stand, on servers before 18: a sequence is a relation there, and many are read at once.
async fn read_sequence_states(connection: &mut Connection, inventory: &mut Inventory) -> Result<()> {
    if inventory.facts.version.major() >= 18 {
        return Ok(());
    }
    let queries = sequence::state_queries(inventory);
    let statements: Vec<Statement<'_>> =
        queries.iter().map(|sql| Statement { name: "sequence_state", sql, parameters: &[] }).collect();
    for rows in connection.pipeline(&statements).await? {
        sequence::take_states(&rows, inventory).map_err(|error| not_understood("sequence", &error))?;
    }
    Ok(())
}

/// A subscription without its connection string cannot be made again: it is not left out in silence.
fn refuse_unreadable(inventory: &Inventory) -> Result<()> {
    let is_unreadable = |object: &&Object| {
        !object.dump.is_empty()
            && matches!(&object.detail, Detail::Subscription(subscription) if subscription.connection.is_none())
    };
    match inventory.objects().iter().find(is_unreadable) {
        None => Ok(()),
        Some(subscription) => Err(Error::new(
            ErrorKind::Refused,
            format!("could not read how subscription \"{}\" reaches its publisher", subscription.name),
        )
        .detail("this role has no right to read pg_subscription.subconninfo")
        .hint(
            "Run as a superuser or a member of pg_read_all_data, or leave subscriptions out with --no-subscriptions.",
        )),
    }
}

/// Rows of the catalog that refer to rows which are not there, as sentences, are never left out in silence.
pub fn contradicts(contradictions: &[String]) -> Error {
    const SHOWN_MAX: usize = 10;
    let mut shown: Vec<String> = contradictions.iter().take(SHOWN_MAX).cloned().collect();
    if contradictions.len() > SHOWN_MAX {
        shown.push(format!("and {} more", contradictions.len() - SHOWN_MAX));
    }
    Error::new(ErrorKind::Refused, "the catalog contradicts itself").detail(shown.join("; ")).hint(
        "Repair the catalog, or leave out what these belong to (-N, -T). Pass --allow-unsupported to back up the rest; the \
         backup then counts as a partial one.",
    )
}

/// What was asked for by name, and not answered, would be missing in the dump.
fn refuse_incomplete(inventory: &Inventory) -> Result<()> {
    match inventory.first_incomplete() {
        None => Ok(()),
        Some(lack) => Err(Error::new(ErrorKind::Refused, "the catalog contradicts itself")
            .detail(lack)
            .hint("Repair the catalog, or leave out what this belongs to (-N, -T).")),
    }
}

/// A sequence that stands nowhere known would start over in a restored database.
fn refuse_unknown_states(inventory: &Inventory) -> Result<()> {
    let is_unknown = |object: &&Object| {
        object.table().is_some_and(|table| {
            table.rows != Rows::None && table.sequence.as_ref().is_some_and(|options| options.state.is_none())
        })
    };
    match inventory.objects().iter().find(is_unknown) {
        None => Ok(()),
        Some(sequence) => Err(Error::new(
            ErrorKind::Refused,
            format!("could not read sequence {}", inventory.qualified(sequence, Quote::default())),
        )
        .detail("the server did not say where it stands")
        .hint(
            "The role needs SELECT on it. A standby does not have the state of unlogged sequences: leave those out \
             with --no-unlogged-table-data.",
        )),
    }
}

fn not_understood(stem: &str, error: &DecodeError) -> Error {
    Error::new(ErrorKind::Bug, format!("could not understand what the catalog says of a {}", stem.replace('_', " ")))
        .detail(error.to_string())
        .hint("Report this with the server's version; nothing was written.")
}

/// How large the database's catalog is, by the bytes of `pg_class`: each table has a few hundred there, with its indexes.
pub async fn read_catalog_size(connection: &mut Connection) -> Result<u64> {
    let row = connection.query_one(catalog_sql!("catalog_size"), &[]).await?;
    row.number("byte_count").map_err(|error| not_understood("catalog_size", &error))
}

/// How large a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// The table's oid.
    pub oid: u32,
    /// The blocks of the table itself.
    pub blocks: u32,
    /// Its bytes, with what is stored out of line.
    pub bytes: u64,
}

/// Asks how large these tables are, which the session has locked; what lies out of line counts for those of `blocks_min` blocks.
pub async fn read_table_sizes(connection: &mut Connection, oids: &[u32], blocks_min: u64) -> Result<Vec<TableSize>> {
    let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
    let list = format!("{{{}}}", oids.join(","));
    let rows = connection.query(catalog_sql!("table_data_size"), &[Some(&list), Some(&blocks_min.to_string())]).await?;
    let decode = |row: &Record| -> Result<TableSize, DecodeError> {
        Ok(TableSize { oid: row.oid("oid")?, blocks: row.number("block_count")?, bytes: row.number("byte_count")? })
    };
    rows.iter().map(|row| decode(row).map_err(|error| not_understood("table_data_size", &error))).collect()
}

async fn read_facts(connection: &mut Connection) -> Result<Facts> {
    let row = connection.query_one(catalog_sql!("facts"), &[]).await?;
    let decode = |row: &Record| -> Result<Facts, DecodeError> {
        Ok(Facts {
            version: Version(row.number("version")?),
            encoding: row.string("encoding")?,
            standard_strings: row.text("standard_conforming_strings")? == "on",
            quote_all: row.text("quote_all_identifiers")? == "on",
            database: row.string("database")?,
            reads_subscriptions: row.boolean("reads_subscriptions")?,
            reads_user_mappings: row.boolean("reads_user_mappings")?,
            reads_large_objects: row.boolean("reads_large_objects")?,
        })
    };
    decode(&row).map_err(|error| not_understood("database", &error))
}
