//! Catalogs that contradict themselves: rows taken away by hand, as a disk or a bug would. What a backup cannot have whole it
//! refuses by name; it never leaves it out in silence.

use crate::support::bin::{Run, db};
use crate::support::pg::{Database, Server, newest_server, server, servers};
use crate::support::{repository, unique_name};

/// What is expected of a database of which something is gone.
enum Expected {
    /// The backup is refused, and says these words.
    Refused(&'static [&'static str]),
    /// Everything is dumped, these lines among it.
    Whole(&'static [&'static str]),
}

use Expected::{Refused, Whole};

/// What is gone, as statements of a superuser in a copy of `whole.sql`'s database, by the first major that has it.
const DAMAGES: &[(u32, &str, Expected)] = &[
    // schemas, owners
    (13, "delete from pg_namespace where nspname = 'gone'", Refused(&["pg_class ", "(kept)", "pg_namespace"])),
    (13, "delete from pg_namespace where nspname = 'for_defaults'", Refused(&["pg_default_acl", "pg_namespace"])),
    (
        13,
        "alter table gone.kept owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["(gone.kept)", "pg_authid"]),
    ),
    (
        13,
        "alter function c.one owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_proc", "(c.one)", "pg_authid"]),
    ),
    (
        13,
        "alter schema gone owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_namespace", "(gone)", "pg_authid"]),
    ),
    (
        13,
        "alter type c.mood owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_type", "(c.mood)", "pg_authid"]),
    ),
    (
        13,
        "alter server foreign_one owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_foreign_server", "(foreign_one)", "pg_authid"]),
    ),
    (
        13,
        "alter large object 9001 owner to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_largeobject_metadata 9001", "pg_authid"]),
    ),
    (
        13,
        "select lo_put(9001, 0, 'x'), lo_from_bytea(9003, 'y'); delete from pg_largeobject_metadata where oid = 9001",
        Refused(&["pg_largeobject 9001", "lacks its row in pg_largeobject_metadata"]),
    ),
    (13, "delete from pg_largeobject_metadata where oid = 9001", Whole(&["COPY gone.kept"])),
    (
        13,
        "create policy by_role on c.guarded to ROLE; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_policy", "(by_role)", "pg_authid"]),
    ),
    (
        13,
        "create user mapping for ROLE server foreign_one; delete from pg_authid where rolname = 'ROLE'",
        Refused(&["pg_user_mapping", "pg_authid"]),
    ),
    // functions, languages
    (13, "delete from pg_language where lanname = 'spoken'", Refused(&["pg_proc", "(c.in_language)", "pg_language"])),
    (13, "delete from pg_proc where proname = 'handler_of_language'", Refused(&["pg_language", "(spoken)", "pg_proc"])),
    (
        13,
        "delete from pg_aggregate where aggfnoid = 'c.total'::regproc",
        Refused(&["pg_proc", "(c.total)", "pg_aggregate"]),
    ),
    (
        13,
        "delete from pg_proc where proname = 'total' and pronamespace = 'c'::regnamespace",
        Refused(&["pg_aggregate", "pg_proc"]),
    ),
    (
        13,
        "delete from pg_proc where proname = 'less' and pronamespace = 'c'::regnamespace",
        Refused(&["pg_operator", "(c.###)", "pg_proc"]),
    ),
    (
        13,
        "delete from pg_proc where proname = 'reverse_compare'",
        Refused(&["pg_amproc", "(c.family_two 1)", "pg_proc"]),
    ),
    (13, "delete from pg_proc where proname = 'event_function'", Refused(&["pg_event_trigger", "(event)", "pg_proc"])),
    (13, "delete from pg_proc where proname = 'trigger_function'", Refused(&["pg_trigger", "(trigger)", "pg_proc"])),
    // types
    (13, "delete from pg_type where typname = 'mood'", Refused(&["pg_type", "refers to pg_type"])),
    (13, "delete from pg_type where typname in ('mood', '_mood')", Refused(&["(c.arguments)", "pg_type"])),
    (13, "delete from pg_type where typname = 'positive'", Refused(&["(c.on_domain)", "pg_type"])),
    (13, "delete from pg_type where typname = 'on_domain'", Refused(&["refers to pg_type"])),
    (13, "delete from pg_range where rngtypid = 'c.spread'::regtype", Refused(&["(c.spread)", "pg_range"])),
    (13, "delete from pg_type where typname = 'spread'", Refused(&["pg_range", "pg_type"])),
    (14, "delete from pg_type where typname = 'spread_multirange'", Refused(&["c.spread", "pg_type"])),
    (13, "delete from pg_class where relname = 'pair'", Refused(&["pg_type", "(c.pair)", "pg_class"])),
    (
        13,
        "delete from pg_attribute where attrelid = 'c.pair'::regclass and attname = 'a'",
        Refused(&["(c.pair)", "pg_attribute"]),
    ),
    (13, "delete from pg_type where typname = 'composite_of_table'", Refused(&["(c.of_type)", "pg_type"])),
    (13, "delete from pg_collation where collname = 'sorted'", Refused(&["(c.collated)", "pg_collation"])),
    // foreign data
    (
        13,
        "delete from pg_foreign_server where srvname = 'foreign_one'",
        Refused(&["pg_foreign_table", "(c.foreign_table)", "pg_foreign_server"]),
    ),
    (
        13,
        "delete from pg_foreign_server where srvname = 'foreign_three'",
        Refused(&["pg_user_mapping", "pg_foreign_server"]),
    ),
    (
        13,
        "delete from pg_foreign_table where ftrelid = 'c.without_side_row'::regclass",
        Refused(&["(c.without_side_row)", "pg_foreign_table"]),
    ),
    (
        13,
        "delete from pg_foreign_data_wrapper where fdwname = 'wrapper_of_server'",
        Refused(&["pg_foreign_server", "(foreign_two)", "pg_foreign_data_wrapper"]),
    ),
    // sequences
    (13, "delete from pg_sequence where seqrelid = 'c.counter'::regclass", Refused(&["(c.counter)", "pg_sequence"])),
    (
        13,
        "delete from pg_sequence where seqrelid = 'c.identity_column_id_seq'::regclass",
        Refused(&["(c.identity_column_id_seq)", "pg_sequence"]),
    ),
    (13, "delete from pg_class where relname = 'counter'", Refused(&["pg_sequence", "pg_class"])),
    // inheritance, partitions
    (13, "delete from pg_class where relname = 'parent'", Refused(&["pg_inherits", "(c.child)", "pg_class"])),
    (
        13,
        "delete from pg_inherits where inhrelid = 'c.child'::regclass",
        Refused(&["(c.child)", "\"id\"", "pg_inherits"]),
    ),
    (13, "delete from pg_inherits where inhrelid = 'c.ranged_1'::regclass", Refused(&["(c.ranged_1)", "pg_inherits"])),
    (13, "delete from pg_class where relname = 'listed'", Refused(&["pg_inherits", "(c.listed_1)", "pg_class"])),
    (
        13,
        "delete from pg_partitioned_table where partrelid = 'c.keyed'::regclass",
        Refused(&["(c.keyed)", "pg_partitioned_table"]),
    ),
    (13, "update pg_class set relpartbound = null where relname = 'keyed_1'", Refused(&["(c.keyed_1)", "bounds"])),
    // text search
    (13, "delete from pg_ts_parser where prsname = 'parser'", Refused(&["pg_ts_config", "(c.search)", "pg_ts_parser"])),
    (
        13,
        "delete from pg_ts_template where tmplname = 'template'",
        Refused(&["pg_ts_dict", "(c.dictionary)", "pg_ts_template"]),
    ),
    (
        13,
        "delete from pg_ts_dict where dictname = 'mapped'",
        Refused(&["pg_ts_config_map", "(c.mapping 1)", "pg_ts_dict"]),
    ),
    (13, "delete from pg_ts_config where cfgname = 'mapping'", Refused(&["pg_ts_config_map", "pg_ts_config"])),
    // what hangs on tables
    (13, "delete from pg_class where relname = 'ruled'", Refused(&["pg_rewrite", "(rule)", "pg_class"])),
    (13, "delete from pg_rewrite where ev_class = 'c.seen'::regclass", Refused(&["(c.seen)", "pg_rewrite"])),
    (13, "delete from pg_rewrite where ev_class = 'c.stored'::regclass", Refused(&["(c.stored)", "pg_rewrite"])),
    (13, "delete from pg_class where relname = 'triggered'", Refused(&["pg_trigger", "(trigger)", "pg_class"])),
    (13, "delete from pg_class where relname = 'guarded_two'", Refused(&["pg_policy", "(policy_two)", "pg_class"])),
    (
        13,
        "delete from pg_attrdef where adrelid = 'c.defaults'::regclass",
        Refused(&["(c.defaults)", "\"x\"", "pg_attrdef"]),
    ),
    (
        13,
        "delete from pg_attrdef where adrelid = 'c.generated'::regclass",
        Refused(&["(c.generated)", "\"x\"", "pg_attrdef"]),
    ),
    (
        13,
        "delete from pg_attribute where attrelid = 'c.columns'::regclass and attname = 'c'",
        Refused(&["(c.columns)", "pg_attribute"]),
    ),
    (
        13,
        "delete from pg_attribute where attrelid = 'c.attributes'::regclass and attname = 'b'",
        Refused(&["(c.attributes)", "pg_attribute"]),
    ),
    (
        13,
        "delete from pg_constraint where conrelid = 'c.checks'::regclass and conname like '%1'",
        Refused(&["(c.checks", "check", "pg_constraint"]),
    ),
    (
        13,
        "delete from pg_constraint where conrelid = 'c.primary_key'::regclass and contype = 'p'",
        Refused(&["primary_key_pkey", "pg_constraint"]),
    ),
    (
        13,
        "delete from pg_constraint where conrelid = 'c.referencing'::regclass",
        Refused(&["pg_trigger", "RI_ConstraintTrigger", "pg_constraint"]),
    ),
    (
        18,
        "delete from pg_constraint where conrelid = 'c.not_nulls'::regclass",
        Refused(&["(c.not_nulls)", "not-null", "pg_constraint"]),
    ),
    (
        13,
        "delete from pg_class where relname = 'referenced'",
        Refused(&["pg_constraint", "(c.referencing_id_fkey)", "pg_class"]),
    ),
    (13, "delete from pg_class where relname = 'plain_index'", Refused(&["pg_index", "pg_class"])),
    (
        13,
        "delete from pg_index where indexrelid = 'c.plain_index'::regclass",
        Refused(&["(c.plain_index)", "pg_index"]),
    ),
    (
        13,
        "delete from pg_index where indexrelid = 'c.unique_key_id_key'::regclass",
        Refused(&["(c.unique_key_id_key)", "pg_index"]),
    ),
    (
        13,
        "delete from pg_index where indexrelid = 'c.unique_key_id_key'::regclass; delete from pg_class where relname = 'unique_key_id_key'",
        Refused(&["pg_constraint", "(c.unique_key_id_key)", "pg_class"]),
    ),
    (13, "delete from pg_class where relname = 'unique_key'", Refused(&["pg_type", "(c.unique_key)", "pg_class"])),
    (13, "delete from pg_class where relname = 'extended'", Refused(&["(c.extended)", "pg_class"])),
    // operators and what indexes by them
    (13, "delete from pg_opclass where opcname = 'class'", Refused(&["pg_index", "classed_index", "pg_opclass"])),
    (13, "delete from pg_opfamily where opfname = 'family'", Refused(&["pg_opclass", "(c.class)", "pg_opfamily"])),
    (13, "delete from pg_am where amname = 'heap_two'", Refused(&["(c.of_method)", "pg_am"])),
    // publications
    (
        13,
        "delete from pg_publication where pubname = 'publication'",
        Refused(&["pg_publication_rel", "(c.parent)", "pg_publication"]),
    ),
    (
        15,
        "create publication by_schema for tables in schema c; delete from pg_publication where pubname = 'by_schema'",
        Refused(&["pg_publication_namespace", "pg_publication"]),
    ),
    // what nobody misses
    (
        13,
        "delete from pg_description; delete from pg_depend where classid = 'pg_trigger'::regclass",
        Whole(&["COPY gone.kept"]),
    ),
    (13, "delete from pg_statistic", Whole(&["COPY gone.kept", "CREATE TRIGGER trigger"])),
    (
        13,
        "delete from pg_type where typrelid = 'c.columns'::regclass or typname = '_columns'",
        Whole(&["CREATE TABLE c.columns"]),
    ),
    (
        13,
        "delete from pg_constraint where contypid <> 0 and false",
        Whole(&["CREATE DOMAIN c.positive", "COPY c.child"]),
    ),
];

