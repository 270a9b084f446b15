//! The check from the settings to the answer: find the signature, verify it, read
//! what was signed, compare the files.
//!
//! It leaves to others each of these steps, and the words ([`crate::report`]).

use modelhost_check::{
    Algorithm, Answer, Document, Failure, File, Finding, Model, Observations, Severity, raw_path,
};

use crate::bundle::{self, Bundle, MAX_BUNDLE, Material};
use crate::inventory::{self, Exceptions, Inventory, MAX_TEXT, Standing};
use crate::key;
use crate::statement::{self, Statement};
use crate::verify::{self, Signer, Trust};
use crate::{Settings, chain, report};

/// The name that the reference tool gives to a signature.
const SIGNATURE: &str = "model.sig";

/// How much of a file is read to see whether it is a bundle. Signers write the form
/// of the bundle first.
const START: u32 = 4096;

/// The largest document of the operator's: all the certificates that it may hold.
const MAX_DOCUMENT: u64 = 256 << 10;

/// Checks the model's signature.
///
/// # Errors
/// Why it could not be checked.
pub fn check(model: &Model<'_>, settings: &Settings) -> Result<Answer, Failure> {
    let exceptions = exceptions(settings)?;
    let trust = trust(model, settings)?;
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

/// Reads what the policy leaves out.
fn exceptions(settings: &Settings) -> Result<Exceptions, Failure> {
    let mut exceptions = Exceptions {
        git: settings.ignore_git_paths.unwrap_or(true),
        unsigned: settings.ignore_unsigned_files,
        ..Exceptions::default()
    };
    for path in &settings.ignore_paths {
        if !exceptions.ignored.add(path) {
            let text =
                format!("`ignore-paths` holds `{path}`, which is no plain path within the model");
            return Err(Failure::InvalidSettings(text));
        }
    }
    Ok(exceptions)
}

/// Reads whom the policy trusts. None: nobody.
fn trust(model: &Model<'_>, settings: &Settings) -> Result<Option<Trust>, Failure> {
    if settings.identity.is_some() && settings.certificates.is_none() {
        let text = "`identity` names who has a certificate, and `certificates` is not set";
        return Err(Failure::InvalidSettings(text.into()));
    }
    if settings.key.is_none() && settings.certificates.is_none() {
        return Ok(None);
    }
    let keys = settings.key.as_deref().map(|name| document(model, name, key::parse_document));
    let authorities =
        settings.certificates.as_deref().map(|name| document(model, name, chain::parse_document));
    Ok(Some(Trust {
        keys: keys.transpose()?.unwrap_or_default(),
        authorities: authorities.transpose()?,
        identity: settings.identity.clone(),
        // A time too late to be counted is later than any certificate.
        now: i64::try_from(model.now().seconds).unwrap_or(i64::MAX),
    }))
}

/// Reads a document of the operator's.
fn document<T>(
    model: &Model<'_>,
    name: &str,
    parse: fn(&[u8]) -> Result<T, String>,
) -> Result<T, Failure> {
    let refused = |why: &str| Failure::InvalidSettings(format!("the document `{name}` {why}"));
    let document: Document = model.document(name).ok_or_else(|| {
        let grant = format!(
            "is not granted: add `\"documents:{name}\"` to `grants` under `[plugin.provenance]`"
        );
        refused(&grant)
    })?;
    if document.size() > MAX_DOCUMENT {
        return Err(refused("is too large to be a list of keys or certificates"));
    }
    parse(&document.read_all(MAX_DOCUMENT)?).map_err(|why| refused(&why))
}

/// A verified statement, where it stands, and who signed it.
struct SignedStatement {
    signature: String,
    signer: Signer,
    statement: Statement,
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
            Ok(bundle) => report::no_trusted_key(signature, bundle.material == Material::Keyless),
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
        Ok(match statement::parse(&bundle.payload_type, &bundle.payload) {
            Ok(statement) => Ok(SignedStatement { signature, signer, statement }),
            Err(refusal) => Err(report::statement(&signature, &refusal)),
        })
    }

    /// Compares every file with what was signed.
    fn compare(&mut self, signed: SignedStatement, exceptions: Exceptions) -> Result<(), Failure> {
        let SignedStatement { signature, signer, statement } = signed;
        if signer.is_anyone {
            self.observations.push(report::signer_not_pinned(&signature));
        }
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
                    let digest =
                        |range| digest(&file, inventory.statement().algorithm, &sha256, range);
                    if let Some(change) = inventory::change(signed, file.size(), digest)? {
                        self.observations.push(report::file_changed(path, &change));
                    }
                }
                Standing::LeftOut if is_companion(&file, path)? => left_out.push(path.clone()),
                Standing::LeftOut => self.observations.push(report::unsigned_weights(path)),
                Standing::Unsigned => self.observations.push(report::file_unsigned(path)),
            }
        }
        for path in inventory.missing(&raw) {
            self.observations.push(report::file_missing(&signature, path));
        }
        if !left_out.is_empty() {
            self.observations.push(report::not_covered(&left_out));
        }
        if self.observations.findings().iter().all(|finding| finding.severity < Severity::High) {
            self.observations.fact("signer", signer.name);
            self.observations.fact("signed-files", inventory.statement().files.len().to_string());
        }
        Ok(())
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
