//! [`Upstream`]: what the source of a file says of its bytes.
//!
//! Owns the kinds of such claims and how they are written. Leaves reading them
//! from the formats that make them, and holding files against them, to `record`.

use std::fmt;
use std::str::FromStr;

use super::digest::{self, Digest};

/// The claim of its source that a file was held against when it was locked.
/// Where the claim is the file's SHA-256 itself, its kind is all that is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upstream {
    /// The object id of git-lfs, which is the file's SHA-256: written
    /// `lfs-sha256`.
    LfsSha256,
    /// The id of a git blob, SHA-1 over git's header and the content: written
    /// `git-sha1:<40 hex digits>`.
    GitSha1([u8; 20]),
    /// A layer of an OCI manifest or an Ollama one, whose digest is that of the
    /// file only where the layer is the bare file: written
    /// `oci-layer:sha256:<64 hex digits>`.
    OciLayer(Digest),
    /// A line of a `SHA256SUMS` file: written `sums`.
    Sums,
    /// A line of a file that `b3sum` wrote: written `b3sums`, with the digest
    /// in the file's `blake3`.
    B3Sums,
    /// The MD5 that DVC keeps: written `dvc-md5:<32 hex digits>`. MD5 does not
    /// stand up to an attacker; the SHA-256 beside it is what is compared.
    DvcMd5([u8; 16]),
    /// A resource of an OMS statement, the signature format of OpenSSF model
    /// signing: written `oms`.
    Oms,
}

/// Why a text is no upstream claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It names no kind of claim.
    #[error(
        "an upstream claim is `lfs-sha256`, `git-sha1:<40 hex digits>`, \
         `oci-layer:sha256:<64 hex digits>`, `sums`, `b3sums`, `dvc-md5:<32 hex digits>` or `oms`"
    )]
    Kind,
    /// Its digest has another number of digits or other characters.
    #[error("an upstream claim of the kind `{kind}` has {digits} lower-case hex digits")]
    Digits {
        /// The kind.
        kind: &'static str,
        /// How many hex digits it has.
        digits: usize,
    },
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let (kind, digits) = text.split_once(':').map_or((text, None), |(k, d)| (k, Some(d)));
        let wrong = |kind, digits| UpstreamError::Digits { kind, digits };
        match (kind, digits) {
            ("lfs-sha256", None) => Ok(Self::LfsSha256),
            ("git-sha1", Some(hex)) => {
                digest::from_hex(hex).map(Self::GitSha1).ok_or_else(|| wrong("git-sha1", 40))
            }
            ("oci-layer", Some(digest)) => digest
                .parse()
                .map(Self::OciLayer)
                .map_err(|_: digest::DigestError| wrong("oci-layer:sha256", 64)),
            ("sums", None) => Ok(Self::Sums),
            ("b3sums", None) => Ok(Self::B3Sums),
            ("dvc-md5", Some(hex)) => {
                digest::from_hex(hex).map(Self::DvcMd5).ok_or_else(|| wrong("dvc-md5", 32))
            }
            ("oms", None) => Ok(Self::Oms),
            _ => Err(UpstreamError::Kind),
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LfsSha256 => f.write_str("lfs-sha256"),
            Self::GitSha1(id) => write!(f, "git-sha1:{}", digest::to_hex(id)),
            Self::OciLayer(layer) => write!(f, "oci-layer:{layer}"),
            Self::Sums => f.write_str("sums"),
            Self::B3Sums => f.write_str("b3sums"),
            Self::DvcMd5(md5) => write!(f, "dvc-md5:{}", digest::to_hex(md5)),
            Self::Oms => f.write_str("oms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_have_one_written_form() {
        let layer = Digest::of(b"layer");
        let rows = [
            (Upstream::LfsSha256, "lfs-sha256".to_owned()),
            (Upstream::GitSha1([0xab; 20]), format!("git-sha1:{}", "ab".repeat(20))),
            (Upstream::OciLayer(layer), format!("oci-layer:{layer}")),
            (Upstream::Sums, "sums".to_owned()),
            (Upstream::B3Sums, "b3sums".to_owned()),
            (Upstream::DvcMd5([7; 16]), format!("dvc-md5:{}", "07".repeat(16))),
            (Upstream::Oms, "oms".to_owned()),
        ];
        for (claim, text) in rows {
            assert_eq!(claim.to_string(), text);
            assert_eq!(text.parse(), Ok(claim));
        }
    }

    #[test]
    fn what_is_no_claim_is_refused_with_the_reason() {
        let kind = UpstreamError::Kind;
        let of = |kind, digits| UpstreamError::Digits { kind, digits };
        let rows = [
            ("", kind.clone()),
            ("none", kind.clone()),
            ("LFS-SHA256", kind.clone()),
            ("lfs-sha256:", kind.clone()),
            ("sums ", kind.clone()),
            ("git-sha1", kind.clone()),
            ("oms\n", kind),
            ("git-sha1:", of("git-sha1", 40)),
            ("git-sha1:abc", of("git-sha1", 40)),
            (&format!("git-sha1:{}", "AB".repeat(20)), of("git-sha1", 40)),
            (&format!("git-sha1:{}", "é".repeat(20)), of("git-sha1", 40)),
            (&format!("git-sha1:{}", "ab".repeat(32)), of("git-sha1", 40)),
            ("oci-layer:md5:00", of("oci-layer:sha256", 64)),
            ("oci-layer:sha256:00", of("oci-layer:sha256", 64)),
            (&format!("dvc-md5:{}", "0".repeat(31)), of("dvc-md5", 32)),
            // The digest of a folder: it is no file's.
            (&format!("dvc-md5:{}.dir", "0".repeat(32)), of("dvc-md5", 32)),
        ];
        for (text, error) in rows {
            assert_eq!(text.parse::<Upstream>(), Err(error), "{text}");
        }
    }
}
