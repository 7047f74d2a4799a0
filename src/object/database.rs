//! The database itself: what makes it, and what is set for it as a whole.

use super::acl::AclTarget;
use super::{Acl, CatalogId, Emitter, Entry, Quote, Section, setting};
use crate::record::{DecodeError, Record};

/// The oid of `pg_database`.
const PG_DATABASE: u32 = super::class::PG_DATABASE;

/// The database that is dumped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its owner's name.
    pub owner: String,
    /// Its encoding's name.
    pub encoding: String,
    /// `libc`, `icu` or `builtin`.
    pub locale_provider: &'static str,
    /// `LC_COLLATE`
    pub collate: String,
    /// `LC_CTYPE`
    pub ctype: String,
    /// The locale of a provider other than `libc`.
    pub locale: Option<String>,
    /// Rules that tailor an ICU locale.
    pub icu_rules: Option<String>,
    /// The name of its tablespace.
    pub tablespace: String,
    /// The most connections at a time; -1 is no limit.
    pub connection_limit: i32,
    /// Whether other databases may be made from it by anybody.
    pub is_template: bool,
    /// Its comment.
    pub comment: Option<String>,
    /// Its privileges.
    pub acl: Acl,
    /// What is set for it, for all roles or for one (`ALTER DATABASE ... SET`, `ALTER ROLE ... IN DATABASE ... SET`).
    pub settings: Vec<DatabaseSetting>,
    /// Security labels: provider and label.
    pub labels: Vec<(String, String)>,
}

/// A setting that a database's sessions begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSetting {
    /// The role whose sessions these are; `None` for all.
    pub role: Option<String>,
    /// `name=value`.
    pub setting: String,
}

impl Database {
    /// The rows of `sql/catalog/database.sql`, `database_setting.sql` and `database_label.sql`.
    pub fn decode(row: &Record, settings: &[Record], labels: &[Record]) -> Result<Self, DecodeError> {
        let locale_provider = match row.letter("provider")? {
            'c' => "libc",
            'i' => "icu",
            'b' => "builtin",
            other => {
                let problem = format!("{other:?} is no known locale provider");
                return Err(DecodeError { column: "provider".to_owned(), problem });
            }
        };
        Ok(Self {
            oid: row.oid("oid")?,
            name: row.string("datname")?,
            owner: row.string("owner")?,
            encoding: row.string("encoding")?,
            locale_provider,
            collate: row.string("datcollate")?,
            ctype: row.string("datctype")?,
            locale: row.optional_string("locale")?,
            icu_rules: row.optional_string("icu_rules")?,
            tablespace: row.string("tablespace")?,
            connection_limit: row.number("datconnlimit")?,
            is_template: row.boolean("datistemplate")?,
            comment: row.optional_string("comment")?.filter(|comment| !comment.is_empty()),
            acl: Acl::decode(row, "acl", "acl_default")?,
            settings: (settings.iter())
                .map(|row| Ok(DatabaseSetting { role: row.optional_string("role")?, setting: row.string("setting")? }))
                .collect::<Result<_, _>>()?,
            labels: (labels.iter())
                .map(|row| Ok((row.string("provider")?, row.string("label")?)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// `CREATE DATABASE`, without its properties.
    pub fn create(&self, quote: Quote) -> String {
        let mut sql = format!("CREATE DATABASE {} WITH TEMPLATE = template0", quote.identifier(&self.name));
        sql.push_str(&format!(" ENCODING = {}", quote.literal(&self.encoding)));
        sql.push_str(&format!(" LOCALE_PROVIDER = {}", self.locale_provider));
        let mut option = |word: &str, value: &str| {
            if !value.is_empty() {
                sql.push_str(&format!(" {word} = {}", quote.literal(value)));
            }
        };
        if self.collate == self.ctype {
            option("LOCALE", &self.collate);
        } else {
            option("LC_COLLATE", &self.collate);
            option("LC_CTYPE", &self.ctype);
        }
        if let Some(locale) = &self.locale {
            option(if self.locale_provider == "builtin" { "BUILTIN_LOCALE" } else { "ICU_LOCALE" }, locale);
        }
        option("ICU_RULES", self.icu_rules.as_deref().unwrap_or_default());
        if !self.tablespace.is_empty() && self.tablespace != "pg_default" {
            sql.push_str(&format!(" TABLESPACE = {}", quote.identifier(&self.tablespace)));
        }
        sql.push_str(";\n");
        sql
    }

    /// The statements that set what `CREATE DATABASE` cannot: they must not run in its transaction.
    pub fn properties(&self, quote: Quote) -> String {
        let name = quote.identifier(&self.name);
        let mut sql = String::new();
        if self.connection_limit != -1 {
            sql.push_str(&format!("ALTER DATABASE {name} CONNECTION LIMIT = {};\n", self.connection_limit));
        }
        if self.is_template {
            sql.push_str(&format!("ALTER DATABASE {name} IS_TEMPLATE = true;\n"));
        }
        for DatabaseSetting { role, setting } in &self.settings {
            let target = match role {
                None => format!("DATABASE {name}"),
                Some(role) => format!("ROLE {} IN DATABASE {name}", quote.identifier(role)),
            };
            sql.push_str(&setting::alter(&target, setting, quote));
        }
        sql
    }

    /// Writes the entries of the database: itself, its comment, labels and privileges, and its properties.
    pub fn entries(&self, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = quote.identifier(&self.name).into_owned();
        let tag = format!("DATABASE {name}");
        let id = out.new_id();
        let entry = |id, kind, tag: &str, create: String| Entry {
            owner: self.owner.as_str().into(),
            create,
            ..Entry::new(id, kind, tag)
        };
        out.push(Entry {
            catalog_id: CatalogId { class: PG_DATABASE, oid: self.oid },
            drop: format!("DROP DATABASE {name};\n"),
            dependencies: Some(Vec::new()),
            ..entry(id, "DATABASE", &self.name, self.create(quote))
        });
        let mut attached: Vec<(&'static str, String)> = Vec::new();
        if let Some(comment) = self.comment.as_ref().filter(|_| out.options.include_comments) {
            attached.push(("COMMENT", format!("COMMENT ON DATABASE {name} IS {};\n", quote.literal(comment))));
        }
        if out.options.include_security_labels && !self.labels.is_empty() {
            let statements = self.labels.iter().map(|(provider, label)| {
                let (provider, label) = (quote.identifier(provider), quote.literal(label));
                format!("SECURITY LABEL FOR {provider} ON DATABASE {name} IS {label};\n")
            });
            attached.push(("SECURITY LABEL", statements.collect()));
        }
        if out.options.include_acl {
            let statements = self.acl.statements(quote, &AclTarget::new("DATABASE", &name, None), &self.owner, "");
            attached.push(("ACL", statements));
        }
        for (kind, create) in attached.into_iter().filter(|(_, create)| !create.is_empty()) {
            let own = out.new_id();
            out.push(Entry { section: Section::None, dependencies: Some(vec![id]), ..entry(own, kind, &tag, create) });
        }
        let properties = self.properties(quote);
        if !properties.is_empty() {
            let own = out.new_id();
            let drop = if self.is_template {
                // a template cannot be dropped, and there is no ALTER DATABASE IF EXISTS
                let name = quote.literal(&self.name);
                format!("UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = {name};\n")
            } else {
                String::new()
            };
            out.push(Entry {
                drop,
                dependencies: Some(Vec::new()),
                ..entry(own, "DATABASE PROPERTIES", &self.name, properties)
            });
        }
    }
}
