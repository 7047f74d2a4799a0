//! Events and errors on stderr: text for people, or one JSON object a line for machines.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::progress::{Display, Meter};
use super::{Color, Paint, redact};
use crate::config::{ByteSize, show_duration};
use crate::count::counted;
use crate::error::Error;
use crate::event::{Event, Message, Sink};
use crate::retention::Action;

/// The form of what is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Log {
    /// Text.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What a person wants to know.
    #[default]
    Normal,
    /// Every object, too.
    Verbose,
}

/// Listens to a run and says on stderr what happens.
pub struct Talk {
    log: Log,
    verbosity: Verbosity,
    paint: Paint,
    command: String,
    run: String,
    meter: Mutex<Meter>,
}

impl Talk {
    /// For the run `run` of `command`. JSON lines never come with a bar.
    pub fn new(log: Log, verbosity: Verbosity, display: Display, paint: Paint, command: &str, run: &str) -> Self {
        let display = match (log, verbosity) {
            (Log::Json, _) | (_, Verbosity::Quiet) if display == Display::Auto => Display::None,
            (Log::Json | Log::Human, _) => display,
        };
        let meter = Meter::new(display, std::io::stderr().is_terminal());
        Self { log, verbosity, paint, command: command.to_owned(), run: run.to_owned(), meter: Mutex::new(meter) }
    }

    /// Ends the talk with the error that ended the run.
    pub fn error(&self, error: &Error) {
        self.meter().clear();
        match self.log {
            Log::Json => self.json("error", "error", &super::json::error(error)),
            Log::Human => {
                let mut text = format!("{} {}", self.paint.text(Color::Bad, "error:"), shown(error.message()));
                if let Some(detail) = error.detail_text() {
                    text.push_str(&format!("\ndetail: {}", shown(detail)));
                }
                if let Some(hint) = error.hint_text() {
                    text.push_str(&format!("\nhint: {}", shown(hint)));
                }
                self.write(&text);
            }
        }
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        // a panic elsewhere leaves at worst a stale bar
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        self.meter().aside(|| {
            let mut stderr = std::io::stderr().lock();
            // without a stderr there is nobody to tell
            let _ = writeln!(stderr, "{text}");
        });
    }

    fn json(&self, level: &str, event: &str, fields: &Value) {
        self.write(&json_line(&self.command, &self.run, level, event, fields));
    }

    fn human(&self, event: Event) {
        match event {
            Event::PhaseBegun(phase) => self.meter().begin(phase),
            Event::PhaseFinished { phase, elapsed } => {
                let line = self.meter().finish(phase, elapsed);
                if let Some(line) = line.filter(|_| self.verbosity > Verbosity::Quiet) {
                    self.write(&line);
                }
            }
            Event::Progress(progress) => {
                let line = self.meter().update(progress);
                if let Some(line) = line {
                    self.write(&line);
                }
            }
            Event::Warning(message) => self.message(Color::Warning, "warning:", &message),
            Event::Note(message) if self.verbosity > Verbosity::Quiet => self.message(Color::Dim, "note:", &message),
            Event::Retrying { what, cause, delay } => {
                let text = format!("{what}, tried again in {}: {cause}", show_duration(delay));
                self.message(Color::Warning, "warning:", &Message::new(text));
            }
            Event::Planned(summary) if self.verbosity > Verbosity::Quiet => {
                let bytes = summary.bytes.map(|bytes| format!(", about {}", ByteSize(bytes))).unwrap_or_default();
                self.write(&shown(&format!(
                    "{}: {}{bytes}, {}",
                    summary.title,
                    counted(summary.table_count, "table"),
                    counted(summary.jobs, "worker")
                )));
            }
            Event::ObjectFinished { name, rows, bytes } if self.verbosity == Verbosity::Verbose => {
                let rows = rows.map(|rows| format!(", {}", counted(rows, "row"))).unwrap_or_default();
                self.write(&shown(&format!("{name}: {}{rows}", ByteSize(bytes))));
            }
            // the result says so, too
            Event::Published { backup, place } if self.verbosity == Verbosity::Verbose => {
                self.write(&shown(&format!("backup {backup} is complete in {place}")));
            }
            Event::Deleted { backup, files, bytes } if self.verbosity > Verbosity::Quiet => {
                self.write(&shown(&format!("deleted {backup}: {}, {}", counted(files, "file"), ByteSize(bytes))));
            }
            Event::Note(_)
            | Event::Planned(_)
            | Event::ObjectFinished { .. }
            | Event::Published { .. }
            | Event::Deleted { .. }
            // the verb prints decisions as its result
            | Event::Decided(_) => {}
        }
    }

