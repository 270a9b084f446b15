//! What raw pickles do: each technique found and named, each near miss let through.

mod support;

use modelhost_check::testing::{self, json};
use modelhost_check::{Answer, Severity};
use modelhost_plugin_pickle::Pickle;
use support::{
    Asm, assert_clean, assert_found, assert_not_claimed, call, findings, plain, run, shown, worst,
};

#[test]
fn calls_are_named_with_their_arguments() {
    let says = "calls `posix.system('echo hi')` when unpickled";
    let rows: Vec<(&str, Vec<u8>)> = vec![
        (
            "protocol 0",
            Asm::new().global("posix", "system").raw(b"(").line("echo hi").raw(b"tR").stop(),
        ),
        ("protocol 0, INST", Asm::new().raw(b"(").line("echo hi").inst("posix", "system").stop()),
        (
            "protocol 0, escapes",
            Asm::new().global("posix", "system").raw(b"(S'\\x65cho hi'\ntR").stop(),
        ),
        (
            "protocol 0, UNICODE",
            Asm::new().global("posix", "system").raw(b"(V\\u0065cho hi\ntR").stop(),
        ),
        (
            "protocol 1, OBJ",
            Asm::new().raw(b"(").global("posix", "system").unicode("echo hi").raw(b"o").stop(),
        ),
        ("protocol 2", call("posix", "system")),
        (
            "protocol 2, NEWOBJ",
            Asm::proto(2).global("posix", "system").unicode("echo hi").tuple1().newobj().stop(),
        ),
        (
            "protocol 4",
            Asm::proto(4).stack_global("posix", "system").text("echo hi").tuple1().reduce().stop(),
        ),
        (
            "protocol 4, NEWOBJ_EX",
            Asm::proto(4)
                .stack_global("posix", "system")
                .text("echo hi")
                .tuple1()
                .raw(b"}\x92")
                .stop(),
        ),
        ("protocol 5, framed", {
            let body =
                Asm::new().stack_global("posix", "system").text("echo hi").tuple1().reduce().stop();
            Asm::proto(5).raw([0x95]).raw((body.len() as u64).to_le_bytes()).raw(body).0
        }),
        (
            "no PROTO at all",
            Asm::new().stack_global("posix", "system").text("echo hi").tuple1().reduce().stop(),
        ),
        (
            "memo",
            Asm::proto(4)
                .text("system")
                .raw(b"\x940")
                .text("posix")
                .raw(b"\x940h\x01h\x00\x93")
                .text("echo hi")
                .tuple1()
                .reduce()
                .stop(),
        ),
        ("memo overwritten", {
            let start = Asm::proto(4).text("a").raw(b"q\x000").text("posix").raw(b"q\x000h\x00");
            start.text("system").raw(b"\x93").text("echo hi").tuple1().reduce().stop()
        }),
        ("sparse memo, MEMOIZE counts", {
            let start = Asm::proto(4)
                .text("posix")
                .raw(b"q\x050")
                .text("system")
                .raw(b"\x940h\x05h\x01\x93");
            start.text("echo hi").tuple1().reduce().stop()
        }),
        ("decoys popped", {
            let start = Asm::proto(4)
                .text("posix")
                .text("x")
                .raw(b"0(")
                .text("y")
                .raw(b"1(0")
                .text("system")
                .raw(b"\x93");
            start.text("echo hi").tuple1().reduce().stop()
        }),
        ("binary strings", Asm::new().raw(b"U\x05posixU\x06system\x93U\x07echo hi\x85R").stop()),
        ("no STOP", Asm::proto(2).global("posix", "system").unicode("echo hi").tuple1().reduce().0),
        (
            "bad opcode after",
            Asm::proto(2)
                .global("posix", "system")
                .unicode("echo hi")
                .tuple1()
                .reduce()
                .raw([0xff])
                .0,
        ),
        (
            "underflow after",
            Asm::proto(2)
                .global("posix", "system")
                .unicode("echo hi")
                .tuple1()
                .reduce()
                .raw(b"000.")
                .0,
        ),
        ("second pickle", [plain(), call("posix", "system")].concat()),
        ("second pickle without PROTO", [plain(), call("posix", "system")[2..].to_vec()].concat()),
        ("behind junk", [plain(), vec![0xff; 70_000], call("posix", "system")].concat()),
        (
            "behind a harmless one without PROTO",
            [b"K\x01.".as_slice(), &call("posix", "system")].concat(),
        ),
        ("both without PROTO", [b"K\x01.".as_slice(), &call("posix", "system")[2..]].concat()),
        ("INST cut within its name", b"(S'echo hi'\niposix\nsystem_".to_vec()),
    ];
    for (what, bytes) in rows {
        assert_found(what, &bytes, "dangerous-global", says);
        assert_eq!(worst(&findings(run(&bytes))), Some(Severity::Critical), "{what}");
    }
}

