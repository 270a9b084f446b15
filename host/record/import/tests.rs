//! Hostile folders of every format, read from a real file system. Honest ones, and
//! what comes of them, are in `tests/it/mutations.rs`.

#![expect(clippy::disallowed_methods, reason = "tests make the folders they read")]

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use cap_std::ambient_authority;
use tempfile::TempDir;

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let top = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = top.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }
    top
}

fn read_in(top: &TempDir, format: Option<Format>, within: &str) -> Result<Claims, ImportError> {
    let dir = Dir::open_ambient_dir(top.path(), ambient_authority()).expect("a folder");
    let request =
        Request { within: Path::new(within), folder: Some("models--o--n"), is_elsewhere: false };
    read(&dir, format, &request)
}

/// Reads `files` as `format`; shows the claims, or the error with its cause.
fn show(format: &str, files: &[(&str, &str)]) -> String {
    let top = folder(files);
    shown(read_in(&top, Some(format.parse().expect("a format")), ""))
}

fn shown(read: Result<Claims, ImportError>) -> String {
    match read {
        Ok(claims) => {
            let mut text = String::new();
            for claim in &claims.files {
                let names: Vec<&str> =
                    claim.digests.iter().map(|digest| digest.algorithm.name()).collect();
                write!(text, "{} {}; ", claim.path, names.join("+")).expect("a text");
            }
            text
        }
        Err(error) => {
            assert!(!error.help().is_empty(), "{error}");
            format!("error: {error}")
        }
    }
}

