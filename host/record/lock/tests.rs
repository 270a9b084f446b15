//! What a lock file may hold and what it may not, as rows and as properties.

#![expect(clippy::disallowed_methods, reason = "tests write files and take the time")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::domain::digest::{Blake3, TreeDigest};
use crate::domain::model::{FilePath, LockNotes, LockedFile};
use crate::domain::parts::Parts;
use crate::domain::plugin::{Imports, Manifest, PluginRef, Reads, Scope};
use crate::domain::upstream::Upstream;

const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn source(text: &str) -> SourceFile {
    SourceFile { path: NAME.into(), text: text.into() }
}

/// Parses and writes every mistake as `line: message`.
fn mistakes(text: &str) -> Vec<String> {
    let Err(mistakes) = LockFile::parse(&source(text)) else {
        return Vec::new();
    };
    assert!(!mistakes.is_empty(), "refused without a mistake: {text}");
    mistakes.iter().map(|m| format!("{}: {}", m.line(), m.message)).collect()
}

/// A lock file with one model, whose lines `model` replaces from line 3 on.
fn with_model(model: &str) -> String {
    format!("version = 1\n[[model]]\n{model}\n").replace("HEX", HEX)
}

fn with_file(file: &str) -> String {
    with_model(&format!("name = \"m\"\ntree = \"sha256:HEX\"\nfile = [\n{file},\n]"))
}

fn with_plugin(plugin: &str) -> String {
    format!("version = 1\n[[plugin]]\n{plugin}\n").replace("HEX", HEX)
}

