//! The public provenance vectors, each case a small model with a signature and a
//! label that says whether a verifier must accept it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the vectors are files beside the checkout, and a table of them is what one wants to see"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use modelhost_check::testing::{self, Model};
use modelhost_check::{Answer, Severity};
use modelhost_plugin_provenance::Provenance;
use modelhost_plugin_provenance::certificate::Certificate;
use modelhost_plugin_provenance::key::PublicKey;
use modelhost_plugin_provenance::material::Material;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Manifest {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    method: String,
    model: String,
    signature: String,
    trust: Trust,
    options: Options,
    setup: Vec<Step>,
    verify: String,
    reason: String,
    strict: Option<Label>,
}

#[derive(Deserialize)]
struct Label {
    verify: String,
    reason: String,
}

#[derive(Deserialize)]
struct Trust {
    public_key: Option<String>,
    certificate_chain: Option<Vec<String>>,
    trusted_root: Option<String>,
    identity: Option<String>,
    identity_provider: Option<String>,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    ignore_paths: Vec<String>,
    #[serde(default)]
    ignore_unsigned_files: bool,
    #[serde(default)]
    allow_symlinks: bool,
    ignore_git_paths: Option<bool>,
    identity: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    op: String,
    path: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    target: String,
}

/// A case's model as the host would show it.
struct Shown {
    files: BTreeMap<String, Vec<u8>>,
    signature: String,
}

/// The vectors, where this checkout has them beside it.
fn vectors(set: &str) -> Option<(PathBuf, Vec<Case>)> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/provenance-vectors").join(set);
    let text = fs::read_to_string(root.join("manifest.json")).ok()?;
    let manifest: Manifest =
        serde_json::from_str(&text).expect("the vectors' manifest is as described");
    Some((root, manifest.cases))
}

fn read_folder(root: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().into_string().expect("names in the vectors are UTF-8");
        let path = format!("{prefix}{}", name.replace('\\', "\\\\"));
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).expect("the file can be read"));
        }
    }
}

/// Builds what the host would show; or says what of the case it would not show.
fn shown(root: &Path, case: &Case) -> Result<Shown, String> {
    let model = root.join(&case.model);
    let mut files = BTreeMap::new();
    if model.is_file() {
        let name = case.model.rsplit('/').next().expect("a path has a last part");
        files.insert(name.to_owned(), fs::read(&model).expect("the file can be read"));
    } else {
        read_folder(&model, "", &mut files);
    }
    let within = case.signature.strip_prefix(&format!("{}/", case.model));
    let signature = within.unwrap_or("model.sig").to_owned();
    if within.is_none() {
        let bytes = fs::read(root.join(&case.signature)).expect("the signature can be read");
        files.insert(signature.clone(), bytes);
    }
    for step in &case.setup {
        let path = step.path.strip_prefix("model/").unwrap_or(&step.path).to_owned();
        match step.op.as_str() {
            "write" => drop(files.insert(path, step.text.clone().into_bytes())),
            "delete" => drop(files.remove(&path)),
            // Folders are not shown.
            "mkdir" => {}
            // A link within the model is shown as a file of its target's content.
            "symlink" => match files.get(&step.target).cloned() {
                Some(content) => drop(files.insert(path, content)),
                None => return Err(format!("the host refuses a link to `{}`", step.target)),
            },
            other => return Err(format!("the host refuses what `{other}` makes")),
        }
    }
    Ok(Shown { files, signature })
}

/// Names whoever has the certificate: the specification trusts them whatever their name,
/// and the check asks for one.
fn fingerprint(signature: &[u8]) -> String {
    let bundle = modelhost_plugin_provenance::bundle::parse(signature);
    let key = bundle.ok().and_then(|bundle| match bundle.material {
        Material::Certificates(chain) => PublicKey::from_der(&Certificate::parse(&chain[0])?.key),
        _ => None,
    });
    key.map_or("nobody".into(), |key| key.fingerprint())
}

/// What the check says: `ok`, or the rule of the first finding that denies.
fn verdict(root: &Path, case: &Case, shown: &Shown, options: Value) -> String {
    let mut model = Model::new("model");
    for (path, content) in &shown.files {
        model = model.file(path.clone(), content.clone());
    }
    let mut settings = options;
    settings["signature"] = json!(shown.signature);
    if let Some(key) = &case.trust.public_key {
        model = model.document("key", fs::read(root.join(key)).expect("the key can be read"));
        settings["key"] = json!("key");
    }
    if let Some(chain) = &case.trust.certificate_chain {
        let read = |path: &String| fs::read(root.join(path)).expect("the certificate can be read");
        model = model.document("certificates", chain.iter().flat_map(read).collect::<Vec<_>>());
        settings["certificates"] = json!("certificates");
        if settings.get("identity").is_none() {
            settings["identity"] = json!(fingerprint(&shown.files[&shown.signature]));
        }
    }
    if let Some(path) = &case.trust.trusted_root {
        model = model.document("root", fs::read(root.join(path)).expect("the root can be read"));
        settings["trusted-root"] = json!("root");
        settings["identity"] = json!(case.trust.identity);
        settings["identity-provider"] = json!(case.trust.identity_provider);
    }
    match testing::check::<Provenance>(&model, settings) {
        Ok(answer @ Answer::Checked(_)) => {
            testing::manifest(include_str!("../plugin.toml")).assert_kept(&model, &answer);
            let signed = |answer: &Answer| match answer {
                Answer::Checked(observations) => {
                    observations.facts().iter().any(|fact| fact.key == "signer")
                }
                Answer::NotApplicable(_) => false,
            };
            let worst = answer.findings().iter().find(|finding| finding.severity >= Severity::High);
            match worst.or(answer.findings().first().filter(|_| !signed(&answer))) {
                Some(finding) => finding.rule.name().to_owned(),
                None => "ok".into(),
            }
        }
        Ok(Answer::NotApplicable(why)) => format!("not applicable: {why}"),
        Err(failure) => failure.to_string(),
    }
}

