//! What was signed: an in-toto statement that lists a model's files with their
//! digests (OpenSSF Model Signing 1.0, sections 5 and 6).
//!
//! It leaves to others: whether the signature over it holds (`verify`), and
//! whether the files are those (`inventory`).

use std::collections::BTreeMap;

use modelhost_check::Algorithm;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::json;
use crate::key::hex;
use crate::path::{self, Paths};

/// The payload type of an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The types of in-toto statements. Model signing has the first one alone.
pub const STATEMENT_TYPES: [&str; 2] =
    ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// What a statement of OpenSSF Model Signing 1.0 says.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// What one of before 2025 says, whose subjects are the files.
pub const OLD_PREDICATE_TYPE: &str = "https://model_signing/Digests/v0.1";

/// The digests of the old form, as it names them.
const OLD_DIGEST: &str = "file-sha256";

/// Up to here, every whole number has an exact value as a JSON number anywhere.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The name of the only file of a model, as the reference tool writes it.
pub const ONLY_FILE: &str = ".";

/// What was signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// The algorithm of the digests of parts.
    pub algorithm: Algorithm,
    /// Whether the signer followed symbolic links.
    pub follows_links: bool,
    /// The paths that the signer left out.
    pub ignored: Paths,
    /// The signed files by path, in raw bytes.
    pub files: BTreeMap<Vec<u8>, Signed>,
}

/// What was signed of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Digests of the whole file, all of which have to be right.
    Whole(Vec<(Algorithm, Vec<u8>)>),
    /// The digests of its parts, from the front, without gaps.
    Parts(Vec<Part>),
}

/// One signed part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it starts.
    pub start: u64,
    /// Where it ends; there the next one starts.
    pub end: u64,
    /// The digest of what is between.
    pub digest: Vec<u8>,
}

/// Why a statement can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not what the specification asks for. The text is a clause about it.
    Malformed(String),
    /// It names a file by a path that is not a plain one within the model.
    UnsafePath(String),
    /// It names a file, or a part of one, twice.
    Duplicate(String),
}

/// Refuses a statement as malformed.
///
/// # Errors
/// Always.
pub fn malformed<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Malformed(text.into()))
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct OldBody {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<OldSubject>,
}

#[derive(Deserialize)]
struct OldSubject {
    name: String,
    digest: SubjectDigest,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    actual_hash_algorithm: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: String,
}

#[derive(Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    shard_size: Option<serde_json::Number>,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

/// Reads which kind of statement a payload is, by its predicate's type.
///
/// # Errors
/// Says why it is none that can be read.
pub fn predicate_type(payload_type: &str, payload: &[u8]) -> Result<String, Refusal> {
    if payload_type != PAYLOAD_TYPE {
        return malformed(format!("it is signed as `{payload_type}`, not as `{PAYLOAD_TYPE}`"));
    }
    let head: Head = json::parse(payload).map_err(unreadable)?;
    Ok(head.predicate_type)
}

fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::Malformed(format!("it can't be read: {error}"))
}

fn check_kind(kind: &str) -> Result<(), Refusal> {
    match kind == STATEMENT_TYPES[0] {
        true => Ok(()),
        false => malformed(format!("it is a `{kind}`, not a `{}`", STATEMENT_TYPES[0])),
    }
}

/// Reads a statement of the form of before 2025 that was found to be JSON without names
/// twice.
///
/// # Errors
/// Says why it can't be used.
pub fn parse_old(payload: &[u8]) -> Result<Statement, Refusal> {
    let body: OldBody = serde_json::from_slice(payload).map_err(unreadable)?;
    check_kind(&body.kind)?;
    let (algorithm, length) = algorithm("sha256")?;
    let mut files = BTreeMap::new();
    for OldSubject { name, digest, annotations } in body.subject {
        let kind = annotations.and_then(|annotations| annotations.actual_hash_algorithm);
        if let Some(kind) = kind.filter(|kind| kind != OLD_DIGEST) {
            return malformed(format!("the digest of `{name}` is of `{kind}`"));
        }
        match unhex(&digest.sha256).filter(|digest| digest.len() == length) {
            Some(digest) => add(&mut files, name, (algorithm, digest), None)?,
            None => return malformed(format!("the digest of `{name}` is none of `sha256`")),
        }
    }
    if files.is_empty() {
        return malformed("it lists no file");
    }
    Ok(Statement { algorithm, follows_links: false, ignored: Paths::default(), files })
}

