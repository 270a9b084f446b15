//! The whole check on models in memory that are signed here, and its rules against
//! the manifest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modelhost_check::testing::{self, Model};
use modelhost_check::{Answer, Failure, MAX_FINDINGS};
use modelhost_plugin_provenance::{Provenance, dsse, key, pem, report};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const TYPE: &str = "application/vnd.in-toto+json";

/// What stands before the point of a P-256 key in DER.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn secret(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).expect("a scalar of the curve")
}

fn public(key: &SigningKey) -> String {
    let point = key.verifying_key().to_sec1_point(false);
    pem::write("PUBLIC KEY", &[&PREFIX, point.as_bytes()].concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|&byte| byte != 0).expect("not zero");
    let zero: &[u8] = if number[start] > 0x7f { &[0] } else { &[] };
    let length = u8::try_from(number.len() - start + zero.len()).expect("short");
    [&[2, length], zero, &number[start..]].concat()
}

/// Signs a statement as a bundle.
fn bundle(key: &SigningKey, statement: &Value) -> Value {
    let payload = statement.to_string();
    let message = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
    let signature: Signature = key.sign_prehash(&Sha256::digest(message)).expect("32 bytes");
    let numbers: Vec<u8> = signature.to_bytes().chunks(32).flat_map(integer).collect();
    let signature = [&[0x30, u8::try_from(numbers.len()).expect("short")], &numbers[..]].concat();
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": { "hint": key::hex(&Sha256::digest(public(key))) },
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": TYPE,
            "signatures": [{ "sig": STANDARD.encode(signature), "keyid": "" }],
        },
    })
}

/// A statement about files, as a signer makes it.
fn statement(files: &[(&str, &str)]) -> Value {
    let mut root = Sha256::new();
    for (_, content) in files {
        root.update(Sha256::digest(content));
    }
    let resource = |(name, content): &(&str, &str)| json!({ "name": name, "algorithm": "sha256", "digest": key::hex(&Sha256::digest(content)) });
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "m", "digest": { "sha256": key::hex(&root.finalize()) } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": files.iter().map(resource).collect::<Vec<_>>(),
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false },
        },
    })
}

const FILES: [(&str, &str); 2] = [("a.bin", "\u{80}aaaa"), ("sub/b.txt", "bb")];

/// A model of two files, with the given signature.
fn with(signature: &str) -> Model {
    FILES
        .iter()
        .fold(Model::new("bert"), |model, (path, content)| model.file(*path, *content))
        .document("key", public(&secret(1)))
        .file("model.sig", signature)
}

fn signed() -> Model {
    with(&bundle(&secret(1), &statement(&FILES)).to_string())
}

fn run(model: &Model, settings: Value) -> Result<Answer, Failure> {
    let answer = testing::check::<Provenance>(model, settings)?;
    testing::manifest(include_str!("../plugin.toml")).assert_kept(model, &answer);
    Ok(answer)
}

/// Shows the findings as `rule path`, then the facts; or the failure.
fn show(model: &Model, settings: Value) -> String {
    let answer = match run(model, settings) {
        Ok(answer) => answer,
        Err(failure) => return failure.to_string(),
    };
    let Answer::Checked(observations) = &answer else { panic!("{answer:?}") };
    let findings = observations.findings().iter().map(|finding| {
        format!("{} {}", finding.rule.name(), finding.location.file.as_deref().unwrap_or("-"))
    });
    // The others are shown where they are the point.
    let facts = observations.facts().iter().filter(|fact| {
        fact.key.starts_with("sign") && fact.key != "signature" && fact.key != "signing-method"
    });
    let facts = facts.map(|fact| format!("{}={:.12}", fact.key, fact.value));
    findings.chain(facts).collect::<Vec<_>>().join(", ")
}

fn trusting() -> Value {
    json!({ "key": "key" })
}

#[test]
fn rules_are_documented() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    manifest.assert_rules(&report::RULES);
    manifest.assert_documented(include_str!("../RULES.md"));
}

