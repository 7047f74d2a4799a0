//! One round of queries, shared out among sessions: most of the time the server takes to write definitions as text. What has
//! arrived is taken in meanwhile, in the order of the steps.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::task::JoinSet;

use super::not_understood;
use super::step::{Scope, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::object::Inventory;
use crate::object::table::Table;
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

/// What a session was answered.
struct Answer {
    session: usize,
    step: usize,
    rows: Vec<Record>,
}

/// Runs a round, one round trip in each session, and takes the rows in, in the order of the steps.
pub(super) async fn run(
    connection: &mut Connection,
    helpers: &mut Vec<Connection>,
    steps: &[&'static [Step]],
    inventory: Inventory,
) -> Result<Inventory> {
    let version = inventory.facts.version;
    let wanted: Vec<(&'static Step, &'static str)> = (steps.iter().copied().flatten())
        .filter(|step| step.scope.applies(&inventory))
        .filter_map(|step| Some((step, step.query.for_version(version)?)))
        .collect();
    if wanted.is_empty() {
        return Ok(inventory);
    }
    let shares = share_out(&wanted, helpers.len() + 1, &inventory);
    let mut sessions_of_steps: Vec<Vec<usize>> = wanted.iter().map(|_| Vec::new()).collect();
    for (session, share) in shares.iter().enumerate() {
        for piece in share {
            if let Some(sessions) = sessions_of_steps.get_mut(piece.step) {
                sessions.push(session);
            }
        }
    }
    let (sender, receiver) = channel();
    let intake = tokio::task::spawn_blocking(move || take_in(&wanted, &sessions_of_steps, &receiver, inventory));
    ask_all(connection, helpers, shares, sender).await?;
    intake.await.map_err(|error| Error::new(ErrorKind::Bug, "taking the catalog in").caused_by(error))?
}

async fn ask_all(
    connection: &mut Connection,
    helpers: &mut Vec<Connection>,
    shares: Vec<Vec<Piece>>,
    sender: Sender<Answer>,
) -> Result<()> {
    let mut shares = shares.into_iter();
    let own = shares.next().unwrap_or_default();
    let mut tasks = JoinSet::new();
    for (place, (mut helper, share)) in helpers.drain(..).zip(shares).enumerate() {
        let sender = sender.clone();
        tasks.spawn(async move {
            let (answered, end) = ask(&mut helper, place + 1, &share, &sender).await;
            (place, helper, share, answered, end)
        });
    }
    ask(connection, 0, &own, &sender).await.1?;
    let mut others = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        others.push(ended.map_err(|error| Error::new(ErrorKind::Bug, "reading the catalog").caused_by(error))?);
    }
    others.sort_by_key(|(place, ..)| *place);
    for (place, helper, share, answered, end) in others {
        match end {
            Ok(()) => helpers.push(helper),
            // somebody waits for a table that this session has locked, and the helper would wait behind them for ever
            Err(error) if is_lock_timeout(&error) => {
                ask(connection, place + 1, share.get(answered..).unwrap_or_default(), &sender).await.1?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes the rows of each step in when all sessions that were asked have answered, those of the first session first.
fn take_in(
    wanted: &[(&'static Step, &'static str)],
    sessions_of_steps: &[Vec<usize>],
    answers: &Receiver<Answer>,
    mut inventory: Inventory,
) -> Result<Inventory> {
    let mut early: HashMap<(usize, usize), Vec<Record>> = HashMap::new();
    for (number, ((step, _), sessions)) in wanted.iter().zip(sessions_of_steps).enumerate() {
        let mut rows: Vec<Record> = Vec::new();
        for session in sessions {
            let part = loop {
                if let Some(part) = early.remove(&(number, *session)) {
                    break part;
                }
                let Ok(answer) = answers.recv() else {
                    return Err(Error::new(ErrorKind::Bug, format!("query \"{}\" was not answered", step.query.stem)));
                };
                early.insert((answer.step, answer.session), answer.rows);
            };
            if rows.is_empty() { rows = part } else { rows.extend(part) }
        }
        (step.take)(&rows, &mut inventory).map_err(|error| not_understood(step.query.stem, &error))?;
    }
    Ok(inventory)
}

/// The pieces of each session. Rows about chosen objects come in the order of these, so in the order of the sessions too.
fn share_out(wanted: &[(&Step, &'static str)], sessions: usize, inventory: &Inventory) -> Vec<Vec<Piece>> {
    let mut shares: Vec<Vec<Piece>> = (0..sessions).map(|_| Vec::new()).collect();
    // what is not divided goes to the sessions by turns
    let (mut whole_count, mut large_count) = (0, 0);
    for (number, (step, sql)) in wanted.iter().enumerate() {
        let piece = |parameter| Piece { step: number, name: step.query.stem, sql, parameter };
        let (oids, is_divided) = match step.scope {
            Scope::Whole | Scope::Large | Scope::WholeIf(_) => (None, false),
            Scope::Undivided(class) => (Some(wanted_oids(class, inventory)), false),
            Scope::Selected(class) | Scope::Statistics(class) => (Some(wanted_oids(class, inventory)), true),
            Scope::Relations(is_meant) => (Some(wanted_relations(is_meant, inventory)), true),
            Scope::UndefinedIndexes => (Some(inventory.undefined_indexes()), true),
        };
        match oids {
            Some(oids) if is_divided => {
                let length = oids.len().div_ceil(sessions).max(1);
                let empty: &[u32] = &[];
                let parts = oids.chunks(length).chain(std::iter::once(empty).filter(|_| oids.is_empty()));
                for (share, part) in shares.iter_mut().zip(parts) {
                    share.push(piece(Some(array(part))));
                }
            }
            oids => {
                let count = if matches!(step.scope, Scope::Large) { &mut large_count } else { &mut whole_count };
                if let Some(share) = shares.get_mut(sessions - 1 - *count % sessions) {
                    share.push(piece(oids.as_deref().map(array)));
                }
                *count += 1;
            }
        }
    }
    shares
}

/// Asks in one round trip. Also says how many pieces were answered before it ended.
async fn ask(
    connection: &mut Connection,
    session: usize,
    pieces: &[Piece],
    answers: &Sender<Answer>,
) -> (usize, Result<()>) {
    let parameters: Vec<Vec<Option<&str>>> =
        pieces.iter().map(|piece| piece.parameter.iter().map(|array| Some(array.as_str())).collect()).collect();
    let statements: Vec<Statement<'_>> = (pieces.iter().zip(&parameters))
        .map(|(piece, parameters)| Statement { name: piece.name, sql: piece.sql, parameters })
        .collect();
    let mut asked = pieces.iter();
    let mut answered = 0;
    let hand_over = &mut |rows| {
        answered += 1;
        if let Some(piece) = asked.next() {
            // nobody receives where rows were not understood, which is then what the round says
            let _ = answers.send(Answer { session, step: piece.step, rows });
        }
    };
    let end = connection.pipeline_each(&statements, hand_over).await;
    (answered, end)
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

/// The relations of a sort whose details are wanted, ascending.
fn wanted_relations(is_meant: fn(&Table) -> bool, inventory: &Inventory) -> Vec<u32> {
    let mut oids: Vec<u32> = (inventory.objects().iter())
        .filter(|object| object.wants_details && object.table().is_some_and(is_meant))
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
