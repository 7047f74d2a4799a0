//! Security labels: on objects and on their columns.

use super::{CatalogId, Components, Emitter, Object, Quote};
use crate::record::{DecodeError, Record};

/// A security label of an object or of one of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityLabel {
    /// The column's number, or 0 for the object itself.
    pub sub_id: i32,
    /// The provider's name.
    pub provider: String,
    /// The label.
    pub text: String,
}

impl SecurityLabel {
    /// A row of `sql/catalog/security_label.sql`: what it is about, and the label.
    pub fn decode(row: &Record) -> Result<(CatalogId, Self), DecodeError> {
        let catalog_id = CatalogId { class: row.oid("classoid")?, oid: row.oid("objoid")? };
        let label =
            Self { sub_id: row.number("objsubid")?, provider: row.string("provider")?, text: row.string("label")? };
        Ok((catalog_id, label))
    }
}

/// A security label of something that belongs to the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLabel {
    /// The provider's name.
    pub provider: String,
    /// The label.
    pub text: String,
}

impl SharedLabel {
    /// The labels in a row that has their providers and texts as arrays.
    pub fn decode(row: &Record) -> Result<Vec<Self>, DecodeError> {
        let (providers, texts) = (row.strings("label_providers")?, row.strings("labels")?);
        Ok(providers.into_iter().zip(texts).map(|(provider, text)| Self { provider, text }).collect())
    }

    pub(super) fn statement(&self, kind: &str, name: &str, quote: Quote) -> String {
        let provider = quote.identifier(&self.provider);
        format!("SECURITY LABEL FOR {provider} ON {kind} {name} IS {};\n", quote.literal(&self.text))
    }
}

/// The columns that every table has, by their negative numbers (PostgreSQL documentation, "System Columns"). They can have labels.
fn system_column(number: i32) -> Option<&'static str> {
    Some(match number {
        -1 => "ctid",
        -2 => "xmin",
        -3 => "cmin",
        -4 => "xmax",
        -5 => "cmax",
        -6 => "tableoid",
        _ => return None,
    })
}

impl Emitter<'_> {
    /// Writes the object's security labels, if it has any that are to be dumped, in one entry.
    ///
    /// `name` is the object's name as SQL, without its schema.
    pub fn security_labels(&mut self, object: &Object, kind: &str, name: &str, schema: Option<&str>) {
        self.security_labels_of(object, object.catalog_id, kind, name, schema);
    }

    /// Writes the security labels of something that is dumped with `object` and has a catalog row of its own.
    pub fn security_labels_of(
        &mut self,
        object: &Object,
        catalog_id: CatalogId,
        kind: &str,
        name: &str,
        schema: Option<&str>,
    ) {
        let inventory = self.inventory;
        let labels = inventory.labels.get(&catalog_id).into_iter().flatten();
        let create = self.label_statements(object, labels.filter(|label| label.sub_id == 0), |_| {
            let prefix = schema.map(|schema| format!("{}.", self.quote().identifier(schema))).unwrap_or_default();
            Some(format!("{kind} {prefix}{name}"))
        });
        if !create.is_empty() {
            self.attach(object, "SECURITY LABEL", format!("{kind} {name}"), schema, create, vec![object.id]);
        }
    }

    /// Writes the security labels of a relation and of its columns in one entry.
    ///
    /// `kind` is what the relation is called; `columns` gives a column's bare name by its number.
    pub fn relation_security_labels<'n>(
        &mut self,
        object: &Object,
        kind: &str,
        columns: impl Fn(i32) -> Option<&'n str>,
    ) {
        let (inventory, quote) = (self.inventory, self.quote());
        let schema = inventory.schema_name(object);
        let table = quote.qualified(schema, &object.name);
        let labels = inventory.labels.get(&object.catalog_id).into_iter().flatten();
        let create = self.label_statements(object, labels, |label| match label.sub_id {
            0 => Some(format!("{kind} {table}")),
            column => system_column(column)
                .or_else(|| columns(column))
                .map(|column| format!("COLUMN {table}.{}", quote.identifier(column))),
        });
        if !create.is_empty() {
            let tag = format!("{kind} {}", quote.identifier(&object.name));
            self.attach(object, "SECURITY LABEL", tag, schema, create, vec![object.id]);
        }
    }

    fn label_statements<'l>(
        &self,
        object: &Object,
        labels: impl Iterator<Item = &'l SecurityLabel>,
        target: impl Fn(&SecurityLabel) -> Option<String>,
    ) -> String {
        if !self.options.include_security_labels || !object.dumps(Components::SECURITY_LABEL) {
            return String::new();
        }
        let quote = self.quote();
        labels
            .filter_map(|label| {
                let (provider, text) = (quote.identifier(&label.provider), quote.literal(&label.text));
                Some(format!("SECURITY LABEL FOR {provider} ON {} IS {text};\n", target(label)?))
            })
            .collect()
    }
}
