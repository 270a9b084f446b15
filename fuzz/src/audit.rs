//! Any bytes as an audit log: walking along it, showing it, and appending to it.

use std::cell::OnceCell;

use modelhost::domain::text::GuestText;
use modelhost::record::audit::record::{Change, Pin, Subject};
use modelhost::record::audit::select::Filter;
use modelhost::record::audit::{Entry, Origin, Stamp, Walked, append, fields::Text, walk};
use tempfile::TempDir;

/// Walks along `bytes`, and looks at each record as those do who show it.
fn walked(bytes: &[u8]) -> Walked {
    let filter = Filter { model: Some("m".to_owned()), ..Filter::default() };
    let mut next = 0;
    let found = walk(&mut &*bytes, 1, &mut |line, number| {
        assert_eq!(line.record.sequence, next, "the records are in order");
        next += 1;
        assert!(number > line.record.sequence, "each record has a line of its own");
        filter.takes(&line.record);
        let _ = line.record.actor.as_ref().map(Text::shown);
        let again = serde_json::to_vec(&line.record).expect("a record is JSON");
        assert!(again.starts_with(b"{\"schema\":"), "it is written in its form");
    });
    let found = found.expect("bytes can be read");
    assert_eq!(found.records, next, "each record is shown");
    assert!(found.broken.is_some() || found.head.is_some(), "what is intact has a head");
    found.broken.iter().for_each(|broken| assert!(!broken.to_string().is_empty()));
    found
}

#[expect(clippy::disallowed_methods, reason = "a log is a file")]
pub(crate) fn audit(bytes: &[u8]) {
    thread_local! { static FOLDER: OnceCell<TempDir> = const { OnceCell::new() }; }
    let found = walked(bytes);
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let path = folder.path().join("audit.jsonl");
        std::fs::write(&path, bytes).expect("a log");
        let origin = Origin { actor: Some(GuestText::capped("x")), ..Origin::default() };
        let stamp = Stamp { time: 1, origin, chain: [1; 16], continues: None };
        let pin = Pin {
            subject: Subject::Model,
            name: Text::new("m"),
            digest: Change { old: None, new: None },
            source: None,
            revision: None,
            version: None,
            files: Vec::new(),
            not_listed: 0,
            lock: Change { old: None, new: None },
        };
        let appended = append(&path, &stamp, vec![Entry::Pin(pin)]);
        let after = std::fs::read(&path).expect("a log");
        assert!(after.starts_with(bytes), "what was there is changed");
        match appended {
            Ok(head) => {
                let now = walked(&after);
                match (&now.broken, &found.broken) {
                    (None, _) => assert_eq!(now.head, Some(head)),
                    // Only the end is looked at: what was broken before stays so.
                    (Some(now), Some(before)) => assert_eq!(now.line, before.line),
                    (Some(now), None) => panic!("what was intact is broken: {now}"),
                }
            }
            Err(_) => {
                assert!(found.broken.is_some(), "an intact log is refused");
                assert_eq!(after, bytes, "refused, and yet written to");
            }
        }
    });
}
