//! The entries of a plain backup as the comparison wants them.
//!
//! A script tells names in one line, no dependencies, and owners and places only where its options let it. The names and whatever
//! is not told come from the entry of the live database that is about the same; dependencies from the names in the statements.

use std::collections::HashMap;

use crate::archive::plain::one_line;
use crate::archive::script::entries::{Entry, Reading};
use crate::archive::toc;
use crate::object::Quote;

use super::definition::Item;
use super::token;

/// What the script was written without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Untold {
    pub(super) tablespaces: bool,
    pub(super) access_methods: bool,
}

/// An entry's kind, tag and schema in one line, and whose the default privileges are.
type Key = (String, String, String, String);

fn key(kind: &str, tag: &str, schema: &str, owner: &str) -> Key {
    let role = if kind == "DEFAULT ACL" { one_line(owner) } else { String::new() };
    (kind.to_owned(), one_line(tag), one_line(schema), role)
}

/// Gives each entry of the script its place in a table of contents.
pub(super) fn resolve(script: &[Entry], live: &[Item<'_>], untold: Untold) -> Vec<toc::Entry> {
    let mut partners: HashMap<Key, Vec<&Item<'_>>> = HashMap::with_capacity(live.len());
    for item in live.iter().rev() {
        partners.entry(key(item.kind, item.tag, item.schema, item.owner)).or_default().push(item);
    }
    let read: Vec<toc::Entry> = script.iter().filter_map(|entry| known_reading(entry, &partners)).collect();
    let key_of = |entry: &toc::Entry| {
        key(
            &entry.kind,
            &entry.tag,
            entry.schema.as_deref().unwrap_or_default(),
            entry.owner.as_deref().unwrap_or_default(),
        )
    };
    // names that are the same in one line: those that say the same belong together
    let mut chosen: Vec<Option<&Item<'_>>> = Vec::with_capacity(read.len());
    for entry in &read {
        let group = partners.get_mut(&key_of(entry));
        let create = entry.create.as_deref().unwrap_or_default();
        let is_same = |item: &&Item<'_>| item.create == create || token::same(item.create, create);
        chosen.push(group.and_then(|group| Some(group.remove(group.iter().rposition(is_same)?))));
    }
    let mut entries = Vec::with_capacity(read.len());
    for (place, (mut entry, partner)) in read.into_iter().zip(chosen).enumerate() {
        let partner = partner.or_else(|| partners.get_mut(&key_of(&entry))?.pop());
        entry.dump_id = i32::try_from(place + 1).unwrap_or(i32::MAX);
        complete(&mut entry, partner, untold);
        entries.push(entry);
    }
    add_dependencies(&mut entries);
    entries
}

/// The entry in the reading that the live database knows, else in the first one.
fn known_reading(entry: &Entry, partners: &HashMap<Key, Vec<&Item<'_>>>) -> Option<toc::Entry> {
    let readings = entry.readings();
    let first = *readings.first()?;
    if readings.len() == 1 {
        return Some(entry.read(first));
    }
    let known = |reading: &Reading<'_>| {
        let read = entry.read(*reading);
        partners.contains_key(&key(
            reading.kind,
            reading.tag,
            reading.schema,
            read.owner.as_deref().unwrap_or_default(),
        ))
    };
    Some(entry.read(readings.iter().copied().find(known).unwrap_or(first)))
}

/// Adds what the script does not tell.
fn complete(entry: &mut toc::Entry, partner: Option<&Item<'_>>, untold: Untold) {
    let Some(partner) = partner else {
        mend_names(entry);
        return;
    };
    entry.tag = partner.tag.to_owned();
    entry.schema = Some(partner.schema.to_owned());
    let same_in_one_line = |one: &Option<String>, other: &str| one.as_deref().unwrap_or_default() == one_line(other);
    if entry.owner.is_none() || same_in_one_line(&entry.owner, partner.owner) {
        entry.owner = Some(partner.owner.to_owned());
    }
    if untold.tablespaces || same_in_one_line(&entry.tablespace, partner.tablespace) {
        entry.tablespace = Some(partner.tablespace.to_owned());
    }
    if untold.access_methods {
        entry.access_method = Some(partner.access_method.to_owned());
    }
}

