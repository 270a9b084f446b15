//! How what is named is written, hostile names included.

use super::*;

#[test]
fn sources_are_named_by_package_url_and_place() {
    let rows = [
        (
            "hf:org/name",
            Some("v1"),
            Some("pkg:huggingface/org/name@v1"),
            "https://huggingface.co/org/name",
        ),
        (
            "hf:o rg/na@me#x",
            Some("a/b"),
            Some("pkg:huggingface/o%20rg/na%40me%23x@a%2Fb"),
            "https://huggingface.co/o%20rg/na%40me%23x",
        ),
        ("s3://bucket/a b", None, None, "s3://bucket/a%20b"),
        ("git+https://x/y@v1", Some("ab"), None, "git+https://x/y@v1"),
    ];
    for (source, revision, expected, place) in rows {
        assert_eq!(purl(source, revision).as_deref(), expected);
        assert_eq!(reference(source).url, place);
    }
    assert_eq!(file_ref("a b/é", "x#y"), "file:a%20b/%C3%A9#x%23y");
}

#[test]
fn expressions_are_told_from_other_texts() {
    let expressions = ["MIT", "Apache-2.0 OR MIT", "(MIT AND (LicenseRef-x:y OR GPL-2.0+))"];
    let others = ["", "()", "my license", "MIT OR", "OR", "(MIT", "MIT)", "MIT, BSD", "É", "x\n?"];
    for text in expressions {
        assert!(is_expression(text), "{text}");
    }
    for text in others {
        assert!(!is_expression(text), "{text}");
    }
}

#[test]
fn other_content_has_another_number() {
    let bom = |name: &str| {
        let tools = Tools { components: vec![modelhost()] };
        let metadata = Metadata { timestamp: None, tools, properties: Vec::new() };
        let model = Component { kind: "file", name: name.to_owned(), ..Component::default() };
        Bom::new(metadata, vec![model]).serial_number.expect("it is numbered")
    };
    assert_eq!(bom("a"), bom("a"));
    assert_ne!(bom("a"), bom("b"));
    let number = bom("a");
    let is_formed = |(index, c): (usize, char)| match index {
        8 | 13 | 18 | 23 => c == '-',
        14 => c == '5',
        19 => matches!(c, '8' | '9' | 'a' | 'b'),
        _ => c.is_ascii_digit() || matches!(c, 'a'..='f'),
    };
    let digits = number.strip_prefix("urn:uuid:").expect("a URN");
    assert!(digits.len() == 36 && digits.chars().enumerate().all(is_formed), "{number}");
}
