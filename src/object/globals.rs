//! What a database needs of its cluster, as the script `globals.sql` beside an archive.

use super::acl::AclTarget;
use super::role::{Membership, Role, membership_statements};
use super::tablespace::Tablespace;
use super::{Acl, Quote, setting};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{DecodeError, Record};

/// Everything that belongs to no single database.
pub struct Globals {
    /// Roles by name, without the built-in `pg_` ones.
    pub roles: Vec<Role>,
    /// Who belongs to whom.
    pub memberships: Vec<Membership>,
    /// What is set for all roles in all databases, `name=value`.
    pub settings: Vec<String>,
    /// Tablespaces by name, without the built-in ones.
    pub tablespaces: Vec<Tablespace>,
    /// Rights to change server parameters, from server 15 on.
    pub parameters: Vec<Parameter>,
    /// The encoding of the names above.
    pub encoding: String,
    /// Whether the password hashes were read.
    pub has_passwords: bool,
}

/// The privileges on a server parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its privileges.
    pub acl: Acl,
    /// In whose name they were given: the cluster's first superuser.
    pub owner: String,
}

impl Parameter {
    /// A row of `sql/catalog/parameter_acl.sql`.
    pub fn decode(row: &Record) -> Result<Self, DecodeError> {
        let acl = Acl::decode(row, "acl", "acl_default")?;
        Ok(Self { name: row.string("parname")?, acl, owner: row.string("owner")? })
    }
}

impl Globals {
    /// The script, for psql; `restrict_key` is that of its `\restrict` lines, if it is to have these.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] when a name has a line end, which has been used to smuggle commands into scripts.
    pub fn script(&self, restrict_key: Option<&str>) -> Result<String> {
        self.refuse_line_ends()?;
        let quote = Quote::default();
        let mut sql = String::from("--\n-- PostgreSQL database cluster dump\n--\n\n");
        let restrict = |word: &str| restrict_key.map(|key| format!("\\{word} {key}\n\n")).unwrap_or_default();
        sql.push_str(&restrict("restrict"));
        sql.push_str("SET default_transaction_read_only = off;\n\n");
        sql.push_str(&format!("SET client_encoding = '{}';\n", self.encoding));
        sql.push_str("SET standard_conforming_strings = on;\n\n");
        let mut part = |title: &str, statements: String| {
            if !statements.is_empty() {
                sql.push_str(&format!("--\n-- {title}\n--\n\n{statements}\n"));
            }
        };
        part("Roles", self.roles.iter().map(|role| role.statements(quote)).collect());
        let for_all = self.settings.iter().map(|setting| setting::alter("ROLE ALL", setting, quote));
        let for_each = self.roles.iter().map(|role| role.setting_statements(quote));
        part("User Configurations", for_all.chain(for_each).collect());
        part("Role memberships", membership_statements(&self.memberships, quote));
        let parameters = self.parameters.iter().map(|parameter| {
            // a custom parameter's name has dots, each part being a name of its own
            let parts: Vec<_> = parameter.name.split('.').map(|part| quote.identifier(part)).collect();
            let name = parts.join(".");
            parameter.acl.statements(quote, &AclTarget::new("PARAMETER", &name, None), &parameter.owner, "")
        });
        part("Role privileges on configuration parameters", parameters.collect());
        part("Tablespaces", self.tablespaces.iter().map(|tablespace| tablespace.statements(quote)).collect());
        sql.push_str(&restrict("unrestrict"));
        sql.push_str("--\n-- PostgreSQL database cluster dump complete\n--\n");
        Ok(sql)
    }

    fn refuse_line_ends(&self) -> Result<()> {
        let roles = self.roles.iter().map(|role| ("role", &role.name));
        let tablespaces = self.tablespaces.iter().map(|tablespace| ("tablespace", &tablespace.name));
        match roles.chain(tablespaces).find(|(_, name)| name.contains(['\r', '\n'])) {
            None => Ok(()),
            Some((kind, name)) => {
                Err(Error::new(ErrorKind::Refused, format!("could not write {kind} {name:?} to globals.sql"))
                    .detail("its name has a line end")
                    .hint("Rename it: such names have been used to smuggle commands into scripts."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn globals(name: &str) -> Globals {
        let role = Role {
            name: name.to_owned(),
            attributes: vec!["SUPERUSER"],
            connection_limit: -1,
            password: Some(Secret::new("md5'x".to_owned())),
            valid_until: None,
            comment: None,
            labels: Vec::new(),
            settings: vec!["search_path=a, \"B\"".to_owned()],
        };
        Globals {
            roles: vec![role],
            memberships: Vec::new(),
            settings: vec!["work_mem=1MB".to_owned()],
            tablespaces: Vec::new(),
            parameters: Vec::new(),
            encoding: "UTF8".to_owned(),
            has_passwords: true,
        }
    }

    #[test]
    fn writes_roles_and_settings() {
        let script = globals("R").script(Some("k")).unwrap();
        for expected in [
            "\\restrict k\n",
            "CREATE ROLE \"R\";\nALTER ROLE \"R\" WITH SUPERUSER PASSWORD 'md5''x';\n",
            "ALTER ROLE ALL SET work_mem TO '1MB';\nALTER ROLE \"R\" SET search_path TO 'a', 'B';\n",
            "\\unrestrict k\n",
        ] {
            assert!(script.contains(expected), "{script}");
        }
        assert!(!script.contains("Tablespaces"));
    }

    #[test]
    fn refuses_names_with_line_ends() {
        let error = globals("a\n\\! x").script(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
}