/// Reads a statement of OpenSSF Model Signing 1.0 that was found to be JSON without
/// names twice.
///
/// # Errors
/// Says why it can't be used.
pub fn parse(payload: &[u8]) -> Result<Statement, Refusal> {
    let body: Body = serde_json::from_slice(payload).map_err(unreadable)?;
    check_kind(&body.kind)?;
    let [subject] = &body.subject[..] else {
        return malformed(format!("it has {} subjects, and not exactly one", body.subject.len()));
    };
    if subject.name.is_empty() {
        return malformed("its subject has no name");
    }
    let Predicate { resources, serialization } = body.predicate;
    let (algorithm, length) = algorithm(&serialization.hash_type)?;
    let shard = shard_size(&serialization)?;
    let mut root = Sha256::new();
    let mut files = BTreeMap::new();
    for resource in resources {
        let digest = digest(&resource, &serialization.hash_type, length, shard)?;
        root.update(&digest);
        add(&mut files, resource.name, (algorithm, digest), shard)?;
    }
    if files.is_empty() {
        return malformed("it lists no file");
    }
    if subject.digest.sha256 != hex(&root.finalize()) {
        return malformed("its root digest is not that of the files it lists");
    }
    if let Some(shard) = shard {
        for (path, signed) in &mut files {
            complete(path, signed, shard)?;
        }
    }
    Ok(Statement {
        algorithm,
        follows_links: serialization.allow_symlinks,
        ignored: serialization.ignore_paths.iter().map(String::as_str).collect(),
        files,
    })
}

/// Names the algorithm, and the length of its digests in bytes.
fn algorithm(name: &str) -> Result<(Algorithm, usize), Refusal> {
    match name {
        "sha256" => Ok((Algorithm::Sha256, 32)),
        "blake2b" => Ok((Algorithm::Blake2b512, 64)),
        "blake3" => Ok((Algorithm::Blake3, 32)),
        _ => malformed(format!("its digests are of `{name}`, none of sha256, blake2b and blake3")),
    }
}

/// Returns the size of the parts that files were cut into. None: they were not.
fn shard_size(serialization: &Serialization) -> Result<Option<u64>, Refusal> {
    match (serialization.method.as_str(), &serialization.shard_size) {
        ("files", None) => Ok(None),
        ("files", Some(_)) => malformed("it speaks of whole files and gives a shard size"),
        ("shards", Some(size)) => match whole(size) {
            Some(size) if size > 0 => Ok(Some(size)),
            _ => malformed(format!("its shard size is {size}")),
        },
        ("shards", None) => malformed("it speaks of shards and gives no shard size"),
        (method, _) => malformed(format!("its method is `{method}`, neither files nor shards")),
    }
}

/// Reads a whole number. The reference tool writes `256.0` for 256.
fn whole(number: &serde_json::Number) -> Option<u64> {
    let float = |number: f64| {
        let fits = number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number was found to be whole and in range"
        )]
        fits.then_some(number as u64)
    };
    number.as_u64().or_else(|| number.as_f64().and_then(float))
}

/// Reads the digest of a resource, which has to be of the statement's algorithm.
fn digest(
    resource: &Resource,
    hash_type: &str,
    length: usize,
    shard: Option<u64>,
) -> Result<Vec<u8>, Refusal> {
    let stated = resource.algorithm.as_str();
    // The reference tool adds the shard size to the algorithm's name.
    let sharded = shard.map(|shard| format!("{hash_type}-sharded-{shard}"));
    if stated != hash_type && Some(stated) != sharded.as_deref() {
        return malformed(format!(
            "a digest of it is of `{stated}`, and the others of `{hash_type}`"
        ));
    }
    match unhex(&resource.digest) {
        Some(digest) if digest.len() == length => Ok(digest),
        _ => malformed(format!("the digest of `{}` is none of `{hash_type}`", resource.name)),
    }
}

