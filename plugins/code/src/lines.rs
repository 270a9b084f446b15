//! Owns what is looked at line by line: requirements of pip, and keys in YAML and
//! in Triton's configuration. Leaves what a named callable is worth to `target`.
//!
//! YAML is not parsed, only looked through for keys, in the block and the flow
//! form, quoted or not, escapes resolved. What is not YAML but has such a key in a
//! line is taken for one.

use crate::jinja;

/// How much of a line is read for a value: names and paths are shorter.
const MAX_VALUE: usize = 1024;

/// A value of a key, and its line.
#[derive(Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The line, from 1.
    pub line: u32,
    /// The value; none where it does not stand in the line, or is an alias.
    pub text: Option<std::borrow::Cow<'a, str>>,
}

/// Returns lines with their numbers.
fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1_u32..).zip(text.lines())
}

/// Returns the values of a key, wherever it stands.
#[must_use]
pub fn values<'a>(text: &'a str, key: &str) -> Vec<Value<'a>> {
    let mut values = Vec::new();
    for (line, content) in numbered(text) {
        if content.trim_start().starts_with('#') {
            continue;
        }
        let escaped = content.contains('\\') && content.contains('"');
        if escaped {
            let plain = jinja::unescape(content);
            of_key(&plain, key, &mut |text| {
                let text = text.map(|text| text.to_owned().into());
                values.push(Value { line, text });
            });
        } else {
            of_key(content, key, &mut |text| {
                let text = text.map(Into::into);
                values.push(Value { line, text });
            });
        }
    }
    values
}

fn of_key<'a>(line: &'a str, key: &str, see: &mut dyn FnMut(Option<&'a str>)) {
    let is_part = |c: char| c == '_' || c == '-' || c == '.' || c.is_alphanumeric();
    for (at, _) in line.match_indices(key) {
        let before = &line[..at];
        let after = &line[at + key.len()..];
        if before.ends_with(is_part) && !before.ends_with("- ") {
            continue;
        }
        let after = after.strip_prefix(['"', '\'']).unwrap_or(after).trim_start();
        match after.strip_prefix(':') {
            Some(value) => see(value_of(value)),
            // `? key`, with the value on the next line.
            None if before.trim_end().ends_with('?') => see(None),
            None => {}
        }
    }
}

/// Returns the value that follows a key's colon.
fn value_of(text: &str) -> Option<&str> {
    // Cut first: a line of many keys must not be searched to its end for each.
    let text = text.trim_start();
    let mut text = &text[..text.floor_char_boundary(MAX_VALUE)];
    // Anchors and tags stand before the value.
    while text.starts_with(['&', '!']) {
        text = text.split_once(char::is_whitespace)?.1.trim_start();
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split('"').next();
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted.split('\'').next();
    }
    let text = text.split(" #").next().unwrap_or(text);
    let end = text.find([',', '}', ']']).filter(|end| !text[..*end].contains("${"));
    let text = text[..end.unwrap_or(text.len())].trim();
    let elsewhere = text.is_empty() || text.starts_with(['*', '|', '>', '#']);
    (!elsewhere).then_some(text)
}

/// Returns what YAML tags have an unsafe loader import, with the lines: `NAME` of
/// `!!python/object/apply:NAME` and its like, however the tag is written. A directive
/// that shortens such tags has no name that could be told.
#[must_use]
pub fn tagged(text: &str) -> Vec<(u32, String)> {
    const KINDS: &[&str] = &["object/apply:", "object/new:", "object:", "name:", "module:"];
    let mut tagged = Vec::new();
    for (line, content) in numbered(text) {
        let directive = content.starts_with('%');
        if !content.contains('!') && !directive {
            continue;
        }
        let content = percent_decoded(content);
        // Of ordinary files none shortens tags, so a prefix of that one is enough.
        let shortened = content.strip_prefix("%TAG").and_then(|rest| rest.split_once("yaml.org"));
        if shortened.is_some_and(|(_, prefix)| prefix.trim_end() != ",2002:") {
            tagged.push((line, String::new()));
            continue;
        }
        for (at, mark) in content.match_indices("python/") {
            let rest = &content[at + mark.len()..];
            let name = KINDS.iter().find_map(|kind| rest.strip_prefix(kind));
            if let Some(name) = name {
                let end = name.find([' ', '\t', '>', '[', '{', ',', '\'', '"']);
                tagged.push((line, name[..end.unwrap_or(name.len())].to_owned()));
            }
        }
    }
    tagged
}

/// Resolves the escapes that tags may hold.
fn percent_decoded(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut decoded = String::with_capacity(text.len());
    let mut parts = text.split('%');
    decoded.push_str(parts.next().unwrap_or(""));
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(&part[2..]);
            }
            None => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    decoded.into()
}

