//! Owns what the check says of Keras models: configurations, and the archives and
//! HDF5 files that hold them.

use modelhost_check::Severity;
use modelhost_plugin_formats::found::Found;
use modelhost_plugin_formats::keras;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{archive, no_cut_is_clean, no_flip_panics, said, stored};

/// Returns the rules that a layer breaks, with the worst severity.
fn layer(layer: Value) -> String {
    let config = json!({"class_name": "Sequential", "config": {"layers": [layer]}}).to_string();
    let mut found = Found::default();
    keras::look(config.as_bytes(), "config.json", &mut found).expect("it is JSON");
    let defects = found.into_defects();
    let mut ids: Vec<_> = defects.iter().map(|defect| defect.rule.name()).collect();
    ids.dedup();
    let worst =
        defects.iter().map(|defect| defect.severity.unwrap_or(defect.rule.severity())).max();
    match worst {
        None => "clean".to_owned(),
        Some(Severity::Critical) => format!("{} critical", ids.join(" ")),
        Some(_) => ids.join(" "),
    }
}

#[test]
fn layers() {
    let of = |module: &str, class: &str| json!({"module": module, "class_name": class, "config": {"name": "x"}});
    let function = |module: &str, name: &str| json!({"module": module, "class_name": "function", "config": name, "registered_name": name});
    let rows = [
        ("dense", of("keras.layers", "Dense"), "clean"),
        ("older form", json!({"class_name": "Dense", "config": {"name": "d"}}), "clean"),
        ("functional", of("keras.src.models.functional", "Functional"), "clean"),
        ("inside TensorFlow", of("tensorflow.keras.layers", "Dense"), "clean"),
        ("no module", json!({"module": null, "class_name": "Dense"}), "clean"),
        (
            "a plain value",
            json!({"module": "builtins", "class_name": "tuple", "config": [1]}),
            "clean",
        ),
        ("an array", json!({"module": "numpy", "class_name": "ndarray", "config": {}}), "clean"),
        ("an activation", function("keras.activations", "relu"), "clean"),
        ("a loss", function("keras.losses", "mse"), "clean"),
        ("a function of the model's own", function("builtins", "my_loss"), "clean"),
        (
            "vocabulary in place",
            json!({"class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}}),
            "clean",
        ),
        (
            "vocabulary beside it",
            json!({"class_name": "StringLookup", "config": {"vocabulary": "assets/vocabulary.txt"}}),
            "clean",
        ),
        (
            "words that look like code",
            json!({"class_name": "Dense", "config": {"name": "os.system Lambda __lambda__"}}),
            "clean",
        ),
        (
            "lambda by name",
            json!({"class_name": "Lambda", "config": {"function": "double"}}),
            "code-layer",
        ),
        (
            "lambda, marshalled",
            json!({"class_name": "Lambda", "config": {"function": ["4wE=", null, null]}}),
            "code-layer critical",
        ),
        (
            "lambda of Keras 3",
            json!({"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wE="}}}}),
            "code-layer critical",
        ),
        (
            "lambda under a package",
            json!({"class_name": "keras>Lambda", "config": {}}),
            "code-layer",
        ),
        (
            "lambda in a wrapper",
            json!({"class_name": "TimeDistributed", "config": {"layer": {"class_name": "Lambda", "config": {}}}}),
            "code-layer",
        ),
        (
            "marshalled elsewhere",
            json!({"class_name": "Dense", "config": {"activation": {"class_name": "__lambda__"}}}),
            "code-layer critical",
        ),
        ("torch", of("keras.utils", "TorchModuleWrapper"), "code-layer critical"),
        ("saved model by path", of("keras.layers", "TFSMLayer"), "code-layer"),
        (
            "os",
            json!({"module": "os", "class_name": "system", "config": "echo"}),
            "foreign-module critical",
        ),
        ("a part of os", of("os.path", "join"), "foreign-module critical"),
        ("eval", of("builtins", "eval"), "foreign-module critical"),
        ("numpy's loader", function("numpy", "load"), "foreign-module"),
        ("the model's own package", of("acme.layers", "Gate"), "foreign-module"),
        ("a package of a like name", of("keras_evil.layers", "Dense"), "foreign-module"),
        ("a function of Keras that fetches", function("keras.utils", "get_file"), "foreign-module"),
        ("the same, named as a class", of("keras.utils", "get_file"), "foreign-module"),
        (
            "a function that unlocks",
            function("keras.config", "enable_unsafe_deserialization"),
            "foreign-module",
        ),
        (
            "vocabulary elsewhere",
            json!({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}),
            "external-path",
        ),
    ];
    for (name, config, expected) in rows {
        assert_eq!(layer(config), expected, "{name}");
    }
}

