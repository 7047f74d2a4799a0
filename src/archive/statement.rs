//! What an entry does to a database beside its own statement: who owns it, where it lies, how it is dropped.

use super::toc::{Entry, Toc};
use crate::object::Quote;

/// `pg_class.relkind` of a partitioned table.
const PARTITIONED: u8 = b'p';

/// How literals are written in this archive.
pub fn quote(toc: &Toc) -> Quote {
    let off = (toc.entries.iter())
        .find(|entry| entry.kind == "STDSTRINGS")
        .and_then(|entry| entry.create.as_deref())
        .is_some_and(|create| create.contains("'off'"));
    Quote { all: false, standard_strings: !off }
}

/// What `ALTER` calls the object, where it is of a kind that has an owner: `TABLE s.t`.
pub fn described(entry: &Entry, quote: Quote) -> Option<String> {
    let kind = entry.kind.as_str();
    match kind {
        "COLLATION"
        | "CONVERSION"
        | "DOMAIN"
        | "FOREIGN TABLE"
        | "MATERIALIZED VIEW"
        | "SEQUENCE"
        | "STATISTICS"
        | "TABLE"
        | "TEXT SEARCH DICTIONARY"
        | "TEXT SEARCH CONFIGURATION"
        | "TYPE"
        | "VIEW"
        | "DATABASE"
        | "PROCEDURAL LANGUAGE"
        | "SCHEMA"
        | "EVENT TRIGGER"
        | "FOREIGN DATA WRAPPER"
        | "SERVER"
        | "PUBLICATION"
        | "SUBSCRIPTION" => {
            let schema = entry.schema.as_deref().filter(|schema| !schema.is_empty());
            Some(format!("{kind} {}", quote.qualified(schema, &entry.tag)))
        }
        "BLOB" => Some(format!("LARGE OBJECT {}", entry.tag)),
        // what tells these apart stands in the statement that drops them
        "AGGREGATE" | "FUNCTION" | "OPERATOR" | "OPERATOR CLASS" | "OPERATOR FAMILY" | "PROCEDURE" => {
            let drop = entry.drop.as_deref()?.strip_prefix("DROP ")?;
            Some(drop.trim_end_matches(['\n', ';']).to_owned())
        }
        _ => None,
    }
}

/// The statements that give the object to its owner; empty where there is nothing to give.
pub fn owner_statements(entry: &Entry, quote: Quote) -> String {
    let Some(owner) = entry.owner.as_deref().filter(|owner| !owner.is_empty()) else { return String::new() };
    // what cannot be dropped cannot be owned
    if entry.drop.as_deref().is_none_or(str::is_empty) {
        return String::new();
    }
    let owner = quote.identifier(owner);
    if entry.kind == "BLOB METADATA" {
        return for_each_oid(entry, "ALTER LARGE OBJECT ", &format!(" OWNER TO {owner}"));
    }
    match described(entry, quote) {
        Some(described) => format!("ALTER {described} OWNER TO {owner};\n"),
        None => String::new(),
    }
}

/// A statement for each large object of a `BLOB METADATA` entry.
pub fn for_each_oid(entry: &Entry, before: &str, behind: &str) -> String {
    let oids = entry.create.as_deref().unwrap_or_default().lines().filter(|line| !line.is_empty());
    oids.map(|oid| format!("{before}{oid}{behind};\n")).collect()
}

/// The statement that makes the object; what the archive says in short for a group of large objects is written out.
pub fn create_statements(entry: &Entry, toc: &Toc) -> String {
    let create = entry.create.as_deref().unwrap_or_default();
    if entry.kind == "BLOB METADATA" {
        return for_each_oid(entry, "SELECT pg_catalog.lo_create('", "')");
    }
    if entry.kind == "ACL"
        && entry.tag.starts_with("LARGE OBJECTS")
        && let Some(group) = entry.dependencies.first().and_then(|id| toc.entry(*id))
    {
        return statements(create).map(|statement| for_each_of(statement, group)).collect();
    }
    create.to_owned()
}

/// Repeats a GRANT or REVOKE on one large object for each of the group; other statements are once for all.
fn for_each_of(statement: &str, group: &Entry) -> String {
    const ON: &str = " ON LARGE OBJECT ";
    match statement.split_once(ON) {
        Some((before, behind)) => {
            let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit());
            for_each_oid(group, &format!("{before}{ON}"), behind) + "\n"
        }
        None => format!("{statement};\n"),
    }
}

/// The statements of a text that has names in double quotes and no literals, without their semicolons.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    text.split(move |character| {
        in_quotes ^= character == '"';
        character == ';' && !in_quotes
    })
    .map(str::trim)
    .filter(|statement| !statement.is_empty())
}

