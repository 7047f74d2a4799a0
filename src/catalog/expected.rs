//! What a restored database must have, asked of a live one by queries of its own.
//!
//! They share nothing with the queries that the dump is made from: what the dump forgets, this list still has, and a
//! drill or `verify --against` finds it.

use std::collections::HashMap;

use super::not_understood;
use crate::error::Result;
use crate::manifest::expected::{
    Column, Constraint, Expected, Extension, Index, Named, Policy, Relation, RelationKind, Routine, Schema, Sequence,
    Trigger,
};
use crate::object::Quote;
use crate::record::{DecodeError, Record};
use crate::server::{Connection, Statement};

/// How many sequences one statement reads: its text stays a few dozen kilobytes.
const SEQUENCES_PER_STATEMENT: usize = 200;

/// Reads all objects of the database whose schema and name `keep` lets through, as this session's snapshot sees them.
///
/// `keep` is asked with an empty name for schemas.
pub async fn read_expected(connection: &mut Connection, keep: impl Fn(&str, &str) -> bool) -> Result<Expected> {
    let whole = [
        Statement { name: "expected schema", sql: include_str!("../../sql/verify/schema.sql"), parameters: &[] },
        Statement { name: "expected extension", sql: include_str!("../../sql/verify/extension.sql"), parameters: &[] },
        Statement { name: "expected relation", sql: include_str!("../../sql/verify/relation.sql"), parameters: &[] },
        Statement { name: "expected sequence", sql: include_str!("../../sql/verify/sequence.sql"), parameters: &[] },
        Statement { name: "expected routine", sql: include_str!("../../sql/verify/routine.sql"), parameters: &[] },
        Statement { name: "expected data type", sql: include_str!("../../sql/verify/data_type.sql"), parameters: &[] },
    ];
    let results = connection.pipeline(&whole).await?;
    let mut results = results.into_iter();
    let mut rows = move || results.next().unwrap_or_default();

    let mut expected = Expected {
        schemas: decode_each("schema", &rows(), decode_schema)?,
        extensions: decode_each("extension", &rows(), decode_extension)?,
        ..Expected::default()
    };
    expected.schemas.retain(|schema| keep(&schema.name, ""));
    let mut relations: Vec<(u32, Relation)> = decode_each("relation", &rows(), decode_relation)?;
    relations.retain(|(_, relation)| keep(&relation.schema, &relation.name));
    let mut sequences: Vec<Sequence> = decode_each("sequence", &rows(), decode_sequence)?;
    sequences.retain(|sequence| keep(&sequence.schema, &sequence.name));
    expected.routines = decode_each("routine", &rows(), decode_routine)?;
    expected.routines.retain(|routine| keep(&routine.schema, ""));
    expected.types = decode_each("data type", &rows(), decode_data_type)?;
    expected.types.retain(|data_type| keep(&data_type.schema, ""));

    read_parts(connection, &mut relations).await?;
    expected.relations = relations.into_iter().map(|(_, relation)| relation).collect();
    read_positions(connection, &mut sequences).await?;
    expected.sequences = sequences;
    expected.roles = roles(&expected);
    Ok(expected)
}

/// Reads what hangs on the relations: columns, policies, indexes, constraints, triggers.
async fn read_parts(connection: &mut Connection, relations: &mut [(u32, Relation)]) -> Result<()> {
    let oids: Vec<String> = relations.iter().map(|(oid, _)| oid.to_string()).collect();
    let array = format!("{{{}}}", oids.join(","));
    let parameters = [Some(array.as_str())];
    let parameters = parameters.as_slice();
    let parts = [
        Statement { name: "expected column", sql: include_str!("../../sql/verify/column.sql"), parameters },
        Statement { name: "expected policy", sql: include_str!("../../sql/verify/policy.sql"), parameters },
        Statement { name: "expected index", sql: include_str!("../../sql/verify/index.sql"), parameters },
        Statement { name: "expected constraint", sql: include_str!("../../sql/verify/constraint.sql"), parameters },
        Statement { name: "expected trigger", sql: include_str!("../../sql/verify/trigger.sql"), parameters },
    ];
    let mut by_oid: HashMap<u32, &mut Relation> =
        relations.iter_mut().map(|(oid, relation)| (*oid, relation)).collect();
    let mut results = connection.pipeline(&parts).await?.into_iter();
    let mut rows = move || results.next().unwrap_or_default();
    give_each("column", &rows(), &mut by_oid, |row, relation| {
        relation.columns.push(decode_column(row)?);
        Ok(())
    })?;
    give_each("policy", &rows(), &mut by_oid, |row, relation| {
        relation.policies.push(decode_policy(row)?);
        Ok(())
    })?;
    give_each("index", &rows(), &mut by_oid, |row, relation| {
        relation.indexes.push(Index {
            name: row.string("name")?,
            definition: row.string("definition")?,
            valid: row.boolean("valid")?,
        });
        Ok(())
    })?;
    give_each("constraint", &rows(), &mut by_oid, |row, relation| {
        relation.constraints.push(Constraint {
            name: row.string("name")?,
            definition: row.string("definition")?,
            validated: row.boolean("validated")?,
            inherited: row.boolean("inherited")?,
        });
        Ok(())
    })?;
    give_each("trigger", &rows(), &mut by_oid, |row, relation| {
        relation.triggers.push(Trigger {
            name: row.string("name")?,
            definition: row.string("definition")?,
            enabled: row.string("enabled")?,
        });
        Ok(())
    })
}

