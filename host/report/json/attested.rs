//! What of a report an attestation says, taken from the report itself: the same
//! value that `read` takes from its JSON.
//!
//! Leaves the statements to `attest`.

use super::digest;
use crate::domain::attested::{
    Attested, AttestedCheck, AttestedFile, AttestedModel, AttestedPlugin, count,
};
use crate::domain::finding::Severity;
use crate::domain::model::ModelName;
use crate::domain::moment::rfc3339;
use crate::domain::plugin::PluginRef;
use crate::domain::report::{Ending, Judged, ModelReport, Report, TaskReport};
use crate::domain::text::GuestText;

/// Why there is nothing to attest in a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unattestable {
    /// The run computed no digests.
    #[error("the run computed no digests (--no-digests), so its report is bound to no bytes")]
    ScanOnly,
    /// The run did not read all that it names a digest of.
    #[error(
        "the run took digests from the cache (--trust-stat), so its report is not bound to bytes \
         that it read"
    )]
    TrustStat,
    /// No model took part.
    #[error("the report is about no model")]
    Nothing,
    /// A file or a model has no digest.
    #[error("the report names no digest of all files of {0}")]
    NoDigest(ModelName),
}

/// Returns what an attestation says of `report`.
///
/// # Errors
/// Says why there is nothing to attest.
pub fn attested(report: &Report) -> Result<Attested, Unattestable> {
    if report.scan_only.is_some() {
        return Err(Unattestable::ScanOnly);
    }
    if report.trust_stat.is_some() {
        return Err(Unattestable::TrustStat);
    }
    if report.models.is_empty() {
        return Err(Unattestable::Nothing);
    }
    let plugins = report
        .plugins
        .iter()
        .map(|plugin| AttestedPlugin {
            id: plugin.plugin.manifest.id.clone(),
            version: plugin.plugin.manifest.version.to_string(),
            digest: plugin.plugin.digest,
            bundled: matches!(plugin.plugin.origin, PluginRef::Bundled(_)),
            advisory: plugin.advisory,
        })
        .collect();
    let mut models: Vec<AttestedModel> =
        report.models.iter().map(model).collect::<Result<_, _>>()?;
    for task in &report.tasks {
        if let Ok(place) = models.binary_search_by(|model| model.name.cmp(&task.model)) {
            add(&mut models[place], task);
        }
    }
    Ok(Attested {
        modelhost: env!("CARGO_PKG_VERSION").to_owned(),
        report: digest(report),
        decision: report.decision,
        now: rfc3339(report.now),
        inputs: report.inputs.clone(),
        fail_on: report.fail_on,
        required: report.required.clone(),
        plugins,
        models,
    })
}

fn model(model: &ModelReport) -> Result<AttestedModel, Unattestable> {
    let none = || Unattestable::NoDigest(model.name.clone());
    let file = |file: &crate::domain::report::FileReport| {
        let digest = file.digest.ok_or_else(none)?;
        Ok(AttestedFile { path: file.path.clone(), size: file.size, digest })
    };
    let definition = model.definition.as_ref();
    let inert = |text: &str| GuestText::capped(text).to_string();
    let mut attested = AttestedModel {
        name: model.name.clone(),
        tree: model.tree.ok_or_else(none)?,
        source: definition.and_then(|definition| definition.source.as_deref()).map(inert),
        revision: definition.and_then(|definition| definition.revision.as_deref()).map(inert),
        locked: model.locked,
        files: model.files.iter().map(file).collect::<Result<_, _>>()?,
        findings: Default::default(),
        checks: Default::default(),
    };
    count(&mut attested.findings, severities(&model.findings));
    Ok(attested)
}

fn add(model: &mut AttestedModel, task: &TaskReport) {
    let facts = match &task.ending {
        Ending::Checked(facts) => facts.as_slice(),
        _ => &[],
    };
    let facts = facts.iter().map(|fact| (fact.key.as_str(), fact.value.as_str()));
    let check: &mut AttestedCheck = model.checks.entry(task.plugin.clone()).or_default();
    check.add(&task.plugin, task.verdict, severities(&task.findings), facts);
}

fn severities(findings: &[Judged]) -> impl Iterator<Item = Severity> {
    findings.iter().map(|judged| judged.finding.severity)
}
