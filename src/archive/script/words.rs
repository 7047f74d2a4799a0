//! Where a statement ends depends on its words.

/// The words that have a say in where a statement ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) count: usize,
    pub(super) first: String,
    pub(super) last: String,
    /// `create [or replace] function` or `procedure` began the statement.
    pub(super) is_routine: bool,
    /// Open `begin` and `case` of a routine's SQL body.
    pub(super) depth: u32,
    pub(super) copies_from_stdin: bool,
}

impl Words {
    pub(super) fn push(&mut self, word: &str) {
        if self.count == 0 {
            word.clone_into(&mut self.first);
        }
        if self.count < 4 && self.first == "create" && matches!(word, "function" | "procedure") {
            self.is_routine = true;
        }
        if self.is_routine {
            match word {
                "begin" => self.depth += 1,
                "case" if self.depth > 0 => self.depth += 1,
                "end" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.first == "copy" && self.last == "from" && word == "stdin" {
            self.copies_from_stdin = true;
        }
        self.count += 1;
        word.clone_into(&mut self.last);
    }
}