/// Gives names in the comment the line ends back that they have in the statement.
fn mend_names(entry: &mut toc::Entry) {
    let quote = Quote::default();
    for name in names_with_line_ends(entry.create.as_deref().unwrap_or_default()) {
        let in_one_line = one_line(&name);
        let quoted = quote.identifier(&name);
        let quoted_in_one_line = one_line(&quoted);
        if entry.schema.as_deref().unwrap_or_default() == in_one_line {
            entry.schema = Some(name.clone());
        }
        entry.tag = match entry.tag.contains(&quoted_in_one_line) {
            true => entry.tag.replace(&quoted_in_one_line, &quoted),
            false => entry.tag.replace(&in_one_line, &name),
        };
    }
}

/// The names in quotes of a statement that are more than one line.
fn names_with_line_ends(statement: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = statement;
    while let Some(place) = rest.find(['"', '\'']) {
        let (_, quoted) = rest.split_at(place);
        let quote = if quoted.starts_with('"') { '"' } else { '\'' };
        let mut name = String::new();
        rest = quoted.get(1..).unwrap_or_default();
        while let Some((piece, behind)) = rest.split_once(quote) {
            name.push_str(piece);
            rest = behind;
            let Some(more) = behind.strip_prefix(quote) else { break };
            name.push(quote);
            rest = more;
        }
        if !rest.contains(quote) && name.is_empty() {
            break;
        }
        if quote == '"' && name.contains(['\n', '\r']) {
            names.push(name);
        }
    }
    names
}

/// What a part of something says in front of its name: the rest is the entry that it belongs to.
const REMARKS: [&str; 3] = ["ACL", "COMMENT", "SECURITY LABEL"];

/// Kinds whose names stand in the statements of what hangs on them.
const HOLDERS: [&str; 5] = ["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE"];

