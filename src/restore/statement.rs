//! Statements that an entry does not hold but implies: its owner, its drop, those for many large objects.

use crate::archive::statement as stock;
use crate::archive::toc::{Entry, Toc};
use crate::object::identifier::Quote;
use crate::object::subscription::{RUN_AS_OWNER_MAJOR, STREAMING_MAJOR};
use crate::object::version::Version;

/// `ALTER ... OWNER TO ...`, for what has an owner.
pub(super) fn owner(entry: &Entry) -> Option<String> {
    Some(stock::owner_statements(entry, Quote::default())).filter(|statements| !statements.is_empty())
}

/// The statements that create the entry's object.
pub(super) fn create(entry: &Entry, toc: &Toc, leave_owner: bool, version: Version) -> Option<String> {
    let text = entry.create.as_deref().filter(|text| !text.is_empty())?;
    Some(match entry.kind.as_str() {
        // old archives name the owner here
        "SCHEMA" if leave_owner && !text.starts_with("--") => {
            format!("CREATE SCHEMA {};", Quote::default().identifier(&entry.tag))
        }
        // servers before 15 know one provider
        "DATABASE" if version.major() < 15 => text.replacen(" LOCALE_PROVIDER = libc", "", 1),
        // they have no multiranges
        "TYPE" if version.major() < 14 => without_multirange(text),
        "SUBSCRIPTION" => {
            subscription(text, toc.header.server_version.as_deref().and_then(Version::from_server_text), version)
        }
        // there, all sequences are logged and no word says so
        "SEQUENCE" if version.major() < 15 => without_last(text, "\n    LOGGED"),
        // from there on an identity column's sequence is as its table unless a word says so
        "SEQUENCE" if is_logged_without_a_word(entry, toc) => match text.trim_end().strip_suffix(");") {
            Some(options) => format!("{options}    LOGGED\n);\n"),
            None => text.to_owned(),
        },
        _ => stock::create_statements(entry, toc),
    })
}

/// A range type without the name of its multirange type.
fn without_multirange(text: &str) -> String {
    const OPTION: &str = ",\n    multirange_type_name = ";
    let Some((before, rest)) = text.split_once(OPTION).filter(|(before, _)| before.contains(" AS RANGE (\n")) else {
        return text.to_owned();
    };
    // a name may hold a comma or a line end between its quotes
    let mut is_quoted = false;
    let end = rest.find(|character: char| {
        is_quoted ^= character == '"';
        !is_quoted && matches!(character, ',' | '\n')
    });
    format!("{before}{}", rest.get(end.unwrap_or(rest.len())..).unwrap_or_default())
}

/// A subscription with the options that say what the source's server does without a word, where the target knows them, and without
/// them where it does not.
fn subscription(text: &str, source: Option<Version>, target: Version) -> String {
    // names stand before the options
    let Some((before, options)) = text.rsplit_once(" WITH (connect = false") else { return text.to_owned() };
    let mut options = options.to_owned();
    for (since, name, value) in [(STREAMING_MAJOR, "streaming", "off"), (RUN_AS_OWNER_MAJOR, "run_as_owner", "true")] {
        let option = format!(", {name} = {value}");
        if target.major() < since {
            options = options.replacen(&option, "", 1);
        } else if source.is_some_and(|source| source.major() < since)
            && !options.contains(&format!(", {name} = "))
            && let Some(place) = options.rfind(");")
        {
            options.insert_str(place, &option);
        }
    }
    format!("{before} WITH (connect = false{options}")
}

/// Whether it is the sequence of an unlogged table's identity column, from a server on which all sequences are logged.
fn is_logged_without_a_word(entry: &Entry, toc: &Toc) -> bool {
    let text = entry.create.as_deref().unwrap_or_default();
    let source = toc.header.server_version.as_deref().and_then(Version::from_server_text);
    let is_unlogged = |table: &Entry| {
        table.kind == "TABLE"
            && entry.dependencies.contains(&table.dump_id)
            && table.create.as_deref().is_some_and(|create| create.starts_with("CREATE UNLOGGED TABLE "))
    };
    text.starts_with("ALTER TABLE ")
        && !text.contains("\n    LOGGED\n")
        && source.is_some_and(|source| source.major() < 15)
        && toc.entries.iter().any(is_unlogged)
}

