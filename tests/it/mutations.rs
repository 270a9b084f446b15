//! Twelve kinds of mutation × every format that claims are imported from: each is
//! found, by the rule that names it.
//!
//! A model is imported and locked, mutated, and then held against the lock file
//! (`run --locked`, or `lock --check` where the lock file alone was touched), and
//! against the claims again (`lock --from --check`).

pub(crate) mod made;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::command::Place;
use made::{FORMATS, Made};

/// What is done to a model or its lock file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mutation {
    Content,
    Size,
    Name,
    Added,
    Removed,
    Swapped,
    Link,
    CaseTwin,
    TruncatedShard,
    ReorderedLock,
    EditedDigest,
    MovedRevision,
}

use Mutation as M;

/// What has to be said, and what is exited with.
#[derive(Clone, Copy)]
enum Expect {
    /// That, with 1.
    Denied(&'static str),
    /// That, with 2: the claims themselves can't be read any more.
    Refused(&'static str),
    /// Nothing: this place has no way to see it, because of that.
    Blind(&'static str),
}

use Expect::{Blind, Denied, Refused};

/// Each mutation, by what the lock file finds it.
const MUTATIONS: [(&str, M, Expect); 12] = [
    ("content", M::Content, Denied("[checksum/digest-mismatch]")),
    ("size", M::Size, Denied("[checksum/size-mismatch]")),
    ("name", M::Name, Denied("[checksum/renamed-file]")),
    ("added", M::Added, Denied("[checksum/extra-file]")),
    ("removed", M::Removed, Denied("[checksum/missing-file]")),
    ("swapped", M::Swapped, Denied("[checksum/digest-mismatch]")),
    ("link", M::Link, Denied("[gate/link-outside]")),
    ("case twin", M::CaseTwin, Denied("[checksum/extra-file]")),
    ("truncated shard", M::TruncatedShard, Denied("[checksum/size-mismatch]")),
    ("reordered lock", M::ReorderedLock, Denied("not in the form that `modelhost lock` writes")),
    ("edited digest", M::EditedDigest, Denied("[checksum/lock-edited]")),
    ("moved revision", M::MovedRevision, Denied("[checksum/lock-stale]")),
];

/// By what the claims of `format` find a mutation.
fn claimed(format: &str, mutation: M) -> Expect {
    let has_sizes = matches!(format, "oci" | "ollama");
    match (mutation, format) {
        (M::ReorderedLock | M::EditedDigest, _) => {
            Blind("the claims are no part of the lock file; an import writes it anew")
        }
        (M::MovedRevision, "dvc" | "sums" | "oms") => Blind("this format claims no revision"),
        (M::MovedRevision, _) => Denied("checksum/lock-stale: the policy asks for the revision"),
        // The links of a snapshot are the claim: what they are called, the lock knows.
        (M::Name | M::Removed, "hf-cache") => Denied("config.json"),
        (M::Link, "hf-cache") => Refused("and not to a file in `blobs`"),
        (M::Content | M::Swapped, _) => Denied("checksum/digest-mismatch: "),
        (M::Size | M::TruncatedShard, _) if has_sizes => Denied("checksum/size-mismatch: "),
        (M::Size | M::TruncatedShard, _) => Denied("checksum/digest-mismatch: "),
        (M::Name | M::Removed, _) => Denied("checksum/missing-file: "),
        (M::Added, _) => Denied("checksum/extra-file: "),
        (M::Link, _) => Denied("gate/link-outside: "),
        (M::CaseTwin, _) => Denied("checksum/case-collision: "),
    }
}

/// Changes the bytes of a file where they are, through links.
fn change(path: &Path, by: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    by(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

fn mutate(mutation: M, place: &Place, made: &Made) {
    let at = |index: usize| made::path(place, made, &made.files[index]);
    let (first, second, small) = (at(0), at(1), at(2));
    let beside = |name: &str| small.with_file_name(name);
    match mutation {
        M::Content => change(&first, |bytes| *bytes.last_mut().expect("a byte") ^= 1),
        M::Size => change(&first, |bytes| bytes.push(0)),
        M::Name => fs::rename(&small, beside("renamed")).expect("renamed"),
        M::Added => fs::write(beside("added.py"), "import os\n").expect("a file"),
        M::Removed => fs::remove_file(&small).expect("removed"),
        M::Swapped => {
            let (one, two) =
                (fs::read(&first).expect("a file"), fs::read(&second).expect("a file"));
            change(&first, |bytes| *bytes = two);
            change(&second, |bytes| *bytes = one);
        }
        M::Link => {
            let outside = place.path().join("outside");
            fs::copy(&small, &outside).expect("a copy");
            fs::remove_file(&small).expect("removed");
            std::os::unix::fs::symlink(outside, &small).expect("a link");
        }
        M::CaseTwin => {
            let name = small.file_name().expect("a name").to_str().expect("UTF-8");
            let twin = name.to_uppercase();
            assert_ne!(name, twin);
            fs::write(beside(&twin), fs::read(&small).expect("a file")).expect("a file");
        }
        M::TruncatedShard => change(&second, |bytes| bytes.truncate(bytes.len() / 2)),
        M::ReorderedLock => edit_lock(place, |lines| {
            let files: Vec<usize> =
                (0..lines.len()).filter(|line| lines[*line].contains("{ path = ")).collect();
            lines.swap(files[0], files[1]);
        }),
        M::EditedDigest => edit_lock(place, |lines| {
            let line = lines.iter_mut().find(|line| line.contains("{ path = ")).expect("a file");
            let at = line.find("sha256 = \"").expect("a digest") + "sha256 = \"".len();
            let digit = if line.as_bytes()[at] == b'0' { "1" } else { "0" };
            line.replace_range(at..=at, digit);
        }),
        M::MovedRevision => {
            let mut moved = made.revision.clone();
            let last = if moved.pop() == Some('0') { '1' } else { '0' };
            moved.push(last);
            made::define(place, made, &moved);
        }
    }
}

fn edit_lock(place: &Place, by: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = place.read("modelhost.lock").lines().map(str::to_owned).collect();
    by(&mut lines);
    place.write("modelhost.lock", lines.join("\n") + "\n");
}

/// Runs `modelhost ARGS`; says what is wrong with what it said, if anything is.
fn wrong(place: &Place, args: &[&str], expect: Expect) -> Option<String> {
    let (code, part) = match expect {
        Denied(part) => (1, part),
        Refused(part) => (2, part),
        Blind(_) => return None,
    };
    let said = place.modelhost(args);
    let found = said.code == code && (said.stdout.contains(part) || said.stderr.contains(part));
    (!found).then(|| {
        format!(
            "{args:?} must exit with {code} and say {part}, and exits with {}\n{}{}",
            said.code, said.stdout, said.stderr
        )
    })
}

const RUN: [&str; 4] = ["run", "--locked", "--only", "checksum"];

#[test]
fn each_mutation_of_each_format_is_found_by_its_rule() {
    let mut matrix = format!("{:16}", "");
    FORMATS.iter().for_each(|format| write!(matrix, "{format:>10}").expect("a text"));
    let mut failures = Vec::new();
    let (mut cells, mut found) = (0, 0);
    for format in FORMATS {
        let place = Place::new();
        let made = made::make(format, &place);
        place
            .modelhost(&["lock", "--from", &made.from])
            .code(0)
            .says(&format!("as {format} claims"));
        let lock = place.read("modelhost.lock");
        assert!(lock.contains("upstream = "), "{lock}");
        assert!(lock.contains(&format!("revision = \"{}\"", made.revision)), "{lock}");
        place.modelhost(&RUN).code(0);
        place.modelhost(&["lock", "--check", "--from", &made.from]).code(0);
    }
    for (name, mutation, locked) in MUTATIONS {
        write!(matrix, "\n{name:16}").expect("a text");
        for format in FORMATS {
            let place = Place::new();
            let made = made::make(format, &place);
            place.modelhost(&["lock", "--from", &made.from]).code(0);
            mutate(mutation, &place, &made);
            let by_lock = match mutation {
                M::ReorderedLock => wrong(&place, &["lock", "--check"], locked),
                _ => wrong(&place, &RUN, locked),
            };
            let again = claimed(format, mutation);
            let by_claims = wrong(&place, &["lock", "--check", "--from", &made.from], again);
            let is_blind = matches!(again, Blind(why) if !why.is_empty());
            let mark = match (&by_lock, &by_claims, is_blind) {
                (None, None, false) => "lock+claim",
                (None, None, true) => "lock",
                _ => "MISSED",
            };
            write!(matrix, "{mark:>10} ").expect("a text");
            cells += 1;
            found += usize::from(by_lock.is_none() && by_claims.is_none());
            let told = by_lock.into_iter().chain(by_claims);
            failures.extend(told.map(|why| format!("{name}, {format}: {why}")));
        }
    }
    eprintln!("{matrix}\n{found} of {cells} found");
    assert!(failures.is_empty(), "{}\n{matrix}", failures.join("\n"));
    assert_eq!(cells, MUTATIONS.len() * FORMATS.len());
}
