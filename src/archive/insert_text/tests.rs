use super::*;
use proptest::prelude::*;

fn form(defaults: &[bool], rows_per_statement: u32) -> InsertForm {
    let begin = if defaults.is_empty() {
        "INSERT INTO \"VALUES (\" DEFAULT VALUES;\n"
    } else {
        "INSERT INTO \"VALUES (\" (a) VALUES"
    };
    let begin = begin.to_owned();
    InsertForm { begin, defaults: defaults.to_vec(), rows_per_statement, skip_conflicts: rows_per_statement == 2 }
}

fn write(form: InsertForm, literals: &[Literal], pieces: &[&[u8]]) -> Vec<u8> {
    let mut writer = InsertWriter::new(form, literals.to_vec());
    let mut out = Vec::new();
    for piece in pieces {
        writer.push(piece, &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    out
}

fn read(wide: Wide, pieces: &[&[u8]]) -> Result<Vec<u8>, FormatError> {
    let mut reader = InsertReader::new(wide, true);
    let mut out = Vec::new();
    for piece in pieces {
        assert_eq!(reader.push(piece, &mut out)?, b"");
    }
    reader.finish()?;
    Ok(out)
}

#[test]
fn writes_values_by_their_type() {
    use Literal::{Bits, Boolean, Number, Text};
    let rows = b"1\t101\tt\ta'b\\\\c\\td\n-Infinity\t\t\\N\t\n1e+300\t\\N\tf\t\\\\N\n";
    let text = write(form(&[false, true, false, false, false, true], 2), &[Number, Bits, Boolean, Text], &[rows]);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(
        text,
        "INSERT INTO \"VALUES (\" (a) VALUES\n\t(1, DEFAULT, B'101', true, 'a''b\\c\td', DEFAULT),\n\
         \t('-Infinity', DEFAULT, B'', NULL, '', DEFAULT) ON CONFLICT DO NOTHING;\n\
         INSERT INTO \"VALUES (\" (a) VALUES\n\t(1e+300, DEFAULT, NULL, false, '\\N', DEFAULT) ON CONFLICT DO NOTHING;\n"
    );
    assert_eq!(read(Wide::No, &[text.as_bytes()]).unwrap(), rows);
}

#[test]
fn writes_rows_without_values() {
    let text = write(form(&[], 7), &[], &[b"\n\n"]);
    assert_eq!(text, b"INSERT INTO \"VALUES (\" DEFAULT VALUES;\nINSERT INTO \"VALUES (\" DEFAULT VALUES;\n");
    assert_eq!(read(Wide::No, &[&text]).unwrap(), b"\n\n");
    let text = write(form(&[true, true], 1), &[], &[b"\n"]);
    assert_eq!(text, b"INSERT INTO \"VALUES (\" (a) VALUES (DEFAULT, DEFAULT);\n");
    assert_eq!(read(Wide::No, &[&text]).unwrap(), b"\n");
}

#[test]
fn a_backslash_inside_a_character_is_none() {
    // of SJIS 0x83 0x5C is one character
    let text = b"INSERT INTO a VALUES ('\x83\x5c\\\xb1\n');\n";
    assert_eq!(read(Wide::of("SJIS"), &[text]).unwrap(), b"\x83\x5c\\\\\xb1\\n\n");
}

#[test]
fn rows_of_another_shape_are_refused() {
    let mut writer = InsertWriter::new(form(&[false], 1), vec![Literal::Text]);
    assert!(writer.push(b"a\tb\n", &mut Vec::new()).is_err());
    let mut writer = InsertWriter::new(form(&[false, false], 1), vec![Literal::Text; 2]);
    assert!(writer.push(b"a\n", &mut Vec::new()).is_err());
    let mut writer = InsertWriter::new(form(&[false], 1), vec![Literal::Text]);
    writer.push(b"a", &mut Vec::new()).unwrap();
    assert!(writer.finish(&mut Vec::new()).is_err());
}

#[test]
fn what_is_no_statement_of_rows_is_told_apart() {
    let mut reader = InsertReader::new(Wide::No, true);
    let mut out = Vec::new();
    let rest = reader.push(b"INSERT INTO a VALUES (1);\n\n\n--\n", &mut out).unwrap();
    assert_eq!((rest, out.as_slice()), (&b"--\n"[..], &b"1\n"[..]));
    for text in [
        "INSERT INTO a VALUES (f(1));",
        "INSERT INTO a VALUES (1) x;",
        "INSERT INTO a VALUES ('a' || 'b');",
        "INSERT INTO a VALUES (1",
        "INSERT INTO a VALUES (1)",
        "INSERTED",
        "INSERT INTO a",
    ] {
        assert!(read(Wide::No, &[text.as_bytes()]).is_err(), "{text}");
    }
}

#[test]
fn strings_of_servers_that_escape_by_backslash() {
    let mut reader = InsertReader::new(Wide::No, false);
    let mut out = Vec::new();
    reader.push(b"INSERT INTO a VALUES ('a\\\\b''c');\n", &mut out).unwrap();
    assert_eq!(out, b"a\\\\b'c\n");
}

proptest! {
    #[test]
    fn copy_text_comes_back_however_it_is_cut(
        rows in proptest::collection::vec(proptest::collection::vec("[a'\\\\\\n\\t;(),\u{8}é]{0,6}|NULL", 3), 0..6),
        nulls in proptest::collection::vec(any::<bool>(), 18),
        per_statement in 1_u32..4,
        cuts in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let mut copy = Vec::new();
        for (row, values) in rows.iter().enumerate() {
            for (place, value) in values.iter().enumerate() {
                if place > 0 { copy.push(b'\t'); }
                if nulls[row * 3 + place] {
                    copy.extend_from_slice(b"\\N");
                } else {
                    value.bytes().for_each(|byte| push_copied(byte, &mut copy));
                }
            }
            copy.push(b'\n');
        }
        let pieces = |bytes: &[u8]| -> Vec<Vec<u8>> {
            let mut places: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).chain([0, bytes.len()]).collect();
            places.sort_unstable();
            places.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
        };
        let literals = [Literal::Text; 3];
        let shape = form(&[false, true, false, false], per_statement);
        let whole = write(shape.clone(), &literals, &[&copy]);
        let cut = pieces(&copy);
        let cut: Vec<&[u8]> = cut.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(&write(shape, &literals, &cut), &whole);
        let cut = pieces(&whole);
        let cut: Vec<&[u8]> = cut.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(read(Wide::No, &cut).unwrap(), copy);
    }
}
