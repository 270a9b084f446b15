//! Hostile input for the checks `formats` and `code`, at any size.

use super::{Family, grows_with_its_input};
use crate::support::command::Place;

/// How much more four times the input may cost: a little over four, for what is
/// rounded up to blocks.
const MOST: f64 = 4.8;

/// A protobuf number.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// A protobuf field of bytes.
fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

fn gguf(keys: u64, tensors: u64, body: &[u8]) -> Vec<u8> {
    let head =
        [b"GGUF".as_slice(), &3_u32.to_le_bytes(), &tensors.to_le_bytes(), &keys.to_le_bytes()];
    [head.concat(), body.to_vec()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// A zip archive of so many members that hold a JSON value each.
fn zip(count: usize) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let sum = 0xa505_df1b_u32.to_le_bytes();
    for number in 0..count {
        let name = format!("{number:08}.json");
        let common = [
            &[20_u8, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &sum,
            &1_u32.to_le_bytes(),
            &1_u32.to_le_bytes(),
            &[13, 0, 0, 0],
        ]
        .concat();
        let at = u32::try_from(bytes.len()).expect("a small archive");
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.push(b'1');
    }
    let number = |number: usize| u32::try_from(number).expect("a small archive").to_le_bytes();
    let count = &number(count)[..2];
    let start = number(bytes.len());
    let end =
        [b"PK\x05\x06\0\0\0\0".as_slice(), count, count, &number(directory.len()), &start, &[0, 0]];
    let end = end.concat();
    [bytes, directory, end].concat()
}

/// An HDF5 file whose root group has so many links that all lead back to it.
fn looped(links: usize) -> Vec<u8> {
    let message = |kind: u8, body: &[u8]| {
        [&[kind, u8::try_from(body.len()).expect("short"), 0, 0], body].concat()
    };
    let link = [&[1, 0, 1, b'a'][..], &48_u64.to_le_bytes()].concat();
    let body = message(6, &link).repeat(links);
    let length = u32::try_from(body.len()).expect("a small file").to_le_bytes();
    let object = [b"OHDR\x02\x02".as_slice(), &length, &body, &[0; 4]].concat();
    let end = 48 + object.len() as u64;
    let head = [
        b"\x89HDF\r\n\x1a\n\x02\x08\x08\0".as_slice(),
        &0_u64.to_le_bytes(),
        &u64::MAX.to_le_bytes(),
        &end.to_le_bytes(),
        &48_u64.to_le_bytes(),
        &[0; 4],
    ];
    [head.concat(), object].concat()
}

const FORMATS: &[Family] = &[
    ("metadata of safetensors", "a.safetensors", |n| {
        let keys: Vec<_> = (0..n).map(|number| format!("\"k{number:07}\":\"v\"")).collect();
        safetensors(&format!("{{\"__metadata__\":{{{}}}}}", keys.join(",")), 0)
    }),
    ("tensors that all overlap", "a.safetensors", |n| {
        let tensors: Vec<_> = (0..n)
            .map(|number| {
                format!(
                    "\"t{number:07}\":{{\"dtype\":\"U8\",\"shape\":[{n}],\"data_offsets\":[0,{n}]}}"
                )
            })
            .collect();
        safetensors(&format!("{{{}}}", tensors.join(",")), n)
    }),
    ("a long shape", "a.safetensors", |n| {
        let shape = "1,".repeat(n * 8) + "1";
        safetensors(
            &format!("{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{shape}],\"data_offsets\":[0,1]}}}}"),
            1,
        )
    }),
    ("keys of GGUF", "a.gguf", |n| {
        let key = |number| [text(&format!("k{number:07}")), vec![0, 0, 0, 0, 1]].concat();
        gguf(n as u64, 0, &(0..n).flat_map(key).collect::<Vec<_>>())
    }),
    ("a GGUF array of texts", "a.gguf", |n| {
        let array = [&9_u32.to_le_bytes()[..], &8_u32.to_le_bytes(), &(n as u64).to_le_bytes()];
        gguf(1, 0, &[text("a"), array.concat(), text("").repeat(n)].concat())
    }),
    ("tensors of GGUF in one place", "a.gguf", |n| {
        let tensor = |number| {
            let rest = [&1_u32.to_le_bytes()[..], &8_u64.to_le_bytes(), &[0; 4], &[0; 8]];
            [text(&format!("t{number:07}")), rest.concat()].concat()
        };
        let mut file = gguf(0, n as u64, &(0..n).flat_map(tensor).collect::<Vec<_>>());
        file.resize(file.len().next_multiple_of(32) + 32, 0);
        file
    }),
    ("nodes of ONNX that do harm", "a.onnx", |n| {
        let node = [field(4, b"PyOp"), field(7, b"x.y")].concat();
        let graph = field(1, &node).repeat(n);
        [b"\x08\x08".to_vec(), field(2, b"p"), field(7, &graph)].concat()
    }),
    ("packed numbers of ONNX", "a.onnx", |n| {
        let tensor = [field(1, &vec![1; n * 8]), b"\x10\x01".to_vec()].concat();
        [b"\x08\x08".to_vec(), field(2, b"p"), field(7, &field(5, &tensor))].concat()
    }),
    ("domains of ONNX", "a.onnx", |n| {
        let node = |number| field(1, &field(7, format!("d.{number}").as_bytes()));
        let graph: Vec<u8> = (0..n).flat_map(node).collect();
        [b"\x08\x08".to_vec(), field(2, b"p"), field(7, &graph)].concat()
    }),
    ("nodes of a SavedModel", "saved_model.pb", |n| {
        let node = field(1, &[field(1, b"n"), field(2, b"ReadFile")].concat());
        let meta = [field(1, &field(4, b"serve")), field(2, &node.repeat(n))].concat();
        [b"\x08\x01".to_vec(), field(2, &meta)].concat()
    }),
    ("a SavedModel as text", "a.pbtxt", |n| "node { op: \"ReadFile\" }\n".repeat(n).into_bytes()),
    ("members of a zip", "a.zip", |n| zip(n / 8)),
    ("links of HDF5 that lead back", "a.h5", looped),
    ("layers of a Keras model", "a.json", |n| {
        let layer = "{\"class_name\":\"Lambda\",\"config\":{}},".repeat(n / 4);
        format!("{{\"class_name\":\"S\",\"config\":[{layer}0]}}").into_bytes()
    }),
    ("entities of XML", "a.xml", |n| {
        format!("<!DOCTYPE a [{}]>", "<!ENTITY a SYSTEM 'b'>".repeat(n)).into_bytes()
    }),
    ("entities of XML that do not end", "a.xml", |n| "<!ENTITY".repeat(n).into_bytes()),
    ("MessagePack of lists", "a.msgpack", |n| {
        [
            b"\x82\xa1a\xdd".as_slice(),
            &u32::try_from(n).expect("small").to_be_bytes(),
            &vec![0x90; n],
            b"\xa1b\xc0",
        ]
        .concat()
    }),
    ("values of R", "a.rds", |n| {
        let count = u32::try_from(n).expect("small").to_be_bytes();
        let head = [&b"X\n\0\0\0\x02"[..], &[0; 8], &19_u32.to_be_bytes(), &count].concat();
        [head, [0, 0, 0, 254].repeat(n)].concat()
    }),
    ("numbers of 16 bits", "a.bin", |n| {
        (0..n * 4)
            .flat_map(|at| u16::try_from(0x3000 + at % 0x800).expect("small").to_le_bytes())
            .collect()
    }),
];

const CODE: &[Family] = &[
    ("a deep configuration", "config.json", |n| {
        format!("{{\"a\":{}{}}}", "[".repeat(n * 4), "]".repeat(n * 4)).into_bytes()
    }),
    ("keys of a configuration", "config.json", |n| {
        let keys: Vec<_> = (0..n).map(|number| format!("\"k{number}\":{{\"a\":1}}")).collect();
        format!("{{{}}}", keys.join(",")).into_bytes()
    }),
    ("remote code", "config.json", |n| {
        let keys: Vec<_> =
            (0..n / 4).map(|number| format!("\"k{number}\":\"m{number}.C\"")).collect();
        format!("{{\"auto_map\":{{{}}}}}", keys.join(",")).into_bytes()
    }),
    ("targets of Hydra", "config.yaml", |n| "a: {_target_: os.system}\n".repeat(n).into_bytes()),
    ("targets in one line", "config.yaml", |n| "{_target_: a.B}, ".repeat(n).into_bytes()),
    ("tags of YAML", "config.yaml", |n| "a: !!python/name:os.system\n".repeat(n).into_bytes()),
    ("requirements", "requirements.txt", |n| {
        "a @ https://example.com/a.whl\n".repeat(n).into_bytes()
    }),
    ("requirements in one line", "requirements.txt", |n| "a://".repeat(n).into_bytes()),
    ("deep parentheses", "chat_template.jinja", |n| {
        format!("{{{{ {} }}}}", "(".repeat(n)).into_bytes()
    }),
    ("statements", "chat_template.jinja", |n| {
        "{% if messages %}{% endif %}".repeat(n / 4).into_bytes()
    }),
    ("ways out of a template", "chat_template.jinja", |n| {
        "{{ messages.__class__ }}\n".repeat(n / 4).into_bytes()
    }),
    ("calls of a macro", "chat_template.jinja", |n| {
        let call = "{{ f('x') }}".repeat(n / 8);
        format!("{{% macro f(a) %}}{{{{ a }}}}{{% endmacro %}}{call}").into_bytes()
    }),
];

#[test]
fn the_work_of_formats_grows_with_its_input() {
    grows_with_its_input("formats", FORMATS, 8_000, MOST);
}

#[test]
fn the_work_of_code_grows_with_its_input() {
    grows_with_its_input("code", CODE, 8_000, MOST);
}

/// What each finding names as its rule, over the project's own cases.
#[test]
fn every_rule_of_formats_and_code_has_a_case() {
    let rules = |manifest: &str| -> Vec<String> {
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let id = manifest["id"].as_str().expect("an id").to_owned();
        let rules = manifest["rule"].as_array().expect("rules").iter();
        rules.map(|rule| format!("{id}/{}", rule["id"].as_str().expect("an id"))).collect()
    };
    let mut left = rules(include_str!("../../../plugins/formats/plugin.toml"));
    left.extend(rules(include_str!("../../../plugins/code/plugin.toml")));
    let place = Place::new();
    let folder = place.path().join("corpus");
    crate::corpus::corpus(std::path::Path::new(crate::corpus::OWN), &folder);
    let said =
        place.modelhost(&["run", "--only", "formats", "--only", "code", "-o", "json", "corpus"]);
    let report = said.json();
    let tasks = report["tasks"].as_array().expect("tasks").iter();
    for finding in tasks.flat_map(|task| task["findings"].as_array().into_iter().flatten()) {
        left.retain(|rule| finding["rule"] != rule.as_str());
    }
    assert!(left.is_empty(), "no case for {left:?}");
}