/// The bundles that the fuzz targets start from hold: what is wrong is what they put in.
#[test]
fn forged_bundles_are_signatures() {
    let by = |bundle: &str, settings: Value| {
        let model = Model::new("m")
            .now(1_740_916_800)
            .file("model.sig", bundle)
            .file("weights.bin", "w")
            .document("roots", include_str!("fixtures/forged/roots.pem"))
            .document("trusted", include_str!("fixtures/forged/trusted_root.json"));
        let mut with =
            json!({ "identity": "https://github.test/o/r/.github/workflows/a.yml@refs/tags/v1" });
        let (with_all, settings) = (with.as_object_mut(), settings.as_object().cloned());
        with_all.expect("an object").extend(settings.expect("an object"));
        show(&model, with)
    };
    let provider = "https://token.test";
    let keyless = json!({ "trusted-root": "trusted", "identity-provider": provider });
    let unlogged =
        json!({ "trusted-root": "trusted", "identity-provider": provider, "unlogged": true });
    let rows = [
        (include_str!("fixtures/forged/chain.sig"), json!({ "certificates": "roots" })),
        (include_str!("fixtures/forged/logged.sig"), keyless),
        (include_str!("fixtures/forged/stamped.sig"), unlogged),
    ];
    for (bundle, settings) in rows {
        let shown = by(bundle, settings);
        assert!(shown.starts_with("signer=https://gith, signed-files=1"), "{shown}");
    }
}

#[test]
fn finds_the_signature() {
    let good = bundle(&secret(1), &statement(&FILES)).to_string();
    let unsigned = || signed().without("model.sig");
    let named = |path: &str| json!({ "key": "key", "signature": path });
    let ok = "signer=sha256:f857a, signed-files=2";
    let rows = [
        (signed(), trusting(), ok),
        (unsigned(), trusting(), "unsigned -"),
        (unsigned(), json!({}), "unsigned -"),
        (Model::new("empty"), json!({}), "unsigned -"),
        (signed(), json!({}), "no-trusted-key model.sig"),
        (signed().replace("model.sig", "\u{1}"), json!({}), "unsigned model.sig"),
        (unsigned().file("other.sig", good.clone()), trusting(), ok),
        (unsigned().file("sigs/x", good.clone()), named("sigs/x"), ok),
        (unsigned().file("sigs/x", good.clone()), named("sigs/y"), "unsigned -"),
        (signed(), named("x.sig"), "unsigned -"),
        // A signature elsewhere, or of another kind, is none.
        (unsigned().file("sub/model.sig", good.clone()), trusting(), "unsigned -"),
        (unsigned().file("a.bin.sig", "-----BEGIN PGP SIGNATURE-----"), trusting(), "unsigned -"),
        (
            unsigned().file("model.sig", "-----BEGIN PGP SIGNATURE-----"),
            trusting(),
            "bundle-malformed model.sig",
        ),
        (unsigned().file("model.sig", ""), trusting(), "bundle-malformed model.sig"),
        (
            unsigned().file("model.sig", &good[..good.len() - 1]),
            trusting(),
            "bundle-malformed model.sig",
        ),
        // `model.sig` goes first; another signature beside it was not signed.
        (signed().file("other.sig", good.clone()), trusting(), "file-unsigned other.sig"),
        (
            unsigned().file("x.sig", good.clone()).file("y.sig", good.clone()),
            trusting(),
            "unsupported: the model has several signatures, `x.sig` and `y.sig`: name one in the setting `signature`",
        ),
    ];
    for (model, settings, expected) in rows {
        assert_eq!(show(&model, settings.clone()), expected, "{model:?} {settings}");
    }
}

