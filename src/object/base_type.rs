//! Base types: made in three steps, a shell, the functions over it, and the type.

use super::data_type::{DataType, ShellType, TypeForm, form_mut, formatted};
use super::domain::{Default, decode_default};
use super::range::function;
use super::{Emitter, Inventory};
use crate::record::{DecodeError, Record};

/// What only a base type has. Functions are as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseType {
    /// Bytes of a value; -1 where they vary, -2 for a C string.
    pub length: i32,
    /// Text to value, and value to text.
    pub input: String,
    /// Value to text.
    pub output: String,
    /// Bytes to value.
    pub receive: Option<String>,
    /// Value to bytes.
    pub send: Option<String>,
    /// Text to type modifier.
    pub modifier_input: Option<String>,
    /// Type modifier to text.
    pub modifier_output: Option<String>,
    /// Gathers statistics.
    pub analyze: Option<String>,
    /// Subscripts it, from server 14 on.
    pub subscript: Option<String>,
    /// Whether it takes a collation.
    pub is_collatable: bool,
    /// Its default.
    pub default: Option<Default>,
    /// `typcategory`
    pub category: char,
    /// Whether it is preferred within its category.
    pub is_preferred: bool,
    /// What stands between elements of its arrays.
    pub delimiter: char,
    /// `typalign`
    pub alignment: char,
    /// `typstorage`
    pub storage: char,
    /// Whether it is passed by value.
    pub is_by_value: bool,
}

/// Takes the rows of `sql/catalog/base_type.sql` in. Each type gets a shell, which its functions may need.
pub fn take_base_types(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some((id, TypeForm::Base(base))) = form_mut(row, inventory)? else { continue };
        *base = Some(Box::new(BaseType {
            length: row.number("typlen")?,
            input: row.string("typinput")?,
            output: row.string("typoutput")?,
            receive: function(row, "typreceive")?,
            send: function(row, "typsend")?,
            modifier_input: function(row, "typmodin")?,
            modifier_output: function(row, "typmodout")?,
            analyze: function(row, "typanalyze")?,
            subscript: function(row, "typsubscript")?,
            is_collatable: row.boolean("is_collatable")?,
            default: decode_default(row)?,
            category: row.letter("typcategory")?,
            is_preferred: row.boolean("typispreferred")?,
            delimiter: row.letter("typdelim")?,
            alignment: row.letter("typalign")?,
            storage: row.letter("typstorage")?,
            is_by_value: row.boolean("typbyval")?,
        }));
        ShellType::add(inventory, id);
    }
    Ok(())
}

impl BaseType {
    pub(super) fn create(&self, data_type: &DataType, name: &str, out: &Emitter<'_>) -> String {
        let quote = out.quote();
        let literal = |letter: char| quote.literal(&letter.to_string());
        let length = if self.length == -1 { "variable".to_owned() } else { self.length.to_string() };
        let element = (data_type.element != 0).then(|| formatted(data_type.element, out.inventory).to_owned());
        let parts = [
            ("INTERNALLENGTH", Some(length)),
            ("INPUT", Some(self.input.clone())),
            ("OUTPUT", Some(self.output.clone())),
            ("RECEIVE", self.receive.clone()),
            ("SEND", self.send.clone()),
            ("TYPMOD_IN", self.modifier_input.clone()),
            ("TYPMOD_OUT", self.modifier_output.clone()),
            ("ANALYZE", self.analyze.clone()),
            ("COLLATABLE", self.is_collatable.then(|| "true".to_owned())),
            ("DEFAULT", self.default.as_ref().map(|default| default.sql(quote))),
            ("SUBSCRIPT", self.subscript.clone()),
            ("ELEMENT", element),
            ("CATEGORY", (self.category != 'U').then(|| literal(self.category))),
            ("PREFERRED", self.is_preferred.then(|| "true".to_owned())),
            ("DELIMITER", (self.delimiter != ',').then(|| literal(self.delimiter))),
            ("ALIGNMENT", alignment(self.alignment).map(str::to_owned)),
            ("STORAGE", storage(self.storage).map(str::to_owned)),
        ];
        let mut clauses: Vec<String> =
            parts.into_iter().filter_map(|(word, value)| Some(format!("    {word} = {}", value?))).collect();
        if self.is_by_value {
            clauses.push("    PASSEDBYVALUE".to_owned());
        }
        format!("CREATE TYPE {name} (\n{}\n);\n", clauses.join(",\n"))
    }
}

const fn alignment(letter: char) -> Option<&'static str> {
    match letter {
        'c' => Some("char"),
        's' => Some("int2"),
        'i' => Some("int4"),
        'd' => Some("double"),
        _ => None,
    }
}

const fn storage(letter: char) -> Option<&'static str> {
    match letter {
        'p' => Some("plain"),
        'e' => Some("external"),
        'x' => Some("extended"),
        'm' => Some("main"),
        _ => None,
    }
}
