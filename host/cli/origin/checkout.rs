//! What the repository around the working directory says: its commit, and who
//! commits to it. Read from its files, so that no program is run for it.
//!
//! Leaves what it does not find unsaid: it is a note, and nothing rests on it.

#![expect(
    clippy::disallowed_methods,
    reason = "the repository that modelhost is run in is read here alone"
)]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most bytes of a file that names a commit or a folder.
const MAX_SMALL: u64 = 4 << 10;

/// The most bytes of a configuration.
const MAX_CONFIG: u64 = 1 << 20;

/// The most bytes of all packed names: a million of them.
const MAX_PACKED: u64 = 64 << 20;

/// Returns the commit that is checked out in the repository around `folder`.
pub(super) fn commit(folder: &Path) -> Option<String> {
    let git = Folders::around(folder)?;
    let head = read(&git.own.join("HEAD"), MAX_SMALL)?;
    let Some(name) = head.trim().strip_prefix("ref: ") else { return object(&head) };
    let is_inside =
        name.starts_with("refs/") && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_inside {
        return None;
    }
    let loose = [&git.own, &git.common]
        .into_iter()
        .find_map(|folder| object(&read(&folder.join(name), MAX_SMALL)?));
    loose.or_else(|| {
        let packed = read(&git.common.join("packed-refs"), MAX_PACKED)?;
        packed.lines().find_map(|line| object(line.strip_suffix(name)?.strip_suffix(' ')?))
    })
}

/// Returns who commits in the repository around `folder`, as its configuration or
/// that of the user whose home is `home` says.
pub(super) fn user(folder: &Path, home: Option<&Path>) -> Option<String> {
    let own = Folders::around(folder).map(|git| git.common.join("config"));
    let of_home = [".gitconfig", ".config/git/config"];
    let of_home = of_home.into_iter().filter_map(|name| Some(home?.join(name)));
    own.into_iter().chain(of_home).find_map(|path| {
        let config = read(&path, MAX_CONFIG)?;
        match (value(&config, "name"), value(&config, "email")) {
            (Some(name), Some(email)) => Some(format!("{name} <{email}>")),
            (name, email) => name.or(email),
        }
    })
}

/// The folders of a repository: of this checkout, and what all checkouts share.
struct Folders {
    own: PathBuf,
    common: PathBuf,
}

impl Folders {
    fn around(folder: &Path) -> Option<Self> {
        let git = folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
        let own = if git.is_dir() {
            git
        } else {
            // A checkout beside the first, or a submodule.
            let file = read(&git, MAX_SMALL)?;
            git.parent()?.join(file.trim().strip_prefix("gitdir: ")?)
        };
        let common = read(&own.join("commondir"), MAX_SMALL);
        let common = common.map_or_else(|| own.clone(), |path| own.join(path.trim()));
        Some(Self { own, common })
    }
}

/// Takes `text` for the name of a commit, if it is one.
fn object(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_name.then(|| text.to_owned())
}

/// Returns the last value of `user.KEY` in a configuration of git. Escapes and
/// included files are not looked into.
fn value(config: &str, key: &str) -> Option<String> {
    let mut is_user = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            is_user = line.eq_ignore_ascii_case("[user]");
        } else if is_user
            && let Some((name, value)) = line.split_once('=')
            && name.trim().eq_ignore_ascii_case(key)
        {
            let value = value.trim();
            let value = match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => value.split(['#', ';']).next().unwrap_or_default().trim(),
            };
            found = (!value.is_empty()).then(|| value.to_owned());
        }
    }
    found
}

/// Reads a regular file of text; none where it is absent, too long or another kind.
fn read(path: &Path, max: u64) -> Option<String> {
    // Asked before opening, because opening a pipe waits for its other end.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(max + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= max).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

    /// Makes a folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("in/side")).expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    #[test]
    fn finds_the_commit() {
        let packed = format!(
            "# pack-refs with: peeled\n{OTHER} refs/heads/x-main\n{COMMIT} refs/heads/main\n^{OTHER}\n"
        );
        let detached = format!("{COMMIT}\n");
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let rows: [Row<'_>; 9] = [
            (&[(".git/HEAD", &detached)], Some(COMMIT)),
            (
                &[(".git/HEAD", "ref: refs/heads/main\n"), (".git/refs/heads/main", &detached)],
                Some(COMMIT),
            ),
            (
                &[(".git/HEAD", "ref: refs/heads/main\n"), (".git/packed-refs", &packed)],
                Some(COMMIT),
            ),
            (
                &[
                    (".git", "gitdir: real/worktrees/one\n"),
                    ("real/worktrees/one/HEAD", "ref: refs/heads/main"),
                    ("real/worktrees/one/commondir", "../.."),
                    ("real/packed-refs", &packed),
                ],
                Some(COMMIT),
            ),
            // No commit yet, none there, hostile ones.
            (&[(".git/HEAD", "ref: refs/heads/main\n")], None),
            (&[(".git/HEAD", "ref: refs/../../secret\n"), ("secret", &detached)], None),
            (&[(".git/HEAD", "ref: /etc/passwd\n")], None),
            (&[(".git/HEAD", "deadbeef\n")], None),
            (&[(".git", "gitdir: nowhere\n")], None),
        ];
        for (files, expected) in rows {
            let folder = folder(files);
            assert_eq!(commit(&folder.path().join("in/side")).as_deref(), expected, "{files:?}");
        }
    }

    #[test]
    fn finds_who_commits() {
        let rows = [
            ("[user]\n\tname = A B\n\temail = a@b\n", Some("A B <a@b>")),
            ("[User]\nEMAIL=a@b # work\n", Some("a@b")),
            ("[user]\nname = \"A; B\"\n[user \"x\"]\nname = no\n", Some("A; B")),
            ("[user]\nname = first\nname = last\n[core]\nname = no\n", Some("last")),
            ("[alias]\nname = no\n", None),
            ("[user\nname = no\n", None),
            ("", None),
        ];
        for (config, expected) in rows {
            let folder = folder(&[(".git/HEAD", ""), (".git/config", config)]);
            assert_eq!(user(folder.path(), None).as_deref(), expected, "{config:?}");
        }
        let folder = folder(&[("home/.gitconfig", "[user]\nname = Home\n"), (".git/HEAD", "")]);
        let home = folder.path().join("home");
        assert_eq!(user(folder.path(), Some(&home)).as_deref(), Some("Home"));
    }
}