/// The statements that remove the object, with `IF EXISTS` where that is asked for and possible.
pub fn drop_statements(entry: &Entry, if_exists: bool) -> String {
    let drop = entry.drop.as_deref().unwrap_or_default();
    if entry.kind == "BLOB METADATA" {
        return if if_exists {
            let before = "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '";
            for_each_oid(entry, before, "'") + "\n"
        } else {
            for_each_oid(entry, "SELECT pg_catalog.lo_unlink('", "')") + "\n"
        };
    }
    if !if_exists || drop.is_empty() || drop.starts_with("--") {
        return drop.to_owned();
    }
    if entry.kind == "BLOB" {
        let oid = entry.object_oid;
        return format!(
            "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '{oid}';\n"
        );
    }
    let (table, rest) = match drop.strip_prefix("ALTER TABLE") {
        Some(rest) => ("ALTER TABLE IF EXISTS", rest),
        None => ("", drop),
    };
    let words = match entry.kind.as_str() {
        // neither a default nor a view that goes back to a view of nulls can be asked to be there
        "DEFAULT" | "DATABASE PROPERTIES" => return format!("{table}{rest}"),
        _ if rest.starts_with("CREATE OR REPLACE VIEW") => return format!("{table}{rest}"),
        "CONSTRAINT" | "CHECK CONSTRAINT" | "FK CONSTRAINT" => "DROP CONSTRAINT".to_owned(),
        kind => format!("DROP {kind}"),
    };
    match rest.split_once(&words) {
        Some((before, behind)) => format!("{table}{before}{words} IF EXISTS{behind}"),
        None => format!("{table}{rest}"),
    }
}

/// What a session has to have set before an entry's statement, followed from entry to entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Leave tablespaces to the target.
    ignore_tablespaces: bool,
    /// Leave table access methods to the target.
    ignore_access_methods: bool,
    /// Whether the archive has a search path for all of it; archives of before 2018 set one for each entry.
    has_search_path: bool,
    schema: Option<String>,
    tablespace: Option<String>,
    access_method: Option<String>,
}

impl Place {
    /// A new session for this archive.
    pub fn new(toc: &Toc) -> Self {
        let has_search_path = toc.entries.iter().any(|entry| entry.kind == "SEARCHPATH");
        Self { has_search_path, ..Self::default() }
    }

    /// Leaves tablespaces to the target, when they are not included.
    #[must_use]
    pub fn with_tablespaces(mut self, included: bool) -> Self {
        self.ignore_tablespaces = !included;
        self
    }

    /// Leaves table access methods to the target, when they are not included.
    #[must_use]
    pub fn with_access_methods(mut self, included: bool) -> Self {
        self.ignore_access_methods = !included;
        self
    }

    /// Nothing is known of the session any more: a new connection.
    pub fn forget(&mut self) {
        self.schema = None;
        self.tablespace = None;
        self.access_method = None;
    }

    /// The `SET` statements that must come before the entry's own.
    pub fn before(&mut self, entry: &Entry, quote: Quote) -> Vec<String> {
        let mut statements = Vec::new();
        if let Some(schema) = entry.schema.as_ref().filter(|schema| !self.has_search_path && !schema.is_empty()) {
            statements.extend(self.search_path(schema, quote));
        }
        if !self.ignore_tablespaces && entry.tablespace.is_some() && entry.tablespace != self.tablespace {
            let name = entry.tablespace.as_deref().unwrap_or_default();
            let value = if name.is_empty() { "''".into() } else { quote.identifier(name) };
            statements.push(format!("SET default_tablespace = {value};\n"));
            self.tablespace.clone_from(&entry.tablespace);
        }
        let is_partitioned = entry.relation_kind == Some(PARTITIONED);
        if !self.ignore_access_methods
            && !is_partitioned
            && let Some(method) = entry.access_method.as_ref().filter(|method| !method.is_empty())
            && self.access_method.as_ref() != Some(method)
        {
            statements.push(format!("SET default_table_access_method = {};\n", quote.identifier(method)));
            self.access_method = Some(method.clone());
        }
        statements
    }

    /// Makes this schema the one that names without a schema lie in.
    pub fn search_path(&mut self, schema: &str, quote: Quote) -> Option<String> {
        if self.has_search_path || self.schema.as_deref() == Some(schema) {
            return None;
        }
        self.schema = Some(schema.to_owned());
        let behind = if schema == "pg_catalog" { "" } else { ", pg_catalog" };
        Some(format!("SET search_path = {}{behind};\n", quote.identifier(schema)))
    }

