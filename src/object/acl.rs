//! Privileges: `aclitem` texts, and the GRANT and REVOKE that turn what an object starts with into what it has.
//!
//! What an object starts with is what its extension or initdb gave it (`pg_init_privs`), else the built-in default of
//! its kind (`acldefault()`). A target whose default privileges differ from the built-in ones is not thought of here.

use super::{Acl, DumpId, Emitter, InitialPrivileges, Object, Quote, Section};
use crate::record::{DecodeError, Record};

/// One `aclitem`, as in `alice=r*w/bob`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclItem {
    /// Who has the privileges; empty for everybody.
    pub grantee: String,
    /// The letters, each with whether it may be handed on.
    pub privileges: Vec<(char, bool)>,
    /// Who gave them.
    pub grantor: String,
}

impl AclItem {
    /// Reads what `aclitemout` writes; `None` when the text is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let (grantee, rest) = parse_role(text)?;
        let (letters, grantor) = rest.strip_prefix('=')?.split_once('/')?;
        let (grantor, rest) = parse_role(grantor)?;
        if !rest.is_empty() {
            return None;
        }
        let mut privileges: Vec<(char, bool)> = Vec::new();
        for letter in letters.chars() {
            if letter == '*' {
                privileges.last_mut()?.1 = true;
            } else if PRIVILEGES.iter().any(|(known, _)| *known == letter) {
                privileges.push((letter, false));
            } else {
                return None;
            }
        }
        Some(Self { grantee, privileges, grantor })
    }

    fn has(&self, letter: char) -> Option<bool> {
        self.privileges.iter().find(|(known, _)| *known == letter).map(|(_, grantable)| *grantable)
    }
}

/// Reads a role's name up to an equals sign or the end; in quotes, a doubled quote is one.
fn parse_role(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        match rest.chars().next() {
            None | Some('=') => return Some((name, rest)),
            Some('"') => {
                rest = rest.get(1..)?;
                loop {
                    let quote = rest.find('"')?;
                    name.push_str(rest.get(..quote)?);
                    rest = rest.get(quote + 1..)?;
                    match rest.strip_prefix('"') {
                        Some(after) => {
                            name.push('"');
                            rest = after;
                        }
                        None => break,
                    }
                }
            }
            Some(character) => {
                name.push(character);
                rest = rest.get(character.len_utf8()..)?;
            }
        }
    }
}

