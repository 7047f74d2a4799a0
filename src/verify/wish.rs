//! `verify.toml`: what the owner of a database knows must be there.
//!
//! ```toml
//! [volume]
//! max_shrink_percent = 20
//!
//! [[table]]
//! name = "public.orders"
//! min_rows = 1
//! row_security = true
//! indexes = ["orders_pkey"]
//! constraints = ["orders_total_check"]
//!
//! [[table.policy]]
//! name = "owner_only"
//! command = "SELECT"
//! roles = ["app"]
//! using = "(owner = CURRENT_USER)"
//! ```

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

/// What must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// The volume of the data.
    #[serde(default)]
    pub volume: Volume,
    /// Tables.
    #[serde(default, rename = "table")]
    pub tables: Vec<TableWish>,
}

/// How much data may vanish between two backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The data may be so many percent smaller than in the backup before.
    pub max_shrink_percent: u8,
}

impl Default for Volume {
    fn default() -> Self {
        Self { max_shrink_percent: 20 }
    }
}

/// A table that must be there. What is not said is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableWish {
    /// `schema.table`, or `table` in any schema.
    pub name: String,
    /// It has at least so many rows.
    pub min_rows: Option<u64>,
    /// Row-level security is enabled, or is not.
    pub row_security: Option<bool>,
    /// Row-level security is forced for the owner, or is not.
    pub force_row_security: Option<bool>,
    /// Columns that it has.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Indexes that it has and that are valid.
    #[serde(default)]
    pub indexes: Vec<String>,
    /// Constraints that it has and that are validated.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// Triggers that it has and that are not disabled.
    #[serde(default)]
    pub triggers: Vec<String>,
    /// Policies that it has.
    #[serde(default, rename = "policy")]
    pub policies: Vec<PolicyWish>,
}

/// A policy that a table must have. What is not said is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyWish {
    /// Its name.
    pub name: String,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: Option<String>,
    /// Permissive or restrictive.
    pub permissive: Option<bool>,
    /// The roles that it is for, in any order; `PUBLIC` for everybody.
    pub roles: Option<Vec<String>>,
    /// The expression of `USING`, as the server prints it.
    pub using: Option<String>,
    /// The expression of `WITH CHECK`, as the server prints it.
    pub with_check: Option<String>,
}

impl Wishes {
    /// Reads the file's text; `place` names it in errors.
    ///
    /// Fails with [`ErrorKind::Config`]; an unknown key is an error, because a misspelt wish would never be looked at.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let wishes: Self = toml::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Config, format!("could not read \"{place}\""))
                .detail(error.to_string().trim_end().to_owned())
        })?;
        if wishes.volume.max_shrink_percent > 100 {
            return Err(Error::new(ErrorKind::Config, format!("could not read \"{place}\""))
                .detail("max_shrink_percent is not from 0 to 100"));
        }
        Ok(wishes)
    }
}

/// Whether a relation is the one that was named: `schema.table`, or `table` in any schema.
pub(super) fn is_named(wanted: &str, schema: &str, name: &str) -> bool {
    wanted == name || wanted.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tables_and_policies() {
        let text = "[volume]\nmax_shrink_percent = 5\n[[table]]\nname = \"public.orders\"\nmin_rows = 3\nindexes = [\"a\"]\n\
            [[table.policy]]\nname = \"own\"\nroles = [\"app\"]\n[[table]]\nname = \"b\"\nrow_security = true\n";
        let wishes = Wishes::parse("verify.toml", text).unwrap();
        assert_eq!(wishes.volume.max_shrink_percent, 5);
        assert_eq!(wishes.tables.len(), 2);
        assert_eq!(wishes.tables[0].policies[0].roles.as_deref(), Some(&["app".to_owned()][..]));
        assert_eq!(Wishes::parse("verify.toml", "").unwrap(), Wishes::default());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in [
            "[[table]]\nname = \"a\"\nindex = [\"b\"]",
            "[[tables]]\nname = \"a\"",
            "[volume]\nmax_shrink_percent = 101",
            "[",
        ] {
            let error = Wishes::parse("verify.toml", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        }
    }

    #[test]
    fn names_have_a_schema_or_none() {
        assert!(is_named("orders", "public", "orders"));
        assert!(is_named("public.orders", "public", "orders"));
        assert!(is_named("a.b", "x", "a.b"));
        assert!(!is_named("public.orders", "app", "orders"));
        assert!(!is_named("publicorders", "public", "orders"));
    }
}
