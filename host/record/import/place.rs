//! [`anchor`]: which folder has to be opened for what a person named.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Returns the folder to open for `path`, which is absolute and a folder or not,
/// and what is named within it: a snapshot of a hub cache is read from its hub
/// folder, a manifest of Ollama from the folder that has its blobs, any other
/// file from its own folder.
pub fn anchor(path: &Path, is_folder: bool) -> (PathBuf, PathBuf) {
    let hub = path.ancestors().skip(1).find(|folder| is_hub(folder));
    // Below `manifests` are a host, a namespace, a name and a tag.
    let ollama = path.ancestors().skip(1).take(4).find(|folder| is_named(folder, "manifests"));
    let anchor = hub.or_else(|| ollama.and_then(Path::parent));
    let own = if is_folder { Some(path) } else { path.parent() };
    let anchor = anchor.or(own).unwrap_or(path);
    let within = path.strip_prefix(anchor).unwrap_or(Path::new(""));
    (anchor.to_owned(), within.to_owned())
}

fn is_hub(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"models--"))
}

fn is_named(folder: &Path, name: &str) -> bool {
    folder.file_name() == Some(OsStr::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_read_from_the_folder_that_has_the_rest() {
        let rows = [
            ("/h/models--o--n", true, "/h/models--o--n", ""),
            ("/h/models--o--n/snapshots/ab", true, "/h/models--o--n", "snapshots/ab"),
            ("/o/models/manifests/r/l/n/t", false, "/o/models", "manifests/r/l/n/t"),
            ("/o/models", true, "/o/models", ""),
            ("/m/SHA256SUMS", false, "/m", "SHA256SUMS"),
            ("/", true, "/", ""),
        ];
        for (path, is_folder, folder, within) in rows {
            let found = anchor(Path::new(path), is_folder);
            assert_eq!(found, (folder.into(), within.into()), "{path}");
        }
    }
}
