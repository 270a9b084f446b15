//! Owns the collecting of claims: who says which license, and where. Reads the
//! model card and the license files, and nothing else. Leaves what follows from
//! the claims to `conclude`.

use modelhost_check::{Failure, File, Finding, Location, Model};

use crate::card::{self, Card};
use crate::ids::{self, Meaning};
use crate::rules;
use crate::text::{self, Text};

/// How much of a model card is read: its front matter comes first.
const MAX_CARD: u64 = 1024 * 1024;
/// How long a license file may be; the longest known texts stay below 100 KB.
const MAX_TEXT: u64 = 1024 * 1024;
/// How many license files are looked at.
const MAX_TEXTS: usize = 64;
/// What a license tag begins with.
const TAG: &str = "SPDX-License-Identifier:";

/// Who makes a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The operator's definition of the model.
    Operator,
    /// The model card.
    Card,
    /// A tag in a license file.
    Tag,
    /// A license file's text.
    Text,
}

/// One claim about the model's license.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who makes it.
    pub by: By,
    /// Where.
    pub location: Location,
    /// In which words.
    pub raw: String,
    /// What it means.
    pub meaning: Meaning,
}

impl Claim {
    /// Says who claims what, for a message.
    pub fn told(&self) -> String {
        let raw = &self.raw;
        let file = self.location.file.as_deref().unwrap_or_default();
        let place = match self.location.line {
            Some(line) => format!("{file}:{line}"),
            None => file.to_owned(),
        };
        match self.by {
            By::Operator => format!("the policy says `{raw}`"),
            By::Card => format!("the card says `{raw}` ({place})"),
            By::Tag => format!("a tag says `{raw}` ({place})"),
            By::Text => format!("the text is that of {raw} ({place})"),
        }
    }
}

/// What was collected.
#[derive(Debug, Default)]
pub struct Claims {
    /// The claims, the operator's first.
    pub claims: Vec<Claim>,
    /// What was wrong with the places looked at.
    pub findings: Vec<Finding>,
    /// License files whose text is not known.
    pub unrecognised: usize,
}

