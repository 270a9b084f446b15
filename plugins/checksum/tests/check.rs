//! The whole check on models in memory, and its rules against the manifest.

use modelhost_check::testing::{self, Lock, Model};
use modelhost_check::{Answer, Definition, Failure, Finding, MAX_FINDINGS};
use modelhost_plugin_checksum::{Checksum, report};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n";

fn hex(content: &str) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(model: &Model) -> Answer {
    let answer = testing::check::<Checksum>(model, json!({})).expect("the check did its work");
    testing::manifest(include_str!("../plugin.toml")).assert_kept(model, &answer);
    answer
}

/// Shows the findings as `rule path:line`, with `(lfs)` where the help says to pull.
fn findings(model: &Model) -> String {
    let show = |finding: &Finding| {
        let place = finding.location.file.as_deref().unwrap_or("-");
        let line = finding.location.line.map(|line| format!(":{line}")).unwrap_or_default();
        let help = finding.help.as_deref().unwrap_or_default();
        let pull = if help.contains("git lfs pull") { " (lfs)" } else { "" };
        format!("{} {place}{line}{pull}", finding.rule.name())
    };
    run(model).findings().iter().map(show).collect::<Vec<_>>().join(", ")
}

fn facts(model: &Model) -> String {
    let Answer::Checked(observations) = run(model) else { panic!("not checked") };
    let facts: Vec<_> =
        observations.facts().iter().map(|fact| format!("{}={}", fact.key, fact.value)).collect();
    facts.join(" ")
}

fn model() -> Model {
    Model::new("bert").file("a.bin", "aaaa").file("sub/b.bin", "bb").file("sub/empty", "")
}

#[test]
fn rules_are_documented() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    manifest.assert_rules(&report::RULES);
    manifest.assert_documented(include_str!("../RULES.md"));
}

#[test]
fn against_the_lock() {
    let locked = || model().lock_as_is();
    let revision = |revision: &str| Definition {
        source: Some("hf:org/bert".into()),
        revision: Some(revision.into()),
        ..Definition::default()
    };
    let rows = [
        (locked(), ""),
        (model(), "not-locked -"),
        (Model::new("none"), "not-locked -"),
        (Model::new("none").lock_as_is(), ""),
        (locked().replace("a.bin", "aaab"), "digest-mismatch a.bin"),
        (locked().replace("a.bin", "aaaaa"), "size-mismatch a.bin"),
        (locked().replace("a.bin", ""), "size-mismatch a.bin"),
        (locked().replace("a.bin", POINTER), "lfs-pointer a.bin (lfs)"),
        (locked().without("sub/b.bin"), "missing-file sub/b.bin"),
        (locked().file("sub/c.py", "x"), "extra-file sub/c.py"),
        (locked().file("SHA256SUMS", ""), "extra-file SHA256SUMS"),
        (locked().without("a.bin").file("A.bin", "aaaa"), "renamed-file A.bin"),
        (locked().file("A.bin", "aaaa"), "extra-file A.bin, case-collision a.bin"),
        (
            locked().without("sub/empty").file("sub/void", ""),
            "missing-file sub/empty, extra-file sub/void",
        ),
        (
            locked().replace("a.bin", "bb").replace("sub/b.bin", "aaaa"),
            "size-mismatch a.bin, size-mismatch sub/b.bin",
        ),
        (
            model().lock(Lock::new().bytes("a.bin", b"aaaa").tree([7; 32])),
            "lock-edited -, extra-file sub/b.bin, extra-file sub/empty",
        ),
        (model().definition(revision("1")).lock_as_is().definition(revision("1")), ""),
        (model().definition(revision("1")).lock_as_is().definition(revision("2")), "lock-stale -"),
        (locked().definition(revision("1")), "lock-stale -, lock-stale -"),
        (model().definition(revision("1")).lock_as_is().definition(Definition::default()), ""),
    ];
    for (model, expected) in rows {
        assert_eq!(findings(&model), expected, "{model:?}");
    }
}

