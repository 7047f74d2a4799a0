//! The row of the database itself.

use super::not_understood;
use super::query::{Query, catalog_sql};
use crate::error::Result;
use crate::object::database::Database;
use crate::server::{Connection, Statement};

const DATABASE: Query = Query::new(
    "database",
    &[
        (13, catalog_sql!("database")),
        (15, catalog_sql!("database.pg15")),
        (16, catalog_sql!("database.pg16")),
        (17, catalog_sql!("database.pg17")),
    ],
);

/// Reads the database of this session: what makes it and what is set for it.
pub async fn read_database(connection: &mut Connection) -> Result<Database> {
    let sql = DATABASE.for_version(connection.version()).unwrap_or(catalog_sql!("database"));
    let statement = |name, sql| Statement { name, sql, parameters: &[] };
    let results = connection
        .pipeline(&[
            statement("database", sql),
            statement("database_setting", catalog_sql!("database_setting")),
            statement("database_label", catalog_sql!("database_label")),
        ])
        .await?;
    let rows = |number: usize| results.get(number).map(Vec::as_slice).unwrap_or_default();
    let row = rows(0).first().ok_or_else(|| {
        crate::error::Error::new(
            crate::error::ErrorKind::Server,
            "could not find this session's database in the catalog",
        )
    })?;
    Database::decode(row, rows(1), rows(2)).map_err(|error| not_understood("database", &error))
}
