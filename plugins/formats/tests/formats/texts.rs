//! Owns what the check says of texts: those that say more than text does, and others.

use proptest::prelude::*;

use crate::support::said;

const LAMBDA: &str = r#"{"class_name": "Lambda", "config": {}}"#;

#[test]
fn texts() {
    let long = |head: &str| head.to_owned() + &" ".repeat(11 * 1024 * 1024);
    let cut = ["é".repeat(6 * 1024 * 1024).as_bytes(), b"\xc3"].concat();
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a card", b"# Model\n{\"class_name\": 1}".to_vec(), "not ours"),
        ("JSON", b"{\"model_type\": \"bert\", \"class_name\": \"X\"}".to_vec(), "not ours"),
        ("a configuration", LAMBDA.into(), "code-layer"),
        ("one behind a mark", ["\u{feff} ", LAMBDA].concat().into(), "code-layer"),
        (
            "one that Python reads, and JSON is not",
            LAMBDA.replace("{}}", "{\"a\": NaN, \"b\": -Infinity, \"c\": \"NaN\\\"\"}}").into(),
            "code-layer",
        ),
        (
            "a class said twice",
            b"{\"class_name\":\"Dense\",\"class_name\":\"Lambda\",\"config\":{}}".to_vec(),
            "code-layer",
        ),
        ("a deep one", (LAMBDA.replace("{}}", &"[".repeat(500))).into(), "not ours"),
        (
            "a deep one that ends",
            LAMBDA.replace("{}", &("[".repeat(500) + &"]".repeat(500))).into(),
            "not ours",
        ),
        ("an ordinary configuration", LAMBDA.replace("Lambda", "Dense").into(), "clean"),
        ("a graph", b"node { op: \"ReadFile\" }".to_vec(), "file-operator"),
        ("in other words", b"node{op:'Re' \"ad\\x46\\151le\"}".to_vec(), "file-operator"),
        ("a harmless one", b"node { op: \"MatMul\" }".to_vec(), "clean"),
        (
            "one that prints to a file",
            b"node { op: \"PrintV2\" attr { value { s: \"file:///x\" } } }".to_vec(),
            "file-operator",
        ),
        ("words of a graph", b"the node and its op: ReadFile".to_vec(), "not ours"),
        (
            "an entity",
            b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>".to_vec(),
            "external-path",
        ),
        ("one of a parameter", b"<!ENTITY % x PUBLIC 'a' 'b'>".to_vec(), "external-path"),
        (
            "entities of a picture",
            b"<?xml?><!DOCTYPE svg PUBLIC \"-//W3C\" \"http://x\" [<!ENTITY ns \"http://y\">]><svg/>"
                .to_vec(),
            "not ours",
        ),
        ("a long text", long("word").into(), "clean"),
        ("a long configuration", long("{\"class_name\": 1,").into(), "unsupported"),
        ("a long text that is cut off", cut, "not ours"),
        ("a long text with a zero", [long("a").as_bytes(), b"\0"].concat(), "not ours"),
        ("nothing", Vec::new(), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn any_text_ends_in_an_answer(text in "[<{\"'\\\\!op:node ENTITYSYSTEM>0-9x]{0,200}") {
        said(text.as_bytes());
        said(["node op:", &text].concat().as_bytes());
        said(["<!ENTITY", &text].concat().as_bytes());
        said(["{\"class_name\":", &text, "}"].concat().as_bytes());
    }
}
