//! One small sharded model in each form that claims are imported from.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modelhost::domain::digest::Digest;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::support::command::Place;
use crate::support::model;

/// A commit.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A model, and what is claimed of it.
pub(crate) struct Made {
    /// Where the claims are.
    pub(crate) from: String,
    /// Where the model is.
    pub(crate) model: String,
    /// Its files, in it: the shards first, then the configuration.
    pub(crate) files: Vec<String>,
    pub(crate) source: &'static str,
    pub(crate) revision: String,
}

/// The names of the formats.
pub(crate) const FORMATS: [&str; 8] =
    ["hf-cache", "hf-folder", "git-lfs", "dvc", "sums", "oms", "oci", "ollama"];

/// The files of the model: two shards of one size, their index, and small ones.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>)> {
    let shard = |last: u8| {
        let mut bytes = model::safetensors(64);
        *bytes.last_mut().expect("a byte") = last;
        bytes
    };
    let index = json!({
        "metadata": { "total_size": 128 },
        "weight_map": {
            "weight": "model-00001-of-00002.safetensors",
            "other": "model-00002-of-00002.safetensors",
        },
    });
    vec![
        ("model-00001-of-00002.safetensors", shard(1)),
        ("model-00002-of-00002.safetensors", shard(2)),
        ("config.json", b"{\"model_type\": \"bert\"}\n".to_vec()),
        ("model.safetensors.index.json", index.to_string().into_bytes()),
        ("tokenizer/vocab.txt", b"a\nb\n".to_vec()),
    ]
}

/// Makes the model in the form `format`.
pub(crate) fn make(format: &str, place: &Place) -> Made {
    let made = match format {
        "hf-cache" => hub_cache(place),
        "hf-folder" => hub_folder(place),
        "git-lfs" => git_lfs(place),
        "dvc" => dvc(place),
        "sums" => sums(place),
        "oms" => oms(place),
        "oci" => oci(place),
        "ollama" => ollama(place),
        other => panic!("{other}"),
    };
    define(place, &made, &made.revision);
    made
}

/// Writes the policy that defines the model, of a revision.
pub(crate) fn define(place: &Place, made: &Made, revision: &str) {
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[gate]\nnot-judged = \"warn\"\n[[model]]\nname = \"m\"\npath = {:?}\n\
             source = {:?}\nrevision = {revision:?}\n",
            made.model, made.source
        ),
    );
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").expect("a text");
    }
    hex
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()
}

pub(crate) fn git_blob(bytes: &[u8]) -> [u8; 20] {
    let mut state = Sha1::new();
    state.update(format!("blob {}\0", bytes.len()));
    state.update(bytes);
    state.finalize().into()
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex(&md5::Md5::digest(bytes))
}

