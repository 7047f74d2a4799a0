//! Collations. Their version is not dumped: a restore takes the one of its own libraries.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a collation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    /// Which library compares.
    pub provider: Provider,
    /// Whether equal means equal bytes.
    pub is_deterministic: bool,
    /// `LC_COLLATE` of libc, and before server 15 the locale of ICU.
    pub collate: Option<String>,
    /// `LC_CTYPE` of libc.
    pub ctype: Option<String>,
    /// The locale of ICU or of the server's own provider.
    pub locale: Option<String>,
    /// ICU rules on top of the locale's.
    pub rules: Option<String>,
}

/// Who compares strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The server itself.
    Builtin,
    /// The C library.
    Libc,
    /// ICU.
    Icu,
    /// Whoever the database says.
    Database,
}

impl Collation {
    /// A row of `sql/catalog/collation.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let provider = match row.letter("collprovider")? {
            'b' => Provider::Builtin,
            'c' => Provider::Libc,
            'i' => Provider::Icu,
            'd' => Provider::Database,
            other => {
                let problem = format!("{other:?} is no known provider ({})", row.text("collname")?);
                return Err(DecodeError { column: "collprovider".to_owned(), problem });
            }
        };
        let filled = |column| Ok::<_, DecodeError>(row.optional_string(column)?.filter(|text| !text.is_empty()));
        let detail = Self {
            provider,
            is_deterministic: row.boolean("collisdeterministic")?,
            collate: filled("collcollate")?,
            ctype: filled("collctype")?,
            locale: row.optional_string("locale")?,
            rules: row.optional_string("rules")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_COLLATION, oid: row.oid("oid")? },
            name: row.string("collname")?,
            schema: row.oid("collnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Collation(Box::new(detail)),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = out.inventory.qualified(object, quote);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "COLLATION");
            let literal = |text: &Option<String>| quote.literal(text.as_deref().unwrap_or_default());
            let mut clauses = Vec::new();
            let (provider, locale) = match self.provider {
                Provider::Builtin => ("builtin", vec![("locale", literal(&self.locale))]),
                Provider::Icu => {
                    let locale = if self.locale.is_some() { &self.locale } else { &self.collate };
                    let mut clauses = vec![("locale", literal(locale))];
                    clauses.extend(self.rules.iter().map(|rules| ("rules", quote.literal(rules))));
                    ("icu", clauses)
                }
                Provider::Libc if self.collate.is_some() && self.collate == self.ctype => {
                    ("libc", vec![("locale", literal(&self.collate))])
                }
                Provider::Libc => {
                    ("libc", vec![("lc_collate", literal(&self.collate)), ("lc_ctype", literal(&self.ctype))])
                }
                Provider::Database => ("default", Vec::new()),
            };
            clauses.push(("provider", provider.to_owned()));
            if !self.is_deterministic {
                clauses.push(("deterministic", "false".to_owned()));
            }
            clauses.extend(locale);
            let clauses: Vec<String> = clauses.into_iter().map(|(word, value)| format!("{word} = {value}")).collect();
            entry.create = format!("CREATE COLLATION {name} ({});\n", clauses.join(", "));
            entry.drop = format!("DROP COLLATION {name};\n");
            out.push(entry);
        }
        out.comment(object, "COLLATION", &quote.identifier(&object.name), out.inventory.schema_name(object));
    }
}
