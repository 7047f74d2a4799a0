//! What a person needs when something is lost: a dropped database comes back, and a role with few rights gets all rows.

use crate::support::bin::db;
use crate::support::pg::{Database, servers, shared_folder};
use crate::support::unique_name;

/// A managed server's shape: schemas and tables that belong to roles which the restoring one is no member of.
fn owned_by_others(source: &Database, roles: &[String; 2]) {
    let [auth, storage] = roles;
    source.sql(&format!(
        "create role {auth}; create role {storage};
         create schema auth authorization {auth};
         create table auth.users (id int primary key, mail text);
         create table auth.session (id int primary key, user_id int references auth.users);
         insert into auth.users select i, 'u' || i from generate_series(1, 1000) i;
         insert into auth.session select i, i from generate_series(1, 500) i;
         alter table auth.users owner to {auth};
         alter table auth.session owner to {auth};
         create schema storage;
         create table storage.objects (id serial primary key, name text) partition by range (id);
         create table storage.objects_1 partition of storage.objects for values from (0) to (100000);
         insert into storage.objects (name) select md5(i::text) from generate_series(1, 700) i;
         alter table storage.objects owner to {storage};
         alter table storage.objects_1 owner to {storage};
         create materialized view storage.names as select name from storage.objects;
         alter materialized view storage.names owner to {storage};"
    ));
}

#[test]
fn rows_of_tables_whose_owner_cannot_be_set_are_loaded() {
    for server in servers() {
        let source = server.database();
        let roles = [unique_name("auth_"), unique_name("storage_")];
        let user = unique_name("few_");
        owned_by_others(&source, &roles);
        let folder = shared_folder();
        let store = folder.path().to_str().expect("UTF-8");
        db(["backup", "-d", &source.url(), "--store", store]).run().ok();
        server.sql("postgres", &format!("create role {user} login"));
        for (jobs, options, code) in [("1", &[][..], 5), ("2", &[], 5), ("2", &["--no-owner"], 0)] {
            let target = server.database_with(&format!("owner {user}"));
            let url = target.url().replace("postgres@", &format!("{user}@"));
            let restore = ["restore", "latest", "--store", store, "-j", jobs, "-d", &url, "--confirm", &target.name];
            let run = db(restore.iter().chain(options)).run().expect_code(code);
            for role in &roles {
                let names = run.stderr.split("cannot make these roles owners").nth(1).unwrap_or_default();
                assert_eq!(names.lines().next().unwrap_or_default().contains(role), code == 5, "{}", run.transcript());
            }
            assert_eq!(target.rows(), source.rows(), "{} -j {jobs} {options:?}\n{}", server.major, run.transcript());
        }
        drop(source);
        server.sql("postgres", &format!("drop role {user}; drop role {}; drop role {}", roles[0], roles[1]));
    }
}

#[test]
fn a_dropped_database_comes_back_under_its_own_name() {
    for server in servers() {
        let source = server.database();
        source.sql("create table t (id int primary key); insert into t select generate_series(1, 100);");
        let rows = source.rows();
        let folder = shared_folder();
        let store = folder.path().to_str().expect("UTF-8");
        db(["backup", "-d", &source.url(), "--store", store]).run().ok();
        let restore = |url: &str, options: &[&str]| {
            let name = format!("{}/latest", source.name);
            db(["restore", &name, "--store", store, "-d", url, "--confirm", &source.name].iter().chain(options)).run()
        };
        let postgres = server.url("postgres");
        // as long as it is there, it is not written to by mistake
        restore(&source.url(), &["--clean"]).expect_code(6);
        restore(&postgres, &["--create", "--clean"]).expect_code(6);
        server.sql("postgres", &format!("drop database {}", source.name));
        restore(&postgres, &["--create"]).ok();
        assert_eq!(source.rows(), rows, "created by the restore");
        server.sql("postgres", &format!("drop database {0}; create database {0}", source.name));
        restore(&source.url(), &[]).ok();
        assert_eq!(source.rows(), rows, "created before it");
    }
}

#[test]
fn a_target_that_does_not_exist_is_made_where_that_is_asked_for() {
    for server in servers() {
        let source = server.database_with("template template0 encoding 'LATIN1' locale 'C'");
        source.sql("create table t (id int primary key); insert into t select generate_series(1, 100);");
        let folder = shared_folder();
        let store = folder.path().to_str().expect("UTF-8");
        for format in ["custom", "plain"] {
            db(["backup", "-d", &source.url(), "--store", store, "-F", format]).run().ok();
            // its name is taken, so that it goes when the test ends
            let target = server.database();
            server.sql("postgres", &format!("drop database {}", target.name));
            let restore = ["restore", "latest", "--store", store, "-d", &target.url(), "--confirm", &target.name];
            let run = db(restore).run().expect_code(18);
            assert!(run.stderr.contains("createdb") && run.stderr.contains("--create-target"), "{}", run.transcript());
            let dry = db(restore.iter().chain(&["--create-target", "--dry-run"])).run().ok();
            assert!(dry.stdout.contains(&format!("creates database \"{}\"", target.name)), "{}", dry.transcript());
            db(restore).run().expect_code(18);
            db(restore.iter().chain(&["--create-target"])).run().ok();
            assert_eq!(target.rows(), source.rows());
            if format == "custom" {
                assert_eq!(target.sql("show server_encoding"), source.sql("show server_encoding"));
            }
            // it is there now, and not empty
            db(restore.iter().chain(&["--create-target"])).run().expect_code(6);
        }
    }
}