#[test]
fn gadgets_are_critical_and_unknown_imports_high() {
    for (module, name) in [
        ("os", "system"),
        ("nt", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("commands", "getoutput"),
        ("urllib2", "urlopen"),
        ("cPickle", "loads"),
        ("importlib", "import_module"),
        ("importlib.util", "find_spec"),
        ("functools", "partial"),
        ("operator", "methodcaller"),
        ("numpy.testing._private.utils", "runstring"),
        ("torch.hub", "load"),
        ("torch.utils.collect_env", "run"),
        ("pip._internal.cli.main", "main"),
        ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ] {
        let bytes = call(module, name);
        assert_eq!(worst(&findings(run(&bytes))), Some(Severity::Critical), "{module}.{name}");
    }
    for (module, name) in [
        ("some_package", "Model"),
        ("sklearn.pipeline", "run"),
        ("torch", "_utils"),
        ("numpy", "zzz"),
        ("__main__", "Net"),
    ] {
        assert_found(
            name,
            &call(module, name),
            "unsafe-global",
            &format!("`{module}.{name}('echo hi')`"),
        );
    }
    let none = Asm::proto(2).global("some_package", "CONSTANT").stop();
    assert_found("never called", &none, "unsafe-global", "imports `some_package.CONSTANT`");
}

#[test]
fn names_that_are_made_or_walked() {
    let rows: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        (
            "dotted",
            Asm::proto(4)
                .stack_global("logging", "os.system")
                .text("echo hi")
                .tuple1()
                .reduce()
                .stop(),
            "dotted-global",
            "`logging.os.system('echo hi')`",
        ),
        (
            "dotted, private alias",
            Asm::proto(4).stack_global("random", "_os.system").stop(),
            "dotted-global",
            "walks attributes",
        ),
        (
            "dotted, harmless looking",
            Asm::proto(4).stack_global("collections", "OrderedDict.fromkeys").stop(),
            "dotted-global",
            "no list can follow",
        ),
        (
            "dotted by GLOBAL",
            Asm::proto(4).global("logging", "os.system").stop(),
            "dotted-global",
            "walks",
        ),
        (
            "computed by a call",
            {
                let start =
                    Asm::proto(4).stack_global("builtins", "str").text("os").tuple1().reduce();
                start.text("system").raw([0x93]).stop()
            },
            "computed-global",
            "no literal strings",
        ),
        (
            "computed by a codec",
            {
                let start = Asm::proto(4)
                    .stack_global("_codecs", "decode")
                    .text("bf")
                    .text("rot13")
                    .tuple2()
                    .reduce();
                start.text("system").raw([0x93]).stop()
            },
            "computed-global",
            "no literal strings",
        ),
        (
            "name too long",
            Asm::proto(4).unicode(&"a".repeat(5000)).text("x").raw([0x93]).stop(),
            "computed-global",
            "no literal strings",
        ),
        (
            "extension",
            Asm::proto(2).raw(b"\x82\x07)R").stop(),
            "extension-code",
            "extension code 7",
        ),
        (
            "extension, four bytes",
            Asm::proto(2).raw(b"\x84\x07\0\0\0").stop(),
            "extension-code",
            "extension code 7",
        ),
        (
            "getattr on a module",
            {
                let import = Asm::proto(4)
                    .stack_global("builtins", "getattr")
                    .stack_global("builtins", "__import__")
                    .text("os")
                    .tuple1()
                    .reduce();
                import.text("system").tuple2().reduce().text("echo hi").tuple1().reduce().stop()
            },
            "unsafe-call",
            "`builtins.getattr(builtins.__import__('os'), 'system')('echo hi')`",
        ),
    ];
    for (what, bytes, rule, says) in rows {
        assert_found(what, &bytes, rule, says);
    }
}

