//! What belongs to the whole cluster: roles, tablespaces, rights on parameters.

use super::not_understood;
use super::query::{Query, catalog_sql};
use crate::error::{ErrorKind, Result};
use crate::object::globals::{Globals, Parameter};
use crate::object::role::{Membership, Role};
use crate::object::tablespace::Tablespace;
use crate::record::{DecodeError, Record};
use crate::server::{Connection, Statement};

const MEMBERSHIP: Query =
    Query::new("membership", &[(13, catalog_sql!("membership")), (16, catalog_sql!("membership.pg16"))]);
const PARAMETER: Query = Query::new("parameter_acl", &[(15, catalog_sql!("parameter_acl.pg15"))]);

/// Whether the hashes of passwords are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passwords {
    /// Every role may read the rest.
    LeaveOut,
    /// Only a superuser may.
    Read,
}

/// Reads the roles, memberships, settings, tablespaces and rights on parameters of the cluster.
///
/// # Errors
///
/// When the hashes of passwords are asked for and this role may not read them.
pub async fn read_globals(connection: &mut Connection, passwords: Passwords) -> Result<Globals> {
    let version = connection.version();
    let role = match passwords {
        Passwords::LeaveOut => catalog_sql!("role"),
        Passwords::Read => catalog_sql!("role_password"),
    };
    let membership = MEMBERSHIP.for_version(version).unwrap_or(catalog_sql!("membership"));
    let mut queries = vec![
        ("role", role),
        ("membership", membership),
        ("role_setting", catalog_sql!("role_setting")),
        ("tablespace", catalog_sql!("tablespace")),
    ];
    queries.extend(PARAMETER.for_version(version).map(|sql| ("parameter_acl", sql)));
    let statements: Vec<Statement<'_>> =
        queries.iter().map(|(name, sql)| Statement { name, sql, parameters: &[] }).collect();
    let mut results = connection.pipeline(&statements).await.map_err(|error| match passwords {
        Passwords::Read if error.kind() == ErrorKind::Server || error.kind() == ErrorKind::Refused => {
            error.hint("Only a superuser may read password hashes; leave --role-passwords out.")
        }
        Passwords::Read | Passwords::LeaveOut => error,
    })?;
    results.resize(5, Vec::new());
    let rows = |number: usize| results.get(number).map(Vec::as_slice).unwrap_or_default();
    let encoding = connection.parameter("client_encoding").unwrap_or("UTF8").to_owned();
    Ok(Globals {
        roles: decode("role", rows(0), Role::decode)?,
        memberships: decode("membership", rows(1), Membership::decode)?,
        settings: decode("role_setting", rows(2), |row| row.string("setting"))?,
        tablespaces: decode("tablespace", rows(3), Tablespace::decode)?,
        parameters: decode("parameter_acl", rows(4), Parameter::decode)?,
        encoding,
        has_passwords: passwords == Passwords::Read,
    })
}

fn decode<T>(stem: &str, rows: &[Record], decode: impl Fn(&Record) -> Result<T, DecodeError>) -> Result<Vec<T>> {
    rows.iter().map(decode).collect::<Result<_, _>>().map_err(|error| not_understood(stem, &error))
}
