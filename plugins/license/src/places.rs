//! Owns which files of a model are its card and its license texts, by their names.

/// Tells whether this is the model's card: at the top, by the names the Hub and
/// others use.
pub fn is_card(path: &str) -> bool {
    let name = path.to_ascii_lowercase().replace([' ', '-', '_'], "");
    matches!(name.as_str(), "readme.md" | "modelcard.md")
}

/// Tells whether this is a license file of the model itself: at the top, so that
/// those of code inside don't count.
pub fn is_license(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    let stems = ["license", "licence", "copying", "unlicense", "notice", "model_license"];
    let Some(rest) = stems.iter().find_map(|stem| name.strip_prefix(stem)) else {
        return false;
    };
    let other = |ending: &str| rest.ends_with(ending);
    !rest.contains('/')
        && (rest.is_empty() || rest.starts_with(['.', '-', '_', ' ']))
        && ![".py", ".json", ".yaml", ".yml", ".toml", ".pdf", ".html", ".docx"]
            .into_iter()
            .any(other)
}

/// Tells whether a license file is one of notices, which may say anything.
pub fn is_notice(path: &str) -> bool {
    path.to_ascii_lowercase().starts_with("notice")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_and_license_files_are_known_by_name() {
        for card in ["README.md", "readme.md", "MODEL_CARD.md", "model-card.md", "Model card.md"] {
            assert!(is_card(card), "{card}");
        }
        for license in [
            "LICENSE",
            "LICENSE.txt",
            "license.md",
            "LICENCE",
            "COPYING.LESSER",
            "NOTICE",
            "LICENSE-MIT",
            "UNLICENSE",
            "LICENSE.MIT",
        ] {
            assert!(is_license(license), "{license}");
        }
        for neither in [
            "docs/README.md",
            "README.rst",
            "src/LICENSE",
            "LICENSES/MIT.txt",
            "licenses.md",
            "license.py",
            "license_tool.py",
            "LICENSE.json",
        ] {
            assert!(!is_card(neither) && !is_license(neither), "{neither}");
        }
    }
}
