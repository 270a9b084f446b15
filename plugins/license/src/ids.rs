//! Owns what a license is called: SPDX identifiers in any case, the Hub's own
//! identifiers, full names, notices, and expressions of them. Leaves who said it to
//! `claim`, and addresses to `links`.

use std::collections::BTreeSet;

use spdx::expression::{ExprNode, ExpressionReq};
use spdx::identifiers::{EXCEPTIONS, LICENSES};
use spdx::{AdditionItem, LicenseItem, LicenseReq, ParseMode};

use crate::words::Words;

/// The longest name or expression that is looked at: real ones stay below 200.
const MAX_NAME: usize = 1024;
/// The Hub's identifiers that are no SPDX identifier.
const HUB: &str = include_str!("hub.tsv");
/// The model licenses that SPDX lacks.
const MODEL_LICENSES: &str = include_str!("licenses.tsv");
/// SPDX's grammar, with the identifiers that SPDX has renamed since.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
/// Words that come and go in the name of one and the same license.
const FILLERS: &[&str] = &["a", "license", "licence", "the", "v", "version"];

/// What a name says about the license.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// These licenses.
    Expression(Expression),
    /// One of a family, such as these.
    Family(&'static str),
    /// One that the Hub has no identifier for; other fields name it.
    Other,
    /// Nothing.
    Nothing,
    /// An identifier that nobody defines.
    Unknown,
    /// An expression that breaks the grammar, and why.
    Invalid(String),
}

/// A license expression in SPDX's spelling.
#[derive(Debug, Clone)]
pub struct Expression(Box<spdx::Expression>);

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Expression {
    /// Returns the expression of identifiers in SPDX's spelling.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = spdx::Expression::parse_mode(text, MODE);
        parsed.map(|parsed| Self(Box::new(parsed))).map_err(|error| error.reason.to_string())
    }

    /// Returns the expression's text.
    pub fn text(&self) -> &str {
        (*self.0).as_ref()
    }

    /// Returns the expression that asks for all of these.
    pub fn all_of<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut texts: Vec<&str> = Vec::new();
        for part in parts {
            if !texts.contains(&part.text()) {
                texts.push(part.text());
            }
        }
        let texts: Vec<String> = match texts.as_slice() {
            [text] => vec![(*text).to_owned()],
            texts => texts.iter().map(|text| bracketed(text)).collect(),
        };
        Self::parse(&texts.join(" AND ")).ok()
    }

    /// Returns the licenses in it, without what "only", "or later" and
    /// exceptions add: what a license's text can tell.
    pub fn bases(&self) -> BTreeSet<String> {
        self.0.requirements().map(|part| base(&part.req.license)).collect()
    }

    /// Tells whether what is acceptable suffices: one side of each OR, both of
    /// each AND.
    pub fn is_satisfied_by(&self, accept: &impl Fn(&LicenseReq) -> bool) -> bool {
        self.0.evaluate(accept)
    }

    /// Returns its licenses and operators, each operator after its two sides.
    pub fn nodes(&self) -> impl Iterator<Item = &ExprNode> {
        self.0.iter()
    }

    /// Returns the licenses in it.
    pub fn licenses(&self) -> impl Iterator<Item = &LicenseReq> {
        self.0.requirements().map(|part| &part.req)
    }

    /// Returns the one license that this is; none where it is several.
    pub fn single(&self) -> Option<LicenseReq> {
        let mut parts = self.0.requirements().map(|ExpressionReq { req, .. }| req.clone());
        let first = parts.next()?;
        parts.next().is_none().then_some(first)
    }
}

fn bracketed(text: &str) -> String {
    if text.contains(" OR ") { format!("({text})") } else { text.to_owned() }
}

fn base(license: &LicenseItem) -> String {
    match license {
        LicenseItem::Spdx { id, .. } => {
            let name = id.name.strip_suffix("-only").unwrap_or(id.name);
            name.strip_suffix("-or-later").unwrap_or(name).to_owned()
        }
        LicenseItem::Other(_) => {
            let name = license.to_string();
            // The Hub's identifiers name no edition of terms that have several.
            let dated = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let edition = name.len().checked_sub(11).and_then(|at| name.get(at..));
            let stem = edition.filter(|edition| edition.starts_with('-') && dated(edition));
            stem.map_or(name.clone(), |edition| name[..name.len() - edition.len()].to_owned())
        }
    }
}

/// Tells whether an allowed license is one that was asked for: the same, or a version
/// that "or later" includes.
pub fn suffices(allowed: &LicenseReq, needed: &LicenseReq) -> bool {
    let includes = || {
        let (own, other) = (base(&allowed.license), base(&needed.license));
        let within = match (version(&own), version(&other)) {
            (Some((own, at)), Some((other, from))) => own == other && at >= from,
            _ => own == other,
        };
        is_or_later(&needed.license) && within
    };
    (allowed.license == needed.license || includes()) && addition(allowed) == addition(needed)
}

