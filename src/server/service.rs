//! The connection service file (PostgreSQL documentation, "The Connection Service File").

use std::path::{Path, PathBuf};

use super::conninfo::{Parameters, put};
use crate::error::{Error, ErrorKind, Result};
use crate::record::decode_text;

/// Where service files are looked for, in this order.
pub(super) struct Places {
    /// `servicefile` or `PGSERVICEFILE`: must exist when it is set.
    pub(super) explicit: Option<PathBuf>,
    /// `~/.pg_service.conf`.
    pub(super) home: Option<PathBuf>,
    /// `pg_service.conf` in `PGSYSCONFDIR` or in the system's folder for it.
    pub(super) system: Vec<PathBuf>,
}

/// The parameters of a service.
///
/// # Errors
///
/// [`ErrorKind::Config`] when no file defines it, or a file has a line that is none.
pub(super) fn find(name: &str, places: &Places) -> Result<Parameters> {
    let user_file = places.explicit.as_ref().or(places.home.as_ref());
    if let Some(path) = &places.explicit
        && !path.exists()
    {
        return Err(Error::new(ErrorKind::Config, format!("service file \"{}\" not found", path.display())));
    }
    for path in user_file.into_iter().chain(&places.system) {
        if let Some(parameters) = find_in(path, name)? {
            return Ok(parameters);
        }
    }
    Err(Error::new(ErrorKind::Config, format!("definition of service \"{name}\" not found")).hint(
        "Services are defined in ~/.pg_service.conf, in the file that PGSERVICEFILE names, or in pg_service.conf of PGSYSCONFDIR.",
    ))
}

fn find_in(path: &Path, name: &str) -> Result<Option<Parameters>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::new(ErrorKind::Config, format!("could not read service file \"{}\"", path.display()))
                .caused_by(error));
        }
    };
    let text = decode_text(&bytes);
    let mut found: Option<Parameters> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |problem: &str| {
            Error::new(
                ErrorKind::Config,
                format!("service file \"{}\", line {}: {problem}", path.display(), number + 1),
            )
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(']') == Some(name) {
                found = Some(Parameters::new());
            }
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        if line.starts_with("ldap") {
            return Err(wrong("a look-up by LDAP is not supported"));
        }
        let Some((keyword, value)) = line.split_once('=') else {
            return Err(wrong("a keyword is not followed by ="));
        };
        if keyword == "service" || keyword == "servicefile" {
            return Err(wrong("services cannot be nested"));
        }
        // the first of two wins, as in libpq
        if !parameters.contains_key(keyword) {
            put(parameters, keyword, value.to_owned()).map_err(|error| wrong(error.message()))?;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: PathBuf) -> Places {
        Places { explicit: Some(path), home: None, system: Vec::new() }
    }

    #[test]
    fn reads_one_section() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services");
        std::fs::write(
            &path,
            "# all\n[other]\nhost=other\n[shop]\nhost=a,b\nport=1\nport=2\n# more\ndbname=my shop\n\n[last]\nbroken\n",
        )
        .unwrap();
        let found = find("shop", &places(path.clone())).unwrap();
        let shown: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["dbname=my shop", "host=a,b", "port=1"]);
        let error = find("last", &places(path.clone())).unwrap_err();
        assert!(error.message().ends_with("line 12: a keyword is not followed by ="), "{error}");
        assert_eq!(find("none", &places(path)).unwrap_err().message(), "definition of service \"none\" not found");
    }
}
