//! Attestations from the command line: written by a run and from its report, held
//! against the model, and taken by others: OpenSSL, our own `provenance`, PyPI's.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::command::{Place, Said};
use crate::support::{is_long, model, root};

const NOW: [&str; 2] = ["--now", "2026-01-01"];

fn openssl(place: &Place, args: &[&str]) {
    let done = Command::new("openssl").args(args).current_dir(place.path()).output();
    let done = done.expect("openssl is there");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Makes a key pair: `NAME.pem` and `NAME.pub`.
fn key(place: &Place, name: &str, curve: &str) {
    let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
    let curve = format!("ec_paramgen_curve:{curve}");
    openssl(place, &["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", &private]);
    openssl(place, &["pkey", "-in", &private, "-pubout", "-out", &public]);
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(place.path().join(private), mode).expect("permissions");
}

/// A place with a good model and a key.
fn place() -> Place {
    let place = Place::new();
    place
        .write("bert/model.safetensors", model::safetensors(64))
        .write("bert/README.md", "---\nlicense: mit\n---\n# A model\n");
    key(&place, "key", "P-256");
    place
}

fn run(place: &Place, more: &[&str]) -> Said {
    place.modelhost(&[&["run", "bert"], &NOW[..], more].concat())
}

fn verify(place: &Place, more: &[&str]) -> Said {
    place.modelhost(&[&["verify", "a.jsonl", "bert", "--key", "key.pub"], &NOW[..], more].concat())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_run_is_attested_and_the_model_verified() {
    let place = place();
    let signed = ["--attest", "a.jsonl", "--key", "key.pem", "-o", "json=report.json"];
    run(&place, &signed).code(0);
    let said = verify(&place, &[]);
    insta::assert_snapshot!(said.code(0).stdout);
    // The report alone gives the same bytes; so does a second run.
    let bundles = place.read("a.jsonl");
    assert_eq!(bundles.lines().count(), 2);
    let attest = ["attest", "report.json", "--key", "key.pem", "-o", "b.jsonl"];
    place.modelhost(&attest).code(0);
    assert_eq!(place.read("b.jsonl"), bundles);
    run(&place, &["--attest", "c.jsonl", "--key", "key.pem"]).code(0);
    assert_eq!(place.read("c.jsonl"), bundles);
    // Unsigned they are the statements themselves.
    run(&place, &["--attest", "d.jsonl"]).code(0);
    let attested = place.modelhost(&["attest", "report.json"]);
    assert_eq!(attested.code(0).stdout, place.read("d.jsonl").trim_end());
    let statements = lines(&attested.stdout);
    assert_eq!(statements[0]["predicateType"], "https://slsa.dev/verification_summary/v1");
    assert_eq!(statements[1]["predicateType"], "https://in-toto.io/attestation/svr/v0.1");
    let vsa = place.modelhost(&["attest", "report.json", "--only", "vsa"]);
    assert_eq!(lines(&vsa.code(0).stdout), statements[..1]);
    // What the run says of the report is its digest.
    let digest = modelhost::domain::digest::Digest::of(place.read("report.json").as_bytes());
    let said = &statements[0]["predicate"]["urn:modelhost:run:v1"]["report"]["sha256"];
    assert_eq!(said.as_str(), Some(digest.hex().as_str()));
    // It is verified within the model's folder too, where it is no file of the model.
    std::fs::copy(place.path().join("a.jsonl"), place.path().join("bert/a.jsonl")).expect("copied");
    let inside = ["verify", "bert/a.jsonl", "bert", "--key", "key.pub", NOW[0], NOW[1]];
    place.modelhost(&inside).code(0);
    verify(&place, &[]).code(1).says("a.jsonl is there, and was not attested");
}

#[test]
fn each_file_that_differs_is_named() {
    let place = place();
    run(&place, &["--attest", "a.jsonl", "--key", "key.pem"]).code(0);
    place.write("bert/README.md", "# Another\n").write("bert/more.txt", "more\n");
    std::fs::remove_file(place.path().join("bert/model.safetensors")).expect("removed");
    let said = verify(&place, &[]);
    insta::assert_snapshot!(said.code(1).stderr);
    // A link that leads outside is nothing that was attested.
    let place = self::place();
    run(&place, &["--attest", "a.jsonl", "--key", "key.pem"]).code(0);
    std::os::unix::fs::symlink("/etc/hostname", place.path().join("bert/x")).expect("a link");
    assert_ne!(verify(&place, &[]).code, 0);
}

#[test]
fn whose_word_counts_is_asked() {
    let place = place();
    key(&place, "other", "P-384");
    let uris = ["--verifier-id", "https://ci.example.org/gate", "--resource-uri", "oci:r/bert"];
    let signed = ["--attest", "a.jsonl", "--key", "key.pem"];
    run(&place, &[&signed[..], &uris].concat()).code(0);
    verify(&place, &uris).code(0).says("https://ci.example.org/gate").says("oci:r/bert");
    verify(&place, &[]).code(1).says("the verifier is `https://ci.example.org/gate`");
    verify(&place, &[&uris[..2], &["--resource-uri", "oci:r/gpt"]].concat())
        .code(1)
        .says("is attested as `oci:r/bert`");
    let other = ["verify", "a.jsonl", "bert", "--key", "other.pub", NOW[0], NOW[1]];
    place.modelhost(&other).code(1).says("is not signed by the key");
    let old = [&["verify", "a.jsonl", "bert", "--key", "key.pub"], &uris[..], &["--max-age", "2d"]];
    let at = |now: &'static str| [&old.concat()[..], &["--now", now]].concat();
    place.modelhost(&at("2026-01-03")).code(0);
    place.modelhost(&at("2026-01-04")).code(1).says("too long ago");
    place.modelhost(&at("2025-12-31")).code(1).says("has not come yet");
    // Mistakes are none of the model's.
    let key = ["verify", "a.jsonl", "bert", "--key", "key.pem"];
    place.modelhost(&key).code(2).says("private key");
    place.modelhost(&["verify", "none", "bert", "--key", "key.pub"]).code(2).says("can't be read");
    place.modelhost(&["verify", "a.jsonl", "none", "--key", "key.pub"]).code(2);
    let huge = std::fs::File::create(place.path().join("huge")).expect("a file");
    huge.set_len(1 << 31).expect("a size");
    place.modelhost(&["verify", "huge", "bert", "--key", "key.pub"]).code(2).says("more than");
    place.modelhost(&["attest", "huge"]).code(2).says("more than");
    place.modelhost(&["verify", "bert/README.md", "bert", "--key", "key.pub"]).code(1);
}

#[test]
fn what_is_not_allowed_is_attested_as_failed() {
    let place = place();
    place.write("bert/a.pkl", model::malicious_pickle());
    run(&place, &["--attest", "a.jsonl", "--key", "key.pem", "-o", "json=r.json"]).code(1);
    verify(&place, &[]).code(1).says("FAILED");
    let statements = lines(&place.modelhost(&["attest", "r.json"]).code(0).stdout);
    assert_eq!(statements[0]["predicate"]["verificationResult"], "FAILED");
    assert_eq!(statements[0]["predicate"]["verifiedLevels"], serde_json::json!(["FAILED"]));
    assert_eq!(statements[1]["predicate"]["properties"], serde_json::json!([]));
}

#[test]
fn an_attestation_that_can_not_be_written_is_a_fault() {
    let place = place();
    run(&place, &["--attest", "absent/a.jsonl"]).code(70).says("the decision is allow");
    place.write("bert/a.pkl", model::malicious_pickle());
    run(&place, &["--attest", "absent/a.jsonl"]).code(70).says("the decision is deny");
    run(&place, &["-o", "json=r.json"]).code(1);
    place.modelhost(&["attest", "r.json", "-o", "absent/a"]).code(70).says("could not be written");
}

#[test]
fn what_does_not_go_together_is_a_mistake() {
    let place = place();
    place.write("gpt/model.safetensors", model::safetensors(8));
    run(&place, &["--attest", "a", "--no-digests"]).code(2).says("cannot be used with");
    run(&place, &["--attest", "a", "--trust-stat"]).code(2).says("cannot be used with");
    run(&place, &["--key", "key.pem"]).code(2).says("--attest PATH");
    run(&place, &["--attest", "a", "--key", "key.pem", "--isolation", "in-process"])
        .code(2)
        .says("signing key");
    run(&place, &["--attest", "a", "--verifier-id", "not a URI"]).code(2).says("scheme");
    run(&place, &["gpt", "--attest", "a", "--resource-uri", "oci:x"])
        .code(70)
        .says("names one model, and the report is about 2");
    run(&place, &["--no-digests", "-o", "json=scan.json"]);
    place.modelhost(&["attest", "scan.json"]).code(2).says("--no-digests");
    place.modelhost(&["attest", "bert/README.md"]).code(2).says("no JSON, and so no JSON report");
    assert!(!place.path().join("a").exists());
}

#[test]
fn keys_are_read_with_care() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    let try_key = |name: &str| run(&place, &["--attest", "x.jsonl", "--key", name]);
    // Others may read it: a warning, and it goes on.
    std::fs::set_permissions(path("key.pem"), std::fs::Permissions::from_mode(0o644))
        .expect("permissions");
    try_key("key.pem").code(0).says("can be read by others");
    let encrypted = ["pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:x", "-out", "e.pem"];
    openssl(&place, &encrypted);
    try_key("e.pem").code(2).says("encrypted");
    openssl(&place, &["ec", "-in", "key.pem", "-out", "sec1.pem"]);
    try_key("sec1.pem").code(2).says("SEC 1");
    openssl(&place, &["genpkey", "-algorithm", "ED25519", "-out", "ed.pem"]);
    try_key("ed.pem").code(2).says("Ed25519");
    openssl(&place, &["genpkey", "-algorithm", "RSA", "-out", "rsa.pem"]);
    try_key("rsa.pem").code(2).says("RSA");
    key(&place, "p521", "P-521");
    try_key("p521.pem").code(2).says("P-521");
    try_key("key.pub").code(2).says("public key");
    try_key("bert/README.md").code(2).says("no private key");
    try_key("absent").code(2).says("can't be read");
    // From the environment, as CI hands it over; it is shown nowhere.
    let pem = place.read("key.pem");
    let with = |value: &str| {
        let mut command =
            place.command(&["run", "bert", "--attest", "a.jsonl", "-vv", NOW[0], NOW[1]]);
        place.said(&command.env("MODELHOST_SIGNING_KEY", value).output().expect("it starts"))
    };
    let said = with(&pem);
    said.code(0);
    let secret = pem.lines().nth(1).expect("base64");
    assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret));
    verify(&place, &[]).code(0);
    with("rubbish").code(2).says("MODELHOST_SIGNING_KEY can't be used");
}

