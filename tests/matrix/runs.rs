//! Ways to make a dump, each with the groups that it is in: a run is in a group when it shows what the group stands for.
//!
//! A new option is one line here: its arguments, and with `without` or `with` what it hides or adds.

use std::collections::BTreeSet;

/// What a dump shows unless an option hides it.
///
/// Sections: `pre`, `data`, `post`; `refresh` of materialized views; `position` of sequences. Places: `database` is what lies
/// in no schema; `main` the schema matrix, but for the table `chosen`, which runs choose, and for the partitioned table
/// `root` with its partitions, `leaf`; `second` the schema matrix_2, with one more partition, `second_leaf`; `public`;
/// `quoted` the schema whose name has to be quoted. `schema_entry` is a schema itself. The others are aspects.
const USUAL: &str = "pre data post refresh position \
    database main schema_entry chosen root leaf second second_leaf public quoted extension extension_acl \
    system blob comment acl owner policy publication subscription tablespace method compression unlogged rows copy_to_leaf";

/// What only one option shows: `--create`, `--clean`, `--if-exists`, `--load-via-partition-root`, `--quote-all-identifiers`.
const SPECIAL: &str = "create drop_plain drop_if_exists copy_to_root quote_all";

/// How a dump becomes text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// It is text: `db backup -F plain`.
    Plain,
    /// pg_restore writes what an archive of `db backup` holds.
    Packed,
    /// pg_restore writes a part of the archive of a whole database. `db restore` takes the same options.
    Restored,
}

/// One way to make a dump.
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// Given to `db` and to the stock program. `{file}` stands for the file below, `{list}` for a list of the archive.
    pub(super) options: Vec<&'static str>,
    /// Given to `db` alone: how an archive is packed.
    pub(super) packing: Vec<&'static str>,
    pub(super) file: &'static str,
    pub(super) groups: BTreeSet<&'static str>,
    /// What it restores is the whole database.
    pub(super) is_whole: bool,
    /// Schemas that pg_restore makes only by another call, while `db restore` has made them by this one.
    pub(super) made: Vec<&'static str>,
    /// Schemas that pg_restore has made empty, while `db restore` leaves them out.
    pub(super) unmade: Vec<&'static str>,
}

/// Whether a group is one that runs have.
pub(super) fn is_group(name: &str) -> bool {
    USUAL.split(' ').chain(SPECIAL.split(' ')).any(|group| group == name)
}

fn run(name: &'static str, form: Form, options: &[&'static str]) -> Run {
    Run {
        name,
        form,
        options: options.to_vec(),
        packing: Vec::new(),
        file: "",
        groups: USUAL.split(' ').collect(),
        is_whole: false,
        made: Vec::new(),
        unmade: Vec::new(),
    }
}

fn plain(name: &'static str, options: &[&'static str]) -> Run {
    run(name, Form::Plain, options)
}

fn packed(name: &'static str, packing: &[&'static str]) -> Run {
    Run { packing: packing.to_vec(), is_whole: true, ..run(name, Form::Packed, &[]) }
}

fn restored(name: &'static str, options: &[&'static str]) -> Run {
    run(name, Form::Restored, options)
}

impl Run {
    /// It is not in these groups.
    fn without(mut self, groups: &'static str) -> Self {
        for group in groups.split(' ') {
            assert!(self.groups.remove(group), "{}: not in {group}", self.name);
        }
        self
    }

    /// It is in these groups too.
    fn with(mut self, groups: &'static str) -> Self {
        for group in groups.split(' ') {
            assert!(is_group(group) && self.groups.insert(group), "{}: {group}", self.name);
        }
        self
    }

    /// Of the places it shows these alone.
    fn only(self, places: &str) -> Self {
        const PLACES: &str = "database main schema_entry chosen root leaf second second_leaf public quoted \
            extension extension_acl system blob";
        let mut this = self;
        for place in PLACES.split(' ').filter(|place| !places.split(' ').any(|wanted| wanted == *place)) {
            this.groups.remove(place);
        }
        this
    }

    /// It shows what lists it by name alone.
    fn nothing(mut self) -> Self {
        self.groups.clear();
        self
    }

    fn packing(mut self, options: &[&'static str]) -> Self {
        self.packing = options.to_vec();
        self
    }

    const fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }

