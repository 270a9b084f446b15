//! Pickles in archives, arrays and compressed files, and archives that readers see differently.

mod support;

use support::{
    Asm, assert_clean, assert_found, assert_not_claimed, call, deflated, member, npy, plain, tar,
    zip,
};

const CALL: &str = "calls `posix.system('echo hi')`";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    out.extend_from_slice(&miniz_oxide::deflate::compress_to_vec(bytes, 6));
    out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).expect("small").to_le_bytes());
    out
}

#[test]
fn pickles_are_found_wherever_they_are() {
    let bad = call("posix", "system");
    let zlib = miniz_oxide::deflate::compress_to_vec_zlib(&bad, 6);
    let torch = zip(&[member("archive/data.pkl", &bad), member("archive/data/0", &[1; 16])]);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("torch", torch.clone()),
        ("any member", zip(&[member("a/data.pkl", &plain()), member("a/notes.txt", &bad)])),
        ("deflated", zip(&[deflated("x", &bad)])),
        ("zip in zip", zip(&[deflated("x.zip", &torch)])),
        ("npy", npy("'|O'", "(1,)", &bad)),
        ("npy, structured", npy("[('a', '<f4'), ('b', '|O')]", "(1,)", &bad)),
        ("npz", zip(&[member("a.npy", &npy("'|O'", "(1,)", &bad))])),
        ("zlib", zlib.clone()),
        ("gzip", gzip(&bad)),
        ("gzip of zlib", gzip(&zlib)),
        ("tar", tar(&[("m/model.pkl", &bad, b'0', "")])),
        ("tar.gz", gzip(&tar(&[("m/model.pkl", &torch, b'0', "")]))),
        ("tar in zip", zip(&[deflated("m.tar", &tar(&[("model.pkl", &bad, b'0', "")]))])),
        ("pickle first, zip last", [bad.clone(), zip(&[member("a", b"text")])].concat()),
        ("text first, zip last", [b"some text".to_vec(), torch.clone()].concat()),
        ("no directory", {
            let end =
                torch.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
            torch[..end].to_vec()
        }),
        ("a storage", zip(&[member("a/data.pkl", &plain()), member("a/data/0", &bad)])),
    ];
    for (what, bytes) in rows {
        assert_found(what, &bytes, "dangerous-global", CALL);
    }
}

