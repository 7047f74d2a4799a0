//! Extensions: what their scripts make again is not dumped, apart from rights that were changed and the rows of
//! configuration tables.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, ObjectKind, class};
use crate::record::{DecodeError, Record};

/// What only an extension has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The schema that its script was run for; `pg_restore` puts it there again.
    pub schema: String,
    /// Tables whose rows belong to the user (`pg_extension_config_dump`), each with the condition that tells the user's
    /// rows from the script's; an empty condition means all rows.
    pub configuration: Vec<(u32, String)>,
}

impl Extension {
    /// A row of `sql/catalog/extension.sql`.
    ///
    /// The object lies in no schema: an extension is not selected with the schema that it was made for.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let tables = row.numbers("extconfig")?;
        let mut conditions = row.array("extcondition")?.into_iter();
        let configuration =
            tables.into_iter().map(|table| (table, conditions.next().flatten().unwrap_or_default())).collect();
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_EXTENSION, oid: row.oid("oid")? },
            name: row.string("extname")?,
            schema: 0,
            owner: "".into(),
            acl: None,
            detail: Detail::Extension(Self { schema: row.string("nspname")?, configuration }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = quote.identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "EXTENSION");
            let schema = quote.identifier(&self.schema);
            entry.create = format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {schema};\n");
            entry.drop = format!("DROP EXTENSION {name};\n");
            out.push(entry);
        }
        out.comment(object, "EXTENSION", &name, None);
    }
}

/// The `ALTER ... DEPENDS ON EXTENSION` statements that an object was given, to stand after its `CREATE`.
///
/// `keyword` and `name` are the object's as SQL, the name with its schema.
pub(super) fn depends_on_extension(object: &Object, keyword: &str, name: &str, out: &Emitter<'_>) -> String {
    let mut statements = String::new();
    if !object.depends_on_extension {
        return statements;
    }
    for &dependency in &object.dependencies {
        let extension = out.inventory.get(dependency);
        if extension.detail.kind() == ObjectKind::Extension {
            let extension = out.quote().identifier(&extension.name).into_owned();
            statements.push_str(&format!("\nALTER {keyword} {name} DEPENDS ON EXTENSION {extension};"));
        }
    }
    statements
}
