//! Owns what the policy makes of a license: its lists, its exceptions, and which of
//! these are over or serve nothing. Leaves the license itself to `conclude`.

use modelhost_check::{Datetime, Finding, Location};
use spdx::LicenseReq;

use crate::claim::{Claim, Source};
use crate::ids::{self, Expression};
use crate::lineage::{self, Ancestor};
use crate::policy::{Altered, Exception, Policy};
use crate::rules;

/// What to do about a license that is not allowed.
const HELP: &str = "add the license to `allow` in the plugin's settings or an entry to `exceptions`, or don't use the model";
/// What to do about a text that was altered.
const HELP_ALTERED: &str = "read the text and say what it means in `clarifications` in the plugin's settings, bound to its digest";

/// What is judged.
pub struct Judged<'a> {
    /// The claims that are understood.
    pub known: &'a [(&'a Claim, &'a Expression)],
    /// What they come to.
    pub concluded: Option<&'a Expression>,
    /// The claims that are not.
    pub undecided: &'a [&'a Claim],
    /// The texts that were altered, and which they are like.
    pub altered: &'a [(Location, String)],
    /// What the model was made from.
    pub ancestors: &'a [(Source, Ancestor)],
}

/// Returns what the policy says against the license, and what is wrong with the
/// policy's entries for this model.
pub fn judge(judged: &Judged<'_>, policy: &Policy, model: &str, now: Datetime) -> Vec<Finding> {
    let (over, live): (Vec<_>, Vec<_>) =
        policy.exceptions_for(model).partition(|exception| exception.is_over(now));
    let excepted = |license: &LicenseReq| policy.excepts(license, model, now);
    let mut findings = Vec::new();
    for row in &over {
        let Exception { model, reason, owner, until, .. } = row;
        let message =
            format!("exceptions: that of `{model}` ({reason}; {owner}) ended with {until}");
        findings.push(rules::EXCEPTION_EXPIRED.finding(Location::model(), message));
    }
    for row in live.iter().filter(|row| row.model == model) {
        let has = |license: &LicenseReq| row.allow.iter().any(|own| ids::suffices(own, license));
        let serves = |license: &LicenseReq| has(license) && policy.accept(license).is_err();
        let needed = judged.concluded.is_some_and(|license| {
            license.licenses().any(serves) && !policy.satisfies(license, &|_| false)
        });
        let mut bases = judged.ancestors.iter().filter_map(|(_, one)| one.license.as_ref());
        let kept = |base: &Expression| {
            judged.concluded.is_some_and(|own| lineage::kept(own, base) == lineage::Kept::All)
        };
        if !needed && !bases.any(|base| !kept(base) && base.licenses().any(has)) {
            let message = format!(
                "exceptions: that of `{}` ({}; {}) allows nothing that the model needs",
                row.model, row.reason, row.owner
            );
            findings.push(rules::UNUSED_ENTRY.finding(Location::model(), message));
        }
    }
    if !policy.judges() {
        return findings;
    }
    findings.extend(refused(judged, policy, excepted));
    let operator = judged.known.iter().any(|(claim, _)| claim.by.is_operator());
    if operator {
        return findings;
    }
    for claim in judged.undecided {
        let message = format!("`{}` can't be shown to be among the licenses allowed", claim.raw);
        findings.push(rules::NOT_ALLOWED.finding(claim.location.clone(), message).help(HELP));
    }
    let altered = judged.altered.iter().filter(|_| policy.altered == Altered::Deny);
    findings.extend(altered.map(|(location, id)| {
        let message = format!(
            "the text is like that of {id}, but altered, so it can't be shown to be among the licenses allowed"
        );
        rules::NOT_ALLOWED.finding(location.clone(), message).help(HELP_ALTERED)
    }));
    findings
}

/// Returns the findings on licenses that the lists refuse: the one concluded, or,
/// where none is, those of the bases.
fn refused(
    judged: &Judged<'_>,
    policy: &Policy,
    excepted: impl Fn(&LicenseReq) -> bool,
) -> Vec<Finding> {
    let fine = |part: &LicenseReq| excepted(part) || policy.accept(part).is_ok();
    let told = |license: &Expression, location: Location, whose: &str| {
        let refused = license.licenses().filter(|part| !fine(part));
        let why: Vec<String> = refused
            .filter_map(|part| Some(format!("{part}: {}", policy.accept(part).err()?)))
            .collect();
        let message = format!("{whose}`{}` is not allowed ({})", license.text(), why.join("; "));
        rules::NOT_ALLOWED.finding(location, message).help(HELP)
    };
    match judged.concluded {
        Some(license) if policy.satisfies(license, &excepted) => Vec::new(),
        Some(license) => {
            let place = judged.known.iter().find(|(_, part)| !part.is_satisfied_by(&fine));
            let location = place.map_or_else(Location::model, |(claim, _)| claim.location.clone());
            vec![told(license, location, "")]
        }
        None => {
            let licensed = judged.ancestors.iter().filter_map(|(source, ancestor)| {
                ancestor.license.as_ref().map(|license| (source, ancestor, license))
            });
            let refused = licensed.filter(|(.., license)| !policy.satisfies(license, &excepted));
            let told = refused.take(8).map(|(source, ancestor, license)| {
                let whose = format!("the base {} is under ", ancestor.chain.join(" ← "));
                told(license, source.location.clone(), &whose)
            });
            told.collect()
        }
    }
}
