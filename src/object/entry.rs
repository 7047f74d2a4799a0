use std::sync::Arc;

use super::{CatalogId, DumpId, InsertForm, Inventory, Object, Quote, Section};

/// Where the bytes behind an entry come from while the dump runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// The rows of a table; the text is the `COPY ... TO stdout` to run.
    Table {
        /// The table whose rows these are.
        table: DumpId,
        /// The statement that streams the rows.
        copy_out: String,
        /// Whether the rows lie on a foreign server.
        is_foreign: bool,
        /// How the rows become statements, where they are not to be COPY data.
        inserts: Option<InsertForm>,
    },
    /// The contents of these large objects, by oid.
    LargeObjects(Vec<u32>),
}

/// One entry of the table of contents, before it has an archive.
///
/// Texts are SQL, each statement ended by `;` and a newline, as pg_dump writes them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number; comments and ACLs have one of their own.
    pub id: DumpId,
    /// What it is in the source; zero for comments, ACLs and the like.
    pub catalog_id: CatalogId,
    /// The name that `pg_restore -l` shows: `orders`, `TABLE orders`.
    pub tag: String,
    /// What it is, in pg_dump's words: `TABLE`, `ACL`, `FK CONSTRAINT`.
    pub kind: &'static str,
    /// Its section.
    pub section: Section,
    /// The schema's bare name.
    pub schema: Option<String>,
    /// The tablespace: `None` where the kind has none, empty for the default.
    pub tablespace: Option<String>,
    /// The table access method, for relations that have storage.
    pub access_method: Option<String>,
    /// `pg_class.relkind`, for relations.
    pub relkind: Option<char>,
    /// The owner's role name, empty for none.
    pub owner: Arc<str>,
    /// What makes it.
    pub create: String,
    /// What removes it; empty where nothing does.
    pub drop: String,
    /// For rows: the `COPY ... FROM stdin;` that takes them.
    pub copy: Option<String>,
    /// What it needs, where that is told; `None` to take the object's own dependencies.
    pub dependencies: Option<Vec<DumpId>>,
    /// The bytes behind it.
    pub data: Option<DataSource>,
    /// The relation whose columns' statistics are still to be added to what makes it.
    pub statistics: Option<DumpId>,
}

impl Entry {
    /// An entry in the pre-data section with nothing but its kind and tag.
    pub fn new(id: DumpId, kind: &'static str, tag: impl Into<String>) -> Self {
        Self {
            id,
            catalog_id: CatalogId::default(),
            tag: tag.into(),
            kind,
            section: Section::PreData,
            schema: None,
            tablespace: None,
            access_method: None,
            relkind: None,
            owner: "".into(),
            create: String::new(),
            drop: String::new(),
            copy: None,
            dependencies: None,
            data: None,
            statistics: None,
        }
    }

    /// An entry of an object in its kind's own section, with the object's name, schema and owner; the rest is empty.
    pub fn of(object: &Object, inventory: &Inventory, kind: &'static str) -> Self {
        Self {
            catalog_id: object.catalog_id,
            section: object.detail.kind().section(),
            schema: inventory.schema_name(object).map(str::to_owned),
            owner: object.owner.clone(),
            ..Self::new(object.id, kind, object.name.clone())
        }
    }
}

/// What of the dump's options changes the text of entries.
#[derive(Clone, Copy, Debug)]
pub struct EmitOptions {
    /// How names and literals are written.
    pub quote: Quote,
    /// Leave privileges out (`--no-privileges`).
    pub include_acl: bool,
    /// Leave comments out (`--no-comments`).
    pub include_comments: bool,
    /// Leave security labels out (`--no-security-labels`).
    pub include_security_labels: bool,
    /// Leave out how columns are compressed (`--no-toast-compression`).
    pub include_toast_compression: bool,
    /// Load the rows of every partition through its root table (`--load-via-partition-root`).
    pub load_via_partition_root: bool,
    /// Write rows as INSERT statements (`--inserts`).
    pub inserts: Option<Inserts>,
}

/// How rows are written as statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inserts {
    /// Name the columns (`--column-inserts`).
    pub with_columns: bool,
    /// So many rows go into a statement; at least one (`--rows-per-insert`).
    pub rows_per_statement: u32,
    /// Rows that are there already are passed over (`--on-conflict-do-nothing`).
    pub skip_conflicts: bool,
}

/// Takes the entries of a dump in order, and writes those that every kind has.
pub struct Emitter<'a> {
    /// Everything that was read.
    pub inventory: &'a Inventory,
    /// The dump's options.
    pub options: EmitOptions,
    entries: Vec<Entry>,
    /// The first number that is no object's, or was taken before.
    first_id: i32,
    next_id: i32,
}

impl<'a> Emitter<'a> {
    /// An emitter whose own entries are numbered after the inventory's objects.
    pub fn new(inventory: &'a Inventory, options: EmitOptions) -> Self {
        let next_id = i32::try_from(inventory.objects().len() + 1).expect("a dump has fewer than 2^31 objects");
        Self { inventory, options, entries: Vec::new(), first_id: next_id, next_id }
    }

    /// How names and literals are written.
    pub fn quote(&self) -> Quote {
        self.options.quote
    }

    /// The next free number, for an entry that is no object of the inventory.
    pub fn new_id(&mut self) -> DumpId {
        let id = DumpId(self.next_id);
        self.next_id += 1;
        id
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// `ALTER ... DEPENDS ON EXTENSION` for each extension that the object is marked to depend on, each on a line of its
    /// own behind what stands before.
    ///
    /// `words` and `name` are what `ALTER` takes: `INDEX` and `public.i`.
    pub fn extension_marks(&self, object: &Object, words: &str, name: &str) -> String {
        if !object.depends_on_extension {
            return String::new();
        }
        (object.dependencies.iter())
            .map(|id| self.inventory.get(*id))
            .filter(|needed| needed.detail.kind() == super::ObjectKind::Extension)
            .map(|extension| {
                format!("\nALTER {words} {name} DEPENDS ON EXTENSION {};", self.quote().identifier(&extension.name))
            })
            .collect()
    }

    /// An emitter for objects that come later in the dump, to be filled at the same time as this one. [`Self::append`] takes
    /// its entries.
    pub fn part(&self) -> Self {
        Self { entries: Vec::new(), first_id: self.next_id, ..*self }
    }

    /// Adds the entries of a part, which had the next numbers for its own until now.
    pub fn append(&mut self, part: Self) {
        let shift = self.next_id - part.first_id;
        let renumber = |id: &mut DumpId| {
            if id.0 >= part.first_id {
                id.0 += shift;
            }
        };
        self.entries.reserve(part.entries.len());
        for mut entry in part.entries {
            renumber(&mut entry.id);
            entry.dependencies.iter_mut().flatten().for_each(renumber);
            self.entries.push(entry);
        }
        self.next_id += part.next_id - part.first_id;
    }

    /// Ends the dump: all entries in order.
    pub fn finish(self) -> Vec<Entry> {
        self.entries
    }
}
