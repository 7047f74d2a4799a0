//! Tablespaces, which belong to the whole cluster.

use super::acl::AclTarget;
use super::security_label::SharedLabel;
use super::table::storage_options;
use super::{Acl, Quote};
use crate::record::{DecodeError, Record};

/// A tablespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tablespace {
    /// Its name.
    pub name: String,
    /// Its owner's name.
    pub owner: String,
    /// The folder on the server; empty for one within the server's own folder.
    pub location: String,
    /// Its parameters, `name=value`.
    pub options: Vec<String>,
    /// Its privileges.
    pub acl: Acl,
    /// Its comment.
    pub comment: Option<String>,
    /// Its security labels.
    pub labels: Vec<SharedLabel>,
}

impl Tablespace {
    /// A row of `sql/catalog/tablespace.sql`.
    pub fn decode(row: &Record) -> Result<Self, DecodeError> {
        let location = row.string("location")?;
        Ok(Self {
            name: row.string("spcname")?,
            owner: row.string("owner")?,
            // a path that is not absolute is the server's own name for a place within its folder
            location: Some(location).filter(|location| location.starts_with('/')).unwrap_or_default(),
            options: row.strings("options")?,
            acl: Acl::decode(row, "acl", "acl_default")?,
            comment: row.optional_string("comment")?,
            labels: SharedLabel::decode(row)?,
        })
    }

    pub(super) fn statements(&self, quote: Quote) -> String {
        let name = quote.identifier(&self.name);
        let owner = quote.identifier(&self.owner);
        let mut sql = format!("CREATE TABLESPACE {name} OWNER {owner} LOCATION {};\n", quote.literal(&self.location));
        if !self.options.is_empty() {
            let options = storage_options(&self.options, "", quote).join(", ");
            sql.push_str(&format!("ALTER TABLESPACE {name} SET ({options});\n"));
        }
        sql.push_str(&self.acl.statements(quote, &AclTarget::new("TABLESPACE", &name, None), &self.owner, ""));
        if let Some(comment) = &self.comment {
            sql.push_str(&format!("COMMENT ON TABLESPACE {name} IS {};\n", quote.literal(comment)));
        }
        sql.extend(self.labels.iter().map(|label| label.statement("TABLESPACE", &name, quote)));
        sql
    }
}
