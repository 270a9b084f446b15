//! Owns what the check says of stores of data, further pictures, messages beside
//! graphs, and R's values: sound, broken and hostile.

use proptest::prelude::*;

use crate::support::{count, field, no_flip_panics, said};

fn le(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn be(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

/// A record of which the length's sum is right: of two bytes.
fn record() -> Vec<u8> {
    [&2_u64.to_le_bytes()[..], &le(0x340b_2778), b"ab", &[0; 4]].concat()
}

fn sqlite() -> Vec<u8> {
    let mut file = b"SQLite format 3\0\x02\0".to_vec();
    file.resize(1024, 0);
    file[28..32].copy_from_slice(&be(2));
    file
}

fn weights() -> Vec<u8> {
    let head = [&le(1)[..], &le(2), &[0; 56]].concat();
    let entry = [&le(0xdead_beef)[..], &le(1), &8_u64.to_le_bytes(), &128_u64.to_le_bytes()];
    [head, entry.concat(), vec![0; 40], vec![1; 8]].concat()
}

fn icon() -> Vec<u8> {
    [&[0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 32, 0][..], &le(3), &le(22), b"abc"].concat()
}

fn bitmap() -> Vec<u8> {
    [b"BM".as_slice(), &le(30), &[0; 4], &le(26), &le(12), &[0; 12]].concat()
}

fn font() -> Vec<u8> {
    [b"\0\x01\0\0\0\x01\0\0\0\0\0\0head\0\0\0\0".as_slice(), &be(28), &be(3), b"abc"].concat()
}

fn faiss() -> Vec<u8> {
    let head = [b"IxFI".as_slice(), &le(2), &1_u64.to_le_bytes(), &[0; 21], &2_u64.to_le_bytes()];
    [head.concat(), vec![1; 8]].concat()
}

fn ubjson() -> Vec<u8> {
    b"{L\0\0\0\0\0\0\0\x01a[#i\x02SU\x01xZi\x01b{}i\x01c[$d#i\x01\0\0\0\0i\x01d[i\x01T]}".to_vec()
}

fn coreml() -> Vec<u8> {
    [count(1, 12), field(2, field(1, "x")), field(500, field(1, "y"))].concat()
}

fn metadata(layer: &str) -> Vec<u8> {
    field(1, [count(2, 1), field(3, "root.layer-0"), field(5, layer)].concat())
}

fn r(body: &[u8]) -> Vec<u8> {
    [b"X\n".as_slice(), &be(2), &be(0x0004_0000), &be(0x0002_0300), body].concat()
}

fn stream() -> Vec<u8> {
    // A flatbuffer whose table has a list of one field, and no data after it.
    let message =
        [&le(12)[..], &[0; 2], &6_u16.to_le_bytes(), &8_u16.to_le_bytes(), &[0; 2], &le(6)];
    let message = message.concat();
    let length = u32::try_from(message.len()).expect("short");
    [&[0xff; 4][..], &le(length), &message, &[0xff; 4], &[0; 4]].concat()
}

#[test]
fn files() {
    let promise = [be(5), be(251), be(254)].concat();
    let list = [be(19).to_vec(), be(2).to_vec(), be(254).to_vec(), r_number()].concat();
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("records", [record(), record()].concat(), "clean"),
        ("a database", sqlite(), "clean"),
        ("a database that is cut", sqlite()[..512].to_vec(), "not ours"),
        ("weights of Core ML", weights(), "clean"),
        ("weights that are cut", weights()[..130].to_vec(), "not ours"),
        ("an icon", icon(), "clean"),
        ("an icon with more", [icon(), vec![1]].concat(), "not ours"),
        ("a bitmap", bitmap(), "clean"),
        ("TIFF", b"MM\0*\0\0\0\x08\0\0\0\0\0\0".to_vec(), "clean"),
        ("TIFF that leads in a circle", b"MM\0*\0\0\0\x08\0\0\0\0\0\x08".to_vec(), "not ours"),
        ("a font", font(), "clean"),
        ("a font that is cut", font()[..29].to_vec(), "not ours"),
        ("a film", b"\x1a\x45\xdf\xa3\x81a\x18\x53\x80\x67\x82ab".to_vec(), "clean"),
        ("a film as it is made", b"\x1a\x45\xdf\xa3\x81a\x18\x53\x80\x67\xffab".to_vec(), "clean"),
        ("a film that is cut", b"\x1a\x45\xdf\xa3\x89a".to_vec(), "not ours"),
        ("vectors", faiss(), "clean"),
        ("fewer vectors", faiss()[..48].to_vec(), "not ours"),
        ("UBJSON", ubjson(), "clean"),
        ("a long list", b"{i\x01a[#L\x7f\xff\xff\xff\xff\xff\xff\xff}".to_vec(), "not ours"),
        ("a deep one", [&b"{i\x01a"[..], &vec![b'['; 5000]].concat(), "not ours"),
        ("Core ML", coreml(), "clean"),
        ("its own class", [coreml(), field(555, "x")].concat(), "custom-operator"),
        ("a field it lacks", [coreml(), field(9999, "x")].concat(), "malformed"),
        ("metadata", metadata("{\"class_name\": \"Dense\"}"), "clean"),
        ("metadata with code", metadata("{\"class_name\": \"Lambda\"}"), "code-layer"),
        ("a fingerprint", [count(1, 5), count(2, 6), count(3, 7)].concat(), "clean"),
        ("a tensor", [count(1, 2), count(2, 2), field(9, "ab")].concat(), "clean"),
        (
            "a tensor that is cut",
            [count(1, 3), count(2, 2), field(9, "ab")].concat(),
            "size-mismatch",
        ),
        (
            "a tensor from elsewhere",
            [count(1, 1), count(2, 2), field(13, [field(1, "location"), field(2, "/x")].concat())]
                .concat(),
            "external-path",
        ),
        ("a value of R", r(&list), "clean"),
        ("a promise", r(&promise), "pickled-type"),
        ("byte code", r(&be(21)), "pickled-type"),
        ("a value that is cut", r(&list[..9]), "not ours"),
        ("values without end", r(&be(6).repeat(5000)), "unsupported"),
        ("a stream of Arrow", stream(), "clean"),
        ("a stream that is cut", stream()[..20].to_vec(), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
        no_flip_panics(&bytes, bytes.len().min(128));
    }
}

/// Two whole numbers.
fn r_number() -> Vec<u8> {
    [be(13), be(2), be(1), be(2)].concat()
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_answer(which in 0_usize..9, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let heads: [&[u8]; 9] = [
            b"X\n\0\0\0\x02", b"{i\x01a", b"IxFI", b"MM\0*", b"\x1a\x45\xdf\xa3",
            b"\xff\xff\xff\xff\x10\0\0\0\x04\0\0\0", b"\x0a\x20\x1a\x10root", b"\0\x01\0\0\0\x09", b"CBM1",
        ];
        said(&[heads[which], &bytes].concat());
    }
}
