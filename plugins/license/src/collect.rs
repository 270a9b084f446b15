//! Owns the collecting of claims: the operator's definition, the card, metadata,
//! files beside the weights. Reads of weights no more than their metadata. Leaves
//! license files to `license_files`, what follows from the claims to `conclude`.

use modelhost_check::gguf::{MAGIC, Stop};
use modelhost_check::{Failure, File, Finding, Location, Model};

use crate::beside::{self, Kind};
use crate::card::{self, Card};
use crate::claim::{By, Claim, Source};
use crate::ids::{self, Meaning};
use crate::pins::Pins;
use crate::places::{is_card, is_license};
use crate::policy::Policy;
use crate::{gguf, links, rules, tensors};

/// How much of a model card is read: its front matter comes first.
const MAX_CARD: u64 = 1024 * 1024;
/// How many bases and data sets are looked at.
const MAX_SOURCES: usize = 256;
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
    /// What the lock file says of that.
    pub pins: Pins,
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
        let mut claims = Self { pins: Pins::of(model), ..Self::default() };
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
        claims.texts(model, texts, policy)?;
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
}

/// Returns a place in a file; line 0 means the file.
fn at(file: &File, line: u32) -> Location {
    match line {
        0 => Location::file(file),
        line => Location::file(file).line(line),
    }
}

/// Returns a name of the card's own as a reference that a policy can allow.
fn reference(name: &str) -> Meaning {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    ids::meaning(&format!("LicenseRef-{}", parts.join("-")))
}