/// `call("posix", "system")` as Python's own modules compress it.
const RARE: &[(&str, &[u8])] = &[
    ("bzip2", b"BZh91AY&SYNI\xb1\xcf\x00\x00\x0e\xd3\xc0P\x90@\x01\x10@\x0ab\xcc`B\x00 \x00\x22\x99\x06\x8c\x9ahd(\x1ahdd\xc4\x10\x93\xe1|\xc9\x07\xb47V~\x90=u\x08P\x10?\x17rE8P\x90NI\xb1\xcf"),
    ("xz", b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x1e\x80\x02cposix\x0asystem\x0aX\x07\x00\x00\x00echo hi\x85R.\x00\x00\xf2\xdc\x0a'!H\xa7\xaa\x00\x017\x1f\xea\x18\x89=\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ"),
    ("lzma", b"]\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00@\x00\x88\x03\xcb\x87\xe6\x0e?\xc6\xdb\xa6b:\xd0\xe0\x17\xa4\x13\x8d\xb6&f\x9b\xb9\x1b\xed\x86\xb9\x7f\xdc\x96v\xe5C\xff\xff\xecV\x00\x00"),
    ("lz4", b"\x04\x22M\x18h@\x1f\x00\x00\x00\x00\x00\x00\x00\xb7\x1f\x00\x00\x80\x80\x02cposix\x0asystem\x0aX\x07\x00\x00\x00echo hi\x85R.\x00\x00\x00\x00"),
];
/// The same as zip members of methods 12 and 14 hold it.
const ZIP_LZMA: &[u8] = b"\x09\x04\x05\x00]\x00\x00\x01\x00\x00@\x00\x88\x03\xcb\x87\xe6\x0e?\xc6\xdb\xa6b:\xd0\xe0\x17\xa4\x13\x8d\xb6&f\x9b\xb9\x1b\xed\x86\xb9\x7f\xdc\x96v\xe5C\xff\xff\xecV\x00\x00";

#[test]
fn rarer_compressions() {
    for (what, bytes) in RARE {
        assert_found(what, bytes, "dangerous-global", CALL);
        for cut in 0..bytes.len() {
            drop(support::run(&bytes[..cut]));
        }
    }
    let plain = call("posix", "system");
    for (method, data) in [(12, RARE[0].1), (14, ZIP_LZMA)] {
        let packed = support::Member {
            data: data.to_vec(),
            method,
            local_method: method,
            ..member("x", &plain)
        };
        assert_found("in zip", &zip(&[packed]), "dangerous-global", CALL);
    }
}

#[test]
fn ordinary_containers_pass() {
    let rows: Vec<(&str, Vec<u8>)> = vec![
        (
            "torch",
            zip(&[
                member("archive/data.pkl", &plain()),
                member("archive/data/0", &[1; 64]),
                member("archive/version", b"3\n"),
            ]),
        ),
        (
            "weights that begin like a pickle",
            zip(&[
                member("a/data.pkl", &plain()),
                member("a/data/0", b"\x80\x02\xff\xff\x80\x04cccc"),
            ]),
        ),
        ("npy", npy("'<f4'", "(2, 2)", &[0; 16])),
        (
            "npz",
            zip(&[
                member("a.npy", &npy("'<f4'", "(1,)", &[0; 4])),
                deflated("b.npy", &npy("'<f8'", "()", &[0; 8])),
            ]),
        ),
        ("zlib", miniz_oxide::deflate::compress_to_vec_zlib(&plain(), 6)),
        ("gzip", gzip(&plain())),
        (
            "tar",
            tar(&[
                ("./a.pkl", &plain(), b'0', ""),
                ("b", b"text", b'0', ""),
                ("c", b"", b'2', "a.pkl"),
            ]),
        ),
    ];
    for (what, bytes) in rows {
        assert_clean(what, &bytes);
    }
    assert_not_claimed(
        "a zip of texts",
        &zip(&[member("a.txt", b"hello"), deflated("b.txt", b"hello again")]),
    );
    assert_not_claimed("a compressed text", &gzip(b"hello"));
    assert_not_claimed("a tar of texts", &tar(&[("a", b"text", b'0', "")]));
}

#[test]
fn archives_that_readers_see_differently() {
    let base = || member("archive/data.pkl", &plain());
    let changed = |change: fn(&mut support::Member)| {
        let mut member = base();
        change(&mut member);
        zip(&[member])
    };
    let rows: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        (
            "name",
            changed(|m| m.local_name = "archive/data.txt".to_owned()),
            "archive-mismatch",
            "name",
        ),
        ("checksum", changed(|m| m.crc = Some(1)), "archive-mismatch", "checksum"),
        ("method", changed(|m| m.method = 8), "archive-mismatch", "method"),
        ("encrypted", changed(|m| m.flags = 1), "archive-mismatch", "encrypted"),
        ("twins", zip(&[base(), base()]), "archive-mismatch", "two members"),
        (
            "case",
            zip(&[base(), member("archive/DATA.PKL", &plain())]),
            "archive-mismatch",
            "case only",
        ),
        (
            "hidden",
            zip(&[base(), support::Member { listed: false, ..member("x", &plain()) }]),
            "archive-mismatch",
            "listed in no directory",
        ),
        (
            "prefix",
            [vec![b'#'; 40], zip(&[base()])].concat(),
            "archive-mismatch",
            "before the zip archive",
        ),
        ("offset", changed(|m| m.offset = Some(5)), "archive-mismatch", "no local header"),
        ("zero byte", zip(&[base(), member("a\0b", b"x")]), "archive-mismatch", "zero byte"),
        (
            "two end records",
            {
                let mut inner = zip(&[base()]);
                let outer = zip(&[member("other", b"x")]);
                let length = inner.len();
                inner[length - 2] = u8::try_from(outer.len()).expect("short");
                [inner, outer].concat()
            },
            "archive-mismatch",
            "several end records",
        ),
        ("slip", zip(&[member("../../x", b"x")]), "archive-path", "leaves the folder"),
        ("absolute", zip(&[member("/etc/x", b"x")]), "archive-path", "absolute"),
        ("backslash", zip(&[member("..\\x", b"x")]), "archive-path", "leaves the folder"),
        ("drive", zip(&[member("C:x", b"x")]), "archive-path", "absolute"),
        (
            "link",
            zip(&[support::Member { attributes: 0xa1ff_0000, ..member("l", b"/etc/passwd") }]),
            "archive-path",
            "symbolic link",
        ),
        ("tar slip", tar(&[("../x", b"x", b'0', "")]), "archive-path", "leaves the folder"),
        ("tar link", tar(&[("x", b"", b'2', "/etc/passwd")]), "archive-path", "link to"),
        ("tar device", tar(&[("x", b"", b'3', "")]), "archive-path", "device"),
        (
            "unknown method",
            changed(|m| (m.method, m.local_method) = (93, 93)),
            "unreadable-content",
            "method 93",
        ),
        ("npy too short", npy("'<f4'", "(100,)", &[0; 16]), "malformed", "fewer items"),
        (
            "npy with an expression",
            npy("__import__('os').system('x')", "(1,)", &[0; 4]),
            "malformed",
            "no literal",
        ),
        (
            "torch cut",
            {
                let whole = zip(&[base(), member("archive/version", b"3\n")]);
                whole[..whole.len() - 10].to_vec()
            },
            "malformed",
            "without its directory",
        ),
    ];
    for (what, bytes, rule, says) in rows {
        assert_found(what, &bytes, rule, says);
    }
}

