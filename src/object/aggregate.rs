//! Aggregates.

use super::acl::AclTarget;
use super::function::argument_list;
use super::range::function as support_function;
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, Inventory, NewObject, Object, Quote, class};
use crate::record::{DecodeError, Record};

/// What only an aggregate has.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// The types of its arguments.
    pub argument_types: Vec<u32>,
    /// What the details say of it.
    pub definition: Option<Box<Definition>>,
}

/// What makes an aggregate. Functions and types are as SQL.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its arguments as `CREATE AGGREGATE` takes them.
    pub arguments: String,
    /// Its arguments as `ALTER AGGREGATE` takes them.
    pub identity_arguments: String,
    /// `aggkind`
    pub kind: char,
    /// How it runs over a group.
    pub plain: State,
    /// How it runs over a moving window, if it has a way of its own.
    pub moving: State,
    /// Takes a row out of a moving window again.
    pub inverse: Option<String>,
    /// Joins two states.
    pub combine: Option<String>,
    /// State to bytes.
    pub serialize: Option<String>,
    /// Bytes to state.
    pub deserialize: Option<String>,
    /// Schema and name of the operator whose order makes it the first or last value.
    pub sort_operator: Option<(String, String)>,
    /// `proparallel`
    pub parallel: char,
}

/// One way to run: plain, or over a moving window.
#[derive(Debug, Clone)]
pub struct State {
    /// Takes a row in; `None` where there is no such way.
    pub transition: Option<String>,
    /// The type of the state.
    pub data_type: String,
    /// The estimated size of a state in bytes, as text.
    pub space: String,
    /// The first state.
    pub initial: Option<String>,
    /// Makes the result of the state.
    pub finish: Option<String>,
    /// Whether `finish` is given the arguments too.
    pub finish_takes_arguments: bool,
    /// `aggfinalmodify`: whether `finish` changes the state.
    pub finish_modifies: char,
}

impl Aggregate {
    /// A row of `sql/catalog/aggregate.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_PROC, oid: row.oid("oid")? },
            name: row.string("proname")?,
            schema: row.oid("pronamespace")?,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::Aggregate(Self { argument_types: row.numbers("proargtypes")?, definition: None }),
        })
    }

    /// The arguments, or the star that stands for none.
    fn arguments<'a>(&self, arguments: &'a str) -> &'a str {
        if self.argument_types.is_empty() { "*" } else { arguments }
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let Some(definition) = &self.definition else { return };
        let name = out.inventory.qualified(object, out.quote());
        let identity = self.arguments(&definition.identity_arguments);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "AGGREGATE");
            let types = argument_list(&self.argument_types, out.inventory);
            entry.tag = format!("{}({})", object.name, self.arguments(&types));
            let arguments = self.arguments(&definition.arguments);
            let clauses = definition.clauses(out.quote()).join(",\n    ");
            entry.create = format!("CREATE AGGREGATE {name}({arguments}) (\n    {clauses}\n);\n");
            entry.drop = format!("DROP AGGREGATE {name}({identity});\n");
            out.push(entry);
        }
        let signature = format!("{}({identity})", out.quote().identifier(&object.name));
        let schema = out.inventory.schema_name(object);
        out.comment(object, "AGGREGATE", &signature, schema);
        out.security_labels(object, "AGGREGATE", &signature, schema);
        // there is no GRANT ON AGGREGATE: it is granted as the function that it is in the catalog
        let name = out.quote().identifier(&object.name).into_owned();
        let signature = format!("{name}({})", argument_list(&self.argument_types, out.inventory));
        out.acl(object, AclTarget::new("FUNCTION", &signature, schema));
    }
}

/// Takes the rows of `sql/catalog/aggregate_definition.sql` in.
pub fn take_definitions(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_PROC, row.oid("oid")?) else { continue };
        if let Detail::Aggregate(aggregate) = &mut inventory.get_mut(id).detail {
            aggregate.definition = Some(Box::new(Definition::decode(row)?));
        }
    }
    Ok(())
}

