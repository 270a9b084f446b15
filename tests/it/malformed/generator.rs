//! The generator of files that are no plugins: sound ones, spoilt in every way
//! that comes to mind, always the same.
//!
//! Leaves what must come of them to its parent.

use std::ops::Range;

use wasm_encoder::Encode as _;

use super::manifests::manifests;
use crate::support::component::Guest;

/// Where the generator starts; another seed gives other files of each kind.
const SEED: u64 = 0x6d6f_6465_6c68_6f73;

/// The header of a component.
pub(super) const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// One file.
pub(super) struct Malformed {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Whether it may be a plugin all the same: a bit of a text was changed, or
    /// an order that does not matter.
    pub(super) may_be_sound: bool,
}

/// SplitMix64: enough for choosing places, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }
}

/// The files so far.
pub(super) struct Files {
    all: Vec<Malformed>,
    random: Random,
}

impl Files {
    /// Adds a file that is no plugin.
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.all.push(Malformed { name: name.into(), bytes, may_be_sound: false });
    }

    /// Adds a file that may be one all the same.
    pub(super) fn add_perhaps_sound(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.all.push(Malformed { name: name.into(), bytes, may_be_sound: true });
    }
}

/// Makes all files.
pub(super) fn malformed() -> Vec<Malformed> {
    let mut files = Files { all: Vec::new(), random: Random(SEED) };
    let sound = [Guest::read("honest-fail").plugin, Guest::read("nested-encodings").plugin];
    for (index, bytes) in sound.iter().enumerate() {
        cuts(&mut files, index, bytes);
        flips(&mut files, index, bytes);
        orders(&mut files, index, bytes);
        lengths(&mut files, index, bytes);
    }
    let sound = &sound[0];
    other_layers(&mut files, sound);
    polyglots(&mut files, sound);
    bombs(&mut files, sound);
    manifests(&mut files);
    files.all
}

/// Returns where each top-level section of `bytes` is, its id and length
/// included.
fn sections(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut sections = Vec::new();
    let mut at = HEADER.len();
    while at < bytes.len() {
        let (length, size) = leb(&bytes[at + 1..]);
        let end = at + 1 + size + length;
        sections.push(at..end);
        at = end;
    }
    assert_eq!(at, bytes.len(), "the sound one is");
    sections
}

/// Reads an unsigned LEB128: its value, and how many bytes it has.
fn leb(bytes: &[u8]) -> (usize, usize) {
    let size = 1 + bytes.iter().take_while(|byte| **byte >= 0x80).count();
    let value = bytes[..size].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
    (value, size)
}

/// Makes a section of `content`.
pub(super) fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    content.encode(&mut bytes);
    bytes
}

/// Makes a custom section.
pub(super) fn custom(name: &[u8], data: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    name.encode(&mut content);
    content.extend(data);
    section(0, &content)
}

/// Cut off: at places of the header, of sections, and at any.
fn cuts(files: &mut Files, index: usize, bytes: &[u8]) {
    for end in 0..12 {
        files.add(format!("cut {index} at {end}"), bytes[..end].to_vec());
    }
    let sections = sections(bytes);
    for section in &sections {
        // What ends where a section does is a component, and may be a plugin.
        let end = section.start;
        files.add_perhaps_sound(
            format!("cut {index} at the section at {end}"),
            bytes[..end].to_vec(),
        );
        for end in [section.start + 1, section.end - 1] {
            files.add(format!("cut {index} at {end} of a section"), bytes[..end].to_vec());
        }
    }
    for _ in 0..30 {
        let end = files.random.below(bytes.len());
        if sections.iter().all(|section| section.start != end) {
            files.add(format!("cut {index} at {end}"), bytes[..end].to_vec());
        }
    }
}

/// Bits flipped, bytes overwritten, stretches taken out or doubled.
fn flips(files: &mut Files, index: usize, bytes: &[u8]) {
    for _ in 0..60 {
        let bit = files.random.below(bytes.len() * 8);
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        files.add_perhaps_sound(format!("bit {bit} of {index} flipped"), flipped);
    }
    for _ in 0..20 {
        let (start, length) = (files.random.below(bytes.len()), 1 + files.random.below(16));
        let end = (start + length).min(bytes.len());
        let mut noise = bytes.to_vec();
        for byte in &mut noise[start..end] {
            *byte = files.random.next().to_le_bytes()[0];
        }
        files.add_perhaps_sound(format!("noise in {index} from {start} to {end}"), noise);
        let without = [&bytes[..start], &bytes[end..]].concat();
        files.add_perhaps_sound(format!("{index} without {start} to {end}"), without);
        let twice = [&bytes[..end], &bytes[start..]].concat();
        files.add_perhaps_sound(format!("{index} with {start} to {end} twice"), twice);
    }
}