/// How far a place that requirements install from is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Many install from it, or it is a commit, which can't change.
    Usual,
    /// A forge, where anybody may publish.
    Forge,
    /// Anything else.
    Other,
}

/// Where requirements install from.
#[derive(Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The line, from 1.
    pub line: u32,
    /// The requirement, without comments.
    pub what: String,
    /// How far the place is known.
    pub place: Place,
}

/// Options of pip that name where packages come from.
const OPTIONS: &[&str] =
    &["--index-url", "--extra-index-url", "--find-links", "--trusted-host", "-i", "-f"];

/// An index that many install from.
const USUAL: &[&str] = &["https://download.pytorch.org/whl"];

/// Forges, and where packages and models are published.
const FORGES: &[&str] = &[
    "https://github.com/",
    "https://gitlab.com/",
    "https://huggingface.co/",
    "https://download.pytorch.org/",
];

/// Publishers on forges whose packages many install from there.
const PUBLISHERS: &[&str] = &[
    "https://github.com/dao-ailab/",
    "https://github.com/facebookresearch/",
    "https://github.com/huggingface/",
    "https://github.com/microsoft/",
    "https://github.com/nvidia/",
    "https://github.com/nvidia-nemo/",
    "https://github.com/openai/",
    "https://github.com/pytorch/",
];

/// Returns the requirements in a file that lists other things too: the entries of a
/// conda environment below `pip:`, and the quoted ones of `pyproject.toml`.
#[must_use]
pub fn elsewhere_among(text: &str) -> Vec<Elsewhere> {
    let mut found = Vec::new();
    for (line, content) in numbered(text) {
        let content = content.trim();
        if content.starts_with('#') {
            continue;
        }
        let item = content.strip_prefix("- ").map(|item| item.trim().trim_matches(['"', '\'']));
        // Channels are addresses, and no requirements.
        let item = item.filter(|item| item.starts_with('-') || is_named_place(item));
        let quoted = content.split(['"', '\'']).filter(|part| is_named_place(part));
        let mut of_line =
            item.into_iter().chain(quoted).filter_map(|part| requirement_of(part, line));
        found.extend(of_line.next());
    }
    found
}

/// Says whether a requirement is of the form `NAME @ URL` or `git+URL`.
fn is_named_place(text: &str) -> bool {
    let vcs = ["git+", "hg+", "svn+", "bzr+"].iter().any(|kind| text.starts_with(kind));
    vcs || text.split_once('@').is_some_and(|(name, place)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.[], ".contains(c);
        !name.is_empty() && name.chars().all(plain) && place.contains("://")
    })
}

/// Returns the requirements that name a place of their own.
#[must_use]
pub fn elsewhere(text: &str) -> Vec<Elsewhere> {
    let mut found = Vec::new();
    let mut whole = String::new();
    let mut start = None;
    for (line, content) in numbered(text) {
        let first = *start.get_or_insert(line);
        if let Some(content) = content.strip_suffix('\\') {
            whole.push_str(content);
            continue;
        }
        whole.push_str(content);
        start = None;
        let requirement = std::mem::take(&mut whole);
        found.extend(requirement_of(&requirement, first));
    }
    found.extend(requirement_of(&whole, start.unwrap_or(1)));
    found
}

