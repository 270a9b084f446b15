//! The check from the settings to the answer: find the signature, verify it, read
//! what was signed, compare the files.
//!
//! It leaves to others each of these steps, and the words ([`crate::report`]).

use modelhost_check::{
    Algorithm, Answer, Failure, File, Finding, Model, Observations, Severity, raw_path,
};

use crate::bundle::{self, Bundle, MAX_BUNDLE};
use crate::inventory::{self, Exceptions, Inventory, MAX_TEXT, Standing};
use crate::material::Material;
use crate::slsa::Build;
use crate::statement::Statement;
use crate::verify::{self, Method, Signer, Trust};
use crate::{Settings, attestation, policy, report, slsa, statement, time};

/// The name that the reference tool gives to a signature.
const SIGNATURE: &str = "model.sig";

/// How much of a file is read to see whether it is a bundle. Signers write the form
/// of the bundle first.
const START: u32 = 4096;

/// How many missing files are told of one by one. A statement may list any number, none
/// of which is there.
const MAX_MISSING: usize = 100;

/// Checks the model's signature.
///
/// # Errors
/// Why it could not be checked.
pub fn check(model: &Model<'_>, settings: &Settings) -> Result<Answer, Failure> {
    let exceptions = policy::exceptions(settings)?;
    let trust = policy::trust(model, settings)?;
    let paths: Vec<String> = model.files().map(|file| file.path()).collect();
    let mut view = View { model, settings, paths, observations: Observations::new() };
    let signed = match (view.signature()?, trust) {
        (None, _) => Err(report::unsigned(settings.signature.as_deref())),
        (Some(signature), None) => Err(view.trusting_nobody(&signature)?),
        (Some(signature), Some(trust)) => view.signed(signature, &trust)?,
    };
    match signed {
        Ok(signed) => view.compare(signed, exceptions)?,
        Err(finding) => {
            view.observations.push(finding);
            view.digest_all()?;
        }
    }
    Ok(view.observations.into())
}

/// A verified statement, where it stands, and who signed it.
struct SignedStatement {
    signature: String,
    signer: Signer,
    predicate: String,
    statement: Statement,
    /// How the model was built, where the policy asks.
    build: Option<Build>,
    /// Whether every file that it names has to be in the model.
    is_whole: bool,
}

struct View<'a> {
    model: &'a Model<'a>,
    settings: &'a Settings,
    paths: Vec<String>,
    observations: Observations,
}

