//! Trust in a certificate: a path from it to a root that the policy trusts, at a
//! given time (RFC 5280, section 6, without policies and name constraints).
//!
//! It leaves to others: reading certificates, and what was signed.

use crate::certificate::Certificate;
use crate::extensions::{Extended, Extensions};
use crate::pem;

/// The most certificates in a document of the operator's. Telling whether one is a
/// root takes a signature check, of up to 80 million units of fuel.
const MAX_CERTIFICATES: usize = 32;

/// The most signatures that are checked to find a path. A chain takes one for each
/// of its certificates; more only where many authorities share a name.
const MAX_SIGNATURES: usize = 16;

/// Whom the policy trusts to issue certificates.
#[derive(Clone, Debug)]
pub struct Authorities {
    roots: Vec<Certificate>,
    between: Vec<Certificate>,
}

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No path leads to a trusted root.
    NoPath,
    /// A certificate on the path may not issue others, or not at this depth.
    NoAuthority,
    /// A certificate is not valid any more.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// The certificate is not for signing.
    Usage,
    /// A certificate has a condition that can't be judged.
    Conditional,
}

impl Problem {
    /// Says it, as a clause about the signer's certificate.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoPath => "no path leads from it to a root that the policy trusts",
            Self::NoAuthority => "a certificate above it may not issue it",
            Self::Expired => "it, or one above it, has expired",
            Self::NotYetValid => "it, or one above it, is not valid yet",
            Self::Usage => "it is not for signing",
            Self::Conditional => "it, or one above it, has a condition that can't be judged",
        }
    }
}

/// Reads a document of certificates: roots to trust, and any others that help to
/// find a path to them.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that names the document.
pub fn parse_document(document: &[u8]) -> Result<Authorities, String> {
    let blocks = pem::parse(document)?;
    if blocks.len() > MAX_CERTIFICATES {
        return Err(format!("holds more than {MAX_CERTIFICATES} certificates"));
    }
    let certificate = |block: &pem::Block| match block.label.as_str() {
        "CERTIFICATE" => Certificate::parse(&block.content)
            .ok_or_else(|| "holds a certificate that can't be read".to_owned()),
        label => Err(format!("holds a {label}, and certificates are asked for")),
    };
    let certificates = blocks.iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
    let (roots, between): (Vec<_>, Vec<_>) =
        certificates.into_iter().partition(Certificate::is_self_signed);
    if roots.is_empty() {
        return Err(
            "holds no root: a certificate in PEM form that is signed with its own key".into()
        );
    }
    Ok(Authorities { roots, between })
}

impl Authorities {
    /// Trusts `roots`, which are not looked at again, and finds paths to them through
    /// `between`.
    pub fn new(roots: Vec<Certificate>, between: Vec<Certificate>) -> Self {
        Self { roots, between }
    }

    /// Tells whether the policy hands over this very certificate as one to trust.
    pub fn holds(&self, certificate: &Certificate) -> bool {
        self.roots.iter().any(|root| root.der == certificate.der)
    }

    /// Checks that `leaf` is trusted at `now` (in seconds since 1970) for that purpose,
    /// with the help of certificates that came with it. Returns who issued it; itself
    /// where it is trusted as it stands.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn check(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
        purpose: Purpose,
        now: i64,
    ) -> Result<Certificate, Problem> {
        valid(leaf, now)?;
        if !purpose.allows_leaf(&leaf.extensions) {
            return Err(Problem::Usage);
        }
        if self.holds(leaf) {
            return Ok(leaf.clone());
        }
        let between: Vec<_> = others.iter().chain(&self.between).collect();
        let mut search =
            Search { roots: &self.roots, between: &between, purpose, now, signatures: 0 };
        search.climb(&mut vec![leaf], 0).cloned()
    }
}

/// What a certificate is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing a model, with a certificate of one's own.
    Signing,
    /// Signing a model, with a certificate that Sigstore's authority gave out.
    Keyless,
    /// Signing timestamps.
    Timestamps,
}

