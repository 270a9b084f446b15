//! The rules of the check, and the words of its findings.
//!
//! It leaves to others: what was found.

use modelhost_check::{Finding, Location, Rule, Severity};

use crate::inventory::Change;
use crate::{slsa, statement, verify};

const UNSIGNED: Rule = Rule::new("unsigned", Severity::Low);
const NO_TRUSTED_KEY: Rule = Rule::new("no-trusted-key", Severity::Low);
const BUNDLE_MALFORMED: Rule = Rule::new("bundle-malformed", Severity::High);
const WRONG_SIGNER: Rule = Rule::new("wrong-signer", Severity::High);
const CERTIFICATE_UNTRUSTED: Rule = Rule::new("certificate-untrusted", Severity::High);
const CERTIFICATE_UNLOGGED: Rule = Rule::new("certificate-unlogged", Severity::High);
const LOG_ENTRY_INVALID: Rule = Rule::new("log-entry-invalid", Severity::High);
const TIME_UNTRUSTED: Rule = Rule::new("time-untrusted", Severity::High);
const SIGNATURE_INVALID: Rule = Rule::new("signature-invalid", Severity::High);
const STATEMENT_MALFORMED: Rule = Rule::new("statement-malformed", Severity::High);
const BUILDER_UNTRUSTED: Rule = Rule::new("builder-untrusted", Severity::High);
const BUILD_UNEXPECTED: Rule = Rule::new("build-unexpected", Severity::High);
const NOT_PASSED: Rule = Rule::new("not-passed", Severity::High);
const UNSAFE_PATH: Rule = Rule::new("unsafe-path", Severity::High);
const DUPLICATE_FILE: Rule = Rule::new("duplicate-file", Severity::High);
const LINKS_FOLLOWED: Rule = Rule::new("links-followed", Severity::High);
const FILE_CHANGED: Rule = Rule::new("file-changed", Severity::High);
const FILE_MISSING: Rule = Rule::new("file-missing", Severity::High);
const FILE_UNSIGNED: Rule = Rule::new("file-unsigned", Severity::High);
const UNSIGNED_WEIGHTS: Rule = Rule::new("unsigned-weights", Severity::High);
const NOT_COVERED: Rule = Rule::new("not-covered", Severity::Info);

/// All rules of the check, in the order of its manifest.
pub const RULES: [Rule; 21] = [
    UNSIGNED,
    NO_TRUSTED_KEY,
    BUNDLE_MALFORMED,
    WRONG_SIGNER,
    CERTIFICATE_UNTRUSTED,
    CERTIFICATE_UNLOGGED,
    LOG_ENTRY_INVALID,
    TIME_UNTRUSTED,
    SIGNATURE_INVALID,
    STATEMENT_MALFORMED,
    BUILDER_UNTRUSTED,
    BUILD_UNEXPECTED,
    NOT_PASSED,
    UNSAFE_PATH,
    DUPLICATE_FILE,
    LINKS_FOLLOWED,
    FILE_CHANGED,
    FILE_MISSING,
    FILE_UNSIGNED,
    UNSIGNED_WEIGHTS,
    NOT_COVERED,
];

const GET_AGAIN: &str = "fetch the model and its signature again from their source; if the change is wanted, the signer has to sign anew";

/// The policy lines that make the check verify signatures.
const TRUST: &str = "nothing was verified; to name the signer's public key, write in modelhost.toml \
     `[documents] signer = { path = \"signer.pem\", digest = \"sha256:…\" }` and \
     `[plugin.provenance] grants = [\"documents:signer\"] settings = { key = \"signer\" }`";

/// Those that make it verify keyless ones.
const TRUST_KEYLESS: &str = "nothing was verified; to name the signer, write in modelhost.toml \
     `[documents] sigstore = { path = \"trusted_root.json\", digest = \"sha256:…\" }` and \
     `[plugin.provenance] grants = [\"documents:sigstore\"] settings = { trusted-root = \"sigstore\", \
     identity = \"…\", identity-provider = \"https://…\" }`";

