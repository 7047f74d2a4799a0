//! Relations of every sort: tables, partitioned tables, views, materialized views, sequences and foreign tables.

use std::fmt::Write as _;

use super::acl::AclTarget;
use super::column::{Column, ColumnAcl};
use super::sequence::SequenceOptions;
use super::{Acl, CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, Quote, class};
use crate::record::{DecodeError, Record};

/// What sort of relation it is (`pg_class.relkind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A partitioned table: its rows lie in its partitions.
    PartitionedTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// A foreign table.
    ForeignTable,
    /// The relation behind a free-standing composite type: never dumped, but dependencies of the type's columns are its.
    CompositeType,
}

impl RelationKind {
    /// The catalog's letter.
    pub const fn letter(self) -> char {
        match self {
            Self::Table => 'r',
            Self::PartitionedTable => 'p',
            Self::View => 'v',
            Self::MaterializedView => 'm',
            Self::Sequence => 'S',
            Self::ForeignTable => 'f',
            Self::CompositeType => 'c',
        }
    }

    fn from_letter(letter: char) -> Option<Self> {
        [
            Self::Table,
            Self::PartitionedTable,
            Self::View,
            Self::MaterializedView,
            Self::Sequence,
            Self::ForeignTable,
            Self::CompositeType,
        ]
        .into_iter()
        .find(|kind| kind.letter() == letter)
    }

    /// The words that `CREATE` takes, and the entry's kind.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Table | Self::PartitionedTable => "TABLE",
            Self::View => "VIEW",
            Self::MaterializedView => "MATERIALIZED VIEW",
            Self::Sequence => "SEQUENCE",
            Self::ForeignTable => "FOREIGN TABLE",
            Self::CompositeType => "TYPE",
        }
    }

    /// Whether `ACCESS SHARE` locks are taken on it: `LOCK TABLE` takes no others without their sources.
    pub const fn is_lockable(self) -> bool {
        matches!(self, Self::Table | Self::PartitionedTable)
    }
}

/// The column that a sequence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceOwner {
    /// The table's oid.
    pub table: u32,
    /// The column's number.
    pub column: i16,
    /// Whether the sequence is the column's identity, and cannot be made or dropped apart.
    pub is_identity: bool,
}

/// Which of a relation's rows are dumped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// None.
    #[default]
    None,
    /// All; for a sequence its state, for a materialized view a refresh.
    All,
    /// Those that a `WHERE` clause takes: an extension's configuration table.
    Some(String),
}

/// What only a relation has.
///
/// The list of relations gives the first part; columns and whatever else is read later only of those relations whose
/// details are wanted.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its sort.
    pub kind: RelationKind,
    /// The oid of its row type, or 0.
    pub row_type: u32,
    /// `pg_class.relpersistence`: `p`, `u` or `t`.
    pub persistence: char,
    /// Whether a materialized view has rows.
    pub is_populated: bool,
    /// `pg_class.relreplident`: `d`, `n`, `f` or `i`.
    pub replica_identity: char,
    /// Whether row-level security is enabled.
    pub has_row_security: bool,
    /// Whether row-level security binds the owner too.
    pub forces_row_security: bool,
    /// Whether it is a partition.
    pub is_partition: bool,
    /// How many columns it has, dropped ones too (`pg_class.relnatts`).
    pub column_count: usize,
    /// How many check constraints it has (`pg_class.relchecks`).
    pub check_count: usize,
    /// Its size and its TOAST table's, in pages, as of the last `ANALYZE` or `VACUUM`.
    pub pages: u64,
    /// Storage parameters, `name=value`.
    pub options: Vec<String>,
    /// Storage parameters of its TOAST table.
    pub toast_options: Vec<String>,
    /// A view's check option: `LOCAL` or `CASCADED`.
    pub check_option: Option<String>,
    /// The composite type that a typed table is of, as SQL.
    pub of_type: Option<String>,
    /// Its access method's name.
    pub access_method: Option<String>,
    /// Its tablespace's name, empty for the default.
    pub tablespace: String,
    /// The oid of a foreign table's server.
    pub foreign_server: Option<u32>,
    /// The column that a sequence belongs to.
    pub owner_column: Option<SequenceOwner>,
    /// The relations that it inherits from, or the partitioned table that it is a partition of.
    pub parents: Vec<DumpId>,
    /// Whether rows of its partitions must be loaded through it, because they may belong elsewhere after a restore.
    pub loads_via_root: bool,
    /// Privileges on columns.
    pub column_acls: Vec<ColumnAcl>,
    /// Which rows are dumped.
    pub rows: Rows,
    /// The object that stands for its rows, its state or its refresh.
    pub data: Option<DumpId>,

    /// Its columns by number, dropped ones too.
    pub columns: Vec<Column>,
    /// The constraints of a table that are no foreign keys and have no index, by name.
    pub checks: Vec<DumpId>,
    /// Its indexes, by name.
    pub indexes: Vec<DumpId>,
    /// What a partitioned table is partitioned by.
    pub partition_key: Option<String>,
    /// Which values a partition takes.
    pub partition_bound: Option<String>,
    /// What a view selects, without the last semicolon.
    pub definition: Option<String>,
    /// A sequence's options.
    pub sequence: Option<SequenceOptions>,
    /// A foreign table's server and options.
    pub foreign: Option<ForeignSource>,
    /// Whether a view is first written as a view of nulls, and its rule gives it its text later.
    pub is_placeholder: bool,
    /// Whether a materialized view must wait until after the data.
    pub is_postponed: bool,
}