impl View<'_> {
    /// Finds the file that holds the signature.
    fn signature(&self) -> Result<Option<String>, Failure> {
        let named = self.settings.signature.as_deref();
        let wanted = named.unwrap_or(SIGNATURE);
        if let Some(path) = self.paths.iter().find(|path| *path == wanted) {
            return Ok(Some(path.clone()));
        }
        if named.is_some() {
            return Ok(None);
        }
        let mut found: Option<String> = None;
        for (file, path) in self.model.files().zip(&self.paths) {
            if path.contains('/') || !path.ends_with(".sig") {
                continue;
            }
            let start = file.read(0, START).map_err(|error| error.in_file(&file))?;
            if !bundle::looks_like_one(&start) {
                continue;
            }
            if let Some(other) = found.replace(path.clone()) {
                let text = format!(
                    "the model has several signatures, `{other}` and `{path}`: name one in the setting `signature`"
                );
                return Err(Failure::Unsupported(text));
            }
        }
        Ok(found)
    }

    /// Reports a signature by whom the policy does not say to trust. What it says of
    /// itself decides which advice helps; nothing of it is verified.
    fn trusting_nobody(&self, signature: &str) -> Result<Finding, Failure> {
        Ok(match self.bundle(signature)? {
            Ok(bundle) => {
                report::no_trusted_key(signature, matches!(bundle.material, Material::Keyless(..)))
            }
            Err(why) => report::no_bundle(signature, &why),
        })
    }

    /// Reads the signature file. What is wrong with it is the inner error.
    fn bundle(&self, signature: &str) -> Result<Result<Bundle, String>, Failure> {
        let Some(file) = self.model.file(signature) else {
            return Err(Failure::Internal("a file that was listed is not there".into()));
        };
        if file.size() > MAX_BUNDLE {
            let size = file.size();
            let text = format!(
                "`{signature}` has {size} bytes; a signature of more than {MAX_BUNDLE} is not read"
            );
            return Err(Failure::Unsupported(text));
        }
        let content = file.read_all(MAX_BUNDLE).map_err(|error| error.in_file(&file))?;
        Ok(bundle::parse(&content))
    }

    /// Verifies the signature and reads what was signed. What is wrong with either
    /// is a finding.
    fn signed(
        &self,
        signature: String,
        trust: &Trust,
    ) -> Result<Result<SignedStatement, Finding>, Failure> {
        let bundle = match self.bundle(&signature)? {
            Ok(bundle) => bundle,
            Err(why) => return Ok(Err(report::bundle_malformed(&signature, &why))),
        };
        let signer = match verify::signer(&bundle, trust) {
            Ok(signer) => signer,
            Err(refusal) => return Ok(Err(report::not_signed_by(&signature, refusal))),
        };
        Ok(self.statement(signature, signer, &bundle).map_err(|finding| *finding))
    }

    /// Reads what was signed, by the kind of statement that it is.
    fn statement(
        &self,
        signature: String,
        signer: Signer,
        bundle: &Bundle,
    ) -> Result<SignedStatement, Box<Finding>> {
        let refused =
            |refusal: statement::Refusal| Box::new(report::statement(&signature, &refusal));
        let payload = &bundle.payload;
        let predicate =
            statement::predicate_type(&bundle.payload_type, payload).map_err(refused)?;
        if !self.accepts(&predicate) {
            let why = format!("it says `{predicate}`, which the policy does not ask for");
            return Err(refused(statement::Refusal::Malformed(why)));
        }
        if let Some(result) = attestation::refused(&predicate, payload).map_err(refused)? {
            return Err(Box::new(report::not_passed(&signature, &result)));
        }
        let (statement, is_whole) = match predicate.as_str() {
            statement::PREDICATE_TYPE => (statement::parse(payload), true),
            statement::OLD_PREDICATE_TYPE => (statement::parse_old(payload), true),
            _ => {
                let raw: Vec<_> = self.paths.iter().map(|path| raw_path(path)).collect();
                let subjects = attestation::parse(payload);
                (subjects.and_then(|subjects| subjects.for_files(&raw)), false)
            }
        };
        let statement = statement.map_err(refused)?;
        let repository = signer.repository.as_deref();
        let build = self.settings.slsa.as_ref();
        let build = build.map(|expected| slsa::check(payload, expected, repository));
        let build =
            build.transpose().map_err(|refusal| Box::new(report::build(&signature, &refusal)))?;
        Ok(SignedStatement { signature, signer, predicate, statement, build, is_whole })
    }

    /// Tells whether the policy asks for statements that say this.
    fn accepts(&self, predicate: &str) -> bool {
        let Settings { slsa, predicates, .. } = self.settings;
        match (slsa, predicates.as_slice()) {
            (Some(_), _) => predicate == slsa::PREDICATE_TYPE,
            (None, []) => {
                [statement::PREDICATE_TYPE, statement::OLD_PREDICATE_TYPE].contains(&predicate)
            }
            (None, asked) => asked.iter().any(|asked| asked == predicate),
        }
    }

    /// Compares every file with what was signed.
    fn compare(&mut self, signed: SignedStatement, exceptions: Exceptions) -> Result<(), Failure> {
        let SignedStatement { signature, signer, predicate, statement, build, is_whole } = signed;
        if statement.follows_links && !self.settings.allow_symlinks {
            self.observations.push(report::links_followed(&signature));
        }
        let raw: Vec<_> = self.paths.iter().map(|path| raw_path(path)).collect();
        let inventory = Inventory::new(statement, exceptions, raw_path(&signature), &raw);
        let mut left_out = Vec::new();
        for ((file, path), raw) in self.model.files().zip(&self.paths).zip(&raw) {
            // Whatever becomes of the file, it has been read.
            let sha256 = file.digest(Algorithm::Sha256).map_err(|error| error.in_file(&file))?;
            match inventory.standing(raw) {
                Standing::Signature | Standing::Git => {}
                Standing::Signed(signed) => {
                    let digest = |algorithm, range| digest(&file, algorithm, &sha256, range);
                    let algorithm = inventory.statement().algorithm;
                    let change = inventory::change(signed, algorithm, file.size(), digest)?;
                    if let Some(change) = change {
                        self.observations.push(report::file_changed(path, &change));
                    }
                }
                Standing::LeftOut if is_companion(&file, path)? => left_out.push(path.clone()),
                Standing::LeftOut => self.observations.push(report::unsigned_weights(path)),
                Standing::Unsigned => self.observations.push(report::file_unsigned(path)),
            }
        }
        if is_whole {
            let missing = inventory.missing(&raw);
            for path in missing.iter().take(MAX_MISSING) {
                self.observations.push(report::file_missing(&signature, path));
            }
            if let Some(more) = missing.len().checked_sub(MAX_MISSING).filter(|more| *more > 0) {
                self.observations.push(report::files_missing(&signature, more));
            }
        }
        if !left_out.is_empty() {
            self.observations.push(report::not_covered(&left_out));
        }
        if self.observations.findings().iter().all(|finding| finding.severity < Severity::High) {
            let counts = (inventory.statement().files.len(), left_out.len());
            self.state(&signature, signer, &predicate, build, counts);
        }
        Ok(())
    }

    /// States what was established. `counts`: of files signed, and of files left out.
    fn state(
        &mut self,
        signature: &str,
        signer: Signer,
        predicate: &str,
        build: Option<Build>,
        counts: (usize, usize),
    ) {
        let trusted = match signer.method {
            Method::Key => &self.settings.key,
            Method::Certificate => &self.settings.certificates,
            Method::Keyless => &self.settings.trusted_root,
        };
        let provider = self.settings.identity_provider.clone();
        let facts = [
            ("signer", Some(signer.name)),
            ("signed-files", Some(counts.0.to_string())),
            ("signature", Some(signature.to_owned())),
            ("statement", Some(predicate.to_owned())),
            ("signing-method", Some(signer.method.name().to_owned())),
            ("trusted-by", trusted.as_deref().and_then(|name| policy::digested(self.model, name))),
            ("identity-provider", provider.filter(|_| signer.method == Method::Keyless)),
            ("signed-at", signer.time.map(|(seconds, _)| time::to_text(seconds))),
            ("time-by", signer.time.map(|(_, witness)| witness.to_owned())),
            ("not-covered-files", Some(counts.1.to_string()).filter(|_| counts.1 > 0)),
            ("builder", build.as_ref().map(|build| build.builder.clone())),
            ("build-level", build.as_ref().map(|build| build.level.to_string())),
            ("source", build.map(|build| build.source)),
        ];
        for (name, value) in facts {
            if let Some(value) = value {
                self.observations.fact(name, value);
            }
        }
    }

    /// Reads every file where no statement says what to compare it with: an answer
    /// means that all were read.
    fn digest_all(&self) -> Result<(), Failure> {
        for file in self.model.files() {
            file.digest(Algorithm::Sha256).map_err(|error| error.in_file(&file))?;
        }
        Ok(())
    }
}