#[test]
fn trusts_whom_the_policy_trusts() {
    let by = |byte| with(&bundle(&secret(byte), &statement(&FILES)).to_string());
    let document = |text: &str| signed().document("key", text);
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut bundle = bundle(&secret(1), &statement(&FILES));
        edit(&mut bundle);
        with(&bundle.to_string())
    };
    let both = format!("{}{}", public(&secret(2)), public(&secret(1)));
    let ok = "signer=sha256:f857a, signed-files=2";
    let material =
        |material: Value| edited(&|bundle| bundle["verificationMaterial"] = material.clone());
    let rows = [
        (document(&both), ok),
        (by(2).document("key", both.clone()), "signer=sha256:5a07a, signed-files=2"),
        (by(2), "wrong-signer model.sig"),
        (material(json!({ "publicKey": {} })), ok),
        (material(json!({ "publicKey": { "rawBytes": STANDARD.encode(public(&secret(1))) } })), ok),
        (
            material(json!({ "publicKey": { "rawBytes": STANDARD.encode(public(&secret(2))) } })),
            "wrong-signer model.sig",
        ),
        (material(json!({ "publicKey": { "hint": "my key" } })), "wrong-signer model.sig"),
        (material(json!({ "certificate": { "rawBytes": "AA==" } })), "wrong-signer model.sig"),
        (
            material(
                json!({ "x509CertificateChain": { "certificates": [{ "rawBytes": "AA==" }] } }),
            ),
            "wrong-signer model.sig",
        ),
        (
            edited(&|bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain")),
            "signature-invalid model.sig",
        ),
        (
            edited(&|bundle| bundle["dsseEnvelope"]["payload"] = json!("e30=")),
            "signature-invalid model.sig",
        ),
        (
            edited(&|bundle| bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!("")),
            "signature-invalid model.sig",
        ),
        (
            document(""),
            "invalid settings: the document `key` holds no key in PEM form (`-----BEGIN PUBLIC KEY-----`)",
        ),
        (
            document(&"#".repeat(300_000)),
            "invalid settings: the document `key` is too large to be a list of keys or certificates, or a trusted root",
        ),
    ];
    for (model, expected) in rows {
        assert_eq!(show(&model, trusting()), expected, "{model:?}");
    }
    let ungranted = show(&signed(), json!({ "key": "other" }));
    assert!(ungranted.contains("\"documents:other\""), "{ungranted}");
    let roots = include_str!("fixtures/rsa-root.pem");
    let certified = || signed().document("roots", roots);
    let named = json!({ "certificates": "roots", "identity": "a@b.test" });
    assert_eq!(show(&certified(), named.clone()), "wrong-signer model.sig");
    let mut both = named;
    both["key"] = json!("key");
    assert_eq!(show(&certified(), both), ok);
    assert_eq!(
        show(&signed(), json!({ "certificates": "key", "identity": "a@b.test" })),
        "invalid settings: the document `key` holds a PUBLIC KEY, and certificates are asked for"
    );
    // The settings are looked at for an unsigned model too.
    let ungranted = show(&signed().without("model.sig"), json!({ "key": "other" }));
    assert!(ungranted.starts_with("invalid settings"), "{ungranted}");
}

#[test]
fn who_may_sign_is_the_policys_to_say() {
    let model = || signed().document("roots", include_str!("fixtures/rsa-root.pem"));
    let rows = [
        (json!({ "certificates": "roots" }), "`identity` is not set"),
        (json!({ "key": "key", "certificates": "roots" }), "`identity` is not set"),
        (json!({ "trusted-root": "roots", "identity-provider": "p" }), "`identity` is not set"),
        (json!({ "key": "key", "identity": "a@b.test" }), "`identity` names who"),
        (json!({ "identity": "a@b.test" }), "`identity` names who"),
        (
            json!({ "trusted-root": "roots", "identity": "a" }),
            "`trusted-root` and `identity-provider`",
        ),
        (
            json!({ "key": "key", "identity-provider": "p" }),
            "`trusted-root` and `identity-provider`",
        ),
        (json!({ "key": "key", "unlogged": true }), "`unlogged` is about"),
        (
            json!({ "trusted-root": "roots", "identity": "a", "identity-provider": "p" }),
            "the document `roots` is no trusted root",
        ),
        (
            json!({ "trusted-root": "x", "identity": "a", "identity-provider": "p" }),
            "the document `x` is not granted",
        ),
    ];
    for (settings, expected) in rows {
        // Whether or not the model is signed, and by whom.
        for model in [model(), model().without("model.sig")] {
            let shown = show(&model, settings.clone());
            let expected = format!("invalid settings: {expected}");
            assert!(shown.starts_with(&expected), "{settings}: {shown}");
        }
    }
}

#[test]
fn states_what_it_established() {
    let answer = run(&signed(), trusting()).expect("it was checked");
    let Answer::Checked(observations) = &answer else { panic!("{answer:?}") };
    let facts: Vec<_> =
        observations.facts().iter().map(|fact| format!("{}={}", fact.key, fact.value)).collect();
    let key = public(&secret(1));
    let expected = [
        "signed-files=2".to_owned(),
        "signature=model.sig".to_owned(),
        "statement=https://model_signing/signature/v1.0".to_owned(),
        "signing-method=key".to_owned(),
        format!("trusted-by=key sha256:{}", key::hex(&Sha256::digest(key))),
    ];
    assert_eq!(facts[1..], expected);
    for spoilt in [signed().replace("a.bin", "x"), signed().without("model.sig")] {
        let Ok(Answer::Checked(observations)) = run(&spoilt, trusting()) else {
            panic!("unchecked")
        };
        assert!(observations.facts().is_empty());
    }
}

