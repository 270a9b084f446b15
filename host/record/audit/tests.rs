//! Chains that were changed, torn and cut; appending to them; and the form, frozen.

#![expect(clippy::disallowed_methods, reason = "the tests make the logs that they look at")]

use std::path::Path;

use super::chain::{MAX_TORN, NoteKind, Wrong};
use super::checkpoint::{Checkpoint, CheckpointError};
use super::line::{Fault, MAX_LINE};
use super::record::{Change, Start, Word};
use super::segments::{Held, Joint};
use super::select::Filter;
use super::*;
use crate::domain::digest::Digest;
use crate::domain::text::GuestText;

/// A log as another program wrote it after the description of the form: of every
/// kind, with what a killed writer left, and a clock that ran backwards.
const FROZEN: &[u8] = include_bytes!("frozen.jsonl");

fn walked(bytes: &[u8]) -> Walked {
    walk(&mut &bytes[..], 1, &mut |_, _| {}).expect("bytes can be read")
}

/// Appends to the log at `path` at `time`, and returns the head.
fn add(path: &Path, time: u64, entries: Vec<Entry<'_>>) -> Result<Head, AppendError> {
    let origin = Origin { actor: Some(GuestText::capped("ann")), ..Origin::default() };
    append(path, &Stamp { time, origin, chain: [7; 16], continues: None }, entries)
}

/// Something to record.
fn entry() -> Entry<'static> {
    let old = crate::record::lock::LockFile::default();
    let text = "version = 1\n[[model]]\nname = \"m\"\ntree = \"sha256:HEX\"\nfile = [\n  { path = \"f\", size = 1, sha256 = \"HEX\" },\n]\n";
    let text = text.replace("HEX", &"0".repeat(64));
    let file = crate::domain::diagnostic::SourceFile { path: "l".into(), text: text.into() };
    let new = crate::record::lock::LockFile::parse(&file).expect("a lock file");
    pins::changes(&old, &new, Change { old: None, new: None }).remove(0)
}

fn three(path: &Path) -> Vec<u8> {
    for time in 0..2 {
        add(path, 100 + time, vec![entry()]).expect("it is appended");
    }
    std::fs::read(path).expect("the log")
}

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    (folder, path)
}

#[test]
fn the_form_is_frozen() {
    let mut kinds = Vec::new();
    let found = walk(&mut &FROZEN[..], 1, &mut |line, _| {
        kinds.push(line.record.entry.kind().name());
        // What is read is written as it was.
        let (written, digest) = line::seal(&line.record).expect("it fits a line");
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(line.bytes));
        assert_eq!(digest, line.digest);
    });
    let found = found.expect("bytes can be read");
    assert_eq!(found.broken, None);
    assert_eq!(kinds, ["start", "decision", "decision", "pin", "pin", "recovered"]);
    assert_eq!(found.continues, Some(Digest::from_bytes([0x66; 32])));
    let notes: Vec<_> = found.notes.iter().map(|note| (note.line, note.kind.clone())).collect();
    assert_eq!(
        notes,
        [(5, NoteKind::ClockBackwards(1_790_000_003, 1_790_000_002)), (7, NoteKind::Recovered(4))]
    );
}

