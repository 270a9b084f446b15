//! Owns what a model card's front matter says, sound, broken and hostile.
#![expect(clippy::disallowed_methods, reason = "a bound on time needs a clock")]

use std::time::{Duration, Instant};

use modelhost_plugin_license::card::{MAX_FRONT_MATTER, read};
use proptest::prelude::*;

/// Returns the licenses with their lines and the name, or the line that is wrong.
fn said(card: &[u8]) -> String {
    match read(card) {
        Ok(None) => "none".to_owned(),
        Ok(Some(card)) => {
            let licenses =
                card.licenses.iter().map(|value| format!("{}@{}", value.text, value.line));
            let name = card.name.iter().map(|value| format!("name={}@{}", value.text, value.line));
            let link = card.link.iter().map(|value| format!("link={}", value.text));
            licenses.chain(name).chain(link).collect::<Vec<_>>().join(" ")
        }
        Err(wrong) => format!("line {}", wrong.line),
    }
}

#[test]
fn front_matter() {
    let rows: &[(&str, &str)] = &[
        ("# A model\nlicense: mit\n", "none"),
        ("", "none"),
        ("---\nlicense: mit\n---\n# A model", "mit@2"),
        ("\u{feff}---\r\nlicense: mit\r\n---\r\n", "mit@2"),
        ("\n\n---\nlicense: mit\n---", "mit@4"),
        (
            "---\nlanguage: en\ntags:\n- license\nlicense: [mit, apache-2.0]\n---\n",
            "mit@5 apache-2.0@5",
        ),
        ("---\nlicense:\n  - mit\n  - apache-2.0\n---\n", "mit@3 apache-2.0@4"),
        (
            "---\nlicense: other\nlicense_name: acme-1\nlicense_link: LICENSE\n---\n",
            "other@2 name=acme-1@3 link=LICENSE",
        ),
        ("---\nlicense: 'mit'\n---\n", "mit@2"),
        ("---\nlicense: null\n---\n", ""),
        ("---\nlicense:\n---\n", ""),
        ("---\nwidget:\n- license: gpl\n  text: a\nlicense: mit\n---\n", "mit@5"),
        (
            "---\nmodel-index:\n- {name: x, results: [{license: gpl}]}\n? [a, b]\n: c\nlicense: mit\n---\n",
            "mit@6",
        ),
        ("---\n---\nlicense: mit", ""),
        ("---\nlicense: mit", "line 1"),
        ("---\nlicense: mit\nlicense: gpl\n---\n", "line 3"),
        ("---\nlicense: {a: b}\n---\n", "line 2"),
        ("---\nlicense: [[mit]]\n---\n", "line 2"),
        ("---\nlicense: [{a: b}]\n---\n", "line 2"),
        ("---\nlicense_name: [a]\n---\n", "line 2"),
        ("---\na: &x mit\nlicense: *x\n---\n", "line 3"),
        ("---\na: &x {license: mit}\n<<: *x\n---\n", "line 3"),
        ("---\nlicense: !!python/name:os.system mit\n---\n", "line 2"),
        ("---\n!!x license: mit\n---\n", "line 2"),
        ("---\nlicense: mit\n  bad indent: x\n---\n", "line 3"),
        ("---\n- license\n---\n", "line 2"),
        ("---\nlicense: \"mit\n---\n", "line 2"),
    ];
    for (card, expected) in rows {
        assert_eq!(said(card.as_bytes()), *expected, "{card}");
    }
    assert_eq!(said(b"---\nlicense: \xff\n---\n"), "line 2");
}

#[test]
fn hostile_front_matter_costs_little() {
    let framed = |yaml: String| format!("---\n{yaml}\n---\n").into_bytes();
    let laughs: String = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |yaml, level| {
        format!("{yaml}a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1)
    });
    let most = MAX_FRONT_MATTER - 100;
    let rows = [
        ("aliases", framed(format!("{laughs}license: mit")), "mit@32"),
        ("too long", framed("a: b\n".repeat(MAX_FRONT_MATTER)), "line 2"),
        ("no end", format!("---\n{}", "a: b\n".repeat(1_000_000)).into_bytes(), "line 2"),
        ("deep lists", framed("[".repeat(most)), "line 2"),
        ("deep maps", framed("{a: ".repeat(most / 4)), "line 2"),
        ("deep blocks", framed("- ".repeat(most / 2)), "line 2"),
        ("questions", framed("? ".repeat(most / 2)), "line 2"),
        ("a long key", framed("a".repeat(most)), "line 2"),
        ("many keys", framed("a: b\n".repeat(most / 5) + "license: mit"), "mit@13088"),
        ("flow of keys", framed(format!("{{{}}}", "a: b, ".repeat(most / 6))), ""),
        ("anchors", framed("&a ".repeat(most / 3)), "line 2"),
        ("quotes", framed("'".repeat(most)), "line 2"),
    ];
    for (name, card, expected) in rows {
        let start = Instant::now();
        let said = said(&card);
        if !expected.is_empty() && !expected.starts_with("mit@1") {
            assert_eq!(said, expected, "{name}");
        }
        // A few milliseconds; what grows faster than its input would take minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{name} took {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_front_matter_ends(yaml in "[-:?{}\\[\\]&*!|>'\"%@` #,a-b\n\t]{0,120}") {
        said(format!("---\nlicense: mit\n{yaml}\n---\n").as_bytes());
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        said(&bytes);
        said(&[b"---\n", bytes.as_slice(), b"\n---\n"].concat());
    }
}