#[test]
fn bad_locks_are_refused_by_name_and_line() {
    let path = "a file's path is relative to its model, without `.`, `..` or empty parts, with \
                control characters and invisible ones written out";
    let name = "a model's name has 1 to 255 bytes and no control characters";
    let escaping = with_file(r#"{ path = "../a", size = 1, sha256 = "HEX" }"#);
    let rows: Vec<(String, Vec<String>)> = [
        // The text as a whole.
        ("", "1: missing key `version`"),
        ("version = 2\nfuture = 1\n", "1: the lock file's version must be 1"),
        ("version = \"1\"\n", "1: the lock file's version must be 1"),
        ("version = 1.0\n", "1: the lock file's version must be 1"),
        ("version = -1\n", "1: the lock file's version must be 1"),
        ("version = 1\nversion = 1\n", "2: duplicate key"),
        ("version = 1\nextra = 1\n", "2: unknown key `extra`"),
        ("version = 1\n[models]\n", "2: unknown key `models`"),
        ("version = 1\nmodel = 1\n", "2: `model` must be an array, not a whole number"),
        ("version = 1\n[model]\n", "2: `model` must be an array, not a table"),
        ("version = 1\nmodel = [1]\n", "2: a model must be a table, not a whole number"),
        ("version = 1\nplugin = [[]]\n", "2: a plugin must be a table, not an array"),
        (
            "version = 1\n<<<<<<< HEAD\n=======\n>>>>>>> x\n",
            "2: the lock file holds an unresolved merge conflict",
        ),
        ("version = \u{0}1\n", "1: string values must be quoted, expected literal string"),
    ]
    .map(|(text, expected)| (text.to_owned(), vec![expected.to_owned()]))
    .into_iter()
    .chain(
        [
            // A model.
            ("", vec!["2: missing key `name`", "2: missing key `tree`", "2: missing key `file`"]),
            ("name = \"m\"\ntree = \"sha256:HEX\"", vec!["2: missing key `file`"]),
            ("name = \"m\"\nfile = []", vec!["2: missing key `tree`"]),
            ("tree = \"sha256:HEX\"\nfile = []", vec!["2: missing key `name`"]),
            ("name = \"\"\ntree = \"sha256:HEX\"\nfile = []", vec![name]),
            ("name = \"a\\u001Bb\"\ntree = \"sha256:HEX\"\nfile = []", vec![name]),
            (
                "name = 1\ntree = \"sha256:HEX\"\nfile = []",
                vec!["3: `name` must be a string, not a whole number"],
            ),
            (
                "name = \"m\"\ntree = \"md5:00\"\nfile = []",
                vec!["4: a digest starts with `sha256:`; no other algorithm is taken"],
            ),
            (
                "name = \"m\"\ntree = \"sha256:00\"\nfile = []",
                vec!["4: a SHA-256 digest has 64 hex digits, this one has 2"],
            ),
            (
                "name = \"m\"\ntree = \"sha256:HEX\"\nfile = {}",
                vec!["5: `file` must be an array of tables"],
            ),
            (
                "name = \"m\"\ntree = \"sha256:HEX\"\nfile = [1, \"a\"]",
                vec![
                    "5: a file must be a table, not a whole number",
                    "5: a file must be a table, not a string",
                ],
            ),
            (
                "name = \"m\"\nsource = []\nbase = \"x\"\ntree = \"sha256:HEX\"\nfile = []",
                vec![
                    "4: `source` must be a string, not an array",
                    "5: `base` must be an array, not a string",
                ],
            ),
            (
                "name = \"m\"\nbase = [1]\ntree = \"sha256:HEX\"\nfile = []",
                vec!["4: `base` must hold strings, not a whole number"],
            ),
            (
                "name = \"m\"\nlicence = \"MIT\"\ntree = \"sha256:HEX\"\nfile = []\nfiles = 0",
                vec!["4: unknown key `licence`", "7: unknown key `files`"],
            ),
            (
                "name = \"m\"\ntree = \"sha256:HEX\"\nfile = []\n[[model]]\nname = \"m\"\ntree = \
                 \"sha256:HEX\"\nfile = []",
                vec!["7: model `m` has two entries"],
            ),
        ]
        .into_iter()
        .map(|(model, expected)| {
            let in_line = |m: &str| match m == name {
                true => format!("3: {m}"),
                false => m.to_owned(),
            };
            (with_model(model), expected.into_iter().map(in_line).collect())
        }),
    )
    .chain(
        [
            // A file, on line 6.
            ("{}", vec!["missing key `path`", "missing key `size`", "missing key `sha256`"]),
            (r#"{ path = "a", size = 1 }"#, vec!["missing key `sha256`"]),
            (r#"{ path = "a", size = 1, sha256 = "HEX", mode = 1 }"#, vec!["unknown key `mode`"]),
            (r#"{ path = "a", size = 1, size = 2, sha256 = "HEX" }"#, vec!["duplicate key"]),
            (
                r#"{ path = "a", size = -1, sha256 = "HEX" }"#,
                vec!["`size` must be a number from 0 to 18446744073709551615"],
            ),
            (
                r#"{ path = "a", size = 18446744073709551616, sha256 = "HEX" }"#,
                vec!["`size` must be a number from 0 to 18446744073709551615"],
            ),
            (
                r#"{ path = "a", size = 1.5, sha256 = "HEX" }"#,
                vec!["`size` must be a whole number, not a floating-point number"],
            ),
            (
                r#"{ path = "a", size = "1", sha256 = "HEX" }"#,
                vec!["`size` must be a whole number, not a string"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "" }"#,
                vec!["a SHA-256 digest has 64 hex digits, this one has 0"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX0" }"#,
                vec!["a SHA-256 digest has 64 hex digits, this one has 65"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "sha256:HEX" }"#,
                vec!["a SHA-256 digest has 64 hex digits, this one has 71"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }"#,
                vec!["a digest is written in lower-case hex digits"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX", blake3 = "HEX0" }"#,
                vec!["a BLAKE3 has 64 lower-case hex digits"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX", blake3 = 1 }"#,
                vec!["`blake3` must be a string, not a whole number"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX", upstream = "none" }"#,
                vec![
                    "an upstream claim is `lfs-sha256`, `git-sha1:<40 hex digits>`, \
                     `oci-layer:sha256:<64 hex digits>`, `sums`, `b3sums`, `dvc-md5:<32 hex \
                     digits>` or `oms`",
                ],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX", upstream = "git-sha1:HEX" }"#,
                vec!["an upstream claim of the kind `git-sha1` has 40 lower-case hex digits"],
            ),
            (
                r#"{ path = "a", size = 1, sha256 = "HEX", parts = "1048576:HEX" }"#,
                vec!["a file of 1 bytes has no parts"],
            ),
            (
                r#"{ path = "a", size = 2097153, sha256 = "HEX", parts = "1048576:HEX" }"#,
                vec!["a file of 2097153 bytes has 3 parts of 1048576 bytes"],
            ),
            (
                r#"{ path = "a", size = 4194304, sha256 = "HEX", parts = "" }"#,
                vec![
                    "parts are written `<bytes in a part>:<16 lower-case hex digits for each \
                     part>`",
                ],
            ),
            (
                r#"{ path = "a", sha256 = "HEX", parts = "x", upstream = "oms", blake3 = "HEX" }"#,
                vec!["missing key `size`"],
            ),
            (r#"{ path = "", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "/etc/passwd", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a//b", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a/./b", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a/", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a\nb", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a\u001B[2J", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a\u202Eb", size = 1, sha256 = "HEX" }"#, vec![path]),
            (r#"{ path = "a\\", size = 1, sha256 = "HEX" }"#, vec![path]),
            (
                r#"{ path = ["a"], size = 1, sha256 = "HEX" }"#,
                vec!["`path` must be a string, not an array"],
            ),
            (
                "{ path = \"a\", size = 1, sha256 = \"HEX\" },{ path = \"a\", size = 2, sha256 = \
                 \"HEX\" }",
                vec!["file `a` is listed twice"],
            ),
            (r#"{ path = "a" size = 1, sha256 = "HEX" }"#, vec!["missing comma between key-value pairs, expected `,`"]),
        ]
        .into_iter()
        .map(|(file, expected)| {
            let in_line = |message: &str| format!("6: {message}");
            (with_file(file), expected.into_iter().map(in_line).collect())
        }),
    )
    .chain(
        [
            // A plugin.
            (
                "",
                vec![
                    "2: missing key `id`",
                    "2: missing key `version`",
                    "2: missing key `digest`",
                    "2: missing key `capabilities`",
                ],
            ),
            (
                "id = \"gate\"\nversion = \"1.0.0\"\ndigest = \"sha256:HEX\"\ncapabilities = []",
                vec!["3: `gate` is reserved for the host's own findings"],
            ),
            (
                "id = \"A\"\nversion = \"1\"\ndigest = \"HEX\"\ncontract = \"0.1\"\ncapabilities = \
                 [\"net\", \"log\", \"log\", 1]\nlimits = {}",
                vec![
                    "3: a plugin id is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter",
                    "4: `1` is no version: unexpected end of input while parsing major version number",
                    "5: a digest starts with `sha256:`; no other algorithm is taken",
                    "6: a contract line is written like `v0.1`",
                    "7: there is no capability `net`",
                    "7: `log` is listed twice",
                    "7: `capabilities` must hold strings, not a whole number",
                    "8: unknown key `limits`",
                ],
            ),
            (
                "id = \"a\"\nversion = \"1.0.0\"\ndigest = \"sha256:HEX\"\ncapabilities = []\n\
                 [[plugin]]\nid = \"a\"\nversion = \"1.0.0\"\ndigest = \"sha256:HEX\"\n\
                 capabilities = []",
                vec!["8: plugin `a` has two entries"],
            ),
        ]
        .into_iter()
        .map(|(plugin, expected)| {
            (with_plugin(plugin), expected.into_iter().map(str::to_owned).collect())
        }),
    )
    .chain([(escaping, vec![format!("6: {path}")])])
    .collect();
    assert!(rows.len() >= 50, "{}", rows.len());
    for (text, expected) in rows {
        let mut found = mistakes(&text);
        found.sort();
        let mut sorted = expected.clone();
        sorted.sort();
        assert_eq!(found, sorted, "{text}");
    }
}

#[test]
fn a_mistake_points_at_both_places() {
    let file = r#"{ path = "a", size = 1, sha256 = "HEX" }"#;
    let text = with_file(&format!("{file},\n{file}"));
    let mistakes = LockFile::parse(&source(&text)).unwrap_err();
    let places: Vec<_> = mistakes[0].labels.iter().map(|(span, _)| &text[span.clone()]).collect();
    assert_eq!(places[0], file.replace("HEX", HEX));
    assert_eq!(places[0], places[1]);
    assert_eq!(mistakes[0].line(), 7);
}

#[test]
fn the_written_form_is_held_to_the_same_rules() {
    let entry = "id = \"a\"\nversion = \"1.0.0\"\ndigest = \"sha256:HEX\"\ncontract = \"v0.1\"\n\
                 capabilities = [\"files\", \"log\"]\n";
    let text = LockFile::default().render() + "\n[[plugin]]\n" + &entry.replace("HEX", HEX);
    assert!(render::read_canonical(&text).is_some());
    for (good, bad) in [
        ("v0.1", "0.1"),
        ("v0.1", "v0.1\u{1b}"),
        ("\"a\"", "\"gate\""),
        ("1.0.0", "1.0"),
        ("ba78", "BA78"),
        ("\"files\", \"log\"", "\"log\", \"files\""),
        ("\"log\"", "\"log\", \"log\""),
        ("\"log\"", "\"net\""),
        ("[[plugin]]", "[[plugins]]"),
        ("capabilities", "more = 1\ncapabilities"),
        ("version = 1\n", "version = 2\n"),
    ] {
        let text = text.replacen(good, bad, 1);
        assert!(render::read_canonical(&text).is_none(), "{bad}");
    }
}

#[test]
fn mistakes_are_bounded() {
    let text = with_file(&vec!["1"; 100_000].join(", "));
    assert_eq!(mistakes(&text).len(), 50);
}

#[test]
fn any_order_and_any_toml_is_read() {
    let text = format!(
        "plugin = []\nmodel = [{{ file = [{{ size = 0x10, sha256 = '{HEX}', path = 'b' }}, {{ path \
         = \"a\", size = 1_000, sha256 = \"{HEX}\" }}], tree = 'sha256:{HEX}', name = 'm' \
         }}]\nversion = 1\n"
    );
    let lock = LockFile::parse(&source(&text)).unwrap();
    let files = &lock.models[&ModelName::new("m")].files;
    let seen: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.size)).collect();
    assert_eq!(seen, [("a", 1000), ("b", 16)]);
    assert!(!lock.is_canonical(&text));
    assert!(lock.is_canonical(&lock.render()));
}

fn entry(files: impl IntoIterator<Item = (String, u64, Digest)>) -> LockEntry {
    let file = |(path, size, digest)| LockedFile::new(FilePath::from_written(path), size, digest);
    let files: Vec<_> = files.into_iter().map(file).collect();
    LockEntry {
        source: Some("hf:org/name".to_owned()),
        revision: Some("0".repeat(40)),
        notes: LockNotes::default(),
        tree: TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest))),
        line: 0,
        files,
    }
}

fn lock_of(files: impl IntoIterator<Item = (String, u64, Digest)>) -> LockFile {
    let models = [(ModelName::new("sentiment"), entry(files))];
    LockFile { models: BTreeMap::from(models), ..LockFile::default() }
}

#[test]
fn writes_one_line_a_file() {
    let mut lock = lock_of([
        ("a \"b\".bin".to_owned(), 7, Digest::of(b"a")),
        ("model.safetensors".to_owned(), 1, Digest::of(b"m")),
        ("x\\\\y\\x1b".to_owned(), u64::MAX, Digest::of(b"x")),
    ]);
    let notes = LockNotes {
        requested: Some("v1.2".to_owned()),
        tensors: None,
        license: Some("Apache-2.0".to_owned()),
        signer: Some("\u{7f}\n".to_owned()),
        base: vec!["hf:org/base".to_owned(), "hf:org/other".to_owned()],
    };
    lock.models.get_mut(&ModelName::new("sentiment")).unwrap().notes = notes;
    let plugin = LockedPlugin::of(&plugin("license", "1.2.3", b"x", &[Capability::Files]));
    lock.plugins.insert(PluginId::new("license").unwrap(), plugin);
    insta::assert_snapshot!(lock.render(), @r##"
    # Generated by `modelhost lock`: don't edit it, run that again.
    version = 1

    [[model]]
    name = "sentiment"
    source = "hf:org/name"
    revision = "0000000000000000000000000000000000000000"
    requested = "v1.2"
    license = "Apache-2.0"
    signer = "\u007F\u000A"
    base = ["hf:org/base", "hf:org/other"]
    tree = "sha256:be62a9204ad388cf203bd1724c9c98a13ce976ba3bc23f8be082c22aed7605d7"
    file = [
      { path = "a \"b\".bin", size = 7, sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" },
      { path = "model.safetensors", size = 1, sha256 = "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a" },
      { path = "x\\\\y\\x1b", size = 18446744073709551615, sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" },
    ]

    [[plugin]]
    id = "license"
    version = "1.2.3"
    digest = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    contract = "v0.1"
    capabilities = ["files"]
    "##);
}

#[test]
fn what_else_is_noted_of_a_file_stays_on_its_line() {
    let size = (2 << 20) + 1;
    let mut lock = lock_of([
        ("a \", upstream = \"x.bin".to_owned(), size, Digest::of(b"a")),
        ("b.bin".to_owned(), 1, Digest::of(b"b")),
        ("c.bin".to_owned(), 1, Digest::of(b"c")),
    ]);
    let before = lock.render();
    let files = &mut lock.models.get_mut(&ModelName::new("sentiment")).unwrap().files;
    files[0].blake3 = Some(Blake3::from_bytes([0xb3; 32]));
    files[0].upstream = Some(Upstream::GitSha1([1; 20]));
    files[0].parts = Parts::new(size, &[[1; 32], [2; 32], [3; 32]]);
    files[2].upstream = Some(Upstream::LfsSha256);
    let text = lock.render();
    let lines: Vec<_> = text.lines().filter(|line| !before.contains(line)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
      { path = "a \", upstream = \"x.bin", size = 2097153, sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", blake3 = "b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3", upstream = "git-sha1:0101010101010101010101010101010101010101", parts = "1048576:010101010101010102020202020202020303030303030303" },
      { path = "c.bin", size = 1, sha256 = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6", upstream = "lfs-sha256" },
    "#);
    for text in [text.clone(), format!("{text}# by hand\n")] {
        let back = LockFile::parse(&source(&text)).unwrap();
        assert_eq!(without_lines(back), lock);
    }
    // A line with a mistake is not read by the fast reader, and so is named.
    for (good, bad) in [
        ("blake3 = \"b3", "blake3 = \"B3"),
        ("git-sha1:01", "git-sha1:0"),
        ("1048576:", "2097152:"),
        ("blake3 = ", "blake2 = "),
        ("\"lfs-sha256\" }", "\"lfs-sha256\", blake3 = \"\" }"),
    ] {
        let bad = text.replacen(good, bad, 1);
        assert_ne!(bad, text);
        assert!(render::read_canonical(&bad).is_none(), "{bad}");
        assert_eq!(LockFile::parse(&source(&bad)).unwrap_err().len(), 1, "{bad}");
    }
    // Another order of the keys means the same, and is not as it is written.
    let hex = "b3".repeat(32);
    let other = text.replacen(&format!(", blake3 = \"{hex}\""), "", 1);
    let other = other.replacen("{ path", &format!("{{ blake3 = \"{hex}\", path"), 1);
    assert!(render::read_canonical(&other).is_none());
    assert_eq!(without_lines(LockFile::parse(&source(&other)).unwrap()), lock);
}

/// Returns how many lines one text has that the other does not, both ways.
fn changed_lines(old: &str, new: &str) -> usize {
    let mut count = BTreeMap::<&str, i64>::new();
    old.lines().for_each(|line| *count.entry(line).or_default() -= 1);
    new.lines().for_each(|line| *count.entry(line).or_default() += 1);
    count.values().map(|n| usize::try_from(n.abs()).unwrap()).sum()
}

#[test]
fn one_changed_file_changes_at_most_four_lines() {
    let files = |skip: usize, changed: usize| {
        (0..50).filter(move |n| *n != skip).map(move |n| {
            let content = if n == changed { "other".to_owned() } else { format!("content {n}") };
            (format!("part-{n:05}.bin"), content.len() as u64, Digest::of(content.as_bytes()))
        })
    };
    let all = lock_of(files(99, 99)).render();
    for n in [0, 1, 24, 49] {
        assert_eq!(changed_lines(&all, &lock_of(files(99, n)).render()), 4, "change {n}");
        assert_eq!(changed_lines(&all, &lock_of(files(n, 99)).render()), 3, "remove {n}");
        assert_eq!(changed_lines(&lock_of(files(n, 99)).render(), &all), 3, "add {n}");
    }
}

fn plugin(id: &str, version: &str, bytes: &[u8], capabilities: &[Capability]) -> ResolvedPlugin {
    ResolvedPlugin {
        manifest: Manifest {
            id: PluginId::new(id).unwrap(),
            version: version.parse().unwrap(),
            title: String::new(),
            description: String::new(),
            license: None,
            homepage: None,
            rules: Vec::new(),
            files: Vec::new(),
            scope: Scope::Model,
            reads: Reads::None,
            judges: false,
            settings: None,
            limits: Default::default(),
        },
        digest: Digest::of(bytes),
        bytes: Arc::from(bytes),
        origin: PluginRef::Bundled(PluginId::new(id).unwrap()),
        imports: Imports {
            capabilities: capabilities.to_vec(),
            unknown: Vec::new(),
            contract: Some("0.1.0".to_owned()),
        },
    }
}

#[test]
fn contract_lines_are_compatible_versions() {
    let rows = [
        ("0.1.0", Some("v0.1")),
        ("0.2.7-rc.1", Some("v0.2")),
        ("1.0.0", Some("v1")),
        ("12.3.4", Some("v12")),
        ("", None),
        ("1", None),
        ("18446744073709551615.0.0", None),
    ];
    for (version, line) in rows {
        assert_eq!(contract_line(version).as_deref(), line, "{version}");
    }
}

#[test]
fn plugins_drift() {
    let locked = plugin("a", "1.0.0", b"one", &[Capability::Files, Capability::Log]);
    let mut lock = LockFile::default();
    lock.plugins.insert(PluginId::new("a").unwrap(), LockedPlugin::of(&locked));
    let file = source(&lock.render());
    let lock = LockFile::parse(&file).unwrap();
    let mut newer_contract = locked.clone();
    newer_contract.imports.contract = Some("1.3.0".to_owned());
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let rows = [
        (locked, vec![]),
        (plugin("a", "1.0.0", b"one", &[Capability::Files]), vec![]),
        (plugin("b", "1.0.0", b"one", &[]), vec!["1: plugin `b` is not locked".to_owned()]),
        (
            plugin("a", "1.0.0", b"two", &[Capability::Files]),
            vec![format!("4: plugin `a` is {two}, and {one} is locked")],
        ),
        (
            plugin("a", "1.0.1", b"one", &[Capability::Files, Capability::Documents]),
            vec![
                "4: plugin `a` is version 1.0.1, and 1.0.0 is locked".to_owned(),
                "4: plugin `a` asks for `documents`, which is not locked".to_owned(),
            ],
        ),
        (newer_contract, vec!["4: plugin `a` speaks contract v1, and v0.1 is locked".to_owned()]),
    ];
    for (found, expected) in rows {
        let drift = lock.plugin_drift(&[found]);
        let shown = drift.iter().map(|drift| drift.diagnostic(&file));
        let shown: Vec<_> = shown.map(|d| format!("{}: {}", d.line(), d.message)).collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn disk_reads_and_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    assert!(read(&path).unwrap().is_none());
    let lock = lock_of([("a".to_owned(), 1, Digest::of(b"a"))]);
    assert!(write(&path, &lock).unwrap());
    assert!(!write(&path, &lock).unwrap(), "nothing to change");
    let (file, back) = read(&path).unwrap().unwrap();
    assert_eq!(&*file.path, NAME);
    assert_eq!(&*file.text, lock.render());
    assert_eq!(back.render(), lock.render());
    assert!(write(&path, &LockFile::default()).unwrap());
    let names = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), [NAME], "nothing is left behind");
}

#[test]
fn disk_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(read(&path), Err(LockError::Unreadable { .. })));
    assert!(matches!(write(&path, &LockFile::default()), Err(LockError::NotWritten { .. })));
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, b"version = 1\n# \xff\n").unwrap();
    let Err(LockError::Mistakes { mistakes, .. }) = read(&path) else { panic!("is read") };
    assert_eq!(mistakes[0].to_string(), "modelhost.lock:2: the lock file is not UTF-8");
    std::fs::File::create(&path).unwrap().set_len(MAX_LOCK + 1).unwrap();
    assert!(matches!(read(&path), Err(LockError::TooLarge { .. })));
    #[cfg(unix)]
    {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(matches!(read(&path), Err(LockError::Unreadable { .. })), "a broken link");
    }
}

#[test]
fn a_hundred_thousand_files_are_read_alike_in_either_form() {
    let files = (0..100_000u64)
        .map(|n| (format!("model-{n:06}-of-100000.safetensors"), n, Digest::of(&n.to_le_bytes())));
    let lock = lock_of(files);
    let text = lock.render();
    let canonical = LockFile::parse(&source(&text)).unwrap();
    assert!(canonical.is_canonical(&text));
    let free = LockFile::parse(&source(&format!("{text}# a comment\n"))).unwrap();
    assert_eq!(canonical, free);
}

fn a_path() -> impl Strategy<Value = FilePath> {
    let part = prop_oneof![
        "[a-z0-9._-]{1,8}",
        any::<String>(),
        Just("::x ##[y".to_owned()),
        Just("\"\\, size = ".to_owned()),
    ];
    let raw = (vec(part, 1..3), vec(any::<u8>(), 0..3));
    raw.prop_filter_map("it names a file", |(parts, tail)| {
        let mut raw = parts.join("/").into_bytes();
        raw.extend(tail);
        FilePath::parse(FilePath::from_bytes(&raw).as_str())
    })
}

fn a_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn an_upstream() -> impl Strategy<Value = Upstream> {
    prop_oneof![
        Just(Upstream::LfsSha256),
        any::<[u8; 20]>().prop_map(Upstream::GitSha1),
        a_digest().prop_map(Upstream::OciLayer),
        Just(Upstream::Sums),
        Just(Upstream::B3Sums),
        any::<[u8; 16]>().prop_map(Upstream::DvcMd5),
        Just(Upstream::Oms),
    ]
}

fn some_parts(size: u64) -> Option<Parts> {
    let count = size.div_ceil(Parts::size_for(size)?);
    Parts::new(
        size,
        &(0..count).map(|n| Digest::of(&n.to_le_bytes()).as_bytes().to_owned()).collect::<Vec<_>>(),
    )
}

fn an_entry() -> impl Strategy<Value = LockEntry> {
    let text = || option::of(any::<String>());
    let notes = (text(), text(), text(), text(), vec(any::<String>(), 0..3)).prop_map(
        |(requested, tensors, license, signer, base)| LockNotes {
            requested,
            tensors,
            license,
            signer,
            base,
        },
    );
    let more = (option::of(any::<[u8; 32]>()), option::of(an_upstream()), any::<bool>());
    let files = btree_map(a_path(), (any::<u64>(), a_digest(), more), 0..5).prop_map(|files| {
        files
            .into_iter()
            .map(|(path, (size, digest, (blake3, upstream, parts)))| LockedFile {
                blake3: blake3.map(Blake3::from_bytes),
                upstream,
                parts: some_parts(size).filter(|_| parts),
                ..LockedFile::new(path, size, digest)
            })
            .collect()
    });
    (text(), text(), notes, a_digest(), files).prop_map(|(source, revision, notes, tree, files)| {
        let tree = TreeDigest::from_digest(tree);
        LockEntry { source, revision, notes, tree, line: 0, files }
    })
}

fn a_plugin() -> impl Strategy<Value = LockedPlugin> {
    let capabilities = proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=6);
    let contract = option::of("v[0-9]{1,3}(\\.[0-9]{1,3})?");
    (any::<[u32; 3]>(), a_digest(), contract, capabilities).prop_map(
        |([major, minor, patch], digest, contract, capabilities)| LockedPlugin {
            version: semver::Version::new(major.into(), minor.into(), patch.into()),
            digest,
            contract,
            capabilities: capabilities.into_iter().collect(),
            line: 0,
        },
    )
}

fn a_lock() -> impl Strategy<Value = LockFile> {
    let name = any::<String>().prop_map(|raw| ModelName::new(&format!("m{raw}")));
    let id = "[a-z][a-z0-9]{0,8}"
        .prop_map(|id| PluginId::new(&id).unwrap_or_else(|_| PluginId::new("x").unwrap()));
    let models = btree_map(name, an_entry(), 0..4);
    let registry = option::of((any::<u64>(), a_digest()));
    (models, btree_map(id, a_plugin(), 0..4), registry).prop_map(|(models, plugins, registry)| {
        let registry =
            registry.map(|(sequence, digest)| LockedRegistry { sequence, digest, line: 0 });
        LockFile { registry, models, plugins }
    })
}

/// Takes the line numbers away, which only reading a text gives.
fn without_lines(mut lock: LockFile) -> LockFile {
    for entry in lock.models.values_mut() {
        entry.line = 0;
        entry.files.iter_mut().for_each(|file| file.line = 0);
    }
    lock.plugins.values_mut().for_each(|plugin| plugin.line = 0);
    lock.registry.iter_mut().for_each(|registry| registry.line = 0);
    lock
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(lock in a_lock()) {
        let text = lock.render();
        let back = LockFile::parse(&source(&text)).expect("what is written is read");
        // Reading the written form and reading any form agree, lines included.
        prop_assert_eq!(&parse::parse(&source(&text)).expect("it is TOML"), &back);
        prop_assert_eq!(back.render(), text.clone());
        for (entry, line) in back.models.values().map(|entry| (entry, entry.line)) {
            prop_assert_eq!(text.lines().nth(line as usize - 1), Some("[[model]]"));
            for file in &entry.files {
                let line = text.lines().nth(file.line as usize - 1).expect("a line");
                prop_assert!(line.contains(&file.digest.hex()));
            }
        }
        prop_assert_eq!(without_lines(back), lock);
    }

    #[test]
    fn both_ways_of_reading_agree(lock in a_lock(), cut in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = lock.render().into_bytes();
        let at = cut.index(bytes.len());
        bytes[at] = with;
        if let Ok(text) = String::from_utf8(bytes)
            && let Some(fast) = render::read_canonical(&text)
        {
            prop_assert_eq!(parse::parse(&source(&text)).expect("it is TOML"), fast);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(mistakes) = LockFile::parse(&source(&text)) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn no_lines_make_it_panic(lines in vec(prop_oneof![
        Just("version = 1"), Just("[[model]]"), Just("[[plugin]]"), Just("[model]"), Just("file = ["),
        Just("]"), Just("  { path = \"a\", size = 1, sha256 = \"\" },"), Just("name = \"m\""),
        Just("tree = \"sha256:\""), Just("model.file.a = 1"), Just("id = 'a'"), Just("\"\"\""),
        Just("[[model.file]]"), Just("= 1"), Just("a = {"), Just("}"), Just("\\"),
    ], 0..20)) {
        let text = lines.join("\n");
        if let Err(mistakes) = LockFile::parse(&source(&text)) {
            prop_assert!(!mistakes.is_empty());
            for mistake in mistakes {
                prop_assert!(mistake.labels.iter().all(|(span, _)| span.end <= text.len()));
            }
        }
    }
}