/// The text without the last place where `line` stands as a line of its own; names stand before the options.
fn without_last(text: &str, line: &str) -> String {
    match text.rsplit_once(&format!("{line}\n")) {
        Some((before, behind)) => format!("{before}\n{behind}"),
        None => text.to_owned(),
    }
}

/// The drop statement, which passes over what does not exist; none where a comment stands in its place.
pub(super) fn drop_if_exists(entry: &Entry) -> Option<String> {
    let drop = stock::drop_statements(entry, true);
    let drop = drop.trim();
    (!drop.is_empty() && !drop.starts_with("--")).then(|| drop.to_owned())
}

/// `TABLE public.orders (entry 214)`.
pub(super) fn describe(entry: &Entry) -> String {
    let name = match entry.schema.as_deref().filter(|schema| !schema.is_empty()) {
        Some(schema) => format!("{schema}.{}", entry.tag),
        None => entry.tag.clone(),
    };
    let name: String = name.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    format!("{} {name} (entry {})", entry.kind, entry.dump_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive;
    use crate::archive::toc::{Container, Created, Header, Section};
    use crate::codec::compress::Compression;

    fn entry(kind: &str, tag: &str, drop: &str) -> Entry {
        let mut entry = Entry::new(1, kind, tag, Section::PreData);
        entry.schema = Some("s".to_owned());
        entry.owner = Some("The Owner".to_owned());
        entry.drop = Some(drop.to_owned());
        entry
    }

    #[test]
    fn leaves_out_that_a_sequence_is_logged_where_no_word_says_so() {
        let header = Header::new(archive::Version::V1_16, Container::Custom, Compression::None, Created::default());
        let toc = Toc { header: header.unwrap(), entries: Vec::new() };
        let mut identity = entry("SEQUENCE", "q", "");
        identity.create =
            Some("ALTER TABLE t ADD GENERATED ALWAYS AS IDENTITY (\n    LOGGED\n    CACHE 1\n);\n".to_owned());
        let at = |version| create(&identity, &toc, false, Version(version)).unwrap();
        assert_eq!(at(130_000), "ALTER TABLE t ADD GENERATED ALWAYS AS IDENTITY (\n    CACHE 1\n);\n");
        assert!(at(150_000).contains("LOGGED"));
    }

    #[test]
    fn leaves_out_what_older_servers_do_not_know() {
        let header = Header::new(archive::Version::V1_16, Container::Custom, Compression::None, Created::default());
        let toc = Toc { header: header.unwrap(), entries: Vec::new() };
        let written = |kind, text: &str, version| {
            let mut entry = entry(kind, "x", "");
            entry.create = Some(text.to_owned());
            create(&entry, &toc, false, Version(version)).unwrap()
        };
        let range = "CREATE TYPE s.r AS RANGE (\n    subtype = text,\n    multirange_type_name = s.\"a,\nb\",\n    collation = s.c\n);\n";
        assert_eq!(
            written("TYPE", range, 130_000),
            "CREATE TYPE s.r AS RANGE (\n    subtype = text,\n    collation = s.c\n);\n"
        );
        assert_eq!(written("TYPE", range, 140_000), range);
        let last = "CREATE TYPE s.r AS RANGE (\n    subtype = int,\n    multirange_type_name = s.m\n);\n";
        assert_eq!(written("TYPE", last, 130_000), "CREATE TYPE s.r AS RANGE (\n    subtype = int\n);\n");
        let subscription = "CREATE SUBSCRIPTION x CONNECTION ', streaming = off' PUBLICATION p WITH (connect = false, slot_name = 'x', streaming = off, run_as_owner = true);\n";
        let front =
            "CREATE SUBSCRIPTION x CONNECTION ', streaming = off' PUBLICATION p WITH (connect = false, slot_name = 'x'";
        assert_eq!(written("SUBSCRIPTION", subscription, 130_000), format!("{front});\n"));
        assert_eq!(written("SUBSCRIPTION", subscription, 150_000), format!("{front}, streaming = off);\n"));
        assert_eq!(written("SUBSCRIPTION", subscription, 160_000), subscription);
        let (old, new) = (Version(130_000), Version(180_000));
        assert_eq!(super::subscription(&format!("{front});\n"), Some(old), new), subscription);
        assert_eq!(super::subscription(&format!("{front});\n"), Some(old), old), format!("{front});\n"));
        assert_eq!(super::subscription(subscription, Some(old), new), subscription);
    }

    #[test]
    fn drops_only_what_exists() {
        for (kind, drop, expected) in [
            ("TABLE", "DROP TABLE s.t;\n", "DROP TABLE IF EXISTS s.t;"),
            ("MATERIALIZED VIEW", "DROP MATERIALIZED VIEW s.\"T\";\n", "DROP MATERIALIZED VIEW IF EXISTS s.\"T\";"),
            (
                "CONSTRAINT",
                "ALTER TABLE ONLY s.t DROP CONSTRAINT k;\n",
                "ALTER TABLE IF EXISTS ONLY s.t DROP CONSTRAINT IF EXISTS k;",
            ),
            (
                "DEFAULT",
                "ALTER TABLE s.t ALTER COLUMN c DROP DEFAULT;\n",
                "ALTER TABLE IF EXISTS s.t ALTER COLUMN c DROP DEFAULT;",
            ),
            ("USER MAPPING", "DROP USER MAPPING FOR a SERVER b;\n", "DROP USER MAPPING IF EXISTS FOR a SERVER b;"),
            ("CAST", "DROP CAST (s.a AS s.b);\n", "DROP CAST IF EXISTS (s.a AS s.b);"),
            ("OPERATOR", "DROP OPERATOR s.+ (s.a, s.a);\n", "DROP OPERATOR IF EXISTS s.+ (s.a, s.a);"),
            (
                "OPERATOR CLASS",
                "DROP OPERATOR CLASS s.c USING btree;\n",
                "DROP OPERATOR CLASS IF EXISTS s.c USING btree;",
            ),
            ("TEXT SEARCH PARSER", "DROP TEXT SEARCH PARSER s.p;\n", "DROP TEXT SEARCH PARSER IF EXISTS s.p;"),
        ] {
            assert_eq!(drop_if_exists(&entry(kind, "x", drop)).as_deref(), Some(expected));
        }
        assert_eq!(drop_if_exists(&entry("SCHEMA", "public", "-- *not* dropping schema\n")), None);
        let mut objects = entry("BLOB METADATA", "7..9", "-- dummy\n");
        objects.create = Some("7\n9\n".to_owned());
        assert!(drop_if_exists(&objects).is_some_and(|sql| sql.ends_with("WHERE oid = '9';")));
    }

    #[test]
    fn gives_things_to_their_owner() {
        for (kind, tag, drop, expected) in [
            ("TABLE", "T", "DROP TABLE s.\"T\";\n", Some("ALTER TABLE s.\"T\" OWNER TO \"The Owner\";\n")),
            (
                "FUNCTION",
                "f(integer)",
                "DROP FUNCTION s.f(integer);\n",
                Some("ALTER FUNCTION s.f(integer) OWNER TO \"The Owner\";\n"),
            ),
            ("INDEX", "i", "DROP INDEX s.i;\n", None),
            ("SEQUENCE SET", "q", "", None),
        ] {
            assert_eq!(owner(&entry(kind, tag, drop)).as_deref(), expected, "{kind}");
        }
    }
}