/// Reads bytes from lower-case hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Adds what a resource says of a file.
fn add(
    files: &mut BTreeMap<Vec<u8>, Signed>,
    name: String,
    digest: (Algorithm, Vec<u8>),
    shard: Option<u64>,
) -> Result<(), Refusal> {
    let Some(shard) = shard else {
        let path = safe(&name)?;
        return match files.insert(path, Signed::Whole(vec![digest])) {
            Some(_) => Err(Refusal::Duplicate(name)),
            None => Ok(()),
        };
    };
    let Some((path, start, end)) = range(&name) else {
        return malformed(format!("`{name}` is no part of a file (`path:start:end`)"));
    };
    let length = end.checked_sub(start).filter(|length| (1..=shard).contains(length));
    if length.is_none() || !start.is_multiple_of(shard) {
        return malformed(format!(
            "`{name}` is not one of the parts that files are cut into by {shard} bytes"
        ));
    }
    let parts = files.entry(safe(path)?).or_insert_with(|| Signed::Parts(Vec::new()));
    if let Signed::Parts(parts) = parts {
        parts.push(Part { start, end, digest: digest.1 });
    }
    Ok(())
}

/// Takes the last two numbers off a name; what is before may hold colons too.
fn range(name: &str) -> Option<(&str, u64, u64)> {
    let (rest, end) = name.rsplit_once(':')?;
    let (path, start) = rest.rsplit_once(':')?;
    Some((path, decimal(start)?, decimal(end)?))
}

/// Reads a number in the one way to write it in decimal.
fn decimal(text: &str) -> Option<u64> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// Takes a name as a path in the model.
fn safe(name: &str) -> Result<Vec<u8>, Refusal> {
    match path::is_plain(name) || name == ONLY_FILE {
        true => Ok(name.as_bytes().to_owned()),
        false => Err(Refusal::UnsafePath(name.to_owned())),
    }
}

