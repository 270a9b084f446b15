//! Which folders below a path are models: those that hold model files directly.
//!
//! Leaves opening them to `open`. Finding looks at names and first bytes only
//! to tell where a model begins; what a file is worth, plugins judge.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, DirEntry, OpenOptions, OpenOptionsExt as _};

use super::ModelError;

/// What was found below a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The models' paths, sorted.
    pub models: Vec<PathBuf>,
    /// Whether there is any file at all.
    pub any_file: bool,
}

/// Folders in which nobody keeps models, and which can be large: they are not
/// looked into when models are searched for. What lies in them below a model is
/// part of that model all the same.
const SKIPPED: [&str; 4] = [".git", ".venv", "node_modules", "__pycache__"];

/// How deep models are searched for.
const MAX_DEPTH: usize = 32;

/// Finds the models at or below `path`: the file itself, or each folder that
/// holds model files directly, with everything below it.
///
/// # Errors
/// Says that `path` is not there or can't be listed.
pub fn find(path: &Path) -> Result<Found, ModelError> {
    let failed = |source| ModelError::Open { path: path.to_owned(), source };
    let root = super::open::Root::open(path)?;
    if root.is_file {
        return Ok(Found { models: vec![path.to_owned()], any_file: true });
    }
    let top = if root.base.as_os_str().is_empty() {
        root.dir
    } else {
        root.dir.open_dir(&root.base).map_err(failed)?
    };
    let mut found = Found::default();
    let mut pending = vec![(top, path.to_owned(), 0)];
    while let Some((dir, shown, depth)) = pending.pop() {
        let listed = look(&dir, &mut found.any_file);
        let (is_model, folders) = match listed {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(failed(error)),
            // A folder that can't be listed may hold a model: opening it as one
            // says so by name.
            Err(_) => (true, Vec::new()),
        };
        if is_model {
            found.models.push(shown);
        } else if depth < MAX_DEPTH {
            for name in folders {
                if let Ok(below) = dir.open_dir(&name) {
                    pending.push((below, shown.join(&name), depth + 1));
                } else {
                    found.models.push(shown.join(&name));
                }
            }
        }
    }
    found.models.sort();
    Ok(found)
}

/// Returns whether `dir` holds model files directly, and its folders.
fn look(dir: &Dir, any_file: &mut bool) -> io::Result<(bool, Vec<PathBuf>)> {
    let mut folders = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                folders.push(PathBuf::from(name));
            }
            continue;
        }
        *any_file = true;
        if has_model_name(Path::new(&name)) || has_model_content(&entry) {
            return Ok((true, Vec::new()));
        }
    }
    Ok((false, folders))
}

fn has_model_name(name: &Path) -> bool {
    // Endings under which frameworks save and load, and that of a signature over
    // a whole model, which would go unseen if only its sub-folders were models.
    const ENDINGS: [&str; 32] = [
        "bin",
        "ckpt",
        "dill",
        "engine",
        "gguf",
        "ggml",
        "h5",
        "hdf5",
        "joblib",
        "keras",
        "llamafile",
        "mar",
        "mlmodel",
        "model",
        "msgpack",
        "nemo",
        "npy",
        "npz",
        "onnx",
        "ort",
        "pb",
        "pickle",
        "pkl",
        "plan",
        "pt",
        "pt2",
        "pth",
        "safetensors",
        "sig",
        "skops",
        "tflite",
        "torchscript",
    ];
    name.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Whether the first bytes are those of a format that models are saved in, or
/// of a git-lfs pointer to one.
fn has_model_content(entry: &DirEntry) -> bool {
    let mut options = OpenOptions::new();
    options.read(true);
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let Ok(file) = entry.open_with(&options) else { return true };
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return true; // a pipe or device among models: let the model name it
    }
    let mut start = Vec::new();
    if file.take(512).read_to_end(&mut start).is_err() {
        return true;
    }
    let at = |offset: usize, magic: &[u8]| {
        start.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    let pickle = start.len() > 2 && start[0] == 0x80 && (2..=5).contains(&start[1]);
    let safetensors = start.get(4..9).is_some_and(|tail| tail[..4] == [0; 4] && tail[4] == b'{');
    pickle
        || safetensors
        || at(0, b"PK\x03\x04")
        || at(0, b"GGUF")
        || at(0, b"\x89HDF\r\n\x1a\n")
        || at(0, b"\x93NUMPY")
        || at(4, b"TFL3")
        || at(257, b"ustar")
        || at(0, b"7z\xbc\xaf\x27\x1c")
        || super::content::is_lfs_pointer(&start)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the folders they look at")]
mod tests {
    use super::*;

    #[test]
    fn finds_models_by_what_folders_hold() {
        let top = tempfile::tempdir().expect("a folder");
        let write = |path: &str, bytes: &[u8]| {
            let path = top.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, bytes).expect("a file");
        };
        write("README.md", b"text");
        write("a/model.safetensors", b"");
        write("a/sub/other.bin", b"");
        write("b/c/weights", b"\x80\x04.");
        write("docs/page.md", b"text");
        write(".git/x.bin", b"");
        let found = find(top.path()).expect("a listing");
        let names: Vec<_> =
            found.models.iter().map(|p| p.strip_prefix(top.path()).expect("below")).collect();
        assert_eq!(names, [Path::new("a"), Path::new("b/c")]);
        assert!(found.any_file);
        let one = top.path().join("README.md");
        assert_eq!(find(&one).expect("a file").models, [one]);
        assert!(find(&top.path().join("nothing")).is_err());
    }
}
