//! What PyTorch writes around its pickles: storages, their sizes, the members of its zip archives.
//!
//! The pickles themselves are run by `scan.rs`.

/// Returns the size of one item of a storage type, such as `HalfStorage`.
#[must_use]
pub fn item_size(storage: &str) -> u64 {
    match storage.trim_end_matches("Storage") {
        "Double" | "Long" | "ComplexFloat" => 8,
        "ComplexDouble" => 16,
        "Float" | "Int" | "QInt32" => 4,
        "Half" | "BFloat16" | "Short" => 2,
        _ => 1,
    }
}

/// Says whether a member of the archive whose top folder is `root` holds a tensor's raw bytes.
#[must_use]
pub fn is_storage(root: &str, name: &str) -> bool {
    let rest = name.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    let key = rest
        .and_then(|rest| rest.strip_prefix("data/").or_else(|| rest.strip_prefix("constants/")));
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the top folder of an archive that has `<folder>/data.pkl`, given the names of its members.
#[must_use]
pub fn root<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names = names;
    names.find_map(|name| {
        let folder = name.strip_suffix("/data.pkl")?;
        (!folder.contains('/')).then(|| folder.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        assert_eq!(root(["a/version", "a/data.pkl"].into_iter()), Some("a".to_owned()));
        assert_eq!(root(["data.pkl", "a/b/data.pkl"].into_iter()), None);
        assert!(is_storage("a", "a/data/0") && is_storage("a", "a/data/123"));
        assert!(
            !is_storage("a", "a/data/x")
                && !is_storage("a", "b/data/0")
                && !is_storage("a", "a/data/")
                && !is_storage("a", "a/data.pkl")
        );
        assert_eq!(
            (item_size("BFloat16Storage"), item_size("FloatStorage"), item_size("ByteStorage")),
            (2, 4, 1)
        );
    }
}