/// How many paths a finding lists by name.
const LISTED: usize = 10;

const SIGN: &str = "sign it with OpenSSF model signing, such as `model_signing sign key`, and put the bundle into the model";

/// Reports that there is no signature; `named`: where the policy says it should be.
pub fn unsigned(named: Option<&str>) -> Finding {
    let message = match named {
        Some(path) => format!(
            "the model isn't signed: it has no file `{path}`, where the policy says its signature is"
        ),
        None => {
            "the model isn't signed: it has no `model.sig`, nor another bundle `*.sig` at its top"
                .into()
        }
    };
    UNSIGNED.finding(Location::model(), message).help(SIGN)
}

/// Reports that what should be the signature is none that could be verified.
pub fn no_bundle(signature: &str, why: &str) -> Finding {
    let message = format!("the model isn't signed: its `{signature}` can't be verified, {why}");
    UNSIGNED.finding(Location::path(signature), message).help(SIGN)
}

/// Reports that the model is signed, and the policy does not say by whom it should be.
pub fn no_trusted_key(signature: &str, is_keyless: bool) -> Finding {
    let message = "the model is signed, and the policy trusts no one to have signed it";
    let help = if is_keyless { TRUST_KEYLESS } else { TRUST };
    NO_TRUSTED_KEY.finding(Location::path(signature), message).help(help)
}

/// Reports a signature file that can't be read.
pub fn bundle_malformed(signature: &str, why: &str) -> Finding {
    BUNDLE_MALFORMED
        .finding(Location::path(signature), format!("the signature can't be read: {why}"))
        .help(GET_AGAIN)
}

/// Reports that nobody trusted signed the model.
pub fn not_signed_by(signature: &str, refusal: verify::Refusal) -> Finding {
    let location = Location::path(signature);
    match refusal {
        verify::Refusal::WrongSigner(message) => WRONG_SIGNER
            .finding(location, message)
            .help("find out who signed the model; trust their key in the policy only if they are who you expect"),
        verify::Refusal::CertificateUntrusted(message) => CERTIFICATE_UNTRUSTED
            .finding(location, message)
            .help("ask the signer for a signature with a certificate that is valid, for signing, and issued by whom you trust"),
        verify::Refusal::CertificateUnlogged => CERTIFICATE_UNLOGGED
            .finding(location, "no certificate log of the trusted root promised to list the signer's certificate")
            .help("ask the signer for a signature made with the Sigstore instance that the policy trusts, or renew the trusted root"),
        verify::Refusal::EntryInvalid(why) => LOG_ENTRY_INVALID
            .finding(location, format!("the signature is not in the public log as it has to be; of its entry: {why}"))
            .help(GET_AGAIN),
        verify::Refusal::TimeUntrusted(why) => TIME_UNTRUSTED
            .finding(location, format!("nobody trusted tells when the model was signed: {why}"))
            .help("ask the signer for a signature with an entry of a log or a timestamp that the trusted root vouches for"),
        verify::Refusal::SignatureInvalid(message) => SIGNATURE_INVALID.finding(location, message).help(GET_AGAIN),
    }
}

/// Reports a signed statement that can't be used.
pub fn statement(signature: &str, refusal: &statement::Refusal) -> Finding {
    let (rule, message) = match refusal {
        statement::Refusal::Malformed(why) => {
            (STATEMENT_MALFORMED, format!("the signed statement can't be used: {why}"))
        }
        statement::Refusal::UnsafePath(name) => (
            UNSAFE_PATH,
            format!("the signed statement names `{name}`, which is no plain path within the model"),
        ),
        statement::Refusal::Duplicate(name) => (
            DUPLICATE_FILE,
            format!(
                "the signed statement lists `{name}` twice, and so does not say what it should be"
            ),
        ),
    };
    rule.finding(Location::path(signature), message)
        .help("ask the signer for a signature made by a current signing tool")
}

