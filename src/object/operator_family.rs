//! Operator families, with the members that belong to none of their classes.

use super::operator_class::Member;
use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only an operator family has.
#[derive(Debug, Clone)]
pub struct OperatorFamily {
    /// Its access method's name.
    pub access_method: String,
    /// Its loose operators and functions, in order.
    pub members: Vec<Member>,
}

impl OperatorFamily {
    /// A row of `sql/catalog/operator_family.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_OPFAMILY, oid: row.oid("oid")? },
            name: row.string("opfname")?,
            schema: row.oid("opfnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::OperatorFamily(Self { access_method: row.string("amname")?, members: Vec::new() }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let method = quote.identifier(&self.access_method);
        let name = format!("{} USING {method}", out.inventory.qualified(object, quote));
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "OPERATOR FAMILY");
            entry.create = format!("CREATE OPERATOR FAMILY {name};\n");
            if !self.members.is_empty() {
                let members: Vec<String> = self.members.iter().map(|member| member.sql(quote)).collect();
                let members = members.join(" ,\n    ");
                entry.create.push_str(&format!("ALTER OPERATOR FAMILY {name} ADD\n    {members};\n"));
            }
            entry.drop = format!("DROP OPERATOR FAMILY {name};\n");
            out.push(entry);
        }
        let signature = format!("{} USING {method}", quote.identifier(&object.name));
        out.comment(object, "OPERATOR FAMILY", &signature, out.inventory.schema_name(object));
    }
}
