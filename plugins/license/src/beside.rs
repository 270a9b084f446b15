//! Owns what files beside the weights say of the license and the bases: the
//! configuration, that of an adapter, a Kitfile, and bills of materials as
//! CycloneDX and SPDX have them. Leaves the card to `card`, license texts to `text`,
//! CycloneDX in XML to `bill_xml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::card::{Card, Value};
use crate::json::{self, Json};
use crate::{bill_xml, yaml};

/// The kinds of files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `config.json`.
    Config,
    /// `adapter_config.json`.
    Adapter,
    /// `Kitfile`.
    Kitfile,
    /// A bill of materials in JSON.
    Bill,
    /// One of CycloneDX in XML.
    BillXml,
    /// One in SPDX's form of tags and values.
    Tags,
}

impl Kind {
    /// Returns the kind of a file at the top of the model, by its name.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.to_ascii_lowercase();
        if name.contains('/') {
            return None;
        }
        match name.as_str() {
            "config.json" => Some(Self::Config),
            "adapter_config.json" => Some(Self::Adapter),
            "kitfile" => Some(Self::Kitfile),
            "bom.json" | "sbom.json" => Some(Self::Bill),
            _ if [".cdx.json", ".spdx.json"].iter().any(|end| name.ends_with(end)) => {
                Some(Self::Bill)
            }
            "bom.xml" | "sbom.xml" => Some(Self::BillXml),
            _ if name.ends_with(".cdx.xml") => Some(Self::BillXml),
            _ if name.ends_with(".spdx") => Some(Self::Tags),
            _ => None,
        }
    }

    /// Returns how long such a file may be: bills of many parts are the longest.
    pub fn max(self) -> u64 {
        match self {
            Self::Kitfile => 64 * 1024,
            Self::Config | Self::Adapter => 1024 * 1024,
            Self::Bill | Self::BillXml | Self::Tags => 4 * 1024 * 1024,
        }
    }

    /// Tells whether it is a document about the model rather than part of it.
    pub fn is_document(self) -> bool {
        matches!(self, Self::Bill | Self::BillXml | Self::Tags)
    }
}

/// Returns what a file says.
///
/// # Errors
/// Why it can't be read.
pub fn read(kind: Kind, bytes: &[u8]) -> Result<Card, String> {
    match kind {
        Kind::Config => {
            let keys = ["license", "license_name", "license_link"];
            let config = json::pick(bytes, &keys)?;
            let value = |key: &str| config.get(key).and_then(Json::text).map(value);
            let list = config.get("license").map(Json::parts).unwrap_or_default();
            let mut licenses: Vec<Value> = value("license").into_iter().collect();
            licenses.extend(list.iter().filter_map(Json::text).map(self::value));
            let (name, link) = (value("license_name"), value("license_link"));
            Ok(Card { licenses, name, link, ..Card::default() })
        }
        Kind::Adapter => {
            let key = "base_model_name_or_path";
            let config = json::pick(bytes, &[key])?;
            let bases = config.get(key).and_then(Json::text).map(value).into_iter().collect();
            Ok(Card { bases, ..Card::default() })
        }
        Kind::Kitfile => kitfile(bytes),
        Kind::Bill => bill(bytes),
        Kind::BillXml => bill_xml::read(bytes),
        Kind::Tags => tags(bytes),
    }
}

fn value(text: &str) -> Value {
    Value { text: text.to_owned(), line: 0 }
}

fn kitfile(bytes: &[u8]) -> Result<Card, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut card = Card::default();
    for (path, value) in yaml::texts(text)? {
        if matches!(path.as_str(), "model.license" | "package.license") {
            card.licenses.push(value);
        }
    }
    Ok(card)
}

fn bill(bytes: &[u8]) -> Result<Card, String> {
    let keys = [
        "bomFormat",
        "metadata",
        "components",
        "spdxVersion",
        "documentDescribes",
        "packages",
        "relationships",
        "@graph",
    ];
    let bill = json::pick(bytes, &keys)?;
    if bill.get("@graph").is_some() {
        return Ok(graph(&bill));
    }
    if bill.get("spdxVersion").is_some() {
        return Ok(packages(&bill));
    }
    let mut card = Card::default();
    let component = bill.get("metadata").and_then(|metadata| metadata.get("component"));
    let components = bill.get("components").map(Json::parts).unwrap_or_default().iter();
    let models = components
        .filter(|part| part.get("type").and_then(Json::text) == Some("machine-learning-model"));
    for part in component.into_iter().chain(models) {
        for license in part.get("licenses").map(Json::parts).unwrap_or_default() {
            let named = license.get("license");
            let named = named.and_then(|named| named.get("id").or_else(|| named.get("name")));
            let text = license.get("expression").or(named).and_then(Json::text);
            card.licenses.extend(text.map(value));
        }
        let ancestors = part.get("pedigree").and_then(|pedigree| pedigree.get("ancestors"));
        for ancestor in ancestors.map(Json::parts).unwrap_or_default() {
            let purl = ancestor.get("purl").and_then(Json::text).unwrap_or_default();
            card.bases.extend(hub_purl(purl).map(value));
        }
    }
    Ok(card)
}

