use crate::object::version::Version;

/// One catalog query: a file of `sql/catalog` for each major from which its text differs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query {
    /// The file's stem, which is the object kind's.
    pub(super) stem: &'static str,
    /// Texts by the first major that they fit, ascending.
    variants: &'static [(u32, &'static str)],
}

impl Query {
    /// A query whose texts stand in ascending order of the first major that they fit.
    pub(super) const fn new(stem: &'static str, variants: &'static [(u32, &'static str)]) -> Self {
        Self { stem, variants }
    }

    /// The text for a server; `None` where the server has no such objects.
    pub(super) fn for_version(&self, version: Version) -> Option<&'static str> {
        self.variants.iter().rev().find(|(from, _)| *from <= version.major()).map(|(_, text)| *text)
    }
}

/// The file `sql/catalog/<name>.sql`.
macro_rules! catalog_sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/catalog/", $name, ".sql"))
    };
}
pub(super) use catalog_sql;

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: Query = Query::new("x", &[(13, "old"), (16, "new")]);

    #[test]
    fn takes_the_newest_text_that_fits() {
        for (version, expected) in
            [(120_000, None), (130_023, Some("old")), (150_020, Some("old")), (180_006, Some("new"))]
        {
            assert_eq!(QUERY.for_version(Version(version)), expected);
        }
    }
}
