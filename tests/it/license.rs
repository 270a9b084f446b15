//! What the license check makes of models that were made from others, as the lock file
//! pins them: through the host, so that it is the component that is shown them.

use crate::support::command::Place;
use crate::support::model;

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// Two locked models: `small` claims Apache-2.0 and was made from `base`.
fn place() -> Place {
    let place = Place::new();
    for name in ["small", "base"] {
        place.write(&format!("models/{name}/model.safetensors"), model::safetensors(8));
        let card = "---\nlicense: apache-2.0\n---\n# A model\n";
        place.write(&format!("models/{name}/README.md"), card);
    }
    let definition = |name: &str| {
        format!(
            "[[model]]\nname = \"{name}\"\npath = \"models/{name}\"\n\
             source = \"hf:acme/{name}\"\nrevision = \"{REVISION}\"\n"
        )
    };
    // This check judges no file, and runs alone here.
    let gate = "version = 1\n[gate]\nnot-judged = \"warn\"\n";
    let policy = format!("{gate}{}{}", definition("small"), definition("base"));
    place.write("modelhost.toml", policy);
    place.modelhost(&["lock"]).code(0);
    place
}

/// Adds a line to a model's entry in the lock file, before that of the tree.
fn note(place: &Place, name: &str, line: &str) {
    let lock = place.read("modelhost.lock");
    let entry = lock.find(&format!("name = \"{name}\"")).expect("the model is locked");
    let tree = entry + lock[entry..].find("tree = ").expect("an entry has a tree");
    let kept: String = lock[entry..tree]
        .lines()
        .filter(|old| old.split(' ').next() != line.split(' ').next())
        .flat_map(|old| [old, "\n"])
        .collect();
    let noted = format!("{}{kept}{line}\n{}", &lock[..entry], &lock[tree..]);
    place.write("modelhost.lock", noted);
}

#[test]
fn a_claim_is_held_to_the_pinned_bases() {
    let run = ["run", "--only", "license", "--no-digests", "models/small"];
    let place = place();
    place.modelhost(&run).code(0);
    note(&place, "small", &format!("base = [\"hf:acme/base@{REVISION}\"]"));
    note(&place, "base", "license = \"Apache-2.0\"");
    place.modelhost(&run).code(0);
    // What was concluded for the base is restricted, whatever its card may say by now.
    note(&place, "base", "license = \"CC-BY-NC-4.0\"");
    place
        .modelhost(&run)
        .code(1)
        .says("high[license/inherited]")
        .says("the base acme/base@0123456789ab (modelhost.lock) is under `CC-BY-NC-4.0`");
    // And so is what the base was made from, which is no model of this repository.
    note(&place, "base", "license = \"Apache-2.0\"");
    let llama = format!("base = [\"hf:meta-llama/Llama-3.1-8B@{REVISION}\"]");
    note(&place, "base", &llama);
    place
        .modelhost(&run)
        .code(1)
        .says("acme/base@0123456789ab ← meta-llama/Llama-3.1-8B@0123456789ab");
}
