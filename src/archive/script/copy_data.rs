//! The rows behind a COPY statement, up to the line `\.`.

use bytes::Buf as _;

use super::{Event, Problem, Rigour, ScriptError, Splitter, State};

impl Splitter {
    pub(super) fn next_copy(&mut self) -> Result<Option<Event>, ScriptError> {
        if self.state == State::CopyLine {
            let Some(end) = memchr::memchr(b'\n', &self.input) else {
                return match self.ended {
                    true if self.rigour == Rigour::Incomplete => self.last(),
                    true => Err(self.error(Problem::Unfinished("COPY data"))),
                    false => Ok(None),
                };
            };
            if self.input.get(..end).is_some_and(|rest| rest.iter().any(|byte| !byte.is_ascii_whitespace())) {
                return Err(self.error(Problem::AfterCopy));
            }
            self.input.advance(end + 1);
            self.line += 1;
            self.state = State::Copy(true);
        }
        if self.state == State::Copy(true) {
            match self.input.as_ref() {
                [b'\\', b'.', b'\n', ..] => return Ok(Some(self.end_copy(3))),
                [b'\\', b'.', b'\r', b'\n', ..] => return Ok(Some(self.end_copy(4))),
                [b'\\', b'.'] | [b'\\', b'.', b'\r'] if self.ended => return Ok(Some(self.end_copy(self.input.len()))),
                // what follows decides
                [] | [b'\\'] | [b'\\', b'.'] | [b'\\', b'.', b'\r'] if !self.ended => return Ok(None),
                _ => {}
            }
        }
        let available = match memchr::memmem::find(&self.input, b"\n\\.") {
            Some(place) => place + 1,
            None if self.input.ends_with(b"\n\\") => self.input.len() - 1,
            None => self.input.len(),
        };
        if available > 0 {
            return self.hand_out(available).map(Some);
        }
        if self.ended && self.rigour == Rigour::Incomplete {
            return self.last();
        }
        if self.ended { Err(self.error(Problem::Unfinished("COPY data"))) } else { Ok(None) }
    }

    fn end_copy(&mut self, length: usize) -> Event {
        self.input.advance(length);
        self.line += 1;
        self.state = State::Plain;
        Event::CopyEnd
    }

    fn hand_out(&mut self, count: usize) -> Result<Event, ScriptError> {
        let data = self.input.split_to(count).freeze();
        if self.rigour != Rigour::Loose {
            self.row.check(&data).map_err(|(lines, problem)| ScriptError { line: self.line + lines, problem })?;
        }
        self.line += memchr::memchr_iter(b'\n', &data).count() as u64;
        self.state = State::Copy(data.last() == Some(&b'\n'));
        Ok(Event::CopyData(data))
    }
}
