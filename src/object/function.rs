//! Functions and procedures.

use super::acl::AclTarget;
use super::data_type::formatted;
use super::extension::depends_on_extension;
use super::range::function as support_function;
use super::{
    Acl, CatalogId, Components, Detail, Emitter, Entry, Inventory, NewObject, Object, Quote, Section, class, setting,
};
use crate::record::{DecodeError, Record};

/// What only a function has.
#[derive(Debug, Clone)]
pub struct Function {
    /// The types of its input arguments.
    pub argument_types: Vec<u32>,
    /// Whether it is called by `CALL`.
    pub is_procedure: bool,
    /// Whether its entry stands after the data, because it needs something that stands there.
    pub is_postponed: bool,
    /// What the details say of it.
    pub definition: Option<Box<Definition>>,
}

/// What makes a function.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its arguments as `CREATE FUNCTION` takes them: modes, names, types, defaults.
    pub arguments: String,
    /// Its arguments as `ALTER FUNCTION` takes them: the same without defaults.
    pub identity_arguments: String,
    /// What it returns, with `SETOF` or `TABLE`; `None` for a procedure.
    pub result: Option<String>,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// Its language's name.
    pub language: String,
    /// The types whose transforms it uses, as SQL.
    pub transform_types: Vec<String>,
    /// Whether it is a window function.
    pub is_window: bool,
    /// `provolatile`
    pub volatility: char,
    /// Whether a null argument makes a null result.
    pub is_strict: bool,
    /// Whether it runs with its owner's rights.
    pub is_security_definer: bool,
    /// Whether it tells nothing about its arguments.
    pub is_leakproof: bool,
    /// `procost` in its text form.
    pub cost: String,
    /// `prorows` in its text form.
    pub rows: String,
    /// The planner's support function as SQL.
    pub support: Option<String>,
    /// `proparallel`
    pub parallel: char,
    /// Settings for the time that it runs, each `name=value`.
    pub settings: Vec<String>,
    /// What it does.
    pub body: Body,
}

/// A function's body in its three forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text that its language understands.
    Source(String),
    /// A symbol in a shared library; an empty one is the function's own name.
    Library {
        /// The library's file.
        file: String,
        /// The symbol.
        symbol: String,
    },
    /// SQL that the server keeps parsed (`RETURN ...` or `BEGIN ATOMIC ... END`), from server 14 on.
    Parsed(String),
}

impl Function {
    /// A row of `sql/catalog/function.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_PROC, oid: row.oid("oid")? },
            name: row.string("proname")?,
            schema: row.oid("pronamespace")?,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::Function(Self {
                argument_types: row.numbers("proargtypes")?,
                is_procedure: row.letter("prokind")? == 'p',
                is_postponed: false,
                definition: None,
            }),
        })
    }

    /// Whether its body is SQL with semicolons of its own (`BEGIN ATOMIC ... END`).
    pub fn has_sql_statements(&self) -> bool {
        let body = self.definition.as_ref().map(|definition| &definition.body);
        matches!(body, Some(Body::Parsed(sql)) if sql.starts_with("BEGIN ATOMIC"))
    }

    fn keyword(&self) -> &'static str {
        if self.is_procedure { "PROCEDURE" } else { "FUNCTION" }
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let Some(definition) = &self.definition else { return };
        let keyword = self.keyword();
        let name = out.quote().identifier(&object.name).into_owned();
        let schema = out.inventory.schema_name(object);
        let signature = format!("{name}({})", definition.identity_arguments);
        let prefix = schema.map(|schema| format!("{}.", out.quote().identifier(schema))).unwrap_or_default();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, keyword);
            entry.tag = format!("{}({})", object.name, argument_list(&self.argument_types, out.inventory));
            if self.is_postponed {
                entry.section = Section::PostData;
            }
            entry.create = format!("CREATE {keyword} {prefix}{name}({}){}", definition.arguments, definition.tail(out));
            entry.create.push_str(&depends_on_extension(object, keyword, &format!("{prefix}{signature}"), out));
            entry.drop = format!("DROP {keyword} {prefix}{signature};\n");
            out.push(entry);
        }
        out.comment(object, keyword, &signature, schema);
        out.security_labels(object, keyword, &signature, schema);
        out.acl(object, AclTarget::new(keyword, &signature, schema));
    }
}

/// The types as SQL, with commas: what stands between the parentheses of a function's short name.
pub(super) fn argument_list(types: &[u32], inventory: &Inventory) -> String {
    types.iter().map(|&oid| formatted(oid, inventory)).collect::<Vec<_>>().join(", ")
}

/// Takes the rows of `sql/catalog/function_definition.sql` in.
pub fn take_definitions(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_PROC, row.oid("oid")?) else { continue };
        let types: Vec<u32> = row.numbers("protrftypes")?;
        let definition =
            Definition::decode(row, types.iter().map(|&oid| formatted(oid, inventory).to_owned()).collect())?;
        if let Detail::Function(function) = &mut inventory.get_mut(id).detail {
            function.definition = Some(Box::new(definition));
        }
    }
    Ok(())
}