/// A role's name as `aclitemout` writes it.
pub fn quote_role(name: &str) -> String {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Every privilege letter (PostgreSQL documentation, "Privileges", table "ACL Privilege Abbreviations").
const PRIVILEGES: &[(char, &str)] = &[
    ('r', "SELECT"),
    ('a', "INSERT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('m', "MAINTAIN"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('c', "CONNECT"),
    ('T', "TEMPORARY"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
];

/// The privileges that a kind of object has, in the order in which a dump lists them.
fn letters(kind: &str, on_column: bool) -> &'static str {
    match kind {
        "TABLE" | "TABLES" if on_column => "raxw",
        "TABLE" | "TABLES" => "raxdtDmw",
        "SEQUENCE" | "SEQUENCES" => "rUw",
        "FUNCTION" | "FUNCTIONS" | "PROCEDURE" | "PROCEDURES" => "X",
        "SCHEMA" | "SCHEMAS" => "CU",
        "DATABASE" => "CcT",
        "TABLESPACE" => "C",
        "PARAMETER" => "sA",
        "LARGE OBJECT" | "LARGE OBJECTS" => "rw",
        // languages, types, foreign-data wrappers and servers
        _ => "U",
    }
}

impl Acl {
    /// The privileges in a row: `items` names the column with the ACL, which may be null, `default` the one with what
    /// null stands for.
    ///
    /// # Errors
    ///
    /// When an item has a form or a privilege that is not known: leaving it out would lose a right in silence.
    pub fn decode(row: &Record, items: &str, default: &str) -> Result<Self, DecodeError> {
        let acl = Self {
            items: row.optional(items)?.is_some().then(|| row.strings(items)).transpose()?,
            default: row.strings(default)?,
            initial: None,
        };
        check_items(acl.items.iter().flatten().chain(&acl.default), items)?;
        Ok(acl)
    }

    /// What the object has at birth.
    pub fn base(&self) -> &[String] {
        match &self.initial {
            Some(initial) if !initial.items.is_empty() => &initial.items,
            Some(_) | None => &self.default,
        }
    }

    /// What the object has now; `None` where that is what it has at birth.
    fn current(&self) -> Option<&[String]> {
        match (&self.items, &self.initial) {
            (Some(items), _) => Some(items),
            (None, Some(_)) => Some(&self.default),
            (None, None) => None,
        }
    }

    /// The statements that turn what the object has at birth into what it has now; empty where these are the same.
    ///
    /// `on` is what stands behind `ON`: `TABLE public.t`; `column` is a quoted column name; `prefix` stands before each
    /// GRANT and REVOKE.
    pub fn statements(&self, quote: Quote, target: &AclTarget<'_>, owner: &str, prefix: &str) -> String {
        let Some(current) = self.current() else { return String::new() };
        let schema = target.schema.map(|schema| format!("{}.", quote.identifier(schema))).unwrap_or_default();
        let name = format!("{schema}{}", target.name);
        // default privileges are about no single object
        let on = if name.is_empty() { format!("ON {}", target.kind) } else { format!("ON {} {name}", target.kind) };
        let role = |name: &str| match name {
            "" => "PUBLIC".to_owned(),
            name => quote.identifier(name).into_owned(),
        };
        let mut first = String::new();
        for item in self.base().iter().filter(|item| !current.contains(item)) {
            let item = AclItem::parse(item).expect("Acl::decode took it");
            let (plain, grantable) = split(&item, target, false);
            debug_assert!(grantable.is_none(), "a revoke takes the grant option with the privilege");
            if let Some(plain) = plain {
                first.push_str(&format!("{prefix}REVOKE {plain} {on} FROM {};\n", role(&item.grantee)));
            }
        }
        let mut second = String::new();
        for item in current.iter().filter(|item| !self.base().contains(item)) {
            let item = AclItem::parse(item).expect("Acl::decode took it");
            let (plain, grantable) = split(&item, target, true);
            if plain.is_none() && grantable.is_none() {
                continue;
            }
            // an owner who gives up the right to hand on what he has must do it before others hand it on
            let own = !owner.is_empty() && item.grantee == owner && item.grantor == owner;
            let out = if own { &mut first } else { &mut second };
            let foreign = item.grantor != owner;
            if foreign {
                out.push_str(&format!("SET SESSION AUTHORIZATION {};\n", quote.identifier(&item.grantor)));
            }
            if let Some(plain) = plain {
                out.push_str(&format!("{prefix}GRANT {plain} {on} TO {};\n", role(&item.grantee)));
            }
            if let Some(grantable) = grantable {
                let grantee = role(&item.grantee);
                out.push_str(&format!("{prefix}GRANT {grantable} {on} TO {grantee} WITH GRANT OPTION;\n"));
            }
            if foreign {
                out.push_str("RESET SESSION AUTHORIZATION;\n");
            }
        }
        first + &second
    }
}

impl InitialPrivileges {
    /// A row of `sql/catalog/initial_privilege.sql`.
    pub fn decode(row: &Record) -> Result<Self, DecodeError> {
        let items = row.strings("initprivs")?;
        check_items(items.iter(), "initprivs")?;
        Ok(Self { origin: row.letter("privtype")?, items })
    }
}

fn check_items<'a>(mut items: impl Iterator<Item = &'a String>, column: &str) -> Result<(), DecodeError> {
    match items.find(|item| AclItem::parse(item).is_none()) {
        None => Ok(()),
        Some(item) => Err(DecodeError {
            column: column.to_owned(),
            problem: format!("privilege \"{item}\" has an unknown form or letter"),
        }),
    }
}

/// The privileges of an item as GRANT takes them: those without, and those with the grant option.
fn split(item: &AclItem, target: &AclTarget<'_>, grant: bool) -> (Option<String>, Option<String>) {
    let letters = letters(target.kind, target.column.is_some());
    let column = target.column.map(|column| format!("({column})")).unwrap_or_default();
    let (mut plain, mut grantable) = (Vec::new(), Vec::new());
    for letter in letters.chars() {
        let name = PRIVILEGES.iter().find(|(known, _)| *known == letter).map_or("", |(_, name)| name);
        match item.has(letter) {
            Some(true) if grant => grantable.push(name),
            Some(_) => plain.push(name),
            None => {}
        }
    }
    let all = letters.chars().count();
    let text = |names: Vec<&str>| match names.len() {
        0 => None,
        count if count == all => Some(format!("ALL{column}")),
        _ => Some(names.iter().map(|name| format!("{name}{column}")).collect::<Vec<_>>().join(",")),
    };
    (text(plain), text(grantable))
}

/// What privileges are about.
#[derive(Clone, Copy, Debug)]
pub struct AclTarget<'a> {
    /// The word behind `ON`: `TABLE`, `SEQUENCE`, `FUNCTION`, `FOREIGN DATA WRAPPER`, ...
    pub kind: &'a str,
    /// The object's name as SQL, without its schema.
    pub name: &'a str,
    /// The schema's bare name.
    pub schema: Option<&'a str>,
    /// The column's name as SQL, where the privileges are a column's.
    pub column: Option<&'a str>,
    /// The entry's tag, where it is not `KIND name` or `COLUMN name.column`.
    pub tag: Option<&'a str>,
    /// The ACL entry of the whole relation, which must come before that of a column.
    pub after: Option<DumpId>,
}

impl<'a> AclTarget<'a> {
    /// A whole object.
    pub fn new(kind: &'a str, name: &'a str, schema: Option<&'a str>) -> Self {
        Self { kind, name, schema, column: None, tag: None, after: None }
    }

    /// A column of a relation, whose own ACL entry is `after`.
    pub fn column(table: &'a str, schema: Option<&'a str>, column: &'a str, after: Option<DumpId>) -> Self {
        Self { column: Some(column), after, ..Self::new("TABLE", table, schema) }
    }
}

