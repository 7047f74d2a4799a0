//! What a restored database must have: the list that verify compares a live database with.
//!
//! Names and definitions are in the form of [`crate::record::decode_text`]; definitions are what the server's
//! `pg_get_*def` functions print under an empty `search_path`.

use serde::{Deserialize, Serialize};

/// The objects that the source had and that the backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Schemas by name.
    pub schemas: Vec<Schema>,
    /// Extensions by name.
    pub extensions: Vec<Extension>,
    /// Tables, views, materialized views and foreign tables.
    pub relations: Vec<Relation>,
    /// Sequences with their positions.
    pub sequences: Vec<Sequence>,
    /// Functions, procedures and aggregates by their signature.
    pub routines: Vec<Routine>,
    /// Data types that are not a relation's row type.
    pub types: Vec<Named>,
    /// Roles that own something or hold a right.
    pub roles: Vec<String>,
    /// Entries of the archive's table of contents by kind (`TABLE`, `POLICY`, ...), so that the kinds without a list of
    /// their own are counted.
    pub entry_counts: std::collections::BTreeMap<String, u64>,
}

/// A schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its rights as `aclitem` texts; `None` where the built-in default holds.
    pub acl: Option<Vec<String>>,
}

/// An extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The schema that it is installed in.
    pub schema: String,
    /// Its version on the source.
    pub version: String,
}

/// An object of which the name is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its rights as `aclitem` texts; `None` where the built-in default holds.
    pub acl: Option<Vec<String>>,
}

/// A function, procedure or aggregate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routine {
    /// Its schema.
    pub schema: String,
    /// Its name with the types of its arguments: `total(integer, text)`.
    pub signature: String,
    /// Its owner.
    pub owner: String,
    /// Whether it runs with its owner's rights.
    pub security_definer: bool,
    /// Its rights as `aclitem` texts; `None` where the built-in default holds.
    pub acl: Option<Vec<String>>,
}

/// What kind of relation it is (`pg_class.relkind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table.
    #[default]
    Table,
    /// A partitioned table.
    PartitionedTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
    /// A composite type.
    CompositeType,
}

impl RelationKind {
    /// What its entry in an archive's table of contents is called.
    pub fn entry_kind(self) -> &'static str {
        match self {
            Self::Table | Self::PartitionedTable => "TABLE",
            Self::View => "VIEW",
            Self::MaterializedView => "MATERIALIZED VIEW",
            Self::ForeignTable => "FOREIGN TABLE",
            Self::CompositeType => "TYPE",
        }
    }
}

/// A table, view, materialized view or foreign table with all that hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Its owner.
    pub owner: String,
    /// `row level security` is enabled.
    pub row_security: bool,
    /// `row level security` holds for the owner, too.
    pub force_row_security: bool,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Its policies by name.
    pub policies: Vec<Policy>,
    /// Its indexes by name, those behind constraints too.
    pub indexes: Vec<Index>,
    /// Its constraints by name.
    pub constraints: Vec<Constraint>,
    /// Its triggers by name, without the internal ones.
    pub triggers: Vec<Trigger>,
    /// Its rights as `aclitem` texts; `None` where the built-in default holds.
    pub acl: Option<Vec<String>>,
    /// It is a partition.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partition: bool,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as `format_type` prints it.
    pub data_type: String,
    /// Null is refused.
    pub not_null: bool,
    /// Its default's or its generation's expression.
    pub default: Option<String>,
    /// `pg_attribute.attgenerated`: `s`, `v`, or empty.
    pub generated: String,
    /// `pg_attribute.attidentity`: `a`, `d`, or empty.
    pub identity: String,
    /// Its collation when it is not its type's.
    pub collation: Option<String>,
    /// Its own rights as `aclitem` texts.
    pub acl: Option<Vec<String>>,
}

/// A row-level security policy by its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// Permissive; otherwise restrictive.
    pub permissive: bool,
    /// The roles that it is for, sorted; `PUBLIC` for everybody.
    pub roles: Vec<String>,
    /// The expression of `USING`.
    pub using: Option<String>,
    /// The expression of `WITH CHECK`.
    pub with_check: Option<String>,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: String,
    /// `pg_index.indisvalid`: a `CREATE INDEX CONCURRENTLY` that failed leaves an invalid one.
    pub valid: bool,
}

impl Index {
    /// Whether a dump has it: one that is not valid it leaves out, unless its table is partitioned.
    pub fn is_dumped(&self, table: RelationKind) -> bool {
        self.valid || table == RelationKind::PartitionedTable
    }
}

/// A constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: String,
    /// `pg_constraint.convalidated`: false for `NOT VALID`.
    pub validated: bool,
    /// It is a foreign key that the partitioned table above it gave: its name is the server's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
}

impl Constraint {
    /// Whether it has an index of its name. A foreign key or a check may have the name of an index that is not its own.
    pub fn has_index(&self) -> bool {
        ["PRIMARY KEY", "UNIQUE", "EXCLUDE"].iter().any(|begin| self.definition.starts_with(begin))
    }
}

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: String,
    /// `pg_trigger.tgenabled`: `O`, `D`, `R` or `A`.
    pub enabled: String,
}

/// A sequence and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// The type of its values.
    pub data_type: String,
    /// Where it begins.
    pub start: i64,
    /// Its step.
    pub increment: i64,
    /// Its least value.
    pub minimum: i64,
    /// Its greatest value.
    pub maximum: i64,
    /// It begins again after its last value.
    pub cycle: bool,
    /// Its position when the backup holds one.
    pub last_value: Option<i64>,
    /// The position was handed out already.
    pub is_called: bool,
    /// Its rights as `aclitem` texts; `None` where the built-in default holds.
    pub acl: Option<Vec<String>>,
}
