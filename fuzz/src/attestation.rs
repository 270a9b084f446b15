//! Attestations and reports of any bytes: what was not signed is never good for a
//! model, and what is no report is told.

use modelhost::attest::{self, Expected, PublicKey};
use modelhost::domain::attested::AttestedFile;
use modelhost::domain::digest::Digest;
use modelhost::domain::model::FilePath;
use modelhost::gate;
use modelhost::record::compare;
use modelhost::report::{json, reported};

use crate::report::assert_inert;

/// A key whose private half nobody has: the first point at or after the x coordinate
/// that is the SHA-256 of `modelhost attestation`, with the even y.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEa4HvTYdgK3Sr0eoXCPaDKT/ne49h
a3aQVt+ZunroFeKXGP411qXiG8O2ThGNwtiKtEeXZNZPlyc/MNF3tpM6fA==
-----END PUBLIC KEY-----
";

pub(crate) fn attestation(bytes: &[u8]) {
    let key = PublicKey::from_pem(KEY).expect("it is a point of the curve");
    let file =
        AttestedFile { path: FilePath::from_bytes(b"model.bin"), size: 0, digest: Digest::of(b"") };
    let expected = Expected {
        key: &key,
        verifier: None,
        resource: None,
        levels: &[],
        not_before: None,
        not_after: "2100-01-01T00:00:00Z",
    };
    let refusal = attest::verify(bytes, &[file], &expected).expect_err("nobody signed it");
    assert_inert(&format!("{refusal}\n"));
    let error = match json::read(bytes) {
        Ok(document) => {
            for found in reported::read(&document) {
                assert_inert(&format!("{} {} {}\n", found.code, found.model, found.message));
            }
            let Ok(state) = json::read(bytes).map(gate::compared).expect("it was one before")
            else {
                return;
            };
            let other = compare::State::default();
            let told = compare::compare(&other, &state, compare::Extent::All);
            assert_inert(&compare::text(&told));
            document.attested().err()
        }
        Err(error) => Some(error),
    };
    if let Some(error) = error {
        assert_inert(&format!("{error}\n"));
    }
}
