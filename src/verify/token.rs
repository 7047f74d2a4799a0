//! Statements of two majors of PostgreSQL, word by word: what newer servers print and older ones do not, or the other way
//! round, makes no difference; everything else does.

/// Whether both statements say the same; `older` is of the older server.
pub(super) fn alike(kind: &str, older: &str, newer: &str) -> bool {
    let (mut older, mut newer) = (tokens(older), tokens(newer));
    if kind == "TYPE" {
        without_new_options(&mut older);
        without_new_options(&mut newer);
    }
    aligned(&older, &newer)
}

/// Whether both statements have the same words. A database's own `quote_all_identifiers` puts quotes around names.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (tokens(one), tokens(other));
    let is_relation = |place: usize| one.get(place + 1..place + 4) == Some(&[":", ":", "regclass"]);
    one.len() == other.len()
        && one.iter().zip(&other).enumerate().all(|(place, (one, other))| {
            one == other || (is_relation(place) && relation_name(one) == relation_name(other))
        })
}

/// The parts of a relation's name that stands in a literal.
fn relation_name(literal: &str) -> Vec<&str> {
    literal.trim_matches('\'').split('.').map(unquoted).collect()
}

/// Every `schema.name` in a statement, without quotes.
pub(super) fn qualified_names(text: &str) -> Vec<(String, String)> {
    let plain = |token: &str| match token.strip_prefix('"').and_then(|token| token.strip_suffix('"')) {
        Some(name) => name.to_owned(),
        None => token.to_owned(),
    };
    let tokens = tokens(text);
    let triples = tokens.iter().zip(tokens.iter().skip(1)).zip(tokens.iter().skip(2));
    triples.filter(|((_, dot), _)| **dot == ".").map(|((schema, _), name)| (plain(schema), plain(name))).collect()
}

fn aligned(older: &[&str], newer: &[&str]) -> bool {
    let (mut i, mut j) = (0, 0);
    let old = |place: usize| older.get(place).copied();
    let new = |place: usize| newer.get(place).copied();
    loop {
        match (old(i), new(j)) {
            (None, None) => return true,
            // before 16 a column of a view's only table has the table's name before it
            (Some(_), Some(name)) if old(i + 1) == Some(".") && new(j + 1) != Some(".") && old(i + 2) == Some(name) => {
                i += 3;
                j += 1;
            }
            (Some(one), Some(other)) if one == other => {
                i += 1;
                j += 1;
            }
            // from 18 on this constraint has a name, which is told where it is not the usual one
            (Some("NOT"), Some("CONSTRAINT")) if new(j + 2) == Some("NOT") && new(j + 3) == Some("NULL") => j += 2,
            // from 14 on a procedure's arguments are told to be for input
            (Some(_), Some("IN")) if matches!(j.checked_sub(1).and_then(new), Some("(" | ",")) => j += 1,
            _ => return false,
        }
    }
}

/// Takes away what a data type has from 14 on without being asked for it, and the commas.
fn without_new_options(tokens: &mut Vec<&str>) {
    let mut left = 0;
    let mut kept = Vec::with_capacity(tokens.len());
    for (place, token) in tokens.iter().enumerate() {
        let value = tokens.get(place + 2).copied();
        if *token == "multirange_type_name" {
            // the name may have its schema before it
            left = if tokens.get(place + 3) == Some(&".") { 5 } else { 3 };
        } else if *token == "SUBSCRIPT" && value == Some("raw_array_subscript_handler") {
            left = 3;
        }
        if left > 0 {
            left -= 1;
        } else if *token != "," {
            kept.push(*token);
        }
    }
    *tokens = kept;
}

/// The words of a statement. Names lose quotes that some server puts around them and another does not.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if first.is_whitespace() => {
                rest = rest.trim_start();
                continue;
            }
            '\'' | '"' => quoted(rest, first),
            '$' => dollar_quoted(rest),
            _ if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(unquoted(token));
        rest = behind;
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