/// Tells whether two licenses are the same but for "or later" on either side.
pub fn same_version(one: &LicenseReq, other: &LicenseReq) -> bool {
    let later = is_or_later(&one.license) || is_or_later(&other.license);
    one.license == other.license || (later && base(&one.license) == base(&other.license))
}

fn is_or_later(license: &LicenseItem) -> bool {
    match license {
        LicenseItem::Spdx { id, or_later } => *or_later || id.name.ends_with("-or-later"),
        LicenseItem::Other(_) => false,
    }
}

/// Splits a license's version off its name: `GPL-2.0` is version 2.0 of `GPL`.
fn version(base: &str) -> Option<(&str, Vec<u32>)> {
    let (name, version) = base.rsplit_once('-')?;
    let parts = version.split('.').map(|part| part.parse().ok());
    Some((name, parts.collect::<Option<Vec<u32>>>()?))
}

fn addition(license: &LicenseReq) -> Option<String> {
    license.addition.as_ref().map(AdditionItem::to_string)
}

/// Returns what `name` says: an identifier, a name or an expression.
pub fn meaning(name: &str) -> Meaning {
    let name = name.trim();
    if name.len() > MAX_NAME {
        return Meaning::Invalid(format!("{} bytes are too long for a license", name.len()));
    }
    if name.is_empty() {
        return Meaning::Nothing;
    }
    if let Some(meaning) = hub(name) {
        return meaning;
    }
    if let Some(text) = identifier(name) {
        return known(&text);
    }
    if name.contains(['(', ')']) {
        return expression(name);
    }
    if let Some(text) = full_name(name) {
        return known(&text);
    }
    if name.starts_with("LicenseRef-") && !name.contains(' ') {
        return Meaning::Invalid("a reference is made of letters, digits, `.` and `-`".to_owned());
    }
    let operator = |word: &str| ["and", "or", "with"].contains(&word.to_lowercase().as_str());
    if name.split_whitespace().any(operator) { expression(name) } else { Meaning::Unknown }
}

/// A license for models that SPDX lacks.
#[derive(Debug, Clone, Copy)]
pub struct ModelLicense {
    /// Its identifier, a LicenseRef.
    pub id: &'static str,
    /// The name of its class.
    pub class: &'static str,
    /// The names of its facts, parted by commas.
    pub facts: &'static str,
    /// Its full name.
    pub name: &'static str,
    /// Words by which notices name it, each phrase after a `;`.
    pub phrases: &'static str,
    /// Where it is published, each address after a `;`.
    pub links: &'static str,
    /// What ScanCode calls its text, or `-`.
    pub key: &'static str,
}

/// Returns the model licenses that SPDX lacks.
pub fn model_licenses() -> impl Iterator<Item = ModelLicense> {
    MODEL_LICENSES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        Some(ModelLicense {
            id: columns.next()?,
            class: columns.next()?,
            facts: columns.next()?,
            name: columns.next()?,
            phrases: columns.next()?,
            links: columns.next()?,
            key: columns.next()?,
        })
    })
}

/// Returns the model license of that identifier.
pub fn model_license(id: &str) -> Option<ModelLicense> {
    model_licenses().find(|license| license.id == id)
}

/// Returns the full name of a license, or else its identifier.
pub fn name_of(id: &str) -> &str {
    let spdx = LICENSES.iter().find(|license| license.name == id).map(|known| known.full_name);
    spdx.or_else(|| model_license(id).map(|license| license.name)).unwrap_or(id)
}

/// Returns the license that a notice names: a model license by its phrases, or one
/// of SPDX by the usual sentence.
pub fn noticed(words: &Words) -> Option<String> {
    let phrases = model_licenses().flat_map(|license| {
        let phrases = license.phrases.split(';').filter(|phrase| *phrase != "-");
        phrases.map(move |phrase| (phrase, license.id))
    });
    let usual = NOTICES.iter().copied();
    let found = phrases.chain(usual).filter(|(phrase, _)| words.find(phrase, 0).is_some());
    // The longer phrase says more: of research licenses, of versions.
    let (phrase, id) = found.max_by_key(|(phrase, _)| phrase.len())?;
    let all = words.span(0, words.len()).unwrap_or_default().replace(phrase, "");
    (!LIMITS.iter().any(|limit| all.contains(limit))).then(|| id.to_owned())
}

/// Words by which a notice takes back part of what the license it names allows.
const LIMITS: &[&str] = &[
    "commercial",
    "military",
    "research",
    "commons clause",
    "prohibit",
    "not allowed",
    "additional",
    "only for",
    "personal",
    "evaluation",
    "restriction",
    "must not",
];