/// The database of `whole.sql`, of which the others are copies.
fn whole(server: &Server) -> Database {
    let database = server.database();
    let path = repository().join("tests/compat/contradiction/whole.sql");
    database.sql(&std::fs::read_to_string(path).expect("the statements are there"));
    database
}

fn plain(database: &Database, options: &[&str]) -> Run {
    let url = database.url();
    db([&["backup", "-F", "plain", "-Z", "none", "-o", "-", "-j", "1", "-d", &url], options].concat()).run()
}

/// What is wrong with the answer to one damage; `None` where it is as expected.
fn wrong(database: &Database, statements: &str, expected: &Expected) -> Option<String> {
    let role = unique_name("gone_");
    let makes_role = statements.contains("ROLE");
    let statements = statements.replace("ROLE", &role);
    let role_statement = if makes_role { format!("create role {role};") } else { String::new() };
    database.sql(&format!("{role_statement} set allow_system_table_mods = on; {statements};"));
    let run = plain(database, &[]);
    let (code, words) = match expected {
        Refused(words) => (6, words),
        Whole(words) => (0, words),
    };
    let text = if code == 0 { &run.stdout } else { &run.stderr };
    let is_named = words.iter().all(|word| text.contains(word));
    let is_said = code == 0 || text.contains("the catalog contradicts itself");
    let says = run.stderr.lines().take(6).collect::<Vec<_>>().join("\n    ");
    (run.code != Some(code) || !is_named || !is_said)
        .then(|| format!("{statements}\n    exit {:?}, expected {code} with {words:?}\n    {says}", run.code))
}