#[test]
fn each_format_has_one_reader() {
    for format in Format::ALL {
        assert_eq!(READERS.iter().filter(|reader| reader.format == format).count(), 1);
        assert_eq!(format.name().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().unwrap_err().to_string();
    assert!(error.starts_with("there is no format `xml`: write hf-cache, hf-folder, git-lfs"));
}

#[test]
fn the_form_is_told_by_what_is_there() {
    let list = format!("{SHA}  a\n");
    let out = format!("outs:\n- md5: {}\n  path: a\n", &SHA[..32]);
    let top = folder(&[("SHA256SUMS", &list)]);
    assert_eq!(read_in(&top, None, "").unwrap().format, Some(Format::Sums));
    let top = folder(&[("SHA256SUMS", &list), ("a.dvc", &out)]);
    let error = read_in(&top, None, "").unwrap_err();
    assert_eq!(error.to_string(), "several things there say what a model's files are: dvc, sums");
    assert_eq!(read_in(&top, None, "a.dvc").unwrap().format, Some(Format::Dvc));
    assert_eq!(read_in(&top, Some(Format::Sums), "").unwrap().format, Some(Format::Sums));
    let error = read_in(&folder(&[("README.md", "text")]), None, "").unwrap_err();
    assert!(error.to_string().starts_with("nothing there says"), "{error}");
    let top = folder(&[("SHA256SUMS", "# nothing\n")]);
    let error = read_in(&top, None, "").unwrap_err();
    assert_eq!(error.to_string(), "it claims nothing of any file, read as sums");
    let top = folder(&[("SHA256SUMS", &list), ("MD5SUMS", "")]);
    let error = read_in(&top, None, "").unwrap_err();
    assert_eq!(error.to_string(), "there are several checksum lists in it: MD5SUMS, SHA256SUMS");
}

#[test]
fn hub_caches_are_read_from_their_links_alone() {
    let link = |target: &str| {
        let top = folder(&[(&format!("blobs/{SHA}"), ""), ("refs/main", COMMIT)]);
        let snapshot = top.path().join("snapshots").join(COMMIT);
        std::fs::create_dir_all(&snapshot).expect("a folder");
        symlink(target, snapshot.join("a")).expect("a link");
        top
    };
    let good = read_in(&link(&format!("../../blobs/{SHA}")), None, "").unwrap();
    assert_eq!(good.source.as_deref(), Some("hf:o/n"));
    assert_eq!(good.requested.as_deref(), Some("main"));
    assert_eq!(good.revision.as_deref(), Some(COMMIT));
    assert_eq!(good.files[0].digests[0].algorithm, Algorithm::Sha256);
    let rows = [
        ("/etc/passwd", "this link leads to /etc/passwd, and not to a file in `blobs`"),
        ("../../../etc/passwd", "this link leads to ../../../etc/passwd, and not to"),
        ("../../../../../../blobs/x", "this link leads to"),
        ("../../blobs/x/../../../x", "this link leads to"),
        ("a", "this link leads to a, and not to a file in `blobs`"),
        ("../../blobs/0123", "`0123` names no digest"),
        (&format!("../../blobs/{SHA}.incomplete"), "names no digest"),
    ];
    for (target, expected) in rows {
        let said = shown(read_in(&link(target), None, ""));
        let place = format!("error: snapshots/{COMMIT}/a: ");
        assert!(said.starts_with(&place) && said.contains(expected), "{target}: {said}");
    }
    // Two snapshots: one is to be named, and the refs help.
    let top = link(&format!("../../blobs/{SHA}"));
    let other = top.path().join("snapshots").join(COMMIT.replace('0', "f"));
    std::fs::create_dir(&other).expect("a folder");
    let said = shown(read_in(&top, None, ""));
    assert!(said.starts_with("error: there are several snapshots in it: snapshots/"), "{said}");
    assert!(said.contains(&format!("{COMMIT} (main)")), "{said}");
    let named = read_in(&top, None, &format!("snapshots/{COMMIT}")).unwrap();
    assert_eq!(named.files.len(), 1);
    let said = shown(read_in(&top, None, "snapshots/main"));
    assert!(said.contains("a snapshot is named by a commit"), "{said}");
}

#[test]
fn hub_folders_are_of_one_revision() {
    let own = ".cache/huggingface/download";
    let metadata = |etag: &str, commit: &str| format!("{commit}\n{etag}\n1.5\n");
    let good = metadata(SHA, COMMIT);
    let a = format!("{own}/a.metadata");
    let b = format!("{own}/x/b.metadata");
    assert_eq!(show("hf-folder", &[(&a, &good), (&b, &good)]), "a sha256; x/b sha256; ");
    let other = metadata(&SHA[..40], &COMMIT.replace('0', "f"));
    let bad = metadata("\"x\"", COMMIT);
    let rows = [
        (vec![(a.as_str(), good.as_str()), (&b, &other)], "b.metadata: it is of the commit f"),
        (vec![(&a, COMMIT)], "it has no commit and ETag"),
        (vec![(&a, "main\nx\n")], "it has no commit and ETag"),
        (vec![(&a, &bad)], "its ETag is no digest"),
    ];
    for (files, expected) in rows {
        let said = show("hf-folder", &files);
        assert!(said.contains(expected), "{said}");
    }
    let incomplete = format!("{own}/a.{SHA}.incomplete");
    let said = show("hf-folder", &[(&a, &good), (&incomplete, "")]);
    assert!(said.contains("a download has not come to its end"), "{said}");
}

#[test]
fn dvc_names_what_is_inside_and_what_it_keeps() {
    let md5 = &SHA[..32];
    let out = |md5: &str, path: &str| format!("outs:\n- md5: {md5}\n  size: 1\n  path: {path}\n");
    assert_eq!(show("dvc", &[("a.dvc", &out(md5, "a"))]), "a md5; ");
    assert_eq!(show("dvc", &[("x/a.dvc", &out(md5, "a"))]), "x/a md5; ");
    let lock =
        format!("schema: '2.0'\nstages:\n  t:\n    outs:\n    - path: a\n      md5: {md5}\n");
    assert_eq!(show("dvc", &[("dvc.lock", &lock)]), "a md5; ");
    let rows = [
        (out(md5, "../a"), "a.dvc: the output `../a` is outside of the folder"),
        (out(md5, "/etc/passwd"), "the output `/etc/passwd` is outside"),
        (out(&md5[1..], "a"), "the MD5 of the output `a` is none"),
        (out(&format!("{md5}.dir"), "a"), "the list of its files is not in .dvc/cache"),
        (out("../../../x.dir", "a"), "the MD5 of the output `a` is none"),
        ("outs:\n- path: a\n".to_owned(), "no MD5 is kept of the output `a`"),
        (format!("outs:\n- md5: {md5}\n  size: 1e99\n  path: a\n"), "is no number: 1e99"),
        ("outs:\n- md5: &x 1\n  path: *x\n".to_owned(), "a.dvc:3: it refers to another place"),
        (format!("{0}{0}", out(md5, "a")), "a key stands twice"),
        (format!("{}- md5: {md5}\n  path: a\n", out(md5, "a")), "claimed of `a` twice"),
        ("[".repeat(40), "a.dvc:1: it nests too deep"),
        ("[".repeat(100_000), "a.dvc:1: recursion limit exceeded"),
    ];
    for (text, expected) in rows {
        let said = show("dvc", &[("a.dvc", &text)]);
        assert!(said.contains(expected), "{}: {said}", &text[..text.len().min(80)]);
    }
    // A list in DVC's cache that is not what it is named by.
    let list = format!("[{{\"md5\": \"{md5}\", \"relpath\": \"../a\"}}]");
    let cached = format!(".dvc/cache/files/md5/{}/{}.dir", &md5[..2], &md5[2..]);
    let dvc = out(&format!("{md5}.dir"), "a");
    let said = show("dvc", &[("a.dvc", &dvc), (&cached, &list)]);
    assert!(said.contains("its content is not of the MD5 it is named by"), "{said}");
    // One that is, and leads out.
    let digest = {
        use md5::Digest as _;
        md5::Md5::digest(&list).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    };
    let cached = format!(".dvc/cache/files/md5/{}/{}.dir", &digest[..2], &digest[2..]);
    let said = show("dvc", &[("a.dvc", &out(&format!("{digest}.dir"), "a")), (&cached, &list)]);
    assert!(said.contains("`a/../a` is no path of a file below the model"), "{said}");
}

#[test]
fn signatures_claim_each_byte_once_or_nothing() {
    use base64::Engine as _;
    let bundle = |method: &str, resources: &str| {
        let statement = format!(
            "{{\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{{\
             \"serialization\":{{\"method\":\"{method}\",\"hash_type\":\"sha256\"}},\
             \"resources\":[{resources}]}}}}"
        );
        let payload = base64::engine::general_purpose::STANDARD.encode(statement);
        format!("{{\"dsseEnvelope\":{{\"payload\":\"{payload}\"}}}}")
    };
    let one = |name: &str| format!("{{\"name\":\"{name}\",\"digest\":\"{SHA}\"}}");
    let both = |a: &str, b: &str| format!("{},{}", one(a), one(b));
    let rows = [
        (bundle("files", &both("a", "b/c")), "a sha256; b/c sha256; "),
        (bundle("shards", &both("a:0:10", "a:10:15")), "a sha256+sha256; "),
        (bundle("files", &both("a", "a")), "something is claimed of `a` twice"),
        (bundle("files", &one("../a")), "`../a` is no path of a file below the model"),
        (bundle("files", &one(".")), "it is of a model of one file"),
        (bundle("shards", &both("a:0:10", "a:11:15")), "`a:11:15` does not follow the one before"),
        (bundle("shards", &both("a:0:10", "a:5:15")), "`a:5:15` does not follow"),
        (bundle("shards", &one("a:1:2")), "`a:1:2` does not follow"),
        (bundle("shards", &one("a:0:0")), "`a:0:0` does not follow"),
        (bundle("shards", &one("a:0:99999999999999999999")), "names no part of a file"),
        (bundle("files", "{\"name\":\"a\",\"digest\":\"00\"}"), "the digest of `a` is none"),
        (bundle("files", "{\"name\":\"a\",\"name\":\"b\",\"digest\":\"00\"}"), "duplicate field"),
        ("{\"dsseEnvelope\":{\"payload\":\"?\"}}".to_owned(), "its payload is no base64"),
        ("{\"dsseEnvelope\":{\"payload\":\"e30=\"}}".to_owned(), "its payload is no statement"),
    ];
    for (text, expected) in rows {
        let said = show("oms", &[("model.sig", &text)]);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let deep = format!("{{\"dsseEnvelope\":{}", "[".repeat(100_000));
    let said = show("oms", &[("model.sig", &deep)]);
    assert!(said.contains("no bundle is in it"), "{said}");
}

#[test]
fn layouts_are_followed_by_digest_and_never_in_circles() {
    let digest = |text: &str| crate::domain::digest::Digest::of(text.as_bytes());
    let part = |kind: &str, text: &str, more: &str| {
        let (digest, size) = (digest(text), text.len());
        format!("{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":{size}{more}}}")
    };
    let layer = part("application/vnd.cncf.model.weight.v1.raw", "w", "");
    let config = part("application/vnd.cncf.model.config.v1+json", "{}", "");
    let manifest = format!("{{\"config\":{config},\"layers\":[{layer}]}}");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let named = part(kind, &manifest, "");
    let read = |index: &str, blobs: &[&str]| {
        let mut files = vec![
            ("oci-layout".to_owned(), "{}".to_owned()),
            ("index.json".to_owned(), index.to_owned()),
        ];
        for blob in blobs {
            files.push((format!("blobs/sha256/{}", digest(blob).hex()), (*blob).to_owned()));
        }
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        show("oci", &files)
    };
    let index = |parts: &str| format!("{{\"manifests\":[{parts}]}}");
    let good = read(&index(&named), &[&manifest]);
    assert_eq!(good.matches("blobs/sha256/").count(), 3, "{good}");
    // An index in an index, down to a depth.
    let list = "application/vnd.oci.image.index.v1+json";
    let mut nested = index(&named);
    let mut blobs = vec![manifest.clone()];
    for _ in 0..3 {
        blobs.push(nested.clone());
        nested = index(&part(list, &nested, ""));
    }
    let all: Vec<&str> = blobs.iter().map(String::as_str).collect();
    assert!(!read(&nested, &all).contains("error"), "{}", read(&nested, &all));
    let deeper = index(&part(list, &nested, ""));
    let all: Vec<&str> = all.into_iter().chain([nested.as_str()]).collect();
    assert!(read(&deeper, &all).contains("more than 4 indexes name each other"));
    let other = manifest.replace("\"size\":1", "\"size\":2");
    let twice = format!(
        "{{\"config\":{config},\"layers\":[{layer},{}]}}",
        layer.replace("\"size\":1", "\"size\":2")
    );
    let rows = [
        (index(""), vec![], "index.json: it names no manifest"),
        (index(&format!("{named},{named}")), vec![], "it names several manifests"),
        (index(&named), vec![], "can't be read"),
        (index(&named.replace("sha256:", "sha512:")), vec![], "a digest starts with `sha256:`"),
        (index(&named.replace("sha256:", "sha256:../../")), vec![], "is named in it: a SHA-256"),
        (index(&part(kind, &twice, "")), vec![twice.as_str()], "has 1 bytes in it, and 2 too"),
        (format!("{{\"x\":{}", "[".repeat(100_000)), vec![], "index.json: it can't be read"),
    ];
    for (index, blobs, expected) in rows {
        let said = read(&index, &blobs);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // A blob under a name that is not its digest.
    let place = format!("blobs/sha256/{}", digest(&manifest).hex());
    let files =
        [("oci-layout", "{}"), ("index.json", &index(&named)), (place.as_str(), other.as_str())];
    assert!(show("oci", &files).contains("its content is not of that digest"));
}

#[test]
fn manifests_of_ollama_name_blobs_alone() {
    let manifest = |digest: &str| {
        format!("{{\"config\":{{\"digest\":\"{digest}\",\"size\":1}},\"layers\":[]}}")
    };
    let path = "manifests/registry.ollama.ai/library/tiny/latest";
    let good = format!("sha256:{SHA}");
    let said = show("ollama", &[(path, &manifest(&good)), ("blobs/x", "")]);
    assert_eq!(said, format!("sha256-{SHA} sha256; "));
    for bad in ["sha256:../../etc/passwd", "md5:00", "", "sha256-00"] {
        let said = show("ollama", &[(path, &manifest(bad)), ("blobs/x", "")]);
        assert!(said.starts_with(&format!("error: {path}: `{bad}` is named in it")), "{said}");
    }
    let two = manifest(&good).replace("\"size\":1", "\"size\":2");
    let files = [(path, manifest(&good)), ("manifests/h/n/m/t", two)];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let said = show("ollama", &files);
    assert!(said.contains("bytes elsewhere"), "{said}");
}

#[test]
fn pointers_without_git_say_what_files_are() {
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 9\n");
    let said = show("git-lfs", &[("w.bin", &pointer), ("README.md", "text")]);
    assert_eq!(said, "README.md git-sha1; w.bin sha256; ");
    let top = folder(&[("w.bin", &pointer)]);
    assert_eq!(read_in(&top, None, "").unwrap().format, Some(Format::GitLfs));
    // What is no pointer is a file as any other.
    for bad in [pointer.replace(SHA, "00"), pointer.replace('9', "x"), format!(" {pointer}")] {
        assert_eq!(show("git-lfs", &[("w.bin", &bad)]), "w.bin git-sha1; ", "{bad}");
    }
}

#[test]
fn heads_lead_to_refs_alone() {
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 9\n");
    let read = |head: &str, more: (&str, &str)| {
        let top = folder(&[("w.bin", &pointer), (".git/HEAD", head), more]);
        read_in(&top, Some(Format::GitLfs), "")
    };
    let main = (".git/refs/heads/main", COMMIT);
    let claims = read("ref: refs/heads/main\n", main).unwrap();
    assert_eq!(claims.revision.as_deref(), Some(COMMIT));
    assert_eq!(claims.requested.as_deref(), Some("main"));
    assert_eq!(read(COMMIT, main).unwrap().revision.as_deref(), Some(COMMIT));
    assert_eq!(read("ref: refs/heads/other", main).unwrap().revision, None);
    for bad in ["ref: ../../etc/passwd", "ref: refs/../../x", "ref: refs/heads/\u{7}"] {
        let said = shown(read(bad, main));
        assert!(said.contains("it names no ref of this repository"), "{bad}: {said}");
    }
    let config = |url: &str| format!("[core]\n[remote \"origin\"]\n\turl = {url}\n");
    let rows = [
        ("https://huggingface.co/o/n", Some("hf:o/n")),
        ("https://me:secret@huggingface.co/o/n.git", Some("hf:o/n")),
        ("https://me:secret@host.test/o/n.git", Some("git+https://host.test/o/n.git")),
        ("git@host.test:o/n.git", None),
        ("https://host.test", None),
        ("https://host.test/a b", None),
    ];
    for (url, expected) in rows {
        let claims = read(COMMIT, (".git/config", &config(url))).unwrap();
        assert_eq!(claims.source.as_deref(), expected, "{url}");
    }
}

#[test]
fn a_damaged_index_of_git_is_refused() {
    use sha1::{Digest as _, Sha1};
    let sealed = |mut bytes: Vec<u8>| {
        let sum: [u8; 20] = Sha1::digest(&bytes).into();
        bytes.extend_from_slice(&sum);
        bytes
    };
    let head = |version: u32, count: u32| {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend_from_slice(&version.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes
    };
    let entry = |flags: u16, path: &[u8]| {
        let mut bytes = vec![0; 24];
        bytes.extend_from_slice(&0o100_644u32.to_be_bytes());
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&[7; 20]);
        bytes.extend_from_slice(&flags.to_be_bytes());
        bytes.extend_from_slice(path);
        bytes
    };
    let v2 = |flags: u16| sealed([head(2, 1), entry(flags, b"a\0"), vec![0; 8]].concat());
    assert_eq!(git_index::parse(&v2(1)).unwrap()[0].path, b"a");
    // Version 4 says how much of the path before is kept.
    let v4 = [head(4, 2), entry(0, b"\0ab/c\0"), entry(0, b"\x01d\0")].concat();
    let paths: Vec<_> =
        git_index::parse(&sealed(v4)).unwrap().into_iter().map(|entry| entry.path).collect();
    assert_eq!(paths, [b"ab/c".to_vec(), b"ab/d".to_vec()]);
    let split = [head(2, 0), b"link\0\0\0\x01x".to_vec()].concat();
    let rows = [
        (vec![], "it is cut short"),
        (vec![1; 40], "its own digest is wrong"),
        (sealed(head(5, 0)), "it is no index of version 2 to 4"),
        (sealed(head(2, u32::MAX)), "it is cut short"),
        (sealed([head(2, 1), entry(1, b"a")].concat()), "it is cut short"),
        (v2(0x1001), "a merge is not done"),
        (sealed([head(4, 1), entry(0, b"\x01a\0")].concat()), "a path in it is damaged"),
        (sealed([head(4, 1), entry(0, &[0xff; 40])].concat()), "it is cut short"),
        (sealed(split), "it is split"),
    ];
    for (bytes, expected) in rows {
        let error = git_index::parse(&bytes).unwrap_err();
        assert!(error.starts_with(expected), "{expected}: {error}");
    }
}

#[test]
fn links_in_circles_and_pipes_end() {
    let top = folder(&[("SHA256SUMS.txt", "")]);
    std::fs::remove_file(top.path().join("SHA256SUMS.txt")).expect("removed");
    symlink("SHA256SUMS", top.path().join("SHA256SUMS")).expect("a link");
    symlink(".", top.path().join("loop")).expect("a link");
    let error = read_in(&top, Some(Format::Sums), "SHA256SUMS").unwrap_err();
    assert!(error.to_string().contains("no checksum list is in it"), "{error}");
    assert!(matches!(read_in(&top, None, ""), Err(ImportError::Unrecognised { .. })));
    let outside = folder(&[("SHA256SUMS", &format!("{SHA}  a\n"))]);
    let top = folder(&[]);
    symlink(outside.path().join("SHA256SUMS"), top.path().join("SHA256SUMS")).expect("a link");
    let error = read_in(&top, Some(Format::Sums), "SHA256SUMS").unwrap_err();
    assert!(error.to_string().contains("no checksum list is in it"), "{error}");
}