impl Purpose {
    fn allows_leaf(self, extensions: &Extensions) -> bool {
        let signs = extensions.usage.map(|usage| usage.signs);
        match self {
            // The extended usage decides where it is there (OpenSSF Model Signing).
            Self::Signing => extensions.code_signing().or(signs) == Some(true),
            Self::Keyless => {
                let signs_code = extensions.extended.is_some_and(|extended| extended.code);
                signs == Some(true) && signs_code && !extensions.is_authority
            }
            // It has to be marked as critical (RFC 3161, section 2.3).
            Self::Timestamps => {
                let stamps = |extended: Extended| extended.time && extended.is_critical;
                extensions.extended.is_some_and(stamps)
                    && signs != Some(false)
                    && !extensions.is_authority
            }
        }
    }

    /// Tells whether an authority may issue certificates for that purpose: where it
    /// says for which, this has to be one of them.
    fn allows_issuer(self, extensions: &Extensions) -> bool {
        extensions.extended.is_none_or(|extended| {
            extended.any
                || match self {
                    Self::Signing | Self::Keyless => extended.code,
                    Self::Timestamps => extended.time,
                }
        })
    }
}

/// The search for a path.
struct Search<'a> {
    roots: &'a [Certificate],
    between: &'a [&'a Certificate],
    purpose: Purpose,
    now: i64,
    signatures: usize,
}

impl<'a> Search<'a> {
    /// Looks for a path from the last of `path` up, and returns the first step of it;
    /// `below` counts the authorities on it that are not their own issuers.
    fn climb(
        &mut self,
        path: &mut Vec<&'a Certificate>,
        below: u64,
    ) -> Result<&'a Certificate, Problem> {
        let Some(&last) = path.last() else {
            return Err(Problem::NoPath);
        };
        let mut problem = Problem::NoPath;
        let roots = self.roots.iter().map(|root| (root, true));
        let between = self.between.iter().map(|other| (*other, false));
        for (issuer, is_root) in roots.chain(between) {
            let is_on_path = path.iter().any(|other| other.der == issuer.der);
            if issuer.subject != last.issuer || is_on_path || self.signatures == MAX_SIGNATURES {
                continue;
            }
            self.signatures += 1;
            if !issuer.signed(last) {
                continue;
            }
            let above = self.may_issue(issuer, below).and_then(|()| {
                if is_root {
                    return Ok(());
                }
                path.push(issuer);
                let above = self.climb(path, below + u64::from(issuer.subject != issuer.issuer));
                path.pop();
                above.map(drop)
            });
            match above {
                Ok(()) => return Ok(issuer),
                Err(Problem::NoPath) => {}
                Err(found) => problem = found,
            }
        }
        Err(problem)
    }

    /// Checks that an authority may issue a certificate with `below` authorities under
    /// it.
    fn may_issue(&self, issuer: &Certificate, below: u64) -> Result<(), Problem> {
        let extensions = &issuer.extensions;
        let may = extensions.is_authority
            && extensions.usage.is_none_or(|usage| usage.issues)
            && extensions.path_length.is_none_or(|most| below <= most)
            && self.purpose.allows_issuer(extensions);
        if !may {
            return Err(Problem::NoAuthority);
        }
        valid(issuer, self.now)
    }
}