impl Definition {
    fn decode(row: &Record, transform_types: Vec<String>) -> Result<Self, DecodeError> {
        let source = row.string("prosrc")?;
        let body = match (row.optional_string("sql_body")?, row.optional_string("probin")?) {
            (Some(sql), _) => Body::Parsed(sql),
            (None, Some(file)) if !file.is_empty() => Body::Library { file, symbol: source },
            (None, _) => Body::Source(source),
        };
        Ok(Self {
            arguments: row.string("arguments")?,
            identity_arguments: row.string("identity_arguments")?,
            result: row.optional_string("result")?,
            returns_set: row.boolean("proretset")?,
            language: row.string("lanname")?,
            transform_types,
            is_window: row.letter("prokind")? == 'w',
            volatility: row.letter("provolatile")?,
            is_strict: row.boolean("proisstrict")?,
            is_security_definer: row.boolean("prosecdef")?,
            is_leakproof: row.boolean("proleakproof")?,
            cost: row.string("procost")?,
            rows: row.string("prorows")?,
            support: support_function(row, "prosupport")?,
            parallel: row.letter("proparallel")?,
            settings: row.strings("proconfig")?,
            body,
        })
    }

    /// Everything after the arguments.
    fn tail(&self, out: &Emitter<'_>) -> String {
        let quote = out.quote();
        let mut sql = String::new();
        if let Some(result) = &self.result {
            sql.push_str(&format!(" RETURNS {result}"));
        }
        sql.push_str(&format!("\n    LANGUAGE {}", quote.identifier(&self.language)));
        if !self.transform_types.is_empty() {
            let types: Vec<String> = self.transform_types.iter().map(|name| format!("FOR TYPE {name}")).collect();
            sql.push_str(&format!(" TRANSFORM {}", types.join(", ")));
        }
        let default_cost = if matches!(self.language.as_str(), "internal" | "c") { "1" } else { "100" };
        let words = [
            (self.is_window, " WINDOW"),
            (self.volatility == 'i', " IMMUTABLE"),
            (self.volatility == 's', " STABLE"),
            (self.is_strict, " STRICT"),
            (self.is_security_definer, " SECURITY DEFINER"),
            (self.is_leakproof, " LEAKPROOF"),
        ];
        sql.extend(words.iter().filter(|(applies, _)| *applies).map(|(_, word)| *word));
        if self.cost != "0" && self.cost != default_cost {
            sql.push_str(&format!(" COST {}", self.cost));
        }
        if self.returns_set && self.rows != "0" && self.rows != "1000" {
            sql.push_str(&format!(" ROWS {}", self.rows));
        }
        if let Some(support) = &self.support {
            sql.push_str(&format!(" SUPPORT {support}"));
        }
        match self.parallel {
            's' => sql.push_str(" PARALLEL SAFE"),
            'r' => sql.push_str(" PARALLEL RESTRICTED"),
            _ => {}
        }
        for (name, value) in self.settings.iter().filter_map(|setting| setting.split_once('=')) {
            sql.push_str(&format!("\n    SET {} TO {}", quote.identifier(name), setting::value(name, value, quote)));
        }
        sql.push_str(&format!("\n    {};\n", self.body.sql(quote)));
        sql
    }
}

impl Body {
    fn sql(&self, quote: Quote) -> String {
        match self {
            Self::Parsed(sql) => sql.clone(),
            Self::Source(source) => format!("AS {}", Quote::dollar(source, "")),
            Self::Library { file, symbol } if symbol.is_empty() => format!("AS {}", quote.literal(file)),
            Self::Library { file, symbol } => {
                let symbol =
                    if symbol.contains(['\'', '\\']) { Quote::dollar(symbol, "") } else { quote.literal(symbol) };
                format!("AS {}, {symbol}", quote.literal(file))
            }
        }
    }
}

/// `schema.name(types)` of the function with this oid, as casts and transforms name it.
pub(super) fn qualified_signature(oid: u32, out: &Emitter<'_>) -> String {
    let id = out.inventory.find(class::PG_PROC, oid).expect("function.sql has what users' casts and transforms call");
    let object = out.inventory.get(id);
    let name = out.inventory.qualified(object, out.quote());
    let Detail::Function(function) = &object.detail else { return name };
    format!("{name}({})", argument_list(&function.argument_types, out.inventory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_each_form_of_a_body() {
        let library = |symbol: &str| Body::Library { file: "$libdir/x".to_owned(), symbol: symbol.to_owned() };
        for (body, expected) in [
            (Body::Source("select '$$'".to_owned()), "AS $_$select '$$'$_$"),
            (Body::Source(String::new()), "AS $$$$"),
            (Body::Parsed("RETURN 1".to_owned()), "RETURN 1"),
            (library(""), "AS '$libdir/x'"),
            (library("f"), "AS '$libdir/x', 'f'"),
            (library("it's"), "AS '$libdir/x', $$it's$$"),
        ] {
            assert_eq!(body.sql(Quote::default()), expected);
        }
    }
}
