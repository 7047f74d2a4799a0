use proptest::prelude::*;

use super::*;

fn show(event: &Event) -> String {
    match event {
        Event::Statement { line, text, copies_from_stdin } => {
            let copy = if *copies_from_stdin { " copy" } else { "" };
            format!("{line}{copy}: {}", String::from_utf8_lossy(text))
        }
        Event::CopyData(data) => format!("data: {}", String::from_utf8_lossy(data).escape_debug()),
        Event::CopyEnd => "end".to_owned(),
        Event::Part(text) => format!("part: {}", String::from_utf8_lossy(text)),
        Event::Comment(text) => format!("--{}", String::from_utf8_lossy(text)),
        Event::Connect { line, target } => format!("{line} connect: {target}"),
    }
}

/// The events, with neighbouring data joined: how it is cut does not matter.
fn split(script: &[u8], piece: usize) -> Result<Vec<String>, String> {
    split_with(Splitter::new(), script, piece)
}

fn split_with(mut splitter: Splitter, script: &[u8], piece: usize) -> Result<Vec<String>, String> {
    let mut events: Vec<Event> = Vec::new();
    let mut drain = |splitter: &mut Splitter| -> Result<(), String> {
        while let Some(event) = splitter.next_event().map_err(|error| error.to_string())? {
            match (&event, events.last_mut()) {
                (Event::CopyData(data), Some(Event::CopyData(before))) => {
                    *before = [before.as_ref(), data.as_ref()].concat().into();
                }
                _ => events.push(event),
            }
        }
        Ok(())
    };
    for bytes in script.chunks(piece) {
        splitter.push(bytes);
        drain(&mut splitter)?;
    }
    splitter.end();
    drain(&mut splitter)?;
    Ok(events.iter().map(show).collect())
}

const SCRIPT: &str = r#"-- comment; with a semicolon
\restrict abcDEF123
SET x = 'a;b''c\';
/* a /* nested; */ ; */
CREATE TABLE "a;b" (c text DEFAULT E'it\'s;' CHECK (c <> ';'));
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $_$ select 1; $x$ ; $_$;
CREATE FUNCTION g(a int) RETURNS int LANGUAGE sql
  BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END; SELECT 4; END;
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2;);
SELECT $1, a$b$c, 1-1, 4/2;
COPY public.t (a, b) FROM stdin;
1	x;y
\.x
\\.
DROP TABLE important;
\.

;;
COPY t FROM stdin;
\.
SELECT U&'d\0061t;', 'last';
\unrestrict abcDEF123
"#;

const EXPECTED: [&str; 13] = [
    r"3: SET x = 'a;b''c\';",
    r#"5: CREATE TABLE "a;b" (c text DEFAULT E'it\'s;' CHECK (c <> ';'));"#,
    "6: CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $_$ select 1; $x$ ; $_$;",
    "7: CREATE FUNCTION g(a int) RETURNS int LANGUAGE sql\n  BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END; SELECT 4; END;",
    "9: CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2;);",
    "10: SELECT $1, a$b$c, 1-1, 4/2;",
    "11 copy: COPY public.t (a, b) FROM stdin;",
    r"data: 1\tx;y\n\\.x\n\\\\.\nDROP TABLE important;\n",
    "end",
    "19 copy: COPY t FROM stdin;",
    "end",
    r"21: SELECT U&'d\0061t;', 'last';",
    "",
];

#[test]
fn splits_as_psql_does_however_it_is_cut() {
    for piece in [1, 2, 3, 7, 64, 100_000] {
        assert_eq!(split(SCRIPT.as_bytes(), piece).unwrap(), EXPECTED[..12], "pieces of {piece}");
    }
}

#[test]
fn refuses_commands_and_ends_that_are_none() {
    for (script, problem) in [
        ("SELECT 1;\n\\! touch /tmp/pwned\n", "line 2: psql command \\! is not run"),
        ("\\i other.sql\n", "line 1: psql command \\i is not run"),
        ("SELECT 1 \\gexec\n", "line 1: psql command \\gexec is not run"),
        ("\\copy t from program 'x'\n", "line 1: psql command \\copy is not run"),
        ("\\set x `id`\n", "line 1: psql command \\set is not run"),
        ("\\restrict a\n\\unrestrict b\n", "line 2: \\restrict and \\unrestrict do not make one pair"),
        ("\\restrict a\n\\restrict a\n", "line 2: \\restrict and \\unrestrict do not make one pair"),
        ("\\restrict `id`\n", "line 1: \\restrict and \\unrestrict do not make one pair"),
        ("\\restrict a\nSELECT 1;\n", "line 3: \\restrict and \\unrestrict do not make one pair"),
        ("\\restrict a\n\\connect x\n", "line 2: psql command \\connect is not run"),
        ("SELECT 1", "line 1: the script ends within a statement"),
        ("SELECT 'x", "line 1: the script ends within a quoted string"),
        ("SELECT $a$x$b$;", "line 1: the script ends within a dollar-quoted string"),
        ("/* /* */", "line 1: the script ends within a comment"),
        ("COPY t FROM stdin;\n1\n2\n", "the script ends within COPY data"),
        ("COPY t FROM stdin; SELECT 1;\n", "line 1: text behind COPY ... FROM stdin on the same line"),
    ] {
        for piece in [1, 1000] {
            let error = split(script.as_bytes(), piece).unwrap_err();
            assert!(error.ends_with(problem), "{script}: {error}");
        }
    }
    assert_eq!(split(b"\\connect shop\n", 100).unwrap(), ["1 connect: shop"]);
}

