//! Where a model comes from, and at which revision: what may be written under
//! `source`, `revision` and `base`.
//!
//! Pure functions from the text to what it means, or to what is wrong with it.
//! Whether there is such a source, nobody asks here.

use super::values::{Wrong, plain};

/// How a kind of source names its revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revisions {
    /// By commits of git.
    Commit,
    /// By digests.
    Digest,
    /// By either, for all that is known.
    Either,
}

/// The kinds of source, each with how it names its revisions.
const SOURCES: [(&str, Revisions); 8] = [
    ("hf", Revisions::Commit),
    ("git", Revisions::Commit),
    ("git+https", Revisions::Commit),
    ("git+ssh", Revisions::Commit),
    ("oci", Revisions::Digest),
    ("ollama", Revisions::Digest),
    ("https", Revisions::Digest),
    ("path", Revisions::Either),
];

/// What to do about a revision in a source.
const UNDER_REVISION: &str = "write what follows the `@` under `revision`";

/// Takes `text` as where a model comes from.
pub(super) fn source(text: &str) -> Result<Revisions, Wrong> {
    plain(text, "the source")?;
    let known = || SOURCES.map(|(kind, _)| format!("{kind}:")).join(", ");
    let Some((kind, rest)) = text.split_once(':') else {
        return Err(Wrong::new("the source does not say what kind it is")
            .with_help(format!("it starts with one of {}, such as `hf:org/name`", known())));
    };
    let Some((_, revisions)) = SOURCES.iter().find(|(known, _)| *known == kind) else {
        return Err(Wrong::new(format!("there is no kind of source `{kind}`"))
            .with_help(format!("it starts with one of {}", known())));
    };
    if rest.trim_matches('/').is_empty() || rest.contains(char::is_whitespace) {
        return Err(Wrong::new(format!("`{kind}:` is not followed by a name")));
    }
    let last = rest.rsplit('/').next().unwrap_or(rest);
    match kind {
        "hf" | "oci" | "ollama" if rest.contains('@') => {
            Err(Wrong::new("the source names a revision").with_help(UNDER_REVISION))
        }
        "hf" if !is_repository(rest) => Err(Wrong::new(format!("`{rest}` names no repository"))
            .with_help("write `hf:org/name`, each of letters, digits, `-`, `_` and `.`")),
        "oci" if last.contains(':') => Err(Wrong::new("the source names a tag, which can move")
            .with_help(
                "write the tag under `requested`, and the manifest's digest under `revision`",
            )),
        "git" | "git+https" | "git+ssh" if last.contains(['@', '#', '?']) => {
            Err(Wrong::new("the source names a branch, tag or revision")
                .with_help("end it with the repository, and write the commit under `revision`"))
        }
        "https" | "git+https" => url(rest).map(|()| *revisions),
        _ => Ok(*revisions),
    }
}

/// Whether `name` is that of a repository: one or two parts of plain characters.
fn is_repository(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    name.split('/').count() <= 2 && name.split('/').all(is_part)
}

/// Takes what follows the scheme of an address on the web.
fn url(rest: &str) -> Result<(), Wrong> {
    let help = "write `https://host/path`";
    let host = rest.strip_prefix("//").and_then(|rest| rest.split('/').next());
    match host {
        None | Some("") => Err(Wrong::new("the source names no host").with_help(help)),
        Some(host) if host.contains('@') => Err(Wrong::new("the source holds credentials")
            .with_help("take them out: this file is read by everybody who reads the repository")),
        Some(_) => Ok(()),
    }
}