/// Puts the parts of a file into order, and checks that none is missing.
fn complete(path: &[u8], signed: &mut Signed, shard: u64) -> Result<(), Refusal> {
    let Signed::Parts(parts) = signed else {
        return Ok(());
    };
    parts.sort_unstable_by_key(|part| (part.start, part.end));
    let mut expected = 0;
    for (index, part) in parts.iter().enumerate() {
        let name = || format!("{}:{}:{}", String::from_utf8_lossy(path), part.start, part.end);
        if part.start < expected {
            return Err(Refusal::Duplicate(name()));
        }
        let is_last = index + 1 == parts.len();
        if part.start > expected || (part.end - part.start < shard && !is_last) {
            return malformed(format!("the parts of a file have a gap at `{}`", name()));
        }
        expected = part.end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aa11223344556677889900112233445566778899001122334455667788990011";
    const B: &str = "bb11223344556677889900112233445566778899001122334455667788990011";

    /// A statement of resources `name=digest`, with the right root digest.
    fn statement(resources: &[(&str, &str)], serialization: &str) -> String {
        let mut root = Sha256::new();
        for (_, digest) in resources {
            root.update(unhex(digest).unwrap_or_default());
        }
        let root = hex(&root.finalize());
        let resource = |(name, digest): &(&str, &str)| {
            let name = serde_json::to_string(name).expect("a string");
            format!(r#"{{"name":{name},"algorithm":"sha256","digest":"{digest}"}}"#)
        };
        let resources: Vec<_> = resources.iter().map(resource).collect();
        format!(
            r#"{{"_type":"{}","subject":[{{"name":"m","digest":{{"sha256":"{root}"}}}}],"predicateType":"{PREDICATE_TYPE}","predicate":{{"resources":[{}],"serialization":{{{serialization}}}}}}}"#,
            STATEMENT_TYPES[0],
            resources.join(",")
        )
    }

    const FILES: &str = r#""method":"files","hash_type":"sha256","allow_symlinks":false"#;
    const SHARDS: &str =
        r#""method":"shards","hash_type":"sha256","allow_symlinks":false,"shard_size":4"#;

    fn read(payload_type: &str, payload: &[u8]) -> Result<Statement, Refusal> {
        match predicate_type(payload_type, payload)?.as_str() {
            PREDICATE_TYPE => parse(payload),
            OLD_PREDICATE_TYPE => parse_old(payload),
            other => malformed(other),
        }
    }

    fn show(payload: &str) -> String {
        match read(PAYLOAD_TYPE, payload.as_bytes()) {
            Ok(statement) => {
                let show = |(path, signed): (&Vec<u8>, &Signed)| {
                    let path = String::from_utf8_lossy(path).into_owned();
                    match signed {
                        Signed::Whole(digests) => format!("{path}={}", hex(&digests[0].1[..1])),
                        Signed::Parts(parts) => {
                            let show = |part: &Part| format!("{}..{}", part.start, part.end);
                            format!(
                                "{path}[{}]",
                                parts.iter().map(show).collect::<Vec<_>>().join(" ")
                            )
                        }
                    }
                };
                statement.files.iter().map(show).collect::<Vec<_>>().join(" ")
            }
            Err(Refusal::Malformed(why)) => format!("malformed: {why}"),
            Err(Refusal::UnsafePath(name)) => format!("unsafe: {name}"),
            Err(Refusal::Duplicate(name)) => format!("twice: {name}"),
        }
    }

    #[test]
    fn whole_files() {
        let good = statement(&[("a", A), ("b/c", B)], FILES);
        let rows = [
            (good.clone(), "a=aa b/c=bb"),
            (statement(&[("b", B), ("a", A)], FILES), "a=aa b=bb"),
            (statement(&[("a:0:4", A), ("é \\ \n", B)], FILES), "a:0:4=aa é \\ \n=bb"),
            (statement(&[(".", A)], FILES), ".=aa"),
            (good.replace("\"algorithm\":", "\"uri\":{},\"algorithm\":"), "a=aa b/c=bb"),
            (good.replace("\"resources\":", "\"x\":null,\"resources\":"), "a=aa b/c=bb"),
            (good.replace(FILES, &format!("{FILES},\"ignore_paths\":[]")), "a=aa b/c=bb"),
            // Not this kind of statement.
            (
                good.replace("Statement/v1", "Statement/v0.1"),
                "malformed: it is a `https://in-toto.io/Statement/v0.1`",
            ),
            (
                good.replace("signature/v1.0", "signature/v2.0"),
                "malformed: https://model_signing/signature/v2.0",
            ),
            (String::new(), "malformed: it can't be read: EOF"),
            ("{}".into(), "malformed: it can't be read: missing field `predicateType`"),
            ("[]".into(), "malformed: it can't be read"),
            (good[..300].into(), "malformed: it can't be read: EOF"),
            (good.replace("\"predicate\":", "\"predicat\":"), "missing field `predicate`"),
            (good.replace("\"_type\":", "\"_type\":\"x\",\"_type\":"), "`_type` stands twice"),
            (
                good.replace("\"name\":\"a\",", "\"name\":\"a\",\"name\":\"b\","),
                "`name` stands twice",
            ),
            // Subjects and root digest.
            (good.replace("\"name\":\"m\"", "\"name\":\"\""), "malformed: its subject has no name"),
            (
                good.replace("\"subject\":[{", "\"subject\":[],\"x\":[{"),
                "malformed: it has 0 subjects",
            ),
            (good.replace(A, &A.replace("aa1", "aa2")), "malformed: its root digest is not"),
            (statement(&[], FILES), "malformed: it lists no file"),
            // Digests.
            (
                good.replace("files\",\"hash_type\":\"sha256\"", "files\",\"hash_type\":\"md5\""),
                "malformed: its digests are of `md5`",
            ),
            (
                good.replace("\"algorithm\":\"sha256\"", "\"algorithm\":\"sha1\""),
                "malformed: a digest of it is of `sha1`",
            ),
            (
                good.replace("\"algorithm\":\"sha256\"", "\"algorithm\":\"sha256-sharded-4\""),
                "malformed: a digest",
            ),
            (statement(&[("a", &A[2..])], FILES), "malformed: the digest of `a`"),
            (statement(&[("a", &A[1..])], FILES), "malformed: the digest of `a`"),
            (statement(&[("a", &A.to_uppercase())], FILES), "malformed: the digest of `a`"),
            (statement(&[("a", "")], FILES), "malformed: the digest of `a`"),
            // Names.
            (statement(&[("../a", A)], FILES), "unsafe: ../a"),
            (statement(&[("a/../../b", A)], FILES), "unsafe: a/../../b"),
            (statement(&[("/etc/passwd", A)], FILES), "unsafe: /etc/passwd"),
            (statement(&[("./a", A)], FILES), "unsafe: ./a"),
            (statement(&[("a//b", A)], FILES), "unsafe: a//b"),
            (statement(&[("a/", A)], FILES), "unsafe: a/"),
            (statement(&[("..", A)], FILES), "unsafe: .."),
            (statement(&[("", A)], FILES), "unsafe: "),
            (statement(&[("a\0", A)], FILES), "unsafe: a\0"),
            (statement(&[("a", A), ("a", B)], FILES), "twice: a"),
            (statement(&[("a", A), ("a", A)], FILES), "twice: a"),
            // Serialization.
            (
                statement(&[("a", A)], &FILES.replace("files", "tensors")),
                "malformed: its method is `tensors`",
            ),
            (
                statement(&[("a", A)], &format!("{FILES},\"shard_size\":4")),
                "malformed: it speaks of whole files",
            ),
            (
                statement(&[("a", A)], &FILES.replace(",\"allow_symlinks\":false", "")),
                "missing field `allow_symlinks`",
            ),
            (statement(&[("a", A)], &FILES.replace("false", "0")), "invalid type"),
        ];
        for (payload, expected) in rows {
            let shown = show(&payload);
            assert!(
                shown.starts_with(expected)
                    || shown.contains(expected) && shown.starts_with("malformed"),
                "{payload}: {shown}"
            );
        }
        let error = read("text/plain", good.as_bytes()).expect_err("another type was signed");
        assert!(matches!(error, Refusal::Malformed(why) if why.contains("text/plain")));
    }

    #[test]
    fn old_statements() {
        let subject = |name: &str, digest: &str, kind: &str| {
            format!(
                r#"{{"name":"{name}","digest":{{"sha256":"{digest}"}},"annotations":{{"actual_hash_algorithm":"{kind}"}}}}"#
            )
        };
        let of = |subjects: &[String]| {
            format!(
                r#"{{"_type":"{}","subject":[{}],"predicateType":"{OLD_PREDICATE_TYPE}","predicate":{{"unused":""}}}}"#,
                STATEMENT_TYPES[0],
                subjects.join(",")
            )
        };
        let a = subject("a", A, "file-sha256");
        let bare = format!(r#"{{"name":"b/c","digest":{{"sha256":"{B}"}}}}"#);
        let rows = [
            (of(&[a.clone(), bare]), "a=aa b/c=bb"),
            (of(&[]), "malformed: it lists no file"),
            (of(&[a.clone(), a.clone()]), "twice: a"),
            (of(&[subject("../a", A, "file-sha256")]), "unsafe: ../a"),
            (of(&[subject("a", &A[2..], "file-sha256")]), "malformed: the digest of `a`"),
            (
                of(&[subject("a", A, "file-blake2")]),
                "malformed: the digest of `a` is of `file-blake2`",
            ),
            (
                of(std::slice::from_ref(&a)).replace("sha256\":\"aa", "sha1\":\"aa"),
                "malformed: it can't be read",
            ),
            (of(&[a]).replace("Statement/v1", "Statement/v0.1"), "malformed: it is a"),
        ];
        for (payload, expected) in rows {
            let shown = show(&payload);
            assert!(shown.starts_with(expected), "{payload}: {shown}");
        }
    }

    #[test]
    fn parts_of_files() {
        let size = |size: &str| SHARDS.replace(":4", &format!(":{size}"));
        let rows = [
            (statement(&[("a:0:4", A), ("a:4:6", B)], SHARDS), "a[0..4 4..6]"),
            (
                statement(&[("a:4:6", A), ("b:0:1", A), ("a:0:4", B)], SHARDS),
                "a[0..4 4..6] b[0..1]",
            ),
            (statement(&[("x:1:2:0:3", A)], SHARDS), "x:1:2[0..3]"),
            (
                statement(&[("a:0:4", A)], SHARDS)
                    .replace("\"algorithm\":\"sha256\"", "\"algorithm\":\"sha256-sharded-4\""),
                "a[0..4]",
            ),
            (statement(&[("a:0:4", A)], &size("4.0")), "a[0..4]"),
            (
                statement(&[(&format!("a:0:{}", u64::MAX), A)], &size(&u64::MAX.to_string())),
                "a[0..18446744073709551615]",
            ),
            (statement(&[("a:0:4", A), ("a:0:4", B)], SHARDS), "twice: a:0:4"),
            (statement(&[("a:0:3", A), ("a:0:4", B)], SHARDS), "malformed: the parts"),
            (
                statement(&[("a:4:8", A)], SHARDS),
                "malformed: the parts of a file have a gap at `a:4:8`",
            ),
            (
                statement(&[("a:0:4", A), ("a:8:9", B)], SHARDS),
                "malformed: the parts of a file have a gap at `a:8:9`",
            ),
            (statement(&[("a:0:3", A), ("a:4:6", B)], SHARDS), "malformed: the parts"),
            (statement(&[("a:0:5", A)], SHARDS), "malformed: `a:0:5` is not one of the parts"),
            (statement(&[("a:2:4", A)], SHARDS), "malformed: `a:2:4` is not one of the parts"),
            (statement(&[("a:4:4", A)], SHARDS), "malformed: `a:4:4` is not one of the parts"),
            (statement(&[("a:4:0", A)], SHARDS), "malformed: `a:4:0` is not one of the parts"),
            (statement(&[("a", A)], SHARDS), "malformed: `a` is no part"),
            (statement(&[("a:0", A)], SHARDS), "malformed: `a:0` is no part"),
            (statement(&[("a:0:", A)], SHARDS), "malformed: `a:0:` is no part"),
            (statement(&[("a:+0:4", A)], SHARDS), "malformed: `a:+0:4` is no part"),
            (statement(&[("a:00:4", A)], SHARDS), "malformed: `a:00:4` is no part"),
            (
                statement(&[("a:0:18446744073709551616", A)], SHARDS),
                "malformed: `a:0:18446744073709551616` is no part",
            ),
            (statement(&[("../a:0:4", A)], SHARDS), "unsafe: ../a"),
            (statement(&[(":0:4", A)], SHARDS), "unsafe: "),
            (statement(&[("a:0:4", A)], &size("0")), "malformed: its shard size is 0"),
            (statement(&[("a:0:4", A)], &size("-4")), "malformed: its shard size is -4"),
            (statement(&[("a:0:4", A)], &size("4.5")), "malformed: its shard size is 4.5"),
            (statement(&[("a:0:4", A)], &size("1e300")), "malformed: its shard size is 1e"),
            (statement(&[("a:0:4", A)], &size("\"4\"")), "malformed: it can't be read"),
            (
                statement(&[("a:0:4", A)], &size("null")),
                "malformed: it speaks of shards and gives no",
            ),
        ];
        for (payload, expected) in rows {
            let shown = show(&payload);
            assert!(shown.starts_with(expected), "{payload}: {shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_payload_is_read(payload: Vec<u8>) {
            drop(read(PAYLOAD_TYPE, &payload));
        }

        #[test]
        fn any_names_are_read(names: Vec<String>, shards: bool) {
            let resources: Vec<_> = names.iter().map(|name| (name.as_str(), A)).collect();
            drop(read(PAYLOAD_TYPE, statement(&resources, if shards { SHARDS } else { FILES }).as_bytes()));
        }

        #[test]
        fn a_changed_byte_is_read(at in 0..400usize, byte: u8) {
            let mut payload = statement(&[("a:0:4", A), ("a:4:6", B)], SHARDS).into_bytes();
            let at = at % payload.len();
            payload[at] = byte;
            drop(read(PAYLOAD_TYPE, &payload));
        }
    }
}