#[test]
fn statements_that_the_policy_asks_for() {
    let attested = |edit: &dyn Fn(&mut Value)| {
        let subject = |(name, content): &(&str, &str)| json!({ "name": name, "digest": { "sha256": key::hex(&Sha256::digest(content)) } });
        let mut statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": FILES.iter().map(subject).collect::<Vec<_>>(),
            "predicateType": "https://example.test/reviewed/v1",
            "predicate": { "by": "me" },
        });
        edit(&mut statement);
        with(&bundle(&secret(1), &statement).to_string())
    };
    let asking = json!({ "key": "key", "predicates": ["https://example.test/reviewed/v1"] });
    let ok = "signer=sha256:f857a, signed-files=2";
    let good = || attested(&|_| ());
    let rows = [
        (good(), asking.clone(), ok),
        (
            attested(&|statement| statement["_type"] = json!("https://in-toto.io/Statement/v0.1")),
            asking.clone(),
            ok,
        ),
        (
            attested(&|statement| statement["_type"] = json!("x")),
            asking.clone(),
            "statement-malformed model.sig",
        ),
        (good().replace("a.bin", "x"), asking.clone(), "file-changed a.bin"),
        (good().file("c", "x"), asking.clone(), "file-unsigned c"),
        (good().without("a.bin").file("b.bin", FILES[0].1), asking.clone(), "file-unsigned b.bin"),
        // One changed place with another: each has a digest that was attested.
        (
            good().replace("a.bin", "bb").replace("sub/b.txt", FILES[0].1),
            asking.clone(),
            "file-changed a.bin, file-changed sub/b.txt",
        ),
        (
            attested(&|statement| statement["subject"][1]["name"] = json!("b.txt")),
            asking.clone(),
            ok,
        ),
        (
            attested(&|statement| statement["subject"][1]["name"] = json!("../b.txt")),
            asking.clone(),
            "unsafe-path model.sig",
        ),
        (
            attested(&|statement| statement["subject"][1]["name"] = json!("a.bin")),
            asking.clone(),
            "duplicate-file model.sig",
        ),
        (
            attested(&|statement| statement["subject"] = json!([])),
            asking.clone(),
            "statement-malformed model.sig",
        ),
        // Only what is asked for.
        (good(), trusting(), "statement-malformed model.sig"),
        (signed(), asking.clone(), "statement-malformed model.sig"),
        (
            good(),
            json!({ "key": "key", "predicates": ["https://example.test/reviewed/v2"] }),
            "statement-malformed model.sig",
        ),
        (
            good(),
            json!({ "key": "key", "slsa": { "builders": [{ "id": "b" }], "source": "s", "build-types": ["t"] } }),
            "statement-malformed model.sig",
        ),
    ];
    for (model, settings, expected) in rows {
        assert_eq!(show(&model, settings.clone()), expected, "{model:?} {settings}");
    }
}

#[test]
fn each_signature_has_one_form_and_its_mirror_image() {
    let statement = statement(&FILES).to_string();
    let message = format!("DSSEv1 {} {TYPE} {} {statement}", TYPE.len(), statement.len());
    let signature: Signature = secret(1).sign_prehash(&Sha256::digest(message)).expect("32 bytes");
    let (r, s) = signature.split_scalars();
    let mirrored = Signature::from_scalars(r, -*s).expect("it is in range");
    let with_form = |signature: &[u8]| {
        let mut bundle = bundle(&secret(1), &serde_json::from_str(&statement).expect("JSON"));
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(&statement));
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(STANDARD.encode(signature));
        show(&with(&bundle.to_string()), trusting())
    };
    let sequence =
        |numbers: &[u8]| [&[0x30, u8::try_from(numbers.len()).expect("short")], numbers].concat();
    let numbers = |signature: &Signature| -> Vec<u8> {
        signature.to_bytes().chunks(32).flat_map(integer).collect()
    };
    // With a low and with a high second number: signers write either.
    for signature in [&signature, &mirrored] {
        assert!(with_form(&sequence(&numbers(signature))).starts_with("signer="));
    }
    let good = numbers(&signature);
    let (first, second) = good.split_at(usize::from(good[1]) + 2);
    let padded = [&[2, first[1] + 1, 0], &first[2..], second].concat();
    let long = [&[0x30, 0x81, u8::try_from(good.len()).expect("short")][..], &good].concat();
    let open = [&[0x30, 0x80][..], &good, &[0, 0]].concat();
    let more = [&sequence(&good)[..], &[0]].concat();
    let null = sequence(&[&good[..], &[5, 0]].concat());
    let zero = sequence(&[first, &[2, 1, 0]].concat());
    let raw = signature.to_bytes().to_vec();
    for odd in [sequence(&padded), long, open, more, null, zero, raw] {
        assert_eq!(with_form(&odd), "signature-invalid model.sig", "{odd:02x?}");
    }
}

