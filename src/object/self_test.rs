//! Whether a server that is newer than this program has anything that it does not know. What is unknown is refused by name,
//! as an object of an unknown kind is: a dump that leaves a property out in silence restores to something else.

use super::unsupported::Unsupported;
use crate::record::{DecodeError, Record};

/// The columns of the catalogs that `sql/catalog` reads (`pg_attribute` of PostgreSQL 18.6).
///
/// `pg_stats` is not among them: what a dump forgets of the planner's statistics costs nobody a row.
const COLUMNS: &[(&str, &str)] = &[
    (
        "pg_aggregate",
        "aggfnoid aggkind aggnumdirectargs aggtransfn aggfinalfn aggcombinefn aggserialfn aggdeserialfn \
         aggmtransfn aggminvtransfn aggmfinalfn aggfinalextra aggmfinalextra aggfinalmodify aggmfinalmodify \
         aggsortop aggtranstype aggtransspace aggmtranstype aggmtransspace agginitval aggminitval",
    ),
    ("pg_am", "oid amname amhandler amtype"),
    ("pg_amop", "oid amopfamily amoplefttype amoprighttype amopstrategy amoppurpose amopopr amopmethod amopsortfamily"),
    ("pg_amproc", "oid amprocfamily amproclefttype amprocrighttype amprocnum amproc"),
    ("pg_attrdef", "oid adrelid adnum adbin"),
    (
        "pg_attribute",
        "attrelid attname atttypid attlen attnum atttypmod attndims attbyval attalign attstorage attcompression \
         attnotnull atthasdef atthasmissing attidentity attgenerated attisdropped attislocal attinhcount \
         attcollation attstattarget attacl attoptions attfdwoptions attmissingval",
    ),
    ("pg_auth_members", "oid roleid member grantor admin_option inherit_option set_option"),
    (
        "pg_authid",
        "oid rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolbypassrls \
         rolconnlimit rolpassword rolvaliduntil",
    ),
    ("pg_cast", "oid castsource casttarget castfunc castcontext castmethod"),
    (
        "pg_class",
        "oid relname relnamespace reltype reloftype relowner relam relfilenode reltablespace relpages reltuples \
         relallvisible relallfrozen reltoastrelid relhasindex relisshared relpersistence relkind relnatts \
         relchecks relhasrules relhastriggers relhassubclass relrowsecurity relforcerowsecurity relispopulated \
         relreplident relispartition relrewrite relfrozenxid relminmxid relacl reloptions relpartbound",
    ),
    (
        "pg_collation",
        "oid collname collnamespace collowner collprovider collisdeterministic collencoding collcollate collctype \
         colllocale collicurules collversion",
    ),
    (
        "pg_constraint",
        "oid conname connamespace contype condeferrable condeferred conenforced convalidated conrelid contypid \
         conindid conparentid confrelid confupdtype confdeltype confmatchtype conislocal coninhcount connoinherit \
         conperiod conkey confkey conpfeqop conppeqop conffeqop confdelsetcols conexclop conbin",
    ),
    ("pg_conversion", "oid conname connamespace conowner conforencoding contoencoding conproc condefault"),
    (
        "pg_database",
        "oid datname datdba encoding datlocprovider datistemplate datallowconn dathasloginevt datconnlimit \
         datfrozenxid datminmxid dattablespace datcollate datctype datlocale daticurules datcollversion datacl",
    ),
    ("pg_db_role_setting", "setdatabase setrole setconfig"),
    ("pg_default_acl", "oid defaclrole defaclnamespace defaclobjtype defaclacl"),
    ("pg_depend", "classid objid objsubid refclassid refobjid refobjsubid deptype"),
    ("pg_description", "objoid classoid objsubid description"),
    ("pg_enum", "oid enumtypid enumsortorder enumlabel"),
    ("pg_event_trigger", "oid evtname evtevent evtowner evtfoid evtenabled evttags"),
    ("pg_extension", "oid extname extowner extnamespace extrelocatable extversion extconfig extcondition"),
    ("pg_foreign_data_wrapper", "oid fdwname fdwowner fdwhandler fdwvalidator fdwacl fdwoptions"),
    ("pg_foreign_server", "oid srvname srvowner srvfdw srvtype srvversion srvacl srvoptions"),
    ("pg_foreign_table", "ftrelid ftserver ftoptions"),
    (
        "pg_index",
        "indexrelid indrelid indnatts indnkeyatts indisunique indnullsnotdistinct indisprimary indisexclusion \
         indimmediate indisclustered indisvalid indcheckxmin indisready indislive indisreplident indkey \
         indcollation indclass indoption indexprs indpred",
    ),
    ("pg_inherits", "inhrelid inhparent inhseqno inhdetachpending"),
    ("pg_init_privs", "objoid classoid objsubid privtype initprivs"),
    ("pg_language", "oid lanname lanowner lanispl lanpltrusted lanplcallfoid laninline lanvalidator lanacl"),
    ("pg_largeobject_metadata", "oid lomowner lomacl"),
    ("pg_namespace", "oid nspname nspowner nspacl"),
    ("pg_opclass", "oid opcmethod opcname opcnamespace opcowner opcfamily opcintype opcdefault opckeytype"),
    (
        "pg_operator",
        "oid oprname oprnamespace oprowner oprkind oprcanmerge oprcanhash oprleft oprright oprresult oprcom \
         oprnegate oprcode oprrest oprjoin",
    ),
    ("pg_opfamily", "oid opfmethod opfname opfnamespace opfowner"),
    ("pg_parameter_acl", "oid parname paracl"),
    ("pg_partitioned_table", "partrelid partstrat partnatts partdefid partattrs partclass partcollation partexprs"),
    ("pg_policy", "oid polname polrelid polcmd polpermissive polroles polqual polwithcheck"),
    (
        "pg_proc",
        "oid proname pronamespace proowner prolang procost prorows provariadic prosupport prokind prosecdef \
         proleakproof proisstrict proretset provolatile proparallel pronargs pronargdefaults prorettype \
         proargtypes proallargtypes proargmodes proargnames proargdefaults protrftypes prosrc probin prosqlbody \
         proconfig proacl",
    ),
    (
        "pg_publication",
        "oid pubname pubowner puballtables pubinsert pubupdate pubdelete pubtruncate pubviaroot pubgencols",
    ),
    ("pg_publication_namespace", "oid pnpubid pnnspid"),
    ("pg_publication_rel", "oid prpubid prrelid prqual prattrs"),
    ("pg_range", "rngtypid rngsubtype rngmultitypid rngcollation rngsubopc rngcanonical rngsubdiff"),
    ("pg_rewrite", "oid rulename ev_class ev_type ev_enabled is_instead ev_qual ev_action"),
    (
        "pg_roles",
        "rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolconnlimit \
         rolpassword rolvaliduntil rolbypassrls rolconfig oid",
    ),
    ("pg_seclabel", "objoid classoid objsubid provider label"),
    ("pg_sequence", "seqrelid seqtypid seqstart seqincrement seqmax seqmin seqcache seqcycle"),
    ("pg_shseclabel", "objoid classoid provider label"),
    ("pg_statistic_ext", "oid stxrelid stxname stxnamespace stxowner stxkeys stxstattarget stxkind stxexprs"),
    (
        "pg_subscription",
        "oid subdbid subskiplsn subname subowner subenabled subbinary substream subtwophasestate subdisableonerr \
         subpasswordrequired subrunasowner subfailover subconninfo subslotname subsynccommit subpublications \
         suborigin",
    ),
    ("pg_tablespace", "oid spcname spcowner spcacl spcoptions"),
    ("pg_transform", "oid trftype trflang trffromsql trftosql"),
    (
        "pg_trigger",
        "oid tgrelid tgparentid tgname tgfoid tgtype tgenabled tgisinternal tgconstrrelid tgconstrindid \
         tgconstraint tgdeferrable tginitdeferred tgnargs tgattr tgargs tgqual tgoldtable tgnewtable",
    ),
    ("pg_ts_config", "oid cfgname cfgnamespace cfgowner cfgparser"),
    ("pg_ts_config_map", "mapcfg maptokentype mapseqno mapdict"),
    ("pg_ts_dict", "oid dictname dictnamespace dictowner dicttemplate dictinitoption"),
    ("pg_ts_parser", "oid prsname prsnamespace prsstart prstoken prsend prsheadline prslextype"),
    ("pg_ts_template", "oid tmplname tmplnamespace tmplinit tmpllexize"),
    (
        "pg_type",
        "oid typname typnamespace typowner typlen typbyval typtype typcategory typispreferred typisdefined \
         typdelim typrelid typsubscript typelem typarray typinput typoutput typreceive typsend typmodin typmodout \
         typanalyze typalign typstorage typnotnull typbasetype typtypmod typndims typcollation typdefaultbin \
         typdefault typacl",
    ),
    ("pg_user_mapping", "oid umuser umserver umoptions"),
    ("pg_user_mappings", "umid srvid srvname umuser usename umoptions"),
];

