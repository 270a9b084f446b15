//! `modelhost export`: what is locked, as other tools take it.

use std::fmt::Write as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modelhost::domain::digest::Digest;
use serde_json::{Value, json};

use crate::support::command::Place;
use crate::support::{is_long, model};

fn place() -> Place {
    let place = Place::new();
    place
        .write("models/a/model.safetensors", model::safetensors(8))
        .write("models/a/sub/README.md", "# A\n")
        .write("models/b/model.safetensors", model::safetensors(9));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\nlicense = \"MIT\"\n\
         source = \"hf:org/a\"\nrevision = \"0123456789abcdef0123456789abcdef01234567\"\n\
         [[model]]\nname = \"b\"\npath = \"models/b\"\n",
    );
    place
}

/// Runs a tool in `folder`; none where it is not there.
fn tool(name: &str, args: &[&str], folder: &std::path::Path) -> Option<std::process::Output> {
    let output = Command::new(name).args(args).current_dir(folder).output();
    if output.is_err() {
        eprintln!("skipped: there is no {name}");
    }
    output.ok()
}

#[test]
fn lists_are_checked_by_sha256sum_and_imported_again() {
    let place = place();
    for name in ["a\\b", "c\nd", "e\rf", "-", " g", "*h", "é"] {
        place.write(&format!("models/a/{name}"), name);
    }
    place.modelhost(&["lock"]).code(0);
    let list = place.path().join("list");
    place.modelhost(&["export", "sha256sums", "models/a", "-o", "list"]).code(0);
    let folder = place.path().join("models/a");
    let list = list.to_str().expect("UTF-8");
    if let Some(output) = tool("sha256sum", &["--check", "--strict", list], &folder) {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.matches(": OK").count(), 9, "{said}");
    }
    // Of several models, from the lock file's folder.
    place.modelhost(&["export", "sha256sums", "-o", "list"]).code(0);
    if let Some(output) = tool("sha256sum", &["--check", "--strict", list], &place.path()) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let said = place.modelhost(&["export", "sha256sums", "b"]);
    let expected = format!("{}  model.safetensors", Digest::of(&model::safetensors(9)).hex());
    assert_eq!(said.code(0).stdout, expected);
    place.modelhost(&["export", "sha256sums", "models/a", "-o", "models/a/SHA256SUMS"]).code(0);
    place
        .modelhost(&["lock", "models/a", "--from", "models/a/SHA256SUMS"])
        .code(0)
        .says("model a: 9 files are as sums claims");
    place.modelhost(&["run", "--locked", "--only", "checksum", "models/a"]).says("0 denied");
}

#[test]
fn a_statement_once_signed_is_what_provenance_verifies() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    place.modelhost(&["export", "oms", "models/a", "-o", "statement.json"]).code(0);
    let statement = place.read("statement.json");
    let kind = "application/vnd.in-toto+json";
    let (length, payload) = (statement.len(), &statement);
    place.write("signed", format!("DSSEv1 {} {kind} {length} {payload}", kind.len()));
    let key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let openssl = |args: &[&str]| tool("openssl", args, &place.path());
    if openssl(&[&key[..], &["-out", "key.pem"]].concat()).is_none() {
        return;
    }
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem"]).expect("openssl");
    openssl(&["dgst", "-sha256", "-sign", "key.pem", "-out", "sig", "signed"]).expect("openssl");
    let signature = std::fs::read(place.path().join("sig")).expect("a signature");
    let public = place.read("pub.pem");
    let bundle = |signature: &[u8]| {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": { "hint": Digest::of(public.as_bytes()).hex() },
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&statement),
                "payloadType": kind,
                "signatures": [{ "sig": STANDARD.encode(signature), "keyid": "" }],
            },
        })
        .to_string()
    };
    let mut policy = place.read("modelhost.toml");
    write!(
        policy,
        "[gate]\nrequire = [\"provenance\"]\nnot-judged = \"warn\"\n[plugin.provenance]\n\
         grants = [\"documents:trusted\"]\nsettings = {{ key = \"trusted\" }}\n[documents]\n\
         trusted = {{ path = \"pub.pem\", digest = \"{}\" }}\n",
        Digest::of(public.as_bytes())
    )
    .expect("a text");
    place.write("modelhost.toml", policy);
    place.write("models/a/model.sig", bundle(&signature));
    let run = || place.modelhost(&["run", "--only", "provenance", "models/a"]);
    run().code(0);
    // The names are what was signed too.
    let (old, new) = ("models/a/sub/README.md", "models/a/sub/README.txt");
    std::fs::rename(place.path().join(old), place.path().join(new)).expect("renamed");
    run().code(1);
    std::fs::rename(place.path().join(new), place.path().join(old)).expect("renamed");
    let mut other = signature.clone();
    *other.last_mut().expect("a byte") ^= 1;
    place.write("models/a/model.sig", bundle(&other));
    run().code(1);
    // What is signed can be imported, and is called unverified.
    place.write("models/a/model.sig", bundle(&signature));
    place.modelhost(&["lock", "models/a", "--from", "models/a/model.sig"]).code(0);
    assert!(place.read("modelhost.lock").contains("upstream = \"oms\""));
}