#[test]
fn against_lists() {
    let sums = |content: String| model().file("SHA256SUMS", content).lock_as_is();
    let (a, b) = (hex("aaaa"), hex("bb"));
    let rows = [
        (sums(format!("{a}  a.bin\n{b} *sub/b.bin\nSHA256 (sub/empty) = {}\n", hex(""))), ""),
        (sums(format!("{b}  a.bin\n")), "sidecar-mismatch a.bin"),
        (sums(format!("{a}  a.bin\n\n{a}  gone.bin\n")), "sidecar-missing-file SHA256SUMS:3"),
        (sums(format!("{a}  ../a.bin\nwhat\n")), "sidecar-malformed SHA256SUMS:1"),
        (
            sums(format!("{}  a.bin\nwhat\n", &a[..32])),
            "sidecar-malformed SHA256SUMS:2, sidecar-unsupported SHA256SUMS:1",
        ),
        (sums(format!("{a}  a.bin\n{b}  a.bin\n")), "sidecar-mismatch a.bin"),
        (sums(String::new()), ""),
        (sums("\0\u{1}\u{7f}".into()), "sidecar-malformed SHA256SUMS:1"),
        (model().file("sub/b.bin.sha256", b.clone()).lock_as_is(), ""),
        (model().file("sub/b.bin.sha256", a.clone()).lock_as_is(), "sidecar-mismatch sub/b.bin"),
        (model().file("c.sha256", a.clone()).lock_as_is(), "sidecar-missing-file c.sha256:1"),
        (model().file("sub/CHECKSUMS", format!("{b}  b.bin\n{a}  ../a.bin\n")).lock_as_is(), ""),
        (
            sums(format!("{a}  a.bin\n")).replace("a.bin", POINTER).lock_as_is(),
            "lfs-pointer a.bin (lfs)",
        ),
        (sums(format!("{}  a.bin\n", &a[..32])), "hash-weak SHA256SUMS:1"),
        (
            model().file("MD5SUMS", format!("{}  a.bin\n", &a[..32])).lock_as_is(),
            "hash-weak MD5SUMS:1",
        ),
        (model().file("a.bin.md5", &a[..32]).lock_as_is(), "hash-weak a.bin.md5:1"),
        (
            model()
                .file("x\\\\y", "x")
                .file("SHA256SUMS", format!("\\{}  x\\\\y\n", hex("x")))
                .lock_as_is(),
            "path-unsafe x\\\\y",
        ),
        (
            model().sparse_file::<&str>("SHA256SUMS", (4 << 20) + 1, []).lock_as_is(),
            "sidecar-malformed SHA256SUMS",
        ),
    ];
    for (model, expected) in rows {
        assert_eq!(findings(&model), expected, "{model:?}");
    }
}

#[test]
fn states_facts() {
    assert_eq!(facts(&model()), "files=3");
    // The tree digest of the lock that `testing` makes is its own computation.
    let lock = model().lock_as_is().view().lock().expect("it was locked");
    let tree: String = lock.tree.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(facts(&model().lock_as_is()), format!("files=3 locked-files=3 tree=sha256:{tree}"));
    assert_eq!(facts(&model().lock_as_is().without("a.bin")), "files=2 locked-files=3");
    let listed = model().file("SHA256SUMS", format!("{}  a.bin\n{}  x\n", hex("aaaa"), hex("x")));
    assert_eq!(facts(&listed), "files=4 sidecar-files=1");
}

#[test]
fn an_unreadable_file_is_no_answer() {
    for model in [model().unreadable("a.bin"), model().file("SHA256SUMS", "").changed("SHA256SUMS")]
    {
        let failure = testing::check::<Checksum>(&model, json!({})).expect_err("it can't be read");
        assert!(matches!(failure, Failure::Unreadable(_)), "{failure}");
    }
    let failure = testing::check::<Checksum>(&model(), json!({ "x": 1 })).expect_err("no such key");
    assert!(matches!(failure, Failure::InvalidSettings(_)), "{failure}");
}

#[test]
fn a_flood_of_findings_stays_within_the_bounds_and_shows_the_worst() {
    let lines: String = (0..5000).map(|n| format!("{}  gone{n}\n", hex("x"))).collect();
    let model = model().file("SHA256SUMS", lines + &format!("{}  a.bin\n", hex("x")));
    let answer = run(&model);
    assert_eq!(answer.findings().len(), MAX_FINDINGS);
    assert!(answer.findings().iter().any(|finding| finding.rule.name() == "sidecar-mismatch"));
}

