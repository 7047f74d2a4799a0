//! Row-level security: a table's switch, and its policies.

use super::table::{RelationKind, push};
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, class};
use crate::record::{DecodeError, Record};

/// A policy, or a table's row-level security switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The table.
    pub table: DumpId,
    /// What the policy says; `None` for the switch.
    pub rule: Option<PolicyRule>,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRule {
    /// `pg_policy.polcmd`: `r`, `a`, `w`, `d`, or `*` for all.
    pub command: char,
    /// Whether any of the permissive policies is enough, and not each of the restrictive ones needed.
    pub is_permissive: bool,
    /// The roles that it is for, as SQL; `None` for all.
    pub roles: Option<String>,
    /// Which rows are seen.
    pub using: Option<String>,
    /// Which rows may be written.
    pub with_check: Option<String>,
}

/// Adds the switches of the tables that have it on, then takes in the rows of `sql/catalog/policy.sql`.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    let switched: Vec<DumpId> = (inventory.objects().iter())
        .filter(|object| object.dumps(Components::POLICY))
        .filter(|object| {
            matches!(&object.detail, Detail::Table(table) if table.has_row_security
                && matches!(table.kind, RelationKind::Table | RelationKind::PartitionedTable))
        })
        .map(|object| object.id)
        .collect();
    for table in switched {
        let relation = inventory.get_mut(table);
        relation.components = relation.components.with(Components::POLICY);
        let (name, oid) = (relation.name.clone(), relation.catalog_id.oid);
        // no class: nothing in `pg_depend` is about the switch
        let detail = Detail::Policy(Box::new(Policy { table, rule: None }));
        let id = inventory.add_part_of(table, CatalogId { class: 0, oid }, name, detail);
        inventory.get_mut(id).dump = Components::ALL;
    }
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("polrelid")?) else { continue };
        if !inventory.get(table).dumps(Components::POLICY) {
            continue;
        }
        let relation = inventory.get_mut(table);
        relation.components = relation.components.with(Components::POLICY);
        let rule = PolicyRule {
            command: row.letter("polcmd")?,
            is_permissive: row.boolean("polpermissive")?,
            roles: row.optional_string("roles")?,
            using: row.optional_string("using_expression")?,
            with_check: row.optional_string("check_expression")?,
        };
        let catalog_id = CatalogId { class: class::PG_POLICY, oid: row.oid("oid")? };
        let detail = Detail::Policy(Box::new(Policy { table, rule: Some(rule) }));
        let id = inventory.add_part_of(table, catalog_id, row.string("polname")?, detail);
        inventory.get_mut(id).dump = Components::ALL;
    }
    Ok(())
}

impl PolicyRule {
    fn command_clause(&self) -> &'static str {
        match self.command {
            'r' => " FOR SELECT",
            'a' => " FOR INSERT",
            'w' => " FOR UPDATE",
            'd' => " FOR DELETE",
            _ => "",
        }
    }
}

impl Policy {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let relation = out.inventory.get(self.table);
        let table_name = out.inventory.qualified(relation, quote);
        let Some(rule) = &self.rule else {
            if object.dumps(Components::DEFINITION) {
                let mut entry = Entry::of(object, out.inventory, "ROW SECURITY");
                entry.create = format!("ALTER TABLE {table_name} ENABLE ROW LEVEL SECURITY;");
                entry.dependencies = Some(vec![self.table]);
                out.push(entry);
            }
            return;
        };
        let name = quote.identifier(&object.name);
        if object.dumps(Components::DEFINITION) {
            let mut create = format!("CREATE POLICY {name} ON {table_name}");
            if !rule.is_permissive {
                create.push_str(" AS RESTRICTIVE");
            }
            create.push_str(rule.command_clause());
            if let Some(roles) = &rule.roles {
                push(&mut create, &[" TO ", roles]);
            }
            if let Some(using) = &rule.using {
                push(&mut create, &[" USING (", using, ")"]);
            }
            if let Some(check) = &rule.with_check {
                push(&mut create, &[" WITH CHECK (", check, ")"]);
            }
            create.push_str(";\n");
            let mut entry = Entry::of(object, out.inventory, "POLICY");
            entry.tag = format!("{} {}", relation.name, object.name);
            entry.create = create;
            entry.drop = format!("DROP POLICY {name} ON {table_name};\n");
            out.push(entry);
        }
        let words = format!("POLICY {name} ON");
        let bare = quote.identifier(&relation.name).into_owned();
        out.comment(object, &words, &bare, out.inventory.schema_name(object));
    }
}
