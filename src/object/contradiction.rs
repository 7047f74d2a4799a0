//! Catalogs that contradict themselves: rows that refer to rows which are not there. What hangs on such a reference would be left
//! out of a dump, or dumped as what it is not, so that a backup refuses it by name.

use super::column::Column;
use super::data_type::TypeForm;
use super::table::{RelationKind, Rows, Table};
use super::{CatalogId, Components, Detail, Inventory, LAST_BUILTIN_OID, Object, Quote, class};
use crate::count::counted;
use crate::record::{DecodeError, Record};

/// A row of a catalog that refers to a row which is not there, or lacks one of its own in another catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The row.
    pub object: CatalogId,
    /// Its catalog's name.
    pub catalog: String,
    /// The oid of its schema, or 0.
    pub schema: u32,
    /// The oid of the relation that it is or belongs to, or 0.
    pub relation: u32,
    /// Its name, without the schema.
    pub name: String,
    /// The catalog that should have the other row.
    pub referenced_catalog: String,
    /// The other row's oid; `None` where it is to stand beside this one.
    pub referenced: Option<u32>,
}

impl Contradiction {
    fn decode(row: &Record) -> Result<Self, DecodeError> {
        Ok(Self {
            object: CatalogId { class: row.oid("classid")?, oid: row.oid("oid")? },
            catalog: row.string("catalog")?,
            schema: row.oid("schema_oid")?,
            relation: row.oid("relation_oid")?,
            name: row.string("name")?,
            referenced_catalog: row.string("referenced_catalog")?,
            referenced: row.optional_number("referenced_oid")?,
        })
    }

    /// Whether what refers can be left out for it: a table has its rows, and an owner who is gone takes nothing along.
    fn is_of_use_without(&self) -> bool {
        self.object.class == class::PG_CLASS || self.referenced_catalog == "pg_authid"
    }

    fn describe(&self, inventory: &Inventory) -> String {
        let Self { catalog, name, referenced_catalog, .. } = self;
        let schema = inventory.find(class::PG_NAMESPACE, self.schema).map(|id| inventory.get(id).name.as_str());
        let name = schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
        let oid = self.object.oid;
        match self.referenced {
            Some(referenced) => {
                format!("{catalog} {oid} ({name}) refers to {referenced_catalog} {referenced}, which is not there")
            }
            None => format!("{catalog} {oid} ({name}) lacks its row in {referenced_catalog}"),
        }
    }
}

/// Takes in the rows of `sql/catalog/contradiction*.sql`.
pub fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let contradiction = Contradiction::decode(row)?;
        inventory.contradictions.push(contradiction);
    }
    Ok(())
}

impl Inventory {
    /// The contradictions about what would have been dumped, as sentences; the selection is marked by then. Relations come
    /// first: what hangs on them misses the same rows.
    pub fn contradictions_in_dump(&self) -> Vec<String> {
        let mut found: Vec<&Contradiction> =
            self.contradictions.iter().filter(|contradiction| self.would_dump(contradiction)).collect();
        found.sort_by_key(|contradiction| (contradiction.object.class != class::PG_CLASS, contradiction.object.oid));
        found.into_iter().map(|contradiction| contradiction.describe(self)).collect()
    }

    /// Leaves out what contradicts itself and is nothing without what it refers to.
    pub fn leave_out_contradictions(&mut self) {
        let wrong: Vec<_> = (self.contradictions.iter())
            .filter(|contradiction| !contradiction.is_of_use_without() && self.would_dump(contradiction))
            .filter_map(|contradiction| self.find(contradiction.object.class, contradiction.object.oid))
            .collect();
        for id in wrong {
            let object = self.get_mut(id);
            object.dump = Components::NONE;
            object.wants_details = false;
        }
    }

    fn would_dump(&self, contradiction: &Contradiction) -> bool {
        let is_dumped =
            |object: &Object| !object.dump.is_empty() || object.table().is_some_and(|table| table.rows != Rows::None);
        let schema = self.find(class::PG_NAMESPACE, contradiction.schema).map(|id| self.get(id));
        let relation = self.find(class::PG_CLASS, contradiction.relation).map(|id| self.get(id));
        let own = self.find(contradiction.object.class, contradiction.object.oid).map(|id| self.get(id));
        if self.extension_members.contains_key(&contradiction.object) {
            return false; // the extension makes its own again
        }
        if [class::PG_LARGEOBJECT, class::PG_LARGEOBJECT_METADATA].contains(&contradiction.object.class) {
            return self.has_large_objects;
        }
        if contradiction.schema != 0 && schema.is_none() {
            return self.is_whole;
        }
        if self.is_whole && relation.is_some_and(|relation| relation.schema.is_none()) {
            return true; // no selection knows where it is
        }
        // what belongs to a relation that is not there is told by its schema
        match (relation.or(own.filter(|_| contradiction.relation == 0)), schema) {
            (Some(object), _) => is_dumped(object),
            (None, Some(schema)) => schema.dump_contained.contains(Components::DEFINITION),
            (None, None) => self.is_whole,
        }
    }

