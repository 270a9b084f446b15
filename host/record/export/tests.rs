//! What is written of small locks, byte for byte, and what can't be.

use super::*;
use crate::domain::digest::{Blake3, Digest, TreeDigest};
use crate::domain::model::{LockNotes, LockedFile};
use crate::domain::upstream::Upstream;

fn entry(files: &[(&[u8], &[u8])]) -> LockEntry {
    let file = |(path, content): &(&[u8], &[u8])| {
        LockedFile::new(FilePath::from_bytes(path), content.len() as u64, Digest::of(content))
    };
    let mut files: Vec<LockedFile> = files.iter().map(file).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    LockEntry {
        source: Some("hf:org/name".to_owned()),
        revision: Some("ab".repeat(20)),
        notes: LockNotes::default(),
        tree: TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest))),
        line: 1,
        files,
    }
}

fn write_one(format: Format, entry: &LockEntry) -> Result<String, ExportError> {
    let name = ModelName::new("m");
    let exported = Exported { name: &name, place: "models/m", entry, license: Some("MIT") };
    let bytes = write(format, &[exported], None)?;
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

#[test]
fn names_are_escaped_as_sha256sum_does() {
    let entry = entry(&[(b"a", b"1"), (b"b\\c\nd\re", b"2"), (b"-", b"3"), (b" *e", b"4")]);
    let text = write_one(Format::Sha256Sums, &entry).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let start = line.find("  ").expect("two spaces");
            format!("{}…{}", if line.starts_with('\\') { "\\" } else { "" }, &line[start..])
        })
        .collect();
    assert_eq!(lines, ["…   *e", "…  ./-", "…  a", "\\…  b\\\\c\\nd\\re"]);
}

#[test]
fn statements_are_in_the_order_of_code_points_and_leave_git_out() {
    let files: [(&[u8], &[u8]); 6] = [
        (b"a-b/x", b"1"),
        (b"a/b", b"2"),
        (b".gitattributes", b"3"),
        (b".github/w.yml", b"4"),
        (b"model.sig", b"5"),
        ("é".as_bytes(), b"6"),
    ];
    let text = write_one(Format::Oms, &entry(&files)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let resources = value["predicate"]["resources"].as_array().unwrap();
    let names: Vec<&str> = resources.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a-b/x", "a/b", "é"]);
    let raw: Vec<u8> =
        [b"1", b"2", b"6"].iter().flat_map(|bytes| *Digest::of(*bytes).as_bytes()).collect();
    assert_eq!(value["subject"][0]["digest"]["sha256"], Digest::of(&raw).hex());
    assert_eq!(value["subject"][0]["name"], "m");
    let error = write_one(Format::Oms, &entry(&[(b"a\xff", b"1")])).unwrap_err();
    assert_eq!(error.to_string(), "oms names files in UTF-8, and `a\\xff` is none");
    let error = write_one(Format::Oms, &entry(&[(b".gitignore", b"1")])).unwrap_err();
    assert_eq!(error.to_string(), "oms would list no file of m");
}

#[test]
fn a_bill_of_materials_repeats() {
    let mut entry = entry(&[(b"w.safetensors", b"1")]);
    entry.notes.base = vec![format!("hf:org/base@{}", "cd".repeat(20))];
    entry.notes.license = Some("Apache-2.0".to_owned());
    entry.files[0].blake3 = Some(Blake3::from_bytes([0xb3; 32]));
    entry.files[0].upstream = Some(Upstream::LfsSha256);
    let text = write_one(Format::CycloneDx, &entry).unwrap();
    assert_eq!(write_one(Format::CycloneDx, &entry).unwrap(), text);
    insta::assert_snapshot!("cyclonedx", text);
    entry.files[0].size = 2;
    let other = write_one(Format::CycloneDx, &entry).unwrap();
    let serial = |text: &str| text.lines().find(|line| line.contains("serial")).map(str::to_owned);
    assert_ne!(serial(&other), serial(&text), "another content, another number");
}

#[test]
fn licenses_are_told_apart() {
    let rows = [
        (None, None, "-"),
        (Some("MIT"), None, "expression declared MIT"),
        (None, Some("MIT"), "expression concluded MIT"),
        (Some("MIT"), Some("MIT"), "expression concluded MIT"),
        (Some("MIT"), Some("Apache-2.0"), "named declared MIT, named concluded Apache-2.0"),
    ];
    for (declared, concluded, expected) in rows {
        let mut entry = entry(&[(b"w", b"1")]);
        entry.notes.license = concluded.map(str::to_owned);
        let name = ModelName::new("m");
        let exported = Exported { name: &name, place: "m", entry: &entry, license: declared };
        let bytes = write(Format::CycloneDx, &[exported], None).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let show = |one: &serde_json::Value| match one["expression"].as_str() {
            Some(text) => {
                format!("expression {} {text}", one["acknowledgement"].as_str().unwrap())
            }
            None => {
                let license = &one["license"];
                let text = |key: &str| license[key].as_str().unwrap().to_owned();
                format!("named {} {}", text("acknowledgement"), text("name"))
            }
        };
        let licenses = value["components"][0]["licenses"].as_array();
        let shown = licenses.map(|all| all.iter().map(show).collect::<Vec<_>>().join(", "));
        assert_eq!(shown.unwrap_or("-".to_owned()), expected);
    }
}
