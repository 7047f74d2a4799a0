//! Operator classes, and the members that classes and families have.

use super::{CatalogId, Components, Detail, Emitter, Entry, Inventory, NewObject, Object, Quote, class};
use crate::record::{DecodeError, Record};

/// What only an operator class has. Types are as SQL.
#[derive(Debug, Clone)]
pub struct OperatorClass {
    /// The type that it is for.
    pub data_type: String,
    /// The type that the index stores, where that is another one.
    pub storage: Option<String>,
    /// Whether it is its type's default.
    pub is_default: bool,
    /// Schema and name of its family.
    pub family: (String, String),
    /// Its access method's name.
    pub access_method: String,
    /// Its operators and functions, in order.
    pub members: Vec<Member>,
}

/// An operator or support function of a class or family. Operators, functions and types are as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// An operator.
    Operator {
        /// Its strategy number.
        strategy: i32,
        /// The operator with its argument types.
        operator: String,
        /// Schema and name of the family that orders by it.
        sort_family: Option<(String, String)>,
    },
    /// A support function.
    Function {
        /// Its support number.
        number: i32,
        /// The types that it is for.
        types: (String, String),
        /// The function with its argument types.
        function: String,
    },
}

impl Member {
    fn decode(row: &Record) -> Result<Self, DecodeError> {
        let number = row.number("number")?;
        let sql = row.string("member")?;
        match row.optional_string("left_type")?.zip(row.optional_string("right_type")?) {
            Some(types) => Ok(Self::Function { number, types, function: sql }),
            None => Ok(Self::Operator {
                strategy: number,
                operator: sql,
                sort_family: row.optional_string("sort_schema")?.zip(row.optional_string("sort_name")?),
            }),
        }
    }

    pub(super) fn sql(&self, quote: Quote) -> String {
        match self {
            Self::Operator { strategy, operator, sort_family: None } => format!("OPERATOR {strategy} {operator}"),
            Self::Operator { strategy, operator, sort_family: Some((schema, name)) } => {
                format!("OPERATOR {strategy} {operator} FOR ORDER BY {}", quote.qualified(Some(schema), name))
            }
            Self::Function { number, types: (left, right), function } => {
                format!("FUNCTION {number} ({left}, {right}) {function}")
            }
        }
    }
}

/// Takes the rows of `sql/catalog/operator_member.sql` in, in order; classes and families are in the inventory by then.
pub fn take_members(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(row.oid("refclassid")?, row.oid("refobjid")?) else { continue };
        let member = Member::decode(row)?;
        let detail = &mut inventory.get_mut(id).detail;
        if let Detail::OperatorClass(owner) = detail {
            owner.members.push(member);
        } else if let Detail::OperatorFamily(owner) = detail {
            owner.members.push(member);
        }
    }
    Ok(())
}

impl OperatorClass {
    /// A row of `sql/catalog/operator_class.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let storage = row.string("storage")?;
        let detail = Self {
            data_type: row.string("data_type")?,
            storage: (storage != "-").then_some(storage),
            is_default: row.boolean("opcdefault")?,
            family: (row.string("family_schema")?, row.string("family_name")?),
            access_method: row.string("amname")?,
            members: Vec::new(),
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_OPCLASS, oid: row.oid("oid")? },
            name: row.string("opcname")?,
            schema: row.oid("opcnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::OperatorClass(Box::new(detail)),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let method = quote.identifier(&self.access_method);
        let name = out.inventory.qualified(object, quote);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "OPERATOR CLASS");
            let default = if self.is_default { "DEFAULT " } else { "" };
            let family = quote.qualified(Some(&self.family.0), &self.family.1);
            let mut members: Vec<String> = self.storage.iter().map(|storage| format!("STORAGE {storage}")).collect();
            members.extend(self.members.iter().map(|member| member.sql(quote)));
            if members.is_empty() {
                // the grammar wants one; storing the type itself says nothing
                members.push(format!("STORAGE {}", self.data_type));
            }
            entry.create = format!(
                "CREATE OPERATOR CLASS {name}\n    {default}FOR TYPE {} USING {method} FAMILY {family} AS\n    {};\n",
                self.data_type,
                members.join(" ,\n    ")
            );
            entry.drop = format!("DROP OPERATOR CLASS {name} USING {method};\n");
            out.push(entry);
        }
        let signature = format!("{} USING {method}", quote.identifier(&object.name));
        out.comment(object, "OPERATOR CLASS", &signature, out.inventory.schema_name(object));
    }
}
