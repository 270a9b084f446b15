//! What two reports were held to, and how it differs.

use super::*;
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::model::FilePath;
use crate::record::compare::{Extent, compare, text};
use crate::report::json::read;

/// A report as `run -o json` writes it, cut to what is read of it and a bit more,
/// on `weights` of one model.
fn report(weights: &str) -> String {
    let digest = Digest::of(weights.as_bytes());
    let path = FilePath::from_bytes(b"model.gguf");
    let tree = TreeDigest::of([(&path, weights.len() as u64, digest)]).to_string();
    let digest = digest.to_string();
    serde_json::json!({
        "schema": "modelhost-report/v1", "modelhost": "0.1.0", "decision": "allow",
        "now": "2026-01-31T12:00:00Z", "fail_on": "high", "required": ["checksum"],
        "inputs": {
            "policy": [{ "path": "modelhost.toml", "digest": digest }],
            "lock": { "path": "modelhost.lock", "digest": digest },
        },
        "reasons": [],
        "models": [{
            "name": "m", "path": "models/m", "tree": tree, "locked": true, "findings": [],
            "files": [{
                "path": path.as_str(), "size": weights.len(), "digest": digest,
                "judgement": "judged",
            }],
        }],
        "plugins": [{
            "id": "checksum", "version": "0.1.0", "digest": digest, "mode": "enforce",
            "origin": "bundled", "imports": ["digest", "files"], "limits": { "fuel": 5 },
            "grants": { "capabilities": ["digest"], "documents": [] },
        }],
        "tasks": [],
    })
    .to_string()
}

fn state(report: &str) -> State {
    compared(read(report.as_bytes()).expect("a report")).expect("it is bound")
}

#[test]
fn reports_are_compared_by_what_they_were_held_to() {
    let report = self::report("weights");
    let old = state(&report);
    let same = report.replace("2026-01-31", "2027-01-31").replace("models/m", "/srv/m");
    assert!(compare(&old, &state(&same), Extent::All).is_same());
    let rows = [
        ("\"allow\"", "\"deny\"", "~ decision  allow -> deny"),
        ("\"fuel\":5", "\"fuel\":6", "~ plugin checksum\n    ~ limits.fuel  5 -> 6"),
        ("\"high\"", "\"critical\"", "~ fail_on  high -> critical"),
        ("[\"checksum\"]", "[]", "~ required  checksum -> (nothing)"),
        ("\"enforce\"", "\"advise\"", "~ plugin checksum\n    ~ mode  enforce -> advise"),
        (
            "\"documents\":[]",
            "\"documents\":[\"k\"]",
            "~ plugin checksum\n    ~ documents  (nothing) -> k",
        ),
        ("\"name\":\"m\"", "\"name\":\"n\"", "- model m: 1 file\n+ model n: 1 file"),
        // A path of the operator's can't act on a terminal.
        ("\"path\":\"modelhost.toml\"", "\"path\":\"a\\u001b[2J\"", "+ policy a\\x1b[2J  sha256:"),
    ];
    for (from, to, expected) in rows {
        assert!(report.contains(from), "{from}");
        let said = text(&compare(&old, &state(&report.replace(from, to)), Extent::All));
        assert!(said.contains(expected), "{said}");
    }
    let said = text(&compare(&old, &state(&self::report("others")), Extent::All));
    insta::assert_snapshot!(said, @r"
    ~ lock  sha256:9a129038d9a0… -> sha256:01db91d06032…
    ~ policy modelhost.toml  sha256:9a129038d9a0… -> sha256:01db91d06032…
    ~ model m: model.gguf changed
        ~ tree  sha256:869b0741e7cd… -> sha256:abe74f1c5e87…
        ~ model.gguf  7 -> 6 bytes, sha256:9a129038d9a0… -> sha256:01db91d06032…
    ~ plugin checksum
        ~ digest  sha256:9a129038d9a0… -> sha256:01db91d06032…
    ");
}

#[test]
fn what_is_bound_to_no_bytes_is_not_compared() {
    let report = report("weights");
    let unbound = report.replace("\"tasks\"", "\"scan_only\":{},\"tasks\"");
    let mut cut: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let file = cut.pointer_mut("/models/0/files/0").and_then(|file| file.as_object_mut());
    file.expect("a file").remove("digest");
    for (text, expected) in [(unbound, "no digests"), (cut.to_string(), "no digest of all")] {
        let error = compared(read(text.as_bytes()).expect("a report")).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
