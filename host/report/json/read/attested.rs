//! A report read back → what an attestation says of it.
//!
//! Leaves reading it to `read`, and the statements to `attest`.

use super::document::{Document, Fact, File, Finding, Input, Model, Plugin};
use super::{ReadError, broken};
use crate::domain::attested::{Attested, AttestedFile, AttestedModel, AttestedPlugin, count};
use crate::domain::decision::Decision;
use crate::domain::digest::TreeDigest;
use crate::domain::evidence::{InputFile, Inputs};
use crate::domain::finding::Severity;
use crate::report::json::Unattestable;

impl Document {
    /// Returns what an attestation says of the report.
    ///
    /// # Errors
    /// Says why there is nothing to attest, or that it was changed so that it does
    /// not fit together.
    pub fn attested(self) -> Result<Attested, ReadError> {
        let Self { digest, report } = self;
        if report.scan_only.is_some() {
            return Err(Unattestable::ScanOnly.into());
        }
        if report.trust_stat.is_some() {
            return Err(Unattestable::TrustStat.into());
        }
        if report.models.is_empty() {
            return Err(Unattestable::Nothing.into());
        }
        if (report.decision.0 == Decision::Allow) != report.reasons.is_empty() {
            return broken("decision and its reasons contradict each other");
        }
        let models = report.models.into_iter().map(model);
        let mut models: Vec<AttestedModel> = models.collect::<Result<_, _>>()?;
        for task in &report.tasks {
            let place = models.binary_search_by(|model| model.name.cmp(&task.model.0));
            if let Some(model) = place.ok().and_then(|place| models.get_mut(place)) {
                let plugin = &task.plugin.0;
                let facts =
                    task.facts.iter().map(|Fact { key, value }| (key.as_str(), value.0.as_str()));
                let check = model.checks.entry(plugin.clone()).or_default();
                check.add(plugin, task.verdict.0, severities(&task.findings), facts);
            }
        }
        let input = |Input { path, digest }| InputFile { path, digest: digest.0 };
        Ok(Attested {
            modelhost: report.modelhost.0.to_string(),
            report: digest,
            decision: report.decision.0,
            now: report.now.0.0,
            inputs: Inputs {
                policy: report.inputs.policy.into_iter().map(input).collect(),
                lock: report.inputs.lock.map(input),
                baseline: report.inputs.baseline.map(input),
            },
            fail_on: report.fail_on.0,
            required: report.required.into_iter().map(|plugin| plugin.0).collect(),
            plugins: report.plugins.into_iter().map(plugin).collect(),
            models,
        })
    }
}

fn plugin(plugin: Plugin) -> AttestedPlugin {
    AttestedPlugin {
        digest: plugin.digest.0,
        bundled: plugin.origin.0.as_str() == "bundled",
        // What is no mode of today counts for nothing.
        advisory: plugin.mode.0.as_str() != "enforce",
        version: plugin.version.0.to_string(),
        id: plugin.id.0,
    }
}

fn model(model: Model) -> Result<AttestedModel, ReadError> {
    let none = || Unattestable::NoDigest(model.name.0.clone());
    let tree = model.tree.as_ref().ok_or_else(none)?;
    let file = |File { path, size, digest }: &File| {
        let digest = digest.as_ref().ok_or_else(none)?.0;
        Ok(AttestedFile { path: path.0.clone(), size: *size, digest })
    };
    let files = model.files.iter().map(file).collect::<Result<_, Unattestable>>()?;
    let mut attested = AttestedModel {
        tree: TreeDigest::from_digest(tree.0),
        source: model.source.map(|source| source.0.to_string()),
        revision: model.revision.map(|revision| revision.0.to_string()),
        locked: model.locked,
        files,
        findings: Default::default(),
        checks: Default::default(),
        name: model.name.0,
    };
    count(&mut attested.findings, severities(&model.findings));
    Ok(attested)
}

fn severities(findings: &[Finding]) -> impl Iterator<Item = Severity> {
    findings.iter().map(|finding| finding.severity.0)
}
