//! `db drill`: restores a backup where nothing can be broken, compares what came out with the manifest, measures how long
//! it took, writes the evidence, and leaves nothing behind.

mod embedded;
mod leftover;
mod proof;
mod scratch;
mod unfit;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};

pub use crate::manifest::evidence::Verdict;
pub use proof::{Proof, Restored};
pub use scratch::Place;

use self::scratch::{Roles, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Phase, Sink};
use crate::manifest::{Manifest, PhaseTime};
use crate::restore;
use crate::shelf::{Backup, Standing};
use crate::store::Store;
use crate::verify::{self, Comparison, Definitions, Restoration};

/// Kinds of objects that only superusers may own.
const OF_SUPERUSERS: &[&str] = &["EVENT TRIGGER", "FOREIGN DATA WRAPPER"];

/// Which backup, and where.
pub struct Options {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The backup, its manifest read.
    pub backup: Box<Backup>,
    /// Where to restore it to.
    pub place: Place,
    /// Connections that work at the same time.
    pub jobs: NonZeroUsize,
    /// What to restore of it, and how.
    pub restored: Restoration,
    /// Restore into a server that is older than the source.
    pub allow_older_server: bool,
    /// Leave what was restored in place.
    pub keep: bool,
    /// Write the evidence beside the backup.
    pub write_proof: bool,
}

/// What a drill did.
#[derive(Debug)]
pub struct Outcome {
    /// The evidence.
    pub proof: Proof,
    /// Where the evidence lies in the store, when it was written.
    pub proof_key: Option<String>,
    /// Where the restored database is, when it was kept.
    pub kept: Option<String>,
    /// Why it could not be drilled, for the exit code.
    pub error: Option<Error>,
}

/// Drills one backup. What is wrong with the backup is in the outcome, and so is what kept it from being tried.
///
/// Fails when the store fails: evidence that cannot be written is no evidence.
pub async fn run(options: &Options, now: DateTime<Utc>, sink: &dyn Sink) -> Result<Outcome> {
    let mut proof = Proof::new(&options.backup, now);
    let watch = Stopwatch::new(sink);
    let begun = Instant::now();
    let result = Box::pin(drill(options, &mut proof, &watch)).await;
    proof.finished = now + begun.elapsed();
    proof.phases = watch.into_phases();
    let (kept, error) = match result {
        Ok(kept) => (kept, None),
        Err(error) => {
            judge_error(&mut proof, &error);
            (None, Some(error))
        }
    };
    let proof_key = match options.write_proof {
        true => Some(proof.publish(options.store.as_ref(), &options.backup).await?),
        false => None,
    };
    Ok(Outcome { proof, proof_key, kept, error: error.filter(|error| !is_backups_fault(error)) })
}

/// An archive that does not decode or files that were changed are the backup's fault; everything else is the drill's.
fn is_backups_fault(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Archive | ErrorKind::Damage)
}

fn judge_error(proof: &mut Proof, error: &Error) {
    proof.verdict = if is_backups_fault(error) { Verdict::Failed } else { Verdict::CouldNotRun };
    let detail = error.detail_text().map_or_else(String::new, |detail| format!(": {detail}"));
    proof.reasons.push(format!("{}{detail}", error.message()));
}

/// Prepares, restores, compares and cleans up. Returns where the database is when it is kept.
async fn drill(options: &Options, proof: &mut Proof, watch: &Stopwatch<'_>) -> Result<Option<String>> {
    let manifest = options
        .backup
        .manifest()
        .ok_or_else(|| Error::new(ErrorKind::Archive, format!("backup {} is not complete", options.backup.name())))?;
    // what cannot be read fails behind the check of the files, which tells more
    let definitions = verify::definitions(&options.store, &options.backup, manifest).await;
    let superusers = definitions.as_ref().map(|definitions| definitions.owners(OF_SUPERUSERS)).unwrap_or_default();
    let all: BTreeSet<String> = manifest.expected.roles.iter().chain(&superusers).cloned().collect();
    let roles = Roles { all: &all, superusers: &superusers };
    let preparing = Scratch::prepare(&options.place, &manifest.source, roles, options.allow_older_server, proof.begun);
    let mut scratch = watch.time(Phase::Prepare, preparing).await?;
    proof.server.clone_from(&scratch.server);
    proof.server_version.clone_from(&scratch.server_version);
    proof.notes.append(&mut scratch.notes);
    proof.notes.extend(scratch.swept.removed.iter().map(|what| format!("removed what an earlier drill left: {what}")));
    for what in &scratch.swept.stays {
        let text = format!("what an earlier drill left cannot be removed: {what}");
        watch.sink.event(Event::Warning(Message::new(&*text)));
        proof.notes.push(text);
    }

    let restored = restore_and_compare(options, manifest, definitions, &mut scratch, proof, watch).await;
    if options.keep {
        restored?;
        return scratch.keep().await.map(Some);
    }
    if let Err(error) = watch.time(Phase::CleanUp, scratch.remove()).await {
        // the drill's result stands; what is left is swept by the next one
        let text = format!("could not clean up: {}", error.message());
        watch.sink.event(Event::Warning(Message::with_hint(&*text, "The next drill at this place removes it.")));
        proof.notes.push(text);
    }
    restored.map(|()| None)
}

