//! Values of the manifest as a person reads them.

use serde::Serialize;
use serde_json::Value;

/// The value in words: text in quotes, `none` for what is not there, `yes` and `no`, lists with commas.
pub(super) fn shown<T: Serialize>(value: &T) -> String {
    // what is in a manifest can be written as JSON
    serde_json::to_value(value).map_or_else(|_| "?".to_owned(), |value| words(&value))
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", words(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_rust_is_seen() {
        assert_eq!(shown(&Some("a \"b\"")), "\"a \"b\"\"");
        assert_eq!(shown(&None::<String>), "none");
        assert_eq!(shown(&Some(vec!["x", "y"])), "\"x\", \"y\"");
        assert_eq!(shown(&Vec::<String>::new()), "nothing");
        assert_eq!(shown(&(Some(7_i64), false)), "7, no");
        assert_eq!(shown(&(1_i64, -1_i64, true)), "1, -1, yes");
    }
}