#[test]
fn configurations_that_are_no_json_are_refused() {
    let mut found = Found::default();
    for config in ["", "{", &"[".repeat(1_000_000), "{\"a\": Nan}"] {
        assert!(keras::look(config.as_bytes(), "config.json", &mut found).is_err());
    }
    let long = format!("\"{}\"", "a".repeat(5 * 1024 * 1024));
    assert!(keras::look(long.as_bytes(), "config.json", &mut found).is_err());
}

#[test]
fn archives() {
    let config = br#"{"module":"keras","class_name":"Sequential","config":{}}"#;
    let evil = br#"{"module":"os","class_name":"system","config":"echo"}"#;
    let meta = stored("metadata.json", b"{}");
    let deflated = miniz_oxide::deflate::compress_to_vec(evil, 6);
    let short = ("config.json", deflated.clone(), evil.len() - 1, 8);
    let bomb =
        ("config.json", miniz_oxide::deflate::compress_to_vec(&vec![b' '; 8 << 20], 9), 8 << 20, 8);
    let renamed = |from: &[u8], to: &[u8], last: bool| {
        let mut bytes = archive(&[stored("config.json", config), meta.clone()]);
        let windows = bytes.windows(from.len()).enumerate();
        let places: Vec<usize> =
            windows.filter(|(_, part)| *part == from).map(|(at, _)| at).collect();
        let at = if last { places.last() } else { places.first() };
        let at = *at.expect("it is there");
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let rows = [
        ("sound", archive(&[stored("config.json", config), meta.clone()]), "clean"),
        (
            "with a vocabulary",
            archive(&[
                stored("config.json", config),
                meta.clone(),
                stored("assets/v.txt", b"a\nb\n"),
            ]),
            "clean",
        ),
        ("foreign module", archive(&[stored("config.json", evil), meta.clone()]), "foreign-module"),
        (
            "deflated",
            archive(&[("config.json", deflated, evil.len(), 8), meta.clone()]),
            "foreign-module",
        ),
        ("deflated to another size", archive(&[short, meta.clone()]), "malformed"),
        ("too large a configuration", archive(&[bomb, meta.clone()]), "unsupported"),
        (
            "a configuration that is no JSON",
            archive(&[stored("config.json", b"{"), meta.clone()]),
            "malformed",
        ),
        (
            "a member outside",
            archive(&[stored("config.json", config), meta.clone(), stored("../x", b"a")]),
            "external-path",
        ),
        (
            "a member of another format",
            archive(&[stored("config.json", config), meta.clone(), stored("x.pkl", b"\x80\x04N.")]),
            "not ours",
        ),
        ("no metadata", archive(&[stored("config.json", config)]), "clean"),
        ("another archive", archive(&[stored("data.pkl", b"\x80\x04N.")]), "not ours"),
        (
            "two configurations",
            archive(&[stored("config.json", config), stored("config.json", evil), meta.clone()]),
            "unsupported",
        ),
        ("another name inside", renamed(b"config.json", b"cOnfig.json", false), "unsupported"),
        (
            "another name in the directory",
            renamed(b"config.json", b"cOnfig.json", true),
            "not ours",
        ),
        (
            "bytes behind it",
            [archive(&[stored("config.json", config), meta.clone()]), vec![0]].concat(),
            "unsupported",
        ),
        (
            "bytes before it",
            [b"PK\x03\x04".to_vec(), archive(&[stored("config.json", config), meta])].concat(),
            "unsupported",
        ),
        (
            "a prefix",
            [b"\0".to_vec(), archive(&[stored("config.json", evil)])].concat(),
            "unsupported",
        ),
        (
            "a comment",
            {
                let mut bytes = archive(&[stored("config.json", evil)]);
                let last = bytes.len() - 2;
                bytes[last] = 1;
                [bytes, b"x".to_vec()].concat()
            },
            "unsupported",
        ),
        (
            "numbers that JSON lacks",
            archive(&[stored(
                "config.json",
                b"{\"class_name\":\"Lambda\",\"a\":NaN,\"b\":-Infinity}",
            )]),
            "code-layer",
        ),
        (
            "another model's configuration",
            archive(&[stored("config.json", b"{\"model_type\":\"bert\"}")]),
            "clean",
        ),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

/// An HDF5 file whose root has one attribute of text.
pub(crate) fn hdf5(name: &str, value: &str, rest: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let padded = |mut bytes: Vec<u8>| {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let short = |number: usize| u16::try_from(number).expect("a short text").to_le_bytes();
    let name = format!("{name}\0");
    let mut attribute = vec![1, 0];
    attribute.extend(short(name.len()));
    attribute.extend([8, 0, 8, 0]);
    attribute.extend(padded(name.into_bytes()));
    attribute.extend([0x13, 0, 0, 0]);
    attribute.extend(u32::from(u16::from_le_bytes(short(value.len()))).to_le_bytes());
    attribute.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    attribute.extend(value.as_bytes());
    let mut messages = Vec::new();
    for (kind, body) in std::iter::once(&(0x0c, attribute)).chain(rest) {
        let body = padded(body.clone());
        messages.extend(kind.to_le_bytes());
        messages.extend(short(body.len()));
        messages.extend([0; 4]);
        messages.extend(body);
    }
    let mut bytes = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0".to_vec();
    bytes.extend([0; 8]);
    bytes.extend([0xff; 8]);
    bytes.extend((96 + 16 + messages.len() as u64).to_le_bytes());
    bytes.extend([0xff; 8]);
    bytes.extend([0; 8]);
    bytes.extend(96_u64.to_le_bytes());
    bytes.extend([0; 24]);
    bytes.extend([1, 0, 1, 0, 1, 0, 0, 0]);
    bytes.extend(u32::try_from(messages.len()).expect("a small file").to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(messages);
    bytes
}

#[test]
fn hdf5_files() {
    let lambda = r#"{"class_name":"Lambda","config":{"function":["4wE=",null,null]}}"#;
    let address = |address: u64| address.to_le_bytes().to_vec();
    let link = |kind: u8, rest: &[u8]| (0x06, [&[1, 8, kind, 1, b'x'], rest].concat());
    let one = |message: (u16, Vec<u8>)| hdf5("a", "b", &[message]);
    let contiguous =
        |at: u64, length: u64| (0x08, [vec![3, 1], address(at), address(length)].concat());
    let rows = [
        ("sound", hdf5("model_config", r#"{"class_name":"Dense"}"#, &[]), "clean"),
        ("another attribute", hdf5("notes", lambda, &[]), "clean"),
        ("a text that ends like a pickle", hdf5("notes", "A note.", &[]), "clean"),
        ("a pickle of values", hdf5("notes", "(I1\nI2\ntp0\n.", &[]), "clean"),
        ("a pickle that imports", hdf5("notes", "cos\nsystem\n(Vecho\ntR.", &[]), "pickled-type"),
        ("a pickle of pandas", hdf5("info", "(dcpandas._libs\noffsets\n.", &[]), "unsupported"),
        ("data that are pickles", hdf5("PSEUDOATOM", "object", &[]), "unsupported"),
        ("lambda", hdf5("model_config", lambda, &[]), "code-layer"),
        ("no JSON", hdf5("model_config", "{", &[]), "malformed"),
        ("bytes behind it", [hdf5("a", "b", &[]), vec![0]].concat(), "trailing-data"),
        ("link to itself", one(link(0, &address(96))), "clean"),
        ("link nowhere", one(link(0, &address(u64::MAX - 8))), "malformed"),
        ("link to no object", one(link(0, &address(0))), "malformed"),
        ("soft link", one(link(1, b"\x01\0a")), "clean"),
        ("external link", one(link(64, b"\x06\0\0a\0/b\0")), "external-path"),
        ("external storage", one((0x07, vec![1])), "external-path"),
        ("virtual data", one((0x08, vec![4, 3])), "external-path"),
        ("data inside", one(contiguous(0, 8)), "clean"),
        ("data outside", one(contiguous(0, 1 << 40)), "malformed"),
        ("data that overflow", one(contiguous(u64::MAX - 1, 8)), "malformed"),
        ("goes on at itself", one((0x10, [address(112), address(24)].concat())), "malformed"),
        (
            "goes on outside",
            one((0x10, [address(u64::MAX - 4), address(24)].concat())),
            "malformed",
        ),
        ("a group of no tree", one((0x11, [address(0), address(0)].concat())), "malformed"),
        (
            "links in a heap",
            one((0x02, [vec![0, 0], address(0), address(0)].concat())),
            "unsupported",
        ),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn cut_and_flipped_files_are_not_clean_and_do_not_panic() {
    let file = hdf5("model_config", r#"{"class_name":"Dense"}"#, &[]);
    let keras = archive(&[
        stored("config.json", br#"{"class_name":"Sequential"}"#),
        stored("metadata.json", b"{}"),
        stored("model.weights.h5", &file),
    ]);
    assert_eq!(said(&keras), "clean");
    for bytes in [file, keras] {
        no_cut_is_clean(&bytes, |_| false);
        no_flip_panics(&bytes, bytes.len());
    }
}

proptest! {
    #[test]
    fn any_messages_end_in_an_answer(kinds in proptest::collection::vec((0_u16..24, proptest::collection::vec(any::<u8>(), 0..40)), 0..6)) {
        said(&hdf5("model_config", "{}", &kinds));
    }
}
