//! What a database has that a dump does not know how to write. Nothing is left out in silence: a backup refuses it by
//! name, unless it is told to leave it out and say so.

use super::{Components, DumpId, Inventory, class};
use crate::record::{DecodeError, Record};

/// An object of an unknown kind, or with a property that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// What it is, for people: `relation of kind "g"`.
    pub kind: String,
    /// The schema that it lies in.
    pub schema: Option<DumpId>,
    /// Its name, without the schema.
    pub name: String,
}

/// Takes the rows of `sql/catalog/unsupported.sql` in; the schemas are in the inventory by then.
pub fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let unsupported = Unsupported {
            kind: row.string("kind")?,
            schema: inventory.find(class::PG_NAMESPACE, row.oid("schema_oid")?),
            name: row.string("name")?,
        };
        inventory.unsupported.push(unsupported);
    }
    Ok(())
}

impl Inventory {
    /// What is unsupported and would have been dumped, each with its name in full; the selection is marked by then.
    pub fn unsupported_in_dump(&self) -> Vec<(String, String)> {
        (self.unsupported.iter())
            .filter_map(|object| match object.schema.map(|schema| self.get(schema)) {
                Some(schema) if schema.dump_contained.contains(Components::DEFINITION) => {
                    Some((object.kind.clone(), format!("{}.{}", schema.name, object.name)))
                }
                Some(_) => None,
                None => Some((object.kind.clone(), object.name.clone())),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::schema::Schema;

    fn row(kind: &str, schema: &str, name: &str) -> Record {
        Record::from_pairs(&[("kind", Some(kind)), ("schema_oid", Some(schema)), ("name", Some(name))])
    }

    #[test]
    fn names_what_lies_in_dumped_schemas_and_in_none() {
        let mut inventory = Inventory::default();
        for (oid, name) in [("16400", "a"), ("16401", "b")] {
            let schema = Record::from_pairs(&[
                ("oid", Some(oid)),
                ("nspname", Some(name)),
                ("nspowner", Some("10")),
                ("owner", Some("postgres")),
                ("acl", None),
                ("acl_default", Some("{postgres=UC/postgres}")),
            ]);
            inventory.add(Schema::decode(&schema).unwrap());
        }
        let left_out = inventory.find(class::PG_NAMESPACE, 16401).unwrap();
        inventory.get_mut(left_out).dump_contained = Components::NONE;
        let rows =
            [row("relation of kind \"g\"", "16400", "x"), row("y", "16401", "in b"), row("cast", "0", "int as text")];
        take(&rows, &mut inventory).unwrap();
        let expected = [("relation of kind \"g\"", "a.x"), ("cast", "int as text")];
        let expected = expected.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        assert_eq!(inventory.unsupported_in_dump(), expected);
    }
}