/// A safetensors file of tensors of 64 bytes each.
fn safetensors(names: &[&str]) -> Vec<u8> {
    let tensors: Vec<_> = (0..names.len())
        .map(|n| {
            let (name, from, to) = (names[n], 64 * n, 64 * (n + 1));
            format!(r#""{name}":{{"dtype":"U8","shape":[64],"data_offsets":[{from},{to}]}}"#)
        })
        .collect();
    let mut header = format!("{{{}}}", tensors.join(","));
    header.push_str(&" ".repeat(header.len().next_multiple_of(64) + 56 - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + 64 * names.len(), 7);
    bytes
}

/// A GGUF file of tensors of 64 bytes each.
fn gguf(names: &[&str]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((names.len() as u64).to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    for (n, name) in names.iter().enumerate() {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(64_u64.to_le_bytes());
        bytes.extend(24_u32.to_le_bytes());
        bytes.extend((64 * n as u64).to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(64) + 64 * names.len(), 7);
    bytes
}

#[test]
fn a_difference_is_narrowed_to_bytes_and_tensors() {
    let told = |bytes: &[u8], parts: usize, flip: &[usize]| {
        let mut changed = bytes.to_vec();
        flip.iter().for_each(|at| changed[*at] ^= 1);
        let model = Model::new("m").file("w", changed);
        let lock = match parts {
            0 => Lock::new().bytes("w", bytes),
            parts => Lock::new().parts("w", bytes, parts),
        };
        let answer = run(&model.lock(lock));
        let finding = answer.findings().first().expect("it differs").clone();
        let message = finding.message.split_once("; it differs ").map(|(_, told)| told.to_owned());
        (message.unwrap_or_default(), finding.location.offset)
    };
    let file = safetensors(&["a", "b", "c"]);
    let data = file.len() - 192;
    assert_eq!(told(&file, 0, &[data]), (String::new(), None));
    let at = |n: usize| (data + 64 * n) as u64;
    let rows = [
        (vec![data + 70], format!("within bytes {} to {}: the tensor `b`", at(1), at(2)), at(1)),
        (
            vec![data, data + 191],
            format!(
                "within bytes {} to {}, {} to {}: 2 tensors: `a`, `c`",
                at(0),
                at(1),
                at(2),
                at(3)
            ),
            at(0),
        ),
        (
            vec![data + 63, data + 64],
            format!("within bytes {} to {}: 2 tensors: `a`, `b`", at(0), at(2)),
            at(0),
        ),
        (vec![10], "within bytes 0 to 64: the header".to_owned(), 0),
    ];
    for (flip, message, offset) in rows {
        assert_eq!(told(&file, 64, &flip), (message, Some(offset)), "{flip:?}");
    }
    let file = gguf(&["x", "y"]);
    let y = file.len() - 64;
    assert_eq!(
        told(&file, 64, &[y + 5]),
        (format!("within bytes {y} to {}: the tensor `y`", file.len()), Some(y as u64))
    );
    let text = [b'x'; 300];
    assert_eq!(told(&text, 100, &[299]), ("within bytes 200 to 300".to_owned(), Some(200)));
}

#[test]
fn parts_of_another_file_tell_nothing() {
    let lock = Lock::new().parts("w", &[1; 100], 10).bytes("w", &[2; 300]);
    let model = Model::new("m").file("w", [3; 300]).lock(lock);
    let answer = run(&model);
    assert!(!answer.findings()[0].message.contains("it differs within"));
}

#[test]
fn shards_are_held_to_their_index() {
    let (one, two) = ("m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors");
    let index = |total: u64, map: &str| {
        format!(r#"{{"metadata":{{"total_size":{total}}},"weight_map":{{{map}}}}}"#)
    };
    let map = format!(r#""a":"{one}","b":"{one}","c":"{two}""#);
    let model = |index: String| {
        Model::new("m")
            .file("x/m.safetensors.index.json", index)
            .file(format!("x/{one}"), safetensors(&["a", "b"]))
            .file(format!("x/{two}"), safetensors(&["c"]))
            .lock_as_is()
    };
    let told = |model: Model| {
        let answer = run(&model);
        let show = |it: &Finding| format!("{} {}", it.rule.name(), it.message);
        answer.findings().iter().map(show).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(told(model(index(192, &map))), "");
    assert_eq!(
        told(model(index(193, &map))),
        "index-inconsistent it says that all tensors have 193 bytes, and they have 192"
    );
    assert_eq!(
        told(model(index(192, &map.replace("\"c\"", "\"d\"")))),
        format!(
            "index-inconsistent it says that `{two}` holds the tensor `d`, and it does not; index-inconsistent `{two}` holds the tensor `c`, which it does not name there"
        )
    );
    assert_eq!(
        told(model("{".into())),
        "index-inconsistent it is no index of shards that can be read"
    );
    let unlocked = model(index(192, &map)).without(&format!("x/{two}")).lock_as_is();
    assert_eq!(
        told(unlocked),
        format!("index-inconsistent it names the shard `{two}`, which is not there")
    );
    let none = model(index(192, &map)).without(&format!("x/{one}")).without(&format!("x/{two}"));
    assert_eq!(
        told(none.lock_as_is()),
        "index-inconsistent none of the 2 shards that it names is there"
    );
}

#[test]
fn names_that_mislead_are_told() {
    let rows = [
        (Model::new("m").file("caf\u{e9}", "1").file("cafe\u{301}", "2"), "unicode-collision"),
        (Model::new("m").file("R", "1").file("r", "2"), "case-collision"),
        (Model::new("m").file("a\\u{202e}b", "1"), "path-unsafe"),
    ];
    for (model, rule) in rows {
        let model = model.lock_as_is();
        let answer = run(&model);
        let rules: Vec<_> = answer.findings().iter().map(|it| it.rule.name()).collect();
        assert_eq!(rules, [rule], "{model:?}");
    }
}