impl Emitter<'_> {
    /// Writes an object's `ACL` entry, if its privileges are to be dumped and are not those that it has at birth.
    ///
    /// The result is the entry's number, if there is one.
    pub fn acl(&mut self, object: &Object, target: AclTarget<'_>) -> Option<DumpId> {
        let acl = object.acl.as_ref()?;
        self.acl_of(object, acl, target)
    }

    /// The same for a part of the object that has privileges of its own: a column.
    pub fn acl_of(&mut self, object: &Object, acl: &Acl, target: AclTarget<'_>) -> Option<DumpId> {
        if !self.options.include_acl || !object.dumps(super::Components::ACL) {
            return None;
        }
        let create = acl.statements(self.quote(), &target, &object.owner, "");
        if create.is_empty() {
            return None;
        }
        let tag = match (target.tag, target.column) {
            (Some(tag), _) => tag.to_owned(),
            (None, Some(column)) => format!("COLUMN {}.{column}", target.name),
            (None, None) => format!("{} {}", target.kind, target.name),
        };
        let dependencies = std::iter::once(object.id).chain(target.after).collect();
        Some(self.attach(object, "ACL", tag, target.schema, create, dependencies))
    }

    /// Adds an entry that belongs to an object and has no section of its own: a comment, a label, an ACL.
    ///
    /// The result is its number.
    pub fn attach(
        &mut self,
        object: &Object,
        kind: &'static str,
        tag: String,
        schema: Option<&str>,
        create: String,
        dependencies: Vec<DumpId>,
    ) -> DumpId {
        let id = self.new_id();
        self.push(super::Entry {
            id,
            catalog_id: super::CatalogId::default(),
            tag,
            section: Section::None,
            schema: schema.map(str::to_owned),
            create,
            dependencies: Some(dependencies),
            ..super::Entry::of(object, self.inventory, kind)
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(items: Option<&[&str]>, default: &[&str], initial: Option<&[&str]>) -> Acl {
        let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        Acl {
            items: items.map(own),
            default: own(default),
            initial: initial.map(|items| InitialPrivileges { origin: 'e', items: own(items) }),
        }
    }

    fn table(acl: &Acl) -> String {
        acl.statements(Quote::default(), &AclTarget::new("TABLE", "t", Some("s")), "own", "")
    }

    #[test]
    fn reads_items_with_quoted_names() {
        let item = AclItem::parse("\"a\"\"b=/\"=r*w/\"x y\"").unwrap();
        assert_eq!((item.grantee.as_str(), item.grantor.as_str()), ("a\"b=/", "x y"));
        assert_eq!(item.privileges, [('r', true), ('w', false)]);
        for bad in ["", "a", "a=r", "a=?/b", "a=*/b", "\"a=r/b"] {
            assert_eq!(AclItem::parse(bad), None, "{bad}");
        }
        assert_eq!(AclItem::parse(&format!("{}=/x", quote_role("ü \""))).unwrap().grantee, "ü \"");
    }

    #[test]
    fn says_nothing_where_nothing_was_changed() {
        let default = ["own=arwdDxtm/own"];
        assert_eq!(table(&acl(None, &default, None)), "");
        assert_eq!(table(&acl(Some(&default), &default, None)), "");
        assert_eq!(table(&acl(Some(&["=r/own"]), &default, Some(&["=r/own"]))), "");
    }

    #[test]
    fn revokes_before_it_grants_and_puts_the_owner_first() {
        let acl = acl(Some(&["=r/own", "bob=r*w/own", "own=r/own", "eve=r/bob"]), &["own=arwdDxtm/own"], None);
        assert_eq!(
            table(&acl),
            "REVOKE ALL ON TABLE s.t FROM own;\nGRANT SELECT ON TABLE s.t TO own;\nGRANT SELECT ON TABLE s.t TO PUBLIC;\n\
             GRANT UPDATE ON TABLE s.t TO bob;\nGRANT SELECT ON TABLE s.t TO bob WITH GRANT OPTION;\n\
             SET SESSION AUTHORIZATION bob;\nGRANT SELECT ON TABLE s.t TO eve;\nRESET SESSION AUTHORIZATION;\n"
        );
    }

    #[test]
    fn starts_from_what_an_extension_gave() {
        let acl = acl(Some(&["own=arwdDxtm/own"]), &["own=arwdDxtm/own"], Some(&["own=arwdDxtm/own", "=r/own"]));
        assert_eq!(table(&acl), "REVOKE SELECT ON TABLE s.t FROM PUBLIC;\n");
    }

    #[test]
    fn names_the_column_behind_each_privilege() {
        let target = AclTarget::column("t", None, "\"C\"", None);
        let some = acl(Some(&["bob=rx/own"]), &[], None).statements(Quote::default(), &target, "own", "");
        assert_eq!(some, "GRANT SELECT(\"C\"),REFERENCES(\"C\") ON TABLE t TO bob;\n");
        let all = acl(Some(&["bob=a*r*w*x*/own"]), &[], None).statements(Quote::default(), &target, "own", "");
        assert_eq!(all, "GRANT ALL(\"C\") ON TABLE t TO bob WITH GRANT OPTION;\n");
    }
}