/// The catalogs whose rows stand in dependencies (PostgreSQL documentation, "System Catalogs").
const CLASSES: &str = "pg_am pg_amop pg_amproc pg_attrdef pg_auth_members pg_authid pg_cast pg_class pg_collation \
    pg_constraint pg_conversion pg_database pg_default_acl pg_event_trigger pg_extension \
    pg_foreign_data_wrapper pg_foreign_server pg_language pg_largeobject pg_namespace pg_opclass \
    pg_operator pg_opfamily pg_parameter_acl pg_policy pg_proc pg_publication pg_publication_namespace \
    pg_publication_rel pg_rewrite pg_statistic_ext pg_subscription pg_tablespace pg_transform pg_trigger \
    pg_ts_config pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user_mapping";

/// What a column of letters may hold, by the documentation of each catalog; of an array, each element.
const LETTERS: &[(&str, &str)] = &[
    ("pg_aggregate.aggfinalmodify", "rsw"),
    ("pg_aggregate.aggkind", "noh"),
    ("pg_aggregate.aggmfinalmodify", "rsw"),
    ("pg_am.amtype", "it"),
    ("pg_amop.amoppurpose", "so"),
    ("pg_attribute.attalign", "csid"),
    ("pg_attribute.attcompression", "pl"),
    ("pg_attribute.attgenerated", "sv"),
    ("pg_attribute.attidentity", "ad"),
    ("pg_attribute.attstorage", "pemx"),
    ("pg_cast.castcontext", "eai"),
    ("pg_cast.castmethod", "fbi"),
    ("pg_class.relkind", "riStvmcfpI"),
    ("pg_class.relpersistence", "put"),
    ("pg_class.relreplident", "dnfi"),
    ("pg_collation.collprovider", "dbci"),
    ("pg_constraint.confdeltype", "arcnd "),
    ("pg_constraint.confmatchtype", "fps "),
    ("pg_constraint.confupdtype", "arcnd "),
    ("pg_constraint.contype", "cfnputx"),
    ("pg_database.datlocprovider", "bci"),
    ("pg_default_acl.defaclobjtype", "rSfTnL"),
    ("pg_depend.deptype", "naiepPSx"),
    ("pg_event_trigger.evtenabled", "ODRA"),
    ("pg_init_privs.privtype", "ie"),
    ("pg_operator.oprkind", "bl"),
    ("pg_partitioned_table.partstrat", "lrh"),
    ("pg_policy.polcmd", "rawd*"),
    ("pg_proc.proargmodes", "iobvt"),
    ("pg_proc.prokind", "fpaw"),
    ("pg_proc.proparallel", "rsu"),
    ("pg_proc.provolatile", "isv"),
    ("pg_publication.pubgencols", "ns"),
    ("pg_rewrite.ev_enabled", "ODRA"),
    ("pg_rewrite.ev_type", "1234"),
    ("pg_statistic_ext.stxkind", "dfme"),
    ("pg_subscription.substream", "ftp"),
    ("pg_subscription.subtwophasestate", "dpe"),
    ("pg_trigger.tgenabled", "ODRA"),
    ("pg_type.typalign", "csid"),
    ("pg_type.typstorage", "pemx"),
    ("pg_type.typtype", "bcdeprm"),
];