/// Reads where each sequence stands. Only the sequence itself tells, so each is read, many to a statement.
async fn read_positions(connection: &mut Connection, sequences: &mut [Sequence]) -> Result<()> {
    let quote = Quote { all: true, ..Quote::default() };
    for group in sequences.chunks_mut(SEQUENCES_PER_STATEMENT) {
        let selects: Vec<String> = (group.iter().enumerate())
            .map(|(index, sequence)| {
                let name = quote.qualified(Some(&sequence.schema), &sequence.name);
                format!("select {index} as index, last_value, is_called from {name}")
            })
            .collect();
        let rows = connection.query(&selects.join(" union all "), &[]).await?;
        for row in &rows {
            let take = |row: &Record, group: &mut [Sequence]| {
                if let Some(sequence) = group.get_mut(row.number::<usize>("index")?) {
                    sequence.last_value = Some(row.number("last_value")?);
                    sequence.is_called = row.boolean("is_called")?;
                }
                Ok(())
            };
            take(row, group).map_err(|error| not_understood("sequence", &error))?;
        }
    }
    Ok(())
}

fn decode_each<T>(what: &str, rows: &[Record], decode: fn(&Record) -> Result<T, DecodeError>) -> Result<Vec<T>> {
    rows.iter().map(|row| decode(row).map_err(|error| not_understood(what, &error))).collect()
}

fn give_each(
    what: &str,
    rows: &[Record],
    relations: &mut HashMap<u32, &mut Relation>,
    mut give: impl FnMut(&Record, &mut Relation) -> Result<(), DecodeError>,
) -> Result<()> {
    for row in rows {
        let oid = row.oid("relation").map_err(|error| not_understood(what, &error))?;
        if let Some(relation) = relations.get_mut(&oid) {
            give(row, relation).map_err(|error| not_understood(what, &error))?;
        }
    }
    Ok(())
}

/// The rights, or `None` where they are what a new object of this owner has anyway.
fn decode_acl(row: &Record) -> Result<Option<Vec<String>>, DecodeError> {
    if row.optional("acl")?.is_none() {
        return Ok(None);
    }
    let acl = row.strings("acl")?;
    Ok(if acl == row.strings("acl_default")? { None } else { Some(acl) })
}

fn decode_schema(row: &Record) -> Result<Schema, DecodeError> {
    Ok(Schema { name: row.string("schema")?, owner: row.string("owner")?, acl: decode_acl(row)? })
}

fn decode_extension(row: &Record) -> Result<Extension, DecodeError> {
    Ok(Extension { name: row.string("name")?, schema: row.string("schema")?, version: row.string("version")? })
}

fn decode_relation(row: &Record) -> Result<(u32, Relation), DecodeError> {
    let kind = match row.letter("kind")? {
        'r' => RelationKind::Table,
        'p' => RelationKind::PartitionedTable,
        'v' => RelationKind::View,
        'm' => RelationKind::MaterializedView,
        'f' => RelationKind::ForeignTable,
        'c' => RelationKind::CompositeType,
        other => return Err(DecodeError { column: "kind".to_owned(), problem: format!("{other:?} is not known") }),
    };
    let relation = Relation {
        schema: row.string("schema")?,
        name: row.string("name")?,
        kind,
        owner: row.string("owner")?,
        row_security: row.boolean("row_security")?,
        force_row_security: row.boolean("force_row_security")?,
        is_partition: row.boolean("is_partition")?,
        acl: decode_acl(row)?,
        ..Relation::default()
    };
    Ok((row.oid("oid")?, relation))
}