pub(crate) fn pointer(bytes: &[u8]) -> String {
    let (oid, size) = (sha256(bytes), bytes.len());
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

/// The ETag of a file on the Hub: git-lfs keeps weights, git the rest.
fn etag(name: &str, bytes: &[u8]) -> String {
    if name.ends_with(".safetensors") { sha256(bytes) } else { hex(&git_blob(bytes)) }
}

fn names() -> Vec<String> {
    files().into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn hub_cache(place: &Place) -> Made {
    let hub = "hub/models--org--name";
    let snapshot = format!("{hub}/snapshots/{COMMIT}");
    place.write(&format!("{hub}/refs/main"), COMMIT);
    for (name, bytes) in files() {
        let blob = etag(name, &bytes);
        place.write(&format!("{hub}/blobs/{blob}"), bytes);
        let link = place.path().join(&snapshot).join(name);
        std::fs::create_dir_all(link.parent().expect("a parent")).expect("folders");
        let up = "../".repeat(2 + name.matches('/').count());
        std::os::unix::fs::symlink(format!("{up}blobs/{blob}"), link).expect("a link");
    }
    Made {
        from: hub.to_owned(),
        model: snapshot,
        files: names(),
        source: "hf:org/name",
        revision: COMMIT.to_owned(),
    }
}

fn hub_folder(place: &Place) -> Made {
    let own = "m/.cache/huggingface";
    place.write(&format!("{own}/.gitignore"), "*");
    for (name, bytes) in files() {
        let text = format!("{COMMIT}\n{}\n1712656091.123\n", etag(name, &bytes));
        place.write(&format!("{own}/download/{name}.metadata"), text);
        place.write(&format!("m/{name}"), bytes);
    }
    in_m("m", COMMIT)
}

/// One whose files and claims are in the folder `m`.
fn in_m(from: &str, revision: &str) -> Made {
    Made {
        from: from.to_owned(),
        model: "m".to_owned(),
        files: names(),
        source: "hf:org/name",
        revision: revision.to_owned(),
    }
}

/// Writes an index of version 2.
pub(crate) fn git_index(entries: &[(&str, [u8; 20])]) -> Vec<u8> {
    let mut sorted = entries.to_vec();
    sorted.sort();
    let mut index = b"DIRC\0\0\0\x02".to_vec();
    index.extend_from_slice(&u32::try_from(sorted.len()).expect("few").to_be_bytes());
    for (name, id) in sorted {
        let start = index.len();
        for number in [0, 0, 0, 0, 0, 0, 0o100_644u32, 0, 0, 0] {
            index.extend_from_slice(&number.to_be_bytes());
        }
        index.extend_from_slice(&id);
        index.extend_from_slice(&u16::try_from(name.len()).expect("short").to_be_bytes());
        index.extend_from_slice(name.as_bytes());
        index.resize(start + (index.len() - start + 1).next_multiple_of(8), 0);
    }
    let sum: [u8; 20] = Sha1::digest(&index).into();
    index.extend_from_slice(&sum);
    index
}

fn git_lfs(place: &Place) -> Made {
    let attributes = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n";
    let mut entries = vec![(".gitattributes", git_blob(attributes))];
    place.write("m/.gitattributes", attributes);
    for (name, bytes) in files() {
        let id = match name.ends_with(".safetensors") {
            true => git_blob(pointer(&bytes).as_bytes()),
            false => git_blob(&bytes),
        };
        entries.push((name, id));
        place.write(&format!("m/{name}"), bytes);
    }
    place
        .write("m/.git/index", git_index(&entries))
        .write("m/.git/HEAD", "ref: refs/heads/main\n")
        .write("m/.git/packed-refs", format!("# pack-refs\n{COMMIT} refs/heads/main\n"))
        .write(
            "m/.git/config",
            "[remote \"origin\"]\n\turl = https://me:secret@huggingface.co/org/name\n",
        );
    in_m("m", COMMIT)
}

fn dvc(place: &Place) -> Made {
    let mut list = Vec::new();
    for (name, bytes) in files() {
        list.push(json!({ "md5": md5(&bytes), "relpath": name }));
        place.write(&format!("repo/bert/{name}"), bytes);
    }
    let list = Value::from(list).to_string();
    let sum = md5(list.as_bytes());
    place.write(&format!("repo/.dvc/cache/files/md5/{}/{}.dir", &sum[..2], &sum[2..]), list);
    place.write(
        "repo/bert.dvc",
        format!("outs:\n- md5: {sum}.dir\n  size: 500\n  nfiles: 5\n  hash: md5\n  path: bert\n"),
    );
    Made {
        from: "repo".to_owned(),
        model: "repo/bert".to_owned(),
        source: "git+https://example.test/org/name",
        ..in_m("", COMMIT)
    }
}

fn sums(place: &Place) -> Made {
    let mut list = String::new();
    for (name, bytes) in files() {
        writeln!(list, "{}  {name}", sha256(&bytes)).expect("a text");
        place.write(&format!("m/{name}"), bytes);
    }
    place.write("m/SHA256SUMS", list);
    in_m("m/SHA256SUMS", COMMIT)
}

fn oms(place: &Place) -> Made {
    let mut resources = Vec::new();
    for (name, bytes) in files() {
        let digest = sha256(&bytes);
        resources.push(json!({ "name": name, "algorithm": "sha256", "digest": digest }));
        place.write(&format!("m/{name}"), bytes);
    }
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "m", "digest": { "sha256": "00".repeat(32) } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files", "hash_type": "sha256", "allow_symlinks": false,
                "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore"],
            },
            "resources": resources,
        },
    });
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(statement.to_string()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": "AA==" }],
        },
    });
    place.write("m/model.sig", bundle.to_string());
    in_m("m", COMMIT)
}

fn blob(path: &str, kind: &str, bytes: &[u8], place: &Place) -> Value {
    place.write(path, bytes);
    let digest = Digest::of(bytes).to_string();
    json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
}

fn oci(place: &Place) -> Made {
    let blob = |kind: &str, bytes: &[u8]| {
        blob(&format!("layout/blobs/sha256/{}", sha256(bytes)), kind, bytes, place)
    };
    let mut layers = Vec::new();
    let mut names = Vec::new();
    for (name, bytes) in files() {
        let mut layer = blob("application/vnd.cnai.model.weight.v1.raw", &bytes);
        layer["annotations"] = json!({ "org.cnai.model.filepath": name });
        layers.push(layer);
        names.push(format!("blobs/sha256/{}", sha256(&bytes)));
    }
    let config = blob("application/vnd.cncf.model.config.v1+json", b"{\"descriptor\": {}}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cnai.model.manifest.v1+json",
        "config": config, "layers": layers,
    });
    let mut named =
        blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    named["annotations"] =
        json!({ "org.opencontainers.image.ref.name": "registry.test/org/name:v1" });
    let revision = named["digest"].as_str().expect("a digest").to_owned();
    let index = json!({ "schemaVersion": 2, "manifests": [named] });
    place
        .write("layout/index.json", index.to_string())
        .write("layout/oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}");
    Made {
        from: "layout".to_owned(),
        model: "layout".to_owned(),
        files: names,
        source: "oci:registry.test/org/name",
        revision,
    }
}

fn ollama(place: &Place) -> Made {
    let blob = |kind: &str, bytes: &[u8]| {
        blob(&format!("store/blobs/sha256-{}", sha256(bytes)), kind, bytes, place)
    };
    let mut names = Vec::new();
    let mut layers = Vec::new();
    for (_, bytes) in files() {
        layers.push(blob("application/vnd.ollama.image.model", &bytes));
        names.push(format!("sha256-{}", sha256(&bytes)));
    }
    let config = blob("application/vnd.docker.container.image.v1+json", b"{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string();
    place.write("store/manifests/registry.ollama.ai/library/tiny/latest", &manifest);
    Made {
        from: "store".to_owned(),
        model: "store/blobs".to_owned(),
        files: names,
        source: "ollama:tiny",
        revision: Digest::of(manifest.as_bytes()).to_string(),
    }
}

/// Returns where the file `name` of the model is.
pub(crate) fn path(place: &Place, made: &Made, name: &str) -> std::path::PathBuf {
    place.path().join(Path::new(&made.model)).join(name)
}
