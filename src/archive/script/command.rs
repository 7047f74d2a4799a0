//! What between or in statements says how the rest is read: commands of psql, and one setting.

use bytes::Buf as _;

use super::{Event, Problem, ScriptError, Splitter, Step};

impl Splitter {
    /// `SET standard_conforming_strings = off;` as pg_dump writes it for servers that have it off.
    pub(super) fn note_setting(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        let mut words = text
            .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
            .filter(|word| !word.is_empty() && !matches!(*word, "set" | "session" | "to"));
        if words.next() == Some("standard_conforming_strings") {
            self.standard_strings = matches!(words.next(), Some("on" | "true" | "1" | "yes"));
        }
    }

    pub(super) fn command(&mut self) -> Result<Step, ScriptError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let length = match memchr::memchr(b'\n', rest) {
            Some(length) => length,
            None if self.ended => rest.len(),
            None => return Ok(Step::More),
        };
        let text = String::from_utf8_lossy(rest.get(1..length).unwrap_or_default()).into_owned();
        let (name, argument) = text.split_once([' ', '\t']).unwrap_or((text.as_str(), ""));
        let (name, argument) = (name.trim_end(), argument.trim());
        if self.begun {
            return Err(self.error(Problem::Command(name.chars().take(30).collect())));
        }
        let event = match name {
            "restrict" | "unrestrict" => {
                let key = argument.as_bytes().to_vec();
                let fits = self.restrict.as_ref().is_none_or(|known| *known == key);
                let is_key = !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric);
                if !fits || !is_key || self.restricted == (name == "restrict") {
                    return Err(self.error(Problem::Restrict));
                }
                self.restrict = Some(key);
                self.restricted = name == "restrict";
                None
            }
            "connect" | "c" if !self.restricted && !argument.is_empty() => {
                Some(Event::Connect { line: self.line, target: argument.to_owned() })
            }
            _ => return Err(self.error(Problem::Command(name.chars().take(30).collect()))),
        };
        self.input.advance(length);
        self.at = 0;
        Ok(event.map_or(Step::On, Step::Event))
    }
}
