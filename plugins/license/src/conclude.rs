//! Owns what follows from the claims: the license concluded, where claims disagree,
//! and what they leave unclear. Leaves the reading of files to `collect`, what the
//! policy makes of the license to `judge`.

use modelhost_check::{Datetime, Finding, Location, Observations, Severity};

use spdx::{LicenseItem, LicenseReq};

use crate::claim::{By, Claim, Source};
use crate::collect::Claims;
use crate::facts::Profile;
use crate::ids::{Expression, Meaning};
use crate::judge::{Judged, judge};
use crate::lineage::{self, Ancestor, Kept};
use crate::policy::Policy;
use crate::{claim, rules};

/// How many findings of one kind are told: the rest say the same of more places.
const MAX_TOLD: usize = 32;

/// Says what the claims come to. A policy without lists denies nothing.
pub fn conclude(
    mut collected: Claims,
    policy: &Policy,
    model: &str,
    now: Datetime,
) -> Observations {
    let mut observations = Observations::new();
    for finding in std::mem::take(&mut collected.findings) {
        observations.push(finding);
    }
    let claims: Vec<Claim> = std::mem::take(&mut collected.claims)
        .into_iter()
        .filter(|claim| claim.meaning != Meaning::Nothing)
        .collect();
    let known: Vec<(&Claim, &Expression)> = claims
        .iter()
        .filter_map(|claim| match &claim.meaning {
            Meaning::Expression(license) => Some((claim, license)),
            _ => None,
        })
        .collect();
    for (location, long) in &collected.strange {
        observations.push(strange(location, *long, &known));
    }
    let mut undecided = Vec::new();
    for claim in &claims {
        if let Some(finding) = unclear(claim, &known) {
            undecided.push(claim);
            observations.push(finding);
        }
    }
    mislabelled(&known).into_iter().for_each(|finding| observations.push(finding));
    conflicts(&known).into_iter().for_each(|finding| observations.push(finding));
    let concluded = concluded(&known);
    tell(&mut observations, &known, concluded.as_ref(), &collected);
    if claims.is_empty() {
        let message =
            "no license is named in the card, in metadata, in a license file or in the policy";
        observations.push(rules::NOT_NAMED.finding(Location::model(), message));
    }
    let ancestors = ancestors(&collected, policy);
    for finding in collected.pins.missing(&collected.bases, &collected.own) {
        observations.push(finding);
    }
    let excepted = |license: &LicenseReq| policy.excepts(license, model, now);
    inherited(&ancestors, concluded.as_ref(), &excepted)
        .into_iter()
        .for_each(|finding| observations.push(finding));
    let restricted = datasets(&collected.datasets, concluded.as_ref(), policy);
    restricted.into_iter().for_each(|finding| observations.push(finding));
    let judged = Judged {
        known: &known,
        concluded: concluded.as_ref(),
        undecided: &undecided,
        altered: &collected.altered,
        ancestors: &ancestors,
    };
    judge(&judged, policy, model, now).into_iter().for_each(|finding| observations.push(finding));
    observations
}

/// Adds the facts.
fn tell(
    observations: &mut Observations,
    known: &[(&Claim, &Expression)],
    concluded: Option<&Expression>,
    collected: &Claims,
) {
    if let Some(license) = concluded {
        observations.fact("concluded", license.text());
        let profile = Profile::of_all(license);
        observations.fact("class", profile.class.name());
        if !profile.facts.is_empty() {
            observations.fact("restrictions", profile.facts.names());
        }
    }
    for (key, by) in [
        ("declared-by-operator", By::Operator),
        ("clarified-by-operator", By::Clarified),
        ("declared-by-card", By::Card),
        ("declared-by-metadata", By::Metadata),
        ("declared-by-document", By::Document),
        ("found-in-text", By::Text),
    ] {
        let parts = known.iter().filter(|(claim, _)| claim.by == by).map(|(_, license)| *license);
        if let Some(license) = Expression::all_of(parts) {
            observations.fact(key, license.text());
        }
    }
    if let Some(percent) = collected.confidence {
        observations.fact("text-confidence", format!("{percent} %"));
    }
}