fn requirement_of(text: &str, line: u32) -> Option<Elsewhere> {
    let text = text.trim();
    if text.starts_with('#') {
        return None;
    }
    let text = text.split(" #").next().unwrap_or(text).trim();
    let option = OPTIONS.iter().find_map(|option| {
        let rest = text.strip_prefix(option)?;
        // `-ihttps://…` is one, too; `-index` is none that pip knows.
        let set = rest.starts_with([' ', '\t', '=']) || (option.len() == 2 && rest.contains("://"));
        set.then(|| rest.trim_start_matches([' ', '\t', '=']))
    });
    let lower = text.to_ascii_lowercase();
    let vcs = ["git+", "hg+", "svn+", "bzr+"].iter().any(|kind| lower.contains(kind));
    if option.is_none() && !vcs && !lower.contains("://") {
        return None;
    }
    let index = option.is_some_and(|url| {
        let url = url.trim_matches(['"', '\'']);
        let after = |usual: &&str| {
            url.strip_prefix(*usual).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        USUAL.iter().any(after)
    });
    let commit = text.rsplit_once('@').is_some_and(|(_, commit)| {
        let commit = commit.split(['#', ' ', ';']).next().unwrap_or(commit);
        commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let forge = option.is_none()
        && FORGES.iter().any(|forge| {
            let mut urls = lower
                .match_indices("://")
                .map(|(at, _)| lower.get(at.saturating_sub(5)..).unwrap_or(""));
            urls.all(|url| url.starts_with(forge))
        });
    let known = PUBLISHERS.iter().any(|publisher| {
        lower.contains(publisher) && lower.matches("://").count() == 1 && option.is_none()
    });
    let place = match (index || known || (vcs && lower.contains("git+https://") && commit), forge) {
        (true, _) => Place::Usual,
        (false, true) => Place::Forge,
        (false, false) => Place::Other,
    };
    Some(Elsewhere { line, what: text.to_owned(), place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_each_form() {
        for (text, expected) in [
            ("_target_: os.system", Some("os.system")),
            ("  - _target_: 'os.system'  # x", Some("os.system")),
            ("a: {_target_: os.system, x: 1}", Some("os.system")),
            ("{\"_target_\": \"os.system\"}", Some("os.system")),
            ("\"_tar\\x67et_\" : os.system", Some("os.system")),
            ("_target_: &a os.system", Some("os.system")),
            ("_target_: !!str \"os.system\"", Some("os.system")),
            ("_target_:\tos.system", Some("os.system")),
            ("_target_: *a", None),
            ("_target_: >-", None),
            ("_target_:", None),
            ("? _target_", None),
            ("a: [{_target_: ${x,y}}]", Some("${x,y}}]")),
        ] {
            let values = values(text, "_target_");
            assert_eq!(values.len(), 1, "{text}");
            assert_eq!(values[0].text.as_deref(), expected, "{text}");
        }
        for text in
            ["# _target_: os.system", "my_target_: x", "_target_name: x", "see _target_ for more"]
        {
            assert_eq!(values(text, "_target_"), [], "{text}");
        }
    }

    #[test]
    fn tags_name_what_is_called() {
        let row = |text| tagged(text).into_iter().next().map(|(_, name)| name);
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(row("a: !!python/object/apply:os.system ['id']"), some("os.system"));
        assert_eq!(row("a: !!python/object%2Fapply:os.system ['id']"), some("os.system"));
        assert_eq!(row("a: !<tag:yaml.org,2002:python/name:os.system>"), some("os.system"));
        assert_eq!(row("a: [!!python/object/new:a.B{}]"), some("a.B"));
        assert_eq!(row("%TAG !p! tag:yaml.org,2002:python/"), some(""));
        assert_eq!(row("%TAG !! tag:yaml.org,2002:"), None);
        assert_eq!(row("%TAG ! tag:example.com,2000:app/"), None);
        assert_eq!(row("a: !!python/tuple [1]"), None);
        assert_eq!(row("see python/name:x"), None);
    }

    #[test]
    fn requirements_from_elsewhere() {
        let commit = "git+https://example.com/a/b@0123456789012345678901234567890123456789#egg=b";
        for (text, usual) in [
            ("--index-url https://example.com/simple", Some(Place::Other)),
            ("--extra-index-url=https://download.pytorch.org/whl/cu118", Some(Place::Usual)),
            ("--extra-index-url https://download.pytorch.org.example.com/whl", Some(Place::Other)),
            ("-i https://download.pytorch.org/whl", Some(Place::Usual)),
            ("-f./wheels", None),
            ("torch @ https://example.com/torch.whl", Some(Place::Other)),
            ("git+https://example.com/a/b", Some(Place::Other)),
            (commit, Some(Place::Usual)),
            ("torch \\\n --index-url \\\n https://example.com", Some(Place::Other)),
            ("torch>=2.0  # https://example.com", None),
            ("git+https://github.com/a/b", Some(Place::Forge)),
            ("git+https://github.com/huggingface/transformers.git", Some(Place::Usual)),
            ("git+https://example.com/x#https://github.com/huggingface/", Some(Place::Other)),
            ("b @ https://github.com/a/b/c.whl", Some(Place::Forge)),
            ("b @ https://github.com.example.com/c.whl", Some(Place::Other)),
            ("b @ http://github.com/c.whl", Some(Place::Other)),
            ("# https://example.com", None),
            ("numpy==1.26.4 ; python_version < '3.12'", None),
            ("", None),
        ] {
            let found = elsewhere(text);
            assert_eq!(found.first().map(|found| found.place), usual, "{text}");
        }
    }

    #[test]
    fn requirements_among_other_things() {
        for (text, expected) in [
            ("- pip:\n  - --extra-index-url http://example.com/simple\n", Some(Place::Other)),
            ("  - 'x @ https://example.com/x.whl'", Some(Place::Other)),
            ("dependencies = [\"a\", \"x @ http://example.com/x.whl\"]", Some(Place::Other)),
            ("requires = ['git+https://github.com/a/b']", Some(Place::Forge)),
            ("channels:\n- https://conda.anaconda.org/conda-forge\n- python=3.10", None),
            ("homepage = \"https://example.com\"", None),
            ("authors = [\"A <a@example.com>\"]", None),
            ("# - --index-url http://example.com", None),
        ] {
            let found = elsewhere_among(text);
            assert_eq!(found.first().map(|found| found.place), expected, "{text}");
        }
    }
}
