//! Owns what the check says of archives of models.

use crate::keras::hdf5;
use crate::support::{
    Packed, archive, count, field, no_cut_is_clean, no_flip_panics, said, stored,
};

const LAMBDA: &str = r#"{"class_name":"Lambda","config":{"function":["4wE=",null,null]}}"#;

fn safetensors() -> Vec<u8> {
    [&2_u64.to_le_bytes(), b"{}".as_slice()].concat()
}

fn deflated(name: &'static str, content: &[u8]) -> Packed {
    (name, miniz_oxide::deflate::compress_to_vec(content, 6), content.len(), 8)
}

/// A saved model whose graph runs Python.
fn python() -> Vec<u8> {
    let node = [field(1, "n"), field(2, "PyFunc")].concat();
    [count(1, 1), field(2, [field(1, ""), field(2, field(1, node))].concat())].concat()
}

#[test]
fn archives() {
    let model = || stored("m/model.safetensors", &safetensors());
    let json = || stored("m/config.json", b"{}");
    let pickle = || stored("archive/data.pkl", b"\x80\x02N.");
    let lambda = hdf5("model_config", LAMBDA, &[]);
    let deep = (0..4).fold(archive(&[model()]), |inner, _| archive(&[stored("a.zip", &inner)]));
    let large = deflated("a.h5", &[b"\x89HDF\r\n\x1a\n".as_slice(), &vec![0; 40 << 20]].concat());
    let rows: [(&str, Vec<u8>, &str); 19] = [
        ("models", archive(&[model(), json()]), "clean"),
        (
            "packed models",
            archive(&[deflated("model.safetensors", &safetensors()), json()]),
            "clean",
        ),
        (
            "with texts",
            archive(&[model(), stored("README.md", b"# a"), stored("LICENSE", b"MIT")]),
            "clean",
        ),
        ("with a folder and an empty file", archive(&[stored("m/", b""), model()]), "clean"),
        ("an archive within", archive(&[stored("a.zip", &archive(&[model()]))]), "clean"),
        ("a broken model", archive(&[stored("a", b"\x09\0\0\0\0\0\0\0{}")]), "malformed"),
        ("nothing", archive(&[]), "not ours"),
        ("code", archive(&[model(), stored("handler.py", b"import os")]), "not ours"),
        ("a pickle", archive(&[model(), pickle()]), "not ours"),
        (
            "raw numbers that look like a model",
            archive(&[pickle(), stored("archive/data/0", b"\x09\0\0\0\0\0\0\0{}")]),
            "not ours",
        ),
        ("lambda", archive(&[stored("a.h5", &lambda)]), "code-layer"),
        ("lambda beside a pickle", archive(&[pickle(), stored("a.h5", &lambda)]), "code-layer"),
        (
            "packed lambda beside a pickle",
            archive(&[pickle(), deflated("a.h5", &lambda)]),
            "code-layer",
        ),
        (
            "lambda in an archive within",
            archive(&[pickle(), stored("a.zip", &archive(&[stored("a.h5", &lambda)]))]),
            "code-layer",
        ),
        (
            "python beside code",
            archive(&[stored("a.py", b"pass"), stored("saved_model.pb", &python())]),
            "code-operator",
        ),
        ("HDF5 too large to unpack", archive(&[pickle(), large]), "unsupported"),
        (
            "other data too large to unpack",
            archive(&[deflated("a", &vec![0; 40 << 20])]),
            "not ours",
        ),
        ("archives nested too deep", deep, "unsupported"),
        ("a member that can't be unpacked", archive(&[("a.h5", vec![0xff; 9], 99, 8)]), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn a_defect_names_the_member_and_what_is_in_it() {
    use modelhost_plugin_formats::judge::{Judgement, judge};
    let lambda = hdf5("model_config", LAMBDA, &[]);
    let inner = archive(&[stored("a.h5", &lambda)]);
    let Judgement::Walked(format, defects) = judge(&archive(&[stored("x/b.zip", &inner)])) else {
        panic!("it is an archive of models");
    };
    assert_eq!(format, "zip archive");
    assert_eq!(defects[0].member.as_deref(), Some("x/b.zip:a.h5:model_config"));
}

#[test]
fn cut_and_flipped_archives_are_not_clean_and_do_not_panic() {
    let bytes = archive(&[stored("m", &safetensors()), deflated("c.json", b"{\"a\": 1}")]);
    no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}
