//! `modelhost lock --from`: what is imported, what is refused, and that nothing is
//! half-imported.

use std::process::Command;

use serde_json::json;

use crate::mutations::made::{self, COMMIT, git_blob, hex, pointer, sha256};
use crate::support::command::Place;
use crate::support::model;

#[test]
fn all_that_differs_is_said_at_once_and_nothing_is_written() {
    let place = Place::new();
    let list = format!(
        "{}  gone.bin\n{}  same.bin\n{}  other.bin\n",
        sha256(b"gone"),
        sha256(b"same"),
        sha256(b"other")
    );
    place
        .write("m/SHA256SUMS", list)
        .write("m/same.bin", "same")
        .write("m/other.bin", "changed")
        .write("m/extra.py", "import os\n");
    let said = place.modelhost(&["lock", "--from", "m"]);
    said.code(1)
        .says("checksum/extra-file: extra.py: nothing is claimed of this file")
        .says("checksum/missing-file: gone.bin: this file is claimed, and is not here: fetch it")
        .says("checksum/digest-mismatch: other.bin: it has the sha256 ")
        .says("nothing was locked: 3 differences between m and what sums claims");
    assert!(!place.path().join("modelhost.lock").exists());
    // A lock file that is there stays as it is.
    place.modelhost(&["lock", "m"]).code(0);
    let before = place.read("modelhost.lock");
    place.modelhost(&["lock", "--from", "m"]).code(1);
    assert_eq!(place.read("modelhost.lock"), before);
    std::fs::remove_file(place.path().join("m/extra.py")).expect("removed");
    place.write("m/gone.bin", "gone").write("m/other.bin", "other");
    place.modelhost(&["lock", "--from", "m"]).code(0).says("model m: 3 files are as sums claims");
    assert_eq!(place.read("modelhost.lock").matches("upstream = \"sums\"").count(), 3);
}

#[test]
fn pointers_say_what_to_fetch() {
    let place = Place::new();
    let weights = model::safetensors(64);
    place.write("m/w.safetensors", pointer(&weights)).write("m/README.md", "text\n");
    let said = place.modelhost(&["lock", "--from", "m"]);
    said.code(1).says("checksum/lfs-pointer: w.safetensors: this is a git-lfs pointer").says(
        &format!("the file of {} bytes was never fetched: run `git lfs pull`", weights.len()),
    );
    // The files from elsewhere, held against the pointers.
    place.write("real/w.safetensors", &weights).write("real/README.md", "text\n");
    place.modelhost(&["lock", "real", "--from", "m"]).code(0).says("as git-lfs claims");
    let lock = place.read("modelhost.lock");
    assert!(lock.contains("upstream = \"lfs-sha256\""), "{lock}");
    assert!(lock.contains(&format!("git-sha1:{}", hex(&git_blob(b"text\n")))), "{lock}");
}