/// joblib's wrapper of an array of `count` 8-byte items, and the array.
fn joblib(count: i32, raw: &[u8]) -> Asm {
    let wrapper = Asm::proto(3)
        .raw(b"}")
        .unicode("x")
        .global("joblib.numpy_pickle", "NumpyArrayWrapper")
        .raw(b")\x81}(");
    let wrapper =
        wrapper.unicode("subclass").global("numpy", "ndarray").unicode("shape").int(count).tuple1();
    let wrapper = wrapper
        .unicode("dtype")
        .global("numpy", "dtype")
        .unicode("f8")
        .raw(b"\x89\x88\x87R(K\x03")
        .unicode("<")
        .raw(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb");
    wrapper.raw(b"ub").raw(raw).raw(b"s")
}

#[test]
fn joblib_arrays() {
    assert_clean("array", &joblib(2, &[0xff; 16]).stop());
    let after = joblib(2, &[0xff; 16]).raw(b"0").raw(&call("posix", "system")[2..]).0;
    assert_found("behind the array", &after, "dangerous-global", CALL);
    let mut within = Asm::new().raw(&call("posix", "system")[2..]).0;
    within.resize(64, 0);
    assert_found(
        "the array as pickle.load sees it",
        &joblib(8, &within).stop(),
        "dangerous-global",
        CALL,
    );
    assert_found("array past the end", &joblib(1000, &[0; 16]).stop(), "malformed", "past the end");
}

/// PyTorch's legacy format: magic number, version, system, object, keys, storages.
fn legacy(object: &[u8], keys: &[&str], storages: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let list =
        keys.iter().fold(Asm::proto(2).raw(b"]"), |asm, key| asm.unicode(key).raw(b"a")).stop();
    [
        magic.as_slice(),
        b"\x80\x02M\xe9\x03.",
        &Asm::proto(2).raw(b"}").stop(),
        object,
        &list,
        storages,
    ]
    .concat()
}

#[test]
fn configurations() {
    let nemo = |target: &str| {
        tar(&[
            ("./model_config.yaml", format!("model:\n  _target_: {target}\n").as_bytes(), b'0', ""),
            ("./model_weights.ckpt", &zip(&[member("a/data.pkl", &plain())]), b'0', ""),
        ])
    };
    assert_clean("nemo", &nemo("nemo.collections.asr.models.EncDecCTCModel"));
    assert_found("nemo that calls", &nemo("os.system"), "dangerous-global", "`os.system`");
    assert_found(
        "nemo of an unknown package",
        &nemo("some_package.Model"),
        "unsafe-global",
        "`some_package.Model`",
    );
    assert_not_claimed(
        "a configuration by itself, which another check judges",
        b"_target_: subprocess.Popen
",
    );
    let skops = |module: &str| {
        zip(&[deflated("schema.json", format!("{{\"__class__\": \"X\", \"__module__\": \"{module}\", \"__loader__\": \"ObjectNode\"}}").as_bytes())])
    };
    assert_clean("skops", &skops("sklearn.svm._classes"));
    assert_found(
        "skops of an unknown package",
        &skops("some_package"),
        "unsafe-global",
        "some_package.X",
    );
}

#[test]
fn torch_legacy() {
    let id = Asm::proto(2)
        .raw(b"(")
        .unicode("storage")
        .global("torch", "FloatStorage")
        .unicode("7")
        .unicode("cpu")
        .int(4);
    let object = id.raw(b"NtQ").stop();
    let storage = [4u64.to_le_bytes().as_slice(), &[9; 16]].concat();
    assert_clean("state", &legacy(&object, &["7"], &storage));
    assert_found("call", &legacy(&call("posix", "system"), &[], b""), "dangerous-global", CALL);
    assert_found("cut", &legacy(&object, &["7"], &storage[..20]), "malformed", "past the end");
    let behind = [legacy(&object, &["7"], &storage), call("posix", "system")].concat();
    assert_found("a sixth pickle", &behind, "dangerous-global", CALL);
    let computed = [
        b"\x80\x02cbuiltins\neval\nX\x04\0\0\0 0x1\x85R.".as_slice(),
        &legacy(&object, &["7"], &storage)[15..],
    ]
    .concat();
    assert_found("a magic number that is computed", &computed, "dangerous-global", "builtins.eval");
}

#[test]
fn torch_bytes_within_a_pickle() {
    let load = |bytes: &[u8]| {
        Asm::proto(3)
            .global("torch.storage", "_load_from_bytes")
            .bytes(bytes)
            .tuple1()
            .reduce()
            .stop()
    };
    assert_clean("storage", &load(&legacy(&plain(), &[], b"")));
    assert_found(
        "call",
        &load(&legacy(&call("posix", "system"), &[], b"")),
        "dangerous-global",
        CALL,
    );
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&load(&call("posix", "system")), 6);
    assert_found("call, compressed", &packed, "dangerous-global", CALL);
}
