//! Owns which texts are recognised, and that an altered one is not.
#![expect(clippy::disallowed_methods, reason = "texts of the system")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use modelhost_plugin_license::fingerprint;
use modelhost_plugin_license::ids;
use modelhost_plugin_license::make;
use modelhost_plugin_license::text::{Text, recognise};
use modelhost_plugin_license::words::Words;
use proptest::prelude::*;

pub(crate) fn text(id: &str) -> &'static str {
    spdx::license_id(id).expect("an identifier of SPDX").text()
}

/// All of SPDX's licenses and their texts.
fn spdx_texts() -> Vec<(&'static str, &'static str)> {
    let licenses = spdx::identifiers::LICENSES.iter();
    let texts =
        licenses.filter_map(|license| Some((license.name, spdx::license_id(license.name)?.text())));
    texts.filter(|(_, text)| !text.trim().is_empty()).collect()
}

/// SPDX's exceptions to licenses and their texts.
fn exceptions() -> Vec<(&'static str, &'static str)> {
    let known = spdx::identifiers::EXCEPTIONS.iter();
    known.filter_map(|one| Some((one.name, spdx::exception_id(one.name)?.text()))).collect()
}

/// The identifiers that stand for the same words, by identifier.
fn same_words() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut by_words: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (id, text) in spdx_texts() {
        let words = Words::of(text);
        let words = words.span(0, words.len()).expect("all of them").to_owned();
        by_words.entry(words).or_default().insert(id);
    }
    let sets = by_words.into_values();
    sets.flat_map(|ids| ids.clone().into_iter().map(move |id| (id, ids.clone()))).collect()
}

/// Returns the license that a text is taken for before all others.
fn first(text: &str) -> String {
    match recognise(text) {
        Text::Known(ids) => ids[0].clone(),
        Text::Named(id) | Text::Like(id, _) => id,
        Text::Unknown => "-".to_owned(),
    }
}

/// Counts how many of SPDX's texts are told after a change, and names those that
/// are not.
fn told(change: impl Fn(&str) -> String) -> (usize, usize, Vec<String>) {
    let same = same_words();
    let texts = spdx_texts();
    let wrong: Vec<String> = texts
        .iter()
        .filter_map(|(id, text)| {
            let first = first(&change(text));
            // Nor can a text tell whether later versions are meant.
            let stem = |id: &str| {
                id.trim_end_matches('+')
                    .trim_end_matches("-or-later")
                    .trim_end_matches("-only")
                    .to_owned()
            };
            let right = same[id].contains(first.as_str()) || stem(id) == stem(&first);
            (!right).then(|| format!("{id}: {first}"))
        })
        .collect();
    (texts.len() - wrong.len(), texts.len(), wrong)
}

fn years(text: &str) -> String {
    let mut changed = String::new();
    for part in text.split_inclusive(|letter: char| !letter.is_ascii_digit()) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let year = digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"));
        changed.push_str(if year { "2031" } else { &digits });
        changed.push_str(&part[digits.len()..]);
    }
    changed
}

fn holders(text: &str) -> String {
    let mut changed = String::from("Copyright (c) 2031 Jane Roe and the Acme Project\n\n");
    for line in text.lines() {
        let lower = line.trim_start().to_lowercase();
        if lower.starts_with("copyright (c)") || lower.starts_with("copyright ©") {
            changed.push_str("Copyright (c) 2024 Acme Corporation Ltd.");
        } else {
            let filled = line
                .replace("<copyright holders>", "Jane Roe")
                .replace("<owner>", "Jane Roe")
                .replace("[name of copyright owner]", "Jane Roe")
                .replace("COPYRIGHT HOLDERS AND CONTRIBUTORS", "ACME CORPORATION AND OTHERS");
            changed.push_str(&filled);
        }
        changed.push('\n');
    }
    changed
}

fn wrapped(text: &str) -> String {
    let mut changed = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width + word.len() > 61 {
            changed.push('\n');
            width = 0;
        }
        changed.push_str(word);
        changed.push(' ');
        width += word.len() + 1;
    }
    changed
}

fn marked(text: &str) -> String {
    let mut changed = String::from("<html><body>\n");
    for line in text.lines() {
        let line = line.replace('"', "&quot;").replace("  ", " &nbsp;");
        changed.push_str(&format!(" * <p>**{line}**</p>\r\n"));
    }
    changed
}