fn answers_every_damage(major: u32) {
    let Some(server) = server(major) else { return };
    let template = whole(&server);
    plain(&template, &[]).ok();
    let wrong: Vec<String> = (DAMAGES.iter())
        .filter(|(from, _, _)| *from <= major)
        .filter_map(|(_, statements, expected)| {
            let database = server.database_with(&format!("template {}", template.name));
            wrong(&database, statements, expected)
        })
        .collect();
    assert!(wrong.is_empty(), "PostgreSQL {major}, {} of {}:\n{}", wrong.len(), DAMAGES.len(), wrong.join("\n"));
}

#[test]
fn refuses_by_name_what_13_cannot_have_whole() {
    answers_every_damage(13);
}

#[test]
fn refuses_by_name_what_15_cannot_have_whole() {
    answers_every_damage(15);
}

#[test]
fn refuses_by_name_what_17_cannot_have_whole() {
    answers_every_damage(17);
}

#[test]
fn refuses_by_name_what_18_cannot_have_whole() {
    answers_every_damage(18);
}

/// What is broken in one schema does not keep the others from being backed up, and whoever insists has the rest.
#[test]
fn the_rest_can_be_backed_up() {
    for server in servers() {
        let template = whole(&server);
        let language = "set allow_system_table_mods = on; delete from pg_language where lanname = 'spoken';";
        template.sql(language);
        plain(&template, &[]).expect_code(6);
        let other = plain(&template, &["-N", "c"]).ok();
        assert!(other.stdout.contains("COPY gone.kept"), "{}", other.transcript());
        let table = plain(&template, &["-t", "c.parent"]).ok();
        assert!(table.stdout.contains("CREATE TABLE c.parent"), "{}", table.transcript());
        let rest = plain(&template, &["--allow-unsupported", "--output", "json"]);
        // JSON and the archive would share standard output
        assert_eq!(rest.code, Some(2), "{}", rest.transcript());
        let rest = plain(&template, &["--allow-unsupported"]).expect_code(5);
        assert!(rest.stdout.contains("COPY gone.kept") && rest.stdout.contains("CREATE FUNCTION c.one"));
        assert!(!rest.stdout.contains("in_language"), "{}", rest.transcript());
        assert!(rest.stderr.contains("(c.in_language) refers to pg_language"), "{}", rest.transcript());
        // a table that lacks a column cannot be had in part
        let template = whole(&server);
        template.sql(
            "set allow_system_table_mods = on;
             delete from pg_attribute where attrelid = 'c.attributes'::regclass and attname = 'b';",
        );
        plain(&template, &["--allow-unsupported"]).expect_code(6);
        let other = plain(&template, &["-T", "c.attributes"]).ok();
        assert!(other.stdout.contains("CREATE TABLE c.columns"), "{}", other.transcript());
    }
}