    fn message(&self, color: Color, label: &str, message: &Message) {
        let mut text = format!("{} {}", self.paint.text(color, label), shown(&message.text));
        if let Some(hint) = &message.hint {
            text.push_str(&format!("\nhint: {}", shown(hint)));
        }
        self.write(&text);
    }

    fn machine(&self, event: Event) {
        match event {
            Event::PhaseBegun(phase) => self.json("info", "phase_begun", &json!({"phase": phase.name()})),
            Event::PhaseFinished { phase, elapsed } => {
                let fields = json!({"phase": phase.name(), "milliseconds": milliseconds(elapsed)});
                self.json("info", "phase_finished", &fields);
            }
            // its lines are for people; sizes are in the result
            Event::Progress(_) => {}
            Event::Warning(message) => self.json("warning", "warning", &message_json(&message)),
            Event::Note(message) => self.json("info", "note", &message_json(&message)),
            Event::Retrying { what, cause, delay } => {
                let fields = json!({"what": what, "cause": cause, "milliseconds": milliseconds(delay)});
                self.json("warning", "retrying", &fields);
            }
            Event::Planned(summary) => {
                let fields = json!({
                    "title": summary.title, "tables": summary.table_count, "objects": summary.object_count,
                    "bytes": summary.bytes, "jobs": summary.jobs,
                });
                self.json("info", "planned", &fields);
            }
            Event::ObjectFinished { name, rows, bytes } => {
                if self.verbosity == Verbosity::Verbose {
                    self.json("debug", "object_finished", &json!({"object": name, "rows": rows, "bytes": bytes}));
                }
            }
            Event::Published { backup, place } => {
                self.json("info", "published", &json!({"backup": backup, "place": place}));
            }
            Event::Decided(decisions) => {
                let kept = decisions.iter().filter(|decision| decision.action == Action::Keep).count();
                self.json("info", "decided", &json!({"keep": kept, "delete": decisions.len() - kept}));
            }
            Event::Deleted { backup, files, bytes } => {
                self.json("info", "deleted", &json!({"backup": backup, "files": files, "bytes": bytes}));
            }
        }
    }
}

impl Sink for Talk {
    fn event(&self, event: Event) {
        match self.log {
            Log::Human => self.human(event),
            Log::Json => self.machine(event),
        }
    }
}

fn shown(text: &str) -> String {
    redact::visible(&redact::redact(text)).into_owned()
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn message_json(message: &Message) -> Value {
    json!({"message": message.text, "hint": message.hint})
}

fn json_line(command: &str, run: &str, level: &str, event: &str, fields: &Value) -> String {
    let mut line = json!({
        "time": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "level": level,
        "run": run,
        "command": command,
        "event": event,
    });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, super::json::clean(fields.clone())) {
        line.extend(fields);
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_carry_the_run_and_no_secret() {
        let fields = json!({"message": "cannot reach postgres://u:sesame@h/d\nnow"});
        let line = json_line("backup", "r1", "warning", "warning", &fields);
        assert!(!line.contains('\n') && !line.contains("sesame"), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((value["run"].as_str(), value["command"].as_str()), (Some("r1"), Some("backup")));
        assert_eq!(value["message"], "cannot reach postgres://u:***@h/d\nnow");
    }
}
