//! Operators.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only an operator has. Functions and types are as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `oprkind`: `b` between two arguments, `l` before its one, `r` behind it (server 13).
    pub kind: char,
    /// The function behind it; `None` where the operator was only mentioned as another's commutator or negator.
    pub function: Option<String>,
    /// The left argument's type; `-` for none.
    pub left: String,
    /// The right argument's type; `-` for none.
    pub right: String,
    /// The types' oids, which order operators of one name.
    pub types: (u32, u32),
    /// Schema and name of the operator that takes its arguments the other way round.
    pub commutator: Option<(String, String)>,
    /// Schema and name of the operator that is true where this one is false.
    pub negator: Option<(String, String)>,
    /// Whether a merge join may use it.
    pub merges: bool,
    /// Whether a hash join may use it.
    pub hashes: bool,
    /// Estimates how many rows it leaves.
    pub restrict: Option<String>,
    /// Estimates how many rows a join by it leaves.
    pub join: Option<String>,
}

/// A `regprocedure` column without its argument types.
fn procedure(row: &Record, column: &str) -> Result<Option<String>, DecodeError> {
    let text = row.text(column)?;
    if text == "-" {
        return Ok(None);
    }
    let mut in_quotes = false;
    let end = text.find(|character| {
        in_quotes ^= character == '"';
        character == '(' && !in_quotes
    });
    Ok(Some(end.and_then(|end| text.get(..end)).unwrap_or(text).to_owned()))
}

impl Operator {
    /// A row of `sql/catalog/operator.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            kind: row.letter("oprkind")?,
            function: procedure(row, "function")?,
            left: row.string("left_type")?,
            right: row.string("right_type")?,
            types: (row.oid("oprleft")?, row.oid("oprright")?),
            commutator: row.optional_string("commutator_schema")?.zip(row.optional_string("commutator")?),
            negator: row.optional_string("negator_schema")?.zip(row.optional_string("negator")?),
            merges: row.boolean("oprcanmerge")?,
            hashes: row.boolean("oprcanhash")?,
            restrict: procedure(row, "restrict_function")?,
            join: procedure(row, "join_function")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_OPERATOR, oid: row.oid("oid")? },
            name: row.string("oprname")?,
            schema: row.oid("oprnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Operator(Box::new(detail)),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let Some(function) = &self.function else { return };
        let schema = out.inventory.schema_name(object);
        let prefix = schema.map(|schema| format!("{}.", out.quote().identifier(schema))).unwrap_or_default();
        let left = if self.kind == 'l' { None } else { Some(self.left.as_str()) };
        let right = if self.kind == 'r' { None } else { Some(self.right.as_str()) };
        let signature = format!("{} ({}, {})", object.name, left.unwrap_or("NONE"), right.unwrap_or("NONE"));
        if object.dumps(Components::DEFINITION) {
            let reference = |operator: &Option<(String, String)>| {
                operator.as_ref().map(|(schema, name)| format!("OPERATOR({}.{name})", out.quote().identifier(schema)))
            };
            let clauses = [
                ("FUNCTION = ", Some(function.clone())),
                ("LEFTARG = ", left.map(str::to_owned)),
                ("RIGHTARG = ", right.map(str::to_owned)),
                ("COMMUTATOR = ", reference(&self.commutator)),
                ("NEGATOR = ", reference(&self.negator)),
                ("MERGES", self.merges.then(String::new)),
                ("HASHES", self.hashes.then(String::new)),
                ("RESTRICT = ", self.restrict.clone()),
                ("JOIN = ", self.join.clone()),
            ];
            let clauses: Vec<String> =
                clauses.into_iter().filter_map(|(word, value)| Some(format!("    {word}{}", value?))).collect();
            let mut entry = Entry::of(object, out.inventory, "OPERATOR");
            entry.create = format!("CREATE OPERATOR {prefix}{} (\n{}\n);\n", object.name, clauses.join(",\n"));
            entry.drop = format!("DROP OPERATOR {prefix}{signature};\n");
            out.push(entry);
        }
        out.comment(object, "OPERATOR", &signature, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_name_of_a_function_without_its_arguments() {
        for (text, expected) in [
            ("int4pl(integer,integer)", Some("int4pl")),
            ("\"S (1)\".\"f(\"(integer,\"S (1)\".\"t (\")", Some("\"S (1)\".\"f(\"")),
            ("s.\"a\"\"(b\"(text)", Some("s.\"a\"\"(b\"")),
            ("-", None),
        ] {
            let row = Record::from_pairs(&[("function", Some(text))]);
            assert_eq!(procedure(&row, "function").unwrap().as_deref(), expected);
        }
    }
}