/// Where the rows of a foreign table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSource {
    /// The server's name.
    pub server: String,
    /// The options, each `name 'value'` as SQL.
    pub options: Vec<String>,
}

impl Table {
    /// A row of `sql/catalog/table.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let letter = row.letter("relkind")?;
        let kind = RelationKind::from_letter(letter).ok_or_else(|| DecodeError {
            column: "relkind".to_owned(),
            problem: format!("{letter:?} is no sort of relation that can be dumped"),
        })?;
        // `relpages` is a signed column that holds an unsigned number
        let pages = |column| {
            Ok::<u64, DecodeError>(u64::from(row.optional_number::<i32>(column)?.unwrap_or(0).cast_unsigned()))
        };
        let owner_column = match row.optional_number("owning_table")? {
            Some(table) => Some(SequenceOwner {
                table,
                column: row.number("owning_column")?,
                is_identity: row.letter("owning_kind")? == 'i',
            }),
            None => None,
        };
        let table = Self {
            kind,
            row_type: row.oid("reltype")?,
            persistence: row.letter("relpersistence")?,
            is_populated: row.boolean("relispopulated")?,
            replica_identity: row.letter("relreplident")?,
            has_row_security: row.boolean("relrowsecurity")?,
            forces_row_security: row.boolean("relforcerowsecurity")?,
            is_partition: row.boolean("relispartition")?,
            column_count: row.number("relnatts")?,
            check_count: row.number("relchecks")?,
            pages: pages("relpages")? + pages("toast_pages")?,
            options: row.strings("options")?,
            toast_options: row.strings("toast_options")?,
            check_option: row.optional_string("check_option")?,
            of_type: row.optional_string("of_type")?,
            access_method: row.optional_string("access_method")?,
            tablespace: row.optional_string("tablespace")?.unwrap_or_default(),
            foreign_server: row.optional_number("foreign_server")?,
            owner_column,
            parents: Vec::new(),
            loads_via_root: false,
            column_acls: Vec::new(),
            rows: Rows::None,
            data: None,
            columns: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            partition_key: None,
            partition_bound: None,
            definition: None,
            sequence: None,
            foreign: None,
            is_placeholder: false,
            is_postponed: false,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_CLASS, oid: row.oid("oid")? },
            name: row.string("relname")?,
            schema: row.oid("relnamespace")?,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::Table(Box::new(table)),
        })
    }

    /// Whether the column is written in the table's own `CREATE`, and not made by a parent's.
    pub fn prints(&self, column: &Column) -> bool {
        !column.is_dropped && (column.is_local || self.is_partition)
    }

    /// The columns that `COPY` has, in its order.
    pub fn copied_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_dropped && column.generated.is_none())
    }

    /// The column with this number, which counts from 1.
    pub fn column(&self, number: i16) -> Option<&Column> {
        usize::try_from(number).ok()?.checked_sub(1).and_then(|slot| self.columns.get(slot))
    }

    /// `FOREIGN ` where `ALTER TABLE` needs it.
    pub(super) const fn foreign_word(&self) -> &'static str {
        match self.kind {
            RelationKind::ForeignTable => "FOREIGN ",
            RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::View
            | RelationKind::MaterializedView
            | RelationKind::Sequence
            | RelationKind::CompositeType => "",
        }
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if object.dumps(Components::DEFINITION) {
            match self.kind {
                RelationKind::Sequence => super::sequence::entries(self, object, out),
                RelationKind::View => self.relation_entry(object, out, super::view::create(self, object, out)),
                RelationKind::Table
                | RelationKind::PartitionedTable
                | RelationKind::MaterializedView
                | RelationKind::ForeignTable => {
                    let create = self.create(object, out);
                    self.relation_entry(object, out, create);
                }
                RelationKind::CompositeType => {}
            }
        }
        if self.kind != RelationKind::CompositeType {
            self.acl_entries(object, out);
        }
    }

    /// The relation's own entry, with what only `ALTER TABLE` can set, and its comments.
    fn relation_entry(&self, object: &Object, out: &mut Emitter<'_>, mut create: String) {
        let name = out.inventory.qualified(object, out.quote());
        let words = self.kind.words();
        if self.kind != RelationKind::View && self.kind != RelationKind::ForeignTable {
            match self.replica_identity {
                'n' => write_line(&mut create, &format!("\nALTER TABLE ONLY {name} REPLICA IDENTITY NOTHING;")),
                'f' => write_line(&mut create, &format!("\nALTER TABLE ONLY {name} REPLICA IDENTITY FULL;")),
                // an index says so itself, and the default says nothing
                _ => {}
            }
        }
        if self.forces_row_security {
            write_line(&mut create, &format!("\nALTER TABLE ONLY {name} FORCE ROW LEVEL SECURITY;"));
        }
        let mut entry = Entry::of(object, out.inventory, words);
        if self.is_postponed {
            entry.section = super::Section::PostData;
        }
        let has_storage = !matches!(self.kind, RelationKind::View | RelationKind::ForeignTable);
        entry.tablespace = has_storage.then(|| self.tablespace.clone());
        entry.access_method = self.access_method.clone().filter(|_| has_storage);
        entry.relkind = Some(self.kind.letter());
        entry.create = create;
        entry.drop = format!("DROP {words} {name};\n");
        out.push(entry);
        self.comment_entries(object, out);
        super::constraint::inline_comments(self, object, out);
    }

    fn comment_entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let column = |number| i16::try_from(number).ok().and_then(|number| self.column(number));
        let name = |number| column(number).map(|column| column.name.as_str());
        out.relation_comments(object, object.catalog_id, Some(self.kind.words()), name);
        out.relation_security_labels(object, self.kind.words(), name);
    }

    /// `CREATE` of everything but views and sequences, with what follows for single columns.
    fn create(&self, object: &Object, out: &Emitter<'_>) -> String {
        let quote = out.quote();
        let inventory = out.inventory;
        let name = inventory.qualified(object, quote);
        let mut sql = String::from("CREATE ");
        // 18 knows no unlogged partitioned tables
        if self.persistence == 'u' && self.kind != RelationKind::PartitionedTable {
            sql.push_str("UNLOGGED ");
        }
        push(&mut sql, &[self.kind.words(), " ", &name]);
        if let Some(of_type) = &self.of_type {
            push(&mut sql, &[" OF ", of_type]);
        }
        if self.kind != RelationKind::MaterializedView {
            self.push_columns(&mut sql, inventory, quote);
        }
        if !self.options.is_empty() || !self.toast_options.is_empty() {
            let mut options = storage_options(&self.options, "", quote);
            options.extend(storage_options(&self.toast_options, "toast.", quote));
            push(&mut sql, &["\nWITH (", &options.join(", "), ")"]);
        }
        if let Some(source) = self.foreign.as_ref().filter(|source| !source.options.is_empty()) {
            push(&mut sql, &["\nOPTIONS (\n    ", &source.options.join(",\n    "), "\n)"]);
        }
        if self.kind == RelationKind::MaterializedView {
            push(&mut sql, &[" AS\n", self.definition.as_deref().unwrap_or_default(), "\n  WITH NO DATA;\n"]);
            sql.push_str(&out.extension_marks(object, "MATERIALIZED VIEW", &name));
        } else {
            sql.push_str(";\n");
        }
        for column in self.columns.iter().filter(|column| !column.is_dropped) {
            column.push_alterations(&mut sql, self, &name, out.options);
        }
        sql
    }

    /// The list of columns and constraints in parentheses, and what follows it.
    fn push_columns(&self, sql: &mut String, inventory: &Inventory, quote: Quote) {
        let mut items: Vec<String> =
            self.columns.iter().filter_map(|column| column.definition(self, inventory, quote)).collect();
        for constraint in self.checks.iter().map(|id| inventory.get(*id)) {
            if let Detail::Constraint(check) = &constraint.detail
                && !check.is_separate
                && (check.is_local || self.is_partition)
            {
                items.push(format!("CONSTRAINT {} {}", quote.identifier(&constraint.name), check.definition));
            }
        }
        if !items.is_empty() {
            push(sql, &[" (\n    ", &items.join(",\n    "), "\n)"]);
        } else if self.of_type.is_none() {
            sql.push_str(" (\n)");
        }
        if !self.parents.is_empty() && !self.is_partition {
            let parents: Vec<String> =
                self.parents.iter().map(|parent| inventory.qualified(inventory.get(*parent), quote)).collect();
            push(sql, &["\nINHERITS (", &parents.join(", "), ")"]);
        }
        if let Some(key) = &self.partition_key {
            push(sql, &["\nPARTITION BY ", key]);
        }
        if let Some(source) = &self.foreign {
            push(sql, &["\nSERVER ", &quote.identifier(&source.server)]);
        }
    }

    fn acl_entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let schema = out.inventory.schema_name(object);
        let name = quote.identifier(&object.name);
        let kind = if self.kind == RelationKind::Sequence { "SEQUENCE" } else { "TABLE" };
        let whole = out.acl(object, AclTarget::new(kind, &name, schema));
        for ColumnAcl { column, acl } in &self.column_acls {
            let column = quote.identifier(column);
            out.acl_of(object, acl, AclTarget::column(&name, schema, &column, whole));
        }
    }
}

