//! Subscriptions. They are restored without a connection to their publisher.

use super::table::push;
use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// The first major that streams transactions which are not complete; those before never do.
pub const STREAMING_MAJOR: u32 = 14;

/// The first major that can apply changes as the tables' owners; those before always do so as the subscription's.
pub const RUN_AS_OWNER_MAJOR: u32 = 16;

/// What only a subscription has.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// How the publisher is reached. It may hold a password; `None` where the role may not read it.
    pub connection: Option<String>,
    /// The replication slot's name, where it has one.
    pub slot: Option<String>,
    /// The publications.
    pub publications: Vec<String>,
    /// `subsynccommit`
    pub synchronous_commit: String,
    /// Whether rows come in binary form.
    pub is_binary: bool,
    /// `substream`: `f`, `t` or `p`; a boolean before 16.
    pub streaming: char,
    /// `subtwophasestate`: `d` is off.
    pub two_phase: char,
    /// Whether an error disables it.
    pub disable_on_error: bool,
    /// Whether its owner must give a password.
    pub password_required: bool,
    /// Whether changes are applied as its owner.
    pub run_as_owner: bool,
    /// Changes of which origin are taken: `any` or `none`.
    pub origin: String,
    /// Whether its slot is kept on standbys.
    pub failover: bool,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("publications", &self.publications).finish_non_exhaustive()
    }
}

impl Subscription {
    /// A row of `sql/catalog/subscription.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_SUBSCRIPTION, oid: row.oid("oid")? },
            name: row.string("subname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Subscription(Box::new(Self {
                connection: Some(row.string("subconninfo")?),
                slot: row.optional_string("subslotname")?,
                publications: row.strings("subpublications")?,
                synchronous_commit: row.string("subsynccommit")?,
                is_binary: row.boolean("subbinary")?,
                streaming: row.letter("substream")?,
                two_phase: row.letter("subtwophasestate")?,
                disable_on_error: row.boolean("subdisableonerr")?,
                password_required: row.boolean("subpasswordrequired")?,
                run_as_owner: row.boolean("subrunasowner")?,
                origin: row.string("suborigin")?,
                failover: row.boolean("subfailover")?,
            })),
        })
    }

    /// A row of `sql/catalog/subscription_name.sql`: a subscription that can be named, and not dumped.
    pub fn decode_name(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            // its oid may not be read either
            catalog_id: CatalogId::default(),
            name: row.string("subname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Subscription(Box::new(Self {
                connection: None,
                slot: None,
                publications: Vec::new(),
                synchronous_commit: String::new(),
                is_binary: false,
                streaming: 'f',
                two_phase: 'd',
                disable_on_error: false,
                password_required: true,
                run_as_owner: false,
                origin: String::new(),
                failover: false,
            })),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = quote.identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let publications: Vec<_> = self.publications.iter().map(|name| quote.identifier(name)).collect();
            let slot = self.slot.as_ref().map_or_else(|| "NONE".to_owned(), |slot| quote.literal(slot));
            let mut create = format!(
                "CREATE SUBSCRIPTION {name} CONNECTION {} PUBLICATION {} WITH (connect = false, slot_name = {slot}",
                quote.literal(self.connection.as_deref().unwrap_or_default()),
                publications.join(", ")
            );
            if self.is_binary {
                create.push_str(", binary = true");
            }
            let server = out.inventory.facts.version.major();
            create.push_str(match self.streaming {
                't' => ", streaming = on",
                'p' => ", streaming = parallel",
                // a server does not take what it does not know, be it what it does anyway
                _ if server < STREAMING_MAJOR => "",
                _ => ", streaming = off",
            });
            if self.two_phase != 'd' {
                create.push_str(", two_phase = on");
            }
            if self.disable_on_error {
                create.push_str(", disable_on_error = true");
            }
            if !self.password_required {
                create.push_str(", password_required = false");
            }
            if self.run_as_owner && server >= RUN_AS_OWNER_MAJOR {
                create.push_str(", run_as_owner = true");
            }
            if self.failover {
                create.push_str(", failover = true");
            }
            if self.synchronous_commit != "off" {
                push(&mut create, &[", synchronous_commit = ", &quote.identifier(&self.synchronous_commit)]);
            }
            if !self.origin.eq_ignore_ascii_case("any") {
                push(&mut create, &[", origin = ", &self.origin]);
            }
            create.push_str(");\n");
            let mut entry = Entry::of(object, out.inventory, "SUBSCRIPTION");
            entry.create = create;
            entry.drop = format!("DROP SUBSCRIPTION {name};\n");
            out.push(entry);
        }
        out.comment(object, "SUBSCRIPTION", &name, None);
        out.security_labels(object, "SUBSCRIPTION", &name, None);
    }
}