    fn making(mut self, schemas: &[&'static str]) -> Self {
        self.made = schemas.to_vec();
        self
    }

    fn unmaking(mut self, schemas: &[&'static str]) -> Self {
        self.unmade = schemas.to_vec();
        self
    }

    const fn file(mut self, text: &'static str) -> Self {
        self.file = text;
        self
    }
}

/// Every way.
pub(super) fn runs() -> Vec<Run> {
    let mut all = whole();
    all.extend(content());
    all.extend(selection());
    all.extend(from_archive());
    all
}

/// The whole database in every form.
fn whole() -> Vec<Run> {
    vec![
        plain("plain", &[]).whole(),
        packed("custom", &[]),
        packed("custom_gzip", &["-Z", "gzip"]),
        packed("custom_gzip_best", &["-Z", "gzip:9"]),
        packed("custom_lz4", &["-Z", "lz4"]),
        packed("custom_zstd_long", &["-Z", "zstd:12"]),
        packed("custom_none", &["-Z", "none"]),
        packed("custom_for_13", &["--for-pg-restore", "13"]),
        packed("directory", &["-F", "directory", "-j", "3"]),
        packed("directory_gzip", &["-F", "directory", "-Z", "gzip"]),
        packed("directory_lz4", &["-F", "directory", "-Z", "lz4"]),
        packed("directory_none", &["-F", "directory", "-Z", "none"]),
        packed("directory_for_13", &["-F", "directory", "--for-pg-restore", "13"]),
        packed("tar", &["-F", "tar"]),
        packed("tar_for_13", &["-F", "tar", "--for-pg-restore", "13"]),
        plain("plain_gzip", &[]).packing(&["-Z", "gzip"]).whole(),
        plain("plain_lz4", &[]).packing(&["-Z", "lz4"]).whole(),
        plain("plain_zstd", &[]).packing(&["-Z", "zstd"]).whole(),
        plain("role", &["--role", "postgres"]).whole(),
        plain("serializable", &["--serializable-deferrable"]).whole(),
        plain("row_security", &["--enable-row-security"]).whole(),
        plain("large_objects", &["-b"]).whole(),
        plain("partition_root", &["--load-via-partition-root"]).without("copy_to_leaf").with("copy_to_root").whole(),
        plain("inserts", &["--inserts"]).without("rows copy_to_leaf").whole(),
        plain("column_inserts", &["--column-inserts"]).without("rows copy_to_leaf").whole(),
        plain("rows_per_insert", &["--column-inserts", "--rows-per-insert", "2"]).without("rows copy_to_leaf").whole(),
        plain("on_conflict", &["--column-inserts", "--on-conflict-do-nothing"]).without("rows copy_to_leaf").whole(),
        plain("encoding", &["--encoding", "UTF8"]).whole(),
        plain("float_digits", &["--extra-float-digits", "3"]).whole(),
        plain("clean", &["-c"]).with("drop_plain").whole(),
        plain("clean_if_exists", &["-c", "--if-exists"]).with("drop_if_exists").whole(),
        plain("create", &["-C"]).with("create").whole(),
        plain("clean_create", &["-c", "-C"]).with("create").whole(),
        plain("clean_create_if_exists", &["-c", "-C", "--if-exists"]).with("create").whole(),
    ]
}

/// Everywhere, but not of everything.
fn content() -> Vec<Run> {
    vec![
        plain("schema_only", &["-s"]).without("data position refresh"),
        plain("data_only", &["-a"]).without("pre post refresh"),
        plain("data_without_triggers", &["-a", "--disable-triggers"]).without("pre post refresh"),
        plain("data_as_inserts", &["-a", "--inserts"]).without("pre post refresh rows copy_to_leaf"),
        plain("no_data", &["--no-data"]).without("data position refresh"),
        plain("no_schema", &["--no-schema"]).without("pre post refresh"),
        plain("schema_and_positions", &["-s", "--sequence-data"]).without("data refresh"),
        plain("no_data_but_positions", &["--no-data", "--sequence-data"]).without("data refresh"),
        plain("pre_data", &["--section=pre-data"]).without("data post refresh position"),
        plain("data", &["--section=data"]).without("pre post refresh"),
        plain("post_data", &["--section=post-data"]).without("pre data position"),
        plain("pre_and_post_data", &["--section=pre-data", "--section=post-data"]).without("data position"),
        plain("data_and_post_data", &["--section=data", "--section=post-data"]).without("pre"),
        plain("all_sections", &["--section=pre-data", "--section=data", "--section=post-data"]).whole(),
        plain("no_owner", &["-O"]).without("owner"),
        plain("no_privileges", &["-x"]).without("acl"),
        plain("no_comments", &["--no-comments"]).without("comment"),
        plain("no_policies", &["--no-policies"]).without("policy"),
        plain("no_publications", &["--no-publications"]).without("publication"),
        plain("no_subscriptions", &["--no-subscriptions"]).without("subscription"),
        plain("no_security_labels", &["--no-security-labels"]).whole(),
        plain("no_tablespaces", &["--no-tablespaces"]).without("tablespace"),
        plain("no_table_access_method", &["--no-table-access-method"]).without("method"),
        plain("no_toast_compression", &["--no-toast-compression"]).without("compression"),
        plain("no_unlogged_table_data", &["--no-unlogged-table-data"]).without("unlogged"),
        plain("no_large_objects", &["-B"]).without("blob"),
        plain("quote_all", &["--quote-all-identifiers"]).nothing().with("quote_all").whole(),
        plain("schema_without_rights", &["-s", "-x", "-O"]).without("data position refresh acl owner"),
        plain("pre_data_bare", &["--section=pre-data", "-x", "-O", "--no-comments", "--no-tablespaces"])
            .without("data post refresh position acl owner comment tablespace"),
        plain(
            "post_data_bare",
            &["--section=post-data", "--no-comments", "--no-policies", "--no-publications", "--no-subscriptions"],
        )
        .without("pre data position comment policy publication subscription"),
        plain("data_without_large_objects", &["-a", "-B", "--no-unlogged-table-data"])
            .without("pre post refresh blob unlogged"),
        plain("schema_clean", &["-s", "-c", "--if-exists", "-O"])
            .without("data position refresh owner")
            .with("drop_if_exists"),
    ]
}

/// Filters for `--filter`.
const INCLUDING: &str =
    "# what is wanted\ninclude table matrix.chosen\ninclude table_and_children matrix.tree # with parts\n";
const EXCLUDING: &str = "exclude schema matrix_2\nexclude extension citext\nexclude table_data matrix.chosen\nexclude table_and_children \"matrix\".tree\n";
const SCHEMAS: &str = "include schema matrix_?\nexclude table matrix_2.tree*\n";

/// Some places.
fn selection() -> Vec<Run> {
    const SCHEMA: &str = "main schema_entry chosen root leaf";
    vec![
        plain("schema", &["-n", "matrix"]).only(SCHEMA),
        plain("schema_and_large_objects", &["-n", "matrix", "-b"]).only(SCHEMA).with("blob"),
        plain("schemas", &["-n", "matrix*"]).only(SCHEMA).with("second second_leaf"),
        plain("second_schema", &["-n", "matrix_2"]).only("second second_leaf schema_entry"),
        plain("public_schema", &["-n", "public"]).only("public"),
        plain("quoted_schema", &["-n", "\"Matrix \"\"3\"\" \\ \""]).only("quoted"),
        plain("not_schema", &["-N", "matrix"]).without("main chosen root leaf"),
        plain("not_schemas", &["-N", "matrix*", "-N", "Mat*"])
            .without("main chosen root leaf second second_leaf schema_entry"),
        plain("table", &["-t", "matrix.chosen"]).only("chosen"),
        plain("table_strictly", &["-t", "matrix.cho*", "--strict-names"]).only("chosen"),
        plain("table_and_large_objects", &["-t", "matrix.chosen", "-b"]).only("chosen blob"),
        plain("not_table", &["-T", "matrix.chosen"]).without("chosen"),
        plain("schema_without_table", &["-n", "matrix", "-T", "matrix.chosen"]).only(SCHEMA).without("chosen"),
        plain("root_table", &["-t", "matrix.tree"]).only("root"),
        plain("leaves", &["-t", "matrix*.tree_*"]).only("leaf second_leaf"),
        plain("table_and_children", &["--table-and-children", "matrix.tree"]).only("root leaf second_leaf"),
        plain("table_and_some_children", &["--table-and-children", "matrix.tree", "-T", "matrix_2.*"])
            .only("root leaf"),
        plain("not_root_table", &["-T", "matrix.tree"]).without("root"),
        plain("not_table_and_children", &["--exclude-table-and-children", "matrix.tree"])
            .without("root leaf second_leaf"),
        plain("not_table_data", &["--exclude-table-data", "*.*"]).without("rows copy_to_leaf position refresh"),
        plain("not_table_data_and_children", &["--exclude-table-data-and-children", "matrix.tree"])
            .without("copy_to_leaf"),
        plain("extension", &["-e", "citext"]).without("database blob extension_acl"),
        plain("no_other_extension", &["-e", "citext", "-n", "matrix_2"]).only("second second_leaf schema_entry"),
        plain("not_extension", &["--exclude-extension", "citext"]),
        plain("not_extensions", &["--exclude-extension", "*"]).without("extension extension_acl"),
        plain("filter", &["--filter", "{file}"]).file(INCLUDING).only("chosen root leaf second_leaf"),
        plain("filter_out", &["--filter", "{file}"]).file(EXCLUDING).without("second second_leaf root leaf"),
        plain("filter_schemas", &["--filter", "{file}"]).file(SCHEMAS).only("second schema_entry"),
        plain("filter_and_option", &["--filter", "{file}", "-T", "matrix.chosen"])
            .file(EXCLUDING)
            .without("second second_leaf root leaf chosen"),
        plain("table_rows", &["-a", "-t", "matrix.chosen"]).only("chosen").without("pre post"),
        plain("table_definition", &["-s", "-t", "matrix.chosen", "-x", "--no-comments"])
            .only("chosen")
            .without("data position refresh acl comment"),
        plain("schema_after_data", &["--section=post-data", "-n", "matrix", "--no-policies"])
            .only(SCHEMA)
            .without("pre data position policy"),
        plain("second_schema_bare", &["-n", "matrix_2", "-O", "-x", "-s"])
            .only("second second_leaf schema_entry")
            .without("data position refresh acl owner"),
        plain("root_through_root", &["--table-and-children", "matrix.tree", "--load-via-partition-root"])
            .only("root leaf second_leaf")
            .without("copy_to_leaf")
            .with("copy_to_root"),
        plain("table_clean", &["-t", "matrix.chosen", "-c", "--if-exists"]).only("chosen"),
    ]
}

/// What `--use-list` takes: lines of the archive's list that hold one of these, in the opposite order.
pub(super) const LISTED: [&str; 4] =
    [" TABLE matrix chosen ", " TABLE DATA matrix chosen ", " INDEX matrix chosen_name ", " FUNCTION matrix touch() "];

/// Of an archive of the whole database.
fn from_archive() -> Vec<Run> {
    vec![
        restored("restore", &[]).whole(),
        restored("restore_schema_only", &["-s"]).without("data position"),
        restored("restore_data_only", &["-a"]).without("pre post refresh"),
        restored("restore_no_data", &["--no-data"]).without("data position"),
        restored("restore_no_schema", &["--no-schema"]).without("pre post refresh"),
        restored("restore_pre_data", &["--section=pre-data"]).without("data post refresh position"),
        restored("restore_data", &["--section=data"]).without("pre post refresh"),
        restored("restore_post_data", &["--section=post-data"]).without("pre data position"),
        restored("restore_two_sections", &["--section=pre-data", "--section=post-data"]).without("data position"),
        restored("restore_schema", &["-n", "matrix", "--no-table-access-method"])
            .only("main chosen root leaf")
            .without("method")
            .making(&["matrix"]),
        restored("restore_schemas", &["-n", "matrix", "-n", "matrix_2", "--no-table-access-method"])
            .only("main chosen root leaf second second_leaf")
            .without("method")
            .making(&["matrix", "matrix_2"]),
        restored("restore_not_schema", &["-N", "matrix"])
            .without("main chosen root leaf system extension_acl")
            .unmaking(&["matrix"]),
        restored("restore_table", &["-t", "chosen"]).nothing(),
        restored("restore_tables", &["-t", "tree", "-t", "overview", "-t", "numbers_down"]).nothing(),
        restored("restore_table_of_schema", &["-n", "matrix_2", "-t", "t"]).nothing(),
        restored("restore_table_rows", &["-a", "-t", "chosen"]).nothing(),
        restored("restore_index", &["-I", "chosen_name"]).nothing(),
        restored("restore_trigger", &["-T", "chosen chosen_touch"]).nothing(),
        restored("restore_function", &["-P", "one(integer)"]).nothing(),
        restored(
            "restore_several",
            &["-I", "chosen_name", "-T", "chosen chosen_touch", "-P", "touch()", "-t", "chosen"],
        )
        .nothing(),
        restored("restore_list", &["-L", "{list}"]).nothing(),
        restored("restore_no_owner", &["-O"]).without("owner"),
        restored("restore_no_privileges", &["-x"]).without("acl"),
        restored("restore_no_comments", &["--no-comments"]).without("comment"),
        restored("restore_no_policies", &["--no-policies"]).without("policy"),
        restored("restore_no_publications", &["--no-publications"]).without("publication"),
        restored("restore_no_subscriptions", &["--no-subscriptions"]).without("subscription"),
        restored("restore_no_security_labels", &["--no-security-labels"]).whole(),
        restored("restore_no_tablespaces", &["--no-tablespaces"]).without("tablespace"),
        restored("restore_no_table_access_method", &["--no-table-access-method"]).without("method"),
        restored("restore_clean", &["-c", "--if-exists"]).with("drop_if_exists").whole(),
        restored("restore_create", &["-C"]).with("create").whole(),
        restored("restore_bare", &["-s", "-O", "-x", "--no-comments"]).without("data position acl owner comment"),
    ]
}
