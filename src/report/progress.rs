//! How far a phase is: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::style::ProgressTracker;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::config::{ByteSize, show_duration};
use crate::count::{counted, grouped};
use crate::event::{Phase, Progress};

/// The pause between two lines about the same phase.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// What has not moved for this long stands still: neither a rate nor a time that is left can be told from it.
const STANDSTILL: Duration = Duration::from_secs(10);

/// Nobody waits for longer; such a time is told by a rate that is nearly nothing.
const LEFT_MAX: Duration = Duration::from_secs(30 * 86_400);

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Lines about every ten seconds.
    Lines,
    /// Nothing.
    None,
}

/// The state of the phase that runs.
pub(super) struct Meter {
    style: Style,
    phase: Option<Phase>,
    begun: Instant,
    spoken: Instant,
    moved: Instant,
    progress: Progress,
}

enum Style {
    Bar(ProgressBar),
    Lines,
    Silent,
}

impl Meter {
    pub(super) fn new(display: Display, is_terminal: bool) -> Self {
        let style = match (display, is_terminal) {
            (Display::Bar, _) | (Display::Auto, true) => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
                Style::Bar(bar)
            }
            (Display::Lines, _) | (Display::Auto, false) => Style::Lines,
            (Display::None, _) => Style::Silent,
        };
        let now = Instant::now();
        Self { style, phase: None, begun: now, spoken: now, moved: now, progress: Progress::default() }
    }

    /// Runs `speak` with the bar out of its way.
    pub(super) fn aside(&self, speak: impl FnOnce()) {
        match &self.style {
            Style::Bar(bar) => bar.suspend(speak),
            Style::Lines | Style::Silent => speak(),
        }
    }

    pub(super) fn begin(&mut self, phase: Phase) {
        self.phase = Some(phase);
        self.begun = Instant::now();
        self.spoken = self.begun;
        self.moved = self.begun;
        self.progress = Progress::default();
        if let Style::Bar(bar) = &self.style {
            bar.reset();
            bar.set_style(spinner_style());
            bar.set_message(phase.title());
            bar.enable_steady_tick(Duration::from_millis(125));
        }
    }

    /// Takes note of how far the phase is; the answer is a line that is due.
    pub(super) fn update(&mut self, progress: Progress) -> Option<String> {
        if self.progress != progress {
            self.moved = Instant::now();
        }
        self.progress = progress;
        match &self.style {
            Style::Bar(bar) => {
                let title = self.phase.map_or("working", Phase::title);
                if let Some(total) = progress.bytes_total.filter(|total| *total > 0) {
                    if bar.length() != Some(total) {
                        bar.set_style(bar_style());
                        bar.set_length(total);
                    }
                    // totals are estimates: never show more than all
                    bar.set_position(progress.bytes.min(total));
                }
                bar.set_message(match progress.objects_total {
                    Some(total) => format!("{title} {}/{total}", progress.objects),
                    None => title.to_owned(),
                });
                None
            }
            Style::Lines if self.spoken.elapsed() >= LINE_PAUSE => {
                self.spoken = Instant::now();
                self.phase.map(|phase| line(phase, progress, self.begun.elapsed(), self.moved.elapsed()))
            }
            Style::Lines | Style::Silent => None,
        }
    }

    /// Ends the phase; the answer is the line about it, when it took long enough to speak of.
    pub(super) fn finish(&mut self, phase: Phase, elapsed: Duration) -> Option<String> {
        let progress = if self.phase == Some(phase) { self.progress } else { Progress::default() };
        self.phase = None;
        match &self.style {
            Style::Silent => return None,
            Style::Bar(bar) => bar.finish_and_clear(),
            Style::Lines => {}
        }
        let amount = match progress.bytes {
            0 => String::new(),
            bytes => format!(", {}", ByteSize(bytes)),
        };
        (elapsed >= Duration::from_secs(1))
            .then(|| format!("{}: done in {}{amount}", phase.title(), show_duration(elapsed)))
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&mut self) {
        if let Style::Bar(bar) = &self.style {
            bar.finish_and_clear();
        }
    }
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{bar:24}] {percent:>3}% {pace}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key("pace", Pace { position: 0, moved: Instant::now() })
}

/// The bar's end, which sees by itself that nothing moves: then nobody tells it.
#[derive(Clone)]
struct Pace {
    position: u64,
    moved: Instant,
}

impl ProgressTracker for Pace {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, state: &ProgressState, now: Instant) {
        if self.position != state.pos() {
            *self = Self { position: state.pos(), moved: now };
        }
    }

    fn reset(&mut self, state: &ProgressState, now: Instant) {
        *self = Self { position: state.pos(), moved: now };
    }

    fn write(&self, state: &ProgressState, text: &mut dyn std::fmt::Write) {
        // a bar that cannot be written is seen by nobody
        let _ = text.write_str(&pace(state.per_sec(), state.eta(), self.moved.elapsed()).join(" "));
    }
}

