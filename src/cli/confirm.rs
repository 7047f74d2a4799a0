//! The question before anything is overwritten.

use std::io::{BufRead as _, IsTerminal as _};

use crate::error::{Error, ErrorKind, Result};
use crate::report;

/// Has the database's name typed, or compares it with `--confirm`. Anything else is refused, and nothing is changed.
pub(super) async fn confirm(database: &str, given: Option<&str>) -> Result<()> {
    if let Some(given) = given {
        return compare(database, given, "--confirm names another database");
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(ErrorKind::Refused, "the restore was not confirmed")
            .detail("there is no terminal to ask on")
            .hint(format!("Pass --confirm {} when this is meant.", report::redact::line(database))));
    }
    report::say(&format!("Type the name of the target database to go on: {}: ", report::redact::line(database)));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await;
    match answer {
        Ok(Ok(line)) => compare(database, line.trim_end_matches(['\r', '\n']), "the restore was not confirmed"),
        Ok(Err(error)) => Err(Error::new(ErrorKind::Refused, "the restore was not confirmed").caused_by(error)),
        Err(error) => Err(Error::new(ErrorKind::Bug, "could not ask for the database's name").caused_by(error)),
    }
}

fn compare(database: &str, given: &str, problem: &str) -> Result<()> {
    if given == database {
        return Ok(());
    }
    let detail = match given {
        "" => format!("the target is \"{database}\"; nothing was typed"),
        _ => format!("the target is \"{database}\", not \"{given}\""),
    };
    Err(Error::new(ErrorKind::Refused, problem).detail(detail).hint("Nothing was changed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_exact_name_confirms() {
        assert!(confirm("shop", Some("shop")).await.is_ok());
        for given in ["", "Shop", "shop ", "y", "yes"] {
            assert_eq!(confirm("shop", Some(given)).await.unwrap_err().kind(), ErrorKind::Refused, "{given:?}");
        }
    }
}