/// What the usual notices of SPDX's licenses say.
const NOTICES: &[(&str, &str)] = &[
    ("licensed under the apache license version 2 0", "Apache-2.0"),
    ("licensed under the apache 2 0 license", "Apache-2.0"),
    ("released under the apache 2 0 license", "Apache-2.0"),
    ("licensed under the mit license", "MIT"),
    ("released under the mit license", "MIT"),
    ("http creativecommons org licenses by 4 0", "CC-BY-4.0"),
    ("http creativecommons org licenses by sa 4 0", "CC-BY-SA-4.0"),
    ("http creativecommons org licenses by nc 4 0", "CC-BY-NC-4.0"),
    ("http creativecommons org licenses by nc sa 4 0", "CC-BY-NC-SA-4.0"),
    ("http creativecommons org licenses by nc nd 4 0", "CC-BY-NC-ND-4.0"),
    ("http creativecommons org licenses by nd 4 0", "CC-BY-ND-4.0"),
];

fn known(text: &str) -> Meaning {
    Expression::parse(text).map_or_else(Meaning::Invalid, Meaning::Expression)
}

fn hub(name: &str) -> Option<Meaning> {
    let rows = HUB.lines().filter(|line| !line.starts_with('#'));
    let mut columns = rows.map(|line| line.split('\t'));
    columns.find_map(|mut columns| {
        let (id, kind, value) = (columns.next()?, columns.next()?, columns.next()?);
        id.eq_ignore_ascii_case(name).then(|| match kind {
            "family" => Meaning::Family(value),
            "other" => Meaning::Other,
            "none" => Meaning::Nothing,
            _ => known(value),
        })
    })
}

/// Returns the SPDX spelling of one identifier, with `+`, or of a LicenseRef.
fn identifier(name: &str) -> Option<String> {
    if let Some(reference) = name.strip_prefix("LicenseRef-") {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let sound = !reference.is_empty() && reference.bytes().all(plain);
        return sound.then(|| name.to_owned());
    }
    let (bare, later) = name.strip_suffix('+').map_or((name, false), |bare| (bare, true));
    let license = LICENSES.iter().find(|license| license.name.eq_ignore_ascii_case(bare))?;
    // The GNU licenses' bare identifiers are deprecated: they leave open whether
    // later versions are meant, so the narrower reading is taken.
    let suffix = if later { "-or-later" } else { "-only" };
    let exact = format!("{}{suffix}", license.name);
    if spdx::license_id(&exact).is_some() {
        return Some(exact);
    }
    Some(if later { format!("{}+", license.name) } else { license.name.to_owned() })
}

/// Returns the identifier of the license of that full name.
pub fn full_name(name: &str) -> Option<String> {
    let wanted = key(name);
    let only = format!("{wanted} only");
    let is = |candidate: &str| {
        let key = key(candidate);
        key == wanted || key == only
    };
    if wanted.is_empty() || name.len() > MAX_NAME {
        return None;
    }
    if let Some(license) = model_licenses().find(|license| is(license.name)) {
        return Some(license.id.to_owned());
    }
    let license = LICENSES.iter().find(|license| is(license.full_name) || is(license.name))?;
    identifier(license.name)
}

/// Returns the words of a name that tell licenses apart.
fn key(name: &str) -> String {
    let words = Words::of(name);
    let all = words.span(0, words.len()).unwrap_or_default();
    let parts = all.split(' ').filter(|word| !FILLERS.contains(word));
    let plain = |word: &'_ str| match word.strip_prefix('v') {
        Some(number) if number.starts_with(|first: char| first.is_ascii_digit()) => number.len(),
        _ => word.len(),
    };
    let parts: Vec<&str> = parts.map(|word| &word[word.len() - plain(word)..]).collect();
    parts.join(" ")
}

fn expression(name: &str) -> Meaning {
    let spaced = name.replace('(', " ( ").replace(')', " ) ");
    let mut words = Vec::new();
    let mut with = false;
    for word in spaced.split_whitespace() {
        let upper = word.to_ascii_uppercase();
        let is_operator = ["AND", "OR", "WITH", "(", ")"].contains(&upper.as_str());
        let spelled = if is_operator {
            upper.clone()
        } else if with {
            let exception = EXCEPTIONS.iter().find(|known| known.name.eq_ignore_ascii_case(word));
            match exception {
                Some(exception) => exception.name.to_owned(),
                None => {
                    return Meaning::Invalid(format!("`{word}` is no exception that SPDX knows"));
                }
            }
        } else {
            match (identifier(word), hub(word)) {
                (_, Some(Meaning::Expression(license))) => license.text().to_owned(),
                (Some(license), _) => license,
                _ => return Meaning::Invalid(format!("`{word}` is no license that SPDX knows")),
            }
        };
        with = upper == "WITH";
        words.push(spelled);
    }
    let text = words.join(" ").replace("( ", "(").replace(" )", ")");
    known(&text)
}