/// Computes the digest of a range of a file, or of all of it.
fn digest(
    file: &File,
    algorithm: Algorithm,
    sha256: &[u8],
    range: Option<(u64, u64)>,
) -> Result<Vec<u8>, Failure> {
    let digest = match (algorithm, range) {
        (Algorithm::Sha256, None) => return Ok(sha256.to_vec()),
        (_, None) => file.digest(algorithm),
        (_, Some((offset, length))) => file.digest_range(algorithm, offset, length),
    };
    digest.map_err(|error| error.in_file(file))
}

fn is_companion(file: &File, path: &str) -> Result<bool, Failure> {
    let content = (file.size() <= MAX_TEXT).then(|| file.read_all(MAX_TEXT)).transpose();
    let content = content.map_err(|error| error.in_file(file))?;
    Ok(inventory::is_companion(path, content.as_deref()))
}

#[cfg(test)]
mod tests {
    use modelhost_check::Answer;
    use modelhost_check::testing::{self, Model};
    use serde_json::{Value, json};
    use sha2::{Digest as _, Sha256};

    use crate::extensions::forge::{provider_raw, repository};
    use crate::forge::{Answer as Listed, NAME, NOON, PROVIDER, Signing, certified, trusted_root};
    use crate::key::hex;
    use crate::{Provenance, slsa, statement};

