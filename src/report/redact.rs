//! The last line of defence: passwords that look like passwords are taken out of every text, and characters that could
//! command a terminal are made visible.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

// `-u`: case folding beyond ASCII is left out of the product's regex engine
static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<url> [a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@?\#"']* : ) [^\s"']+ (?P<at> @ )
        | (?P<bare> (?: ^ | [\s"'] ) [^\s:/@?\#"'=]+ : ) [^\s"'/] [^\s"']* (?P<end> @ )
        | (?P<word>
            (?i-u: \b(?: ssl )? password | aws_secret_access_key | aws_session_token | x-amz-signature
                | x-amz-security-token )
            \s*=\s*
          ) (?: '(?:[^'\\]|\\.)*' | [^\s&'"]+ )
        "#,
    )
    .expect("the pattern is a constant that a test compiles")
});

/// The text without passwords: in URLs, in `password=...`, in signed requests.
pub fn redact(text: &str) -> Cow<'_, str> {
    SECRETS.replace_all(text, "${url}${word}${bare}***${at}${end}")
}

/// The text with control characters made visible (`\x1b`), so that a name cannot move the cursor or fake a line, and
/// with bytes that were no UTF-8 as `\xff`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || character >= '\u{10ff80}'
    };
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        let code = u32::from(character);
        match character {
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            _ if character >= '\u{10ff80}' => shown.push_str(&format!("\\x{:02x}", code & 0xff)),
            _ if is_hidden(character) && code < 0x100 => shown.push_str(&format!("\\x{code:02x}")),
            _ if is_hidden(character) => shown.push_str(&format!("\\u{{{code:x}}}")),
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// The text on one line, fit for a terminal and without passwords.
pub fn line(text: &str) -> String {
    visible(&redact(text)).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_passwords_out_of_urls_and_settings() {
        for (text, clean) in [
            (
                "could not connect to postgres://shop:s3same!@db:5432/x?a=b",
                "could not connect to postgres://shop:***@db:5432/x?a=b",
            ),
            ("postgresql://:pw@/x", "postgresql://:***@/x"),
            ("postgresql://app:x@Tr0ub4dor@host/db", "postgresql://app:***@host/db"),
            ("postgresql://app:x/y?z@host/db", "postgresql://app:***@host/db"),
            ("unexpected argument 'app:x@y@host/db' found", "unexpected argument 'app:***@host/db' found"),
            ("host=h password=sesame port=1", "host=h password=*** port=1"),
            ("host=h password = 'open \\' sesame' port=1", "host=h password = *** port=1"),
            ("sslpassword=x", "sslpassword=***"),
            ("?user=a&password=b&x=1", "?user=a&password=***&x=1"),
            ("AWS_SECRET_ACCESS_KEY=abc/def+", "AWS_SECRET_ACCESS_KEY=***"),
            ("https://b.s3/x?X-Amz-Signature=00ff&y=1", "https://b.s3/x?X-Amz-Signature=***&y=1"),
            ("postgres://shop@db/x", "postgres://shop@db/x"),
            ("s3://bucket/prefix at 10:30 a@b", "s3://bucket/prefix at 10:30 a@b"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn makes_what_commands_a_terminal_visible() {
        assert_eq!(visible("a\x1b[2Jb\u{202e}c\r\u{85}"), "a\\x1b[2Jb\\u{202e}c\\r\\x85");
        assert_eq!(visible("Zürich\n"), "Zürich\n");
        assert_eq!(visible(&crate::record::decode_text(b"a\xff")), "a\\xff");
        assert_eq!(line("a\nb"), "a b");
    }

    proptest! {
        #[test]
        fn no_password_of_a_url_survives(password in "[A-Za-z0-9!$%&*+.,;_~^-]{4,20}", before in "[a-z ]{0,10}") {
            let text = format!("{before} postgres://user:{password}@host/db");
            let clean = redact(&text).into_owned();
            prop_assert!(!clean.contains(&format!(":{password}@")), "{}", clean);
        }

        #[test]
        fn nothing_visible_controls_a_terminal(text in ".{0,40}") {
            prop_assert!(visible(&text).chars().all(|character| !character.is_control() || character == '\n'));
        }
    }
}