/// References that are not followed, each with the reason.
const NOT_FOLLOWED: &[(&str, &[&str], &str)] = &[
    (
        "a column is compared when it is read; its table is counted",
        &["attrelid", "atttypid", "attcollation"],
        "pg_attribute",
    ),
    ("a default is counted with its column", &["adrelid", "adnum"], "pg_attrdef"),
    ("columns are counted", &["conkey", "confkey"], "pg_constraint"),
    ("a table that is gone is missed by the type of its rows", &["conrelid"], "pg_constraint"),
    ("the operators follow from the index", &["conpfeqop", "conppeqop", "conffeqop", "conexclop"], "pg_constraint"),
    ("what depends on what only orders a dump", &["classid", "refclassid"], "pg_depend"),
    ("another database's matter", &["classid", "refclassid", "dbid"], "pg_shdepend"),
    (
        "what is said of nothing is of no use",
        &["classoid"],
        "pg_description pg_shdescription pg_seclabel pg_shseclabel pg_init_privs",
    ),
    ("it is not dumped", &["extowner"], "pg_extension"),
    ("a table that an update of the extension dropped may stand there", &["extconfig"], "pg_extension"),
    ("columns are counted", &["indkey"], "pg_index"),
    (
        "columns are counted; a default partition is found by its bounds",
        &["partattrs", "partdefid"],
        "pg_partitioned_table",
    ),
    ("columns are counted", &["stxkeys"], "pg_statistic_ext"),
    ("columns are counted; the index follows from the constraint", &["tgattr", "tgconstrindid"], "pg_trigger"),
    ("a table's type is made with it", &["reltype"], "pg_class"),
    ("the server makes it again", &["reltoastrelid", "relrewrite"], "pg_class"),
    (
        "the server makes them again",
        &[
            "starelid",
            "staattnum",
            "stacoll1",
            "stacoll2",
            "stacoll3",
            "stacoll4",
            "stacoll5",
            "staop1",
            "staop2",
            "staop3",
            "staop4",
            "staop5",
        ],
        "pg_statistic",
    ),
    ("the server makes them again", &["stxoid"], "pg_statistic_ext_data"),
    ("the cluster's own, which is dumped by name", &["roleid", "member", "grantor"], "pg_auth_members"),
    ("the cluster's own, which is dumped by name", &["setdatabase", "setrole"], "pg_db_role_setting"),
    ("the cluster's own, which is dumped by name", &["spcowner"], "pg_tablespace"),
    ("a subscription finds its tables again", &["srsubid", "srrelid"], "pg_subscription_rel"),
    ("a family's access method is compared", &["amopmethod"], "pg_amop"),
    ("what initdb made cannot be gone", &["typsubscript"], "pg_type"),
    ("an aggregate is looked for from both sides", &["aggfnoid"], "pg_aggregate"),
];