#[test]
fn calls_and_states_that_no_framework_writes() {
    let ordered = || Asm::proto(2).global("collections", "OrderedDict");
    let empty = || ordered().raw(b")R");
    let rows: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        (
            "OrderedDict of a string",
            ordered().unicode("import os").tuple1().reduce().stop(),
            "unsafe-call",
            "OrderedDict('import os')",
        ),
        (
            "a value called",
            Asm::proto(2).global("torch", "float32").raw(b")R").stop(),
            "unsafe-call",
            "never calls it",
        ),
        (
            "a model's class called",
            call("sklearn.svm._classes", "SVC"),
            "unsafe-call",
            "with arguments",
        ),
        ("an object called", empty().raw(b")R").stop(), "unsafe-call", "calls an object"),
        (
            "codec other than latin1",
            {
                Asm::proto(2)
                    .global("_codecs", "encode")
                    .unicode("x")
                    .unicode("bz2")
                    .tuple2()
                    .reduce()
                    .stop()
            },
            "unsafe-call",
            "_codecs.encode('x', 'bz2')",
        ),
        (
            "reconstructor of a class's own base",
            {
                let start = Asm::new()
                    .global("copy_reg", "_reconstructor")
                    .raw(b"(")
                    .global("collections", "OrderedDict");
                start.global("subprocess", "Popen").line("x").raw(b"tR").stop()
            },
            "unsafe-call",
            "_reconstructor",
        ),
        (
            "rebuild with another function",
            {
                let start = Asm::proto(2)
                    .global("torch._tensor", "_rebuild_from_type_v2")
                    .raw(b"(")
                    .global("torch", "Size");
                start.global("torch", "Tensor").unicode("x").tuple1().raw(b"}tR").stop()
            },
            "unsafe-call",
            "torch.Size('x')",
        ),
        (
            "ufunc by name",
            {
                Asm::proto(2)
                    .global("numpy.core", "_ufunc_reconstruct")
                    .unicode("os")
                    .unicode("system")
                    .tuple2()
                    .reduce()
                    .stop()
            },
            "dangerous-global",
            "os.system",
        ),
        (
            "__setstate__ planted",
            {
                let planted = empty()
                    .raw(b"}")
                    .unicode("__setstate__")
                    .global("builtins", "print")
                    .raw(b"sb");
                planted.unicode("hi").raw(b"b").stop()
            },
            "unsafe-build",
            "'__setstate__'",
        ),
        (
            "__setstate__ in the slots",
            {
                empty()
                    .raw(b"N}")
                    .unicode("__setstate__")
                    .global("builtins", "print")
                    .raw(b"s\x86b")
                    .stop()
            },
            "unsafe-build",
            "'__setstate__'",
        ),
        (
            "BUILD on a class",
            ordered().raw(b"}").unicode("x").int(1).raw(b"sb").stop(),
            "unsafe-build",
            "collections.OrderedDict",
        ),
        (
            "BUILD on a module",
            Asm::proto(2).global("torch", "_utils").raw(b"}b").stop(),
            "unsafe-build",
            "torch._utils",
        ),
        ("BUILD on a list", Asm::proto(2).raw(b"]}b").stop(), "unsafe-build", "no object"),
        (
            "SETITEM on a global",
            Asm::proto(2).global("os", "environ").unicode("A").unicode("B").raw(b"s").stop(),
            "unsafe-call",
            "os.environ",
        ),
        (
            "an attribute called",
            {
                let attribute = Asm::proto(4)
                    .stack_global("builtins", "getattr")
                    .stack_global("sklearn.svm._classes", "SVC")
                    .raw(b")\x81");
                attribute.text("fit").tuple2().reduce().raw(b")R").stop()
            },
            "unsafe-call",
            "calls an object",
        ),
    ];
    for (what, bytes, rule, says) in rows {
        assert_found(what, &bytes, rule, says);
    }
}

