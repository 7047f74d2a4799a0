//! Which roles an archive's statements name.

use std::collections::BTreeSet;

use super::select::{Item, Leave};
use crate::archive::toc::Toc;

/// A word, a quoted name or a sign of a statement.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// An unquoted word as it stands.
    Word(String),
    /// A quoted name without its quotes.
    Name(String),
    Sign(char),
}

/// Good enough for what pg_dump writes of rights, owners and policies; strings and dollar quotes are passed over.
fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                let mut name = String::new();
                while let Some(inner) = characters.next() {
                    if inner == '"' && characters.next_if_eq(&'"').is_none() {
                        break;
                    }
                    name.push(inner);
                }
                out.push(Token::Name(name));
            }
            '\'' => while characters.next().is_some_and(|inner| inner != '\'') {},
            _ if character.is_alphanumeric() || character == '_' => {
                let mut word = String::from(character);
                while let Some(next) = characters.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '$')) {
                    word.push(next);
                }
                out.push(Token::Word(word));
            }
            _ if character.is_whitespace() => {}
            other => out.push(Token::Sign(other)),
        }
    }
    out
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn role(&self) -> Option<String> {
        match self {
            // no role is called that: quoted or not, it is everybody
            Self::Name(name) => Some(name.clone()).filter(|name| name != "public"),
            Self::Word(word)
                if !["public", "current_user", "current_role", "session_user"]
                    .iter()
                    .any(|special| word.eq_ignore_ascii_case(special)) =>
            {
                Some(word.to_lowercase())
            }
            Self::Word(_) | Self::Sign(_) => None,
        }
    }
}

/// The names of a list with commas, from `begin` on.
fn list(tokens: &[Token], begin: usize, roles: &mut BTreeSet<String>) {
    let mut rest = tokens.iter().skip(begin);
    while let Some(token) = rest.next() {
        roles.extend(token.role());
        match rest.next() {
            Some(Token::Sign(',')) => {}
            Some(Token::Sign(_) | Token::Word(_) | Token::Name(_)) | None => return,
        }
    }
}

/// The roles that a statement, or several of them, gives rights to, makes owners, or lets a policy apply to.
pub(super) fn named_in(text: &str, leave: &Leave, roles: &mut BTreeSet<String>) {
    for statement in tokens(text).split(|token| *token == Token::Sign(';')) {
        let starts = |words: &[&str]| {
            words.iter().enumerate().all(|(place, word)| statement.get(place).is_some_and(|token| token.is(word)))
        };
        let last = |word: &str| statement.iter().rposition(|token| token.is(word));
        let first = |word: &str| statement.iter().position(|token| token.is(word));
        if starts(&["grant"]) || starts(&["revoke"]) || starts(&["alter", "default", "privileges"]) {
            if leave.privileges {
                continue;
            }
            let place = [last("to"), last("from")].into_iter().flatten().max();
            if let Some(place) = place {
                list(statement, place + 1, roles);
            }
            if starts(&["alter"])
                && let Some(place) = first("role")
            {
                list(statement, place + 1, roles);
            }
        } else if starts(&["set", "session", "authorization"]) {
            // DEFAULT is who logged in
            if !starts(&["set", "session", "authorization", "default"]) {
                list(statement, 3, roles);
            }
        } else if starts(&["create", "policy"]) {
            let end = first("using").or_else(|| first("with")).unwrap_or(statement.len());
            let place = statement.iter().take(end).rposition(|token| token.is("to"));
            if let (Some(place), false) = (place, leave.policies) {
                list(statement.get(..end).unwrap_or_default(), place + 1, roles);
            }
        } else if starts(&["create", "user", "mapping"]) || starts(&["alter", "role"]) {
            if let Some(place) = first("for").or_else(|| first("role")) {
                list(statement.get(..place + 2).unwrap_or_default(), place + 1, roles);
            }
        } else if starts(&["alter"]) && !leave.owner {
            let place = statement.windows(2).rposition(|pair| matches!(pair, [a, b] if a.is("owner") && b.is("to")));
            if let Some(place) = place {
                list(statement, place + 2, roles);
            }
        }
    }
}

/// The roles that must exist for these entries.
pub(super) fn needed(toc: &Toc, items: &[Item], leave: &Leave) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    for entry in items.iter().filter_map(|item| toc.entries.get(item.index)) {
        if !leave.owner && super::statement::owner(entry).is_some() {
            roles.extend(entry.owner.clone());
        }
        let names_roles =
            matches!(entry.kind.as_str(), "ACL" | "DEFAULT ACL" | "POLICY" | "USER MAPPING" | "DATABASE PROPERTIES");
        if let (true, Some(text)) = (names_roles, &entry.create) {
            named_in(text, leave, &mut roles);
        }
    }
    // roles of the system exist, as far as the server's version has them
    roles.retain(|role| !role.starts_with("pg_"));
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_roles_in_what_pg_dump_writes() {
        for (text, expected) in [
            ("GRANT SELECT(\"to\",b) ON TABLE s.t TO reader WITH GRANT OPTION;", &["reader"][..]),
            (
                "REVOKE ALL ON FUNCTION s.f(a integer) FROM PUBLIC;\nGRANT ALL ON FUNCTION s.f(a integer) TO \"The Role\";",
                &["The Role"],
            ),
            (
                "SET SESSION AUTHORIZATION giver;\nGRANT ALL ON SCHEMA s TO taker;\nRESET SESSION AUTHORIZATION;",
                &["giver", "taker"],
            ),
            ("SET SESSION AUTHORIZATION DEFAULT;\nALTER TABLE t DISABLE TRIGGER ALL;", &[]),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s GRANT ALL ON TABLES TO a;", &["a", "maker"]),
            (
                "CREATE POLICY p ON s.t AS RESTRICTIVE FOR SELECT TO a, \"b;\" USING ((x = 'to'::text)) WITH CHECK (true);",
                &["a", "b;"],
            ),
            ("CREATE POLICY p ON s.t USING ((a = b));", &[]),
            ("CREATE USER MAPPING FOR m SERVER w OPTIONS (password 'x');", &["m"]),
            ("CREATE USER MAPPING FOR PUBLIC SERVER w;", &[]),
            ("ALTER ROLE r IN DATABASE d SET x TO 'y';", &["r"]),
            ("ALTER TABLE s.t OWNER TO o;", &["o"]),
            ("GRANT USAGE ON SCHEMA s TO \"public\";\nCREATE USER MAPPING FOR \"public\" SERVER s;", &[]),
            ("ALTER TABLE ONLY s.t ADD CONSTRAINT c CHECK ((a > 1));", &[]),
        ] {
            let mut roles = BTreeSet::new();
            named_in(text, &Leave::default(), &mut roles);
            assert_eq!(roles.into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