/// Reports a build that is not as the policy expects.
pub fn build(signature: &str, refusal: &slsa::Refusal) -> Finding {
    let (rule, message, help) = match refusal {
        slsa::Refusal::Malformed(why) => (
            STATEMENT_MALFORMED,
            format!("the signed statement can't be used: {why}"),
            "ask whoever built the model for provenance made by a current builder",
        ),
        slsa::Refusal::Builder(why) => (
            BUILDER_UNTRUSTED,
            format!("the model was not built by whom it should be: {why}"),
            "find out who built the model; name them in `slsa.builders` only if they are who you expect",
        ),
        slsa::Refusal::Build(why) => (
            BUILD_UNEXPECTED,
            format!("the model was not built as it should be: {why}"),
            "find out how the model was built; change `slsa` in the settings only if that is how it should be",
        ),
    };
    rule.finding(Location::path(signature), message).help(help)
}

/// Reports a verification summary that says no.
pub fn not_passed(signature: &str, result: &str) -> Finding {
    let message = format!("whoever verified the model did not let it through: they say `{result}`");
    NOT_PASSED.finding(Location::path(signature), message).help(
        "find out why, in the report of that verification; use the model only once it was verified again, and passed",
    )
}

/// Reports that the signer followed links, and the policy does not allow that.
pub fn links_followed(signature: &str) -> Finding {
    let message =
        "the signer followed symbolic links, so what was signed need not lie in the model";
    LINKS_FOLLOWED.finding(Location::path(signature), message).help(
        "sign the model without links; or allow them with `allow-symlinks = true` in the settings: every file is compared with its signed digest all the same",
    )
}

/// Reports a file that is not what was signed.
pub fn file_changed(path: &str, change: &Change) -> Finding {
    let message = match change {
        Change::Content => "the file is not the one that was signed".into(),
        Change::Size(signed) => {
            format!("the file was signed with {signed} bytes, and has another size")
        }
        Change::Part(start, end) => {
            format!("the file differs from the signed one between the bytes {start} and {end}")
        }
    };
    let location = Location::path(path);
    let location = match change {
        Change::Part(start, _) => location.offset(*start),
        _ => location,
    };
    FILE_CHANGED.finding(location, message).help(GET_AGAIN)
}

/// Reports a signed file that the model does not have.
pub fn file_missing(signature: &str, path: &[u8]) -> Finding {
    let path = String::from_utf8_lossy(path);
    let message = match path.as_ref() {
        statement::ONLY_FILE => {
            "one file without a name was signed, and the model has not exactly one".into()
        }
        path => {
            format!("`{path}` was signed, and the model does not have it, or the policy ignores it")
        }
    };
    FILE_MISSING.finding(Location::path(signature), message).help(GET_AGAIN)
}

/// Reports that other signed files are not there either.
pub fn files_missing(signature: &str, more: usize) -> Finding {
    let message = format!("{more} more files were signed, and the model does not have them");
    FILE_MISSING.finding(Location::path(signature), message).help(GET_AGAIN)
}

/// Reports a file that nobody signed.
pub fn file_unsigned(path: &str) -> Finding {
    FILE_UNSIGNED
        .finding(Location::path(path), "the file is in the model, and was not signed with it")
        .help("remove the file, or have the model signed anew; what belongs to your checkout alone goes into `ignore-paths`")
}

/// Reports a file that was left out of the signature and may not be.
pub fn unsigned_weights(path: &str) -> Finding {
    UNSIGNED_WEIGHTS
        .finding(Location::path(path), "the file is left out of the signature, and is not plain text: it may hold weights or code")
        .help("have the file signed with the model; a file that has to stay unsigned needs a waiver, which is bound to its digest")
}

/// Reports which files the signature says nothing about.
pub fn not_covered(paths: &[String]) -> Finding {
    let listed: Vec<_> = paths.iter().take(LISTED).map(|path| format!("`{path}`")).collect();
    let more = match paths.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    NOT_COVERED.finding(
        Location::model(),
        format!("the signature does not cover {}{more}", listed.join(", ")),
    )
}