/// The envelope of a bundle, with its payload, type and signature, as OpenSSL wants it.
fn take_apart(place: &Place, line: &str) {
    use base64::Engine as _;
    let bundle: Value = serde_json::from_str(line).expect("JSON");
    let sealed = &bundle["dsseEnvelope"];
    let decode = |value: &Value| {
        let text = value.as_str().expect("text");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    };
    let payload = decode(&sealed["payload"]);
    let kind = sealed["payloadType"].as_str().expect("text");
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    place.write("signed", [head.as_bytes(), &payload].concat());
    place.write("signature", decode(&sealed["signatures"][0]["sig"]));
}

#[test]
fn openssl_verifies_what_is_signed() {
    let place = place();
    for (curve, digest) in [("P-256", "-sha256"), ("P-384", "-sha384")] {
        key(&place, "key", curve);
        run(&place, &["--attest", "a.jsonl", "--key", "key.pem"]).code(0);
        for line in place.read("a.jsonl").lines() {
            take_apart(&place, line);
            let dgst = ["dgst", digest, "-verify", "key.pub", "-signature", "signature", "signed"];
            openssl(&place, &dgst);
        }
        verify(&place, &[]).code(0);
    }
}

/// Runs our own check of signatures on the model with the attestation at `path` in it.
fn provenance(place: &Place, path: &str) -> Said {
    let digest = modelhost::domain::digest::Digest::of(place.read("key.pub").as_bytes());
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[gate]\nrequire = [\"provenance\"]\nnot-judged = \"warn\"\n\
             [[model]]\nname = \"bert\"\npath = \"bert\"\n\
             [documents]\nsigner = {{ path = \"key.pub\", digest = \"{digest}\" }}\n\
             [plugin.provenance]\ngrants = [\"documents:signer\"]\n\
             settings = {{ key = \"signer\", signature = \"{path}\", \
             predicates = [\"https://slsa.dev/verification_summary/v1\"] }}\n"
        ),
    );
    let said = place.modelhost(&["run", "--only", "provenance", "-o", "json", NOW[0], NOW[1]]);
    std::fs::remove_file(place.path().join("modelhost.toml")).expect("removed");
    said
}