/// Returns the finding on a text that is of no license that is known. It weighs more
/// where a license is named whose text is, and is not this one.
fn strange(location: &Location, long: bool, known: &[(&Claim, &Expression)]) -> Finding {
    let published = |license: &Expression| {
        license.licenses().any(|part| matches!(part.license, LicenseItem::Spdx { .. }))
    };
    let named = known.iter().find(|(claim, license)| !claim.by.is_text() && published(license));
    match named.filter(|_| long) {
        Some((claim, license)) => {
            let (told, text) = (claim.told(), license.text());
            let message = format!(
                "{told}, but the text is not that of {text}, nor of any license that is known"
            );
            rules::TEXT_UNRECOGNISED.finding(location.clone(), message).severity(Severity::Medium)
        }
        None => {
            let message = "the text is of no license that is known";
            rules::TEXT_UNRECOGNISED.finding(location.clone(), message)
        }
    }
}

/// Returns the finding that a claim's meaning is unclear, unless another claim
/// makes it clear: a text tells which of a family is meant.
fn unclear(claim: &Claim, known: &[(&Claim, &Expression)]) -> Option<Finding> {
    let raw = &claim.raw;
    let firm = |claim: &Claim| claim.by.is_operator() || claim.by.is_text();
    let at = claim.location.clone();
    match &claim.meaning {
        Meaning::Family(members) => {
            let fits = known.iter().any(|(other, license)| {
                firm(other) && license.bases().iter().any(|base| in_family(base, raw))
            });
            let message = format!("`{raw}` names a family of licenses, such as {members}");
            (!fits).then(|| rules::AMBIGUOUS.finding(at, message))
        }
        Meaning::Other => {
            let message = "`other` with no `license_name`, and no license text that is known";
            let cleared = known.iter().any(|(other, _)| firm(other));
            (!cleared).then(|| rules::UNKNOWN_ID.finding(at, message))
        }
        Meaning::Unknown => {
            let message = format!("`{raw}` is no license that SPDX or the Hub knows");
            Some(rules::UNKNOWN_ID.finding(at, message))
        }
        Meaning::Invalid(why) => {
            let message = format!("`{raw}` is no license expression: {why}");
            Some(rules::EXPRESSION_INVALID.finding(at, message))
        }
        Meaning::Expression(_) | Meaning::Nothing => None,
    }
}

/// Tells whether a license is of the family that the Hub calls `family`.
fn in_family(license: &str, family: &str) -> bool {
    let license = license.to_ascii_lowercase();
    let family = family.to_ascii_lowercase();
    let rail = license.contains("openrail") || license.contains("open-rail");
    let source = family == "bsl" && license.starts_with("busl-");
    (rail && family == "openrail")
        || source
        || license.strip_prefix(&family).is_some_and(|rest| rest.starts_with(['-', '0']))
}

/// Returns the findings on `bsl-1.0`, which is Boost, and which cards write where
/// they mean Business Source; none where a text or the operator says which.
fn mislabelled(known: &[(&Claim, &Expression)]) -> Vec<Finding> {
    if known.iter().any(|(claim, _)| claim.by.is_operator() || claim.by.is_text()) {
        return Vec::new();
    }
    let boost = known.iter().filter(|(claim, _)| claim.raw.eq_ignore_ascii_case("bsl-1.0"));
    let message = "`bsl-1.0` is the Boost Software License, and often written for the Business Source License, `BUSL-1.1`; no license text says which is meant";
    boost.map(|(claim, _)| rules::AMBIGUOUS.finding(claim.location.clone(), message)).collect()
}

