//! Owns what follows from the claims: the license concluded, where claims
//! disagree, and whether the operator's list allows it. Leaves the reading of
//! files to `claim`.

use modelhost_check::{Failure, Finding, Location, Observations};
use spdx::LicenseReq;

use crate::claim::{By, Claim, Claims};
use crate::ids::{self, Expression, Meaning};
use crate::rules;

/// Returns the licenses that the operator allows.
///
/// # Errors
/// Where an entry is not one license.
pub fn allowed(entries: &[String]) -> Result<Vec<LicenseReq>, Failure> {
    let entry = |entry: &String| match ids::meaning(entry) {
        Meaning::Expression(license) => license.single().ok_or_else(|| {
            let message = format!("allow: `{entry}` is several licenses; list them one by one");
            Failure::InvalidSettings(message)
        }),
        Meaning::Family(members) => Err(Failure::InvalidSettings(format!(
            "allow: `{entry}` is a family of licenses; name those meant, such as {members}"
        ))),
        Meaning::Invalid(why) => Err(Failure::InvalidSettings(format!("allow: `{entry}`: {why}"))),
        Meaning::Other | Meaning::Nothing | Meaning::Unknown => {
            Err(Failure::InvalidSettings(format!(
                "allow: `{entry}` is no license that SPDX or the Hub knows; others are written as LicenseRef-NAME"
            )))
        }
    };
    entries.iter().map(entry).collect()
}

/// Says what the claims come to. An empty list of allowed licenses denies nothing.
pub fn conclude(collected: Claims, allowed: &[LicenseReq]) -> Observations {
    let Claims { claims, findings, .. } = collected;
    let mut observations = Observations::new();
    findings.into_iter().for_each(|finding| observations.push(finding));
    let claims: Vec<Claim> =
        claims.into_iter().filter(|claim| claim.meaning != Meaning::Nothing).collect();
    let known: Vec<(&Claim, &Expression)> = claims
        .iter()
        .filter_map(|claim| match &claim.meaning {
            Meaning::Expression(license) => Some((claim, license)),
            _ => None,
        })
        .collect();
    let mut undecided = Vec::new();
    for claim in &claims {
        if let Some(finding) = unclear(claim, &known) {
            undecided.push(claim);
            observations.push(finding);
        }
    }
    for finding in conflicts(&known) {
        observations.push(finding);
    }
    let concluded = concluded(&known);
    if let Some(license) = &concluded {
        observations.fact("concluded", license.text());
    }
    for (key, by) in [
        ("declared-by-operator", By::Operator),
        ("declared-by-card", By::Card),
        ("found-in-text", By::Text),
    ] {
        let parts = known.iter().filter(|(claim, _)| claim.by == by).map(|(_, license)| *license);
        if let Some(license) = Expression::all_of(parts) {
            observations.fact(key, license.text());
        }
    }
    if claims.is_empty() {
        let message = "no license is named in the card, in a license file or in the policy";
        observations.push(rules::NOT_NAMED.finding(Location::model(), message));
    }
    if !allowed.is_empty() {
        judge(&known, concluded.as_ref(), &undecided, allowed)
            .into_iter()
            .for_each(|finding| observations.push(finding));
    }
    observations
}

/// Returns the finding that a claim's meaning is unclear, unless another claim
/// makes it clear: a text tells which of a family is meant.
fn unclear(claim: &Claim, known: &[(&Claim, &Expression)]) -> Option<Finding> {
    let raw = &claim.raw;
    let cleared = |by: fn(&Claim) -> bool| known.iter().any(|(other, _)| by(other));
    let firm = |claim: &Claim| claim.by != By::Card;
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
            (!cleared(firm)).then(|| rules::UNKNOWN_ID.finding(at, message))
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
    (rail && family == "openrail")
        || license.strip_prefix(&family).is_some_and(|rest| rest.starts_with(['-', '0']))
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
            place(other) < place(claim) && (other.by < By::Tag || claim.by < By::Tag)
        };
        let shares = |other: &Claim| {
            let list = known.iter().filter(|(part, _)| part.location.file == other.location.file);
            list.into_iter().any(|(_, part)| !part.bases().is_disjoint(&bases))
        };
        let others = known.iter().map(|(other, _)| *other);
        if let Some(other) = others.filter(|other| earlier(other)).find(|other| !shares(other)) {
            let message = format!("{}, but {}", other.told(), claim.told());
            findings.push(rules::CONFLICT.finding(claim.location.clone(), message));
        }
    }
    findings
}

/// Returns the license that the claims come to: the operator's word, or else all
/// that is claimed, so that a claim is never lost to a milder one.
fn concluded(known: &[(&Claim, &Expression)]) -> Option<Expression> {
    if let Some((_, license)) = known.iter().find(|(claim, _)| claim.by == By::Operator) {
        return Some((*license).clone());
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

fn judge(
    known: &[(&Claim, &Expression)],
    concluded: Option<&Expression>,
    undecided: &[&Claim],
    allowed: &[LicenseReq],
) -> Vec<Finding> {
    let help = "add the license to `allow` in the plugin's settings, or don't use the model";
    let mut findings = Vec::new();
    if let Some(license) = concluded.filter(|license| !license.is_satisfied_by(allowed)) {
        let place = known.iter().find(|(_, part)| !part.is_satisfied_by(allowed));
        let location = place.map_or_else(Location::model, |(claim, _)| claim.location.clone());
        let message = format!("`{}` is not among the licenses allowed", license.text());
        findings.push(rules::NOT_ALLOWED.finding(location, message).help(help));
    }
    let operator = known.iter().any(|(claim, _)| claim.by == By::Operator);
    for claim in undecided.iter().filter(|_| !operator) {
        let message = format!("`{}` can't be shown to be among the licenses allowed", claim.raw);
        findings.push(rules::NOT_ALLOWED.finding(claim.location.clone(), message).help(help));
    }
    findings
}