/// Every reference that the newest server says its catalogs have is followed, or it is said why not.
#[test]
fn every_reference_of_the_catalogs_is_followed() {
    let server = newest_server();
    if server.major < 14 {
        return;
    }
    let mut text = String::new();
    for file in std::fs::read_dir(repository().join("sql/catalog")).expect("the queries") {
        let path = file.expect("a file").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("contradiction")) {
            text.push_str(&std::fs::read_to_string(path).expect("a query"));
        }
    }
    let words: std::collections::BTreeSet<&str> =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let answer = server.sql(
        "postgres",
        "select distinct fktable, pg_catalog.unnest(fkcols) from pg_catalog.pg_get_catalog_foreign_keys() order by 1, 2",
    );
    let is_excused = |catalog: &str, column: &str| {
        NOT_FOLLOWED
            .iter()
            .any(|(_, columns, catalogs)| columns.contains(&column) && catalogs.split(' ').any(|name| name == catalog))
    };
    let references: Vec<(&str, &str)> = answer.lines().filter_map(|line| line.split_once('|')).collect();
    assert!(references.len() > 150, "{answer}");
    let missing: Vec<_> = (references.iter())
        .filter(|(catalog, column)| !words.contains(column) && !is_excused(catalog, column))
        .collect();
    assert!(missing.is_empty(), "neither in sql/catalog/contradiction*.sql nor in NOT_FOLLOWED: {missing:?}");
    for (reason, columns, catalogs) in NOT_FOLLOWED {
        let is_there =
            |column: &&str| references.iter().any(|(catalog, known)| known == column && catalogs.contains(catalog));
        assert!(columns.iter().all(is_there), "{catalogs} has not {columns:?} ({reason})");
    }
}
