//! Data types: what all sorts share. Each sort's own part is a file of its own: `base_type`, `composite`, `domain`,
//! `enumeration`, `range`.
//!
//! Every row of `pg_type` is read, the built-in ones too: functions, casts and operators are named by their types. Rows
//! that have no entry of their own (a table's row type, an array type, a multirange type) order the dump but write
//! nothing.

use super::acl::AclTarget;
use super::base_type::BaseType;
use super::composite::Attribute;
use super::domain::Domain;
use super::range::Range;
use super::{
    Acl, CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, ObjectKind, class,
};
use crate::record::{DecodeError, Record};

/// What only a data type has.
#[derive(Debug, Clone)]
pub struct DataType {
    /// What `format_type` calls it: with its schema where it is no built-in one, quoted.
    pub formatted: String,
    /// The type of its elements, or 0.
    pub element: u32,
    /// The relation whose rows are of this type, or 0.
    pub relation: u32,
    /// What sort of type it is.
    pub form: TypeForm,
    /// The shell that stands before its functions, where it needs one.
    pub shell: Option<DumpId>,
}

/// The sorts of types, each with what the details say of it.
#[derive(Debug, Clone)]
pub enum TypeForm {
    /// A type with input and output functions.
    Base(Option<Box<BaseType>>),
    /// A free-standing composite type.
    Composite(Vec<Attribute>),
    /// A domain.
    Domain(Option<Box<Domain>>),
    /// An enum, with its labels in order.
    Enumeration(Vec<String>),
    /// A range type.
    Range(Option<Box<Range>>),
    /// A type that was only declared (`CREATE TYPE name`).
    Undefined,
    /// `any`, `void` and the like, which no user makes.
    Pseudo,
    /// The row type of a table, view or other relation.
    RowType,
    /// The array type that comes with every type.
    Array,
    /// The multirange type that comes with a range type.
    Multirange,
}

impl DataType {
    /// A row of `sql/catalog/data_type.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let relation = row.oid("typrelid")?;
        let relation_kind = row.optional("relkind")?;
        let form = if relation != 0 && relation_kind != Some("c") {
            TypeForm::RowType
        } else if row.boolean("is_array")? {
            TypeForm::Array
        } else {
            match row.letter("typtype")? {
                'b' => TypeForm::Base(None),
                'c' => TypeForm::Composite(Vec::new()),
                'd' => TypeForm::Domain(None),
                'e' => TypeForm::Enumeration(Vec::new()),
                'r' => TypeForm::Range(None),
                'm' => TypeForm::Multirange,
                'p' if !row.boolean("typisdefined")? => TypeForm::Undefined,
                'p' => TypeForm::Pseudo,
                other => {
                    return Err(DecodeError {
                        column: "typtype".to_owned(),
                        problem: format!("{other:?} is no known sort of type ({})", row.text("formatted")?),
                    });
                }
            }
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TYPE, oid: row.oid("oid")? },
            name: row.string("typname")?,
            schema: row.oid("typnamespace")?,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::DataType(Self {
                formatted: row.string("formatted")?,
                element: row.oid("typelem")?,
                relation,
                form,
                shell: None,
            }),
        })
    }

    pub(super) fn kind(&self) -> ObjectKind {
        match self.form {
            TypeForm::RowType | TypeForm::Array | TypeForm::Multirange => ObjectKind::DummyType,
            TypeForm::Base(_)
            | TypeForm::Composite(_)
            | TypeForm::Domain(_)
            | TypeForm::Enumeration(_)
            | TypeForm::Range(_)
            | TypeForm::Undefined
            | TypeForm::Pseudo => ObjectKind::DataType,
        }
    }

    /// The statements that make and drop it; `None` for what has no entry of its own.
    fn statements(&self, object: &Object, out: &Emitter<'_>) -> Option<(String, String)> {
        let name = out.inventory.qualified(object, out.quote());
        let create = match &self.form {
            TypeForm::Base(base) => base.as_ref()?.create(self, &name, out),
            TypeForm::Composite(attributes) => super::composite::create(attributes, &name, out.quote()),
            TypeForm::Domain(domain) => domain.as_ref()?.create(object, &name, out),
            TypeForm::Enumeration(labels) => super::enumeration::create(labels, &name, out.quote()),
            TypeForm::Range(range) => range.as_ref()?.create(&name, out.quote()),
            TypeForm::Undefined => format!("CREATE TYPE {name};\n"),
            TypeForm::RowType | TypeForm::Array | TypeForm::Multirange | TypeForm::Pseudo => return None,
        };
        // a base type and its functions need each other, so that neither can be dropped alone
        let cascade = if matches!(self.form, TypeForm::Base(_)) { " CASCADE" } else { "" };
        Some((create, format!("DROP {} {name}{cascade};\n", self.keyword())))
    }

    fn keyword(&self) -> &'static str {
        if matches!(self.form, TypeForm::Domain(_)) { "DOMAIN" } else { "TYPE" }
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if self.kind() == ObjectKind::DummyType {
            return;
        }
        let keyword = self.keyword();
        if object.dumps(Components::DEFINITION)
            && let Some((create, drop)) = self.statements(object, out)
        {
            out.push(Entry { create, drop, ..Entry::of(object, out.inventory, keyword) });
        }
        let name = out.quote().identifier(&object.name).into_owned();
        let schema = out.inventory.schema_name(object);
        out.comment(object, keyword, &name, schema);
        out.security_labels(object, keyword, &name, schema);
        out.acl(object, AclTarget::new("TYPE", &name, schema));
        match &self.form {
            TypeForm::Composite(attributes) => {
                // comments on columns belong to the type's relation, not to the type
                let relation = CatalogId { class: class::PG_CLASS, oid: self.relation };
                out.relation_comments(object, relation, None, |number| {
                    let attribute = attributes.iter().find(|attribute| attribute.number == number)?;
                    Some(&attribute.name)
                });
            }
            TypeForm::Domain(Some(domain)) => domain.constraint_comments(object, out),
            TypeForm::Domain(None)
            | TypeForm::Base(_)
            | TypeForm::Enumeration(_)
            | TypeForm::Range(_)
            | TypeForm::Undefined
            | TypeForm::Pseudo
            | TypeForm::RowType
            | TypeForm::Array
            | TypeForm::Multirange => {}
        }
    }
}