/// The catalogs whose columns are compared.
pub fn catalogs() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(catalog, _)| *catalog)
}

/// What of the rows of `sql/catalog/self_test.sql` is unknown.
///
/// # Errors
///
/// When a row is not what the query asks for.
pub fn unknown(rows: &[Record]) -> Result<Vec<Unsupported>, DecodeError> {
    let mut found = Vec::new();
    for row in rows {
        let (name, value) = (row.text("name")?, row.optional("value")?.unwrap_or_default());
        let (kind, is_known, name) = match row.text("sort")? {
            "class" => (
                "dependencies of system catalog",
                CLASSES.split_whitespace().any(|known| known == name),
                name.to_owned(),
            ),
            "column" => ("system column", has_column(name, value), format!("{name}.{value}")),
            // an empty letter is none
            "letter" => (
                "system column",
                value.is_empty() || holds(name, value),
                format!("{name} with the value \"{value}\", as of {}", row.text("example")?),
            ),
            other => {
                let problem = format!("{other:?} is no sort of thing that is compared");
                return Err(DecodeError { column: "sort".to_owned(), problem });
            }
        };
        if !is_known {
            found.push(Unsupported { kind: kind.to_owned(), schema: None, name });
        }
    }
    Ok(found)
}

fn has_column(catalog: &str, column: &str) -> bool {
    let columns = COLUMNS.iter().find(|(known, _)| *known == catalog);
    columns.is_some_and(|(_, columns)| columns.split_whitespace().any(|known| known == column))
}

fn holds(column: &str, letter: &str) -> bool {
    LETTERS.iter().any(|(known, letters)| *known == column && letters.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sort: &str, name: &str, value: &str) -> Record {
        let pairs =
            [("sort", Some(sort)), ("name", Some(name)), ("value", Some(value)), ("example", Some("public.orders"))];
        Record::from_pairs(&pairs)
    }

    #[test]
    fn names_what_is_unknown() {
        let rows = [
            row("class", "pg_class", ""),
            row("class", "pg_propgraph_element", ""),
            row("column", "pg_class", "relkind"),
            row("column", "pg_class", "relcolor"),
            // of another catalog it would be known
            row("column", "pg_index", "relkind"),
            row("letter", "pg_class.relkind", "r"),
            row("letter", "pg_class.relkind", "g"),
            row("letter", "pg_attribute.attidentity", ""),
            row("letter", "pg_policy.polcmd", "*"),
            row("letter", "pg_policy.polcmd", "m"),
        ];
        let names: Vec<String> =
            unknown(&rows).unwrap().into_iter().map(|found| format!("{} {}", found.kind, found.name)).collect();
        assert_eq!(
            names,
            [
                "dependencies of system catalog pg_propgraph_element",
                "system column pg_class.relcolor",
                "system column pg_index.relkind",
                "system column pg_class.relkind with the value \"g\", as of public.orders",
                "system column pg_policy.polcmd with the value \"m\", as of public.orders",
            ]
        );
        assert!(unknown(&[row("mood", "x", "y")]).is_err());
    }
}
