//! The layers of `src/` hold: an edge that this table does not have fails the test. Needs nothing but the source text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, layer, and what it may use inside its own layer. Everything may use every lower layer; nobody uses a higher one.
const MODULES: &[(&str, u8, &[&str])] = &[
    ("count", 0, &[]),
    ("error", 0, &[]),
    ("record", 0, &["error"]),
    ("secret", 0, &[]),
    ("archive", 1, &["codec", "object"]),
    ("certificate", 1, &[]),
    ("codec", 1, &[]),
    ("event", 1, &["plan", "manifest", "retention"]),
    ("manifest", 1, &["codec"]),
    ("object", 1, &[]),
    ("plan", 1, &["object"]),
    ("retention", 1, &["manifest"]),
    ("config", 2, &[]),
    ("server", 2, &[]),
    ("store", 2, &[]),
    ("catalog", 3, &[]),
    ("copy", 3, &[]),
    ("reader", 3, &["transfer"]),
    ("shelf", 3, &[]),
    ("transfer", 3, &[]),
    ("accept", 4, &[]),
    ("backup", 4, &["prune"]),
    ("drill", 4, &["restore", "verify"]),
    ("list", 4, &[]),
    ("prune", 4, &[]),
    ("restore", 4, &["verify"]),
    ("show", 4, &[]),
    ("status", 4, &[]),
    ("upload", 4, &["verify"]),
    ("verify", 4, &[]),
    ("report", 5, &[]),
    ("cli", 5, &["report"]),
    ("lib", 6, &[]),
    ("main", 6, &[]),
];

/// Files of `src/object` for which nothing is read from the catalog by a query of their own.
const PURE: &[&str] =
    &["acl", "entry", "globals", "identifier", "inventory", "kind", "mod", "quote", "setting", "tests", "version"];

/// Queries of `sql/catalog` whose rows belong to no single kind of object, or to one that is named otherwise.
const WITHOUT_OBJECT: &[&str] = &[
    "catalog_size",
    "dependency",
    "extension_member",
    "facts",
    "inheritance",
    "initial_privilege",
    "membership",
    "parameter_acl",
    "text_search_mapping",
    "user_mapping",
];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the source") {
        let path = entry.expect("a folder's entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules named by `crate::` paths, inside `use` trees and elsewhere, comments left out.
fn used_modules(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    // Tests of a module may look further than the module itself.
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `pub(crate)` has no colons, so only the end of a longer name could be meant.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => used.extend(first_name(rest)),
            Some(tree) => {
                let mut depth = 0;
                let mut at_name = true;
                for (position, letter) in tree.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => at_name = true,
                        _ if at_name && depth == 0 && !letter.is_whitespace() => {
                            used.extend(first_name(&tree[position..]));
                            at_name = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

/// A module's name; a type that lives at the crate's root is no module.
fn first_name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    name.starts_with(|c: char| c.is_lowercase()).then_some(name)
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join(folder)).expect("a folder of the source");
    let names = entries.map(|entry| entry.expect("a folder's entry").file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.ends_with(extension))
        .map(|name| name.split('.').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn modules_use_only_the_layers_below_them() {
    let source = repository().join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let find = |name: &str| MODULES.iter().find(|(module, _, _)| *module == name);
    let mut wrong = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&source).unwrap();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        let first = path.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        let Some((_, layer, beside)) = find(module) else {
            wrong.push(format!("src/{}: module {module} is in no layer", path.display()));
            continue;
        };
        for used in used_modules(&fs::read_to_string(file).unwrap()) {
            let allowed = match find(&used) {
                Some((_, below, _)) => below < layer || used == module || beside.contains(&used.as_str()),
                None => false,
            };
            if !allowed {
                wrong.push(format!("src/{}: {module} may not use {used}", path.display()));
            }
        }
    }
    assert!(files.len() > 20, "the source text was found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_kind_of_object_has_its_query() {
    let objects = stems("src/object", ".rs");
    let queries = stems("sql/catalog", ".sql");
    let without_query: Vec<_> =
        objects.iter().filter(|name| !queries.contains(*name) && !PURE.contains(&name.as_str())).collect();
    // `publication_table.sql` reads a part of what `publication.rs` is; `select_*.sql` resolve patterns.
    let belongs = |query: &str| {
        objects.iter().any(|object| query == object || query.strip_prefix(object).is_some_and(|r| r.starts_with('_')))
            || query.starts_with("select_")
    };
    let without_object: Vec<_> =
        queries.iter().filter(|name| !belongs(name) && !WITHOUT_OBJECT.contains(&name.as_str())).collect();
    assert!(without_query.is_empty(), "no sql/catalog/*.sql for src/object: {without_query:?}");
    assert!(without_object.is_empty(), "no src/object/*.rs for sql/catalog: {without_object:?}");
}

#[test]
fn sees_modules_in_every_spelling() {
    let text =
        "use crate::{error::{Error, Result}, object::quote, Manifest};\n// crate::comment\nlet x = crate::store::x();";
    assert_eq!(used_modules(text).into_iter().collect::<Vec<_>>(), ["error", "object", "store"]);
}
