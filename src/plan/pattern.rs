//! psql's name patterns, as `-n`, `-t` and their like take them, turned into regular expressions for the server.
//!
//! PostgreSQL documentation, "psql", section "Patterns": outside double quotes letters are folded, `*` is any text, `?`
//! any character, a dot parts schema and name, and everything else is a regular expression's.

use crate::error::{Error, ErrorKind, Result};

/// One pattern, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    /// What the database's name must match, where the pattern has three parts.
    pub database: Option<String>,
    /// What the schema's name must match; without it, only what is visible without a schema is meant.
    pub schema: Option<String>,
    /// What the name must match.
    pub name: String,
}

impl Pattern {
    /// Reads a pattern of at most `parts` parts: 1 for an extension's name, 2 for a schema's, 3 for a table's, the
    /// database always being the first.
    ///
    /// # Errors
    ///
    /// When it has more parts.
    pub fn parse(text: &str, parts: usize) -> Result<Self> {
        let mut found = split(text);
        if found.len() > parts {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("improper qualified name (too many dotted names): {text}"),
            ));
        }
        let regex = |part: String| Some(part).filter(|part| !part.is_empty()).map(|part| format!("^({part})$"));
        let name = regex(found.pop().unwrap_or_default());
        let (database, schema) = match parts {
            3 => {
                let schema = found.pop();
                (found.pop(), schema)
            }
            _ => (found.pop(), None),
        };
        Ok(Self {
            text: text.to_owned(),
            database,
            schema: schema.and_then(regex),
            // an empty name matches everything, as it does in psql
            name: name.unwrap_or_else(|| "^.*$".to_owned()),
        })
    }
}

/// The parts between dots that stand outside double quotes, each as a regular expression.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut part = String::new();
    let mut in_quotes = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if in_quotes && characters.peek() == Some(&'"') => {
                characters.next();
                part.push('"');
            }
            '"' => in_quotes = !in_quotes,
            '*' if !in_quotes => part.push_str(".*"),
            '?' if !in_quotes => part.push('.'),
            '.' if !in_quotes => parts.push(std::mem::take(&mut part)),
            '$' => part.push_str("\\$"),
            other if in_quotes && "|*+?()[]{}.^\\".contains(other) => part.extend(['\\', other]),
            // more likely an array type's name than an empty set of characters
            '[' if characters.peek() == Some(&']') => part.push_str("\\["),
            other if in_quotes => part.push(other),
            other => part.push(other.to_ascii_lowercase()),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, Option<String>, String) {
        let pattern = Pattern::parse(text, 3).unwrap();
        (pattern.database, pattern.schema, pattern.name)
    }

    #[test]
    fn translates_as_psql_does() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("Orders*"), (None, None, "^(orders.*)$".to_owned()));
        assert_eq!(parts("s?.\"A.b*\""), (None, some("^(s.)$"), "^(A\\.b\\*)$".to_owned()));
        assert_eq!(parts("db.s.t$"), (some("db"), some("^(s)$"), "^(t\\$)$".to_owned()));
        assert_eq!(parts("\"a\"\"b\"[0-9]t[]"), (None, None, "^(a\"b[0-9]t\\[])$".to_owned()));
        assert_eq!(parts("(A|B)"), (None, None, "^((a|b))$".to_owned()));
        assert!(Pattern::parse("a.b.c.d", 3).is_err());
        assert!(Pattern::parse("a.b", 1).is_err());
        assert_eq!(Pattern::parse("db.s", 2).unwrap().database.as_deref(), Some("db"));
    }
}
