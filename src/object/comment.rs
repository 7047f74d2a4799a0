//! Comments: on objects, on their columns, and on parts that have a catalog row of their own.

use super::{CatalogId, Components, DumpId, Emitter, Object};
use crate::record::{DecodeError, Record};

/// A comment on an object or on one of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The column's number, or 0 for the object itself.
    pub sub_id: i32,
    /// The text.
    pub text: String,
}

impl Comment {
    /// A row of `sql/catalog/comment.sql`: what it is about, and the comment.
    pub fn decode(row: &Record) -> Result<(CatalogId, Self), DecodeError> {
        let catalog_id = CatalogId { class: row.oid("classoid")?, oid: row.oid("objoid")? };
        Ok((catalog_id, Self { sub_id: row.number("objsubid")?, text: row.string("description")? }))
    }
}

impl Emitter<'_> {
    /// Writes the object's `COMMENT ON kind name`, if it has a comment that is to be dumped.
    ///
    /// `name` is the object's name as SQL, without its schema: `orders`, `f(integer)`, `c ON t`.
    pub fn comment(&mut self, object: &Object, kind: &str, name: &str, schema: Option<&str>) {
        self.comment_behind(object, object.id, kind, name, schema);
    }

    /// The same for an object that another's entry makes: an index, if a constraint made it.
    pub fn comment_behind(&mut self, object: &Object, maker: DumpId, kind: &str, name: &str, schema: Option<&str>) {
        if object.dumps(Components::COMMENT)
            && let Some(text) = self.comment_text(object.catalog_id)
        {
            self.write_comment(object, maker, kind, name, schema, &text);
        }
    }

    /// Writes the comment of something that stands in the definition of `object` and has a catalog row of its own, like
    /// a constraint in its table's `CREATE`.
    pub fn comment_of(&mut self, object: &Object, catalog_id: CatalogId, kind: &str, name: &str, schema: Option<&str>) {
        if object.dumps(Components::DEFINITION)
            && let Some(text) = self.comment_text(catalog_id)
        {
            self.write_comment(object, object.id, kind, name, schema, &text);
        }
    }

    /// Writes the comment where it differs from the one that initdb gives the object, which no comment at all does.
    pub fn comment_unless(&mut self, object: &Object, kind: &str, name: &str, standard: &str) {
        if !self.options.include_comments || !object.dumps(Components::COMMENT) {
            return;
        }
        let text = self.comment_text(object.catalog_id).unwrap_or_default();
        if text != standard {
            self.write_comment(object, object.id, kind, name, None, &text);
        }
    }

    /// Writes the comments of a relation and of its columns, in column order.
    ///
    /// `kind` is what the relation is called: `TABLE`, `VIEW`, ...; `catalog_id` is that of the `pg_class` row;
    /// `columns` gives a column's bare name by its number, or `None` where it is not to be named.
    pub fn relation_comments<'n>(
        &mut self,
        object: &Object,
        catalog_id: CatalogId,
        kind: Option<&str>,
        columns: impl Fn(i32) -> Option<&'n str>,
    ) {
        if !self.options.include_comments || !object.dumps(Components::COMMENT) {
            return;
        }
        let (inventory, quote) = (self.inventory, self.quote());
        let schema = inventory.schema_name(object);
        let table = quote.identifier(&object.name);
        for comment in inventory.comments.get(&catalog_id).into_iter().flatten() {
            if comment.sub_id == 0 {
                if let Some(kind) = kind {
                    self.write_comment(object, object.id, kind, &table, schema, &comment.text);
                }
            } else if let Some(column) = columns(comment.sub_id) {
                let name = format!("{table}.{}", quote.identifier(column));
                self.write_comment(object, object.id, "COLUMN", &name, schema, &comment.text);
            }
        }
    }

    fn comment_text(&self, catalog_id: CatalogId) -> Option<String> {
        if !self.options.include_comments {
            return None;
        }
        let comments = self.inventory.comments.get(&catalog_id)?;
        comments.iter().find(|comment| comment.sub_id == 0).map(|comment| comment.text.clone())
    }

    fn write_comment(
        &mut self,
        object: &Object,
        needs: DumpId,
        kind: &str,
        name: &str,
        schema: Option<&str>,
        text: &str,
    ) {
        let quote = self.quote();
        let prefix = schema.map(|schema| format!("{}.", quote.identifier(schema))).unwrap_or_default();
        let create = format!("COMMENT ON {kind} {prefix}{name} IS {};\n", quote.literal(text));
        self.attach(object, "COMMENT", format!("{kind} {name}"), schema, create, vec![needs]);
    }
}