impl Claims {
    /// Collects the claims about a model.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn of(model: &Model<'_>) -> Result<Self, Failure> {
        let mut claims = Self::default();
        if let Some(license) = model.definition().and_then(|definition| definition.license) {
            claims.add(By::Operator, Location::model(), &license);
        }
        let mut texts = 0;
        for file in model.files() {
            let path = file.path();
            if is_card(&path) {
                claims.card(&file)?;
            } else if is_license(&path) && texts < MAX_TEXTS {
                texts += 1;
                claims.text(&file)?;
            }
        }
        claims.claims.sort_by_key(|claim| claim.by);
        Ok(claims)
    }

    fn add(&mut self, by: By, location: Location, raw: &str) {
        let meaning = ids::meaning(raw);
        self.claims.push(Claim { by, location, raw: raw.trim().to_owned(), meaning });
    }

    fn card(&mut self, file: &File) -> Result<(), Failure> {
        let length = usize::try_from(file.size().min(MAX_CARD)).unwrap_or(0);
        let bytes = file.read_exact_at(0, length).map_err(|error| error.in_file(file))?;
        let at = |line| Location::file(file).line(line);
        let card = match card::read(&bytes) {
            Ok(Some(card)) => card,
            Ok(None) => return Ok(()),
            Err(wrong) => {
                self.findings.push(rules::CARD_MALFORMED.finding(at(wrong.line), wrong.message));
                return Ok(());
            }
        };
        for license in &card.licenses {
            match ids::meaning(&license.text) {
                Meaning::Other => self.other(file, &card, license.line),
                _ => self.add(By::Card, at(license.line), &license.text),
            }
        }
        Ok(())
    }

    /// Adds what a card means by `other`: its `license_name`, which becomes a
    /// LicenseRef where it is no name that is known.
    fn other(&mut self, file: &File, card: &Card, line: u32) {
        let Some(name) = &card.name else {
            let raw = "other".to_owned();
            let location = Location::file(file).line(line);
            self.claims.push(Claim { by: By::Card, location, raw, meaning: Meaning::Other });
            return;
        };
        let location = Location::file(file).line(name.line);
        let meaning = match ids::meaning(&name.text) {
            Meaning::Unknown | Meaning::Other => reference(&name.text),
            meaning => meaning,
        };
        self.claims.push(Claim { by: By::Card, location, raw: name.text.clone(), meaning });
    }

    fn text(&mut self, file: &File) -> Result<(), Failure> {
        if file.size() > MAX_TEXT {
            self.unknown(file, format!("{} bytes are too long for a license", file.size()));
            return Ok(());
        }
        let bytes = file.read_all(MAX_TEXT).map_err(|error| error.in_file(file))?;
        let text = String::from_utf8_lossy(&bytes);
        let before = self.claims.len();
        for (line, tag) in (1..).zip(text.lines()).filter_map(tagged) {
            self.add(By::Tag, Location::file(file).line(line), tag);
        }
        let tagged = self.claims.len() > before;
        match text::recognise(&text) {
            Text::Known(ids) => {
                let raw = ids.join(" AND ");
                self.add(By::Text, Location::file(file), &raw);
            }
            Text::Title(id) => self.add(By::Text, Location::file(file), &id),
            Text::Like(id) => self.unknown(
                file,
                format!("the text begins as {id} does, but is not that license word by word"),
            ),
            Text::Unknown if tagged => {}
            Text::Unknown => {
                self.unknown(file, "the text is of no license that is known".to_owned())
            }
        }
        Ok(())
    }

    fn unknown(&mut self, file: &File, message: String) {
        self.unrecognised += 1;
        self.findings.push(rules::TEXT_UNRECOGNISED.finding(Location::file(file), message));
    }
}

/// Returns the tag in a line, if there is one.
fn tagged((number, line): (u32, &str)) -> Option<(u32, &str)> {
    let tag = line.split_once(TAG)?.1;
    // Comments and markup end after the expression.
    let end = ["-->", "*/", "`", "<"].iter().filter_map(|end| tag.find(end)).min();
    Some((number, tag[..end.unwrap_or(tag.len())].trim()))
}

/// Returns a name of the card's own as a reference that a policy can allow.
fn reference(name: &str) -> Meaning {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    ids::meaning(&format!("LicenseRef-{}", parts.join("-")))
}

/// Tells whether this is the model's card: at the top, by the names the Hub and
/// others use.
fn is_card(path: &str) -> bool {
    let name = path.to_ascii_lowercase().replace([' ', '-', '_'], "");
    matches!(name.as_str(), "readme.md" | "modelcard.md")
}

/// Tells whether this is a license file of the model itself: at the top, so that
/// those of code inside don't count.
fn is_license(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    let Some(rest) = ["license", "licence", "copying", "unlicense"]
        .iter()
        .find_map(|stem| name.strip_prefix(stem))
    else {
        return false;
    };
    let other = |ending: &str| rest.ends_with(ending);
    !rest.contains('/')
        && (rest.is_empty() || rest.starts_with(['.', '-', '_', ' ']))
        && ![".py", ".json", ".yaml", ".yml", ".toml", ".pdf", ".html", ".docx"]
            .into_iter()
            .any(other)
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

    #[test]
    fn tags_end_where_comments_do() {
        let rows = [
            ("// SPDX-License-Identifier: MIT", Some("MIT")),
            ("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->", Some("MIT OR Apache-2.0")),
            ("/* SPDX-License-Identifier: MIT */", Some("MIT")),
            ("SPDX: MIT", None),
        ];
        for (line, expected) in rows {
            assert_eq!(tagged((1, line)).map(|(_, tag)| tag), expected);
        }
    }
}
