//! Sequences, and where they stand.

use super::table::{Table, push};
use super::{CatalogId, Components, DumpId, Emitter, Entry, Inventory, Object, Section};
use crate::object::Quote;
use crate::record::{DecodeError, Record};

/// What `CREATE SEQUENCE` can say, and where the sequence stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceOptions {
    /// `smallint`, `integer` or `bigint`.
    pub type_name: String,
    /// The first value.
    pub start: i64,
    /// The step.
    pub increment: i64,
    /// The smallest value.
    pub minimum: i64,
    /// The largest value.
    pub maximum: i64,
    /// How many values a session takes at once.
    pub cache: i64,
    /// Whether it starts over at its end.
    pub cycles: bool,
    /// `last_value` and `is_called`, once they are read.
    pub state: Option<(i64, bool)>,
}

/// So many sequences are read by one query, on servers before 18.
const STATE_BATCH: usize = 500;

/// Takes in the rows of `sql/catalog/sequence.sql`.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let options = SequenceOptions {
            type_name: row.string("type_name")?,
            start: row.number("seqstart")?,
            increment: row.number("seqincrement")?,
            minimum: row.number("seqmin")?,
            maximum: row.number("seqmax")?,
            cache: row.number("seqcache")?,
            cycles: row.boolean("seqcycle")?,
            state: None,
        };
        let id = inventory.find_table(row.oid("seqrelid")?);
        if let Some(table) = id.and_then(|id| inventory.table_mut(id)) {
            table.sequence = Some(options);
        }
    }
    Ok(())
}

/// The queries that read where the sequences stand whose data is dumped, for servers before 18: those have no function
/// for it, and each sequence is a relation of its own.
///
/// The rows are for [`take_states`].
pub(crate) fn state_queries(inventory: &Inventory) -> Vec<String> {
    let selects: Vec<String> = (inventory.objects().iter())
        .filter(|object| {
            matches!(&object.detail, super::Detail::Table(table)
                if table.kind == super::table::RelationKind::Sequence && table.rows != super::table::Rows::None)
        })
        .map(|object| {
            let name = inventory.qualified(object, Quote { all: true, standard_strings: true });
            format!("select {}::pg_catalog.oid as oid, last_value, is_called from {name}", object.catalog_id.oid)
        })
        .collect();
    selects.chunks(STATE_BATCH).map(|batch| batch.join("\nunion all ")).collect()
}

/// Takes in the rows of `sql/catalog/sequence_state.sql` or of [`state_queries`].
pub(crate) fn take_states(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find_table(row.oid("oid")?) else { continue };
        // null where this role may not read it, or a standby does not have it: the reader refuses that
        let Some(last) = row.optional_number("last_value")? else { continue };
        let called = row.boolean("is_called")?;
        if let Some(options) = inventory.table_mut(id).and_then(|table| table.sequence.as_mut()) {
            options.state = Some((last, called));
        }
    }
    Ok(())
}

impl SequenceOptions {
    /// The smallest and largest value that the type and the direction give by themselves.
    fn default_bounds(&self) -> (i64, i64) {
        let (minimum, maximum) = match self.type_name.as_str() {
            "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
            "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        if self.increment >= 0 { (1, maximum) } else { (minimum, -1) }
    }

    fn push(&self, sql: &mut String) {
        let (minimum, maximum) = self.default_bounds();
        push(sql, &[&format!("    START WITH {}\n    INCREMENT BY {}\n", self.start, self.increment)]);
        if self.minimum == minimum {
            sql.push_str("    NO MINVALUE\n");
        } else {
            push(sql, &[&format!("    MINVALUE {}\n", self.minimum)]);
        }
        if self.maximum == maximum {
            sql.push_str("    NO MAXVALUE\n");
        } else {
            push(sql, &[&format!("    MAXVALUE {}\n", self.maximum)]);
        }
        push(sql, &[&format!("    CACHE {}{}", self.cache, if self.cycles { "\n    CYCLE" } else { "" })]);
    }
}

/// The sequence, its owner column and its comment.
pub(super) fn entries(table: &Table, object: &Object, out: &mut Emitter<'_>) {
    let Some(options) = &table.sequence else { return };
    let quote = out.quote();
    let inventory = out.inventory;
    let name = inventory.qualified(object, quote);
    let owner = table.owner_column.and_then(|owner| {
        let id = inventory.find_table(owner.table)?;
        Some((owner, inventory.get(id), inventory.table(id)?))
    });
    let mut entry = Entry::of(object, inventory, "SEQUENCE");
    if let Some((owner, relation, owning)) = owner.filter(|(owner, _, _)| owner.is_identity) {
        let column = owning.column(owner.column);
        let identity = column.and_then(|column| column.identity).map_or("", super::column::Identity::words);
        let column = column.map(|column| quote.identifier(&column.name)).unwrap_or_default();
        entry.create = format!(
            "ALTER TABLE {} ALTER COLUMN {column} ADD GENERATED {identity} AS IDENTITY (\n    SEQUENCE NAME {name}\n",
            inventory.qualified(relation, quote)
        );
        // servers before 15 have logged sequences alone and refuse the word, which pg_dump writes for them as well
        if table.persistence != owning.persistence && inventory.facts.version.major() >= 15 {
            push(&mut entry.create, &[if table.persistence == 'u' { "    UNLOGGED\n" } else { "    LOGGED\n" }]);
        }
        options.push(&mut entry.create);
        entry.create.push_str("\n);\n");
    } else {
        let unlogged = if table.persistence == 'u' { "UNLOGGED " } else { "" };
        entry.create = format!("CREATE {unlogged}SEQUENCE {name}\n");
        if options.type_name != "bigint" {
            push(&mut entry.create, &["    AS ", &options.type_name, "\n"]);
        }
        options.push(&mut entry.create);
        entry.create.push_str(";\n");
        entry.drop = format!("DROP SEQUENCE {name};\n");
    }
    out.push(entry);
    if let Some((owner, relation, owning)) = owner
        && !owner.is_identity
        && relation.dumps(Components::DEFINITION)
    {
        let column = owning.column(owner.column).map(|column| quote.identifier(&column.name)).unwrap_or_default();
        let id = out.new_id();
        let mut entry = Entry::of(object, inventory, "SEQUENCE OWNED BY");
        entry.id = id;
        entry.catalog_id = CatalogId::default();
        entry.section = Section::PreData;
        entry.create = format!("ALTER SEQUENCE {name} OWNED BY {}.{column};\n", inventory.qualified(relation, quote));
        entry.dependencies = Some(vec![object.id]);
        out.push(entry);
    }
    let bare = quote.identifier(&object.name).into_owned();
    out.comment(object, "SEQUENCE", &bare, inventory.schema_name(object));
    out.security_labels(object, "SEQUENCE", &bare, inventory.schema_name(object));
}

/// `setval`, for the object that stands for the sequence's state.
pub(super) fn state_entry(sequence: DumpId, object: &Object, out: &mut Emitter<'_>) {
    let Some((last, called)) =
        out.inventory.table(sequence).and_then(|table| table.sequence.as_ref()).and_then(|options| options.state)
    else {
        return;
    };
    let quote = out.quote();
    let name = out.inventory.qualified(out.inventory.get(sequence), quote);
    let id = out.new_id();
    let mut entry = Entry::of(object, out.inventory, "SEQUENCE SET");
    entry.id = id;
    entry.catalog_id = CatalogId::default();
    entry.create = format!("SELECT pg_catalog.setval({}, {last}, {called});\n", quote.literal(&name));
    entry.dependencies = Some(vec![sequence]);
    out.push(entry);
}
