//! What differs, as rows: the change, and what is told of it.

use super::*;
use crate::domain::digest::{Blake3, TreeDigest};
use crate::domain::model::{FilePath, LockEntry, LockNotes, LockedFile, ModelName};
use crate::record::lock::LockFile;

fn file(content: &str) -> FileState {
    let digest = Digest::of(content.as_bytes());
    FileState { size: content.len() as u64, digest, values: Values::new() }
}

fn model(files: &[(&str, &str)]) -> ModelState {
    let files = files.iter().map(|(path, content)| ((*path).to_owned(), file(content)));
    ModelState { files: files.collect(), ..ModelState::default() }
}

fn told(old: ModelState, new: ModelState) -> String {
    let (old, new) = (State::of_model("m", old), State::of_model("m", new));
    let comparison = compare(&old, &new, Extent::All);
    assert_eq!(comparison.is_same(), text(&comparison).is_empty());
    let json: serde_json::Value = serde_json::from_str(&json(&comparison)).unwrap();
    assert_eq!(json["same"], comparison.is_same());
    text(&comparison)
}

fn first_line(old: &[(&str, &str)], new: &[(&str, &str)]) -> String {
    told(model(old), model(new)).lines().next().unwrap_or_default().to_owned()
}

const WEIGHTS: (&str, &str) = ("model.safetensors", "weights");

#[test]
fn a_model_is_told_in_a_few_words() {
    let readme = ("README.md", "# M");
    type Files<'f> = &'f [(&'f str, &'f str)];
    let rows: [(Files<'_>, Files<'_>, &str); 11] = [
        (&[WEIGHTS], &[WEIGHTS], ""),
        (
            &[WEIGHTS, readme],
            &[WEIGHTS, ("README.md", "# N")],
            "~ model m: same weights, README.md changed",
        ),
        (&[WEIGHTS], &[WEIGHTS, readme], "~ model m: same weights, README.md added"),
        (&[WEIGHTS, readme], &[WEIGHTS], "~ model m: same weights, README.md removed"),
        (
            &[WEIGHTS, readme],
            &[WEIGHTS, ("CARD.md", "# M")],
            "~ model m: same weights, CARD.md renamed",
        ),
        (&[WEIGHTS], &[("model.safetensors", "others")], "~ model m: model.safetensors changed"),
        (&[WEIGHTS], &[("other.safetensors", "weights")], "~ model m: other.safetensors renamed"),
        (&[WEIGHTS], &[("weights.txt", "weights")], "~ model m: weights.txt renamed"),
        (
            &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")],
            &[],
            "~ model m: a, b, c and 2 more removed",
        ),
        (&[("a", ""), ("b", "")], &[("c", "")], "~ model m: a, b, c changed"),
        (
            &[("tokenizer.JSON", "{}"), ("LICENSE", "MIT")],
            &[("tokenizer.JSON", "[]"), ("LICENSE", "X")],
            "~ model m: same weights, LICENSE, tokenizer.JSON changed",
        ),
    ];
    for (old, new, expected) in rows {
        assert_eq!(first_line(old, new), expected);
    }
}

#[test]
fn the_same_bytes_are_renamed_once_each() {
    let old = model(&[("a", "x"), ("b", "x"), ("c", "y")]);
    let new = model(&[("d", "x"), ("e", "x"), ("f", "x"), ("c", "z")]);
    let lines = told(old, new);
    let lines: Vec<&str> = lines.lines().skip(1).collect();
    assert_eq!(lines[1..], ["    > a -> d", "    > b -> e", lines[3]]);
    assert!(
        lines[0].starts_with("    ~ c  1 bytes, sha256:") && lines[3].starts_with("    + f  1 ")
    );
}

fn tensor(name: &str, bytes: &str) -> Tensor {
    let digest = Digest::of(bytes.as_bytes());
    Tensor { name: name.to_owned(), dtype: "BF16".to_owned(), shape: vec![2, 3], digest }
}

fn with_tensors(mut model: ModelState, shared: usize, own: Vec<Tensor>) -> ModelState {
    model.tensors = Some(Tensors { shared, own });
    model
}

