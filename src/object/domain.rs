//! Domains and their constraints.

use super::data_type::{TypeForm, form_mut, note_inner_comment};
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, Section, class};
use crate::record::{DecodeError, Record};

/// What only a domain has.
#[derive(Debug, Clone, Default)]
pub struct Domain {
    /// The type beneath it as SQL, with its modifier.
    pub base: String,
    /// Schema and name of its collation, where it is not the base type's own.
    pub collation: Option<(String, String)>,
    /// Its default.
    pub default: Option<Default>,
    /// Whether it refuses nulls.
    pub is_not_null: bool,
    /// The constraint that refuses nulls, from server 17 on.
    pub not_null: Option<NotNull>,
    /// Its check constraints, by name.
    pub checks: Vec<DumpId>,
}

/// A default of a type or domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Default {
    /// An expression as SQL.
    Expression(String),
    /// A value that is to be quoted, where the catalog holds no expression.
    Literal(String),
}

/// A not-null constraint with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNull {
    /// Its row.
    pub catalog_id: CatalogId,
    /// Its name.
    pub name: String,
}

/// A check constraint of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainConstraint {
    /// The domain.
    pub domain: DumpId,
    /// Its definition as SQL, from the word CHECK on.
    pub definition: String,
    /// Whether it is an entry of its own after the data, because it is not validated or needs something that comes
    /// after the domain; else it is written within the domain.
    pub is_separate: bool,
}

/// Reads the columns `default_expression` and `typdefault`.
pub(super) fn decode_default(row: &Record) -> Result<Option<Default>, DecodeError> {
    Ok(match (row.optional_string("default_expression")?, row.optional_string("typdefault")?) {
        (Some(expression), _) => Some(Default::Expression(expression)),
        (None, Some(literal)) => Some(Default::Literal(literal)),
        (None, None) => None,
    })
}

impl Default {
    pub(super) fn sql(&self, quote: super::Quote) -> String {
        match self {
            Self::Expression(expression) => expression.clone(),
            Self::Literal(text) => quote.literal(text),
        }
    }
}

/// Takes the rows of `sql/catalog/domain.sql` in.
pub fn take_domains(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        if let Some((_, TypeForm::Domain(domain))) = form_mut(row, inventory)? {
            *domain = Some(Box::new(Domain {
                base: row.string("base")?,
                collation: row.optional_string("collnamespace")?.zip(row.optional_string("collname")?),
                default: decode_default(row)?,
                is_not_null: row.boolean("typnotnull")?,
                not_null: None,
                checks: Vec::new(),
            }));
        }
    }
    Ok(())
}

/// Takes the rows of `sql/catalog/domain_constraint.sql` in, by name; the domains are in the inventory by then.
pub fn take_constraints(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_TYPE, row.oid("contypid")?) else { continue };
        let catalog_id = CatalogId { class: class::PG_CONSTRAINT, oid: row.oid("oid")? };
        let name = row.string("conname")?;
        note_inner_comment(inventory, id, catalog_id);
        if row.letter("contype")? == 'n' {
            if let Some(domain) = domain_mut(id, inventory) {
                domain.not_null = Some(NotNull { catalog_id, name });
            }
            continue;
        }
        let is_validated = row.boolean("convalidated")?;
        let domain = inventory.get(id);
        let dump = domain.dump;
        let constraint = inventory.add(NewObject {
            catalog_id,
            name,
            schema: domain.schema.map_or(0, |schema| inventory.get(schema).catalog_id.oid),
            owner: domain.owner.clone(),
            acl: None,
            detail: Detail::DomainConstraint(DomainConstraint {
                domain: id,
                definition: row.string("definition")?,
                is_separate: !is_validated,
            }),
        });
        inventory.get_mut(constraint).dump = dump;
        if is_validated {
            // what the constraint needs must stand before the domain
            inventory.get_mut(id).depend_on(constraint);
        }
        if let Some(domain) = domain_mut(id, inventory) {
            domain.checks.push(constraint);
        }
    }
    Ok(())
}

fn domain_mut(id: DumpId, inventory: &mut Inventory) -> Option<&mut Domain> {
    let Detail::DataType(data_type) = &mut inventory.get_mut(id).detail else { return None };
    let TypeForm::Domain(domain) = &mut data_type.form else { return None };
    domain.as_deref_mut()
}

impl Domain {
    pub(super) fn create(&self, object: &Object, name: &str, out: &Emitter<'_>) -> String {
        let quote = out.quote();
        let mut sql = format!("CREATE DOMAIN {name} AS {}", self.base);
        if let Some((schema, name)) = &self.collation {
            sql.push_str(&format!(" COLLATE {}", quote.qualified(Some(schema), name)));
        }
        if self.is_not_null {
            match &self.not_null {
                Some(constraint) if constraint.name != format!("{}_not_null", object.name) => {
                    sql.push_str(&format!(" CONSTRAINT {} NOT NULL", quote.identifier(&constraint.name)));
                }
                Some(_) | None => sql.push_str(" NOT NULL"),
            }
        }
        if let Some(default) = &self.default {
            sql.push_str(&format!(" DEFAULT {}", default.sql(quote)));
        }
        for (check, constraint) in self.inline_checks(out.inventory) {
            sql.push_str(&format!("\n\tCONSTRAINT {} {}", quote.identifier(&check.name), constraint.definition));
        }
        sql.push_str(";\n");
        sql
    }

    fn inline_checks<'a>(&self, inventory: &'a Inventory) -> Vec<(&'a Object, &'a DomainConstraint)> {
        (self.checks.iter())
            .map(|&id| inventory.get(id))
            .filter_map(|check| {
                let Detail::DomainConstraint(constraint) = &check.detail else { return None };
                (!constraint.is_separate).then_some((check, constraint))
            })
            .collect()
    }

    /// Comments on the constraints that are written within the domain.
    pub(super) fn constraint_comments(&self, domain: &Object, out: &mut Emitter<'_>) {
        let inventory = out.inventory;
        let checks = self.inline_checks(inventory);
        let checks = checks.iter().map(|(check, _)| (check.catalog_id, check.name.as_str()));
        let not_null = self.not_null.iter().map(|constraint| (constraint.catalog_id, constraint.name.as_str()));
        for (catalog_id, name) in checks.chain(not_null) {
            let kind = format!("CONSTRAINT {} ON DOMAIN", out.quote().identifier(name));
            let domain_name = out.quote().identifier(&domain.name);
            out.comment_of(domain, catalog_id, &kind, &domain_name, inventory.schema_name(domain));
        }
    }
}

impl DomainConstraint {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if !self.is_separate {
            return;
        }
        let inventory = out.inventory;
        let domain = inventory.get(self.domain);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, inventory, "CHECK CONSTRAINT");
            let domain_name = inventory.qualified(domain, out.quote());
            let name = out.quote().identifier(&object.name).into_owned();
            entry.tag = format!("{} {}", domain.name, object.name);
            entry.section = Section::PostData;
            entry.create = format!("ALTER DOMAIN {domain_name}\n    ADD CONSTRAINT {name} {};\n", self.definition);
            entry.drop = format!("ALTER DOMAIN {domain_name} DROP CONSTRAINT {name};\n");
            out.push(entry);
        }
        let kind = format!("CONSTRAINT {} ON DOMAIN", out.quote().identifier(&object.name));
        let domain_name = out.quote().identifier(&domain.name);
        out.comment(object, &kind, &domain_name, inventory.schema_name(domain));
    }
}