#[test]
fn all_of_spdx_s_texts_are_told() {
    let (right, all, wrong) = told(str::to_owned);
    println!("as they are: {right} of {all} {wrong:?}");
    assert!(all > 650, "{all}");
    assert!(right * 1000 >= all * 990, "{right} of {all}: {wrong:?}");
}

#[test]
fn noise_makes_no_difference() {
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 7] = [
        ("years", years),
        ("holders", holders),
        ("wrapping", wrapped),
        ("upper case", |text| text.to_uppercase()),
        ("lower case", |text| text.to_lowercase()),
        ("markup", marked),
        ("all of them", |text| marked(&wrapped(&years(&holders(text)))).to_uppercase()),
    ];
    for (name, change) in changes {
        let (right, all, wrong) = told(change);
        println!("{name}: {right} of {all}");
        assert!(right * 100 >= all * 95, "{name}: {right} of {all}: {wrong:?}");
    }
}

/// Texts with one clause changed: identifier, words, and what stands in their place.
const NEAR: &[(&str, &str, &str)] = &[
    ("MIT", "without restriction", "without restriction other than military use"),
    ("MIT", "and/or sell", "but not sell"),
    ("MIT", "free of charge", "for a yearly fee"),
    ("MIT", "including without limitation the rights", "including, for research only, the rights"),
    ("MIT", "shall be included in all copies", "need not be included in any copies"),
    ("Apache-2.0", "perpetual, worldwide", "one-year, worldwide"),
    ("Apache-2.0", "royalty-free, irrevocable", "royalty-free, revocable"),
    ("Apache-2.0", "no-charge", "for-charge"),
    (
        "BSD-3-Clause",
        "with or without modification, are permitted",
        "without modification, are permitted",
    ),
    (
        "BSD-2-Clause",
        "with or without modification",
        "for non-commercial purposes, with or without modification",
    ),
    ("ISC", "with or without fee", "without fee"),
    ("Zlib", "including commercial applications", "excluding commercial applications"),
    ("BSL-1.0", "free of charge", "free of charge for evaluation"),
    (
        "Unlicense",
        "for any purpose, commercial or non-commercial",
        "for any purpose, non-commercial",
    ),
    (
        "CC-BY-4.0",
        "reproduce and Share the Licensed Material",
        "reproduce but not Share the Licensed Material",
    ),
    ("CC0-1.0", "irrevocably and unconditionally waives", "revocably and conditionally waives"),
    (
        "MPL-2.0",
        "world-wide, royalty-free, non-exclusive license",
        "royalty-bearing, exclusive license",
    ),
    ("GPL-3.0-only", "You may convey verbatim copies", "You may not convey verbatim copies"),
    ("GPL-2.0-only", "You may copy and distribute verbatim copies", "You may sell verbatim copies"),
    ("AGPL-3.0-only", "must prominently offer all users", "need not offer all users"),
    ("LGPL-2.1-only", "You may copy and distribute verbatim copies", "You may distribute copies"),
    (
        "EPL-2.0",
        "non-exclusive, worldwide, royalty-free copyright license",
        "exclusive copyright license",
    ),
    ("OFL-1.1", "may be sold by itself", "may be sold"),
    ("0BSD", "for any purpose with or without fee", "for research purposes with or without fee"),
];

#[test]
fn a_text_with_one_clause_changed_is_no_clean_match() {
    for (id, words, others) in NEAR {
        let text = text(id);
        let lines = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(lines.contains(words), "{id} has no `{words}`");
        let altered = lines.replace(words, others);
        let Text::Like(like, percent) = recognise(&altered) else {
            panic!("{id}, {others}: {:?}", recognise(&altered));
        };
        assert_eq!((like.as_str(), percent < 100), (*id, true), "{others}");
    }
}