fn decode_column(row: &Record) -> Result<Column, DecodeError> {
    Ok(Column {
        name: row.string("name")?,
        data_type: row.string("data_type")?,
        not_null: row.boolean("not_null")?,
        default: row.optional_string("default_expression")?,
        generated: row.string("generated")?,
        identity: row.string("identity")?,
        collation: row.optional_string("collation")?,
        acl: decode_acl(row)?,
    })
}

fn decode_policy(row: &Record) -> Result<Policy, DecodeError> {
    Ok(Policy {
        name: row.string("name")?,
        command: row.string("command")?,
        permissive: row.boolean("permissive")?,
        roles: row.strings("roles")?,
        using: row.optional_string("using_expression")?,
        with_check: row.optional_string("check_expression")?,
    })
}

fn decode_sequence(row: &Record) -> Result<Sequence, DecodeError> {
    Ok(Sequence {
        schema: row.string("schema")?,
        name: row.string("name")?,
        owner: row.string("owner")?,
        data_type: row.string("data_type")?,
        start: row.number("start")?,
        increment: row.number("increment")?,
        minimum: row.number("minimum")?,
        maximum: row.number("maximum")?,
        cycle: row.boolean("cycle")?,
        last_value: None,
        is_called: false,
        acl: decode_acl(row)?,
    })
}

fn decode_routine(row: &Record) -> Result<Routine, DecodeError> {
    Ok(Routine {
        schema: row.string("schema")?,
        signature: row.string("signature")?,
        owner: row.string("owner")?,
        security_definer: row.boolean("security_definer")?,
        acl: decode_acl(row)?,
    })
}

fn decode_data_type(row: &Record) -> Result<Named, DecodeError> {
    Ok(Named {
        schema: row.string("schema")?,
        name: row.string("name")?,
        owner: row.string("owner")?,
        acl: decode_acl(row)?,
    })
}

/// Every role that owns something or is granted something, without PUBLIC.
fn roles(expected: &Expected) -> Vec<String> {
    let mut roles = std::collections::BTreeSet::new();
    let mut note = |owner: &str, acl: &Option<Vec<String>>| {
        roles.insert(owner.to_owned());
        for item in acl.iter().flatten() {
            roles.extend(grantee(item));
        }
    };
    for schema in &expected.schemas {
        note(&schema.owner, &schema.acl);
    }
    for relation in &expected.relations {
        note(&relation.owner, &relation.acl);
        for column in &relation.columns {
            note(&relation.owner, &column.acl);
        }
    }
    for sequence in &expected.sequences {
        note(&sequence.owner, &sequence.acl);
    }
    for routine in &expected.routines {
        note(&routine.owner, &routine.acl);
    }
    for data_type in &expected.types {
        note(&data_type.owner, &data_type.acl);
    }
    for policy in expected.relations.iter().flat_map(|relation| &relation.policies) {
        roles.extend(policy.roles.iter().filter(|role| *role != "PUBLIC").cloned());
    }
    roles.into_iter().collect()
}

/// The role of an `aclitem` text such as `"app user"=arw/owner`; nothing for PUBLIC.
fn grantee(item: &str) -> Option<String> {
    let mut characters = item.chars().peekable();
    let mut name = String::new();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            '=' if !quoted => return (!name.is_empty()).then_some(name),
            other => name.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_grantee_of_an_acl_item() {
        assert_eq!(grantee("app=arw/owner").as_deref(), Some("app"));
        assert_eq!(grantee("\"a=\"\"b\"=r/owner").as_deref(), Some("a=\"b"));
        assert_eq!(grantee("=r/owner"), None);
    }

    #[test]
    fn takes_the_default_rights_for_none() {
        let same = Record::from_pairs(&[("acl", Some("{a=r/a}")), ("acl_default", Some("{a=r/a}"))]);
        assert_eq!(decode_acl(&same).unwrap(), None);
        let more = Record::from_pairs(&[("acl", Some("{=r/a,a=r/a}")), ("acl_default", Some("{a=r/a}"))]);
        assert_eq!(decode_acl(&more).unwrap().unwrap().len(), 2);
        let all_revoked = Record::from_pairs(&[("acl", Some("{}")), ("acl_default", Some("{a=r/a}"))]);
        assert_eq!(decode_acl(&all_revoked).unwrap(), Some(Vec::new()));
    }
}