#[test]
fn a_bill_of_materials_is_the_same_each_time() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let first = place.modelhost(&["export", "cyclonedx"]);
    let second = place.modelhost(&["export", "cyclonedx"]);
    assert_eq!(first.code(0).stdout, second.code(0).stdout);
    let bom: Value = first.json();
    assert_eq!(bom["components"][0]["licenses"][0]["expression"], "MIT");
    assert_eq!(
        bom["components"][0]["purl"],
        "pkg:huggingface/org/a@0123456789abcdef0123456789abcdef01234567"
    );
    assert!(bom["metadata"].get("timestamp").is_none());
    let dated = place.modelhost(&["export", "cyclonedx", "a", "--now", "2026-12-31"]);
    assert_eq!(dated.code(0).json()["metadata"]["timestamp"], "2026-12-31T00:00:00Z");
    assert_eq!(dated.json()["components"].as_array().map(Vec::len), Some(1));
}

/// Held against the schema by `cyclonedx-python-lib[json-validation]`, where it is.
#[test]
fn a_bill_of_materials_keeps_its_schema() {
    if !is_long() {
        eprintln!("skipped: only with the long tests");
        return;
    }
    let place = place();
    place.modelhost(&["lock"]).code(0);
    place.modelhost(&["export", "cyclonedx", "-o", "bom.json", "--now", "2026-12-31"]).code(0);
    let script = "import sys\n\
        try:\n    from cyclonedx.validation.json import JsonStrictValidator as V\n\
        except ImportError:\n    sys.exit(77)\n\
        from cyclonedx.schema import SchemaVersion as S\n\
        error = V(S.V1_6).validate_str(open('bom.json').read())\n\
        sys.exit(str(error) if error else 0)\n";
    let Some(output) = tool("python3", &["-c", script], &place.path()) else { return };
    if output.status.code() == Some(77) {
        eprintln!(
            "skipped: python3 has no cyclonedx (pip install cyclonedx-python-lib[json-validation])"
        );
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_can_not_be_exported_is_said() {
    let place = place();
    place.modelhost(&["export", "sha256sums"]).code(2).says("run `modelhost lock` first");
    place.modelhost(&["lock"]).code(0);
    let rows: [(&[&str], &str); 3] = [
        (&["oms"], "oms is of one model, and 2 were asked for"),
        (&["oms", "c"], "no model `c` is locked"),
        (&["spdx"], "there is no format `spdx`: write sha256sums, cyclonedx or oms"),
    ];
    for (args, expected) in rows {
        let args: Vec<&str> = ["export"].iter().chain(args).copied().collect();
        place.modelhost(&args).code(2).says(expected);
    }
    place.modelhost(&["export", "oms", "a", "-o", "gone/x"]).code(70).says("can't write");
}