#[test]
fn what_is_written_fits_the_schema() {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).expect("it is a schema");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let lines = FROZEN.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{"));
    for line in lines {
        let value = serde_json::from_slice(line).expect("it is JSON");
        assert!(validator.is_valid(&value), "{value}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "schema": "modelhost-audit/v1" })));
}

/// Asserts that `bytes` are not taken for an intact log.
fn is_found(bytes: &[u8], what: &str) {
    assert!(walked(bytes).broken.is_some(), "not found: {what}");
}

#[test]
fn any_changed_byte_is_found() {
    for at in 0..FROZEN.len() {
        let mut bytes = FROZEN.to_vec();
        for other in [bytes[at] ^ 1, bytes[at] ^ 0x20, bytes[at] ^ 0x80, b'\n', b' '] {
            if other != FROZEN[at] {
                bytes[at] = other;
                is_found(&bytes, &format!("byte {at} as {other:#x}"));
            }
        }
        bytes.remove(at);
        is_found(&bytes, &format!("byte {at} taken out"));
        bytes = FROZEN.to_vec();
        bytes.insert(at, b'0');
        is_found(&bytes, &format!("a byte put in at {at}"));
    }
}

#[test]
fn lines_taken_out_put_in_and_moved_are_found_where_they_are() {
    let lines: Vec<&[u8]> = FROZEN.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() {
        let without = [&lines[..at], &lines[at + 1..]].concat().concat();
        let twice = [&lines[..=at], &lines[at..]].concat().concat();
        // What is cut off at the end is what a checkpoint is for.
        if at + 1 < lines.len() {
            is_found(&without, &format!("line {at} taken out"));
            let mut moved = lines.clone();
            moved.swap(at, at + 1);
            is_found(&moved.concat(), &format!("line {at} moved"));
        }
        is_found(&twice, &format!("line {at} twice"));
    }
    for cut in 0..FROZEN.len() {
        let found = walked(&FROZEN[..cut]);
        let whole = cut > 0 && FROZEN[cut - 1] == b'\n' && !FROZEN[..cut].ends_with(b"torn\n");
        assert_eq!(found.broken.is_none(), whole, "cut after {cut} bytes: {found:?}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let (_folder, path) = place();
    let bytes = three(&path);
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let text = String::from_utf8(bytes.clone()).expect("JSON is UTF-8");
    let other = {
        let (_folder, path) = place();
        let stamp = Stamp { time: 0, origin: Origin::default(), chain: [8; 16], continues: None };
        append(&path, &stamp, vec![entry()]).expect("it is appended");
        std::fs::read(&path).expect("the log")
    };
    let reseal = |change: &dyn Fn(&mut Record<'_>)| {
        let mut record: Record<'_> = serde_json::from_slice(lines[1]).expect("a record");
        change(&mut record);
        let (mut line, _) = line::seal(&record).expect("it fits a line");
        line.push(b'\n');
        [lines[0], &line, lines[2]].concat()
    };
    let rows: Vec<(Vec<u8>, u64, u64, Wrong)> = vec![
        (Vec::new(), 1, 0, Wrong::Empty),
        (b"\n".to_vec(), 1, 0, Wrong::Line(Fault::NotJson)),
        (b"{}\n".to_vec(), 1, 0, Wrong::Line(Fault::Digest)),
        (lines[1..].concat(), 1, 0, Wrong::NoStart),
        ([lines[0], lines[2]].concat(), 2, 1, Wrong::Sequence(2)),
        ([lines[0], lines[1], lines[0]].concat(), 3, 2, Wrong::Start),
        ([bytes.as_slice(), lines[2]].concat(), 4, 3, Wrong::Sequence(2)),
        (
            [lines[0], &other[other.iter().position(|b| *b == b'\n').expect("a line") + 1..]]
                .concat(),
            2,
            1,
            Wrong::Chain,
        ),
        (bytes[..bytes.len() - 1].to_vec(), 3, 2, Wrong::Truncated),
        (bytes[..bytes.len() - 9].to_vec(), 3, 2, Wrong::Truncated),
        (text.replacen("ann", "bob", 1).into_bytes(), 1, 0, Wrong::Line(Fault::Digest)),
        (text.replacen("audit/v1", "audit/v2", 1).into_bytes(), 1, 0, Wrong::Line(Fault::Digest)),
        (
            reseal(&|record| record.schema = fields::Text::new("modelhost-audit/v2")),
            2,
            1,
            Wrong::Line(Fault::Version),
        ),
        (reseal(&|record| record.sequence = u64::MAX), 2, 1, Wrong::Sequence(u64::MAX)),
        (reseal(&|record| record.previous = None), 2, 1, Wrong::Previous),
        // One that was changed and sealed anew is told by the one that follows.
        (reseal(&|record| record.actor = None), 3, 2, Wrong::Previous),
        ([lines[0], b"junk\n", lines[1]].concat(), 2, 1, Wrong::Line(Fault::NotJson)),
        ([lines[0], &vec![b'x'; MAX_LINE + 1], b"\n"].concat(), 2, 1, Wrong::Line(Fault::TooLong)),
        ([lines[0], &vec![b'x'; 2 * MAX_TORN]].concat(), 2, 1, Wrong::Line(Fault::TooLong)),
    ];
    for (bytes, line, sequence, wrong) in rows {
        let found = walked(&bytes).broken.unwrap_or_else(|| panic!("{wrong:?} is not found"));
        assert_eq!(found, Broken { line, sequence, wrong });
        assert!(!found.to_string().is_empty());
    }
}

#[test]
fn many_lines_are_read_as_one_by_one() {
    let (_folder, path) = place();
    let entries = || (0..700).map(|_| entry()).collect::<Vec<_>>();
    add(&path, 1, entries()).expect("they are appended");
    add(&path, 1, entries()).expect("they are appended");
    let bytes = std::fs::read(&path).expect("the log");
    for jobs in [1, 2, 7] {
        let mut numbers = Vec::new();
        let found = walk(&mut &bytes[..], jobs, &mut |line, number| {
            assert_eq!(line.record.sequence + 1, number);
            numbers.push(number);
        });
        let found = found.expect("bytes can be read");
        assert_eq!((found.broken, found.records), (None, 1401));
        assert_eq!(numbers, (1..=1401).collect::<Vec<_>>());
    }
    let mut broken = bytes;
    let at = broken.len() / 2;
    broken[at] ^= 1;
    let line = broken[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for jobs in [1, 7] {
        let found = walk(&mut &broken[..], jobs, &mut |_, _| {}).expect("bytes can be read");
        assert_eq!(found.broken.map(|broken| broken.line), Some(line));
    }
}

#[test]
fn what_a_killed_writer_left_is_noted_and_kept() {
    let (_folder, path) = place();
    let bytes = three(&path);
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    let tails: [(&[u8], bool); 7] = [
        (b"{", true),
        (b"{\"schema\":\"modelhost-audit/v1\",\"ch", true),
        (&[0; 5000], true),
        (&[0x80; 100], true),
        (b"no record\n", true),
        (b"one\ntwo\n{\"a\":", true),
        (b"", false),
    ];
    for (tail, is_torn) in tails {
        std::fs::write(&path, [&bytes[..], tail].concat()).expect("a log");
        assert_eq!(walked(&std::fs::read(&path).expect("the log")).broken.is_some(), is_torn);
        let head = add(&path, 200, vec![entry()]).expect("it is appended");
        let after = std::fs::read(&path).expect("the log");
        assert!(after.starts_with(&[&bytes[..], tail].concat()), "what was there is still there");
        let found = walked(&after);
        assert_eq!(found.broken, None, "{}", String::from_utf8_lossy(&after));
        assert_eq!(found.head, Some(head));
        assert_eq!(found.records, if is_torn { 5 } else { 4 });
        assert_eq!(found.notes.len(), usize::from(is_torn));
        // Twice in a row, as where the one that notes it is killed, too.
        let torn = [&bytes[..], tail, b"\n{\"schema\":"].concat();
        std::fs::write(&path, &torn).expect("a log");
        add(&path, 200, vec![entry()]).expect("it is appended");
        assert_eq!(walked(&std::fs::read(&path).expect("the log")).broken, None);
    }
    // A record that lacks nothing but its end is one.
    std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("a log");
    add(&path, 200, vec![entry()]).expect("it is appended");
    let found = walked(&std::fs::read(&path).expect("the log"));
    assert_eq!((found.broken, found.records, found.notes.len()), (None, 4, 0));
    // Wherever the last record was cut.
    for cut in last..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).expect("a log");
        add(&path, 200, vec![entry()]).expect("it is appended");
        let found = walked(&std::fs::read(&path).expect("the log"));
        assert_eq!(found.broken, None, "cut at {cut}");
        assert_eq!(found.notes.len(), usize::from(cut > last && cut < bytes.len() - 1));
    }
}

#[test]
fn a_log_that_was_never_begun_whole_is_begun() {
    for beginning in [&b"{\"sche"[..], b"{\"schema\":\"modelhost-audit/v1\",\"chain", &[0; 700]] {
        let (_folder, path) = place();
        std::fs::write(&path, beginning).expect("a log");
        add(&path, 1, vec![entry()]).expect("it is appended");
        let found = walked(&std::fs::read(&path).expect("the log"));
        assert_eq!((found.broken, found.records, found.notes.len()), (None, 2, 1));
    }
}

#[test]
fn what_is_no_log_is_not_appended_to() {
    let (folder, path) = place();
    let bytes = three(&path);
    let changed = String::from_utf8(bytes.clone()).expect("UTF-8").replace("ann", "bob");
    let too_much = [&bytes[..], &vec![b'x'; MAX_TORN + 1]].concat();
    let contents: [&[u8]; 6] = [
        b"# A readme\n",
        b"{\"a\":1}\n",
        b"[1,2]",
        changed.as_bytes(),
        &too_much,
        &[bytes.as_slice(), b"{}\n"].concat(),
    ];
    for content in contents {
        std::fs::write(&path, content).expect("a file");
        let error = add(&path, 1, vec![entry()]).expect_err("it is refused");
        assert!(matches!(error, AppendError::Broken { .. }), "{error}");
        assert_eq!(std::fs::read(&path).expect("a file"), content, "nothing was changed");
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    std::fs::write(&path, &bytes).expect("a log");
    assert!(matches!(add(&link, 1, vec![]), Err(AppendError::Io { .. })), "a link");
    assert!(matches!(add(folder.path(), 1, vec![]), Err(AppendError::Io { .. })), "a folder");
    assert!(matches!(add(Path::new("/dev/null"), 1, vec![]), Err(AppendError::Foreign(_))));
    let absent = folder.path().join("none/log");
    assert!(matches!(add(&absent, 1, vec![]), Err(AppendError::Io { .. })), "no folder");
    let mut permissions = std::fs::metadata(&path).expect("a log").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o666);
    std::fs::set_permissions(&path, permissions).expect("everybody may write");
    assert!(matches!(add(&path, 1, vec![]), Err(AppendError::Foreign(_))));
    assert!(read(Path::new("/dev/null"), 1, &mut |_, _| {}).is_err(), "no regular file");
}

#[test]
fn a_clock_that_runs_backwards_is_noted() {
    let (_folder, path) = place();
    for time in [100, 50, 60, 60] {
        add(&path, time, vec![entry()]).expect("it is appended");
    }
    let mut noted = Vec::new();
    let found = read(&path, 1, &mut |line, _| {
        noted.extend(line.record.clock_backwards.map(|moment| moment.0));
    });
    let found = found.expect("the log is read");
    assert_eq!(noted, [100]);
    let kinds: Vec<_> = found.notes.into_iter().map(|note| note.kind).collect();
    assert_eq!((found.broken, kinds), (None, vec![NoteKind::ClockBackwards(100, 50)]));
}

#[test]
fn writers_at_once_lose_nothing() {
    let (_folder, path) = place();
    let (writers, records) = (8, 40);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..records {
                    add(path, writer, vec![entry()]).expect("it is appended");
                }
            });
        }
    });
    let found = read(&path, 2, &mut |_, _| {}).expect("the log is read");
    assert_eq!((found.broken, found.records), (None, writers * records + 1));
}