#[test]
fn follows_the_setting_of_backslashes() {
    let script = b"SET standard_conforming_strings = off;\nSELECT 'a\\';b';\nSET standard_conforming_strings = on;\nSELECT '\\';";
    let events = split(script, 5).unwrap();
    assert_eq!(events[1], "2: SELECT 'a\\';b';");
    assert_eq!(events[3], "4: SELECT '\\';");
}

#[test]
fn a_line_that_only_begins_like_the_end_mark_is_data() {
    for (data, piece) in [("\\.\r", 1), ("\\.a\n\\\n\n\\.b\r\n", 1), ("a\r\n\\.c\n", 2), ("\\N\n", 1)] {
        let script = format!("COPY t FROM stdin;\n{data}\n\\.\n");
        let events = split(script.as_bytes(), piece);
        match events {
            Ok(events) => assert_eq!(events[1], format!("data: {}", format!("{data}\n").escape_debug())),
            // `\.` and a carriage return end the data, as for psql
            Err(error) => assert!(data.ends_with('\r'), "{data:?}: {error}"),
        }
    }
}

proptest! {
    #[test]
    fn the_cut_does_not_matter(script in "[a-z;'\"$\\\\./*\\-\n() ]{0,60}", piece in 1_usize..9) {
        let whole = split(script.as_bytes(), 1000);
        prop_assert_eq!(split(script.as_bytes(), piece), whole);
    }

    #[test]
    fn data_comes_through_whole(lines in proptest::collection::vec("[a-z\\\\.\t]{0,6}", 0..40), piece in 1_usize..200) {
        prop_assume!(lines.iter().all(|line| line != "\\."));
        let data: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let events = split(format!("COPY t FROM stdin;\n{data}\\.\nSELECT 1;").as_bytes(), piece).unwrap();
        let expected = if data.is_empty() { None } else { Some(format!("data: {}", data.escape_debug())) };
        prop_assert_eq!(events.get(1).filter(|event| event.starts_with("data")), expected.as_ref());
        prop_assert_eq!(events.last(), Some(&format!("{}: SELECT 1;", lines.len() + 3)));
    }
}

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\nSET a = 1;\nCOPY t (a, b) FROM stdin;\n1\t2\n\\.\n\n\n\
    ALTER TABLE t ADD b int;\n--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn a_checked_dump_may_be_cut_nowhere() {
    let end = DUMP.len() - "\n--\n\n".len();
    for length in 0..end {
        let cut = split_with(Splitter::new().checked(), &DUMP.as_bytes()[..length], 7);
        assert!(cut.is_err(), "cut at byte {length}: {cut:?}");
        let taken = split_with(Splitter::new().incomplete(), &DUMP.as_bytes()[..length], 7);
        assert!(taken.is_ok(), "cut at byte {length}: {taken:?}");
    }
    for piece in [1, 2, 5, 1000] {
        let whole = split_with(Splitter::new().checked(), DUMP.as_bytes(), piece).unwrap();
        assert_eq!(whole, split(DUMP.as_bytes(), piece).unwrap());
        let marked = ["\u{feff}", DUMP].concat();
        assert_eq!(split_with(Splitter::new().checked(), marked.as_bytes(), piece).unwrap(), whole);
    }
}

#[test]
fn what_is_no_dump_is_told() {
    let cluster = "-- PostgreSQL database cluster dump\n";
    for (script, problem) in [
        (String::new(), "line 1: the script ends without a statement"),
        ("-- only a comment\n".to_owned(), "line 2: the script ends without a statement"),
        (format!("pg_dump: warning: a circle\n{DUMP}"), "line 1: \"pg_dump\" begins no SQL statement"),
        (DUMP.replace("ALTER", "pg_dump: warning: x\nALTER"), "line 11: \"pg_dump\" begins no SQL statement"),
        (DUMP.replace("\\.\n", "pg_dump: warning: x\n\\.\n"), "line 8: a row of 1 values for 2 columns in COPY data"),
        (DUMP.replace("1\t2", "1\t2\t3"), "line 7: a row of 3 values for 2 columns in COPY data"),
        (DUMP.replace("= 1", "= '\0'"), "a zero byte, which no SQL text has"),
        (
            format!("{}{DUMP}", DUMP.replace("complete", "")),
            "the dump has no end: \"-- PostgreSQL database dump complete\" is missing",
        ),
        (
            format!("{cluster}{DUMP}"),
            "the dump has no end: \"-- PostgreSQL database cluster dump complete\" is missing",
        ),
        ("<html>SELECT 1;".to_owned(), "line 1: \"html\" begins no SQL statement"),
    ] {
        for piece in [1, 1000] {
            let error = split_with(Splitter::new().checked(), script.as_bytes(), piece).unwrap_err();
            assert!(error.ends_with(problem), "{script}: {error}");
        }
    }
    let nested = format!("{cluster}{DUMP}{DUMP}-- PostgreSQL database cluster dump complete\n");
    split_with(Splitter::new().checked(), nested.as_bytes(), 9).unwrap();
}

#[test]
fn a_glance_keeps_the_begin_of_a_long_statement() {
    let long = format!("SELECT '{}', 2;\nSELECT 3;\n", "x".repeat(5 << 20));
    let events = split_with(Splitter::new().checked().glancing(), long.as_bytes(), 64 << 10).unwrap();
    assert!(events[0].len() < (1 << 20) + 10 && events[0].starts_with("1: SELECT 'xxx"), "{}", events[0].len());
    assert_eq!(events[1], "2: SELECT 3;");
}
