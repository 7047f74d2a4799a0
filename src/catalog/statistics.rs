//! The planner's statistics of columns, which are many and long: read after the dump is planned, a few relations at a time.

use super::not_understood;
use super::query::{Query, catalog_sql};
use super::select::array;
use crate::error::Result;
use crate::object::{DumpId, Quote, attribute_statistics};
use crate::plan::Plan;
use crate::server::Connection;

const ATTRIBUTE_STATISTICS: Query = Query::new(
    "attribute_statistics",
    &[(13, catalog_sql!("attribute_statistics")), (17, catalog_sql!("attribute_statistics.pg17"))],
);

/// How many relations one statement reads. The rows come one by one; this only bounds what the server sorts at once.
const RELATIONS_PER_STATEMENT: usize = 64;

/// Adds the statistics of the columns to the plan's entries of statistics, which have those of the relations already.
///
/// The session's settings are what values of dates and amounts of money are written in.
///
/// # Errors
///
/// The server's, and answers that are not understood.
pub async fn read_attribute_statistics(connection: &mut Connection, plan: &mut Plan, quote: Quote) -> Result<()> {
    let Some(sql) = ATTRIBUTE_STATISTICS.for_version(plan.inventory.facts.version) else { return Ok(()) };
    let Plan { inventory, entries, .. } = plan;
    let wanted: Vec<(usize, DumpId)> =
        entries.iter().enumerate().filter_map(|(place, entry)| Some((place, entry.statistics?))).collect();
    for batch in wanted.chunks(RELATIONS_PER_STATEMENT) {
        let relations = || batch.iter().map(|(_, id)| inventory.get(*id));
        let schemas = array(relations().map(|relation| inventory.schema_name(relation)));
        let names = array(relations().map(|relation| Some(relation.name.as_str())));
        let oids: Vec<String> = relations().map(|relation| relation.catalog_id.oid.to_string()).collect();
        let oids = array(oids.iter().map(|oid| Some(oid.as_str())));
        let mut take = |row: crate::record::Record| {
            let mut decode = || {
                let number: usize = row.number("relation")?;
                let Some((place, id)) = number.checked_sub(1).and_then(|slot| batch.get(slot)) else { return Ok(()) };
                if let Some(entry) = entries.get_mut(*place) {
                    entry.create.push_str(&attribute_statistics::statement(&row, *id, inventory, quote)?);
                }
                Ok(())
            };
            decode().map_err(|error| not_understood("attribute_statistics", &error))
        };
        connection.query_each(sql, &[Some(&schemas), Some(&names), Some(&oids)], &mut take).await?;
    }
    Ok(())
}