impl Definition {
    fn decode(row: &Record) -> Result<Self, DecodeError> {
        Ok(Self {
            arguments: row.string("arguments")?,
            identity_arguments: row.string("identity_arguments")?,
            kind: row.letter("aggkind")?,
            plain: State {
                transition: support_function(row, "aggtransfn")?,
                data_type: row.string("aggtranstype")?,
                space: row.string("aggtransspace")?,
                initial: row.optional_string("agginitval")?,
                finish: support_function(row, "aggfinalfn")?,
                finish_takes_arguments: row.boolean("aggfinalextra")?,
                finish_modifies: row.letter("aggfinalmodify")?,
            },
            moving: State {
                transition: support_function(row, "aggmtransfn")?,
                data_type: row.string("aggmtranstype")?,
                space: row.string("aggmtransspace")?,
                initial: row.optional_string("aggminitval")?,
                finish: support_function(row, "aggmfinalfn")?,
                finish_takes_arguments: row.boolean("aggmfinalextra")?,
                finish_modifies: row.letter("aggmfinalmodify")?,
            },
            inverse: support_function(row, "aggminvtransfn")?,
            combine: support_function(row, "aggcombinefn")?,
            serialize: support_function(row, "aggserialfn")?,
            deserialize: support_function(row, "aggdeserialfn")?,
            sort_operator: row.optional_string("sort_schema")?.zip(row.optional_string("sort_name")?),
            parallel: row.letter("proparallel")?,
        })
    }

    fn clauses(&self, quote: Quote) -> Vec<String> {
        // the server's default differs by kind (DefineAggregate)
        let default_modify = if self.kind == 'n' { 'r' } else { 'w' };
        let mut clauses = Vec::new();
        if let Some(transition) = &self.plain.transition {
            clauses.push(format!("SFUNC = {transition}"));
            clauses.push(format!("STYPE = {}", self.plain.data_type));
        }
        self.plain.clauses("", default_modify, quote, &mut clauses);
        let functions =
            [("COMBINEFUNC", &self.combine), ("SERIALFUNC", &self.serialize), ("DESERIALFUNC", &self.deserialize)];
        clauses
            .extend(functions.iter().filter_map(|(word, function)| Some(format!("{word} = {}", function.as_ref()?))));
        if let Some(transition) = &self.moving.transition {
            clauses.push(format!("MSFUNC = {transition}"));
            clauses.push(format!("MINVFUNC = {}", self.inverse.as_deref().unwrap_or("-")));
            clauses.push(format!("MSTYPE = {}", self.moving.data_type));
        }
        self.moving.clauses("M", default_modify, quote, &mut clauses);
        if let Some((schema, name)) = &self.sort_operator {
            clauses.push(format!("SORTOP = OPERATOR({}.{name})", quote.identifier(schema)));
        }
        if self.kind == 'h' {
            clauses.push("HYPOTHETICAL".to_owned());
        }
        match self.parallel {
            's' => clauses.push("PARALLEL = safe".to_owned()),
            'r' => clauses.push("PARALLEL = restricted".to_owned()),
            _ => {}
        }
        clauses
    }
}

impl State {
    /// What the two ways share, the moving one's words with a leading `M`.
    fn clauses(&self, prefix: &str, default_modify: char, quote: Quote, clauses: &mut Vec<String>) {
        if self.space != "0" {
            clauses.push(format!("{prefix}SSPACE = {}", self.space));
        }
        if let Some(initial) = &self.initial {
            clauses.push(format!("{prefix}INITCOND = {}", quote.literal(initial)));
        }
        let Some(finish) = &self.finish else { return };
        clauses.push(format!("{prefix}FINALFUNC = {finish}"));
        if self.finish_takes_arguments {
            clauses.push(format!("{prefix}FINALFUNC_EXTRA"));
        }
        let modify = match self.finish_modifies {
            letter if letter == default_modify => return,
            'r' => "READ_ONLY",
            's' => "SHAREABLE",
            _ => "READ_WRITE",
        };
        clauses.push(format!("{prefix}FINALFUNC_MODIFY = {modify}"));
    }
}
