//! Owns the collecting of claims: the operator's definition, the card, metadata,
//! files beside the weights, license files. Reads of weights no more than their
//! metadata. Leaves what follows from the claims to `conclude`.

use modelhost_check::gguf::{MAGIC, Stop};
use modelhost_check::{Failure, File, Finding, Location, Model, Severity};
use sha2::{Digest, Sha256};

use crate::beside::{self, Kind};
use crate::card::{self, Card};
use crate::claim::{By, Claim, Source};
use crate::fingerprint::{self, Known};
use crate::ids::{self, Meaning};
use crate::policy::Policy;
use crate::text::{self, Text};
use crate::{gguf, links, pattern, rules, tensors};

/// How much of a model card is read: its front matter comes first.
const MAX_CARD: u64 = 1024 * 1024;
/// How long a license file may be; the longest known texts stay below 100 KB.
const MAX_TEXT: u64 = 1024 * 1024;
/// How many license files are looked at.
const MAX_TEXTS: usize = 64;
/// How long all of them may be together: each MiB takes some 10⁹ units of fuel.
const MAX_ALL_TEXTS: u64 = 3 * 1024 * 1024;
/// How many bases and data sets are looked at.
const MAX_SOURCES: usize = 256;
/// From how many words on an unknown text is taken for a license of its own.
const LONG: usize = 100;
/// What a license tag begins with.
const TAG: &str = "SPDX-License-Identifier:";
/// How many tags of a file are looked at: real files have one.
const MAX_TAGS: usize = 64;

/// What was collected.
#[derive(Debug, Default)]
pub struct Claims {
    /// The claims, those that count most first.
    pub claims: Vec<Claim>,
    /// What was wrong with the places looked at.
    pub findings: Vec<Finding>,
    /// License files whose text is like a known one, but altered, and like which.
    pub altered: Vec<(Location, String)>,
    /// License files whose text is of no license that is known, and whether it is
    /// long enough to be one.
    pub strange: Vec<(Location, bool)>,
    /// What the model was made from.
    pub bases: Vec<Source>,
    /// What it was trained on.
    pub datasets: Vec<Source>,
    /// The models on the Hub that it is itself.
    pub own: Vec<String>,
    /// How sure the texts were told, in percent: the least of them.
    pub confidence: Option<u32>,
}

