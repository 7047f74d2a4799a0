//! The password file (PostgreSQL documentation, "The Password File").

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::record::decode_text;
use crate::secret::Secret;

/// Whom a password is wanted for.
pub(super) struct Login<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The lines of a password file.
pub(super) struct PasswordFile(Vec<Secret>);

impl PasswordFile {
    /// Reads the file. Nothing when it is missing; nothing and a warning when others may read it, as libpq.
    pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Self {
        let Ok(metadata) = std::fs::metadata(path) else { return Self(Vec::new()) };
        if !metadata.is_file() {
            warnings.push(format!("password file \"{}\" is not a plain file", path.display()));
            return Self(Vec::new());
        }
        if metadata.mode() & 0o077 != 0 {
            warnings.push(format!(
                "password file \"{}\" has group or world access and is not used; permissions should be u=rw (0600) or less",
                path.display()
            ));
            return Self(Vec::new());
        }
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&Zeroizing::new(bytes)),
            Err(error) => {
                warnings.push(format!("password file \"{}\" cannot be read: {error}", path.display()));
                Self(Vec::new())
            }
        }
    }

    fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        Self(lines.filter(|line| !line.starts_with(b"#")).map(|line| Secret::new(decode_text(line))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|line| line.expose().is_empty())
    }

    /// The password of the first line that fits.
    pub(super) fn find(&self, login: &Login<'_>) -> Option<Secret> {
        let port = login.port.to_string();
        self.0.iter().find_map(|line| {
            let rest = [login.host, &port, login.database, login.user]
                .into_iter()
                .try_fold(line.expose(), |line, wanted| match_field(line, wanted))?;
            Some(Secret::new(unescape(rest)))
        })
    }
}

/// Passes over one field and its colon when it is `*` or, unescaped, the wanted text.
fn match_field<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut wanted = wanted.chars();
    let mut characters = line.chars();
    loop {
        let character = match characters.next()? {
            ':' => return wanted.next().is_none().then_some(characters.as_str()),
            '\\' => characters.next()?,
            other => other,
        };
        if wanted.next() != Some(character) {
            return None;
        }
    }
}

/// The password reaches to the line's end or to a colon that is not escaped.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' => break,
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const FILE: &str = "# comment\r\n\
        a:5432:db:me:first\n\
        a:*:*:me:any\\:port\\\\\n\
        b\\:c:1:d\\\\e:f:odd\n\
        localhost:5432:db:me:socket\n\
        half:5432\n\
        *:*:*:you:yours:rest\n";

    #[test]
    fn finds_the_first_line_that_fits() {
        let file = PasswordFile::parse(FILE.as_bytes());
        for (host, port, database, user, expected) in [
            ("a", 5432, "db", "me", Some("first")),
            ("a", 5433, "other", "me", Some("any:port\\")),
            ("b:c", 1, "d\\e", "f", Some("odd")),
            ("localhost", 5432, "db", "me", Some("socket")),
            ("half", 5432, "db", "you", Some("yours")),
            ("half", 5432, "db", "me", None),
            ("a", 5432, "db", "m", None),
            ("a", 5432, "db", "mee", None),
        ] {
            let found = file.find(&Login { host, port, database, user });
            assert_eq!(found.as_ref().map(Secret::expose), expected, "{host} {port} {database} {user}");
        }
    }

    #[test]
    fn does_not_use_a_file_that_others_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:secret\n").unwrap();
        for (mode, used) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let mut warnings = Vec::new();
            let file = PasswordFile::read(&path, &mut warnings);
            let found = file.find(&Login { host: "h", port: 1, database: "d", user: "u" });
            assert_eq!(found.is_some(), used, "{mode:o}");
            assert_eq!(warnings.is_empty(), used, "{mode:o}");
        }
    }
}