#[test]
fn tensors_are_told_by_name() {
    let (old, new) = (model(&[WEIGHTS]), model(&[("model.safetensors", "others")]));
    let before = vec![tensor("a", "1"), tensor("b", "2"), tensor("c", "3")];
    let mut after = vec![tensor("a", "1"), tensor("b", "9"), tensor("d", "4")];
    after[1].shape = vec![6];
    let lines = told(
        with_tensors(old.clone(), 288, before.clone()),
        with_tensors(new.clone(), 288, after.clone()),
    );
    insta::assert_snapshot!(lines, @r"
    ~ model m: 3 of 292 tensors differ: b, c, d
        ~ model.safetensors  7 -> 6 bytes, sha256:9a129038d9a0… -> sha256:01db91d06032…
        ~ tensor b  BF16 [2, 3] -> BF16 [6]
        - tensor c  BF16 [2, 3]
        + tensor d  BF16 [2, 3]
    ");
    // The same tensors in another order or file are the same weights.
    after = vec![before[2].clone(), before[0].clone(), before[1].clone()];
    let lines = told(with_tensors(old.clone(), 0, before), with_tensors(new.clone(), 0, after));
    assert!(lines.starts_with("~ model m: same weights in other files, model.safetensors changed"));
    // A name that stands in two files is two tensors.
    let twice = || vec![tensor("a", "1"), tensor("a", "2")];
    let lines = told(
        with_tensors(old.clone(), 0, twice()),
        with_tensors(new.clone(), 0, vec![tensor("a", "1")]),
    );
    assert!(lines.starts_with("~ model m: 1 of 1 tensor differs: a"), "{lines}");
    // Weights in a format that nobody reads here are not called the same.
    let lines = told(with_tensors(old, 0, vec![]), with_tensors(new, 0, vec![]));
    assert!(lines.starts_with("~ model m: model.safetensors changed"));
}

#[test]
fn a_fingerprint_tells_where_tensors_are_not_known() {
    let with = |model: ModelState, tensors: &str| {
        let values = Values::from([("tensors".to_owned(), tensors.to_owned())]);
        ModelState { values, ..model }
    };
    let (old, new) = (model(&[WEIGHTS]), model(&[("model.safetensors", "others")]));
    let lines = told(with(old.clone(), "mt1:a"), with(new.clone(), "mt1:a"));
    assert!(lines.starts_with("~ model m: same weights in other files, model.safetensors changed"));
    let lines = told(with(old, "mt1:a"), with(new, "mt1:b"));
    assert!(lines.starts_with("~ model m: other weights, model.safetensors changed"), "{lines}");
}

fn lock() -> LockFile {
    let mut files = vec![
        LockedFile::new(FilePath::from_bytes(b"README.md"), 3, Digest::of(b"# M")),
        LockedFile::new(FilePath::from_bytes(b"model.gguf"), 7, Digest::of(b"weights")),
    ];
    files[1].blake3 = Some(Blake3::from_bytes([3; 32]));
    let entry = LockEntry {
        source: Some("hf:org/m".to_owned()),
        revision: Some("0".repeat(40)),
        notes: LockNotes { license: Some("MIT".to_owned()), ..LockNotes::default() },
        tree: TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest))),
        line: 4,
        files,
    };
    LockFile { models: BTreeMap::from([(ModelName::new("m"), entry)]), ..LockFile::default() }
}

#[test]
fn locks_are_compared_by_all_they_say() {
    let old = lock();
    assert!(compare(&State::of_lock(&old), &State::of_lock(&old), Extent::All).is_same());
    let mut new = lock();
    let entry = new.models.get_mut(&ModelName::new("m")).unwrap();
    entry.line = 7; // where it stands is no difference
    entry.revision = Some("1".repeat(40));
    entry.notes.license = None;
    entry.notes.requested = Some("v1".to_owned());
    entry.files[1].blake3 = None;
    let twin = entry.clone();
    new.models.insert(ModelName::new("n"), twin);
    let comparison = compare(&State::of_lock(&old), &State::of_lock(&new), Extent::All);
    insta::assert_snapshot!(text(&comparison), @r"
    ~ model m: same files, other notes on them
        - license  MIT
        + requested  v1
        ~ revision  0000000000000000000000000000000000000000 -> 1111111111111111111111111111111111111111
        ~ model.gguf
            - blake3  030303030303030303030303030303030303030303030303030303030303…
    + model n: 2 files
    ");
    // With a folder, what only a lock file notes is no difference.
    let folder = model(&[("README.md", "# M"), ("model.gguf", "weights")]);
    let (lock, folder) = (State::of_lock(&old), State::of_model("m", folder));
    assert!(compare(&lock, &folder, Extent::Common).is_same());
    assert!(!compare(&lock, &folder, Extent::All).is_same());
}

#[test]
fn long_lists_are_cut_for_people_and_whole_as_json() {
    let names: Vec<String> = (0..50).map(|n| format!("part-{n:02}.bin")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let (old, new) = (State::of_model("m", model(&[])), State::of_model("m", model(&files)));
    let comparison = compare(&old, &new, Extent::All);
    let said = text(&comparison);
    assert_eq!(said.lines().count(), 22);
    assert!(said.ends_with("      and 30 more files\n"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&json(&comparison)).unwrap();
    assert_eq!(json["models"][0]["files"].as_array().unwrap().len(), 50);
    assert!(jsonschema::draft202012::new(&json_schema()).unwrap().is_valid(&json));
}