/// Parts come to depend on what they name.
fn add_dependencies(entries: &mut [toc::Entry]) {
    let quote = Quote::default();
    let mut holders: HashMap<(String, String), i32> = HashMap::new();
    let mut described: HashMap<(String, String), i32> = HashMap::new();
    for entry in entries.iter() {
        let (schema, tag) = (entry.schema.as_deref().unwrap_or_default().to_owned(), entry.tag.as_str());
        if HOLDERS.contains(&entry.kind.as_str()) {
            holders.insert((schema.clone(), tag.to_owned()), entry.dump_id);
        }
        for name in [tag.to_owned(), quote.identifier(tag).into_owned()] {
            described.insert((schema.clone(), format!("{} {name}", entry.kind)), entry.dump_id);
        }
    }
    for entry in entries.iter_mut() {
        let is_remark = REMARKS.contains(&entry.kind.as_str());
        let whole = (entry.schema.as_deref().unwrap_or_default().to_owned(), entry.tag.clone());
        entry.dependencies = match described.get(&whole).filter(|_| is_remark) {
            Some(id) => vec![*id],
            None => {
                let names = token::qualified_names(entry.create.as_deref().unwrap_or_default());
                names.into_iter().filter_map(|name| holders.get(&name).copied()).collect()
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live<'a>(kind: &'a str, schema: &'a str, tag: &'a str, create: &'a str) -> Item<'a> {
        Item {
            id: 1,
            kind,
            schema,
            tag,
            owner: "keeper",
            create,
            tablespace: "",
            access_method: "heap",
            dependencies: Vec::new(),
        }
    }

    fn entries(script: &str) -> Vec<Entry> {
        use crate::archive::script::{Splitter, entries::Entries};
        let mut splitter = Splitter::new().checked().in_parts();
        let mut entries = Entries::default();
        splitter.push(script.as_bytes());
        splitter.end();
        while let Some(event) = splitter.next_event().unwrap() {
            entries.push(&event, splitter.line());
        }
        entries.finish()
    }

    #[test]
    fn names_that_are_one_in_one_line_are_told_apart_by_their_statements() {
        let script = entries(
            "--\n-- Name: a b; Type: VIEW; Schema: s; Owner: keeper\n--\nCREATE VIEW s.\"a\nb\" AS SELECT 1;\n\
             --\n-- Name: a b; Type: VIEW; Schema: s; Owner: keeper\n--\nCREATE VIEW s.\"a b\" AS SELECT 2;\n\
             --\n-- Name: VIEW \"a b\"; Type: COMMENT; Schema: s; Owner: keeper\n--\nCOMMENT ON VIEW s.\"a\nb\" IS 'x';\n",
        );
        let there = [
            live("VIEW", "s", "a b", "CREATE VIEW s.\"a b\" AS SELECT 2;\n"),
            live("VIEW", "s", "a\nb", "CREATE VIEW s.\"a\nb\" AS SELECT 1;\n"),
            live("COMMENT", "s", "VIEW \"a\nb\"", "COMMENT ON VIEW s.\"a\nb\" IS 'y';\n"),
        ];
        let found = resolve(&script, &there, Untold::default());
        let tags: Vec<&str> = found.iter().map(|entry| entry.tag.as_str()).collect();
        assert_eq!(tags, ["a\nb", "a b", "VIEW \"a\nb\""]);
        assert_eq!(found.last().map(|entry| entry.dependencies.clone()), Some(vec![1]));
    }

    #[test]
    fn names_that_are_not_there_have_the_line_ends_of_their_statements() {
        let script = entries(
            "--\n-- Name: TABLE \"a \"\" b\"; Type: COMMENT; Schema: x y; Owner: o\n--\nCOMMENT ON TABLE \"x\ny\".\"a \"\"\nb\" IS 'it''s \"\n';\n",
        );
        let found = resolve(&script, &[], Untold::default());
        let names = found.first().map(|entry| (entry.tag.as_str(), entry.schema.as_deref()));
        assert_eq!(names, Some(("TABLE \"a \"\"\nb\"", Some("x\ny"))));
        assert_eq!(names_with_line_ends("x \"open\n"), Vec::<String>::new());
    }

    #[test]
    fn a_reading_that_the_database_knows_is_the_right_one() {
        let script = entries(
            "--\n-- Name: v; Type: VIEW; Schema: x; Owner: y; Type: TABLE; Schema: s; Owner: -\n--\nCREATE TABLE s.x (\n    a integer\n);\n",
        );
        let there =
            [live("TABLE", "s", "v; Type: VIEW; Schema: x; Owner: y", "CREATE TABLE s.x (\n    a integer\n);\n")];
        let found = resolve(&script, &there, Untold { access_methods: true, tablespaces: true });
        let found = found.first().expect("an entry");
        assert_eq!(
            (found.kind.as_str(), found.schema.as_deref(), found.owner.as_deref()),
            ("TABLE", Some("s"), Some("keeper"))
        );
        assert_eq!(found.access_method.as_deref(), Some("heap"));
    }

    #[test]
    fn parts_hang_on_the_tables_that_they_name() {
        let script = entries(
            "--\n-- Name: t; Type: TABLE; Schema: s; Owner: o\n--\nCREATE TABLE s.t (\n    a integer\n);\n\
             --\n-- Name: i; Type: INDEX; Schema: s; Owner: o\n--\nCREATE INDEX i ON s.t USING btree (a);\n\
             --\n-- Name: TABLE t; Type: ACL; Schema: s; Owner: o\n--\nGRANT ALL ON TABLE s.t TO b;\n",
        );
        let found = resolve(&script, &[], Untold::default());
        let dependencies: Vec<&[i32]> = found.iter().skip(1).map(|entry| entry.dependencies.as_slice()).collect();
        assert_eq!(dependencies, [[1], [1]]);
    }
}