#[test]
fn a_record_that_fits_no_line_is_refused() {
    let (_folder, path) = place();
    let bytes = three(&path);
    let note = fields::Text::new("x".repeat(MAX_LINE));
    let start = Start { continues: None, recovered: None, note: Some(note) };
    let error = add(&path, 1, vec![Entry::Start(start)]).expect_err("it is refused");
    assert!(matches!(error, AppendError::TooLong(_)));
    assert_eq!(std::fs::read(&path).expect("the log"), bytes);
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKEYKEYKEY
-----END PRIVATE KEY-----
";

/// Makes a key pair of a number.
fn keys(seed: u8) -> (String, String) {
    use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
    let secret = p256::SecretKey::from_slice(&[seed; 32]).expect("a number of the curve");
    let private = secret.to_pkcs8_pem(LineEnding::LF).expect("a key").to_string();
    (private, secret.public_key().to_public_key_pem(LineEnding::LF).expect("a key"))
}

#[test]
fn a_checkpoint_is_what_its_key_signed() {
    let (private, public) = keys(1);
    let head = Head { chain: "c".into(), sequence: 9, digest: Digest::of(b"x"), time: 1 };
    let checkpoint = Checkpoint::of(&head, 5);
    let text = checkpoint.sign(&private).expect("it is signed");
    assert_eq!(text, checkpoint.sign(&private).expect("it is signed"), "alike each time");
    assert_eq!(Checkpoint::verify(&text, &public), Ok(checkpoint));
    let (_, other) = keys(2);
    assert_eq!(Checkpoint::verify(&text, &other), Err(CheckpointError::Signature));
    // No changed character of it is taken for the same checkpoint.
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let is_keyid = text[..at].contains("\"keyid\"") && !text[..at].contains("\"sig\"");
        // The id of the key is a hint; what ends the line is filling.
        if let Ok(same) = Checkpoint::verify(&changed, &public) {
            let original = Checkpoint::verify(&text, &public).expect("it verifies");
            assert!(same == original && (is_keyid || at + 1 == text.len()), "{at}");
        }
    }
    assert!(matches!(Checkpoint::verify(&text, &private), Err(CheckpointError::Public(_))));
    assert!(matches!(Checkpoint::verify("{}", &public), Err(CheckpointError::Form(_))));
    for key in
        ["", KEY, &public, "-----BEGIN EC PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"]
    {
        let error = Checkpoint::of(&head, 5).sign(key).expect_err("no key");
        assert!(matches!(error, CheckpointError::Private(_)), "{key}");
    }
}