/// Takes `text` as an immutable revision of a source that names its revisions
/// in the way of `kind`.
pub(super) fn revision(text: &str, kind: Revisions, source: Option<&str>) -> Result<(), Wrong> {
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_commit = matches!(text.len(), 40 | 64) && is_hex(text);
    let hex = text.strip_prefix("sha256:");
    let is_digest = hex.is_some_and(|hex| hex.len() == 64 && is_hex(hex));
    match kind {
        Revisions::Commit if is_commit => return Ok(()),
        Revisions::Digest if is_digest => return Ok(()),
        Revisions::Either if is_commit || is_digest => return Ok(()),
        _ => {}
    }
    let form = match kind {
        Revisions::Commit => "a full commit: 40 or 64 lower-case hex digits",
        Revisions::Digest => "a digest: `sha256:` and 64 lower-case hex digits",
        Revisions::Either => {
            "a full commit of 40 or 64 lower-case hex digits, or a `sha256:` digest"
        }
    };
    if text.is_empty() {
        return Err(Wrong::new("the revision is empty").with_help(format!("write {form}")));
    }
    let lower = text.to_ascii_lowercase();
    let looks_immutable = is_hex(lower.strip_prefix("sha256:").unwrap_or(&lower));
    let message = if looks_immutable && text.len() >= 7 {
        format!("`{text}` is not a whole revision")
    } else {
        format!("`{text}` is not an immutable revision")
    };
    let ask = match source.and_then(|source| source.strip_prefix("hf:")) {
        Some(name) if kind == Revisions::Commit => {
            format!("; `git ls-remote https://huggingface.co/{name}` prints it")
        }
        _ => String::new(),
    };
    Err(Wrong::new(message).with_help(format!(
        "a branch or tag can be moved to other files after these were tested; write {form}{ask}"
    )))
}

/// Takes `text` as a model that another was made from: its source and, behind
/// the last `@`, its revision.
pub(super) fn base(text: &str) -> Result<(), Wrong> {
    plain(text, "the model")?;
    let Some((from, at)) = text.rsplit_once('@') else {
        return Err(Wrong::new(format!("`{text}` does not say at which revision"))
            .with_help("write its source, `@` and its revision: `hf:org/base@<commit>`"));
    };
    revision(at, source(from)?, Some(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_move_or_name_nothing_are_refused() {
        let good = [
            "hf:org/name",
            "hf:gpt2",
            "git+https://host/org/name.git",
            "git:git@host:org/name",
            "git+ssh://git@host/org/name",
            "oci:registry.example:5000/org/name",
            "ollama:library/llama3:8b",
            "https://host/model.gguf?download=true",
            "path:../elsewhere",
        ];
        for text in good {
            assert!(source(text).is_ok(), "{text}: {:?}", source(text));
        }
        let rows = [
            ("", "the source is empty"),
            ("org/name", "the source does not say what kind it is"),
            ("s3://bucket", "there is no kind of source `s3`"),
            ("hf:", "`hf:` is not followed by a name"),
            ("hf:org/na me", "`hf:` is not followed by a name"),
            ("hf:org/name@main", "the source names a revision"),
            ("hf:org/name/tree/main", "`org/name/tree/main` names no repository"),
            ("hf:../name", "`../name` names no repository"),
            ("hf:/name", "`/name` names no repository"),
            ("oci:host/name:latest", "the source names a tag, which can move"),
            ("oci:host/name@sha256:00", "the source names a revision"),
            ("git+https://host/name#main", "the source names a branch, tag or revision"),
            ("git+https://host/name@v1", "the source names a branch, tag or revision"),
            ("https:host/name", "the source names no host"),
            ("https:///name", "the source names no host"),
            ("https://user:token@host/name", "the source holds credentials"),
            ("hf:org/na\u{202e}me", "the source holds control or invisible characters"),
        ];
        for (text, message) in rows {
            assert_eq!(source(text).map_err(|wrong| wrong.message), Err(message.to_owned()));
        }
    }

    #[test]
    fn a_base_has_its_revision() {
        let commit = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
        let rows = [
            (format!("hf:org/base@{commit}"), None),
            (format!("git:git@host:org/name@{commit}"), None),
            ("hf:org/base".to_owned(), Some("`hf:org/base` does not say at which revision")),
            ("hf:org/base@main".to_owned(), Some("`main` is not an immutable revision")),
            (
                format!("hf:org/base@{}", &commit[..10]),
                Some("`86f7e437fa` is not a whole revision"),
            ),
            (format!("org/base@{commit}"), Some("the source does not say what kind it is")),
            (format!("oci:host/name@{commit}"), Some("is not a whole revision")),
        ];
        for (text, message) in rows {
            let wrong = base(&text).err().map(|wrong| wrong.message);
            match message {
                None => assert_eq!(wrong, None, "{text}"),
                Some(message) => assert!(wrong.is_some_and(|w| w.contains(message)), "{text}"),
            }
        }
    }
}