    /// What must follow the entry's own statement: a partitioned table has no storage, so that a setting for new
    /// tables says nothing to it.
    pub fn after(&self, entry: &Entry, quote: Quote) -> Option<String> {
        let method =
            entry.access_method.as_deref().filter(|method| !self.ignore_access_methods && !method.is_empty())?;
        if entry.relation_kind != Some(PARTITIONED) {
            return None;
        }
        let name = quote.qualified(entry.schema.as_deref(), &entry.tag);
        Some(format!("ALTER TABLE {name} SET ACCESS METHOD {};\n", quote.identifier(method)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::toc::Section;
    use super::*;

    fn entry(kind: &str, tag: &str, drop: &str) -> Entry {
        Entry {
            drop: Some(drop.to_owned()),
            owner: Some("o".to_owned()),
            schema: Some("s".to_owned()),
            ..Entry::new(1, kind, tag, Section::PreData)
        }
    }

    #[test]
    fn gives_objects_to_their_owners() {
        let quote = Quote::default();
        let owner = |kind, tag, drop| owner_statements(&entry(kind, tag, drop), quote);
        assert_eq!(owner("TABLE", "t", "DROP TABLE s.t;\n"), "ALTER TABLE s.t OWNER TO o;\n");
        assert_eq!(owner("FUNCTION", "f(a)", "DROP FUNCTION s.f(a);\n"), "ALTER FUNCTION s.f(a) OWNER TO o;\n");
        assert_eq!(owner("INDEX", "i", "DROP INDEX s.i;\n"), "");
        assert_eq!(owner("TABLE", "t", ""), "");
    }

    #[test]
    fn asks_whether_it_is_there_only_where_that_can_be_asked() {
        for (kind, drop, expected) in [
            ("TABLE", "DROP TABLE s.t;\n", "DROP TABLE IF EXISTS s.t;\n"),
            (
                "FK CONSTRAINT",
                "ALTER TABLE ONLY s.t DROP CONSTRAINT c;\n",
                "ALTER TABLE IF EXISTS ONLY s.t DROP CONSTRAINT IF EXISTS c;\n",
            ),
            (
                "DEFAULT",
                "ALTER TABLE s.t ALTER COLUMN c DROP DEFAULT;\n",
                "ALTER TABLE IF EXISTS s.t ALTER COLUMN c DROP DEFAULT;\n",
            ),
            ("RULE", "CREATE OR REPLACE VIEW s.v AS x;\n", "CREATE OR REPLACE VIEW s.v AS x;\n"),
            ("SCHEMA", "-- *not* dropping schema\n", "-- *not* dropping schema\n"),
        ] {
            assert_eq!(drop_statements(&entry(kind, "t", drop), true), expected);
            assert_eq!(drop_statements(&entry(kind, "t", drop), false), drop);
        }
    }

    #[test]
    fn sets_only_what_changes() {
        let quote = Quote::default();
        let mut place = Place { has_search_path: true, ..Place::default() };
        let mut table = entry("TABLE", "t", "");
        table.tablespace = Some(String::new());
        table.access_method = Some("heap".to_owned());
        let first = place.before(&table, quote);
        assert_eq!(first, ["SET default_tablespace = '';\n", "SET default_table_access_method = heap;\n"]);
        assert_eq!(place.before(&table, quote), Vec::<String>::new());
        table.relation_kind = Some(PARTITIONED);
        table.access_method = Some("other".to_owned());
        assert_eq!(place.before(&table, quote), Vec::<String>::new());
        assert_eq!(place.after(&table, quote).unwrap(), "ALTER TABLE s.t SET ACCESS METHOD other;\n");
        place.forget();
        assert_eq!(place.before(&table, quote).len(), 1);
    }

    #[test]
    fn writes_a_group_of_large_objects_out() {
        let group = Entry { create: Some("7\n9\n".to_owned()), ..entry("BLOB METADATA", "7..9", "-- dummy") };
        let one = "GRANT SELECT ON LARGE OBJECT 7 TO \"a;b\"";
        assert_eq!(
            for_each_of(one, &group),
            "GRANT SELECT ON LARGE OBJECT 7 TO \"a;b\";\nGRANT SELECT ON LARGE OBJECT 9 TO \"a;b\";\n\n"
        );
        let text = format!("{one};\nRESET SESSION AUTHORIZATION;\n");
        assert_eq!(statements(&text).collect::<Vec<_>>(), [one, "RESET SESSION AUTHORIZATION"]);
        assert_eq!(
            owner_statements(&group, Quote::default()),
            "ALTER LARGE OBJECT 7 OWNER TO o;\nALTER LARGE OBJECT 9 OWNER TO o;\n"
        );
    }
}