#[test]
fn a_checkpoint_finds_what_was_cut_and_what_was_written_anew() {
    let (folder, path) = place();
    let bytes = three(&path);
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let head = read(&path, 1, &mut |_, _| {}).expect("the log").head.expect("a head");
    let checkpoint = Checkpoint::of(&head, 0);
    let held = |logs: &[std::path::PathBuf]| {
        segments::verify(logs, Some(&checkpoint), 1).1.expect("there is a checkpoint")
    };
    let logs = [folder.path().join("none"), path.clone()];
    assert_eq!(held(&logs), Held::Yes(1));
    add(&path, 300, vec![entry()]).expect("it is appended");
    assert_eq!(held(&logs), Held::Yes(1), "more came after it");
    std::fs::write(&path, &bytes[..first]).expect("a cut log");
    assert_eq!(held(&logs), Held::Cut(1, 0));
    // Written anew under the same name, each line in order.
    std::fs::remove_file(&path).expect("removed");
    for time in 0..3 {
        add(&path, 500 + time, vec![entry()]).expect("it is appended");
    }
    assert_eq!(held(&logs), Held::Other(1));
    assert_eq!(held(&logs[..1]), Held::NoLog);
}

#[test]
fn logs_are_joined_by_their_heads() {
    let (folder, a) = place();
    three(&a);
    let head = read(&a, 1, &mut |_, _| {}).expect("the log").head.expect("a head");
    let begin = |name: &str, chain, continues| {
        let path = folder.path().join(name);
        let stamp = Stamp { time: 1, origin: Origin::default(), chain: [chain; 16], continues };
        append(&path, &stamp, vec![entry()]).expect("it is appended");
        path
    };
    let b = begin("b", 1, Some(head.digest));
    let lost = Digest::of(b"lost");
    let c = begin("c", 2, Some(lost));
    let d = begin("d", 3, None);
    let joints = |logs: &[&std::path::PathBuf]| {
        let logs: Vec<_> = logs.iter().map(|path| (*path).clone()).collect();
        let (verified, _) = segments::verify(&logs, None, 1);
        verified.into_iter().map(|log| log.joint).collect::<Vec<_>>()
    };
    let on = |log, more| Joint::Record { log, sequence: head.sequence, more };
    assert_eq!(
        joints(&[&b, &c, &d, &a]),
        [on(3, 0), Joint::Missing(lost), Joint::None, Joint::None]
    );
    assert_eq!(joints(&[&b]), [Joint::Missing(head.digest)]);
    add(&a, 400, vec![entry()]).expect("it is appended");
    assert_eq!(joints(&[&a, &b]), [Joint::None, on(0, 1)]);
}

