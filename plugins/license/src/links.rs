//! Owns what a link says about a license: the places where licenses are published.
//! Leaves names and identifiers to `ids`.

use crate::ids::{self, Meaning};

/// Where a license is published whose identifier the address does not spell.
const LINKS: &[(&str, &str)] = &[
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("opensource.org/licenses/apache-2.0", "Apache-2.0"),
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("gnu.org/licenses/gpl-3.0", "GPL-3.0-only"),
    ("gnu.org/licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/old-licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/agpl-3.0", "AGPL-3.0-only"),
    ("gnu.org/licenses/lgpl-3.0", "LGPL-3.0-only"),
    ("gnu.org/licenses/old-licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("mozilla.org/en-us/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/mpl/2.0", "MPL-2.0"),
    ("unlicense.org", "Unlicense"),
];
/// What comes before a license's identifier.
const BEFORE: &[&str] = &[
    "opensource.org/licenses/",
    "opensource.org/license/",
    "choosealicense.com/licenses/",
    "spdx.org/licenses/",
    "huggingface.co/datasets/choosealicense/licenses/blob/main/markdown/",
    "huggingface.co/datasets/choosealicense/licenses/resolve/main/markdown/",
];
/// What an address ends in besides.
const ENDINGS: &[&str] =
    &["/", ".txt", ".html", ".htm", ".md", ".php", "/legalcode", "/deed", ".en"];

/// Returns an address without what makes no difference: scheme, case, ending.
fn bare(link: &str) -> String {
    let link = link.trim().to_lowercase();
    let link = link.split(['#', '?']).next().unwrap_or_default();
    let link = link.split_once("://").map_or(link, |(_, rest)| rest);
    let mut link = link.strip_prefix("www.").unwrap_or(link);
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| link.strip_suffix(ending)) {
        link = shorter;
    }
    link.to_owned()
}

/// Returns the license that an address is known to be the place of.
pub fn license(link: &str) -> Option<Meaning> {
    let bare = bare(link);
    if let Some((_, id)) = LINKS.iter().find(|(place, _)| *place == bare) {
        return Some(ids::meaning(id));
    }
    if let Some(rest) = bare.strip_prefix("creativecommons.org/licenses/") {
        let (kind, version) = rest.split_once('/')?;
        let version = version.split('/').next()?;
        return known(&format!("cc-{kind}-{version}"));
    }
    if let Some(id) = BEFORE.iter().find_map(|before| bare.strip_prefix(before)) {
        return known(id);
    }
    let mut licenses = ids::model_licenses();
    let row = licenses.find(|row| row.links.split(';').any(|place| self::bare(place) == bare))?;
    known(row.id)
}

fn known(id: &str) -> Option<Meaning> {
    match ids::meaning(id) {
        meaning @ Meaning::Expression(_) => Some(meaning),
        _ => None,
    }
}

/// Returns the path of the file in this model that a link means; none for links
/// to elsewhere.
pub fn local(link: &str) -> Option<&str> {
    let link = link.trim();
    let path = link.strip_prefix("./").unwrap_or(link);
    let elsewhere = path.contains("://") || path.starts_with(['/', '.']) || path.contains("..");
    let named = !path.contains([' ', '\\']) && !path.to_lowercase().starts_with("www.");
    // A domain's first part ends in no file's name.
    let domain = path.split_once('/').is_some_and(|(first, _)| first.contains('.'));
    (!path.is_empty() && !elsewhere && named && !domain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_licenses_are_known() {
        let rows = [
            ("https://www.apache.org/licenses/LICENSE-2.0.txt", Some("Apache-2.0")),
            ("http://www.apache.org/licenses/LICENSE-2.0", Some("Apache-2.0")),
            ("https://opensource.org/license/mit/", Some("MIT")),
            ("https://opensource.org/licenses/MIT", Some("MIT")),
            ("https://creativecommons.org/licenses/by-nc/4.0/", Some("CC-BY-NC-4.0")),
            ("https://creativecommons.org/licenses/by-sa/4.0/legalcode.txt", Some("CC-BY-SA-4.0")),
            ("https://creativecommons.org/licenses/by/3.0/igo/", Some("CC-BY-3.0")),
            ("https://creativecommons.org/publicdomain/zero/1.0/", Some("CC0-1.0")),
            ("https://www.gnu.org/licenses/gpl-3.0.en.html", Some("GPL-3.0-only")),
            ("https://spdx.org/licenses/BSD-3-Clause.html", Some("BSD-3-Clause")),
            ("https://mistral.ai/licenses/MRL-0.1.md", Some("LicenseRef-mistral-ai-research")),
            ("https://ai.google.dev/gemma/terms", Some("LicenseRef-scancode-gemma-tou-2024-04-01")),
            ("https://example.org/LICENSE", None),
            ("https://apache.org.example.org/licenses/LICENSE-2.0", None),
            ("", None),
            ("LICENSE", None),
        ];
        for (link, expected) in rows {
            let found = license(link).map(|meaning| match meaning {
                Meaning::Expression(license) => license.text().to_owned(),
                other => format!("{other:?}"),
            });
            assert_eq!(found.as_deref(), expected, "{link}");
        }
    }

    #[test]
    fn files_of_the_model_are_told_from_places_elsewhere() {
        let rows = [
            ("LICENSE", Some("LICENSE")),
            ("./LICENSE.txt", Some("LICENSE.txt")),
            ("docs/LICENSE", Some("docs/LICENSE")),
            ("https://example.org/LICENSE", None),
            ("../LICENSE", None),
            ("/etc/passwd", None),
            ("example.org/LICENSE", None),
            ("see the license", None),
            ("", None),
        ];
        for (link, expected) in rows {
            assert_eq!(local(link), expected, "{link}");
        }
    }
}
