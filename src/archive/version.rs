use std::fmt;

/// The archive version: what fields the header and the entries have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// pg_dump 9.0 to 10, before the search path fix.
    V1_12,
    /// pg_dump from the search path fix of 2018 to 11.
    V1_13,
    /// pg_dump 12 to 15: table access methods.
    V1_14,
    /// pg_dump 16: the compression method stands in the header.
    V1_15,
    /// pg_dump 17 and 18: relation kinds, several entries of large objects.
    V1_16,
}

impl Version {
    /// Every version that is read here.
    pub const ALL: [Self; 5] = [Self::V1_12, Self::V1_13, Self::V1_14, Self::V1_15, Self::V1_16];

    /// What is written when nobody asks for an older one.
    pub const NEWEST: Self = Self::V1_16;

    /// The newest version that this major of `pg_restore` reads, of those that are written here (1.14 and later).
    ///
    /// 1.14 has no way to say lz4 or zstd.
    pub const fn for_pg_restore(major: u32) -> Self {
        match major {
            0..=15 => Self::V1_14,
            16 => Self::V1_15,
            _ => Self::V1_16,
        }
    }

    /// The second number; the first is 1 and the third is 0.
    pub const fn minor(self) -> u8 {
        match self {
            Self::V1_12 => 12,
            Self::V1_13 => 13,
            Self::V1_14 => 14,
            Self::V1_15 => 15,
            Self::V1_16 => 16,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor())
    }
}