/// Sections in another order, twice, or not at all.
fn orders(files: &mut Files, index: usize, bytes: &[u8]) {
    let sections = sections(bytes);
    let join = |order: &[usize]| {
        let parts = order.iter().map(|place| &bytes[sections[*place].clone()]);
        [HEADER].into_iter().chain(parts).collect::<Vec<_>>().concat()
    };
    let all: Vec<usize> = (0..sections.len()).collect();
    files.add(format!("{index} backwards"), join(&all.iter().rev().copied().collect::<Vec<_>>()));
    for _ in 0..10 {
        let mut order = all.clone();
        for place in (1..order.len()).rev() {
            order.swap(place, files.random.below(place + 1));
        }
        files.add_perhaps_sound(format!("{index} in the order {order:?}"), join(&order));
    }
    for place in 0..sections.len() {
        let without: Vec<usize> = all.iter().copied().filter(|other| *other != place).collect();
        files.add_perhaps_sound(format!("{index} without section {place}"), join(&without));
        let mut twice = all.clone();
        twice.insert(place, place);
        files.add_perhaps_sound(format!("{index} with section {place} twice"), join(&twice));
    }
}

/// Lengths and counts that lie.
fn lengths(files: &mut Files, index: usize, bytes: &[u8]) {
    let lies: [&[u8]; 5] = [
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0x00],
    ];
    for section in sections(bytes) {
        let (_, size) = leb(&bytes[section.start + 1..]);
        let (before, after) = (&bytes[..=section.start], &bytes[section.start + 1 + size..]);
        let lie = lies[files.random.below(lies.len())];
        let name = format!("{index}: the length of the section at {} is {lie:x?}", section.start);
        files.add(name, [before, lie, after].concat());
        // The count, which follows the length in most sections.
        let (before, after) =
            (&bytes[..section.start + 1 + size], &bytes[section.start + 2 + size..]);
        let name = format!("{index}: the count of the section at {} lies", section.start);
        files.add_perhaps_sound(name, [before, lies[0], after].concat());
    }
    for id in 0..=13 {
        let content = section(id, &[0xff, 0xff, 0xff, 0xff, 0x0f]);
        files.add(format!("4294967295 entries in a section {id}"), [HEADER, &content].concat());
    }
}