/// The rules that are a fair name for a reason of the vectors.
fn names(reason: &str, verdict: &str) -> bool {
    let rules: &[&str] = match reason {
        "digest-mismatch" => &["file-changed"],
        "extra-file" => &["file-unsigned"],
        "missing-file" => &["file-missing", "file-unsigned"],
        "cert-untrusted" | "cert-usage" | "cert-expired" | "cert-not-yet-valid"
        | "unsupported-key" => &["certificate-untrusted"],
        "key-mismatch" | "method-mismatch" | "identity-mismatch" => &["wrong-signer"],
        "signature-invalid" => &["signature-invalid"],
        "malformed-bundle" => &["bundle-malformed"],
        "sct-invalid" => &["certificate-unlogged"],
        "tlog-invalid" => &["log-entry-invalid", "time-untrusted"],
        "malformed-statement" => &["statement-malformed", "duplicate-file"],
        "wrong-payload-type"
        | "wrong-statement-type"
        | "wrong-predicate-type"
        | "root-digest-mismatch"
        | "unsupported-serialization" => &["statement-malformed"],
        "bad-path" => &["unsafe-path"],
        "unsigned-weights" => &["unsigned-weights"],
        "symlink" => &["links-followed", "file-unsigned"],
        _ => return false,
    };
    rules.contains(&verdict)
}

/// Runs the cases of one method, prints a line for each, and returns the false
/// accepts, the other disagreements, and how many cases were run.
fn run(set: &str, method: &str) -> Option<(Vec<String>, Vec<String>, usize)> {
    let (root, cases) = vectors(set)?;
    let (mut accepted, mut disagreeing, mut count) = (Vec::new(), Vec::new(), 0);
    for case in cases.iter().filter(|case| case.method == method) {
        let shown = shown(&root, case);
        // As the specification has it: with what the caller of the case allows.
        let mut caller = json!({
            "ignore-paths": case.options.ignore_paths,
            "ignore-unsigned-files": case.options.ignore_unsigned_files,
            "allow-symlinks": case.options.allow_symlinks,
            "ignore-git-paths": case.options.ignore_git_paths.unwrap_or(true),
        });
        // As a gate has it by default: nothing allowed that a stricter label is about.
        let mut gate = json!({ "ignore-paths": case.options.ignore_paths });
        if let Some(identity) = &case.options.identity {
            // The specification knows no identity of certificates.
            let settings = if case.strict.is_some() { &mut gate } else { &mut caller };
            settings["identity"] = json!(identity);
        }
        let mut wanted = vec![("verify", caller, case.verify.as_str(), case.reason.as_str())];
        if let Some(Label { verify, reason }) = &case.strict {
            wanted.push(("strict", gate, verify, reason));
        }
        for (label, options, expected, reason) in wanted {
            count += 1;
            let verdict = match &shown {
                Ok(shown) => verdict(&root, case, shown, options),
                Err(why) => why.clone(),
            };
            let agrees = (verdict == "ok") == (expected == "ok");
            let named = expected == "ok" || names(reason, &verdict);
            let note = match (agrees, named) {
                (true, true) => "agrees",
                (true, false) => "agrees, names it otherwise",
                (false, _) => "DISAGREES",
            };
            println!("{:44} {label:6} {expected:4} {reason:26} {verdict:22} {note}", case.id);
            match (agrees, expected) {
                (true, _) => {}
                (false, "ok") => disagreeing.push(format!("{} ({label})", case.id)),
                (false, _) => accepted.push(format!("{} ({label})", case.id)),
            }
        }
    }
    Some((accepted, disagreeing, count))
}

/// Runs the cases of one method, expects that none is accepted that must not be, and
/// returns which are refused that should be accepted, and how many were run.
fn check(set: &str, method: &str) -> Option<(Vec<String>, usize)> {
    let Some((accepted, disagreeing, count)) = run(set, method) else {
        println!("skipped: ../shared not present");
        return None;
    };
    assert_eq!(accepted, Vec::<String>::new(), "accepted, and must not be");
    Some((disagreeing, count))
}

#[test]
fn bundles_signed_with_a_key() {
    let Some((disagreeing, count)) = check("", "key") else { return };
    // 95 cases, and 3 that a gate judges otherwise than the specification.
    assert_eq!(count, 98);
    // A gate does not let a signer leave weights out of the signature.
    assert_eq!(disagreeing, ["ignore-covers-weights (verify)"], "refused, and should be accepted");
}

#[test]
fn bundles_signed_with_a_certificate() {
    let Some((disagreeing, count)) = check("", "certificate") else { return };
    // 22 cases, and one that a gate judges otherwise.
    assert_eq!(count, 23);
    assert_eq!(disagreeing, Vec::<String>::new(), "refused, and should be accepted");
}

#[test]
fn keyless_bundles() {
    let Some((disagreeing, count)) = check("", "sigstore") else { return };
    assert_eq!(count, 25);
    assert_eq!(disagreeing, Vec::<String>::new(), "refused, and should be accepted");
}

#[test]
fn bundles_of_earlier_releases() {
    for (method, expected) in [("key", 4), ("certificate", 5), ("sigstore", 4)] {
        let Some((disagreeing, count)) = check("upstream", method) else { return };
        assert_eq!(count, expected);
        assert_eq!(disagreeing, Vec::<String>::new(), "refused, and should be accepted");
    }
}
