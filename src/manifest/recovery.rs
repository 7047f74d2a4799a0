//! What a person needs who has the files and not this program: `SHA256SUMS` and `RECOVERY.md`.

use std::fmt::Write as _;

use super::{File, Format, Manifest, layout};

/// The digests of the files in the form that `sha256sum -c` reads.
///
/// A name with a newline or a backslash is escaped the way GNU coreutils does it ("sha2 utilities": a backslash begins
/// the line).
pub fn sums(files: &[File]) -> String {
    let mut text = String::new();
    files.iter().filter(|file| file.path != layout::SUMS).for_each(|file| sum(file, &mut text));
    text
}

/// Adds the line of one file.
pub(crate) fn sum(file: &File, text: &mut String) {
    let escaped = file.path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    let mark = if escaped == file.path { "" } else { "\\" };
    let _ = writeln!(text, "{mark}{}  {escaped}", file.sha256); // writing to a string cannot fail
}

fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn restore_command(manifest: &Manifest, database: &str) -> String {
    let path = shell_quoted(&manifest.archive.path);
    let unpack = match manifest.archive.compression.split(':').next() {
        Some("gzip") => Some("gzip -dc"),
        Some("lz4") => Some("lz4 -dc"),
        Some("zstd") => Some("zstd -dc"),
        Some(_) | None => None,
    };
    match (manifest.archive.format, unpack) {
        (Format::Custom | Format::Directory, _) => {
            format!("pg_restore --exit-on-error --jobs=2 --dbname={database} {path}")
        }
        // pg_restore cannot read a tar archive over several connections
        (Format::Tar, _) => format!("pg_restore --exit-on-error --dbname={database} {path}"),
        (Format::Plain, Some(unpack)) => {
            format!("{unpack} {path} | psql -X -v ON_ERROR_STOP=1 --dbname={database}")
        }
        (Format::Plain, None) => format!("psql -X -v ON_ERROR_STOP=1 --dbname={database} --file={path}"),
    }
}

/// The text of `RECOVERY.md`: the commands that restore this backup with PostgreSQL's own programs.
pub fn recovery(manifest: &Manifest) -> String {
    let source = &manifest.source;
    let archive = &manifest.archive;
    let target = shell_quoted(&format!("{}_restored", source.database));
    let program = match archive.format {
        Format::Custom | Format::Directory | Format::Tar => "pg_restore",
        Format::Plain => "psql",
    };
    let has_globals = manifest.file(layout::GLOBALS).is_some();
    let mut text = format!(
        "# How to restore this backup without `db`\n\n\
         Backup `{}` of database `{}` (PostgreSQL {}, {}), as it was at {}.\n\n\
         Needed: `{program}` {} or newer{}.\n",
        manifest.id,
        source.database,
        source.server_version,
        source.encoding,
        manifest.snapshot.time.format("%Y-%m-%d %H:%M:%S UTC"),
        archive.reader_major,
        match (archive.format, archive.compression.split(':').next()) {
            (Format::Plain, Some(method @ ("gzip" | "lz4" | "zstd"))) => format!(" and `{method}`"),
            (Format::Custom | Format::Directory | Format::Tar | Format::Plain, _) => String::new(),
        }
    );
    if !manifest.is_whole() {
        text.push_str("\nThis backup does not hold the whole database; `manifest.json` says what was left out.\n");
    }
    text.push_str("\nRun in this folder:\n\n```sh\n");
    let mut step = |comment: &str, command: &str| {
        let _ = writeln!(text, "# {comment}\n{command}"); // writing to a string cannot fail
    };
    step("are all files whole?", &format!("sha256sum --check {}", layout::SUMS));
    if has_globals {
        step(
            "roles, memberships and settings; errors for roles that exist already do no harm",
            &format!("psql -X --dbname=postgres --file={}", layout::GLOBALS),
        );
    }
    if archive.has_schema {
        step("an empty database", &format!("createdb --template=template0 --encoding={} {target}", source.encoding));
    }
    step("definitions, rows, indexes and rights", &restore_command(manifest, &target));
    step("statistics for the planner", &format!("vacuumdb --analyze-only --dbname={target}"));
    text.push_str("```\n");
    if has_globals && !manifest.has_secrets {
        text.push_str(
            "\nThe roles come without passwords. Set those that are needed with `ALTER ROLE name PASSWORD '...'`.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Archive, Sha256, tests::sample};

    #[test]
    fn sums_are_what_sha256sum_prints() {
        let file = |path: &str| File {
            path: path.to_owned(),
            size: 3,
            sha256: Sha256::of(b"abc"),
            segment_size: 0,
            segments: Vec::new(),
        };
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            sums(&[file("archive/toc.dat"), file("SHA256SUMS"), file("a\\b")]),
            format!("{digest}  archive/toc.dat\n\\{digest}  a\\\\b\n")
        );
    }

    #[test]
    fn names_the_commands_for_each_format() {
        let mut manifest = sample("20261121T030000Z-k3f9");
        let text = recovery(&manifest);
        assert!(text.contains("`pg_restore` 16 or newer."), "{text}");
        assert!(text.contains("\npg_restore --exit-on-error --jobs=2 --dbname=shop_restored archive.dump\n"), "{text}");
        assert!(!text.contains("globals.sql"), "{text}");

        manifest.archive = Archive { format: Format::Tar, path: "archive.tar".to_owned(), ..manifest.archive };
        let text = recovery(&manifest);
        assert!(text.contains("\npg_restore --exit-on-error --dbname=shop_restored archive.tar\n"), "{text}");

        manifest.source.database = "it's".to_owned();
        manifest.archive = Archive {
            format: Format::Plain,
            path: "archive.sql.gz".to_owned(),
            compression: "gzip:6".to_owned(),
            reader_major: 13,
            has_schema: true,
            ..Archive::default()
        };
        manifest.files.push(File {
            path: "globals.sql".to_owned(),
            size: 1,
            sha256: Sha256::of(b"x"),
            segment_size: 0,
            segments: Vec::new(),
        });
        let text = recovery(&manifest);
        assert!(text.contains("`psql` 13 or newer and `gzip`."), "{text}");
        assert!(
            text.contains("\ngzip -dc archive.sql.gz | psql -X -v ON_ERROR_STOP=1 --dbname='it'\\''s_restored'\n"),
            "{text}"
        );
        assert!(text.contains("\npsql -X --dbname=postgres --file=globals.sql\n"), "{text}");
        assert!(text.contains("without passwords"), "{text}");
    }
}