#[test]
fn hostile_bundles_are_told_so() {
    let good = bundle(&secret(1), &statement(&FILES));
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut bundle = good.clone();
        edit(&mut bundle);
        bundle.to_string()
    };
    let within = |text: String| good.to_string().replacen('{', &format!("{{\"x\":{text},"), 1);
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep_objects = format!("{}0{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let chain = |length| json!({ "x509CertificateChain": { "certificates": vec![json!({ "rawBytes": "AA==" }); length] } });
    let rows = [
        within(deep(10_000)),
        within(deep_objects),
        deep(10_000),
        "[".repeat(100_000),
        "{\"mediaType\":".repeat(5_000),
        within(format!("[{}]", "0,".repeat(50_000))),
        within("1e999999".into()),
        edited(&|bundle| bundle["verificationMaterial"] = chain(1000)),
        edited(&|bundle| bundle["dsseEnvelope"]["signatures"] = json!([])),
        edited(&|bundle| {
            let signature = bundle["dsseEnvelope"]["signatures"][0].clone();
            bundle["dsseEnvelope"]["signatures"] = json!([signature, signature]);
        }),
        edited(&|bundle| {
            bundle["dsseEnvelope"]["signatures"] = Value::Array(vec![json!({ "sig": "" }); 1000])
        }),
        edited(&|bundle| {
            bundle["verificationMaterial"]["certificate"] = json!({ "rawBytes": "AA==" })
        }),
        "\u{feff}".to_owned() + &good.to_string(),
        good.to_string() + "{}",
    ];
    for (row, text) in rows.iter().enumerate() {
        assert_eq!(show(&with(text), trusting()), "bundle-malformed model.sig", "row {row}");
    }
    // A certificate that can't be read, or for a key of another kind.
    let roots = include_str!("fixtures/rsa-root.pem");
    let der = pem::parse(roots.as_bytes()).expect("PEM").remove(0).content;
    for (certificate, expected) in
        [(vec![0x30, 0x80], "certificate-untrusted"), (der, "certificate-untrusted")]
    {
        let chain = json!({ "certificates": [{ "rawBytes": STANDARD.encode(certificate) }] });
        let text = edited(&|bundle| {
            bundle["verificationMaterial"] = json!({ "x509CertificateChain": chain })
        });
        let settings = json!({ "certificates": "roots", "identity": "a@b.test" });
        assert_eq!(
            show(&with(&text).document("roots", roots), settings),
            format!("{expected} model.sig")
        );
    }
}

#[test]
fn hostile_statements_are_told_so() {
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut statement = statement(&FILES);
        edit(&mut statement);
        show(&with(&bundle(&secret(1), &statement).to_string()), trusting())
    };
    let named = |name: &'static str| {
        edited(&move |statement| statement["predicate"]["resources"][0]["name"] = json!(name))
    };
    let shards = |size: Value| {
        edited(&move |statement| {
            statement["predicate"]["serialization"]["method"] = json!("shards");
            statement["predicate"]["serialization"]["shard_size"] = size.clone();
        })
    };
    let mut deep = json!(0);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let rows = [
        (named("../a.bin"), "unsafe-path"),
        (named("/a.bin"), "unsafe-path"),
        (named("a/../../b"), "unsafe-path"),
        (named(""), "unsafe-path"),
        (named("sub/b.txt"), "duplicate-file"),
        (shards(json!(0)), "statement-malformed"),
        (shards(json!(-1)), "statement-malformed"),
        (shards(json!(1e300)), "statement-malformed"),
        (
            edited(&|statement| statement["predicate"]["resources"] = json!([])),
            "statement-malformed",
        ),
        (edited(&|statement| statement["x"] = deep.clone()), "statement-malformed"),
        (edited(&|statement| statement["_type"] = json!("x")), "statement-malformed"),
    ];
    for (row, (shown, expected)) in rows.into_iter().enumerate() {
        assert_eq!(shown, format!("{expected} model.sig"), "row {row}");
    }
}

