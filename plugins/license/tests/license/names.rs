//! Owns what names, identifiers and expressions come to.

use modelhost_plugin_license::facts::{Class, Profile};
use modelhost_plugin_license::ids::{Expression, Meaning, meaning, suffices};
use proptest::prelude::*;

fn said(name: &str) -> String {
    match meaning(name) {
        Meaning::Expression(license) => license.text().to_owned(),
        Meaning::Family(_) => "family".to_owned(),
        Meaning::Other => "other".to_owned(),
        Meaning::Nothing => "nothing".to_owned(),
        Meaning::Unknown => "unknown".to_owned(),
        Meaning::Invalid(_) => "invalid".to_owned(),
    }
}

/// The Hub's identifiers, as its documentation lists them and as cards use them.
const HUB: &str = "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m \
    bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause \
    bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 \
    cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 \
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 \
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 \
    eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 \
    odc-by odbl openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr \
    deepfloyd-if-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma apple-amlr apple-ascl \
    intel-research h-research fair-noncommercial-research-license grok2-community openmdw-1.0 \
    open-mdw openmdw-1.1 etalab-2.0 unknown other";

#[test]
fn the_hub_s_identifiers_are_all_known() {
    for id in HUB.split_whitespace() {
        assert!(!["unknown", "invalid"].contains(&said(id).as_str()), "{id}: {}", said(id));
        assert_eq!(said(id), said(&id.to_uppercase()), "{id}");
    }
}

#[test]
fn the_hub_s_identifiers_have_classes() {
    for id in HUB.split_whitespace() {
        if let Meaning::Expression(license) = meaning(id) {
            assert_ne!(Profile::of_all(&license).class, Class::Unknown, "{id}");
        }
    }
    let rows = [
        ("mit", "permissive", ""),
        ("lgpl-2.1", "weak-copyleft", "share-alike"),
        ("agpl-3.0", "copyleft", "share-alike, network-copyleft"),
        ("cc-by-sa-4.0", "share-alike", "share-alike"),
        ("cc-by-nc-nd-4.0", "non-commercial", "non-commercial, no-derivatives"),
        ("cc-by-nd-4.0", "no-derivatives", "no-derivatives"),
        ("llama3", "use-restricted", "use-restrictions, flow-down, user-cap"),
        ("apple-amlr", "research-only", "non-commercial, research-only, flow-down"),
        ("mit or agpl-3.0", "permissive", ""),
        ("mit and gemma", "use-restricted", "use-restrictions, flow-down"),
        ("LicenseRef-acme", "unknown", ""),
    ];
    for (id, class, facts) in rows {
        let Meaning::Expression(license) = meaning(id) else { panic!("{id}") };
        let profile = Profile::of_all(&license);
        assert_eq!((profile.class.name(), profile.facts.names().as_str()), (class, facts), "{id}");
    }
}

#[test]
fn names_come_to_their_identifier() {
    let rows = [
        ("Apache-2.0", "Apache-2.0"),
        (" apache-2.0 ", "Apache-2.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("apache-2.0+", "Apache-2.0+"),
        ("MIT License", "MIT"),
        ("The MIT License", "MIT"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("gpl-3.0+", "GPL-3.0-or-later"),
        ("GPL-3.0-or-later", "GPL-3.0-or-later"),
        ("GNU General Public License v3.0", "GPL-3.0-only"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("bsl-1.0", "BSL-1.0"),
        ("busl-1.1", "BUSL-1.1"),
        ("openrail++", "LicenseRef-scancode-bigscience-open-rail-m2"),
        ("llama3.1", "LicenseRef-scancode-llama-3.1-license-2024"),
        ("LicenseRef-Acme-1", "LicenseRef-Acme-1"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("(MIT AND gpl-2.0) OR Apache-2.0", "(MIT AND GPL-2.0-only) OR Apache-2.0"),
        ("apache-2.0 with llvm-exception", "Apache-2.0 WITH LLVM-exception"),
        ("gpl", "family"),
        ("CC", "family"),
        ("openrail", "family"),
        ("other", "other"),
        ("unknown", "nothing"),
        ("", "nothing"),
        ("my-license", "unknown"),
        ("proprietary", "unknown"),
        ("Apache-9.0", "unknown"),
        ("MIT OR", "invalid"),
        ("MIT OR Foo", "invalid"),
        ("(MIT", "invalid"),
        ("MIT WITH nonsense", "invalid"),
        ("GPL-3.0-only WITH", "invalid"),
        ("LicenseRef-", "invalid"),
        ("LicenseRef-a b OR MIT", "invalid"),
    ];
    for (name, expected) in rows {
        assert_eq!(said(name), expected, "{name}");
    }
}

#[test]
fn expressions_are_satisfied_from_the_list() {
    let rows = [
        ("MIT OR Apache-2.0", "MIT", true),
        ("MIT AND Apache-2.0", "MIT", false),
        ("MIT AND Apache-2.0", "Apache-2.0 MIT", true),
        ("GPL-3.0-or-later", "GPL-3.0-only", true),
        ("GPL-3.0-only", "GPL-3.0-or-later", false),
        ("GPL-2.0-only", "GPL-3.0-only", false),
        ("Apache-2.0+", "Apache-2.0", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", false),
        ("LicenseRef-a OR LicenseRef-b", "LicenseRef-b", true),
        ("LicenseRef-a", "LicenseRef-b", false),
        ("MIT AND (Apache-2.0 OR GPL-3.0-only)", "MIT Apache-2.0", true),
    ];
    for (expression, allowed, expected) in rows {
        let allowed: Vec<_> =
            allowed.split(' ').map(|id| Expression::parse(id).unwrap().single().unwrap()).collect();
        let expression = Expression::parse(expression).unwrap();
        let fine = |needed: &_| allowed.iter().any(|allowed| suffices(allowed, needed));
        assert_eq!(expression.is_satisfied_by(&fine), expected, "{}", expression.text());
    }
}

#[test]
fn long_and_deep_names_are_refused() {
    assert_eq!(said(&"MIT OR ".repeat(200_000)), "invalid");
    assert_eq!(said(&"(".repeat(1_000)), "invalid");
    assert_eq!(
        said(&format!("{}MIT{}", "(".repeat(400), ")".repeat(400))),
        format!("{}MIT{}", "(".repeat(400), ")".repeat(400))
    );
}

proptest! {
    #[test]
    fn any_name_ends_in_a_meaning(name in "\\PC{0,60}") {
        said(&name);
    }

    #[test]
    fn any_expression_ends_in_a_meaning(words in proptest::collection::vec("MIT|GPL-2.0|\\+|AND|OR|WITH|\\(|\\)|LicenseRef-a|LLVM-exception", 0..12)) {
        if let Meaning::Expression(license) = meaning(&words.join(" ")) {
            license.is_satisfied_by(&|_| false);
            license.bases();
        }
    }
}
