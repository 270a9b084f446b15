//! Owns the claims: who says which license, and where. Leaves the finding of them to
//! `collect`, what follows from them to `conclude`.

use modelhost_check::Location;

use crate::ids::{self, Meaning};
use crate::lineage;

/// Who makes a claim, who counts most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The operator's definition of the model.
    Operator,
    /// The operator's clarification of a license file.
    Clarified,
    /// The model card.
    Card,
    /// The link in it.
    Link,
    /// The weights' metadata, or a file of the model that is about it.
    Metadata,
    /// A bill of materials.
    Document,
    /// A tag in a license file.
    Tag,
    /// A license file's text.
    Text,
    /// A notice in a license file, or a title.
    Notice,
}

impl By {
    /// Tells whether the operator speaks.
    pub fn is_operator(self) -> bool {
        matches!(self, Self::Operator | Self::Clarified)
    }

    /// Tells whether a license file speaks.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Tag | Self::Text | Self::Notice)
    }
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
    /// Returns the claim that these words make.
    pub fn of(by: By, location: Location, raw: &str) -> Self {
        let raw = raw.trim().to_owned();
        Self { by, location, meaning: ids::meaning(&raw), raw }
    }

    /// Says who claims what, for a message.
    pub fn told(&self) -> String {
        let raw = &self.raw;
        let place = place(&self.location);
        match self.by {
            By::Operator => format!("the policy says `{raw}`"),
            By::Clarified => format!("the policy says of {place} that it means `{raw}`"),
            By::Card => format!("the card says `{raw}` ({place})"),
            By::Link => format!("the card links to {raw} ({place})"),
            By::Metadata => format!("the metadata say `{raw}` ({place})"),
            By::Document => format!("the bill of materials says `{raw}` ({place})"),
            By::Tag => format!("a tag says `{raw}` ({place})"),
            By::Text => format!("the text is that of {raw} ({place})"),
            By::Notice => format!("a notice names {raw} ({place})"),
        }
    }
}

/// Returns a place as people write it.
pub fn place(location: &Location) -> String {
    let file = location.file.as_deref().unwrap_or_default();
    match location.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

/// A model or data set that this model says it was made from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name or address.
    pub name: String,
    /// Where it is named.
    pub location: Location,
}

impl Source {
    /// Returns its name on the Hub, or, of one from elsewhere, the name as it stands.
    pub fn name_on_hub(&self) -> String {
        lineage::hub_name(&self.name).unwrap_or_else(|| self.name.clone())
    }
}
