//! `globals.sql` says what pg_dumpall 18 says of a cluster, and can be replayed.
//!
//! The test servers are shared: roles are told from others' by a name of their own, and only lines about them are compared.

use std::fs;
use std::path::Path;

use pgproof::catalog::{Passwords, read_globals};
use pgproof::server::{Connection, Setup, Spec, set_up};

use super::block_on;
use crate::support::bin::db;
use crate::support::pg::{Server, any_server, newest_server, servers};
use crate::support::unique_name;

/// Roles of every sort, what is set for them, who belongs to whom; `ZZ` stands for the name.
const ROLES: &str = r#"
create role ZZ_plain;
create role "ZZ 'q' ""r"" \" login password 'ZZ_secret' valid until '2030-01-02 03:04:05+00' connection limit 5;
create role ZZ_all superuser createdb createrole login replication bypassrls noinherit;
create role ZZ_group;
create role ZZ_admin createrole;
create role ZZ_a_member;
comment on role ZZ_plain is 'it''s \ one';
alter role ZZ_plain set search_path = a, "B", "$user";
alter role ZZ_plain set work_mem = '7MB';
alter role "ZZ 'q' ""r"" \" set "ZZ.own" = 'x, y';
grant ZZ_group to ZZ_admin with admin option;
grant ZZ_plain to ZZ_a_member;
grant pg_monitor to ZZ_plain;
set role ZZ_admin;
grant ZZ_group to ZZ_a_member;
reset role;
set allow_system_table_mods = on;
insert into pg_shseclabel select oid, 'pg_authid'::regclass, 'dummy', 'it''s ' || rolname from pg_roles where rolname like 'ZZ\_%';
"#;

const ROLES_15: &str = r#"
set allow_in_place_tablespaces = on;
create tablespace ZZ_space owner ZZ_admin location '';
alter tablespace ZZ_space set (random_page_cost = 1.5, seq_page_cost = 2);
grant create on tablespace ZZ_space to ZZ_plain with grant option;
comment on tablespace ZZ_space is 'it''s space';
insert into pg_shseclabel select oid, 'pg_tablespace'::regclass, 'dummy', 'label' from pg_tablespace where spcname = 'zz_space';
grant set on parameter work_mem to ZZ_plain with grant option;
grant set, alter system on parameter "ZZ.Own" to ZZ_a_member;
"#;

/// A superuser may grant only by a right of its own there, and one member may be granted by several.
const ROLES_16: &str = r#"
create role ZZ_b superuser;
grant ZZ_group to ZZ_b with admin option, inherit false, set false;
grant ZZ_group to ZZ_a_member with inherit true, set false granted by ZZ_b;
grant ZZ_all to ZZ_plain with admin true;
grant ZZ_all to ZZ_a_member with inherit false granted by ZZ_plain;
"#;

/// What removes all that, whatever of it is there.
const CLEAN_UP: &str = "
set allow_system_table_mods = on;
delete from pg_shseclabel where objoid in (select oid from pg_roles where rolname like 'ZZ%'
    union all select oid from pg_tablespace where spcname like 'ZZ%');
select format('drop tablespace %I', spcname) from pg_tablespace where spcname like 'ZZ%' \\gexec
select format('drop owned by %s', string_agg(format('%I', rolname), ', ')) from pg_roles where rolname like 'ZZ%' \\gexec
select format('drop role %s', string_agg(format('%I', rolname), ', ')) from pg_roles where rolname like 'ZZ%' \\gexec
";

/// The roles, gone when the value is dropped.
struct Roles {
    server: Server,
    name: String,
}

impl Roles {
    fn new(server: &Server) -> Self {
        let roles = Self { server: server.clone(), name: unique_name("zz").replace('_', "") };
        let mut sql = ROLES.to_owned();
        if server.major >= 15 {
            sql.push_str(&ROLES_15.replace("'zz_space'", &format!("'{}_space'", roles.name)));
        }
        if server.major >= 16 {
            sql.push_str(ROLES_16);
        }
        server.sql("postgres", &sql.replace("ZZ", &roles.name));
        roles
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        self.server.sql("postgres", &CLEAN_UP.replace("ZZ", &self.name));
    }
}

/// The statements that have this name in them; each is on a line of its own.
fn about(name: &str, text: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(name) && !line.starts_with("--")).map(str::to_owned).collect()
}

