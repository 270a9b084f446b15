//! Keyless signatures: made with a key of minutes, whose certificate says who held it,
//! and listed in a public log (Sigstore). All of it is verified offline, from what the
//! bundle brings along and the trusted root that the operator pins.
//!
//! It leaves to others: each step (`timestamp`, `entry`, `chain`, `sct`), and what was
//! signed.

#[cfg(test)]
mod tests;

use crate::certificate::Certificate;
use crate::chain::{Problem, Purpose};
use crate::entry::{Entry, Signed};
use crate::key::PublicKey;
use crate::material::Evidence;
use crate::trust_root::TrustRoot;
use crate::{sct, time, timestamp};

/// How far in the future a trusted time may lie: clocks differ, and a model may be
/// checked right after it was signed.
const MAX_SKEW: i64 = 10 * 60;

/// What the policy asks of a keyless signature.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Whom to trust.
    pub root: &'a TrustRoot,
    /// Whether entries in public logs are asked for.
    pub needs_logs: bool,
    /// The time of the run, in seconds since 1970.
    pub now: i64,
}

/// Why a keyless signature is not to be trusted. Each text is a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was not made with the certificate's key. About the signature.
    Signature(&'static str),
    /// About the certificate.
    Certificate(String),
    /// No log promised to list the certificate.
    NotListed,
    /// About the entry of the log.
    Entry(String),
    /// About when it was signed.
    Time(String),
}

/// A signature that holds: whose certificate, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The signer's certificate.
    pub certificate: Certificate,
    /// When it was signed, the earliest of the trusted times.
    pub time: i64,
    /// Who vouches for the time.
    pub witness: &'static str,
}

/// Verifies a signature with the certificate `der`, beside which an older bundle has
/// `others`.
///
/// # Errors
/// Says why it does not hold.
pub fn verify(
    signed: &Signed<'_>,
    others: &[Vec<u8>],
    evidence: &Evidence,
    policy: &Policy<'_>,
) -> Result<Verified, Refusal> {
    let certificate = Certificate::parse(signed.certificate)
        .ok_or_else(|| Refusal::Certificate("it can't be read".into()))?;
    let others: Option<Vec<_>> = others.iter().map(|der| Certificate::parse(der)).collect();
    // A bundle must not bring its own root along.
    if others.is_none_or(|others| others.iter().any(|other| other.subject == other.issuer)) {
        return Err(Refusal::Certificate("it came with a root of its own".into()));
    }
    let key = PublicKey::from_der(&certificate.key)
        .ok_or_else(|| Refusal::Certificate("its key is none of P-256, P-384 and P-521".into()))?;
    if !key.verifies(signed.message, signed.signature) {
        return Err(Refusal::Signature("it was not made with the key of its certificate"));
    }
    let logged = logged(signed, evidence, policy)?;
    let stamped = stamped(signed.signature, evidence, policy)?;
    let times: Vec<_> = stamped.iter().copied().chain(logged.iter().flatten().copied()).collect();
    let (Some(&time), Some(&latest)) = (times.iter().min(), times.iter().max()) else {
        return Err(Refusal::Time(
            "neither a log nor a timestamping authority vouches for it".into(),
        ));
    };
    if latest > policy.now.saturating_add(MAX_SKEW) {
        let text = format!("it was signed at {}, which is yet to come", time::to_text(latest));
        return Err(Refusal::Time(text));
    }
    if let (Some(entry), true) = (entry(evidence)?, policy.needs_logs) {
        // A log of the second version vouches for no time, so its own is judged here.
        let log = policy.root.logs.iter().find(|log| log.id == entry.log);
        if log.is_some_and(|log| times.iter().any(|time| !log.period.contains(*time))) {
            return Err(Refusal::Entry("its log was not in use at that time".into()));
        }
    }
    let issuer = issuer(&certificate, &times, policy.root)
        .map_err(|problem| Refusal::Certificate(problem.describe().to_owned()))?;
    if policy.needs_logs && !sct::is_logged(&certificate, &issuer, &policy.root.certificate_logs) {
        return Err(Refusal::NotListed);
    }
    let witness = match (stamped.is_empty(), logged.flatten().is_some()) {
        (false, true) => "log and timestamp",
        (false, false) => "timestamp",
        (true, _) => "log",
    };
    Ok(Verified { certificate, time, witness })
}

/// Returns the one entry of a log, if there is one.
fn entry(evidence: &Evidence) -> Result<Option<&Entry>, Refusal> {
    match evidence.entries.as_slice() {
        [] => Ok(None),
        [Ok(entry)] => Ok(Some(entry)),
        [Err(why)] => Err(Refusal::Entry(why.clone())),
        // Of several, nothing says which counts.
        several => Err(Refusal::Entry(format!("there are {} of them", several.len()))),
    }
}

/// Checks the entry of the log. Returns when the log took it, where it vouches for that;
/// none where there is no entry and none is asked for.
fn logged(
    signed: &Signed<'_>,
    evidence: &Evidence,
    policy: &Policy<'_>,
) -> Result<Option<Option<i64>>, Refusal> {
    let refused = |why: &str| Refusal::Entry(why.to_owned());
    if !policy.needs_logs && policy.root.logs.is_empty() {
        return Ok(None);
    }
    let Some(entry) = entry(evidence)? else {
        return match policy.needs_logs {
            true => Err(refused("there is none")),
            false => Ok(None),
        };
    };
    let log = policy.root.logs.iter().find(|log| log.id == entry.log);
    let log = log.ok_or_else(|| refused("it is of a log that the trusted root does not name"))?;
    let time = entry.time(log).map_err(refused)?;
    entry.check_inclusion(log).map_err(refused)?;
    entry.check_body(signed).map_err(refused)?;
    Ok(Some(time))
}

/// Returns the times that timestamps vouch for. Where there are timestamps, one of them
/// has to hold: they were put there to be believed.
fn stamped(
    signature: &[u8],
    evidence: &Evidence,
    policy: &Policy<'_>,
) -> Result<Vec<i64>, Refusal> {
    let authorities = &policy.root.timestampers;
    let verify = |response: &Vec<u8>| timestamp::verify(response, signature, authorities);
    let times: Vec<_> = evidence.timestamps.iter().filter_map(verify).collect();
    match times.is_empty() && !evidence.timestamps.is_empty() {
        true => Err(Refusal::Time(
            "its timestamp is not by an authority of the trusted root, or of another signature"
                .into(),
        )),
        false => Ok(times),
    }
}

/// Finds who issued the certificate, which has to hold at each of the times.
fn issuer(
    certificate: &Certificate,
    times: &[i64],
    root: &TrustRoot,
) -> Result<Certificate, Problem> {
    let mut problem = Problem::NoPath;
    for authority in &root.authorities {
        let check = |time: &i64| {
            if !authority.period.contains(*time) {
                return Err(Problem::NoPath);
            }
            authority.authorities.check(certificate, &[], Purpose::Keyless, *time)
        };
        match times.iter().map(check).collect::<Result<Vec<_>, _>>() {
            Ok(issuers) => match issuers.into_iter().next() {
                Some(issuer) => return Ok(issuer),
                None => return Err(Problem::NoPath),
            },
            Err(Problem::NoPath) => {}
            Err(found) => problem = found,
        }
    }
    Err(problem)
}