#[test]
fn our_own_check_of_signatures_takes_it() {
    let place = place();
    run(&place, &["-o", "json=r.json"]).code(0);
    let attest = ["attest", "r.json", "--key", "key.pem", "--only", "vsa"];
    let attest = [&attest[..], &["-o", "bert/vsa.sigstore.json"]].concat();
    place.modelhost(&attest).code(0);
    let said = provenance(&place, "vsa.sigstore.json");
    let report = said.code(0).json();
    let facts = report["tasks"][0]["facts"].as_array().expect("facts").clone();
    let fact = |key: &str| facts.iter().find(|fact| fact["key"] == key).map(|fact| &fact["value"]);
    assert_eq!(fact("statement"), Some(&"https://slsa.dev/verification_summary/v1".into()));
    assert_eq!(fact("signed-files"), Some(&"2".into()));
    // A model that was verified once is attested again with what that rests on.
    place.write("report.json", said.stdout);
    let attested = place.modelhost(&["attest", "report.json", "--only", "vsa"]);
    let vsa = lines(&attested.code(0).stdout)[0]["predicate"].clone();
    assert_eq!(vsa["inputAttestations"][0]["name"], "vsa.sigstore.json");
    assert_eq!(vsa["verifiedLevels"][1], "MODELHOST_SIGNED");
    // A gate that said no is not taken for a signature.
    let denied = place.read("r.json").replace("\"decision\": \"allow\"", "\"decision\": \"deny\"");
    let reason = r#""reasons": [{"decision": "deny", "kind": "gate"}]"#;
    place.write("denied.json", denied.replacen(r#""reasons": []"#, reason, 1));
    let sign = ["attest", "denied.json", "--key", "key.pem", "--only", "vsa"];
    place.modelhost(&[&sign[..], &["-o", "bert/vsa.sigstore.json"]].concat()).code(0);
    provenance(&place, "vsa.sigstore.json").code(1).says("provenance/not-passed");
    place.modelhost(&attest).code(0);
    provenance(&place, "vsa.sigstore.json").code(0);
    // And refuses it for another model.
    place.write("bert/README.md", "# Another\n");
    provenance(&place, "vsa.sigstore.json").code(1).says("provenance/file-changed");
}

/// What of PyPI's is installed, pinned.
const PACKAGES: [&str; 3] =
    ["in-toto-attestation==0.9.3", "securesystemslib[crypto]==1.6.0", "sigstore-models==0.0.6"];

/// Where PyPI's implementations are installed; made by the long tests.
fn peers() -> Option<std::path::PathBuf> {
    let folder = root().join("target/bench/peers/attestation");
    let (done, wanted) = (folder.join("installed"), PACKAGES.join("\n"));
    if std::fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Some(folder);
    }
    if !is_long() {
        eprintln!("skipped: implementations from PyPI are installed by the long tests");
        return None;
    }
    let run = |command: &mut Command| {
        let done = command.output().expect("it starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let mut pip = Command::new(folder.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES));
    std::fs::write(done, wanted).expect("a file");
    Some(folder)
}

fn python(folder: &Path, place: &Place, args: &[&str]) {
    let script = root().join("tests/it/attest/peer.py");
    let mut command = Command::new(folder.join("bin/python"));
    let done = command.arg("-B").arg(script).args(args).current_dir(place.path()).output();
    let done = done.expect("python starts");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn implementations_of_others_agree_in_both_directions() {
    let Some(folder) = peers() else { return };
    let place = place();
    run(&place, &["--attest", "a.jsonl", "--key", "key.pem", "-o", "json=r.json"]).code(0);
    // Theirs parse and verify ours.
    python(&folder, &place, &["verify", "a.jsonl", "key.pub"]);
    // Ours verify what theirs wrote and signed.
    place.modelhost(&["attest", "r.json", "-o", "statements.jsonl"]).code(0);
    let sign = ["sign", "statements.jsonl", "key.pem", "theirs.jsonl", "bert/theirs.json"];
    python(&folder, &place, &sign);
    std::fs::copy(place.path().join("theirs.jsonl"), place.path().join("a.jsonl")).expect("copied");
    provenance(&place, "theirs.json").code(0);
    std::fs::remove_file(place.path().join("bert/theirs.json")).expect("removed");
    verify(&place, &[]).code(0);
}
