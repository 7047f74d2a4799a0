//! Colours, where they are wanted.

use std::io::IsTerminal as _;

/// Whether to colour a stream's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// All is well.
    Good,
    /// Look at this.
    Warning,
    /// Something is wrong.
    Bad,
    /// Less important than the rest.
    Dim,
    /// More important than the rest.
    Bold,
}

impl Paint {
    /// Never any colour.
    pub const fn off() -> Self {
        Self { on: false }
    }

    /// Colours on stdout, when it is a terminal and `NO_COLOR` is unset or empty (no-color.org).
    pub fn stdout(no_color: bool) -> Self {
        Self { on: !no_color && std::io::stdout().is_terminal() }
    }

    /// Colours on stderr, in the same way.
    pub fn stderr(no_color: bool) -> Self {
        Self { on: !no_color && std::io::stderr().is_terminal() }
    }

    /// The text in its colour.
    pub fn text(self, color: Color, text: &str) -> String {
        if !self.on {
            return text.to_owned();
        }
        let code = match color {
            Color::Good => "32",
            Color::Warning => "33",
            Color::Bad => "31;1",
            Color::Dim => "2",
            Color::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
