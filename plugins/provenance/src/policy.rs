//! What the policy says: the settings, and the documents that they name, as whom to
//! trust and what to leave out.
//!
//! It leaves to others: what each document holds (`key`, `chain`, `trust_root`).

use modelhost_check::{Document, Failure, Model};
use sha2::{Digest as _, Sha256};

use crate::inventory::Exceptions;
use crate::verify::Trust;
use crate::{Settings, chain, key, trust_root};

/// The largest document of the operator's: all the certificates that it may hold.
const MAX_DOCUMENT: u64 = 256 << 10;

/// Reads what the policy leaves out.
///
/// # Errors
/// Which setting can't be used.
pub fn exceptions(settings: &Settings) -> Result<Exceptions, Failure> {
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
///
/// # Errors
/// Which settings don't fit together, or which document can't be used.
pub fn trust(model: &Model<'_>, settings: &Settings) -> Result<Option<Trust>, Failure> {
    let Settings { key, certificates, trusted_root, identity, identity_provider, .. } = settings;
    let unfit = |text: &str| Err(Failure::InvalidSettings(text.into()));
    let are_named = certificates.is_some() || trusted_root.is_some();
    if identity.is_some() && !are_named {
        return unfit(
            "`identity` names who has a certificate, and neither `certificates` nor `trusted-root` is set",
        );
    }
    if identity.is_none() && are_named {
        return unfit(
            "`identity` is not set: the trusted authorities issue certificates to many, so say whose signature counts, as the certificate names them",
        );
    }
    if trusted_root.is_some() != identity_provider.is_some() {
        return unfit(
            "`trusted-root` and `identity-provider` go together: the one says which Sigstore instance counts, the other who told it the signer's name",
        );
    }
    if settings.unlogged && trusted_root.is_none() {
        return unfit("`unlogged` is about a Sigstore instance, and `trusted-root` is not set");
    }
    if key.is_none() && !are_named {
        return Ok(None);
    }
    let keys = key.as_deref().map(|name| document(model, name, key::parse_document));
    let authorities = certificates.as_deref();
    let authorities = authorities.map(|name| document(model, name, chain::parse_document));
    let root = trusted_root.as_deref();
    let root = root.map(|name| document(model, name, trust_root::parse_document));
    Ok(Some(Trust {
        keys: keys.transpose()?.unwrap_or_default(),
        authorities: authorities.transpose()?,
        root: root.transpose()?,
        needs_logs: !settings.unlogged,
        identity: identity.clone(),
        provider: identity_provider.clone(),
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
        return Err(refused(
            "is too large to be a list of keys or certificates, or a trusted root",
        ));
    }
    parse(&document.read_all(MAX_DOCUMENT)?).map_err(|why| refused(&why))
}

/// Names a document of the operator's, with its digest.
pub fn digested(model: &Model<'_>, name: &str) -> Option<String> {
    let content = model.document(name)?.read_all(MAX_DOCUMENT).ok()?;
    Some(format!("{name} sha256:{}", key::hex(&Sha256::digest(content))))
}
