//! How long each part of a run takes, told as it happens and kept for the manifest.

use std::time::Instant;

use crate::event::{Event, Phase, Sink};
use crate::manifest::PhaseTime;

/// The phases of a run, one after the other.
pub(super) struct Phases<'a> {
    /// Who listens.
    pub(super) sink: &'a dyn Sink,
    open: Option<(Phase, Instant)>,
    past: Vec<PhaseTime>,
}

impl<'a> Phases<'a> {
    pub(super) fn new(sink: &'a dyn Sink) -> Self {
        Self { sink, open: None, past: Vec::new() }
    }

    /// Ends the present phase and begins another.
    pub(super) fn begin(&mut self, phase: Phase) {
        self.end();
        self.sink.event(Event::PhaseBegun(phase));
        self.open = Some((phase, Instant::now()));
    }

    /// Ends the present phase.
    pub(super) fn end(&mut self) {
        if let Some((phase, begun)) = self.open.take() {
            let elapsed = begun.elapsed();
            self.sink.event(Event::PhaseFinished { phase, elapsed });
            let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.past.push(PhaseTime { name: phase.name().to_owned(), milliseconds });
        }
    }

    /// What has ended until now.
    pub(super) fn times(&self) -> Vec<PhaseTime> {
        self.past.clone()
    }
}
