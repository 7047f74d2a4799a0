//! Names and literals in SQL text: the one place where server-derived text is quoted.

use std::borrow::Cow;

/// Every key word of PostgreSQL 18 that is not unreserved (`pg_get_keywords()`, catcode other than `U`), sorted.
const QUOTED_KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// How names and literals are written in one dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Quote names that need no quotes too (`--quote-all-identifiers`).
    pub all: bool,
    /// The source's `standard_conforming_strings`: when off, a backslash in a literal is doubled.
    pub standard_strings: bool,
}

impl Default for Quote {
    fn default() -> Self {
        Self { all: false, standard_strings: true }
    }
}

impl Quote {
    /// The name as SQL takes it: in double quotes where it is not a plain lower-case word, or is a key word.
    pub fn identifier<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if is_plain && !self.all && !Self::is_keyword(name) {
            return Cow::Borrowed(name);
        }
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }

    /// Whether the name is a key word that needs quotes.
    pub fn is_keyword(name: &str) -> bool {
        // no key word has a digit, and names of many objects of one sort often do
        !name.bytes().any(|byte| byte.is_ascii_digit()) && QUOTED_KEYWORDS.binary_search(&name).is_ok()
    }

    /// `schema.name`, or the name alone where there is no schema.
    pub fn qualified(&self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => [&*self.identifier(schema), ".", &*self.identifier(name)].concat(),
            None => self.identifier(name).into_owned(),
        }
    }

    /// A string literal under the dump's `standard_conforming_strings`.
    pub fn literal(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        out.push('\'');
        for character in text.chars() {
            if character == '\'' || (character == '\\' && !self.standard_strings) {
                out.push(character);
            }
            out.push(character);
        }
        out.push('\'');
        out
    }

    /// A dollar-quoted literal whose tag does not occur in the text; `tag` is a suggestion that may be empty.
    ///
    /// Where the text has `$tag`, the tag grows by letters of a fixed sequence until it no longer does, as pg_dump's
    /// does.
    pub fn dollar(text: &str, tag: &str) -> String {
        const SUFFIX: &[u8] = b"_XXXXXXX";
        let mut delimiter = format!("${tag}");
        let mut next = SUFFIX.iter().cycle();
        while text.contains(delimiter.as_str()) {
            if let Some(&letter) = next.next() {
                delimiter.push(char::from(letter));
            }
        }
        delimiter.push('$');
        format!("{delimiter}{text}{delimiter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_keywords_in_order() {
        assert!(QUOTED_KEYWORDS.is_sorted());
        assert!(QUOTED_KEYWORDS.iter().all(|word| Quote::is_keyword(word)));
    }

    #[test]
    fn quotes_only_what_needs_it() {
        let quote = Quote::default();
        for (name, expected) in [
            ("orders", "orders"),
            ("_x1$", "\"_x1$\""),
            ("_x1", "_x1"),
            ("Order", "\"Order\""),
            ("order", "\"order\""),
            ("1st", "\"1st\""),
            ("", "\"\""),
            ("a\"b", "\"a\"\"b\""),
            ("straße", "\"straße\""),
        ] {
            assert_eq!(quote.identifier(name), expected);
        }
        assert_eq!(Quote { all: true, ..quote }.qualified(Some("public"), "t"), "\"public\".\"t\"");
    }

    #[test]
    fn doubles_quotes_and_where_needed_backslashes() {
        assert_eq!(Quote::default().literal("it's \\"), "'it''s \\'");
        assert_eq!(Quote { standard_strings: false, all: false }.literal("it's \\"), "'it''s \\\\'");
    }

    #[test]
    fn picks_a_dollar_tag_that_is_not_in_the_text() {
        assert_eq!(Quote::dollar("select 1", ""), "$$select 1$$");
        assert_eq!(Quote::dollar("a $$ b", ""), "$_$a $$ b$_$");
        assert_eq!(Quote::dollar("a $_$ b", ""), "$_X$a $_$ b$_X$");
    }
}