impl Claims {
    /// Collects the claims about a model.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn of(model: &Model<'_>, policy: &Policy) -> Result<Self, Failure> {
        let mut claims = Self::default();
        let definition = model.definition();
        if let Some(license) = definition.as_ref().and_then(|known| known.license.as_deref()) {
            claims.claims.push(Claim::of(By::Operator, Location::model(), license));
        }
        let sources =
            [definition.and_then(|known| known.source), model.lock().and_then(|lock| lock.source)];
        claims.own.extend(
            sources.into_iter().flatten().filter_map(|source| crate::lineage::hub_name(&source)),
        );
        let mut texts = Vec::new();
        let mut linked = Vec::new();
        for file in model.files() {
            let path = file.path();
            if is_card(&path) {
                linked.extend(claims.card(&file)?);
            } else if is_license(&path) {
                texts.push(path);
            } else {
                claims.metadata(&file, &path)?;
            }
        }
        for (path, location) in linked {
            if model.file(&path).is_none() {
                let message = format!("the card links to `{path}`, which the model does not have");
                claims.findings.push(rules::TEXT_MISSING.finding(location, message));
            } else if !texts.contains(&path) && !is_card(&path) {
                texts.push(path);
            }
        }
        if texts.len() > MAX_TEXTS {
            let message = format!("{} license files are too many to be looked at", texts.len());
            let finding = rules::TEXT_UNRECOGNISED.finding(Location::model(), message);
            claims.findings.push(finding.severity(Severity::Medium));
            texts.truncate(MAX_TEXTS);
        }
        let known = if texts.is_empty() { Vec::new() } else { fingerprint::known() };
        let mut room = MAX_ALL_TEXTS;
        for path in &texts {
            let Some(file) = model.file(path) else { continue };
            if file.size() > room.min(MAX_TEXT) {
                claims.unknown(&file, format!("{} bytes are too long for a license", file.size()));
                continue;
            }
            room -= file.size();
            claims.text(&file, &known, policy, &model.name())?;
        }
        claims.absent(policy, &texts, &model.name());
        claims.claims.sort_by_key(|claim| claim.by);
        Ok(claims)
    }

    /// Reads the card, and returns the files that it links to.
    fn card(&mut self, file: &File) -> Result<Option<(String, Location)>, Failure> {
        let length = usize::try_from(file.size().min(MAX_CARD)).unwrap_or(0);
        let bytes = file.read_exact_at(0, length).map_err(|error| error.in_file(file))?;
        let card = match card::read(&bytes) {
            Ok(Some(card)) => card,
            Ok(None) => return Ok(None),
            Err(wrong) => {
                let location = Location::file(file).line(wrong.line);
                self.findings.push(rules::CARD_MALFORMED.finding(location, wrong.message));
                return Ok(None);
            }
        };
        let link = card.link.as_ref().and_then(|link| {
            let location = at(file, link.line);
            links::local(&link.text).map(|path| (path.to_owned(), location))
        });
        self.take(file, By::Card, card);
        Ok(link)
    }

    /// Reads a file that is neither card nor license, if it is of a kind that says
    /// something.
    fn metadata(&mut self, file: &File, path: &str) -> Result<(), Failure> {
        let failed = |error: modelhost_check::ReadError| error.in_file(file);
        if let Some(kind) = Kind::of(path) {
            let by = if kind.is_document() { By::Document } else { By::Metadata };
            let said = if file.size() > kind.max() {
                Err(format!("{} bytes are too long to be read", file.size()))
            } else {
                beside::read(kind, &file.read_all(kind.max()).map_err(failed)?)
            };
            self.said(file, by, said);
        } else if path.ends_with(".safetensors") {
            let said = tensors::read(file).map_err(failed)?;
            self.said(file, By::Metadata, said);
        } else if file.size() >= MAGIC.len() as u64
            && (path.ends_with(".gguf") || !path.contains('.'))
            && file.read(0, 4).map_err(failed)? == MAGIC
        {
            match gguf::read(file) {
                Ok(card) => self.take(file, By::Metadata, card),
                Err(Stop::Read(error)) => return Err(failed(error)),
                Err(Stop::Malformed(at, why)) => {
                    let location = Location::file(file).offset(at);
                    let message = format!("its metadata can't be read: {why}");
                    self.findings.push(rules::METADATA_MALFORMED.finding(location, message));
                }
            }
        }
        Ok(())
    }

    fn said(&mut self, file: &File, by: By, said: Result<Card, String>) {
        match said {
            Ok(card) => self.take(file, by, card),
            Err(why) => {
                let message = format!("what it says of the license can't be read: {why}");
                let finding = rules::METADATA_MALFORMED.finding(Location::file(file), message);
                self.findings.push(finding);
            }
        }
    }

    /// Takes what a place says.
    fn take(&mut self, file: &File, by: By, card: Card) {
        let link = card.link.as_ref().and_then(|link| Some((link, links::license(&link.text)?)));
        for license in &card.licenses {
            match ids::meaning(&license.text) {
                Meaning::Other => self.other(file, by, &card, license.line),
                _ => self.claims.push(Claim::of(by, at(file, license.line), &license.text)),
            }
        }
        if let Some((link, meaning)) = link {
            let by = if by == By::Card { By::Link } else { by };
            let (location, raw) = (at(file, link.line), link.text.clone());
            self.claims.push(Claim { by, location, raw, meaning });
        }
        for (values, sources) in
            [(card.bases, &mut self.bases), (card.datasets, &mut self.datasets)]
        {
            let room = MAX_SOURCES.saturating_sub(sources.len());
            sources.extend(
                values
                    .into_iter()
                    .take(room)
                    .map(|value| Source { location: at(file, value.line), name: value.text }),
            );
        }
    }

    /// Adds what a card means by `other`: its `license_name`, which becomes a
    /// LicenseRef where neither it nor the link is known.
    fn other(&mut self, file: &File, by: By, card: &Card, line: u32) {
        let linked = card.link.as_ref().is_some_and(|link| links::license(&link.text).is_some());
        let Some(name) = &card.name else {
            if !linked {
                let (location, raw) = (at(file, line), "other".to_owned());
                self.claims.push(Claim { by, location, raw, meaning: Meaning::Other });
            }
            return;
        };
        let location = at(file, name.line);
        let meaning = match ids::meaning(&name.text) {
            Meaning::Unknown | Meaning::Other if linked => return,
            Meaning::Unknown | Meaning::Other => reference(&name.text),
            meaning => meaning,
        };
        self.claims.push(Claim { by, location, raw: name.text.clone(), meaning });
    }

    fn text(
        &mut self,
        file: &File,
        known: &[Known<'_>],
        policy: &Policy,
        model: &str,
    ) -> Result<(), Failure> {
        let bytes = file.read_all(MAX_TEXT).map_err(|error| error.in_file(file))?;
        if self.clarified(file, &bytes, policy, model) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let before = self.claims.len();
        for (line, tag) in (1..).zip(text.lines()).filter_map(tagged).take(MAX_TAGS) {
            self.claims.push(Claim::of(By::Tag, Location::file(file).line(line), tag));
        }
        let tagged = self.claims.len() > before;
        match text::recognise_among(&text, known) {
            Text::Known(ids) => {
                let claim = |id: &String| Claim::of(By::Text, Location::file(file), id);
                self.claims.extend(ids.iter().map(claim));
                self.confidence = Some(self.confidence.unwrap_or(100));
            }
            Text::Named(id) => self.claims.push(Claim::of(By::Notice, Location::file(file), &id)),
            Text::Like(id, percent) => {
                let message = format!(
                    "the text is like that of {id} ({percent} %), but words are changed, added or missing"
                );
                let finding = rules::TEXT_DIFFERS.finding(Location::file(file), message);
                self.findings.push(finding);
                self.altered.push((Location::file(file), id));
                self.confidence = Some(self.confidence.unwrap_or(100).min(percent));
            }
            Text::Unknown if tagged => {}
            Text::Unknown if is_notice(&file.path()) => {}
            Text::Unknown => {
                let long = text.split_whitespace().nth(LONG).is_some();
                self.strange.push((Location::file(file), long));
            }
        }
        Ok(())
    }

    /// Takes the operator's word for what a text means, if there is one for these
    /// very bytes.
    fn clarified(&mut self, file: &File, bytes: &[u8], policy: &Policy, model: &str) -> bool {
        let path = file.path();
        let fits = |row: &&crate::policy::Clarification| {
            row.file == path && row.model.as_deref().is_none_or(|own| pattern::fits(own, model))
        };
        let mut rows = policy.clarifications.iter().filter(fits).peekable();
        if rows.peek().is_none() {
            return false;
        }
        let digest: String =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(row) = rows.find(|row| row.sha256 == digest) {
            let claim = Claim::of(By::Clarified, Location::file(file), row.license.text());
            self.claims.push(claim);
            return true;
        }
        let message = format!(
            "the policy says what another text than this means; this one has the digest sha256:{digest}"
        );
        self.findings.push(rules::CLARIFICATION_STALE.finding(Location::file(file), message));
        false
    }

    /// Tells of clarifications for this very model whose file it does not have.
    fn absent(&mut self, policy: &Policy, texts: &[String], model: &str) {
        for row in &policy.clarifications {
            if row.model.as_deref() == Some(model) && !texts.contains(&row.file) {
                let file = &row.file;
                let message = format!("clarifications: the model has no license file `{file}`");
                self.findings.push(rules::UNUSED_ENTRY.finding(Location::model(), message));
            }
        }
    }

    /// Tells of a license file that is not looked at: it weighs more than one that
    /// says nothing.
    fn unknown(&mut self, file: &File, message: String) {
        let finding = rules::TEXT_UNRECOGNISED.finding(Location::file(file), message);
        self.findings.push(finding.severity(Severity::Medium));
    }
}

/// Returns a place in a file; line 0 means the file.
fn at(file: &File, line: u32) -> Location {
    match line {
        0 => Location::file(file),
        line => Location::file(file).line(line),
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
fn is_notice(path: &str) -> bool {
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
