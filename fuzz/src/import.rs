//! What other tools wrote down about a model: each format's main file, of any
//! bytes. The first byte chooses which.

use std::cell::OnceCell;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use modelhost::domain::digest::Digest;
use modelhost::domain::model::FilePath;
use modelhost::record::import::{self, Algorithm, Claims, Format, Request};
use modelhost_plugin_checksum::sums;
use tempfile::TempDir;

use crate::report::assert_inert;

/// The file that is written, and the format that it is read as.
const FILES: [(&str, Format); 12] = [
    (".cache/huggingface/download/a.metadata", Format::HubFolder),
    (".git/index", Format::GitLfs),
    ("w.bin", Format::GitLfs),
    ("a.dvc", Format::Dvc),
    ("dvc.lock", Format::Dvc),
    (LIST, Format::Sums),
    ("model.sig", Format::Oms),
    ("payload", Format::Oms),
    ("index.json", Format::Oci),
    ("manifest", Format::Oci),
    ("manifests/h/n/m/t", Format::Ollama),
    (".git/HEAD", Format::GitLfs),
];

const LIST: &str = "SHA256SUMS";

/// Writes a file below `top`, with the folders to it.
#[expect(clippy::disallowed_methods, reason = "claims are read from files")]
fn write(top: &Path, path: &str, bytes: &[u8]) {
    let path = top.join(path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(path, bytes).expect("a file");
}

/// Puts `bytes` where the file `name` of a format is, with what belongs to it.
fn lay_out(top: &Path, name: &str, bytes: &[u8]) {
    match name {
        "payload" => {
            let payload = STANDARD.encode(bytes);
            let bundle = format!("{{\"dsseEnvelope\":{{\"payload\":\"{payload}\"}}}}");
            write(top, "model.sig", bundle.as_bytes());
        }
        "manifest" => {
            let digest = Digest::of(bytes);
            write(top, &format!("blobs/sha256/{}", digest.hex()), bytes);
            let index = format!(
                "{{\"manifests\":[{{\"mediaType\":\"manifest\",\"digest\":\"{digest}\",\
                 \"size\":{}}}]}}",
                bytes.len()
            );
            write(top, "index.json", index.as_bytes());
        }
        name => write(top, name, bytes),
    }
    if name == ".git/HEAD" {
        write(top, "README.md", b"text");
    }
}

/// Asserts what must hold of any claims.
fn assert_sound(claims: &Claims) {
    assert!(!claims.files.is_empty(), "nothing is claimed, and that is no error");
    for pair in claims.files.windows(2) {
        assert!(pair[0].path < pair[1].path, "claims are sorted, each path once");
    }
    for claim in &claims.files {
        assert_eq!(FilePath::parse(claim.path.as_str()).as_ref(), Some(&claim.path));
        assert!(!claim.digests.is_empty(), "{} is claimed by nothing", claim.path);
        for digest in &claim.digests {
            assert_eq!(digest.value.len(), digest.algorithm.length());
        }
    }
    claims.notes.iter().for_each(|note| assert_inert(&format!("{note}\n")));
}

/// Asserts that the `checksum` plugin reads the same claims from a list.
fn assert_same(claims: &Claims, bytes: &[u8]) {
    let kind = sums::kind(LIST).expect("a list");
    let read = sums::parse(LIST.as_bytes(), kind, bytes);
    for claim in &claims.files {
        let digest = &claim.digests[0];
        // It leaves out other algorithms, and the list itself.
        if digest.algorithm != Algorithm::Sha256 || claim.path.as_str() == LIST {
            continue;
        }
        let same = read.claims.iter().any(|other| {
            FilePath::from_bytes(&other.path) == claim.path && other.sha256[..] == digest.value
        });
        assert!(same, "the plugin reads another claim of {}", claim.path);
    }
}

#[expect(clippy::disallowed_methods, reason = "claims are read from a folder")]
pub(crate) fn import(bytes: &[u8]) {
    thread_local! { static TOPS: OnceCell<Vec<TempDir>> = const { OnceCell::new() }; }
    let Some((first, bytes)) = bytes.split_first() else { return };
    let chosen = usize::from(*first) % FILES.len();
    let (name, format) = FILES[chosen];
    TOPS.with(|tops| {
        let make = || FILES.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
        let top = tops.get_or_init(make)[chosen].path();
        lay_out(top, name, bytes);
        let dir = Dir::open_ambient_dir(top, ambient_authority()).expect("a folder");
        let request = Request { within: Path::new(""), folder: None, is_elsewhere: false };
        match import::read(&dir, Some(format), &request) {
            Ok(claims) => {
                assert_sound(&claims);
                if name == LIST {
                    assert_same(&claims, bytes);
                }
            }
            Err(error) => {
                assert_inert(&format!("{error}\n"));
                assert!(!error.help().is_empty(), "nothing says what to do");
            }
        }
    });
}

/// One honest file for each choice.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let sha = Digest::of(b"weights").hex();
    let (sha1, md5) = (&sha[..40], &sha[..32]);
    let part = format!("{{\"mediaType\":\"raw\",\"digest\":\"sha256:{sha}\",\"size\":7}}");
    let manifest = format!("{{\"config\":{part},\"layers\":[{part}]}}");
    let statement = format!(
        "{{\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{{\
         \"serialization\":{{\"method\":\"shards\",\"hash_type\":\"sha256\"}},\
         \"resources\":[{{\"name\":\"a:0:7\",\"digest\":\"{sha}\"}}]}}}}"
    );
    let index = {
        let mut index = b"DIRC\0\0\0\x02\0\0\0\x01".to_vec();
        index.extend_from_slice(&[0; 24]);
        index.extend_from_slice(&0o100_644u32.to_be_bytes());
        index.extend_from_slice(&[0; 12]);
        index.extend_from_slice(&[7; 20]);
        index.extend_from_slice(b"\0\x01a\0\0\0\0\0\0\0\0\0");
        // All zero: not computed, so that damage gets further.
        index.extend_from_slice(&[0; 20]);
        index
    };
    let text = |text: String| text.into_bytes();
    let files = [
        text(format!("{sha1}\n{sha}\n1.5\n")),
        index,
        text(format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize 7\n")),
        text(format!("outs:\n- md5: {md5}\n  size: 7\n  hash: md5\n  path: a\n")),
        text(format!("schema: '2.0'\nstages:\n  t:\n    outs:\n    - path: a\n      md5: {md5}\n")),
        text(format!("{sha}  a\nSHA256 (b) = {sha}\n\\{sha} *c\\n\n")),
        text(format!("{{\"dsseEnvelope\":{{\"payload\":\"{}\"}}}}", STANDARD.encode(&statement))),
        text(statement),
        text(format!("{{\"manifests\":[{part}]}}")),
        text(manifest.clone()),
        text(manifest),
        text("ref: refs/heads/main\n".to_owned()),
    ];
    (0u8..).zip(files).map(|(choice, file)| [vec![choice], file].concat()).collect()
}