    /// What was asked for and not answered, of what is dumped; the details are read by then. The first that is found, as a
    /// sentence.
    pub fn first_incomplete(&self) -> Option<String> {
        let is_asked = |object: &&Object| object.wants_details || matches!(object.detail, Detail::Index(_));
        let dumped = self.objects().iter().filter(is_asked).filter(|object| !object.is_extension_member);
        let dumped = dumped.filter(|object| object.dumps(Components::DEFINITION) || object.dumps(Components::DATA));
        let mut lacking = dumped.filter_map(|object| self.lack(object).map(|lack| (object, lack)));
        let (object, lack) = lacking.next()?;
        let name = self.qualified(object, Quote::default());
        let CatalogId { class, oid } = object.catalog_id;
        let catalog = match class {
            class::PG_CLASS => "pg_class",
            class::PG_PROC => "pg_proc",
            class::PG_TYPE => "pg_type",
            _ => "row",
        };
        Some(format!("{catalog} {oid} ({name}) {lack}"))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds come whole with their lists")]
    fn lack(&self, object: &Object) -> Option<String> {
        match &object.detail {
            Detail::Table(table) => self.table_lack(table),
            Detail::Function(function) if function.definition.is_none() => Some("lacks its definition".to_owned()),
            Detail::Aggregate(aggregate) if aggregate.definition.is_none() => Some("lacks its definition".to_owned()),
            Detail::DataType(data_type) => match &data_type.form {
                TypeForm::Base(None) | TypeForm::Domain(None) | TypeForm::Range(None) => {
                    Some("lacks its definition".to_owned())
                }
                _ => None,
            },
            Detail::Index(index) if index.makes_constraint && index.constraint.is_none() => {
                Some("lacks its row in pg_constraint".to_owned())
            }
            _ => None,
        }
    }

    fn table_lack(&self, table: &Table) -> Option<String> {
        if table.kind == RelationKind::CompositeType {
            return None;
        }
        let missing = |what: &str| Some(format!("lacks {what}"));
        if table.kind == RelationKind::Sequence {
            return table.sequence.is_none().then(|| "lacks its row in pg_sequence".to_owned());
        }
        let (wanted, found) = (table.column_count, table.columns.len());
        if wanted != found {
            return Some(format!("has {}, of which pg_attribute has {found}", counted(wanted, "column")));
        }
        if let Some(problem) = table.columns.iter().find_map(|column| self.column_lack(table, column)) {
            return Some(problem);
        }
        match table.kind {
            RelationKind::View | RelationKind::MaterializedView if table.definition.is_none() => {
                return missing("what it selects");
            }
            RelationKind::ForeignTable if table.foreign.is_none() => return missing("its row in pg_foreign_table"),
            RelationKind::PartitionedTable if table.partition_key.is_none() => return missing("its partition key"),
            RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::View
            | RelationKind::MaterializedView
            | RelationKind::Sequence
            | RelationKind::ForeignTable
            | RelationKind::CompositeType => {}
        }
        if table.is_partition && table.partition_bound.is_none() {
            return missing("its bounds as a partition");
        }
        if table.is_partition && table.parents.is_empty() {
            return missing("its row in pg_inherits");
        }
        let checks = table.checks.len();
        (table.check_count != checks).then(|| {
            format!("has {}, of which pg_constraint has {checks}", counted(table.check_count, "check constraint"))
        })
    }

    fn column_lack(&self, table: &Table, column: &Column) -> Option<String> {
        if column.is_dropped {
            return None;
        }
        let name = &column.name;
        if column.type_name.is_empty() {
            return Some(format!(
                "has a column \"{name}\", which refers to pg_type {}, which is not there",
                column.type_oid
            ));
        }
        let collation = column.collation_oid;
        if collation > LAST_BUILTIN_OID && self.find(class::PG_COLLATION, collation).is_none() {
            return Some(format!(
                "has a column \"{name}\", which refers to pg_collation {collation}, which is not there"
            ));
        }
        if column.has_default && column.default.is_none() {
            return Some(format!("has a column \"{name}\", which lacks its row in pg_attrdef"));
        }
        if self.facts.version.major() >= 18 && column.lacks_not_null {
            return Some(format!("has a column \"{name}\", which lacks its not-null row in pg_constraint"));
        }
        // a partition's columns are written with it
        let inherits = |parent: &super::DumpId| {
            let parent = self.table(*parent);
            // the columns of one that is not dumped were not read
            parent.is_some_and(|parent| {
                parent.columns.is_empty() || parent.columns.iter().any(|column| column.name == *name)
            })
        };
        (!column.is_local && !table.is_partition && !table.parents.iter().any(inherits))
            .then(|| format!("has a column \"{name}\" of a parent, which it has not in pg_inherits"))
    }
}