#[test]
fn filters_take_what_they_say() {
    let rows: [(Filter, &[u64]); 10] = [
        (Filter::default(), &[0, 1, 2, 3, 4, 5]),
        (Filter { kind: Some(Kind::Pin), ..Filter::default() }, &[3, 4]),
        (Filter { model: Some("sentiment".into()), ..Filter::default() }, &[1, 2, 3]),
        (Filter { model: Some("pickle".into()), ..Filter::default() }, &[]),
        (Filter { decision: Some(Word::Deny), ..Filter::default() }, &[1, 2]),
        (Filter { decision: Some(Word::Allow), ..Filter::default() }, &[]),
        (
            Filter {
                model: Some("other".into()),
                decision: Some(Word::Allow),
                ..Filter::default()
            },
            &[1, 2],
        ),
        (Filter { since: Some(1_790_000_002), ..Filter::default() }, &[2, 3, 4, 5]),
        (Filter { until: Some(1_790_000_002), ..Filter::default() }, &[0, 1]),
        (Filter { actor: Some("OCTO".into()), ..Filter::default() }, &[0, 1, 2, 4, 5]),
    ];
    for (filter, expected) in rows {
        let mut taken = Vec::new();
        let found = walk(&mut &FROZEN[..], 1, &mut |line, _| {
            if filter.takes(&line.record) {
                taken.push(line.record.sequence);
            }
        });
        assert_eq!(found.expect("bytes can be read").broken, None);
        assert_eq!(taken, expected, "{filter:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_and_recovered_from(bytes: Vec<u8>, at in 0_usize..4000) {
        let (_folder, path) = place();
        let log = three(&path);
        for content in [bytes.clone(), [&log[..at.min(log.len())], &bytes[..]].concat()] {
            std::fs::write(&path, &content).expect("a file");
            let intact = walked(&content).broken.is_none();
            let added = add(&path, 1, vec![entry()]);
            let after = std::fs::read(&path).expect("a file");
            proptest::prop_assert!(after.starts_with(&content));
            // What was intact can be appended to; what was appended to is intact.
            proptest::prop_assert!(!intact || added.is_ok());
            match added {
                Ok(head) => {
                    let found = walked(&after);
                    proptest::prop_assert_eq!(found.broken, None);
                    proptest::prop_assert_eq!(found.head, Some(head));
                }
                Err(_) => proptest::prop_assert_eq!(after, content),
            }
        }
    }
}
