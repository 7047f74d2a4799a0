use serde::{Deserialize, Serialize};

/// How deep a verification looks. Each level builds on those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every file is there, readable, of its size and its checksum.
    Files,
    /// Every entry and every data block is decoded to its end.
    Archive,
    /// The count and the digest of each table's rows.
    Rows,
    /// The objects that must be there, and the volume of the data.
    Expectations,
    /// A live database is compared with the backup.
    Live,
}

impl Level {
    /// Every level, in their order.
    pub const ALL: [Self; 5] = [Self::Files, Self::Archive, Self::Rows, Self::Expectations, Self::Live];

    /// As the command line and reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Archive => "archive",
            Self::Rows => "rows",
            Self::Expectations => "expectations",
            Self::Live => "live",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Where it was found.
    pub level: Level,
    /// What it is.
    pub kind: FindingKind,
    /// What it is about: a file, a table, `public.orders.owner_only`.
    pub object: String,
    /// The facts: what was expected and what was found.
    pub detail: String,
    /// Somebody wished for something else, by `--require-table` or `verify.toml`: the backup is what was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wished: bool,
}

impl Finding {
    /// A finding about an object.
    pub fn new(level: Level, kind: FindingKind, object: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { level, kind, object: object.into(), detail: detail.into(), wished: false }
    }
}

macro_rules! finding_kinds {
    ($($kind:ident $name:literal $message:literal $hint:literal,)+) => {
        /// What is not as it should be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FindingKind {
            $(#[doc = $message] #[serde(rename = $name)] $kind,)+
        }

        impl FindingKind {
            /// Every kind, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The name in JSON, which stays: other programs go by it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The fact in words, to be read behind the object: `file "archive.dump" is missing`.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$kind => $message,)+ }
            }

            /// What to do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$kind => $hint,)+ }
            }
        }
    };
}

// One line a kind: variant, name, message, hint. The line is the fact's only home.
finding_kinds! {
    FileMissing "file_missing" "file is missing" "Copy the backup again from another store with db upload, or use another backup.",
    FileUnreadable "file_unreadable" "file cannot be read" "Check the permissions and the health of the disk or of the store.",
    FileSize "file_size" "file has the wrong size" "Copy the backup again from another store with db upload, or use another backup.",
    FileChecksum "file_checksum" "file has been changed since it was written" "Copy the backup again from another store with db upload, or use another backup.",
    FileUnstable "file_unstable" "file reads differently each time" "The store or the network gives wrong bytes: check the disk, the memory and the proxy between.",
    ProofDamaged "proof_damaged" "evidence of an earlier check is damaged" "The backup itself is not concerned; delete the file and check again.",
    HeadDamaged "head_damaged" "table of contents cannot be decoded" "Use another backup; pg_restore cannot read this one either.",
    DataDamaged "data_damaged" "data cannot be decoded" "The other tables can be restored; take this one from another backup.",
    DataMissing "data_missing" "data is not in the archive" "The other tables can be restored; take this one from another backup.",
    DataUnexpected "data_unexpected" "data belongs to no entry" "The archive was not written by one run; use another backup.",
    EntryCount "entry_count" "number of entries is not that of the manifest" "The archive and the manifest are not of one backup; use another one.",
    TableRecord "table_record" "the manifest has not exactly one record of each table's rows" "The archive and the manifest are not of one backup; use another one.",
    RowCount "row_count" "number of rows is not that of the source" "Rows are lost or added; use another backup and report this.",
    RowDigest "row_digest" "rows are not those of the source" "Values have changed; use another backup and report this.",
    LargeObjects "large_objects" "large objects are not those of the source" "Use another backup for them, and report this.",
    TableMissing "table_missing" "table is missing" "Check the selection of the backup and the rights of its role.",
    ObjectMissing "object_missing" "object is missing" "Check the selection of the backup; restore the object from another backup.",
    ObjectUnexpected "object_unexpected" "object is not in the backup" "It was made after the backup, or the backup leaves it out.",
    Volume "volume" "data has shrunk" "Look for deleted rows or a wrong source; raise [volume] max_shrink_percent in verify.toml if it is right.",
    OwnerDiffers "owner" "owner differs" "Set it with ALTER ... OWNER TO, or restore without --no-owner.",
    RightsDiffer "rights" "rights differ" "Compare the GRANTs; default privileges of the target may have added some.",
    ColumnDiffers "column" "column differs" "Compare the definitions; a migration may have run since the backup.",
    RowSecurityDiffers "row_security" "row-level security is not as in the backup" "Run ALTER TABLE ... ENABLE or FORCE ROW LEVEL SECURITY before anybody connects.",
    PolicyDiffers "policy" "policy is not as in the backup" "Create the policy again from the backup's definition before anybody connects.",
    IndexDiffers "index" "index differs" "Create it again; an invalid one needs REINDEX.",
    ConstraintDiffers "constraint" "constraint differs" "Create it again; one that is not validated needs ALTER TABLE ... VALIDATE CONSTRAINT.",
    TriggerDiffers "trigger" "trigger differs" "Create or enable it again from the backup's definition.",
    SequenceDiffers "sequence" "sequence differs" "Set it with setval() before rows are inserted, or keys will collide.",
    RoutineDiffers "routine" "function differs" "Compare the definitions; SECURITY DEFINER decides whose rights it runs with.",
    DefinitionDiffers "definition" "definition differs" "Compare the definitions; a migration may have run since the backup.",
    CommentDiffers "comment" "comment differs" "Set it with COMMENT ON from the backup's statement.",
    SettingDiffers "setting" "settings of the database differ" "Compare ALTER DATABASE ... SET and ALTER ROLE ... IN DATABASE ... SET.",
    NotPopulated "not_populated" "materialized view is not populated as in the backup" "Run REFRESH MATERIALIZED VIEW; until then nobody can read it.",
    ExtensionDiffers "extension" "extension differs" "Install it with CREATE EXTENSION, or update it to the version of the source.",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_its_own_name_and_a_sentence_of_advice() {
        let names: HashSet<&str> = FindingKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), FindingKind::ALL.len());
        for kind in FindingKind::ALL {
            assert!(kind.hint().ends_with('.'), "{kind:?}");
            assert!(!kind.message().ends_with('.'), "{kind:?}");
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("{:?}", kind.name()));
        }
    }

    #[test]
    fn levels_are_in_order() {
        assert!(Level::ALL.is_sorted());
    }
}