#[test]
fn near_misses_pass() {
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("plain data", plain()),
        ("protocol 0", Asm::new().raw(b"(dp0\nS'a'\np1\nI1\ns").stop()),
        (
            "words that look like code",
            Asm::proto(4).text("os.system('rm -rf /'); eval(input())").stop(),
        ),
        (
            "a key of a vocabulary",
            Asm::proto(4).raw(b"}").text("__setstate__").int(1).raw(b"s").stop(),
        ),
        (
            "OrderedDict of pairs",
            Asm::proto(2)
                .global("collections", "OrderedDict")
                .raw(b"]]")
                .unicode("a")
                .raw(b"aK\x01aa\x85R")
                .stop(),
        ),
        (
            "OrderedDict",
            Asm::proto(2)
                .global("collections", "OrderedDict")
                .raw(b")R")
                .unicode("a")
                .int(1)
                .raw(b"s")
                .stop(),
        ),
        (
            "defaultdict of list",
            Asm::proto(2)
                .global("collections", "defaultdict")
                .global("__builtin__", "list")
                .tuple1()
                .reduce()
                .stop(),
        ),
        (
            "bytes below protocol 3",
            Asm::proto(2)
                .global("_codecs", "encode")
                .unicode("a")
                .unicode("latin1")
                .tuple2()
                .reduce()
                .stop(),
        ),
        ("an estimator", {
            let new = Asm::proto(4)
                .stack_global("sklearn.linear_model._logistic", "LogisticRegression")
                .raw(b")\x81}");
            new.text("C").int(1).raw(b"sb").stop()
        }),
        ("an estimator below protocol 2", {
            let start = Asm::new()
                .global("copy_reg", "_reconstructor")
                .raw(b"(")
                .global("sklearn.svm.classes", "SVC");
            start.global("__builtin__", "object").raw(b"NtR(dS'C'\nI1\nsb").stop()
        }),
        (
            "a date",
            Asm::proto(4)
                .stack_global("datetime", "date")
                .raw(b"C\x04\x07\xe8\x05\x01\x85R")
                .stop(),
        ),
        ("a method of an estimator", {
            let attribute = Asm::proto(4)
                .stack_global("builtins", "getattr")
                .stack_global("torch.nn.modules.linear", "Linear")
                .raw(b")\x81");
            attribute.text("forward").tuple2().reduce().stop()
        }),
        ("a parameter bound to an allowed function", {
            Asm::proto(2)
                .global("functools", "partial")
                .global("numpy", "log1p")
                .tuple1()
                .reduce()
                .stop()
        }),
        ("a time zone below protocol 4", {
            let attribute = Asm::proto(2)
                .global("__builtin__", "getattr")
                .global("zoneinfo", "ZoneInfo")
                .unicode("_unpickle");
            attribute.tuple2().reduce().unicode("Europe/Berlin").raw(b"K\x01\x86R").stop()
        }),
        ("several", [plain(), plain(), plain()].concat()),
        ("zeros behind", [plain(), vec![0; 100]].concat()),
        ("an empty list", b"].".to_vec()),
    ];
    for (what, bytes) in rows {
        assert_clean(what, &bytes);
    }
}

#[test]
fn broken_pickles_are_not_clean() {
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("PROTO alone", b"\x80\x04".to_vec()),
        ("string past the end", b"\x80\x04X\xff\0\0\0abc".to_vec()),
        ("string of 2^63 bytes", b"\x80\x04\x8d\0\0\0\0\0\0\0\x80abc.".to_vec()),
        ("frame past the end", b"\x80\x04\x95\0\0\0\0\0\0\0\x40N.".to_vec()),
        ("empty stack", b"\x80\x02R.".to_vec()),
        (
            "reduce across a mark",
            Asm::proto(2).global("collections", "OrderedDict").raw(b"()R").stop(),
        ),
        ("no such memo entry", b"\x80\x02h\x05.".to_vec()),
        ("bad UTF-8", b"\x80\x04\x8c\x02\xff\xff.".to_vec()),
        ("number for a name", Asm::proto(4).int(1).text("x").raw([0x93]).stop()),
        ("call of a string", Asm::proto(4).text("os").raw(b")R").stop()),
        ("protocol 0 cut", b"(dp0\nS'a'\np1\nI1\nsS'b'\np2\nS'c".to_vec()),
        ("a name without end", [b"c".to_vec(), vec![b'a'; 200_000]].concat()),
        ("junk behind", [plain(), b"something else".to_vec()].concat()),
    ];
    for (what, bytes) in rows {
        let found = findings(run(&bytes));
        assert!(worst(&found) >= Some(Severity::High), "{what}:{}", shown(&found));
    }
    for (what, bytes) in [("nothing", &b""[..]), ("half of PROTO", b"\x80")] {
        let named = findings(support::run_named("model.pkl", bytes));
        assert!(worst(&named) >= Some(Severity::High), "model.pkl of {what}");
        assert_not_claimed(what, bytes);
    }
}

