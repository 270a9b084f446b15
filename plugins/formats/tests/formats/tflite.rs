//! Owns what the check says of TFLite, sound, broken and hostile.

use proptest::prelude::*;

use crate::support::{no_flip_panics, said};

/// A flatbuffer in the making, written front to back: each part knows where the
/// next ones will be.
#[derive(Default)]
struct Model {
    bytes: Vec<u8>,
}

impl Model {
    fn number(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn place(&self) -> u32 {
        u32::try_from(self.bytes.len()).expect("a small file")
    }

    /// Writes a table of 32-bit fields, with its list of fields before it. Returns
    /// where it is.
    fn table(&mut self, fields: &[Option<u32>]) -> u32 {
        let count = u16::try_from(fields.len()).expect("few fields");
        let start = self.place();
        self.bytes.extend((4 + 2 * count).to_le_bytes());
        self.bytes.extend((4 + 4 * count).to_le_bytes());
        for (number, field) in (0..).zip(fields) {
            let offset = if field.is_some() { 4 + 4 * number } else { 0_u16 };
            self.bytes.extend(offset.to_le_bytes());
        }
        let at = self.place();
        self.number(at - start);
        for field in fields {
            self.number(field.unwrap_or(0));
        }
        at
    }

    /// Points a field, or an item of a vector, at what is written next.
    fn point(&mut self, place: u32) {
        let offset = self.place() - place;
        let place = usize::try_from(place).expect("a small file");
        self.bytes[place..place + 4].copy_from_slice(&offset.to_le_bytes());
    }

    /// Writes a vector of tables that follow; returns where its items are.
    fn vector(&mut self, count: u32) -> Vec<u32> {
        self.number(count);
        let first = self.place();
        (0..count).for_each(|_| self.number(0));
        (0..count).map(|number| first + 4 * number).collect()
    }
}

fn model(operator: &str, tensor: u32, code: u32, buffer: u32) -> Vec<u8> {
    let mut model = Model::default();
    model.number(0);
    model.bytes.extend(b"TFL3");
    let any = Some(0);
    let root = model.table(&[Some(3), any, any, None, any]);
    model.bytes[..4].copy_from_slice(&root.to_le_bytes());
    model.point(root + 4 + 4);
    let codes = model.vector(1);
    model.point(codes[0]);
    let at = model.table(&[None, any]);
    model.bytes.splice(codes[0] as usize..codes[0] as usize + 4, (at - codes[0]).to_le_bytes());
    model.point(at + 4 + 4);
    model.number(u32::try_from(operator.len()).expect("a short name"));
    model.bytes.extend(operator.as_bytes());
    model.point(root + 4 + 16);
    let buffers = model.vector(1);
    let at = model.table(&[any]);
    model
        .bytes
        .splice(buffers[0] as usize..buffers[0] as usize + 4, (at - buffers[0]).to_le_bytes());
    model.point(at + 4);
    model.number(4);
    model.number(7);
    model.point(root + 4 + 8);
    let graphs = model.vector(1);
    let graph = model.table(&[any, any, None, any]);
    model
        .bytes
        .splice(graphs[0] as usize..graphs[0] as usize + 4, (graph - graphs[0]).to_le_bytes());
    model.point(graph + 4);
    let tensors = model.vector(1);
    let at = model.table(&[None, None, Some(buffer)]);
    model
        .bytes
        .splice(tensors[0] as usize..tensors[0] as usize + 4, (at - tensors[0]).to_le_bytes());
    model.point(graph + 4 + 4);
    model.number(1);
    model.number(tensor);
    model.point(graph + 4 + 12);
    let operators = model.vector(1);
    let at = model.table(&[Some(code)]);
    model.bytes.splice(
        operators[0] as usize..operators[0] as usize + 4,
        (at - operators[0]).to_le_bytes(),
    );
    model.bytes
}

#[test]
fn models() {
    let sound = || model("", 0, 0, 0);
    let rows = [
        ("sound", sound(), "clean"),
        ("known operator", model("TFLite_Detection_PostProcess", 0, 0, 0), "clean"),
        ("TensorFlow's operator", model("FlexAddV2", 0, 0, 0), "clean"),
        ("no tensor", model("", u32::MAX, 0, 0), "clean"),
        ("own operator", model("Frobnicate", 0, 0, 0), "custom-operator"),
        ("reads a file", model("FlexReadFile", 0, 0, 0), "file-operator"),
        ("python", model("FlexPyFunc", 0, 0, 0), "code-operator"),
        ("another tensor", model("", 1, 0, 0), "malformed"),
        ("another code", model("", 0, 1, 0), "malformed"),
        ("another buffer", model("", 0, 0, 1), "malformed"),
        ("root past the end", [&[0xff; 4], &sound()[4..]].concat(), "malformed"),
        ("root at the start", [&[0; 4], &sound()[4..]].concat(), "malformed"),
        ("magic alone", b"\x08\0\0\0TFL3".to_vec(), "malformed"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn cut_and_flipped_files_do_not_panic_and_are_not_clean() {
    let bytes = model("Mfcc", 0, 0, 0);
    crate::support::no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_tables_end_in_an_answer(bytes in proptest::collection::vec(0_u8..40, 0..300), root in 0_u32..300) {
        said(&[&root.to_le_bytes(), b"TFL3".as_slice(), &bytes].concat());
    }
}