/// What we say of the roles with this name. The others of the server are none of our business: a name with a line end among
/// them would be refused.
fn ours(url: &str, passwords: Passwords, name: &str) -> Vec<String> {
    let globals = block_on(async {
        let spec = Spec { target: Some(url.to_owned()), ..Spec::default() };
        let options = spec.resolve(&|variable| std::env::var(variable).ok()).expect("the URL is one");
        let mut connection = Connection::connect(&options).await.expect("the server is there");
        set_up(&mut connection, &Setup::default()).await.expect("the session can be set up");
        let mut globals = read_globals(&mut connection, passwords).await.expect("the globals can be read");
        globals.roles.retain(|role| role.name.contains(name));
        globals.memberships.retain(|membership| membership.member.contains(name));
        globals.tablespaces.retain(|tablespace| tablespace.name.contains(name));
        globals
    });
    about(name, &globals.script(None).expect("no name has a line end"))
}

/// What pg_dumpall says of them, in our spelling where the same can be spelled in two ways.
fn stock(server: &Server, options: &[&str], name: &str) -> Vec<String> {
    let url = server.url("postgres");
    let mut arguments = vec!["-g", "-d", &url];
    arguments.extend(options);
    let (own, owned) = (format!(" ON PARAMETER {name}.own "), format!(" ON PARAMETER \"{name}.own\" "));
    let text = newest_server()
        .stdout("pg_dumpall", &arguments)
        .replace(r"IS E'it''s \\ one'", r"IS 'it''s \ one'")
        .replace("(random_page_cost=1.5, seq_page_cost=2)", "(random_page_cost='1.5', seq_page_cost='2')")
        .replace(&owned, &own);
    about(name, &text)
}

#[test]
fn globals_are_pg_dumpalls() {
    for server in servers() {
        let roles = Roles::new(&server);
        let url = server.url("postgres");
        for (passwords, options) in [(Passwords::Read, &[][..]), (Passwords::LeaveOut, &["--no-role-passwords"])] {
            let theirs = stock(&server, options, &roles.name);
            assert!(theirs.len() > 20, "{theirs:#?}");
            assert_eq!(ours(&url, passwords, &roles.name), theirs, "PostgreSQL {}", server.major);
        }
    }
}

/// The script makes the same roles again, here under another name.
#[test]
fn globals_can_be_replayed() {
    for server in servers() {
        let roles = Roles::new(&server);
        let url = server.url("postgres");
        let copy = Roles { server: server.clone(), name: unique_name("zz").replace('_', "") };
        // a label needs its provider
        let script: Vec<String> = (ours(&url, Passwords::Read, &roles.name).iter())
            .filter(|line| !line.starts_with("SECURITY LABEL "))
            .map(|line| line.replace(&roles.name, &copy.name))
            .collect();
        let allow = if server.major >= 15 { "set allow_in_place_tablespaces = on;\n" } else { "" };
        server.sql("postgres", &format!("{allow}{}", script.join("\n")));
        assert_eq!(ours(&url, Passwords::Read, &copy.name), script, "PostgreSQL {}", server.major);
    }
}

/// The `globals.sql` and the manifest of the one backup in a store.
fn files(store: &Path) -> (String, String) {
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the store") {
            let path = entry.expect("an entry").path();
            if path.ends_with("globals.sql") {
                let read = |path: &Path| fs::read_to_string(path).expect("a file of the backup");
                return (read(&path), read(&path.with_file_name("manifest.json")));
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    panic!("the backup has no globals.sql");
}

/// Whoever may read the database need not be allowed to read `pg_authid`.
#[test]
fn passwords_are_read_only_when_they_are_asked_for() {
    let server = any_server();
    let roles = Roles::new(&server);
    let database = server.database();
    let reader = format!("{}_reader", roles.name);
    database.sql(&format!("create role {reader} login; create table t (a int); grant select on t to {reader};"));
    let read = database.url().replace("postgres@", &format!("{reader}@"));
    let run = |url: &str, option: Option<&str>| {
        let store = tempfile::tempdir().expect("a folder");
        let place = store.path().to_str().expect("UTF-8");
        (db(["backup", "--store", place, "-d", url].into_iter().chain(option)).run(), store)
    };
    let stock = stock(&server, &["--no-role-passwords"], &roles.name);
    for url in [&read, &database.url()] {
        let (backup, store) = run(url, None);
        backup.ok();
        let (globals, manifest) = files(store.path());
        assert!(!globals.contains("PASSWORD") && manifest.contains("\"has_secrets\": false"), "{globals}{manifest}");
        assert_eq!(about(&roles.name, &globals), stock);
    }
    // the second is the option's first name
    for option in ["--role-passwords", "--include-passwords"] {
        let (refused, _) = run(&read, Some(option));
        assert!(refused.transcript().contains("Only a superuser may read password hashes"), "{}", refused.transcript());
        let (backup, store) = run(&database.url(), Some(option));
        backup.ok();
        let (globals, manifest) = files(store.path());
        assert!(
            globals.contains("PASSWORD 'SCRAM") && manifest.contains("\"has_secrets\": true"),
            "{globals}{manifest}"
        );
    }
    database.sql(&format!("drop owned by {reader};"));
}