#[test]
fn what_git_itself_writes_is_read() {
    let place = Place::new();
    let weights = model::safetensors(64);
    place.write("m/README.md", "text\n").write("m/sub/config.json", "{}\n");
    place.write("pointer", pointer(&weights));
    place.write("m/.gitattributes", "*.safetensors filter=lfs -text\n");
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-C", "m", "-c", "user.name=a", "-c", "user.email=a@example.test"]);
        command.args(args).current_dir(place.path()).env("HOME", place.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        command.output()
    };
    if git(&["init", "-q", "-b", "main"]).is_err() {
        eprintln!("skipped: there is no git");
        return;
    }
    let run = |args: &[&str]| {
        let output = git(args).expect("git starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    run(&["add", "README.md", "sub/config.json", ".gitattributes"]);
    // As git-lfs does it: the pointer is what git keeps.
    let id = run(&["hash-object", "-w", "--no-filters", "../pointer"]);
    run(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},w.safetensors")]);
    run(&["commit", "-q", "-m", "first"]);
    place.write("m/w.safetensors", &weights);
    let head = run(&["rev-parse", "HEAD"]);
    for version in ["2", "4"] {
        run(&["update-index", "--force-write-index", "--index-version", version]);
        place.modelhost(&["lock", "--from", "m"]).code(0).says("model m: 4 files are as git-lfs");
    }
    let lock = place.read("modelhost.lock");
    assert!(lock.contains(&format!("revision = \"{head}\"\nrequested = \"main\"")), "{lock}");
    assert_eq!(lock.matches("upstream = \"lfs-sha256\"").count(), 1, "{lock}");
    assert_eq!(lock.matches("upstream = \"git-sha1:").count(), 3, "{lock}");
}

#[test]
fn layouts_are_held_against_a_model_unpacked_elsewhere() {
    let place = Place::new();
    let weights = model::safetensors(64);
    let part = |kind: &str, bytes: &[u8], path: &str| {
        place.write(&format!("layout/blobs/sha256/{}", sha256(bytes)), bytes);
        json!({
            "mediaType": kind, "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len(),
            "annotations": { "org.cncf.model.filepath": path },
        })
    };
    let raw = part("application/vnd.cncf.model.weight.v1.raw", &weights, "w.safetensors");
    let packed = part("application/vnd.cncf.model.doc.v1.tar+gzip", b"packed", "docs");
    let manifest = |layers: serde_json::Value| {
        let config = part("application/vnd.cncf.model.config.v1+json", b"{}", "");
        let manifest = json!({ "config": config, "layers": layers }).to_string();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let index = json!({ "manifests": [part(kind, manifest.as_bytes(), "")] });
        place.write("layout/index.json", index.to_string());
    };
    place.write("layout/oci-layout", "{}").write("model/w.safetensors", &weights);
    manifest(json!([raw, packed]));
    place
        .modelhost(&["lock", "model", "--from", "layout"])
        .code(0)
        .says("note: 1 layers are archives, whose digest is none of the files in them")
        .says("model model: 1 file is as oci claims");
    let lock = place.read("modelhost.lock");
    let upstream = format!("upstream = \"oci-layer:sha256:{}\"", sha256(&weights));
    assert!(lock.contains(&upstream), "{lock}");
    // What came out of the archive, nothing says anything of.
    place.write("model/docs/README.md", "text\n");
    place.modelhost(&["lock", "model", "--from", "layout"]).code(1).says("checksum/extra-file");
    manifest(json!([packed]));
    place
        .modelhost(&["lock", "model", "--from", "layout"])
        .code(2)
        .says("index.json: all its layers are archives: it says nothing of a file in them")
        .says("help: lock the layout itself");
}

#[test]
fn claims_of_a_larger_folder_are_held_against_the_part_that_is_the_model() {
    let place = Place::new();
    let weights = model::safetensors(64);
    let list = format!("{}  a/w.safetensors\n{}  b/w.safetensors\n", sha256(&weights), sha256(b""));
    place.write("SHA256SUMS", &list).write("a/w.safetensors", &weights);
    let said = place.modelhost(&["lock", "a", "--from", "SHA256SUMS"]);
    said.code(0).says("note: 1 more files are claimed, outside of this model");
    // Without a model named, a claim that is left out would be a claim lost.
    let said = place.modelhost(&["lock", "--from", "SHA256SUMS"]);
    said.code(2).says("of 2 files that are claimed, 1 are outside of the model that is at a");
    place.write("c/w.safetensors", &weights);
    let said = place.modelhost(&["lock", "c", "--from", "SHA256SUMS"]);
    said.code(2).says("none of the 2 files that are claimed is one of c");
    // One file is a model too.
    place.write("sums.sha256", format!("{}  a/w.safetensors\n", sha256(&weights)));
    place.modelhost(&["lock", "a/w.safetensors", "--from", "sums.sha256"]).code(0);
    place.modelhost(&["lock", "a", "b", "--from", "SHA256SUMS"]).code(2).says("name one model");
}

#[test]
fn what_can_not_be_read_is_named_with_the_way_out() {
    let place = Place::new();
    place.write("m/w.bin", "weights");
    let rows: [(&[&str], &str, &str); 6] = [
        (&["--from", "m"], "nothing there says what a model's files are", "SHA256SUMS"),
        (&["--from", "gone"], "can't open", ""),
        (&["--from", "m", "--format", "xml"], "there is no format `xml`", ""),
        (&["--from", "SHA256SUMS"], "SHA256SUMS:1: it is none of `digest  name`", "fetch it again"),
        (&["--from", "list"], "list: nothing was imported", ""),
        (&["--format", "sums"], "--from", ""),
    ];
    place.write("SHA256SUMS", "../../etc/passwd\n");
    for (args, expected, help) in rows {
        let args: Vec<&str> = ["lock"].iter().chain(args).copied().collect();
        let said = place.modelhost(&args);
        said.code(2);
        if args[2] != "list" {
            said.says(expected).says(help);
        }
        assert!(!place.path().join("modelhost.lock").exists(), "{args:?}");
    }
    place.write("SHA256SUMS", format!("{}  ../m/w.bin\n", sha256(b"weights")));
    let said = place.modelhost(&["lock", "--from", "SHA256SUMS"]);
    insta::assert_snapshot!(said.stderr);
}

#[test]
fn a_policy_that_asks_for_another_source_is_not_served() {
    let place = Place::new();
    let made = made::make("hf-cache", &place);
    let other = made::Made { source: "hf:other/name", ..made };
    made::define(&place, &other, COMMIT);
    place.modelhost(&["lock", "--from", &other.from]).code(1).says(
        "checksum/lock-stale: the policy asks for the source hf:other/name, and what is claimed \
         is of hf:org/name",
    );
}

#[test]
fn weak_digests_are_called_so() {
    let place = Place::new();
    let made = made::make("dvc", &place);
    let said = place.modelhost(&["lock", "--from", &made.from]);
    said.code(0)
        .says("note: 5 files are claimed by md5 alone, which tells damage and not an attacker's");
    let place = Place::new();
    let made = made::make("oms", &place);
    let said = place.modelhost(&["lock", "--from", &made.from]);
    said.code(0).says("note: the signature in model.sig was not verified here");
}
