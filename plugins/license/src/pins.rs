//! Owns what the lock file says the model was made from: the pinned bases, theirs, and the
//! license of each. Leaves what names a base elsewhere to `claim`, the comparing of
//! licenses to `lineage`.

use modelhost_check::{Base, Finding, Location, Model};

use crate::claim::Source;
use crate::ids::{self, Expression, Meaning};
use crate::lineage::{self, Ancestor};
use crate::policy::Policy;
use crate::rules;

/// How much of a revision is shown: enough of a commit to find it by.
const MAX_REVISION: usize = 12;
/// How many bases that are not pinned are told.
const MAX_TOLD: usize = 32;

/// The bases that the lock file pins.
#[derive(Debug, Default)]
pub struct Pins {
    /// Whether the model is locked: then its bases are expected to be.
    locked: bool,
    /// Its bases first, then theirs.
    bases: Vec<Base>,
}

impl Pins {
    /// Returns those of a model.
    pub fn of(model: &Model<'_>) -> Self {
        Self { locked: model.lock().is_some(), bases: model.lineage() }
    }

    /// Tells whether a base of that name is pinned.
    pub fn holds(&self, name: &str) -> bool {
        self.bases.iter().any(|base| name_of(base).eq_ignore_ascii_case(name))
    }

    /// Returns the pinned bases with their licenses, and what the settings say those were
    /// made from; each with where the model names the first of its chain.
    pub fn ancestors(&self, sources: &[Source], policy: &Policy) -> Vec<(Source, Ancestor)> {
        let mut ancestors = Vec::new();
        for (place, base) in self.bases.iter().enumerate() {
            let bases = self.chain(place);
            let Some(first) = bases.first() else { continue };
            let source = source(first, sources);
            let chain: Vec<String> = bases.iter().map(|base| shown(base)).collect();
            let row = policy.base(&name_of(base));
            for next in row.into_iter().flat_map(|row| &row.bases) {
                if self.holds(next) {
                    continue;
                }
                let above = lineage::ancestors(next, policy).into_iter().map(|one| {
                    let chain = chain.iter().cloned().chain(one.chain).collect();
                    (source.clone(), Ancestor { chain, ..one })
                });
                ancestors.extend(above);
            }
            ancestors.push((source, Ancestor { chain, license: license(base, policy) }));
        }
        ancestors
    }

    /// Returns the bases from the model's own to that of this place.
    fn chain(&self, place: usize) -> Vec<&Base> {
        let mut chain = Vec::new();
        let mut next = Some(place);
        // Each stands after the one that it is below.
        while let Some(base) = next.and_then(|place| self.bases.get(place)) {
            chain.push(base);
            let below = base.below.and_then(|below| usize::try_from(below).ok());
            next = below.filter(|below| next.is_some_and(|place| *below < place));
        }
        chain.reverse();
        chain
    }

    /// Returns the findings on bases of a locked model that are not pinned: those that it
    /// names itself, and those pinned to no revision.
    pub fn missing(&self, sources: &[Source], own: &[String]) -> Vec<Finding> {
        if !self.locked {
            return Vec::new();
        }
        let unpinned = sources.iter().filter_map(|source| {
            let name = source.name_on_hub();
            let is_own = own.iter().any(|own| own.eq_ignore_ascii_case(&name));
            let message = format!("the lock file does not pin the base `{name}`");
            (!is_own && !self.holds(&name))
                .then(|| rules::BASE_NOT_PINNED.finding(source.location.clone(), message))
        });
        let loose = self.bases.iter().filter(|base| base.revision.is_none()).map(|base| {
            let name = name_of(base);
            let message = format!("the lock file pins the base `{name}` to no revision");
            rules::BASE_NOT_PINNED.finding(Location::model(), message)
        });
        unpinned.chain(loose).take(MAX_TOLD).collect()
    }
}

/// Returns the name of a base, as cards have it.
fn name_of(base: &Base) -> String {
    lineage::hub_name(&base.source).unwrap_or_else(|| base.source.clone())
}

/// Returns a base with its revision, as it is told.
fn shown(base: &Base) -> String {
    let name = name_of(base);
    let Some(revision) = &base.revision else { return name };
    let end = revision.floor_char_boundary(MAX_REVISION);
    format!("{name}@{}", &revision[..end])
}

/// Returns where the model names a base, or else the lock file.
fn source(base: &Base, sources: &[Source]) -> Source {
    let name = name_of(base);
    let named = sources.iter().find(|source| source.name_on_hub().eq_ignore_ascii_case(&name));
    named.cloned().unwrap_or(Source { name, location: Location::model() })
}

/// Returns the license of a pinned base: the operator's word, or else all that was
/// concluded for it and is known of it.
fn license(base: &Base, policy: &Policy) -> Option<Expression> {
    let understood = |text: &String| match ids::meaning(text) {
        Meaning::Expression(license) => Some(license),
        _ => None,
    };
    let locked = base.locked.as_ref();
    let name = name_of(base);
    if let Some(stated) = locked.and_then(|locked| locked.stated_license.as_ref()) {
        return understood(stated);
    }
    if let Some(row) = policy.base(&name) {
        return Some(row.license.clone());
    }
    let concluded = locked.and_then(|locked| locked.license.as_ref()).and_then(understood);
    let known = lineage::usual(&name);
    Expression::all_of(concluded.iter().chain(&known))
}
