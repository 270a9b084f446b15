//! Paths in a model: which names are plain, and sets of paths that a signature
//! leaves out.
//!
//! It leaves to others: what a name in a statement means.

use std::collections::BTreeSet;

/// Tells whether a name is a path within the model in its plain form: nothing may be
/// read into it, not even what a clean-up would make of it.
pub fn is_plain(name: &str) -> bool {
    !name.contains('\0') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Paths that are left out of a signature, each with all that is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths(BTreeSet<Vec<u8>>);

impl Paths {
    /// Tells whether the file at `path`, in raw bytes, is left out.
    pub fn cover(&self, path: &[u8]) -> bool {
        let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let mut prefixes = folders.chain([path.len()]).filter_map(|end| path.get(..end));
        !self.0.is_empty() && prefixes.any(|prefix| self.0.contains(prefix))
    }

    /// Adds a path, and returns whether it was one. What is no plain path within
    /// the model leaves nothing out, so that it can't hide more than it names.
    pub fn add(&mut self, path: &str) -> bool {
        let path = path.strip_prefix("./").unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let plain = is_plain(path);
        if plain {
            self.0.insert(path.as_bytes().to_owned());
        }
        plain
    }
}

impl<'a> FromIterator<&'a str> for Paths {
    fn from_iter<T: IntoIterator<Item = &'a str>>(paths: T) -> Self {
        let mut all = Self::default();
        for path in paths {
            all.add(path);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_paths() {
        let rows = [
            ("logs", "logs", true),
            ("logs", "logs/a/b", true),
            ("logs", "logs2", false),
            ("logs", "a/logs", false),
            ("a/b", "a/b/c", true),
            ("a/b", "a", false),
            ("logs/", "logs/x", true),
            ("./logs", "logs/x", true),
            // Nothing that names more than a plain path leaves anything out.
            (".", "a", false),
            ("./", "a", false),
            ("", "a", false),
            ("/", "a", false),
            ("/a", "a", false),
            ("..", "a", false),
            ("b/..", "a", false),
            ("*", "a", false),
        ];
        for (entry, path, expected) in rows {
            let paths: Paths = [entry].into_iter().collect();
            assert_eq!(paths.cover(path.as_bytes()), expected, "{entry} {path}");
        }
        assert!(!Paths::default().cover(b""));
    }
}
