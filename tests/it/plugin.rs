//! `modelhost plugin`, and what `run` makes of files that are no plugins.

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::{built_plugins, model};

fn place() -> Place {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    place
}

#[test]
fn what_is_no_plugin_is_refused_by_name_before_anything_runs() {
    let honest = Guest::read("honest-pass").plugin;
    let core = wat::parse_str("(module)").expect("a module");
    let bare = wat::parse_str("(component)").expect("a component");
    let mut flipped = honest.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let rows: [(&str, Vec<u8>); 10] = [
        ("no-manifest.wasm", component::without_manifest("honest-pass")),
        ("core.wasm", core),
        ("text.wasm", b"(component)".to_vec()),
        ("empty.wasm", Vec::new()),
        ("short.wasm", honest[..honest.len() / 2].to_vec()),
        ("flipped.wasm", flipped),
        ("zip.wasm", b"PK\x03\x04 and so on".to_vec()),
        ("elf.wasm", b"\x7fELF and so on".to_vec()),
        ("bare.wasm", bare),
        ("gzip.wasm", b"\x1f\x8b\x08 and so on".to_vec()),
    ];
    for (name, bytes) in rows {
        let place = place();
        place.write(&format!("plugins/{name}"), bytes);
        let said = place.modelhost(&["run", "m", "--plugins", "plugins"]);
        said.code(2).says(name);
        assert_eq!(said.stdout, "", "{name}");
    }
}

/// A component whose types nest deeper than a reader's stack is refused, and
/// does not end the process.
#[test]
fn nested_types_do_not_end_the_process() {
    for depth in [1_000, 20_000] {
        let place = place();
        // The text format has a bound of its own, so the section of types is
        // written by hand: one component type within the other.
        let mut types = vec![1];
        types.extend([0x41, 1, 1].repeat(depth));
        types.extend([0x42, 0]);
        let mut plugin = Guest::read("honest-pass").plugin;
        plugin.push(7);
        let mut size = types.len();
        while size >= 0x80 {
            plugin.push(u8::try_from(size & 0x7f).expect("seven bits") | 0x80);
            size >>= 7;
        }
        plugin.push(u8::try_from(size).expect("seven bits"));
        plugin.extend_from_slice(&types);
        place.write("plugins/deep.wasm", plugin);
        let said = place.modelhost(&["run", "m", "--no-cache", "--plugins", "plugins"]);
        said.code(2).says("deep.wasm").says("nest");
    }
}

#[test]
fn folders_of_plugins_must_hold_some() {
    let place = place();
    place.write("plugins/readme.txt", "none here");
    place.modelhost(&["run", "m", "--plugins", "plugins"]).code(2).says("plugins").says(".wasm");
}

#[test]
fn two_plugins_of_one_id_are_a_mistake() {
    let place = place();
    let honest = Guest::read("honest-pass").plugin;
    component::write(&place.path().join("plugins"), "one", &honest);
    component::write(&place.path().join("plugins"), "two", &honest);
    place
        .modelhost(&["run", "m", "--plugins", "plugins"])
        .code(2)
        .says("honest-pass")
        .says("one.wasm")
        .says("two.wasm");
    place.write(
        "modelhost.toml",
        "version = 1\n[plugin.honest-pass]\ncomponent = \"plugins/two.wasm\"\n",
    );
    place.modelhost(&["run", "m", "--plugins", "plugins"]).code(0);
}

#[test]
fn every_bundled_plugin_is_packed_and_says_what_it_is() {
    let place = place();
    let folder = built_plugins();
    for id in ["checksum", "code", "formats", "license", "pickle", "provenance", "registry"] {
        let path = folder.join(id).with_extension("wasm");
        let said = place.modelhost(&["plugin", "inspect", "--json", path.to_str().expect("UTF-8")]);
        let json = said.code(0).json()["plugins"][0].clone();
        assert_eq!(json["id"], id);
        assert!(
            json["rules"].as_array().is_some_and(|rules| !rules.is_empty()),
            "{id} has no rules"
        );
        for capability in json["capabilities"].as_array().expect("capabilities") {
            let name = capability["name"].as_str().expect("a name");
            assert!(
                ["clock", "definition", "digest", "documents", "files", "log"].contains(&name),
                "{id} asks for {name}"
            );
        }
        place.modelhost(&["plugin", "inspect", id]).code(0).says(id).says("sha256:");
    }
    place.modelhost(&["plugin", "list"]).code(0).says("checksum").says("provenance");
}

#[test]
fn inspecting_runs_nothing() {
    let place = place();
    component::write(&place.path(), "loop", &Guest::read("loop-in-start").plugin);
    let started = std::time::Instant::now();
    place
        .modelhost(&["plugin", "inspect", "loop.wasm"])
        .code(0)
        .says("loop-in-start")
        .says("1.2.3");
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn packing_is_reproducible_and_refuses_what_is_no_check() {
    let place = place();
    place.write("plugin.toml", component::manifest("mine", "model", "none", false));
    component::write(&place.path(), "made", &Guest::read("honest-pass").plugin);
    let pack = |out: &str| {
        place.modelhost(&[
            "plugin",
            "pack",
            "--manifest",
            "plugin.toml",
            "--component",
            "made.wasm",
            "-o",
            out,
        ])
    };
    pack("one.wasm").code(0);
    pack("two.wasm").code(0);
    let read = |name: &str| std::fs::read(place.path().join(name)).expect("a file");
    assert_eq!(read("one.wasm"), read("two.wasm"));
    place.modelhost(&["run", "m", "--no-bundled", "--plugins", "."]).code(2);
    place.write("core.wasm", wat::parse_str("(module)").expect("a module"));
    place
        .modelhost(&[
            "plugin",
            "pack",
            "--manifest",
            "plugin.toml",
            "--core",
            "core.wasm",
            "-o",
            "x.wasm",
        ])
        .code(2)
        .says("core.wasm");
    assert!(!place.path().join("x.wasm").exists());
}