/// Storage parameters as SQL: a value that is no plain word is a literal.
pub(super) fn storage_options(options: &[String], prefix: &str, quote: Quote) -> Vec<String> {
    (options.iter())
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let quoted = quote.identifier(value);
            let value = if quoted == value { value.to_owned() } else { quote.literal(value) };
            format!("{prefix}{}={value}", quote.identifier(name))
        })
        .collect()
}

pub(super) fn push(sql: &mut String, parts: &[&str]) {
    for part in parts {
        sql.push_str(part);
    }
}

fn write_line(sql: &mut String, line: &str) {
    // writing to a string cannot fail
    let _ = writeln!(sql, "{line}");
}

impl Object {
    /// What the object has as a relation, if it is one.
    pub fn table(&self) -> Option<&Table> {
        if let Detail::Table(table) = &self.detail { Some(table) } else { None }
    }
}

impl Inventory {
    /// The relation behind this number, if it is one.
    pub fn table(&self, id: DumpId) -> Option<&Table> {
        self.get(id).table()
    }

    /// The relation behind this number, if it is one, to change it.
    pub fn table_mut(&mut self, id: DumpId) -> Option<&mut Table> {
        if let Detail::Table(table) = &mut self.get_mut(id).detail { Some(table) } else { None }
    }

    /// The relation with this oid.
    pub(super) fn find_table(&self, oid: u32) -> Option<DumpId> {
        self.find(class::PG_CLASS, oid).filter(|id| self.table(*id).is_some())
    }
}