/// Checks what every certificate on a path has to be.
fn valid(certificate: &Certificate, now: i64) -> Result<(), Problem> {
    if certificate.extensions.is_conditional {
        return Err(Problem::Conditional);
    }
    if now < certificate.not_before {
        return Err(Problem::NotYetValid);
    }
    if now > certificate.not_after {
        return Err(Problem::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::{Plan, authority, leaf, root};
    use crate::extensions::forge::{
        CODE, CONSTRAINED, SERVER, TIME, UNKNOWN, basic_constraints, extended_usage, extension,
        usage,
    };

    /// 2026-01-01.
    const NOW: i64 = 1_767_225_600;

    fn check(leaf: &Plan, others: &[Plan], trusted: &[Plan]) -> Result<(), Problem> {
        let document: String =
            trusted.iter().map(|plan| pem::write("CERTIFICATE", &plan.der())).collect();
        let authorities = parse_document(document.as_bytes()).expect("certificates with a root");
        let others: Vec<_> = others.iter().map(Plan::make).collect();
        authorities.check(&leaf.make(), &others, Purpose::Signing, NOW).map(drop)
    }

    const OVER: (&str, &str) = ("200101000000Z", "251231235959Z");
    const LATER: (&str, &str) = ("270101000000Z", "491231235959Z");

    #[test]
    fn paths() {
        use Problem::{Conditional, Expired, NoAuthority, NoPath, NotYetValid, Usage};
        let root1 = || root("R", 1);
        let middle = || authority("M", 2, "R", 1);
        let limited = |length| vec![basic_constraints(true, Some(length)), usage(0x04)];
        let for_purpose =
            |usage: &[u8]| vec![basic_constraints(true, None), extended_usage(&[usage])];
        let good = || leaf("M", 2);
        let rows = [
            (check(&leaf("R", 1), &[], &[root1()]), Ok(())),
            (check(&good(), &[middle()], &[root1()]), Ok(())),
            (check(&good(), &[], &[root1(), middle()]), Ok(())),
            (check(&good(), &[root1(), middle()], &[root1()]), Ok(())),
            (check(&good(), &[middle().with(limited(0))], &[root1().with(limited(1))]), Ok(())),
            // No path.
            (check(&good(), &[], &[root1()]), Err(NoPath)),
            (check(&good(), &[middle()], &[root("R", 3)]), Err(NoPath)),
            (check(&good(), &[middle(), root1()], &[root("other", 3)]), Err(NoPath)),
            (check(&leaf("M", 3), &[middle()], &[root1()]), Err(NoPath)),
            (check(&good(), &[authority("M", 2, "R", 3)], &[root1()]), Err(NoPath)),
            (check(&root("leaf", 9).with(vec![usage(0x80)]), &[], &[root1()]), Err(NoPath)),
            (
                check(&good(), &[authority("M", 2, "N", 3), authority("N", 3, "M", 2)], &[root1()]),
                Err(NoPath),
            ),
            (check(&good(), &[authority("M", 2, "M", 2)], &[root1()]), Err(NoPath)),
            // Another path is taken where one leads nowhere.
            (check(&good(), &[authority("M", 2, "N", 3), middle()], &[root1()]), Ok(())),
            (check(&good(), &[middle().valid(OVER.0, OVER.1), middle()], &[root1()]), Ok(())),
            // Authorities that are none, or not that deep.
            (check(&good(), &[middle().with(vec![usage(0x04)])], &[root1()]), Err(NoAuthority)),
            (
                check(&good(), &[middle().with(vec![basic_constraints(false, None)])], &[root1()]),
                Err(NoAuthority),
            ),
            (
                check(
                    &good(),
                    &[middle().with(vec![basic_constraints(true, None), usage(0x80)])],
                    &[root1()],
                ),
                Err(NoAuthority),
            ),
            (
                check(&good(), &[middle().with(vec![basic_constraints(true, None)])], &[root1()]),
                Ok(()),
            ),
            (check(&good(), &[middle()], &[root1().with(limited(0))]), Err(NoAuthority)),
            (
                check(
                    &leaf("N", 3),
                    &[middle().with(limited(0)), authority("N", 3, "M", 2)],
                    &[root1()],
                ),
                Err(NoAuthority),
            ),
            // Time, of each on the path.
            (check(&good().valid(OVER.0, OVER.1), &[middle()], &[root1()]), Err(Expired)),
            (check(&good(), &[middle().valid(OVER.0, OVER.1)], &[root1()]), Err(Expired)),
            (check(&good(), &[middle()], &[root1().valid(OVER.0, OVER.1)]), Err(Expired)),
            (check(&good().valid(LATER.0, LATER.1), &[middle()], &[root1()]), Err(NotYetValid)),
            (check(&good(), &[middle().valid(LATER.0, LATER.1)], &[root1()]), Err(NotYetValid)),
            (check(&good(), &[middle()], &[root1().valid(LATER.0, LATER.1)]), Err(NotYetValid)),
            (
                check(&good().valid("260101000000Z", "260101000000Z"), &[middle()], &[root1()]),
                Ok(()),
            ),
            // Usage: the extended one decides where it is there.
            (check(&good().with(vec![]), &[middle()], &[root1()]), Err(Usage)),
            (check(&good().with(vec![usage(0x08)]), &[middle()], &[root1()]), Err(Usage)),
            (
                check(
                    &good().with(vec![usage(0x08), extended_usage(&[CODE])]),
                    &[middle()],
                    &[root1()],
                ),
                Ok(()),
            ),
            (
                check(
                    &good().with(vec![usage(0x80), extended_usage(&[SERVER])]),
                    &[middle()],
                    &[root1()],
                ),
                Err(Usage),
            ),
            (check(&good(), &[middle().with(for_purpose(SERVER))], &[root1()]), Err(NoAuthority)),
            (check(&good(), &[middle().with(for_purpose(CODE))], &[root1()]), Ok(())),
            (check(&good(), &[middle()], &[root1().with(for_purpose(TIME))]), Err(NoAuthority)),
            // Conditions.
            (
                check(
                    &good().with(vec![usage(0x80), extension(UNKNOWN, true, b"")]),
                    &[middle()],
                    &[root1()],
                ),
                Err(Conditional),
            ),
            (
                check(
                    &good(),
                    &[middle().with(vec![
                        basic_constraints(true, None),
                        extension(CONSTRAINED, true, b""),
                    ])],
                    &[root1()],
                ),
                Err(Conditional),
            ),
        ];
        for (row, (result, expected)) in rows.into_iter().enumerate() {
            assert_eq!(result, expected, "row {row}");
        }
        let own = root("self", 4).with(vec![usage(0x80)]);
        assert_eq!(check(&own, &[], std::slice::from_ref(&own)), Ok(()));
        assert_eq!(
            check(&own.clone().valid(OVER.0, OVER.1), &[], &[own.valid(OVER.0, OVER.1)]),
            Err(Expired)
        );
    }

    #[test]
    fn many_authorities_of_one_name_take_a_bounded_time() {
        let others: Vec<_> = (10..60).map(|key| authority("M", key, "M", 2)).collect();
        assert_eq!(check(&leaf("M", 2), &others, &[root("R", 1)]), Err(Problem::NoPath));
        // Each of these signs each other one.
        let one = |length| vec![basic_constraints(true, Some(length)), usage(0x04)];
        let others: Vec<_> =
            (50..100).map(|length| authority("M", 2, "M", 2).with(one(length))).collect();
        assert_eq!(check(&leaf("M", 2), &others, &[root("R", 1)]), Err(Problem::NoPath));
    }

    #[test]
    fn documents() {
        let pem = |plan: &Plan| pem::write("CERTIFICATE", &plan.der());
        let rows = [
            (String::new(), "holds no root"),
            (pem(&authority("M", 2, "R", 1)), "holds no root"),
            // One name for both does not make it its own issuer.
            (pem(&authority("R", 2, "R", 1)), "holds no root"),
            (pem::write("CERTIFICATE", b"x"), "can't be read"),
            (pem::write("PUBLIC KEY", b"x"), "holds a PUBLIC KEY"),
            (pem(&root("R", 1)).repeat(33), "more than 32"),
        ];
        for (document, expected) in rows {
            let error = parse_document(document.as_bytes()).expect_err("no authorities");
            assert!(error.contains(expected), "{error}");
        }
    }
}
