//! `modelhost attest`, and what `run --attest` has in common with it: the key, and
//! writing what was attested.
//!
//! Leaves the statements and signing to the library.

#![expect(clippy::disallowed_methods, reason = "keys and reports are where the operator says")]

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use modelhost::attest::{self, Kind, Request, SigningKey};
use modelhost::domain::attested::Attested;
use modelhost::domain::digest::Digest;
use modelhost::domain::report::Report;
use modelhost::report::{self, json};
use zeroize::Zeroizing;

use crate::args::{AttestArgs, SigningArgs, StatementKind};
use crate::context;
use crate::exit::Exit;

/// The most bytes of a file that is to hold a key: keys have a few hundred.
const MAX_KEY: u64 = 64 << 10;

pub(crate) fn run(args: AttestArgs) -> anyhow::Result<Exit> {
    let key = key(&args.signing)?;
    let shown = args.report.display();
    let document = super::report::read(&args.report)?;
    let attested = document.attested().with_context(|| format!("{shown} can't be attested"))?;
    let kind = args.only.map(|only| match only {
        StatementKind::Vsa => Kind::Summary,
        StatementKind::Svr => Kind::Result,
    });
    let request = Request { kind, audit_head: args.audit_head, ..request(args.signing) };
    let lines = lines(&attested, &request, key.as_ref())?;
    let Some(path) = args.output else { return super::print(&lines) };
    match report::replace(&path, |out| out.write_all(&lines)) {
        Ok(()) => Ok(Exit::Allow),
        Err(error) => {
            crate::say::line(&not_written(&path, &error));
            Ok(Exit::Fault)
        }
    }
}

/// Attestations to be written after a run: what is needed for it, made sure of before.
pub(crate) struct Attesting {
    path: PathBuf,
    key: Option<SigningKey>,
    request: Request,
}

impl Attesting {
    /// Reads the key that attestations to `path` are to be signed with, if any.
    pub(crate) fn new(path: PathBuf, signing: SigningArgs) -> anyhow::Result<Self> {
        let key = key(&signing)?;
        Ok(Self { path, key, request: request(signing) })
    }

    /// Whether there is a key in this process.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Writes what `report` has to attest, and with it the digest of the audit log's
    /// last record. What went wrong is a line to be said.
    pub(crate) fn write(&self, report: &Report, audit_head: Option<Digest>) -> Result<(), String> {
        let attested = json::attested(report).map_err(|error| self.failed(&error))?;
        let request = Request { audit_head, ..self.request.clone() };
        let lines = lines(&attested, &request, self.key.as_ref());
        let lines = lines.map_err(|error| self.failed(&*error))?;
        report::replace(&self.path, |out| out.write_all(&lines))
            .map_err(|error| not_written(&self.path, &error))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> String {
        format!("error: the attestation {} was not written: {error}", self.path.display())
    }
}

fn not_written(path: &Path, error: &io::Error) -> String {
    format!("error: the attestation {} could not be written: {error}", path.display())
}

fn request(signing: SigningArgs) -> Request {
    Request { verifier: signing.verifier_id, resource: signing.resource_uri, ..Request::default() }
}

fn lines(
    attested: &Attested,
    request: &Request,
    key: Option<&SigningKey>,
) -> anyhow::Result<Vec<u8>> {
    Ok(attest::lines(&attest::statements(attested, request)?, key))
}

/// Returns the key to sign with: from the file that is named, or else from the
/// environment; none where neither has one.
fn key(args: &SigningArgs) -> anyhow::Result<Option<SigningKey>> {
    let Some(path) = &args.key else {
        let Some(pem) = context::signing_key()? else { return Ok(None) };
        let key = SigningKey::from_pem(&pem);
        return Ok(Some(key.context("the key in MODELHOST_SIGNING_KEY can't be used")?));
    };
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("the key {shown} can't be read"))?;
    let mode = file.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(
            "the key {shown} can be read by others than its owner; `chmod 600` it, and make a \
             new one if somebody may have"
        );
    }
    let mut pem = Zeroizing::new(String::new());
    let mut bounded = file.take(MAX_KEY);
    bounded
        .read_to_string(&mut pem)
        .with_context(|| format!("the key {shown} can't be read as text"))?;
    let key = SigningKey::from_pem(&pem);
    Ok(Some(key.with_context(|| format!("the key {shown} can't be used"))?))
}

/// Reads the file at `path`, of at most `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::other(format!("it has more than {most} bytes"));
    let file = File::open(path)?;
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    // What is no regular file says no size.
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}