/// What is no component at all.
fn other_layers(files: &mut Files, sound: &[u8]) {
    let module = wat::parse_str("(module (memory 1) (func (export \"check\")))").expect("a module");
    files.add("a core module", module.clone());
    files.add("text", b"(component)".to_vec());
    files.add("text after a comment", b";; a plugin\n(component)".to_vec());
    files.add("nothing", Vec::new());
    files.add("zeros", vec![0; 1 << 16]);
    for (name, magic) in [
        ("an ELF file", b"\x7fELF\x02\x01\x01\0".as_slice()),
        ("a Windows program", b"MZ\x90\0"),
        ("a Mach-O file", b"\xcf\xfa\xed\xfe"),
        ("a zip", b"PK\x03\x04"),
        ("an empty zip", b"PK\x05\x06"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("xz", b"\xfd7zXZ\0"),
        ("bzip2", b"BZh9"),
        ("a PDF", b"%PDF-1.7\n"),
        ("JSON", b"{\"version\": 1}"),
        ("a script", b"#!/bin/sh\n"),
        ("UTF-16", b"\xff\xfe(\0c\0"),
        (
            "a git-lfs pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        ),
    ] {
        files.add(name, magic.to_vec());
        files.add(format!("{name}, then a component"), [magic, sound].concat());
    }
    // A gzip of one stored block: what a registry would hand out compressed.
    let length = u16::try_from(sound.len()).expect("the guest is small");
    let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    gzip.extend(length.to_le_bytes());
    gzip.extend((!length).to_le_bytes());
    gzip.extend(sound);
    gzip.extend([0; 8]);
    files.add("a gzip of a component", gzip);
    // Native code: what wasmtime itself would load without a look.
    let engine = wasmtime::Engine::default();
    let native = engine.precompile_component(sound).expect("it compiles");
    files.add("a precompiled component", native.clone());
    files.add("a precompiled module", engine.precompile_module(&module).expect("it compiles"));
    files.add("half of a precompiled component", native[..native.len() / 2].to_vec());
    let mut alike = native.clone();
    alike.truncate(64);
    alike.extend(sound);
    files.add("the head of a precompiled component, then a component", alike);
    files.add("a component, then a precompiled one", [sound, native.as_slice()].concat());
    // Headers that are nearly right.
    for version in [0_u16, 1, 2, 0x0a, 0x0c, 0x0e, 0xff, 0xffff] {
        for layer in [0_u16, 1, 2, 0xffff] {
            if (version, layer) != (0x0d, 1) {
                let (version_bytes, layer_bytes) = (version.to_le_bytes(), layer.to_le_bytes());
                let head = [b"\0asm", &version_bytes[..], &layer_bytes[..]].concat();
                files.add(
                    format!("version {version} of layer {layer}"),
                    [&head, &sound[HEADER.len()..]].concat(),
                );
            }
        }
    }
}

/// A component with something before or behind it.
fn polyglots(files: &mut Files, sound: &[u8]) {
    let zip_end = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for (name, tail) in [
        ("a zero", b"\0".as_slice()),
        ("a newline", b"\n"),
        ("an archive's end", zip_end),
        ("a script", b"\n#!/bin/sh\n"),
        ("a header", HEADER),
        ("itself", sound),
        ("a module's header", b"\0asm\x01\0\0\0"),
        ("a cut section", &[4, 0x7f, 1]),
    ] {
        files.add(format!("a component, then {name}"), [sound, tail].concat());
    }
    // As its content, in a section that nobody reads.
    let hidden = custom(b"archive", &[b"PK\x03\x04", &zip_end[..]].concat());
    files.add_perhaps_sound("an archive in a custom section", [sound, &hidden].concat());
}

/// What is small, and wants much of whoever reads it.
fn bombs(files: &mut Files, sound: &[u8]) {
    for depth in [3_usize, 100, 1000, 5000] {
        let mut inner = HEADER.to_vec();
        for _ in 0..depth {
            inner = [HEADER, &section(4, &inner)].concat();
        }
        files.add(format!("components nested {depth} deep"), inner);
        for kind in [0x41, 0x42] {
            let types = [[1].as_slice(), &[kind, 1, 1].repeat(depth), &[0x42, 0]].concat();
            files.add(
                format!("types of kind {kind:x} nested {depth} deep"),
                [HEADER, &section(7, &types)].concat(),
            );
        }
        let mut options = Vec::new();
        (depth + 1).encode(&mut options);
        options.push(0x79);
        for index in 0..depth {
            options.push(0x6b);
            index.encode(&mut options);
        }
        files.add(
            format!("options of options, {depth} deep"),
            [HEADER, &section(7, &options)].concat(),
        );
        let blocks = format!("(module (func {}{}))", "block ".repeat(depth), "end ".repeat(depth));
        let module = wat::parse_str(&blocks).expect("a module");
        files.add(format!("blocks nested {depth} deep"), [HEADER, &section(1, &module)].concat());
    }
    let flood = custom(b"x", b"").repeat(100_000);
    files.add_perhaps_sound("100,000 custom sections", [sound, &flood].concat());
    files.add("custom sections alone", [HEADER, &flood].concat());
    let name = vec![b'x'; 1 << 20];
    files.add_perhaps_sound(
        "a custom section with a name of 1 MiB",
        [sound, &custom(&name, b"")].concat(),
    );
    files.add(
        "a custom section whose name is no UTF-8",
        [sound, &custom(b"\xff\xfe", b"")].concat(),
    );
    let names = custom(b"component-name", &[0xff; 64]);
    files.add_perhaps_sound("a name section of noise", [sound, &names].concat());
    let names = custom(b"component-name", &section(0, &[0xff, 0xff, 0xff, 0xff, 0x0f]));
    files.add_perhaps_sound("a name section whose length lies", [sound, &names].concat());
    // A function with as many locals as one may write in few bytes.
    let locals = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b";
    files.add("a function of 4294967295 locals", [HEADER, &section(1, locals)].concat());
}
