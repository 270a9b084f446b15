//! Registries in folders of their own: read, held to demands, changed.

#![expect(clippy::disallowed_methods, reason = "tests write their own files")]

use std::fs;
use std::path::Path;

use super::edit::{Change, change};
use super::*;
use crate::domain::digest::TreeDigest;
use crate::domain::model::ModelName;
use crate::domain::registry::Standing;

const A: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const B: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// An entry of these lines, beside those that each has.
fn entry(name: &str, lines: &str) -> String {
    format!("version = 1\nname = \"{name}\"\ndate = 2026-07-24\nreviewer = \"r\"\n{lines}\n")
}

fn approved(name: &str, tree: &str, more: &str) -> String {
    entry(name, &format!("status = \"approved\"\ntree = \"{tree}\"\n{more}"))
}

/// A folder with these entries, listed by a set.
fn folder(entries: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in entries {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let digests =
        entries.iter().map(|(file, text)| ((*file).to_owned(), Digest::of(text.as_bytes())));
    fs::write(folder.path().join(SET), set::render(3, &digests.collect())).unwrap();
    folder
}

/// Says what reading comes to: names, or the mistakes as `FILE:LINE message`.
fn show(folder: &Path) -> String {
    match read(folder, "registry/") {
        Ok(read) => read
            .entries
            .iter()
            .map(|(_, entry)| entry.name.to_string())
            .collect::<Vec<_>>()
            .join(" "),
        Err(RegistryError::Mistakes { mistakes, .. }) => {
            let show = |mistake: &Diagnostic| {
                let span = &mistake.labels[0].0;
                let line = mistake.file.line_of(span.start);
                format!("{}:{line} {}", mistake.file.path, mistake.message)
            };
            mistakes.iter().map(show).collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string().replace(&folder.display().to_string(), "DIR"),
    }
}

#[test]
fn reads_entries_and_their_mistakes() {
    let revoked = "status = \"revoked\"\nreason = \"why\"";
    let rows: &[(&[(&str, String)], &str)] = &[
        (&[], ""),
        (&[("a.toml", approved("b", A, "")), ("b.toml", approved("a", B, ""))], "a b"),
        (&[("a.toml", entry("a", revoked))], "a"),
        (
            &[("a.toml", approved("a", A, "").replace("version = 1", "version = 2"))],
            "registry/a.toml:1 this version of modelhost reads version 1 of the file",
        ),
        (&[("a.toml", "name = 1".to_owned())], "registry/a.toml:1 missing key `version`"),
        (
            &[("a.toml", "version = ".to_owned())],
            "registry/a.toml:1 string values must be quoted, expected literal string",
        ),
        (
            &[("a.toml", approved("a", A, "license = 3"))],
            "registry/a.toml:7 invalid type: integer `3`, expected a string",
        ),
        (
            &[("a.toml", approved("a", A, "licence = \"MIT\""))],
            "registry/a.toml:7 unknown field `licence`, expected one of `version`, `name`, `source`, `revision`, `license`, `status`, `reason`, `superseded-by`, `date`, `reviewer`, `tree`, `file`",
        ),
        (
            &[("a.toml", approved("a", "md5:00", ""))],
            "registry/a.toml:6 a digest starts with `sha256:`; no other algorithm is taken",
        ),
        (
            &[("a.toml", approved("a", "sha256:00", ""))],
            "registry/a.toml:6 a SHA-256 digest has 64 hex digits, this one has 2",
        ),
        (
            &[("a.toml", approved("", A, ""))],
            "registry/a.toml:2 `name` is empty, or holds what can't be seen",
        ),
        (
            &[("a.toml", entry("a", "status = \"approved\""))],
            "registry/a.toml:5 it approves nothing in particular: it has neither `tree` nor `file`",
        ),
        (
            &[("a.toml", entry("a", "status = \"revoked\""))],
            "registry/a.toml:5 it does not say why: missing key `reason`",
        ),
        (
            &[("a.toml", entry("a", "status = \"superseded\"\nreason = \"r\""))],
            "registry/a.toml:5 it does not say by what it is superseded: missing key `superseded-by`",
        ),
        (
            &[("a.toml", entry("a", "status = \"fine\""))],
            "registry/a.toml:5 there is no status `fine`; it is approved, revoked or superseded",
        ),
        (
            &[("a.toml", approved("a", A, "").replace("2026-07-24", "2026-07-24T00:00:00Z"))],
            "registry/a.toml:3 `date` is a day, such as 2026-07-24",
        ),
        (
            &[(
                "a.toml",
                approved(
                    "a",
                    A,
                    &format!("file = [{{ path = \"../x\", size = 1, sha256 = \"{}\" }}]", &A[7..]),
                ),
            )],
            "registry/a.toml:7 the path does not stay below the model, or is not written as modelhost writes it",
        ),
    ];
    for (entries, expected) in rows {
        let entries: Vec<_> = entries.iter().map(|(file, text)| (*file, text.as_str())).collect();
        assert_eq!(show(folder(&entries).path()), *expected, "{entries:?}");
    }
}

#[test]
fn finds_entries_that_contradict_each_other() {
    let from = "source = \"hf:o/n\"\nrevision = \"1\"";
    let revoked = |more: &str| format!("status = \"revoked\"\nreason = \"r\"\n{more}");
    let superseded = |by: &str, tree: &str| {
        entry(
            "",
            &format!(
                "status = \"superseded\"\nreason = \"r\"\ntree = \"{tree}\"\nsuperseded-by = \"{by}\""
            ),
        )
    };
    let named =
        |name: &str, text: String| text.replacen("name = \"\"", &format!("name = \"{name}\""), 1);
    let rows: &[(Vec<String>, &str)] = &[
        (
            vec![approved("a", A, ""), approved("a", B, "")],
            "registry/1.toml:2 `a` is the name of registry/0.toml as well",
        ),
        (
            vec![approved("a", A, from), approved("b", B, from)],
            "registry/1.toml:6 it approves other bytes than registry/0.toml does, for the same source and revision",
        ),
        (vec![approved("a", A, from), approved("b", A, from)], "a b"),
        (
            vec![approved("a", A, ""), entry("b", &revoked(&format!("tree = \"{A}\"")))],
            "registry/1.toml:5 it is revoked here, and approved in registry/0.toml, for the same tree digest",
        ),
        (
            vec![approved("a", A, from), entry("b", &revoked(from))],
            "registry/1.toml:5 it is revoked here, and approved in registry/0.toml, for the same source and revision",
        ),
        (vec![approved("a", A, ""), named("b", superseded("a", B))], "a b"),
        (
            vec![named("b", superseded("a", B))],
            "registry/0.toml:8 there is no entry `a` that could take its place",
        ),
        (
            vec![entry("a", &revoked("")), named("b", superseded("a", B))],
            "registry/1.toml:8 `a`, which is to take its place, is revoked",
        ),
        (
            vec![named("a", superseded("b", A)), named("b", superseded("a", B))],
            "registry/0.toml:8 entries take each other's place in a circle\nregistry/1.toml:8 entries take each other's place in a circle",
        ),
    ];
    for (entries, expected) in rows {
        let names: Vec<_> = (0..entries.len()).map(|n| format!("{n}.toml")).collect();
        let entries: Vec<_> =
            names.iter().zip(entries).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(show(folder(&entries).path()), *expected, "{entries:?}");
    }
}

#[test]
fn the_set_and_its_entries_must_fit() {
    let text = approved("a", A, "");
    let made = folder(&[("a.toml", &text)]);
    let path = made.path();
    assert_eq!(show(path), "a");
    fs::write(path.join("README.md"), "kept").unwrap();
    fs::write(path.join(".hidden.toml"), "kept").unwrap();
    assert_eq!(show(path), "a");
    fs::write(path.join("b.toml"), approved("b", B, "")).unwrap();
    assert_eq!(show(path), "registry/b.toml:1 the set does not list this entry");
    fs::remove_file(path.join("b.toml")).unwrap();
    fs::write(path.join("a.toml"), format!("{text}# looked at\n")).unwrap();
    let changed = show(path);
    assert!(
        changed.starts_with("registry/registry.toml:5 `a.toml` is not the listed one"),
        "{changed}"
    );
    fs::remove_file(path.join("a.toml")).unwrap();
    assert_eq!(show(path), "registry/registry.toml:5 the entry `a.toml` is not there");
    for (set, expected) in [
        ("", "registry/registry.toml:1 missing key `version`"),
        (
            "version = 9",
            "registry/registry.toml:1 this version of modelhost reads version 1 of the file",
        ),
        ("version = 1", "registry/registry.toml:1 missing field `sequence`"),
        (
            "version = 1\nsequence = 0",
            "registry/registry.toml:2 the first edition of a set has the sequence 1",
        ),
        (
            "version = 1\nsequence = -1",
            "registry/registry.toml:2 invalid value: integer `-1`, expected u64",
        ),
    ] {
        fs::write(path.join(SET), set).unwrap();
        assert_eq!(show(path), expected, "{set}");
    }
    let twice = format!(
        "version = 1\nsequence = 1\nentry = [\n{{ file = \"a.toml\", digest = \"{A}\" }},\n{{ file = \"a.toml\", digest = \"{A}\" }},\n{{ file = \"../a.toml\", digest = \"{A}\" }}]"
    );
    fs::write(path.join(SET), twice).unwrap();
    assert_eq!(
        show(path),
        "registry/registry.toml:5 the set lists this entry twice\nregistry/registry.toml:6 an entry is a file `NAME.toml` beside the set"
    );
    fs::write(path.join(SET), b"version = 1 # \xff").unwrap();
    assert_eq!(show(path), "registry/registry.toml:1 the file is not UTF-8");
    fs::remove_file(path.join(SET)).unwrap();
    assert_eq!(show(path), "can't read DIR/registry.toml");
    assert_eq!(show(&path.join("x")), "can't read DIR");
}

#[test]
fn what_is_too_much_is_not_read() {
    let made = folder(&[]);
    fs::write(made.path().join("big.toml"), vec![b'#'; 5 << 20]).unwrap();
    assert_eq!(show(made.path()), "DIR/big.toml has more than 4194304 bytes");
    fs::remove_file(made.path().join("big.toml")).unwrap();
    for n in 0..9 {
        fs::write(made.path().join(format!("{n}.toml")), vec![b'#'; 4 << 20]).unwrap();
    }
    assert_eq!(show(made.path()), "DIR has more than 33554432 bytes");
    let made = folder(&[]);
    for n in 0..=MAX_ENTRIES {
        fs::write(made.path().join(format!("{n}.toml")), "").unwrap();
    }
    assert_eq!(show(made.path()), "the registry DIR has more than 10000 entries");
}

/// Of `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`; for nothing
/// but these tests.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfWVBF8ercdqA5zlt
qda7XG4z7/4COCO9fmD8+vliBX6hRANCAASXTwwjIrcXUwSJa/r7HcZGmYoL+D7K
HY/Ayba2qQJohpb0An0YPtcDvyCyZ399ZUcwz1cuUf1CZKSPKZw1j/Hl
-----END PRIVATE KEY-----
";

/// What `openssl pkey -pubout` makes of it.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl08MIyK3F1MEiWv6+x3GRpmKC/g+
yh2PwMm2tqkCaIaW9AJ9GD7XA78gsmd/fWVHMM9XLlH9QmSkjymcNY/x5Q==
-----END PUBLIC KEY-----
";

/// The public half of a key on P-384.
const OTHER_CURVE: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEzAcw2F6gaKpRjRvGKNAEo545hfYhcKSb
RQAsCLYBrvwUz+Xy/4CrkUOm9XjEV6UeHTD1vxlxD4vouZtVI/SAt5hr3cm53pR4
6BjcGtxaZ48U5jdo/82+t9FEJFw59k3X
-----END PUBLIC KEY-----
";

fn new_entry(name: &str, tree: u8) -> RegistryEntry {
    RegistryEntry {
        name: ModelName::new(name),
        source: Some("hf:o/n".to_owned()),
        revision: Some(format!("r{tree}")),
        tree: Some(TreeDigest::from_digest(Digest::from_bytes([tree; 32]))),
        license: Some("MIT".to_owned()),
        standing: Standing::Approved,
        reason: None,
        superseded_by: None,
        date: String::new(),
        reviewer: "@sec \"x\"".to_owned(),
        digest: Digest::of(b""),
        files: Vec::new(),
    }
}

fn add(name: &str, tree: u8, replace: bool) -> Change {
    Change::Add { entry: Box::new(new_entry(name, tree)), replace }
}

fn revoke(name: &str, digest: Option<Digest>, by: Option<&str>) -> Change {
    Change::Revoke {
        name: ModelName::new(name),
        reason: "why".to_owned(),
        digest,
        superseded_by: by.map(ModelName::new),
        reviewer: Some("@rev".to_owned()),
    }
}

/// Makes a change, and says what came of it.
fn make(path: &Path, what: Change, signer: Option<&Signer>) -> String {
    match change(path, "registry", what, "2026-07-25", signer) {
        Ok(changed) => changed.lines.join("; "),
        Err(RegistryError::Mistakes { mistakes, .. }) => mistakes[0].message.clone(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn changes_keep_what_stands_around_and_count_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("registry");
    assert_eq!(
        make(path, add("a/b", 1, false), None),
        "a/b: approved by @sec \"x\"; sequence 0 -> 1"
    );
    assert_eq!(show(path), "a/b");
    let file = path.join("a-b.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("license = \"MIT\"", "# asked legal\nlicense = \"MIT\" # fine"))
        .unwrap();
    assert!(make(path, add("c", 2, false), None).contains("is not the listed one"));
    assert_eq!(make(path, Change::Seal, None), "sequence 1 -> 2");
    assert_eq!(make(path, Change::Seal, None), "");
    assert!(
        make(path, add("a/b", 1, false), None)
            .starts_with("error: there is an entry `a/b` already, approved")
    );
    assert_eq!(
        make(path, add("a-b", 2, false), None),
        "a-b: approved by @sec \"x\"; sequence 2 -> 3"
    );
    assert!(path.join("a-b-2.toml").exists());
    assert_eq!(
        make(path, revoke("a/b", Some(Digest::of(b"x")), None), None),
        format!("error: the entry `a/b` has sha256:{}, not {}", "01".repeat(32), Digest::of(b"x"))
    );
    assert_eq!(
        make(path, revoke("a/b", None, None), None),
        "a/b: approved -> revoked (why); sequence 3 -> 4"
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("# asked legal\nlicense = \"MIT\" # fine\n"), "{text}");
    assert!(
        text.contains("status = \"revoked\"\n") && text.contains("date = 2026-07-25\n"),
        "{text}"
    );
    assert_eq!(
        make(path, add("a/b", 3, true), None),
        format!(
            "a/b: was revoked, approved by @sec \"x\"; a/b: tree sha256:{} -> sha256:{}; sequence 4 -> 5",
            "01".repeat(32),
            "03".repeat(32)
        )
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("# asked legal\nlicense = \"MIT\" # fine\n") && !text.contains("reason"),
        "{text}"
    );
    assert_eq!(
        make(path, revoke("a/b", None, Some("a-b")), None),
        "a/b: approved -> superseded by a-b (why); sequence 5 -> 6"
    );
    assert_eq!(
        make(path, revoke("a-b", None, None), None),
        "`a-b`, which is to take its place, is revoked"
    );
    assert_eq!(
        make(path, revoke("x", None, None), None),
        "error: there is no entry `x`; to revoke what was never approved, name its tree digest with --digest"
    );
    assert_eq!(
        make(path, revoke("x", Some(Digest::of(b"x")), None), None),
        "x: revoked (why); sequence 6 -> 7"
    );
    assert_eq!(show(path), "a-b a/b x");
}

#[test]
fn signatures_are_held_to_the_pinned_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("registry");
    let signer = Signer::from_pem(KEY).unwrap();
    let key = Key::from_pem(PUBLIC).unwrap();
    assert_eq!(signer.public().unwrap().id(), key.id());
    let hold = |demands: Demands| match read(path, "registry").unwrap().hold_to(&demands) {
        Ok(registry) => {
            format!("sequence {}, signed {}", registry.set.sequence, registry.set.signed)
        }
        Err(error) => error.to_string().rsplit_once("trusted: ").unwrap().1.to_owned(),
    };
    let keys = || Demands { keys: vec![key.clone()], ..Demands::default() };
    make(path, add("a", 1, false), None);
    assert_eq!(hold(Demands::default()), "sequence 1, signed false");
    assert_eq!(
        hold(keys()),
        "it is not signed: there is no registry.toml.sig, and the policy pins a key"
    );
    assert_eq!(make(path, Change::Seal, Some(&signer)), format!("signed by {}", key.id()));
    assert_eq!(hold(keys()), "sequence 1, signed true");
    assert_eq!(read(path, "registry").unwrap().signed_by().unwrap(), [key.id()]);
    let signed = fs::read_to_string(path.join(SIGNATURE)).unwrap();
    // Another set under the same signature.
    assert!(
        make(path, add("b", 2, false), None)
            .ends_with("the signature is gone: it was over the set before")
    );
    fs::write(path.join(SIGNATURE), &signed).unwrap();
    let refused =
        format!("no signature over the set as it is was made by a pinned key ({})", key.id());
    assert_eq!(hold(keys()), refused);
    make(path, Change::Seal, Some(&signer));
    assert_eq!(hold(keys()), "sequence 2, signed true");
    // The fingerprint is a hint; a signature of nobody counts for nothing.
    let good = fs::read_to_string(path.join(SIGNATURE)).unwrap();
    fs::write(path.join(SIGNATURE), good.replace(key.id(), "sha256:00")).unwrap();
    assert_eq!(hold(keys()), "sequence 2, signed true");
    for (text, expected) in [
        (good.replace("\"sig\": \"M", "\"sig\": \"N"), refused.clone()),
        (good.replace("\"sig\": \"", "\"sig\": \"~"), refused.clone()),
        (
            good.replace("registry.v1", "registry.v2"),
            "its signatures are over something else than a registry".to_owned(),
        ),
        (
            "{".to_owned(),
            "its signatures can't be read: EOF while parsing an object at line 1 column 1"
                .to_owned(),
        ),
    ] {
        fs::write(path.join(SIGNATURE), &text).unwrap();
        assert_eq!(hold(keys()), expected, "{text}");
    }
    fs::write(path.join(SIGNATURE), good).unwrap();
    let digest = read(path, "registry").unwrap().digest();
    let pin = |pin| Demands { pin: Some(pin), ..keys() };
    assert_eq!(hold(pin(digest)), "sequence 2, signed true");
    assert_eq!(
        hold(pin(Digest::of(b""))),
        format!("the set is {digest}, and {} is pinned", Digest::of(b""))
    );
    let least = |least| Demands { min_sequence: Some(least), ..keys() };
    assert_eq!(hold(least(2)), "sequence 2, signed true");
    assert_eq!(hold(least(3)), "its sequence is 2, and the policy asks for 3 at least");
}

#[test]
fn keys_of_another_kind_are_refused() {
    for pem in ["", "-----BEGIN PUBLIC KEY-----", KEY, OTHER_CURVE] {
        assert_eq!(Key::from_pem(pem).unwrap_err(), KeyError::Public, "{pem}");
    }
    for pem in ["", PUBLIC, OTHER_CURVE, "-----BEGIN EC PRIVATE KEY-----"] {
        assert_eq!(Signer::from_pem(pem).unwrap_err(), KeyError::Private, "{pem}");
    }
    assert_eq!(format!("{:?}", Signer::from_pem(KEY).unwrap()), "Signer");
}
