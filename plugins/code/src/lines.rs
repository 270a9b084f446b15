//! Owns what is looked at line by line: requirements of pip, and keys in YAML and
//! in Triton's configuration. Leaves what a named callable is worth to `target`.
//!
//! YAML is not parsed, only looked through for keys, in the block and the flow
//! form, quoted or not, escapes resolved. What is not YAML but has such a key in a
//! line is taken for one.

use crate::jinja;

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
    let mut text = text.trim_start();
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
/// `!!python/object/apply:NAME` and its like, however the tag is written.
#[must_use]
pub fn tagged(text: &str) -> Vec<(u32, &str)> {
    const KINDS: &[&str] = &["object/apply:", "object/new:", "object:", "name:", "module:"];
    let mut tagged = Vec::new();
    for (line, content) in numbered(text) {
        if !content.contains('!') && !content.starts_with('%') {
            continue;
        }
        for (at, mark) in content.match_indices("python/") {
            let rest = &content[at + mark.len()..];
            let name = KINDS.iter().find_map(|kind| rest.strip_prefix(kind));
            if let Some(name) = name {
                let end = name.find([' ', '\t', '>', '[', '{', ',', '\'', '"']);
                tagged.push((line, &name[..end.unwrap_or(name.len())]));
            }
        }
    }
    tagged
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
    let place = match (index || (vcs && lower.contains("git+https://") && commit), forge) {
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
        let row = |text| tagged(text).first().map(|(_, name)| *name);
        assert_eq!(row("a: !!python/object/apply:os.system ['id']"), Some("os.system"));
        assert_eq!(row("a: !<tag:yaml.org,2002:python/name:os.system>"), Some("os.system"));
        assert_eq!(row("a: [!!python/object/new:a.B{}]"), Some("a.B"));
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
}
