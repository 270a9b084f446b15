//! Owns which texts are recognised, and that an altered one is not.
#![expect(clippy::disallowed_methods, reason = "texts of the system, and a bound on time")]

use std::path::Path;
use std::time::{Duration, Instant};

use modelhost_plugin_license::text::{Text, recognise};
use proptest::prelude::*;

/// The licenses of SPDX whose texts are in the table.
fn in_table() -> Vec<&'static str> {
    let table = include_str!("../../src/texts.tsv");
    let ids = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next());
    let mut ids: Vec<_> = ids.filter(|id| !id.starts_with("LicenseRef-")).collect();
    ids.dedup();
    ids
}

fn text(id: &str) -> &'static str {
    spdx::license_id(id).expect("the table holds SPDX identifiers").text()
}

/// Licenses that SPDX lists apart though their words are those of another one.
const TWINS: &[&str] =
    &["BSD-2-Clause-NetBSD", "MPL-2.0-no-copyleft-exception", "OFL-1.1-RFN", "OFL-1.1-no-RFN"];

/// Wraps a text elsewhere and dresses it as a comment.
fn wrapped(text: &str) -> String {
    let mut lines =
        String::from("Copyright (c) 2024 Jane Doe and the Acme Authors\nAll rights reserved.\n\n");
    let mut width = 0;
    for word in text.split_whitespace() {
        if width > 60 {
            lines.push_str("\n# ");
            width = 0;
        }
        lines.push_str(word);
        lines.push(' ');
        width += word.len() + 1;
    }
    lines
}

#[test]
fn spdx_s_own_texts_are_recognised() {
    let ids = in_table();
    assert!(ids.len() > 40, "{}", ids.len());
    for id in ids {
        assert_eq!(recognise(text(id)), Text::Known(vec![id]));
        assert_eq!(recognise(&text(id).replace('\n', "\r\n")), Text::Known(vec![id]));
    }
}

#[test]
fn wrapping_and_a_holder_make_no_difference() {
    for id in ["MIT", "BSD-2-Clause", "ISC", "Zlib", "CC-BY-NC-4.0"] {
        assert_eq!(recognise(&wrapped(text(id))), Text::Known(vec![id]));
    }
}

#[test]
fn no_other_text_of_spdx_passes_for_one_in_the_table() {
    let ids = in_table();
    for license in spdx::identifiers::LICENSES {
        let stem = |id: &str| {
            id.trim_end_matches('+')
                .trim_end_matches("-or-later")
                .trim_end_matches("-only")
                .to_owned()
        };
        if ids.iter().any(|id| stem(id) == stem(license.name)) {
            continue;
        }
        if let Text::Known(known) = recognise(text(license.name)) {
            assert!(TWINS.contains(&license.name), "{} passes for {known:?}", license.name);
        }
    }
}

#[test]
fn an_altered_text_is_not_recognised() {
    for id in ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-only", "CC-BY-4.0"] {
        let mut words: Vec<_> = text(id).split_whitespace().collect();
        words.remove(words.len() * 4 / 5);
        assert!(matches!(recognise(&words.join(" ")), Text::Like(_)), "{id}");
    }
    let added = format!("{}\nThe software may not be used for commercial purposes.", text("MIT"));
    assert_eq!(recognise(&added), Text::Like("MIT"));
    let clause = format!("\"Commons Clause\" License Condition v1.0\n{}", text("Apache-2.0"));
    assert_eq!(recognise(&clause), Text::Like("Apache-2.0"));
    let longer = format!("{}\n{}", text("MIT"), "And another thing. ".repeat(40));
    assert_eq!(recognise(&longer), Text::Like("MIT"));
}

#[test]
fn two_texts_in_a_file_are_both_recognised() {
    let both = format!("{}\n\n{}", text("MIT"), text("Apache-2.0"));
    assert_eq!(recognise(&both), Text::Known(vec!["MIT", "Apache-2.0"]));
}

#[test]
fn a_title_names_its_license() {
    assert_eq!(recognise("Apache License Version 2.0\n"), Text::Title("Apache-2.0".to_owned()));
    assert_eq!(recognise("MIT License"), Text::Title("MIT".to_owned()));
    assert_eq!(recognise("All rights reserved."), Text::Unknown);
    assert_eq!(recognise(""), Text::Unknown);
    assert_eq!(recognise(&"no license at all. ".repeat(50)), Text::Unknown);
}

#[test]
fn texts_that_a_system_ships_are_recognised() {
    let folder = Path::new("/usr/share/common-licenses");
    if !folder.is_dir() {
        eprintln!("skipped: no common licenses here");
        return;
    }
    let rows = [
        ("Apache-2.0", "Apache-2.0"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-3", "GPL-3.0-only"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("LGPL-3", "LGPL-3.0-only"),
        ("MPL-2.0", "MPL-2.0"),
        ("CC0-1.0", "CC0-1.0"),
    ];
    for (name, id) in rows {
        let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
            continue;
        };
        assert_eq!(recognise(&text), Text::Known(vec![id]), "{name}");
    }
}

#[test]
fn hostile_texts_cost_little() {
    let rows = [
        "permission is hereby granted free of charge ".repeat(24_000),
        "redistribution and use in source and binary forms with or without ".repeat(16_000),
        "a ".repeat(500_000),
        "a".repeat(1_000_000),
        "- ".repeat(500_000),
        "\n".repeat(1_000_000),
    ];
    for text in rows {
        let start = Instant::now();
        assert!(!matches!(recognise(&text), Text::Known(_)));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_text_ends(text in "\\PC{0,400}") {
        recognise(&text);
    }
}