#[test]
fn texts_and_other_formats_are_not_claimed() {
    let rows: &[(&str, &[u8])] = &[
        ("README", b"# Model\n\nThis model was trained on ...\n"),
        ("card", b"---\nlicense: apache-2.0\n---\n# Model\n"),
        ("JSON", b"{\"a\": [1, 2, 3]}\n"),
        ("JSON list", b"[1, 2, 3]\n"),
        ("Python", b"class Model:\n    pass\n"),
        ("Python import", b"import os\nos.system('x')\n"),
        ("YAML", b"config:\n  a: 1\n"),
        ("words", b"cat\ndog\nhouse\n"),
        ("labels", b"cs.AI\ncs.CL\ncs.LG\nmath.ST\n"),
        ("numbered", b"I1\nI2\nI3\nI4\n"),
        ("features", b"F1\nF2\nF3\nF4\nF5\nF6\nF7\n"),
        ("letters", b"N.B. this is a note\n"),
        ("lisp", b"(import\n  (foo))\n"),
        ("parentheses", b"(inspired by the work\nof others)\n"),
        ("a commit", b"c0ffee0123456789abcdef0123456789abcdef01"),
        ("device", b"cuda"),
        ("CSV", b"id,name\n1,a\n2,b\n"),
        ("SQL", b"SELECT * FROM t;\n"),
        ("license", b"Apache License\nVersion 2.0, January 2004\n"),
        ("BOM", b"\xef\xbb\xbftext"),
        ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("GGUF", b"GGUF\x03\0\0\0\x02\0\0\0\0\0\0\0"),
        ("safetensors", b"\x08\0\0\0\0\0\0\0{}      "),
        ("HDF5", b"\x89HDF\r\n\x1a\n\0\0\0\0"),
        ("zeros", &[0; 4096]),
        ("zlib-like text", b"x^2 + y^2 = z^2\n"),
    ];
    for (what, bytes) in rows {
        assert_not_claimed(what, bytes);
    }
    let polyglot =
        [b"C\x0d\0\0\0\0\0\0{\"aa\":\"".as_slice(), &call("posix", "system")[2..]].concat();
    assert_found(
        "a pickle within a safetensors header",
        &polyglot,
        "dangerous-global",
        "posix.system",
    );
}

#[test]
fn settings_allow_by_exact_name_and_model() {
    let bytes = call("some_package.models", "Encoder");
    let check = |model: &str, settings| {
        let model = testing::Model::new(model).file("file", bytes.clone());
        testing::check::<Pickle>(&model, settings)
    };
    let allow = |global: &str, models: serde_json::Value| json!({"allow": [{"global": global, "reason": "ours", "models": models}]});
    for (model, settings, denied) in [
        ("a", json!({}), true),
        ("a", allow("some_package.models.Encoder", json!([])), false),
        ("a", allow("some_package.models.Encoder", json!(["a"])), false),
        ("b", allow("some_package.models.Encoder", json!(["a"])), true),
        ("a", allow("some_package.models", json!([])), true),
        ("a", allow("some_package.models.Enc", json!([])), true),
    ] {
        let found = findings(check(model, settings.clone()));
        assert_eq!(
            worst(&found) >= Some(Severity::High),
            denied,
            "{model} {settings}{}",
            shown(&found)
        );
        assert!(
            denied || found.iter().any(|finding| finding.message.contains("ours")),
            "the reason stands in the report"
        );
    }
    let known = testing::Model::new("a").file("file", call("posix", "system"));
    let found = findings(testing::check::<Pickle>(&known, allow("posix.system", json!([]))));
    assert_eq!(worst(&found), Some(Severity::Critical), "what is known to do harm stays denied");
    assert!(matches!(
        check("a", json!({"allowed": []})),
        Err(modelhost_check::Failure::InvalidSettings(_))
    ));
    assert!(matches!(run(b""), Ok(Answer::NotApplicable(_))));
}