/// The declaration that stands before a type's functions, which the type's definition then completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellType {
    /// The type that it becomes.
    pub data_type: DumpId,
}

impl ShellType {
    /// Adds the shell of a type that is dumped; the shell itself is dumped only when the ordering finds that a function
    /// needs it.
    pub(super) fn add(inventory: &mut Inventory, data_type: DumpId) {
        let object = inventory.get(data_type);
        if !object.dumps(Components::DEFINITION) {
            return;
        }
        let shell = NewObject {
            catalog_id: CatalogId::default(),
            name: object.name.clone(),
            schema: object.schema.map_or(0, |schema| inventory.get(schema).catalog_id.oid),
            owner: object.owner.clone(),
            acl: None,
            detail: Detail::ShellType(Self { data_type }),
        };
        let id = inventory.add(shell);
        inventory.get_mut(id).dump = Components::NONE;
        if let Detail::DataType(data_type) = &mut inventory.get_mut(data_type).detail {
            data_type.shell = Some(id);
        }
    }

    pub(super) fn entries(object: &Object, out: &mut Emitter<'_>) {
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "SHELL TYPE");
            // no drop: the type's own entry has it, and a shell's owner cannot be changed
            entry.create = format!("CREATE TYPE {};\n", out.inventory.qualified(object, out.quote()));
            out.push(entry);
        }
    }
}

/// The type that a row of details is about.
pub(super) fn form_mut<'a>(
    row: &Record,
    inventory: &'a mut Inventory,
) -> Result<Option<(DumpId, &'a mut TypeForm)>, DecodeError> {
    let Some(id) = inventory.find(class::PG_TYPE, row.oid("oid")?) else { return Ok(None) };
    let Detail::DataType(data_type) = &mut inventory.get_mut(id).detail else { return Ok(None) };
    Ok(Some((id, &mut data_type.form)))
}

/// Notes that something in a type has a comment: a column or a constraint, which are commented on with their type.
pub(super) fn note_inner_comment(inventory: &mut Inventory, data_type: DumpId, commented: CatalogId) {
    if inventory.comments.contains_key(&commented) {
        let object = inventory.get_mut(data_type);
        object.components = object.components.with(Components::COMMENT);
    }
}

/// What SQL calls the type with this oid; `-`, as the server says of no type, for one of a sort that is not known.
pub(super) fn formatted(oid: u32, inventory: &Inventory) -> &str {
    if let Some(id) = inventory.find(class::PG_TYPE, oid)
        && let Detail::DataType(data_type) = &inventory.get(id).detail
    {
        return &data_type.formatted;
    }
    "-"
}