/// How fast it goes and what is left, or for how long it has stood still.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people")]
fn pace(rate: f64, left: Duration, still: Duration) -> Vec<String> {
    if still >= STANDSTILL {
        return vec![format!("no progress for {}", show_duration(still))];
    }
    let mut parts = vec![format!("{}/s", ByteSize(rate as u64))];
    if rate >= 1.0 && !left.is_zero() && left <= LEFT_MAX {
        parts.push(format!("{} left", show_duration(left)));
    }
    parts
}

fn spinner_style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// `copying rows: 35 %, 420 MiB of 1.17 GiB, 42 MiB/s, 18.0 s left, 3 of 12 objects`.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn line(phase: Phase, progress: Progress, elapsed: Duration, still: Duration) -> String {
    let mut parts = Vec::new();
    let rate = progress.bytes as f64 / elapsed.as_secs_f64().max(0.001);
    match progress.bytes_total.filter(|total| *total > 0) {
        Some(total) => {
            let percent = u128::from(progress.bytes.min(total)) * 100 / u128::from(total);
            parts.push(format!("{percent} %, {} of {}", ByteSize(progress.bytes), ByteSize(total)));
            let left = total.saturating_sub(progress.bytes) as f64 / rate.max(1e-3);
            parts.extend(pace(rate, Duration::from_secs_f64(left.min(1e9)), still));
        }
        None if progress.bytes > 0 => {
            parts.push(ByteSize(progress.bytes).to_string());
            parts.extend(pace(rate, Duration::ZERO, still));
        }
        None => {}
    }
    match progress.objects_total {
        Some(total) => parts.push(format!("{} of {}", grouped(progress.objects), counted(total, "object"))),
        None if progress.objects > 0 => parts.push(counted(progress.objects, "object")),
        None => {}
    }
    if parts.is_empty() {
        parts.push(show_duration(elapsed));
    }
    format!("{}: {}", phase.title(), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let progress =
            Progress { bytes: 300 << 20, bytes_total: Some(1200 << 20), rows: 5, objects: 3, objects_total: Some(12) };
        assert_eq!(
            line(Phase::CopyOut, progress, Duration::from_secs(10), Duration::ZERO),
            "copying rows: 25 %, 300 MiB of 1.17 GiB, 30.0 MiB/s, 30.0 s left, 3 of 12 objects"
        );
        let late = Progress { bytes: 2000 << 20, ..progress };
        assert_eq!(
            line(Phase::CopyOut, late, Duration::from_secs(10), Duration::ZERO),
            "copying rows: 100 %, 1.95 GiB of 1.17 GiB, 200 MiB/s, 3 of 12 objects"
        );
        let idle = line(Phase::Lock, Progress::default(), Duration::from_secs(10), Duration::from_secs(10));
        assert_eq!(idle, "locking tables: 10.0 s");
    }

    #[test]
    fn a_standstill_has_no_rate_and_no_end() {
        let progress = Progress { bytes: 300 << 20, bytes_total: Some(1200 << 20), ..Progress::default() };
        assert_eq!(
            line(Phase::CopyOut, progress, Duration::from_secs(50), Duration::from_secs(40)),
            "copying rows: 25 %, 300 MiB of 1.17 GiB, no progress for 40.0 s"
        );
        // what a bar's own estimate comes to when nothing moves
        assert_eq!(pace(0.0, Duration::MAX, Duration::from_secs(5)), ["0 B/s"]);
        assert_eq!(pace(1.5, Duration::from_secs(1 << 50), Duration::ZERO), ["1 B/s"]);
        assert_eq!(pace(2048.0, Duration::from_secs(60), Duration::ZERO), ["2.00 KiB/s", "1 min 0 s left"]);
    }

    #[test]
    fn lines_come_about_every_ten_seconds() {
        let mut meter = Meter::new(Display::Auto, false);
        meter.begin(Phase::CopyOut);
        assert_eq!(meter.update(Progress { bytes: 1, ..Progress::default() }), None);
        meter.spoken = meter.spoken.checked_sub(LINE_PAUSE).unwrap();
        assert!(meter.update(Progress { bytes: 1, ..Progress::default() }).is_some());
        assert_eq!(meter.update(Progress { bytes: 2, ..Progress::default() }), None);
        assert_eq!(
            meter.finish(Phase::CopyOut, Duration::from_secs(5)).as_deref(),
            Some("copying rows: done in 5.0 s, 2 B")
        );
        assert_eq!(Meter::new(Display::None, true).finish(Phase::CopyOut, Duration::from_secs(5)), None);
    }
}
