//! Which backups to keep and which to delete, and why. Pure: the backups, the policy and the time go in, decisions come
//! out.
//!
//! **Series.** Backups are judged within their series: the same database (by identity, not by name) and the same
//! completeness. A filtered, partial, suspect or damaged backup never stands in for a whole one and never
//! pushes one out.
//!
//! **Time.** Rules look at the snapshot's time, newest first, and at calendar periods of the policy's time zone. A backup
//! that says it comes from the future, or from later than its store received it, is kept and pushes nothing out.

mod decide;
mod period;
mod policy;
mod span;

pub use decide::{Action, Backup, CLOCK_TOLERANCE, Completeness, Decision, Reason, decide};
pub use period::Period;
pub use policy::{DEFAULT_MIN_GOOD, Policy};
pub use span::{NotASpan, Span};
