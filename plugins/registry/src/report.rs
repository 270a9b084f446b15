//! The words: what was judged becomes findings and facts.
//!
//! Leaves judging to [`crate::compare`].

use modelhost_check::{
    Finding, Location, MAX_FINDINGS, Observations, Registry, RegistryEntry, Rule, Severity,
    Standing,
};

use crate::compare::{By, Difference, Judged, hex};

/// The model is not the approved one.
pub const DIFFERS: Rule = Rule::new("differs", Severity::High);
/// No entry is about the model.
pub const UNKNOWN: Rule = Rule::new("unknown", Severity::Low);
/// The model must not be used.
pub const REVOKED: Rule = Rule::new("revoked", Severity::Critical);
/// Another model is to be used in its place.
pub const SUPERSEDED: Rule = Rule::new("superseded", Severity::Medium);

/// Is all rules, for the test that holds them against the manifest.
pub const RULES: [Rule; 4] = [DIFFERS, UNKNOWN, REVOKED, SUPERSEDED];

/// The most files that are told of one by one.
const MAX_TOLD: usize = MAX_FINDINGS / 2;

/// Says what was judged.
pub fn observations(registry: &Registry, judged: &Judged) -> Observations {
    let mut said = Observations::default();
    said.fact("sequence", registry.sequence.to_string());
    let Judged::Entry { entry, by, differences } = judged else {
        let message = "no entry of the trusted registry is about this model: nobody has said that it may be used";
        said.push(UNKNOWN.finding(Location::model(), message));
        return said;
    };
    let Some(entry) = registry.entries.get(*entry) else { return said };
    said.fact("entry", entry.name.clone());
    said.fact("entry-digest", format!("sha256:{}", hex(&entry.digest)));
    said.fact("status", word(entry.standing));
    said.fact("reviewer", entry.reviewer.clone());
    said.fact("reviewed", entry.date.clone());
    match entry.standing {
        Standing::Approved => differ(entry, differences, &mut said),
        Standing::Revoked => said.push(revoked(entry, *by, !differences.is_empty())),
        Standing::Superseded => {
            said.push(superseded(entry));
            differ(entry, differences, &mut said);
        }
    }
    said
}

const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Approved => "approved",
        Standing::Revoked => "revoked",
        Standing::Superseded => "superseded",
    }
}

fn reason(entry: &RegistryEntry) -> &str {
    entry.reason.as_deref().unwrap_or("it does not say why")
}

fn revoked(entry: &RegistryEntry, by: By, differs: bool) -> Finding {
    let told = match by {
        By::Digest => "these very bytes",
        By::Source => "this source and revision",
        By::Name if differs => "the model of this name, with other bytes",
        By::Name => "the model of this name",
    };
    let (name, reviewer, date) = (&entry.name, &entry.reviewer, &entry.date);
    let message = format!("{reviewer} revoked {told} on {date} (entry {name}): {}", reason(entry));
    REVOKED.finding(Location::model(), message).help("use another model")
}

fn superseded(entry: &RegistryEntry) -> Finding {
    let by = entry.superseded_by.as_deref().unwrap_or("another entry");
    let (name, date) = (&entry.name, &entry.date);
    let message =
        format!("{by} takes the place of the entry {name} since {date}: {}", reason(entry));
    SUPERSEDED.finding(Location::model(), message).help(format!("move to {by}"))
}

/// Says each difference, a bounded number of files one by one.
fn differ(entry: &RegistryEntry, differences: &[Difference], said: &mut Observations) {
    let name = &entry.name;
    let (mut told, mut left) = (0_usize, 0_usize);
    for difference in differences {
        let (place, message) = match difference {
            Difference::Tree(listed) => (
                None,
                format!(
                    "the model's files are not those of the approved entry {name}, which has the tree digest sha256:{}",
                    hex(listed)
                ),
            ),
            Difference::Stated { what, listed, found } => {
                (None, format!("the {what} is {found}, and the approved entry {name} has {listed}"))
            }
            Difference::File { path, listed, found } if listed.0 != found.0 => (
                Some(path),
                format!(
                    "the file has {} bytes, and the approved entry {name} lists it with {}",
                    found.0, listed.0
                ),
            ),
            Difference::File { path, listed, found } => (
                Some(path),
                format!(
                    "the file is sha256:{}, and the approved entry {name} lists sha256:{}",
                    hex(&found.1),
                    hex(&listed.1)
                ),
            ),
            // The host refuses a place that is neither in the model nor in its lock entry.
            Difference::Missing(path) => {
                (None, format!("the approved entry {name} lists {path}, and it is missing"))
            }
            Difference::Extra(path) => (
                Some(path),
                format!("the approved entry {name} does not list the file: nobody reviewed it"),
            ),
        };
        if !matches!(difference, Difference::Tree(_) | Difference::Stated { .. }) {
            if told == MAX_TOLD {
                left += 1;
                continue;
            }
            told += 1;
        }
        let place = place.map_or_else(Location::model, |path| Location::path(path.as_str()));
        said.push(DIFFERS.finding(place, message));
    }
    if left > 0 {
        let message = format!("{left} more files differ from the approved entry {name}");
        said.push(DIFFERS.finding(Location::model(), message));
    }
}
