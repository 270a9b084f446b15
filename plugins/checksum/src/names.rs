//! Names that some systems take for one: twins that differ in case alone, or in how
//! Unicode composes their characters.
//!
//! It leaves to others: the words ([`crate::report`]).

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

/// By what two names are taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Twins {
    /// They are the same but for upper and lower case: one on macOS and Windows.
    Case,
    /// They are the same once their characters are composed alike (NFC): one on macOS,
    /// and alike to the eye everywhere.
    Unicode,
}

/// Finds paths that are another's twin, each with the one it is the twin of.
pub fn twins<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<(Twins, &'a str, &'a str)> {
    let mut found = Vec::new();
    let (mut composed, mut folded) = (BTreeMap::new(), BTreeMap::new());
    for path in paths {
        // Most names are ASCII, which composes to itself.
        let nfc: String = if path.is_ascii() { path.to_owned() } else { path.nfc().collect() };
        let lower: String = nfc.to_lowercase().nfc().collect();
        if let Some(first) = composed.insert(nfc, path) {
            found.push((Twins::Unicode, first, path));
            folded.insert(lower, path);
        } else if let Some(first) = folded.insert(lower, path) {
            found.push((Twins::Case, first, path));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_found() {
        use Twins::{Case, Unicode};
        type Row<'a> = (&'a [&'a str], &'a [(Twins, &'a str, &'a str)]);
        let rows: [Row<'_>; 6] = [
            (&["a", "b", "A/c"], &[]),
            (&["Readme", "readme"], &[(Case, "Readme", "readme")]),
            (&["x/A", "x/a", "y/a"], &[(Case, "x/A", "x/a")]),
            (&["caf\u{e9}", "cafe\u{301}"], &[(Unicode, "caf\u{e9}", "cafe\u{301}")]),
            (&["caf\u{e9}", "CAFE\u{301}"], &[(Case, "caf\u{e9}", "CAFE\u{301}")]),
            (&["a", "A", "a\\xff"], &[(Case, "a", "A")]),
        ];
        for (paths, expected) in rows {
            assert_eq!(twins(paths.iter().copied()), expected, "{paths:?}");
        }
    }
}