/// How long the literal or name in quotes is that the text begins with. A doubled quote comes as two pieces, which does no
/// harm.
fn quoted(text: &str, quote: char) -> usize {
    text.get(1..).and_then(|inner| inner.find(quote)).map_or(text.len(), |end| end + 2)
}

/// How long the literal between two `$tag$` is that the text begins with; a dollar sign alone is one.
fn dollar_quoted(text: &str) -> usize {
    let Some(tag_end) = text.get(1..).and_then(|inner| inner.find('$')).map(|end| end + 2) else { return 1 };
    let (tag, behind) = text.split_at_checked(tag_end).unwrap_or((text, ""));
    if !tag.trim_matches('$').chars().all(is_word) {
        return 1;
    }
    behind.find(tag).map_or(text.len(), |end| tag_end + end + tag.len())
}

fn unquoted(token: &str) -> &str {
    let Some(name) = token.strip_prefix('"').and_then(|token| token.strip_suffix('"')) else { return token };
    let is_plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    let is_simple = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && name.chars().all(is_plain);
    if is_simple { name } else { token }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_two_majors_are_alike() {
        for (kind, older, newer) in [
            (
                "VIEW",
                "SELECT t.id, s.f(t.a) FROM s.t WHERE (t.a > 0);",
                "SELECT id,\n s.f(a)\n FROM s.t WHERE (a > 0);",
            ),
            ("INDEX", "CREATE INDEX json ON s.t (json)", "CREATE INDEX \"json\" ON s.t (\"json\")"),
            (
                "DOMAIN",
                "CREATE DOMAIN d AS integer NOT NULL;",
                "CREATE DOMAIN d AS integer CONSTRAINT \"N n\" NOT NULL;",
            ),
            ("PROCEDURE", "PROCEDURE p(a integer, INOUT b text)", "PROCEDURE p(IN a integer, INOUT b text)"),
            ("TYPE", "AS RANGE (subtype = a)", "AS RANGE (\n subtype = a,\n multirange_type_name = s.\"M m\"\n)"),
            ("VIEW", "SELECT id.id FROM s.id", "SELECT id FROM s.id"),
        ] {
            assert!(alike(kind, older, newer), "{older} and {newer}");
        }
    }

    #[test]
    fn quotes_around_plain_names_say_nothing() {
        assert!(same("CREATE TABLE \"s\".\"t\" (\"a\" \"text\")", "CREATE TABLE s.t (a text)"));
        assert!(same("nextval('\"s\".\"q\"'::\"regclass\")", "nextval('s.q'::regclass)"));
        assert!(!same("nextval('\"s\".\"q\"'::\"regclass\")", "nextval('s.r'::regclass)"));
        assert!(!same("'\"s\"'::text", "'s'::text"));
        assert!(!same("SELECT \"A\"", "SELECT a"));
        assert!(!same("SELECT 'a b'", "SELECT 'a  b'"));
    }

    #[test]
    fn another_meaning_is_not_alike() {
        for (kind, older, newer) in [
            ("VIEW", "SELECT t.id FROM s.t", "SELECT name FROM s.t"),
            ("VIEW", "SELECT t.id FROM s.t", "SELECT id FROM s.u"),
            ("VIEW", "SELECT a.id FROM s.a JOIN s.b", "SELECT b.id FROM s.a JOIN s.b"),
            ("VIEW", "SELECT 'a b'", "SELECT 'a  b'"),
            ("VIEW", "SELECT s.f(x)", "SELECT r.f(x)"),
            ("INDEX", "CREATE INDEX \"Json\" ON s.t (a)", "CREATE INDEX json ON s.t (a)"),
            ("FUNCTION", "AS $$ a $$", "AS $$  a $$"),
            ("VIEW", "SELECT 1", "SELECT 1 LIMIT 5"),
            ("TYPE", "(subtype = a)", "(subtype = b, multirange_type_name = m)"),
        ] {
            assert!(!alike(kind, older, newer), "{older} and {newer}");
        }
    }
}