/// Returns the model on the Hub that a package URL names.
pub fn hub_purl(purl: &str) -> Option<&str> {
    purl.strip_prefix("pkg:huggingface/")?.split(['@', '?', '#']).next()
}

/// Tells whether SPDX's word for a license says something.
fn says(license: &&str) -> bool {
    !matches!(*license, "NOASSERTION" | "NONE" | "")
}

/// Reads SPDX 2: the packages that the document describes.
fn packages(bill: &Json) -> Card {
    let list = |key: &str| bill.get(key).map(Json::parts).unwrap_or_default();
    let text = |of: &Json, key: &str| of.get(key).and_then(Json::text).map(str::to_owned);
    let mut described: BTreeSet<String> =
        list("documentDescribes").iter().filter_map(Json::text).map(str::to_owned).collect();
    let describes = list("relationships")
        .iter()
        .filter(|one| text(one, "relationshipType").as_deref() == Some("DESCRIBES"));
    described.extend(describes.filter_map(|one| text(one, "relatedSpdxElement")));
    let alone = list("packages").len() == 1;
    let mut card = Card::default();
    for package in list("packages") {
        let id = text(package, "SPDXID").unwrap_or_default();
        if !(alone || described.contains(&id)) {
            continue;
        }
        let said = |key: &str| package.get(key).and_then(Json::text).filter(says);
        let license = said("licenseConcluded").or_else(|| said("licenseDeclared"));
        card.licenses.extend(license.map(value));
    }
    card
}

/// Where SPDX 3 keeps a license's expression.
const EXPRESSION: &str = "simplelicensing_licenseExpression";

/// Reads SPDX 3: the licenses that are related to AI packages.
fn graph(bill: &Json) -> Card {
    let elements = bill.get("@graph").map(Json::parts).unwrap_or_default();
    let text = |of: &'_ Json, key: &str| of.get(key).and_then(Json::text).map(str::to_owned);
    let of_type = |wanted: &'static str| {
        elements.iter().filter(move |one| one.get("type").and_then(Json::text) == Some(wanted))
    };
    let models: BTreeSet<String> =
        of_type("ai_AIPackage").filter_map(|one| text(one, "spdxId")).collect();
    let licenses: BTreeMap<String, &Json> = of_type("simplelicensing_LicenseExpression")
        .filter_map(|one| Some((text(one, "spdxId")?, one.get(EXPRESSION)?)))
        .collect();
    let mut card = Card::default();
    for one in of_type("Relationship") {
        let kind = text(one, "relationshipType").unwrap_or_default();
        let from = text(one, "from").unwrap_or_default();
        let licensed = ["hasConcludedLicense", "hasDeclaredLicense"].contains(&kind.as_str());
        if !licensed || !models.contains(&from) {
            continue;
        }
        for to in one.get("to").map(Json::parts).unwrap_or_default().iter().filter_map(Json::text) {
            let license = licenses.get(to).and_then(|license| license.text());
            card.licenses.extend(license.filter(says).map(value));
        }
    }
    card
}

/// Reads SPDX's tags and values: the first package.
fn tags(bytes: &[u8]) -> Result<Card, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut found: [Option<Value>; 2] = [None, None];
    let mut package = false;
    for (line, content) in (1_u32..).zip(text.lines()) {
        let Some((tag, rest)) = content.split_once(':') else { continue };
        match tag.trim() {
            "PackageName" if package => break,
            "PackageName" => package = true,
            tag @ ("PackageLicenseConcluded" | "PackageLicenseDeclared") if package => {
                let place = usize::from(tag == "PackageLicenseDeclared");
                let said = Some(rest.trim()).filter(says);
                found[place] = said.map(|text| Value { text: text.to_owned(), line });
            }
            _ => {}
        }
    }
    let [concluded, declared] = found;
    Ok(Card { licenses: concluded.or(declared).into_iter().collect(), ..Card::default() })
}
