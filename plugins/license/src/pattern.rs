//! Owns names with `*` for anything, as settings and tables have them.

/// Tells whether a name fits a pattern; case makes no difference. Linear in either
/// for each `*`, without going back further than the last one.
pub fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if pattern.get(at) == name.get(from) {
            at += 1;
            from += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            at = place + 1;
            from = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("a/b", "a/b", true),
            ("A/b", "a/B", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/", true),
            ("a/*", "a/b/c", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdef", false),
            ("*-v1.5*", "vicuna-7b-v1.5-16k", true),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!fits(&"a*".repeat(200), &"a".repeat(100)));
    }
}