#[test]
fn words_taken_out_or_put_in_anywhere_are_noticed() {
    let same = same_words();
    for id in ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-only", "CC-BY-4.0", "Zlib", "ISC"] {
        let text = text(id)
            .replace("<year> <owner>", "2024 Jane")
            .replace("<year> <copyright holders>", "2024 Jane");
        let (title, rest) = text.split_at(text.len() / 10);
        let words: Vec<&str> = rest.split_whitespace().collect();
        for tenth in 1..8 {
            let at = words.len() * tenth / 10;
            // Not at a list's marker, which is no word.
            let plain =
                |word: &&str| word.len() > 3 && word.bytes().all(|c| c.is_ascii_alphabetic());
            let Some(at) = (at..words.len()).find(|at| plain(&words[*at])) else { continue };
            let mut fewer = words.clone();
            fewer.remove(at);
            let mut more = words.clone();
            more.insert(at, "not");
            // Whoever holds the rights may call themselves as they like.
            let holder = ["holder", "holders", "authors", "copyright"].contains(&words[at]);
            for changed in [(!holder).then_some(fewer), Some(more)].into_iter().flatten() {
                let changed = format!("{title}{}", changed.join(" "));
                let Text::Like(like, _) = recognise(&changed) else {
                    panic!("{id}, `{}` at {at}: {:?}", words[at], recognise(&changed));
                };
                assert!(same[id].contains(like.as_str()), "{id} {like}");
            }
        }
    }
}

#[test]
fn a_not_in_any_of_spdx_s_texts_is_noticed() {
    let mut clean = Vec::new();
    for (id, text) in spdx_texts() {
        let words: Vec<&str> = text.split_whitespace().collect();
        for part in [3, 5, 8] {
            let (start, end) = words.split_at(words.len() * part / 10);
            let altered = format!("{} not {}", start.join(" "), end.join(" "));
            if words.len() > 20 && matches!(recognise(&altered), Text::Known(_)) {
                clean.push(format!(
                    "{id} {part}: … {} not {}",
                    start[start.len() - 3..].join(" "),
                    end[..3].join(" ")
                ));
            }
        }
    }
    assert!(clean.is_empty(), "{clean:?}");
}

#[test]
fn words_around_a_text_count_if_they_change_it() {
    let mit = text("MIT");
    let rows = [
        (format!("# My model\n\n{mit}"), true),
        (format!("{mit}\nhttps://opensource.org/licenses/MIT\n"), true),
        (
            format!(
                "Copyright (c) 2020 Jane Roe\nCopyright (c) 2021 Acme, Inc. All rights reserved.\n\n{mit}"
            ),
            true,
        ),
        (format!("{mit}\nThe software may not be used for commercial purposes."), false),
        (format!("\"Commons Clause\" License Condition v1.0\n{mit}"), false),
        (format!("For research use only.\n{mit}"), false),
        (format!("{mit}\nAttribution in advertising is mandatory."), false),
        (format!("Copyright (c) 2024 Acme, Inc., for internal evaluation\n{mit}"), false),
        (format!("{mit}\n{}", "And another thing. ".repeat(40)), false),
    ];
    for (text, clean) in rows {
        let expected = if clean { Text::Known(vec!["MIT".to_owned()]) } else { recognise(&text) };
        assert_eq!(recognise(&text), expected, "{text}");
        assert_eq!(matches!(recognise(&text), Text::Known(_)), clean, "{text}");
        assert_eq!(first(&text), "MIT");
    }
}

#[test]
fn copies_without_an_appendix_are_clean() {
    for id in ["Apache-2.0", "GPL-2.0-only", "GPL-3.0-only", "AGPL-3.0-only"] {
        let text = text(id);
        let end = text.find("END OF TERMS AND CONDITIONS").expect("the terms end");
        for end in [end, end + "END OF TERMS AND CONDITIONS".len()] {
            assert_eq!(recognise(&text[..end]), Text::Known(vec![id.to_owned()]), "{id}");
        }
    }
}

#[test]
fn an_exception_goes_with_the_license_before_it() {
    let exception = spdx::exception_id("LLVM-exception").expect("of SPDX").text();
    let both = format!("{}\n\n---- LLVM Exceptions ----\n\n{exception}", text("Apache-2.0"));
    let expected = "Apache-2.0 WITH LLVM-exception".to_owned();
    assert_eq!(recognise(&both), Text::Known(vec![expected]));
    assert!(!matches!(recognise(exception), Text::Known(_)));
    let altered = both.replace("As an exception", "As an exception for research");
    assert!(matches!(recognise(&altered), Text::Like(id, _) if id == "Apache-2.0"));
}

#[test]
fn two_texts_in_a_file_are_both_recognised() {
    let both = format!("{}\n\n{}", text("MIT"), text("Apache-2.0"));
    assert_eq!(recognise(&both), Text::Known(vec!["MIT".to_owned(), "Apache-2.0".to_owned()]));
}