async fn restore_and_compare(
    options: &Options,
    manifest: &Manifest,
    definitions: Result<Definitions>,
    scratch: &mut Scratch,
    proof: &mut Proof,
    watch: &Stopwatch<'_>,
) -> Result<()> {
    let source =
        restore::Source::Backup { store: Arc::clone(&options.store), backup: Box::new(same_backup(options, manifest)) };
    let mut restoring = restore::Options::new(source, scratch.target.clone());
    restoring.jobs = options.jobs;
    restoring.create_roles = true;
    restoring.selection = options.restored.selection.clone();
    restoring.leave = options.restored.leave;
    restoring.role.clone_from(&options.restored.role);
    // a scratch server has the source's tablespaces as little as its disks
    restoring.leave.tablespaces = true;
    let begun = Instant::now();
    let outcome = Box::pin(restore::run(restoring, watch)).await?;
    proof.recovery_milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    scratch.adopt_roles(&outcome.created_roles).await;
    proof.restored = Restored {
        entries: outcome.entry_count,
        tables: outcome.table_count,
        rows: outcome.row_count,
        bytes: outcome.byte_count,
    };
    proof.notes.extend(outcome.warnings.iter().cloned());
    for failure in &outcome.failures {
        proof.reasons.push(format!("{} could not be restored: {}", failure.entry, failure.message));
    }

    let definitions = definitions?;
    let encoding = definitions.encoding().unwrap_or(manifest.encoding());
    let (definitions, jobs) = (Some(&definitions), options.jobs.get());
    let comparison = Comparison { encoding, definitions, restored: &options.restored, database: false, jobs };
    let verification = verify::compare(&scratch.target, manifest, comparison, watch).await?;
    for finding in &verification.findings {
        proof.reasons.push(format!("{} \"{}\": {}", finding.kind.message(), finding.object, finding.detail));
    }
    let verdict = match verification.verdict() {
        verify::Verdict::Passed => Verdict::Passed,
        verify::Verdict::Damaged | verify::Verdict::Differs | verify::Verdict::Unmet => Verdict::Failed,
        verify::Verdict::Incomplete => {
            let left = verification.levels.iter().flat_map(|level| &level.not_checked);
            proof.reasons.extend(left.map(|left| format!("{} could not be compared: {}", left.what, left.why)));
            Verdict::CouldNotRun
        }
    };
    proof.verdict = match unfit::reason(&outcome.failures, manifest, &proof.server_version, &verification) {
        _ if outcome.failures.is_empty() => verdict,
        None => Verdict::Failed,
        Some(why) => {
            proof.reasons.insert(0, why);
            Verdict::CouldNotRun
        }
    };
    proof.verification = Some(verification);
    Ok(())
}

/// The backup for the restore, which takes its own.
fn same_backup(options: &Options, manifest: &Manifest) -> Backup {
    Backup {
        database: options.backup.database.clone(),
        id: options.backup.id.clone(),
        standing: Standing::Complete { manifest: Box::new(manifest.clone()), received: manifest.timings.finished },
        objects: options.backup.objects.clone(),
        members: options.backup.members,
        evidence: options.backup.evidence.clone(),
    }
}

/// Listens in to measure the phases, and passes every event on.
struct Stopwatch<'a> {
    sink: &'a dyn Sink,
    phases: Mutex<Vec<PhaseTime>>,
}

impl<'a> Stopwatch<'a> {
    fn new(sink: &'a dyn Sink) -> Self {
        Self { sink, phases: Mutex::default() }
    }

    async fn time<T>(&self, phase: Phase, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.event(Event::PhaseBegun(phase));
        let begun = Instant::now();
        let result = work.await;
        self.event(Event::PhaseFinished { phase, elapsed: begun.elapsed() });
        result
    }

    fn into_phases(self) -> Vec<PhaseTime> {
        self.phases.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Stopwatch<'_> {
    fn event(&self, event: Event) {
        if let Event::PhaseFinished { phase, elapsed } = &event {
            let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let time = PhaseTime { name: phase.name().to_owned(), milliseconds };
            self.phases.lock().unwrap_or_else(PoisonError::into_inner).push(time);
        }
        self.sink.event(event);
    }
}