    const WEIGHTS: &str = "\u{80}weights";

    /// A statement of model signing about the one file.
    fn signed() -> Value {
        let digest = Sha256::digest(WEIGHTS);
        json!({
            "_type": statement::STATEMENT_TYPES[0],
            "subject": [{ "name": "m", "digest": { "sha256": hex(&Sha256::digest(digest)) } }],
            "predicateType": statement::PREDICATE_TYPE,
            "predicate": {
                "resources": [{ "name": "w", "algorithm": "sha256", "digest": hex(&digest) }],
                "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false },
            },
        })
    }

    /// Provenance of the one file, as GitHub's runners attest it.
    fn built() -> Value {
        json!({
            "_type": statement::STATEMENT_TYPES[0],
            "subject": [{ "name": "w", "digest": { "sha256": hex(&Sha256::digest(WEIGHTS)) } }],
            "predicateType": slsa::PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": { "workflow": {
                        "ref": "refs/tags/v1", "repository": "https://github.test/o/r", "path": "a.yml",
                    } },
                },
                "runDetails": { "builder": { "id": "https://runner" } },
            },
        })
    }

    fn trusting() -> Value {
        json!({ "trusted-root": "root", "identity": NAME, "identity-provider": PROVIDER })
    }

    fn expecting() -> Value {
        let mut settings = trusting();
        settings["slsa"] = json!({
            "builders": [{ "id": "https://runner", "level": 2 }],
            "level": 2,
            "source": "https://github.test/o/r",
            "build-types": ["https://actions.github.io/buildtypes/workflow/v1"],
            "parameters": { "workflow.ref": "refs/tags/v1" },
            "allow-parameters": ["workflow.path"],
        });
        settings
    }

    /// Shows the findings, or else the facts.
    fn show(bundle: &Value, settings: Value) -> String {
        let seconds = u64::try_from(NOON + 3600).expect("after 1970");
        let model = Model::new("m")
            .file("w", WEIGHTS)
            .file("model.sig", bundle.to_string())
            .document("root", trusted_root().to_string())
            .now(seconds);
        let answer = testing::check::<Provenance>(&model, settings).expect("it was checked");
        testing::manifest(include_str!("../plugin.toml")).assert_kept(&model, &answer);
        let Answer::Checked(observations) = answer else { panic!("{answer:?}") };
        let findings: Vec<_> =
            observations.findings().iter().map(|finding| finding.rule.name()).collect();
        match findings.is_empty() {
            false => findings.join(" "),
            true => {
                let facts = observations.facts().iter();
                facts
                    .map(|fact| format!("{}={}", fact.key, fact.value))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
        }
    }

    fn of(statement: &Value) -> Signing {
        Signing::new(statement.to_string())
    }

    #[test]
    fn keyless_models() {
        let facts = show(&of(&signed()).bundle(), trusting());
        let trusted = hex(&Sha256::digest(trusted_root().to_string()));
        let expected = [
            format!("signer={NAME}"),
            "signed-files=1".into(),
            "signature=model.sig".into(),
            format!("statement={}", statement::PREDICATE_TYPE),
            "signing-method=sigstore".into(),
            format!("trusted-by=root sha256:{trusted}"),
            format!("identity-provider={PROVIDER}"),
            "signed-at=2025-03-01T12:01:00Z".into(),
            "time-by=log".into(),
        ];
        assert_eq!(facts, expected.join("\n"));
        let second = Signing::second(signed().to_string()).bundle();
        assert!(
            show(&second, trusting())
                .ends_with("signed-at=2025-03-01T12:01:01Z\ntime-by=timestamp")
        );
        let with = |name: &str, value: &str| {
            let mut settings = trusting();
            settings[name] = json!(value);
            show(&of(&signed()).bundle(), settings)
        };
        assert_eq!(with("identity", "https://github.test/o/r"), "wrong-signer");
        assert_eq!(with("identity", &format!("{NAME} ")), "wrong-signer");
        assert_eq!(with("identity-provider", "https://token.test/"), "wrong-signer");
        // What stands in the certificate in two forms has to be the same in both.
        let odd = |extensions: Vec<Vec<u8>>| {
            show(&Signing { extensions, ..of(&signed()) }.bundle(), trusting())
        };
        let mut two = certified(NAME, PROVIDER);
        two[4] = provider_raw("https://evil.test");
        assert_eq!(odd(two), "wrong-signer");
        let one = certified(NAME, PROVIDER)[..4].to_vec();
        assert!(odd(one.clone()).starts_with("signer="));
        assert_eq!(odd(one[..3].to_vec()), "wrong-signer");
        assert_eq!(
            show(&Signing { answer: Listed::None, ..of(&signed()) }.bundle(), trusting()),
            "certificate-unlogged"
        );
        let mut unlogged = of(&signed()).bundle();
        unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
        assert_eq!(show(&unlogged, trusting()), "log-entry-invalid");
        let unstamped = Signing { stamps: vec![], ..Signing::second(signed().to_string()) };
        assert_eq!(show(&unstamped.bundle(), trusting()), "time-untrusted");
        assert_eq!(show(&of(&built()).bundle(), trusting()), "statement-malformed");
    }

    #[test]
    fn attested_builds() {
        let facts = show(&of(&built()).bundle(), expecting());
        let build = "builder=https://runner\nbuild-level=2\nsource=https://github.test/o/r";
        assert!(facts.starts_with("signer=") && facts.ends_with(build), "{facts}");
        let certified_for = |source: &str| {
            let extensions = [certified(NAME, PROVIDER), vec![repository(source)]].concat();
            show(&Signing { extensions, ..of(&built()) }.bundle(), expecting())
        };
        assert!(certified_for("https://github.test/o/r").starts_with("signer="));
        assert_eq!(certified_for("https://github.test/o/evil"), "build-unexpected");
        let odd = |pointer: &str, value: Value| {
            let mut statement = built();
            *statement.pointer_mut(pointer).expect("it is there") = value;
            show(&of(&statement).bundle(), expecting())
        };
        let parameters = "/predicate/buildDefinition/externalParameters";
        let rows = [
            (odd("/predicate/runDetails/builder/id", json!("https://own")), "builder-untrusted"),
            (odd("/predicate/buildDefinition/buildType", json!("x")), "build-unexpected"),
            (odd(parameters, json!({ "inputs": { "base": "evil" } })), "build-unexpected"),
            (odd("/predicate", json!({})), "statement-malformed"),
            (
                odd("/predicateType", json!("https://slsa.dev/provenance/v0.2")),
                "statement-malformed",
            ),
            (odd("/subject/0/digest/sha256", json!("00".repeat(32))), "file-changed"),
            (odd("/subject/0/name", json!("v")), "file-unsigned"),
            (show(&of(&signed()).bundle(), expecting()), "statement-malformed"),
        ];
        for (row, (shown, expected)) in rows.into_iter().enumerate() {
            assert_eq!(shown, expected, "row {row}");
        }
        // Without public logs, where the policy says so.
        let mut private =
            Signing { answer: Listed::None, ..Signing::second(built().to_string()) }.bundle();
        private["verificationMaterial"]["tlogEntries"] = json!([]);
        assert_eq!(show(&private, expecting()), "log-entry-invalid");
        let mut unlogged = expecting();
        unlogged["unlogged"] = json!(true);
        assert!(show(&private, unlogged).ends_with(build));
    }
}
