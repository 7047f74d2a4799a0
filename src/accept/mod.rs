//! `db accept`: somebody's word that a backup which looked wrong is right. It is written beside the manifest, with its
//! reason, and everything that reads backups goes by it.

use chrono::{DateTime, Utc};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::{Condition, evidence, layout};
use crate::shelf::{self, Found, Query};
use crate::store::Store;

/// Which backup, and why.
#[derive(Clone, Debug)]
pub struct Options {
    /// As it was named.
    pub query: Query,
    /// Why it is right.
    pub reason: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `shop/20261121T030000Z-k3f9`.
    pub backup: String,
    /// What it is now.
    pub condition: Condition,
    /// Where the acceptance lies.
    pub key: String,
}

/// Accepts a suspect backup. One that is not suspect is refused: damage is lifted by a verify or a drill that passes, and what
/// was left out of a backup does not come by a word.
pub async fn run(options: &Options, store: &dyn Store, now: DateTime<Utc>) -> Result<Outcome> {
    let Found { backup, .. } = shelf::find(store, &options.query).await?;
    let name = backup.name();
    let document = evidence::encode_acceptance(&name, now, &options.reason)?;
    if let Some(refused) = refusal(&name, backup.condition()) {
        return Err(refused);
    }
    let key = shelf::publish_evidence(store, &backup, layout::ACCEPTED, now, document).await?;
    // what the others will read
    let accepted = shelf::find(store, &options.query.exactly(&backup)).await?.backup;
    Ok(Outcome { backup: name, condition: accepted.condition(), key })
}

/// Why there is nothing to accept.
fn refusal(name: &str, condition: Condition) -> Option<Error> {
    let text = format!("backup {name} is not suspect: it is {}", condition.word());
    let refused = Error::new(ErrorKind::Refused, text);
    match condition {
        Condition::Suspect(_) => None,
        Condition::Damaged { proof, reason } => Some(
            refused
                .detail(format!("{reason} ({proof})"))
                .hint("Damage is lifted by a verify or a drill of the same depth that passes."),
        ),
        Condition::Good
        | Condition::Filtered { .. }
        | Condition::Partial(_)
        | Condition::Unreadable(_)
        | Condition::Deleting
        | Condition::Unfinished
        | Condition::LeftOver => Some(refused.hint("There is nothing to accept.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::State;
    use crate::manifest::evidence::tests::stored_proof;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    const ID: &str = "20261121T030000Z-k3f9";

    fn options(id: &str) -> Options {
        Options { query: Query::parse(id).unwrap(), reason: "archived by hand".to_owned() }
    }

    #[tokio::test]
    async fn a_suspect_backup_becomes_what_it_else_is_and_no_other_is_accepted() {
        let store = MemoryStore::new();
        put_backup(&store, ID, |manifest| {
            manifest.state = State::Suspect;
            manifest.suspicions = vec!["public.t is empty".to_owned()];
        })
        .await;
        let latest = Query::parse("latest").unwrap();
        assert!(shelf::find(&store, &latest).await.is_err());
        let outcome = run(&options(ID), &store, Utc::now()).await.unwrap();
        assert_eq!(outcome.condition, Condition::Good);
        assert_eq!(shelf::find(&store, &latest).await.unwrap().backup.id.to_string(), ID);
        let again = run(&options(ID), &store, Utc::now()).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Refused);
        let proof = stored_proof(&format!("shop/{ID}"), "2026-11-22T00:00:00Z", "failed", "rows");
        put(&store, &format!("shop/{ID}/proofs/20261122T000000Z.json"), proof).await;
        assert!(run(&options(ID), &store, Utc::now()).await.unwrap_err().to_string().contains("it is damaged"));
        let empty = Options { reason: String::new(), ..options(ID) };
        assert_eq!(run(&empty, &store, Utc::now()).await.unwrap_err().kind(), ErrorKind::Usage);
    }
}
