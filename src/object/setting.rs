//! Values of settings in `SET name TO value`: of functions, databases and roles.

use super::Quote;

/// Settings whose value is a list of names, which the catalogs hold quoted as identifiers (`GUC_LIST_QUOTE` in
/// PostgreSQL's sources); pg_dump knows the same.
const NAME_LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// The value as SQL: a literal, or for a list of names one literal a name.
pub(super) fn value(name: &str, value: &str, quote: Quote) -> String {
    if NAME_LISTS.iter().any(|list| list.eq_ignore_ascii_case(name)) {
        split_names(value).iter().map(|name| quote.literal(name)).collect::<Vec<_>>().join(", ")
    } else {
        quote.literal(value)
    }
}

/// `ALTER target SET name TO value;` from the `name=value` of a catalog.
pub(super) fn alter(target: &str, setting: &str, quote: Quote) -> String {
    let (name, text) = setting.split_once('=').unwrap_or((setting, ""));
    format!("ALTER {target} SET {} TO {};\n", quote.identifier(name), value(name, text, quote))
}

/// Splits a list of names as the server does: at commas outside double quotes; a doubled quote stands for one.
fn split_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut characters = list.trim().chars().peekable();
    while characters.peek().is_some() {
        let mut name = String::new();
        if characters.next_if_eq(&'"').is_some() {
            while let Some(character) = characters.next() {
                if character == '"' && characters.next_if_eq(&'"').is_none() {
                    break;
                }
                name.push(character);
            }
            while characters.next_if(|&character| character != ',').is_some() {}
        } else {
            while let Some(character) = characters.next_if(|&character| character != ',') {
                name.push(character);
            }
            name.truncate(name.trim_end().len());
        }
        names.push(name);
        if characters.next_if_eq(&',').is_some() {
            while characters.next_if(|character| character.is_whitespace()).is_some() {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_each_name_of_a_list() {
        let quote = Quote::default();
        for (list, expected) in [
            ("public, pg_temp", "'public', 'pg_temp'"),
            (r#""$user", "a,b" , "q""q",x "#, r#"'$user', 'a,b', 'q"q', 'x'"#),
            (r#""""#, "''"),
            ("", ""),
        ] {
            assert_eq!(value("Search_Path", list, quote), expected, "{list}");
        }
    }

    #[test]
    fn takes_other_values_whole() {
        assert_eq!(value("DateStyle", "ISO, MDY", Quote::default()), "'ISO, MDY'");
    }
}
