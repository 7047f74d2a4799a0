//! Counts as people read them: `1 table`, `12,345 rows`, `2 policies`.

/// A count and what it is of; `noun` is one of them.
pub(crate) fn counted<N: TryInto<u64>>(count: N, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    if count == 1 { format!("1 {noun}") } else { format!("{} {}", grouped(count), plural(noun)) }
}

/// The same where the noun is known as many of them: `tables with rows`, `tables and views`.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the face shows what was checked"))]
pub(crate) fn counted_of(count: u64, nouns: &str) -> String {
    if count == 1 { format!("1 {}", singular(nouns)) } else { format!("{} {nouns}", grouped(count)) }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with(['x', 's']) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

fn singular(nouns: &str) -> String {
    let (nouns, with) = nouns.split_once(" with ").map_or((nouns, None), |(nouns, with)| (nouns, Some(with)));
    let each: Vec<String> = nouns.split(" and ").map(singular_word).collect();
    let with = with.map_or_else(String::new, |with| format!(" with {with}"));
    each.join(" or ") + &with
}

fn singular_word(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix("xes")) {
        (Some(stem), _) => format!("{stem}y"),
        (_, Some(stem)) => format!("{stem}x"),
        (None, None) => word.strip_suffix('s').unwrap_or(word).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_many_are_many() {
        for (one, many) in [
            ("table", "tables"),
            ("policy", "policies"),
            ("index", "indexes"),
            ("access method", "access methods"),
            ("table with rows", "tables with rows"),
            ("key", "keys"),
        ] {
            assert_eq!(counted_of(1, many), format!("1 {one}"));
            if !one.contains(" with ") {
                assert_eq!(counted(0, one), format!("0 {many}"));
                assert_eq!(counted(1_234_567_u64, one), format!("1,234,567 {many}"));
            }
        }
        assert_eq!(counted_of(1, "tables and views"), "1 table or view");
        assert_eq!(counted_of(2, "tables and views"), "2 tables and views");
        assert_eq!(counted(999_usize, "row"), "999 rows");
    }
}
