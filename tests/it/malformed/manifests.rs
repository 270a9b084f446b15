//! Components whose manifest is none, or is there more than once.
//!
//! Leaves everything else of a file to `generator`.

use super::generator::{Files, HEADER, custom, section};
use crate::support::component;

/// Manifests that are none.
pub(super) fn manifests(files: &mut Files) {
    let component = component::without_manifest("honest-fail");
    let with =
        |content: &[u8]| [component.as_slice(), &custom(b"modelhost:manifest", content)].concat();
    let good = r#"{"plugin":{"description":"d","files":["**"],"id":"guest","judges":false,"reads":"none","rule":[],"scope":"model","title":"t","version":"1.0.0"},"version":1}"#;
    files.add_perhaps_sound("a sound manifest", with(good.as_bytes()));
    files.add("no manifest", component.clone());
    files.add(
        "two manifests",
        [with(good.as_bytes()), custom(b"modelhost:manifest", good.as_bytes())].concat(),
    );
    files.add(
        "a thousand manifests",
        [component.as_slice(), &custom(b"modelhost:manifest", good.as_bytes()).repeat(1000)]
            .concat(),
    );
    let replaced = [
        ("\"id\":\"guest\"", "\"id\":\"gate\""),
        ("\"id\":\"guest\"", "\"id\":\"../guest\""),
        ("\"id\":\"guest\"", "\"id\":\"\\u001b[2J\""),
        ("\"id\":\"guest\"", "\"id\":\"guest\",\"id\":\"other\""),
        ("\"id\":\"guest\"", "\"id\":7"),
        ("\"version\":1}", "\"version\":2}"),
        ("\"version\":1}", "\"version\":-1}"),
        ("\"version\":1}", "\"version\":1e999}"),
        ("\"version\":1}", "\"version\":1,\"version\":1}"),
        ("\"version\":1}", "\"version\":1}}"),
        ("\"version\":1}", "\"version\":1"),
        ("\"1.0.0\"", "\"1\""),
        ("\"scope\":\"model\"", "\"scope\":\"host\""),
        ("\"reads\":\"none\"", "\"reads\":\"all\""),
        ("\"judges\":false", "\"judges\":true"),
        ("[\"**\"]", "[]"),
        ("[\"**\"]", "[\"{a,{b,{c,{d,{e,{f,{g}}}}}}}[\"]"),
        ("\"rule\":[]", "\"rule\":{}"),
        ("\"rule\":[]", "\"rule\":[[]]"),
        ("\"rule\":[]", "\"more\":1,\"rule\":[]"),
        ("\"rule\":[]", "\"limits\":{\"fuel\":1e300},\"rule\":[]"),
        ("\"rule\":[]", "\"limits\":{\"memory\":\"1EiB\"},\"rule\":[]"),
        ("\"rule\":[]", "\"limits\":{\"time\":1},\"rule\":[]"),
        ("\"rule\":[]", "\"limits\":{\"stack\":\"1GiB\"},\"rule\":[]"),
        ("\"rule\":[]", "\"settings\":{\"$ref\":\"https://example.org/\"},\"rule\":[]"),
        ("\"rule\":[]", "\"settings\":[],\"rule\":[]"),
    ];
    for (part, instead) in replaced {
        assert!(good.contains(part), "{part}");
        let manifest = good.replacen(part, instead, 1);
        files.add(format!("a manifest with {instead} for {part}"), with(manifest.as_bytes()));
    }
    for end in (0..good.len()).step_by(9) {
        files.add(format!("a manifest cut at {end}"), with(&good.as_bytes()[..end]));
    }
    files.add(
        "a manifest of 300 KiB",
        with(&good.replace("\"d\"", &format!("\"{}\"", "d".repeat(300 << 10))).into_bytes()),
    );
    files.add("a manifest of 16 MiB", with(&vec![b' '; 16 << 20]));
    files.add("a manifest that is no UTF-8", with(b"{\"version\":1,\"plugin\":\"\xff\"}"));
    files.add("a manifest of brackets", with(&b"[".repeat(200_000)));
    files.add("a manifest of objects", with(&b"{\"plugin\":".repeat(20_000)));
    files.add(
        "a manifest in UTF-16",
        with(&good.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
    );
    let outer = [HEADER, &section(4, &with(good.as_bytes()))].concat();
    files.add("a plugin within a component", outer);
}
