//! A string that cannot be printed.

use zeroize::Zeroize as _;

/// A password or a key: no `Debug`, no `Display`, wiped when dropped.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes the text; the caller keeps no copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that needs it (authentication, a request's signature).
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
