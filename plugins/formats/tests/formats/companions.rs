//! Owns what the check says of the inert files beside a model.

use proptest::prelude::*;

use crate::support::{count, field, no_flip_panics, said};

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short chunk").to_be_bytes();
    [&length, kind, content, &[0; 4]].concat()
}

fn png() -> Vec<u8> {
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0; 13]),
        chunk(b"IDAT", &[7; 20]),
        chunk(b"IEND", b""),
    ]
    .concat()
}

fn jpeg() -> Vec<u8> {
    b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x03a\x01\x02\xff\0\x03\xff\xd9".to_vec()
}

fn gif() -> Vec<u8> {
    b"GIF89a\x01\0\x01\0\x80\0\0abcdef!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
        .to_vec()
}

fn riff() -> Vec<u8> {
    b"RIFF\x16\0\0\0WAVEfmt \x02\0\0\0abdata\0\0\0\0".to_vec()
}

fn flac() -> Vec<u8> {
    b"fLaC\x80\0\0\x02ab\xff\xf8samples".to_vec()
}

fn ogg() -> Vec<u8> {
    let page = [b"OggS".as_slice(), &[0; 22], &[2, 3, 1], b"abcd"].concat();
    [page.clone(), page].concat()
}

fn mp4() -> Vec<u8> {
    b"\0\0\0\x0cftypisom\0\0\0\x08free\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab".to_vec()
}

/// Frames of 128 kbit/s at 44.1 kHz are 417 bytes long.
fn mp3() -> Vec<u8> {
    let frame = [&[0xff, 0xfb, 0x90, 0x00][..], &[0; 413]].concat();
    [b"ID3\x04\0\0\0\0\0\x02ab".to_vec(), frame.clone(), frame.clone(), frame].concat()
}

fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n".to_vec()
}

fn footed(head: &[u8], footer: &[u8], magic: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).expect("a short footer").to_le_bytes();
    [head, b"data", footer, &length, magic].concat()
}

fn sentencepiece() -> Vec<u8> {
    let piece =
        |text: &str| field(1, [field(1, text), vec![0x15, 0, 0, 0, 0], count(3, 1)].concat());
    [piece("<unk>"), piece("a"), field(2, b""), field(3, field(2, [7; 9]))].concat()
}

fn msgpack() -> Vec<u8> {
    b"\x82\xa1a\x93\x01\xc0\xcb\0\0\0\0\0\0\0\0\xa2bc\xc7\x03\x01xyz".to_vec()
}

fn index() -> Vec<u8> {
    let mut bytes = b"\0\0\x02\x08\x01rest of the blocks".to_vec();
    let footer = bytes.len();
    bytes.extend([1, 2, 3, 4]);
    bytes.resize(footer + 40, 0);
    bytes.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    bytes
}

fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("PNG", png()),
        ("JPEG", jpeg()),
        ("GIF", gif()),
        ("WAV", riff()),
        ("FLAC", flac()),
        ("Ogg", ogg()),
        ("MP4", mp4()),
        ("MP3", mp3()),
        ("PDF", pdf()),
        ("Parquet", footed(b"PAR1", b"footer", b"PAR1")),
        ("Arrow", footed(b"ARROW1\0\0", b"footer", b"ARROW1")),
        ("sentencepiece", sentencepiece()),
        ("MessagePack", msgpack()),
        ("an empty map of MessagePack", b"\x80".to_vec()),
        ("index", index()),
        ("zeros", vec![0; 5000]),
    ]
}

#[test]
fn companions_are_recognised() {
    for (name, bytes) in all() {
        assert_eq!(said(&bytes), "clean", "{name}");
    }
}

