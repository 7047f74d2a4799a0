//! The file behind `--filter`: a line a pattern, `include table public.orders` (PostgreSQL documentation, "pg_dump").

use super::select::{List, Wanted};
use crate::error::{Error, ErrorKind, Result};

/// Reads the lines of a filter file; `name` is for messages.
///
/// # Errors
///
/// On a line that is no filter, or one that a dump has no use for, with its number.
pub fn parse(text: &str, name: &str) -> Result<Vec<Wanted>> {
    let lines = parse_with(text, name, list)?;
    Ok(lines.into_iter().map(|((list, with_children), pattern)| Wanted { list, pattern, with_children }).collect())
}

/// Reads the lines of a filter file, each with a pattern; `list` says what "include" (`true`) or "exclude" of a kind of object
/// means, or that it is not allowed.
///
/// # Errors
///
/// On a line that is no filter, or one that is not allowed, with its number.
pub fn parse_with<T>(text: &str, name: &str, list: impl Fn(bool, &str) -> Option<T>) -> Result<Vec<(T, String)>> {
    let mut reader = Reader { lines: text.lines().collect(), next: 0, name };
    let mut wanted = Vec::new();
    while let Some(line) = reader.advance() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (command, rest) = word(line);
        let includes = match command {
            "include" => true,
            "exclude" => false,
            _ => return Err(reader.fail("expected \"include\" or \"exclude\"")),
        };
        let (kind, rest) = word(rest);
        let meaning = list(includes, kind).ok_or_else(|| match kind {
            "" => reader.fail("the kind of object is missing"),
            kind => reader.fail(&format!("{command} filter for \"{kind}\" is not allowed")),
        })?;
        let pattern = reader.pattern(rest)?;
        wanted.push((meaning, pattern));
    }
    Ok(wanted)
}

fn list(includes: bool, kind: &str) -> Option<(List, bool)> {
    Some(match (includes, kind) {
        (true, "extension") => (List::IncludeExtension, false),
        (true, "foreign_data") => (List::IncludeForeignData, false),
        (true, "schema") => (List::IncludeSchema, false),
        (true, "table") => (List::IncludeTable, false),
        (true, "table_and_children") => (List::IncludeTable, true),
        (false, "extension") => (List::ExcludeExtension, false),
        (false, "schema") => (List::ExcludeSchema, false),
        (false, "table") => (List::ExcludeTable, false),
        (false, "table_and_children") => (List::ExcludeTable, true),
        (false, "table_data") => (List::ExcludeTableData, false),
        (false, "table_data_and_children") => (List::ExcludeTableData, true),
        _ => return None,
    })
}

/// The next word of letters and underscores, and what stands behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_')).unwrap_or(text.len());
    text.split_at(end)
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    next: usize,
    name: &'a str,
}

impl<'a> Reader<'a> {
    fn advance(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.next).copied();
        self.next += 1;
        line
    }

    fn fail(&self, problem: &str) -> Error {
        Error::new(ErrorKind::Usage, format!("could not read filter file \"{}\", line {}", self.name, self.next))
            .detail(problem)
            .hint("A line is `include` or `exclude`, the kind of object, and a pattern.")
    }

    /// A pattern: white space outside quotes counts only between words, a name in quotes may go over several lines, and
    /// `#` begins a comment.
    fn pattern(&mut self, text: &'a str) -> Result<String> {
        let mut rest = text.trim_start();
        if rest.is_empty() {
            return Err(self.fail("the pattern is missing"));
        }
        let mut pattern = String::new();
        // whether a space that was read belongs between what stands before it and what follows
        let (mut after_sign, mut space) = (true, false);
        while let Some(first) = rest.chars().next().filter(|first| *first != '#') {
            if first == '"' {
                if space && !after_sign {
                    pattern.push(' ');
                }
                rest = self.quoted(rest, &mut pattern)?;
                after_sign = false;
            } else if ",.()".contains(first) {
                pattern.push(first);
                if first == ',' {
                    pattern.push(' ');
                }
                rest = rest.get(1..).unwrap_or_default();
                after_sign = true;
            } else {
                if space && !after_sign {
                    pattern.push(' ');
                }
                let end = rest.find(|c: char| c.is_whitespace() || "#,.()\"".contains(c)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                pattern.push_str(word);
                rest = behind;
                after_sign = false;
            }
            space = rest.starts_with(char::is_whitespace);
            rest = rest.trim_start();
        }
        Ok(pattern)
    }

    fn quoted(&mut self, text: &'a str, pattern: &mut String) -> Result<&'a str> {
        pattern.push('"');
        let mut rest = text.get(1..).unwrap_or_default();
        loop {
            match rest.find('"') {
                Some(end) => {
                    pattern.push_str(rest.get(..=end).unwrap_or_default());
                    rest = rest.get(end + 1..).unwrap_or_default();
                    if !rest.starts_with('"') {
                        return Ok(rest);
                    }
                    pattern.push('"');
                    rest = rest.get(1..).unwrap_or_default();
                }
                None => {
                    pattern.push_str(rest);
                    pattern.push('\n');
                    rest = self.advance().ok_or_else(|| self.fail("a name in quotes has no end"))?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Result<Wanted> {
        parse(line, "f").map(|mut wanted| wanted.remove(0))
    }

    #[test]
    fn reads_lines_comments_and_quoted_names() {
        let text = "# a comment\n\n include  table  \"a \"\"b\"\" #\" . c* # why\nexclude table_data_and_children s.t\n\
                    include schema \"two\nlines\"\n";
        let wanted = parse(text, "f").unwrap();
        let list: Vec<_> = wanted.iter().map(|w| (w.list, w.pattern.as_str(), w.with_children)).collect();
        assert_eq!(
            list,
            [
                (List::IncludeTable, "\"a \"\"b\"\" #\".c*", false),
                (List::ExcludeTableData, "s.t", true),
                (List::IncludeSchema, "\"two\nlines\"", false),
            ]
        );
    }

    #[test]
    fn says_in_which_line_it_is_wrong() {
        for (text, expected) in [
            ("take table x", "expected \"include\" or \"exclude\""),
            ("include", "the kind of object is missing"),
            ("include function f", "include filter for \"function\" is not allowed"),
            ("include table_data x", "include filter for \"table_data\" is not allowed"),
            ("include table", "the pattern is missing"),
            ("include table \"x", "a name in quotes has no end"),
        ] {
            assert_eq!(one(text).unwrap_err().detail_text(), Some(expected), "{text}");
        }
        assert!(parse("\nx", "f").unwrap_err().message().ends_with("line 2"));
    }
}
