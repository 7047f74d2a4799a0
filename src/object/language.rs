//! Procedural languages that no extension made.

use super::acl::AclTarget;
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a language has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    /// Whether every user may use it.
    pub is_trusted: bool,
    /// The function that runs its functions.
    pub handler: u32,
    /// The function that runs `DO` blocks, or 0.
    pub inline: u32,
    /// The function that checks a new function's text, or 0.
    pub validator: u32,
}

impl Language {
    /// A row of `sql/catalog/language.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_LANGUAGE, oid: row.oid("oid")? },
            name: row.string("lanname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::Language(Self {
                is_trusted: row.boolean("lanpltrusted")?,
                handler: row.oid("lanplcallfoid")?,
                inline: row.oid("laninline")?,
                validator: row.oid("lanvalidator")?,
            }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.quote().identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "PROCEDURAL LANGUAGE");
            let trusted = if self.is_trusted { "TRUSTED " } else { "" };
            // without its functions a language can only be had from its extension, which this makes
            entry.create = match self.functions(out) {
                Some(functions) => format!("CREATE {trusted}PROCEDURAL LANGUAGE {name}{functions};\n"),
                None => format!("CREATE OR REPLACE PROCEDURAL LANGUAGE {name};\n"),
            };
            entry.drop = format!("DROP PROCEDURAL LANGUAGE {name};\n");
            out.push(entry);
        }
        out.comment(object, "LANGUAGE", &name, None);
        out.security_labels(object, "LANGUAGE", &name, None);
        if self.is_trusted {
            out.acl(object, AclTarget::new("LANGUAGE", &name, None));
        }
    }

    /// The clauses that name its functions, if all that it has are in the dump.
    fn functions(&self, out: &Emitter<'_>) -> Option<String> {
        let mut clauses = String::new();
        for (word, oid) in [("HANDLER", self.handler), ("INLINE", self.inline), ("VALIDATOR", self.validator)] {
            if oid == 0 && word != "HANDLER" {
                continue;
            }
            let function = out.inventory.get(out.inventory.find(class::PG_PROC, oid)?);
            if function.dump.is_empty() {
                return None;
            }
            clauses.push_str(&format!(" {word} {}", out.inventory.qualified(function, out.quote())));
        }
        Some(clauses)
    }
}
