//! One round of queries, shared out among sessions: most of the time the server takes to write definitions as text.

use tokio::task::JoinSet;

use super::not_understood;
use super::step::{Scope, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::object::Inventory;
use crate::record::Record;
use crate::server::{Connection, Statement, is_lock_timeout};

/// A query, or the part of one that asks about some of the objects.
struct Piece {
    /// The step's place in the round.
    step: usize,
    name: &'static str,
    sql: &'static str,
    parameter: Option<String>,
}

/// Runs a round, one round trip in each session, and takes the rows in, in the order of the steps.
pub(super) async fn run(
    connection: &mut Connection,
    helpers: &mut Vec<Connection>,
    steps: &[&[Step]],
    inventory: &mut Inventory,
) -> Result<()> {
    let version = inventory.facts.version;
    let wanted: Vec<(&Step, &'static str)> = (steps.iter().copied().flatten())
        .filter(|step| step.scope.applies(inventory))
        .filter_map(|step| Some((step, step.query.for_version(version)?)))
        .collect();
    let mut shares = share_out(&wanted, helpers.len() + 1, inventory).into_iter();
    let own = shares.next().unwrap_or_default();
    let mut tasks = JoinSet::new();
    for (place, (mut helper, share)) in helpers.drain(..).zip(shares).enumerate() {
        tasks.spawn(async move {
            let rows = ask(&mut helper, &share).await;
            (place, helper, share, rows)
        });
    }
    let mut answers = vec![ask(connection, &own).await?];
    let mut others = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        others.push(ended.map_err(|error| Error::new(ErrorKind::Bug, "reading the catalog").caused_by(error))?);
    }
    others.sort_by_key(|(place, ..)| *place);
    for (_, helper, share, rows) in others {
        match rows {
            Ok(rows) => {
                helpers.push(helper);
                answers.push(rows);
            }
            // somebody waits for a table that this session has locked, and the helper would wait behind them for ever
            Err(error) if is_lock_timeout(&error) => answers.push(ask(connection, &share).await?),
            Err(error) => return Err(error),
        }
    }
    let mut rows: Vec<Vec<Record>> = wanted.iter().map(|_| Vec::new()).collect();
    for (step, records) in answers.into_iter().flatten() {
        if let Some(rows) = rows.get_mut(step) {
            if rows.is_empty() { *rows = records } else { rows.extend(records) }
        }
    }
    for ((step, _), rows) in wanted.iter().zip(rows) {
        (step.take)(&rows, inventory).map_err(|error| not_understood(step.query.stem, &error))?;
    }
    Ok(())
}

/// The pieces of each session. Rows about chosen objects come in the order of these, so in the order of the sessions too.
fn share_out(wanted: &[(&Step, &'static str)], sessions: usize, inventory: &Inventory) -> Vec<Vec<Piece>> {
    let mut shares: Vec<Vec<Piece>> = (0..sessions).map(|_| Vec::new()).collect();
    let mut whole_count = 0;
    for (number, (step, sql)) in wanted.iter().enumerate() {
        let piece = |parameter| Piece { step: number, name: step.query.stem, sql, parameter };
        match step.scope {
            Scope::Whole | Scope::WholeIf(_) | Scope::Undivided(_) => {
                let oids = if let Scope::Undivided(class) = step.scope {
                    Some(array(&wanted_oids(class, inventory)))
                } else {
                    None
                };
                if let Some(share) = shares.get_mut(sessions - 1 - whole_count % sessions) {
                    share.push(piece(oids));
                }
                whole_count += 1;
            }
            Scope::Selected(class) | Scope::Statistics(class) => {
                let oids = wanted_oids(class, inventory);
                let length = oids.len().div_ceil(sessions).max(1);
                let empty: &[u32] = &[];
                let parts = oids.chunks(length).chain(std::iter::once(empty).filter(|_| oids.is_empty()));
                for (share, part) in shares.iter_mut().zip(parts) {
                    share.push(piece(Some(array(part))));
                }
            }
        }
    }
    shares
}

async fn ask(connection: &mut Connection, pieces: &[Piece]) -> Result<Vec<(usize, Vec<Record>)>> {
    let parameters: Vec<Vec<Option<&str>>> =
        pieces.iter().map(|piece| piece.parameter.iter().map(|array| Some(array.as_str())).collect()).collect();
    let statements: Vec<Statement<'_>> = (pieces.iter().zip(&parameters))
        .map(|(piece, parameters)| Statement { name: piece.name, sql: piece.sql, parameters })
        .collect();
    let rows = connection.pipeline(&statements).await?;
    Ok(pieces.iter().map(|piece| piece.step).zip(rows).collect())
}

/// The objects of a catalog whose details are wanted, ascending.
fn wanted_oids(class: u32, inventory: &Inventory) -> Vec<u32> {
    let mut oids: Vec<u32> = (inventory.objects().iter())
        .filter(|object| object.catalog_id.class == class && object.wants_details)
        .map(|object| object.catalog_id.oid)
        .collect();
    oids.sort_unstable();
    oids
}

/// In PostgreSQL's text form.
fn array(oids: &[u32]) -> String {
    let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
    format!("{{{}}}", oids.join(","))
}
