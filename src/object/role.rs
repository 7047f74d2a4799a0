//! Roles, who belongs to whom, and what is set for their sessions. They belong to the whole cluster: an archive does not
//! hold them, the `globals.sql` beside it does.

use std::collections::HashSet;

use super::security_label::SharedLabel;
use super::{Quote, setting};
use crate::record::{DecodeError, Record};
use crate::secret::Secret;

/// A role.
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its attributes as `ALTER ROLE ... WITH` takes them.
    pub attributes: Vec<&'static str>,
    /// The most connections at a time; -1 is no limit.
    pub connection_limit: i32,
    /// The hash of its password, where it was asked for.
    pub password: Option<Secret>,
    /// Until when the password holds.
    pub valid_until: Option<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its security labels.
    pub labels: Vec<SharedLabel>,
    /// What is set for its sessions in every database, `name=value`.
    pub settings: Vec<String>,
}

/// That a role belongs to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The role that has members.
    pub role: String,
    /// The member.
    pub member: String,
    /// Who granted it; `None` before server 16, which does not look after that.
    pub grantor: Option<String>,
    /// Whether it was the role that initdb made.
    pub is_by_first: bool,
    /// Whether the member may grant it on.
    pub is_admin: bool,
    /// Whether the member has the role's rights; `None` before server 16, where the member's own attribute says so.
    pub inherits: Option<bool>,
    /// Whether the member may become the role; `None` before server 16.
    pub may_set: Option<bool>,
}

impl Role {
    /// A row of `sql/catalog/role.sql`.
    pub fn decode(row: &Record) -> Result<Self, DecodeError> {
        let attributes = [
            ("rolsuper", "SUPERUSER", "NOSUPERUSER"),
            ("rolinherit", "INHERIT", "NOINHERIT"),
            ("rolcreaterole", "CREATEROLE", "NOCREATEROLE"),
            ("rolcreatedb", "CREATEDB", "NOCREATEDB"),
            ("rolcanlogin", "LOGIN", "NOLOGIN"),
            ("rolreplication", "REPLICATION", "NOREPLICATION"),
            ("rolbypassrls", "BYPASSRLS", "NOBYPASSRLS"),
        ];
        Ok(Self {
            name: row.string("rolname")?,
            attributes: (attributes.iter())
                .map(|(column, yes, no)| Ok(if row.boolean(column)? { *yes } else { *no }))
                .collect::<Result<_, _>>()?,
            connection_limit: row.number("rolconnlimit")?,
            password: row.optional_string("password")?.map(Secret::new),
            valid_until: row.optional_string("rolvaliduntil")?,
            comment: row.optional_string("comment")?,
            labels: SharedLabel::decode(row)?,
            settings: row.strings("settings")?,
        })
    }

    /// `CREATE ROLE`, then everything about it: a role that is there already fails the first and gets the rest.
    pub(super) fn statements(&self, quote: Quote) -> String {
        let name = quote.identifier(&self.name);
        let mut sql = format!("CREATE ROLE {name};\nALTER ROLE {name} WITH {}", self.attributes.join(" "));
        if self.connection_limit != -1 {
            sql.push_str(&format!(" CONNECTION LIMIT {}", self.connection_limit));
        }
        if let Some(password) = &self.password {
            sql.push_str(&format!(" PASSWORD {}", quote.literal(password.expose())));
        }
        if let Some(until) = &self.valid_until {
            sql.push_str(&format!(" VALID UNTIL {}", quote.literal(until)));
        }
        sql.push_str(";\n");
        if let Some(comment) = &self.comment {
            sql.push_str(&format!("COMMENT ON ROLE {name} IS {};\n", quote.literal(comment)));
        }
        sql.extend(self.labels.iter().map(|label| label.statement("ROLE", &name, quote)));
        sql
    }

    pub(super) fn setting_statements(&self, quote: Quote) -> String {
        let target = format!("ROLE {}", quote.identifier(&self.name));
        self.settings.iter().map(|setting| setting::alter(&target, setting, quote)).collect()
    }
}

impl Membership {
    /// A row of `sql/catalog/membership.sql`.
    pub fn decode(row: &Record) -> Result<Self, DecodeError> {
        let flag = |column: &str| Ok(row.optional(column)?.map(|text| text == "t"));
        Ok(Self {
            role: row.string("role")?,
            member: row.string("member")?,
            grantor: row.optional_string("grantor")?,
            is_by_first: row.boolean("is_by_first")?,
            is_admin: row.boolean("admin_option")?,
            inherits: flag("inherit_option")?,
            may_set: flag("set_option")?,
        })
    }

    fn statement(&self, quote: Quote, names_grantor: bool) -> String {
        let mut options = Vec::new();
        if self.is_admin {
            options.push("ADMIN OPTION".to_owned());
        }
        match self.inherits {
            Some(true) => options.push("INHERIT TRUE".to_owned()),
            Some(false) => options.push("INHERIT FALSE".to_owned()),
            None => {}
        }
        if self.may_set == Some(false) {
            options.push("SET FALSE".to_owned());
        }
        let with = if options.is_empty() { String::new() } else { format!(" WITH {}", options.join(", ")) };
        let by = self.grantor.as_deref().filter(|_| names_grantor);
        let by = by.map(|grantor| format!(" GRANTED BY {}", quote.identifier(grantor))).unwrap_or_default();
        format!("GRANT {} TO {}{with}{by};\n", quote.identifier(&self.role), quote.identifier(&self.member))
    }
}

/// The statements that make the memberships, in an order in which each grantor may already grant.
///
/// A grantor is the role that initdb made, or has the right from a membership before; being a superuser is not enough. What
/// stays over is granted in the restoring role's name.
pub(super) fn membership_statements(memberships: &[Membership], quote: Quote) -> String {
    let mut sql = String::new();
    for of_one_role in memberships.chunk_by(|one, other| one.role == other.role) {
        let mut admins: HashSet<&str> = HashSet::new();
        let mut left: Vec<&Membership> = of_one_role.iter().collect();
        loop {
            let before = left.len();
            left.retain(|membership| {
                let grantor = membership.grantor.as_deref();
                let may = membership.is_by_first || grantor.is_none_or(|grantor| admins.contains(grantor));
                if may {
                    sql.push_str(&membership.statement(quote, true));
                    if membership.is_admin {
                        admins.insert(&membership.member);
                    }
                }
                !may
            });
            if left.len() == before {
                break;
            }
        }
        sql.extend(left.iter().map(|membership| membership.statement(quote, false)));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_in_an_order_in_which_each_grantor_may() {
        let membership = |role: &str, member: &str, grantor: &str, is_admin| Membership {
            role: role.to_owned(),
            member: member.to_owned(),
            grantor: Some(grantor.to_owned()),
            is_by_first: grantor == "root",
            is_admin,
            inherits: Some(true),
            may_set: Some(!is_admin),
        };
        let memberships = [
            membership("a", "c", "b", false),
            membership("a", "b", "root", true),
            membership("a", "d", "nobody", false),
        ];
        assert_eq!(
            membership_statements(&memberships, Quote::default()),
            "GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE, SET FALSE GRANTED BY root;\n\
             GRANT a TO c WITH INHERIT TRUE GRANTED BY b;\nGRANT a TO d WITH INHERIT TRUE;\n"
        );
        let old = Membership { inherits: None, may_set: None, ..membership("a", "b", "root", false) };
        assert_eq!(old.statement(Quote::default(), true), "GRANT a TO b GRANTED BY root;\n");
    }
}
