//! What statements of each form come to.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::key::hex;

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
                        format!("{path}[{}]", parts.iter().map(show).collect::<Vec<_>>().join(" "))
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
        (good.replace("\"name\":\"a\",", "\"name\":\"a\",\"name\":\"b\","), "`name` stands twice"),
        // Subjects and root digest.
        (good.replace("\"name\":\"m\"", "\"name\":\"\""), "malformed: its subject has no name"),
        (good.replace("\"subject\":[{", "\"subject\":[],\"x\":[{"), "malformed: it has 0 subjects"),
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
        (of(&[subject("a", A, "file-blake2")]), "malformed: the digest of `a` is of `file-blake2`"),
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
        (statement(&[("a:4:6", A), ("b:0:1", A), ("a:0:4", B)], SHARDS), "a[0..4 4..6] b[0..1]"),
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
        (statement(&[("a:0:4", A)], &size("null")), "malformed: it speaks of shards and gives no"),
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