#[test]
fn many_resources_are_compared() {
    let names: Vec<String> = (0..100_000).map(|at| format!("part-{at:06}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let text = bundle(&secret(1), &statement(&files)).to_string();
    let model = |kept: usize| {
        let model =
            Model::new("m").file("model.sig", text.clone()).document("key", public(&secret(1)));
        files.iter().take(kept).fold(model, |model, (path, content)| model.file(*path, *content))
    };
    let answer = run(&model(3), trusting()).expect("it was checked");
    let last = answer.findings().last().expect("there are some").message.clone();
    assert_eq!((answer.findings().len(), &last[..10]), (101, "99897 more"));
    assert!(answer.findings().iter().all(|finding| finding.rule.name() == "file-missing"));
}

#[test]
fn the_faulty_encoding_of_old_is_for_statements_of_old() {
    let subject = |(name, content): &(&str, &str)| json!({ "name": name, "digest": { "sha256": key::hex(&Sha256::digest(content)) } });
    let old = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": FILES.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": "https://model_signing/Digests/v0.1",
        "predicate": { "unused": "" },
    });
    let signed_as_once = |statement: &Value| {
        let mut bundle = bundle(&secret(1), statement);
        let message = dsse::encode_as_once(TYPE, statement.to_string().as_bytes());
        let signature: Signature =
            secret(1).sign_prehash(&Sha256::digest(message)).expect("32 bytes");
        let numbers: Vec<u8> = signature.to_bytes().chunks(32).flat_map(integer).collect();
        let signature =
            [&[0x30, u8::try_from(numbers.len()).expect("short")], &numbers[..]].concat();
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(STANDARD.encode(signature));
        show(&with(&bundle.to_string()), trusting())
    };
    let ok = "signer=sha256:f857a, signed-files=2";
    assert_eq!(signed_as_once(&old), ok);
    assert_eq!(show(&with(&bundle(&secret(1), &old).to_string()), trusting()), ok);
    assert_eq!(signed_as_once(&statement(&FILES)), "signature-invalid model.sig");
}

#[test]
fn says_what_it_takes_to_verify() {
    let mut keyless = bundle(&secret(1), &statement(&FILES));
    keyless["verificationMaterial"] = json!({ "certificate": { "rawBytes": "AA==" } });
    let rows = [
        (signed(), "[documents] signer = "),
        (signed().replace("model.sig", "no bundle"), "model_signing sign key"),
        (with(&keyless.to_string()), "trusted-root = \"sigstore\""),
        (signed().without("model.sig"), "model_signing sign key"),
    ];
    for (model, expected) in rows {
        let answer = run(&model, json!({})).expect("it was checked");
        let help = answer.findings()[0].help.clone().expect("there is a way out");
        assert!(help.contains(expected), "{help}");
    }
}