/// A companion is no model: where its structure does not hold it is left unjudged.
#[test]
fn broken_companions_are_left_unjudged() {
    for (name, bytes) in all() {
        let said = said(&bytes[..bytes.len() / 2]);
        assert!(["not ours", "clean"].contains(&said.as_str()), "{name}: {said}");
    }
    let rows: [(&str, Vec<u8>); 11] = [
        ("PNG without an end", png()[..png().len() - 12].to_vec()),
        ("PNG with a length past the end", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT".to_vec()),
        ("GIF of another block", b"GIF89a\x01\0\x01\0\0\0\0\x05".to_vec()),
        ("RIFF longer than the file", b"RIFF\xff\0\0\0WAVE".to_vec()),
        ("MP4 box of length 2", b"\0\0\0\x0cftypisom\0\0\0\x02free".to_vec()),
        ("an empty map with bytes behind it", b"\x80\0".to_vec()),
        ("MessagePack with bytes behind it", [msgpack(), vec![0]].concat()),
        ("MessagePack that claims 2^32 items", b"\xdf\xff\xff\xff\xff\xa1a".to_vec()),
        ("zeros and then something", [vec![0; 5000], vec![1]].concat()),
        ("deep MessagePack", [b"\x81\xa1a".to_vec(), vec![0x91; 100_000]].concat()),
        (
            "Parquet with a footer past the start",
            [b"PAR1".as_slice(), &[0xff, 0, 0, 0], b"PAR1"].concat(),
        ),
    ];
    for (name, bytes) in rows {
        assert_eq!(said(&bytes), "not ours", "{name}");
    }
}

#[test]
fn what_else_they_are_is_seen() {
    let evil = |name: &str| footed(b"PAR1", name.as_bytes(), b"PAR1");
    let rows: [(&str, Vec<u8>, &str); 9] = [
        ("bytes behind a PNG", [png(), vec![1, 2]].concat(), "trailing-data"),
        ("bytes behind a JPEG", [jpeg(), vec![1, 2]].concat(), "trailing-data"),
        ("a pickled type", evil("..arrow.py_extension_type.."), "pickled-type"),
        ("a pickled type in base64", evil("AAYXJyb3cucHlfZXh0ZW5zaW9uX3R5cGU="), "pickled-type"),
        (
            "objects in MessagePack",
            b"\x83\xc4\x02nd\xc3\xc4\x04kind\xc4\x01O\xc4\x04data\xc4\x01.".to_vec(),
            "pickled-type",
        ),
        ("numbers in MessagePack", b"\x82\xc4\x04kind\xc4\x01V\xa4data\xc4\x01O".to_vec(), "clean"),
        (
            "a pickled type in the head",
            footed(b"ARROW1\0\0arrow.py_extension_type", b"footer", b"ARROW1"),
            "pickled-type",
        ),
        (
            "a pickle in a GIF's colors",
            {
                let mut bytes = b"GIF89a\x01\0\x01(\x8fNNcos\nsystem\n(Vecho\ntR.".to_vec();
                bytes.resize(13 + 768, 0);
                bytes.push(b';');
                bytes
            },
            "polyglot",
        ),
        (
            "a pickle in MessagePack",
            {
                // A map of twelve; to an unpickler a text of 162 bytes, then an import.
                let payload = b"cos\nsystem\n(Vecho\ntR.";
                let length = u8::try_from(158 + payload.len()).expect("it is short");
                let mut bytes = b"\x8c\xa2ab\xd9".to_vec();
                bytes.push(length);
                bytes.extend([b' '; 158]);
                bytes.extend(payload);
                (0..11).for_each(|_| bytes.extend(b"\xa1a\xc0"));
                bytes
            },
            "polyglot",
        ),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn flipped_files_do_not_panic() {
    for (_, bytes) in all() {
        no_flip_panics(&bytes, 64);
    }
}

proptest! {
    #[test]
    fn any_continuation_ends_in_an_answer(which in 0_usize..15, cut in 0_usize..40, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_, start) = &all()[which];
        said(&[&start[..cut.min(start.len())], bytes.as_slice()].concat());
    }
}
