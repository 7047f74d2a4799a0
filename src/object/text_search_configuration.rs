//! Text search configurations.

use super::{CatalogId, Components, Detail, Emitter, Entry, Inventory, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a text search configuration has.
#[derive(Debug, Clone)]
pub struct TextSearchConfiguration {
    /// Schema and name of its parser.
    pub parser: (String, String),
    /// For each type of token, its name and the dictionaries (as SQL) that it is looked up in, in order.
    pub mappings: Vec<(String, Vec<String>)>,
}

/// Takes the rows of `sql/catalog/text_search_mapping.sql` in: one for each type of token and dictionary, in order.
pub fn take_mappings(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_TS_CONFIG, row.oid("oid")?) else { continue };
        let Detail::TextSearchConfiguration(configuration) = &mut inventory.get_mut(id).detail else { continue };
        let (token, dictionary) = (row.string("alias")?, row.string("dictionary")?);
        match configuration.mappings.last_mut() {
            Some((last, dictionaries)) if *last == token => dictionaries.push(dictionary),
            Some(_) | None => configuration.mappings.push((token, vec![dictionary])),
        }
    }
    Ok(())
}

impl TextSearchConfiguration {
    /// A row of `sql/catalog/text_search_configuration.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self { parser: (row.string("parser_schema")?, row.string("parser_name")?), mappings: Vec::new() };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TS_CONFIG, oid: row.oid("oid")? },
            name: row.string("cfgname")?,
            schema: row.oid("cfgnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::TextSearchConfiguration(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = out.inventory.qualified(object, quote);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "TEXT SEARCH CONFIGURATION");
            let parser = quote.qualified(Some(&self.parser.0), &self.parser.1);
            entry.create = format!("CREATE TEXT SEARCH CONFIGURATION {name} (\n    PARSER = {parser} );\n");
            for (token, dictionaries) in &self.mappings {
                entry.create.push_str(&format!(
                    "\nALTER TEXT SEARCH CONFIGURATION {name}\n    ADD MAPPING FOR {} WITH {};\n",
                    quote.identifier(token),
                    dictionaries.join(", ")
                ));
            }
            entry.drop = format!("DROP TEXT SEARCH CONFIGURATION {name};\n");
            out.push(entry);
        }
        out.comment(
            object,
            "TEXT SEARCH CONFIGURATION",
            &quote.identifier(&object.name),
            out.inventory.schema_name(object),
        );
    }
}