#[test]
fn compares_the_files() {
    let ok = "signer=sha256:f857a, signed-files=2";
    let statement_with = |edit: &dyn Fn(&mut Value)| {
        let mut statement = statement(&FILES);
        edit(&mut statement["predicate"]["serialization"]);
        with(&bundle(&secret(1), &statement).to_string())
    };
    let ignoring =
        |path: &str| statement_with(&|serialization| serialization["ignore_paths"] = json!([path]));
    let setting = |name: &str, value: Value| {
        let mut settings = trusting();
        settings[name] = value;
        settings
    };
    let links = || statement_with(&|serialization| serialization["allow_symlinks"] = json!(true));
    let rows = [
        (signed().replace("a.bin", "\u{80}aaab"), trusting(), "file-changed a.bin"),
        (signed().without("a.bin"), trusting(), "file-missing model.sig"),
        (signed().file("c", ""), trusting(), "file-unsigned c"),
        (signed().file(".gitignore", "x").file(".git/objects/x", "\0"), trusting(), ok),
        (
            signed().file(".gitignore", "x"),
            setting("ignore-git-paths", json!(false)),
            "file-unsigned .gitignore",
        ),
        (
            signed().without("a.bin").replace("sub/b.txt", "x").file("c", "x"),
            trusting(),
            "file-unsigned c, file-changed sub/b.txt, file-missing model.sig",
        ),
        // What is left out is named, and only text may be.
        (ignoring("logs").file("logs/x", "text"), trusting(), &format!("not-covered -, {ok}")),
        (ignoring("logs").file("logs/x", "\0"), trusting(), "unsigned-weights logs/x"),
        (ignoring("logs").file("logs/x.py", "text"), trusting(), "unsigned-weights logs/x.py"),
        (
            ignoring("logs").sparse_file::<&str>("logs/x", (10 << 20) + 1, []),
            trusting(),
            "unsigned-weights logs/x",
        ),
        (ignoring(".").file("x", "text"), trusting(), "file-unsigned x"),
        (
            signed().file("x", "text"),
            setting("ignore-paths", json!(["x"])),
            &format!("not-covered -, {ok}"),
        ),
        (signed().file("x", "\0"), setting("ignore-paths", json!(["x"])), "unsigned-weights x"),
        (
            signed(),
            setting("ignore-paths", json!(["sub"])),
            "file-missing model.sig, not-covered -",
        ),
        (
            signed().file("x", "text"),
            setting("ignore-unsigned-files", json!(true)),
            &format!("not-covered -, {ok}"),
        ),
        (
            signed().file("x", "\0"),
            setting("ignore-unsigned-files", json!(true)),
            "unsigned-weights x",
        ),
        (links(), trusting(), "links-followed model.sig"),
        (links(), setting("allow-symlinks", json!(true)), ok),
        (
            signed(),
            setting("ignore-paths", json!(["../x"])),
            "invalid settings: `ignore-paths` holds `../x`, which is no plain path within the model",
        ),
    ];
    for (model, settings, expected) in rows {
        assert_eq!(show(&model, settings.clone()), expected, "{model:?} {settings}");
    }
    // Names meet by their raw bytes, whatever the host escapes.
    let files = [("a\\b\n\u{202e}", "x")];
    let escaped = Model::new("m")
        .file("a\\\\b\\n\\u{202e}", "x")
        .file("model.sig", bundle(&secret(1), &statement(&files)).to_string())
        .document("key", public(&secret(1)));
    assert_eq!(show(&escaped, trusting()), "signer=sha256:f857a, signed-files=1");
}

#[test]
fn an_unreadable_file_is_no_answer() {
    for model in [signed().unreadable("a.bin"), signed().unreadable("model.sig")] {
        for settings in [trusting(), json!({})] {
            let failure = run(&model, settings).expect_err("it can't be read");
            assert!(matches!(failure, Failure::Unreadable(_)), "{failure}");
        }
    }
}

#[test]
fn a_huge_signature_is_no_answer() {
    let model = signed().without("model.sig").sparse_file("model.sig", (20 << 20) + 1, [(0, "{")]);
    assert!(matches!(run(&model, trusting()), Err(Failure::Unsupported(_))));
}

#[test]
fn a_flood_of_files_stays_within_the_bounds() {
    let model = (0..1500).fold(signed(), |model, n| model.file(format!("x{n}"), "x"));
    let answer = run(&model, trusting()).expect("it was checked");
    assert_eq!(answer.findings().len(), MAX_FINDINGS);
}

#[test]
fn no_edit_of_the_signed_bytes_is_accepted() {
    let good = bundle(&secret(1), &statement(&FILES)).to_string();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 1;
        let model = signed().replace("model.sig", bytes);
        let shown = show(&model, trusting());
        // Only what stands outside of the envelope may change without harm.
        assert!(!shown.starts_with("signer") || !within_envelope(&good, at), "byte {at}: {shown}");
    }
}

/// Tells whether the byte is one of the payload, its type or the signature.
fn within_envelope(bundle: &str, at: usize) -> bool {
    ["\"payload\":\"", "\"payloadType\":\"", "\"sig\":\""].iter().any(|name| {
        let start = bundle.find(name).expect("the bundle has it") + name.len();
        let end = start + bundle[start..].find('"').expect("a string ends");
        (start..end).contains(&at)
    })
}