#[test]
fn titles_and_notices_name_their_license() {
    let rows = [
        ("Apache License Version 2.0\n", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("All rights reserved.", "-"),
        ("", "-"),
        (
            "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc.",
            "LicenseRef-scancode-llama-2-license-2023",
        ),
        (
            "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
            "LicenseRef-scancode-gemma-tou-2024-04-01",
        ),
        ("This project is licensed under the MIT License. Commercial use is prohibited.", "-"),
        ("Released under the Mistral AI Research License", "LicenseRef-mistral-ai-research"),
    ];
    for (text, expected) in rows {
        assert_eq!(first(text), expected, "{text}");
    }
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
        assert_eq!(recognise(&text), Text::Known(vec![id.to_owned()]), "{name}");
    }
}

#[test]
fn the_table_is_what_the_texts_come_to() {
    let made = make::table(make::spdx_texts(spdx_texts(), &exceptions()));
    let kept = include_bytes!("../../src/spdx.bin");
    assert!(made == kept, "src/spdx.bin is stale: make it again as examples/tables.rs says");
}

/// The texts themselves are not kept here, so this holds what can be told without
/// them: that each license with a key has a record, made as the code reads it now.
#[test]
fn the_table_of_model_licenses_has_those_with_a_key() {
    let table = include_bytes!("../../src/models.bin");
    let known = fingerprint::read(table);
    let kept: Vec<&str> = known.iter().map(|known| known.id).collect();
    let wanted: Vec<&str> =
        ids::model_licenses().filter(|it| it.key != "-").map(|it| it.id).collect();
    assert_eq!(kept, wanted, "src/models.bin is stale: make it again as examples/tables.rs says");
    assert!(kept.len() >= 20);
    let written: Vec<u8> = known.iter().flat_map(|one| fingerprint::write(one).unwrap()).collect();
    assert!(written == table);
}

/// Where ScanCode's texts are at hand, the table is made again, and each of them is
/// told, noise or not.
#[test]
fn texts_of_model_licenses_are_told() {
    let Some(folder) = std::env::var_os("SCANCODE_LICENSES") else {
        eprintln!("skipped: SCANCODE_LICENSES names no folder of ScanCode's license texts");
        return;
    };
    let mut texts = Vec::new();
    for license in ids::model_licenses().filter(|it| it.key != "-") {
        let file = Path::new(&folder).join(format!("{}.LICENSE", license.key));
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, text) = text.split_once("\n---\n").unwrap();
        texts.push((license.id.to_owned(), text.to_owned()));
    }
    assert!(make::table(texts.clone()) == include_bytes!("../../src/models.bin"), "stale");
    for (id, text) in texts {
        assert_eq!(recognise(&text), Text::Known(vec![id.clone()]), "{id}");
        // Of some there are editions that differ in their date alone.
        let stem = |id: &str| id.split("-20").next().unwrap().to_owned();
        for change in [years, holders, wrapped, marked] {
            assert_eq!(stem(&first(&change(&text))), stem(&id));
        }
        let words: Vec<_> = text.split_whitespace().collect();
        let (start, end) = words.split_at(words.len() / 2);
        let altered = format!("{} not {}", start.join(" "), end.join(" "));
        let Text::Like(like, _) = recognise(&altered) else { panic!("{id} altered is clean") };
        assert_eq!(stem(&like), stem(&id));
    }
}

#[test]
fn hostile_texts_end() {
    let rows = [
        "permission is hereby granted free of charge ".repeat(24_000),
        "redistribution and use in source and binary forms with or without ".repeat(16_000),
        "a ".repeat(500_000),
        "a".repeat(1_000_000),
        "- ".repeat(500_000),
        "\n".repeat(1_000_000),
        "<".repeat(1_000_000),
        "&".repeat(1_000_000),
        "<p ".repeat(300_000),
        "copyright (c) 2020\n".repeat(50_000),
        text("MIT").repeat(900),
        "é".repeat(500_000),
    ];
    for text in rows {
        let clean = matches!(recognise(&text), Text::Known(_));
        assert!(!clean, "{}", text.chars().take(20).collect::<String>());
    }
}

proptest! {
    #[test]
    fn any_text_ends(text in "\\PC{0,400}") {
        recognise(&text);
    }

    #[test]
    fn any_table_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fingerprint::read(&bytes);
    }
}
