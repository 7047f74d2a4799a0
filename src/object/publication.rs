//! Publications, and what they publish.

use super::table::push;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a publication has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Whether it publishes every table.
    pub all_tables: bool,
    /// Which operations it publishes, of `insert`, `update`, `delete` and `truncate`.
    pub operations: Vec<&'static str>,
    /// Whether changes of a partition are published as its root's.
    pub via_root: bool,
    /// Whether stored generated columns are published (18 and later).
    pub stored_columns: bool,
}

/// A table in a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationTable {
    /// The publication.
    pub publication: DumpId,
    /// The table.
    pub table: DumpId,
    /// Which columns of it, where not all.
    pub columns: Option<Vec<String>>,
    /// Which rows of it, where not all.
    pub row_filter: Option<String>,
}

/// A schema in a publication, with all tables that it ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicationSchema {
    /// The publication.
    pub publication: DumpId,
    /// The schema.
    pub schema: DumpId,
}

impl Publication {
    /// A row of `sql/catalog/publication.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let mut operations = Vec::new();
        for (column, operation) in
            [("pubinsert", "insert"), ("pubupdate", "update"), ("pubdelete", "delete"), ("pubtruncate", "truncate")]
        {
            if row.boolean(column)? {
                operations.push(operation);
            }
        }
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_PUBLICATION, oid: row.oid("oid")? },
            name: row.string("pubname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Publication(Self {
                all_tables: row.boolean("puballtables")?,
                operations,
                via_root: row.boolean("pubviaroot")?,
                stored_columns: row.letter("pubgencols")? == 's',
            }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.quote().identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut create = format!("CREATE PUBLICATION {name}");
            if self.all_tables {
                create.push_str(" FOR ALL TABLES");
            }
            push(&mut create, &[" WITH (publish = '", &self.operations.join(", "), "'"]);
            if self.via_root {
                create.push_str(", publish_via_partition_root = true");
            }
            if self.stored_columns {
                create.push_str(", publish_generated_columns = stored");
            }
            create.push_str(");\n");
            let mut entry = Entry::of(object, out.inventory, "PUBLICATION");
            entry.create = create;
            entry.drop = format!("DROP PUBLICATION {name};\n");
            out.push(entry);
        }
        out.comment(object, "PUBLICATION", &name, None);
        out.security_labels(object, "PUBLICATION", &name, None);
    }
}

/// Takes in the rows of `sql/catalog/publication_table.sql`. Publications and tables are there by then.
pub(crate) fn take_tables(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(publication) = inventory.find(class::PG_PUBLICATION, row.oid("prpubid")?) else { continue };
        let Some(table) = inventory.find_table(row.oid("prrelid")?) else { continue };
        let columns = row.optional("columns")?.is_some().then(|| row.strings("columns")).transpose()?;
        let detail = Detail::PublicationTable(PublicationTable {
            publication,
            table,
            columns,
            row_filter: row.optional_string("row_filter")?,
        });
        let catalog_id = CatalogId { class: class::PG_PUBLICATION_REL, oid: row.oid("oid")? };
        let name = inventory.get(table).name.clone();
        add_member(inventory, publication, catalog_id, name, inventory.get(table).schema, detail);
    }
    Ok(())
}

/// Takes in the rows of `sql/catalog/publication_schema.sql`.
pub(crate) fn take_schemas(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(publication) = inventory.find(class::PG_PUBLICATION, row.oid("pnpubid")?) else { continue };
        let Some(schema) = inventory.find(class::PG_NAMESPACE, row.oid("pnnspid")?) else { continue };
        let detail = Detail::PublicationSchema(PublicationSchema { publication, schema });
        let catalog_id = CatalogId { class: class::PG_PUBLICATION_NAMESPACE, oid: row.oid("oid")? };
        let name = inventory.get(schema).name.clone();
        add_member(inventory, publication, catalog_id, name, None, detail);
    }
    Ok(())
}

/// A publication's member is run by the publication's owner, and dumped as far as the publication is.
fn add_member(
    inventory: &mut Inventory,
    publication: DumpId,
    catalog_id: CatalogId,
    name: String,
    schema: Option<DumpId>,
    detail: Detail,
) {
    let id = inventory.add_part_of(publication, catalog_id, name, detail);
    inventory.get_mut(id).schema = schema;
}

impl PublicationTable {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if !object.dumps(Components::DEFINITION) {
            return;
        }
        let quote = out.quote();
        let publication = &out.inventory.get(self.publication).name;
        let table = out.inventory.get(self.table);
        let mut entry = Entry::of(object, out.inventory, "PUBLICATION TABLE");
        entry.tag = format!("{publication} {}", table.name);
        entry.create = format!(
            "ALTER PUBLICATION {} ADD TABLE ONLY {}",
            quote.identifier(publication),
            out.inventory.qualified(table, quote)
        );
        if let Some(columns) = &self.columns {
            let columns: Vec<_> = columns.iter().map(|column| quote.identifier(column)).collect();
            push(&mut entry.create, &[" (", &columns.join(", "), ")"]);
        }
        if let Some(filter) = &self.row_filter {
            push(&mut entry.create, &[" WHERE (", filter, ")"]);
        }
        entry.create.push_str(";\n");
        out.push(entry);
    }
}

impl PublicationSchema {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if !object.dumps(Components::DEFINITION) {
            return;
        }
        let quote = out.quote();
        let publication = &out.inventory.get(self.publication).name;
        let schema = &out.inventory.get(self.schema).name;
        let mut entry = Entry::of(object, out.inventory, "PUBLICATION TABLES IN SCHEMA");
        entry.tag = format!("{publication} {schema}");
        entry.schema = Some(schema.clone());
        entry.create = format!(
            "ALTER PUBLICATION {} ADD TABLES IN SCHEMA {};\n",
            quote.identifier(publication),
            quote.identifier(schema)
        );
        out.push(entry);
    }
}