/// Returns a finding for each claim that shares no license with the one that
/// counts most.
fn conflicts(known: &[(&Claim, &Expression)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (claim, license) in known {
        let bases = license.bases();
        // Against who counts more, or the same: a card against the policy, a text
        // against a card. Two texts may both hold, and so may a card's list.
        let earlier = |other: &Claim| {
            let place = |claim: &Claim| (claim.by, claim.location.file.clone());
            place(other) < place(claim) && !(other.by.is_text() && claim.by.is_text())
        };
        let shares = |other: &Claim| {
            let list = known.iter().filter(|(part, _)| {
                part.by == other.by && part.location.file == other.location.file
            });
            list.into_iter().any(|(_, part)| !part.bases().is_disjoint(&bases))
        };
        let others = known.iter().map(|(other, _)| *other);
        if let Some(other) = others.filter(|other| earlier(other)).find(|other| !shares(other)) {
            let message = format!("{}, but {}", other.told(), claim.told());
            findings.push(rules::CONFLICT.finding(claim.location.clone(), message));
        }
        if findings.len() == MAX_TOLD {
            break;
        }
    }
    findings
}

/// Returns the license that the claims come to: the operator's word, or else all
/// that is claimed, so that a claim is never lost to a milder one.
fn concluded(known: &[(&Claim, &Expression)]) -> Option<Expression> {
    if let Some((first, _)) = known.first().filter(|(claim, _)| claim.by.is_operator()) {
        let same = known.iter().filter(|(claim, _)| claim.by == first.by);
        return Expression::all_of(same.map(|(_, license)| *license));
    }
    let mut parts: Vec<&Expression> = Vec::new();
    for (_, license) in known {
        let bases = license.bases();
        // A text that the card's expression names already adds nothing.
        if !parts.iter().any(|part| bases.is_subset(&part.bases())) {
            parts.push(license);
        }
    }
    Expression::all_of(parts)
}

/// Returns the models that this one was made from, each with who names it: those that
/// the lock file pins first.
fn ancestors(collected: &Claims, policy: &Policy) -> Vec<(Source, Ancestor)> {
    let mut ancestors = collected.pins.ancestors(&collected.bases, policy);
    let mut seen: Vec<String> = Vec::new();
    for source in &collected.bases {
        let name = source.name_on_hub();
        let same = |own: &String| own.eq_ignore_ascii_case(&name);
        let is_known = collected.own.iter().any(same) || collected.pins.holds(&name);
        if is_known || seen.iter().any(same) {
            continue;
        }
        let found = lineage::ancestors(&name, policy).into_iter();
        ancestors.extend(found.map(|one| (source.clone(), one)));
        seen.push(name);
    }
    ancestors
}

/// Returns the findings on bases whose license is not kept, or not known.
fn inherited(
    ancestors: &[(Source, Ancestor)],
    concluded: Option<&Expression>,
    excepted: &impl Fn(&LicenseReq) -> bool,
) -> Vec<Finding> {
    // Of each kind for itself: many that are not known must not hide one that is not kept.
    let (mut unknown, mut dropped) = (Vec::new(), Vec::new());
    for (source, ancestor) in ancestors {
        let location = source.location.clone();
        let chain = ancestor.chain.join(" ← ");
        let Some(base) = &ancestor.license else {
            let message = format!("the license of the base {chain} is not known here");
            unknown.push(rules::BASE_UNKNOWN.finding(location, message));
            continue;
        };
        let Some(own) = concluded.filter(|_| !base.is_satisfied_by(excepted)) else { continue };
        let place = match source.location.file {
            Some(_) => claim::place(&source.location),
            None => "modelhost.lock".to_owned(),
        };
        let (own_text, base_text) = (own.text(), base.text());
        let start = format!(
            "`{own_text}` is claimed, but the base {chain} ({place}) is under `{base_text}`"
        );
        dropped.extend(match lineage::kept(own, base) {
            Kept::All => None,
            Kept::Dropped(facts) => {
                let message = format!("{start}, of which is not kept: {}", facts.names());
                Some(rules::INHERITED.finding(location, message))
            }
            Kept::Renamed => {
                let message = format!("{start}, whose terms must be passed on as they are");
                Some(rules::INHERITED.finding(location, message).severity(Severity::Medium))
            }
            Kept::Unknown => {
                let message = format!("{start}, and what the claimed one keeps of it is not known");
                Some(rules::INHERITED.finding(location, message).severity(Severity::Medium))
            }
        });
    }
    // The worst first, so that they are among those told.
    dropped.sort_by_key(|finding: &Finding| std::cmp::Reverse(finding.severity));
    dropped.truncate(MAX_TOLD);
    unknown.truncate(MAX_TOLD);
    dropped.into_iter().chain(unknown).collect()
}

/// Returns the findings on data whose license takes away what the model's does not.
fn datasets(sources: &[Source], own: Option<&Expression>, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let name = lineage::hub_name(&source.name).unwrap_or_else(|| source.name.clone());
        let name = name.strip_prefix("datasets/").unwrap_or(&name);
        let (Some(own), Some(license)) = (own, lineage::dataset(name, policy)) else { continue };
        if let Kept::Dropped(facts) = lineage::kept(own, &license) {
            let message = format!(
                "`{}` is claimed, but the data set {name} is under `{}`, of which is not kept: {}",
                own.text(),
                license.text(),
                facts.names()
            );
            findings.push(rules::DATASET.finding(source.location.clone(), message));
        }
        if findings.len() == MAX_TOLD {
            break;
        }
    }
    findings
}
