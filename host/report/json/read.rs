//! A JSON report read back, as far as an attestation speaks of it. The file may
//! have come from anywhere: what does not fit together is told, not mended.
//!
//! Leaves writing it to `v1`.

use serde::Deserialize;

use super::attested::Unattestable;
use super::v1::SCHEMA;
use crate::domain::attested::{
    Attested, AttestedCheck, AttestedFile, AttestedModel, AttestedPlugin, count, is_time,
};
use crate::domain::decision::Decision;
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::evidence::{InputFile, Inputs};
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::text::GuestText;
use crate::domain::verdict::Verdict;

/// The most bytes a report may have that is read: some 600 a file and 1,000 a
/// task, so that one of as many as a run has by default is far below.
pub const MAX_REPORT: u64 = 1 << 30;

/// Why a JSON report can't be used. Each text from the file is inert.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or not of this form.
    #[error("it is no JSON report of modelhost: {0}")]
    Form(GuestText),
    /// It is of another version.
    #[error("its schema is `{0}`, not `{SCHEMA}`")]
    Schema(GuestText),
    /// It does not fit together.
    #[error("its {0}: it was changed, or is not the whole report")]
    Broken(String),
    /// It says nothing that could be attested.
    #[error(transparent)]
    Unattestable(#[from] Unattestable),
}

fn broken<T>(what: impl Into<String>) -> Result<T, ReadError> {
    Err(ReadError::Broken(what.into()))
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

#[derive(Deserialize)]
struct Document {
    modelhost: String,
    decision: DecisionWord,
    now: String,
    inputs: InputsText,
    fail_on: SeverityWord,
    required: Vec<String>,
    scan_only: Option<serde::de::IgnoredAny>,
    trust_stat: Option<serde::de::IgnoredAny>,
    reasons: Vec<serde::de::IgnoredAny>,
    plugins: Vec<PluginText>,
    models: Vec<ModelText>,
    tasks: Vec<TaskText>,
}

#[derive(Deserialize)]
struct InputsText {
    policy: Vec<InputText>,
    lock: Option<InputText>,
    baseline: Option<InputText>,
}

#[derive(Deserialize)]
struct InputText {
    path: String,
    digest: String,
}

#[derive(Deserialize)]
struct PluginText {
    id: String,
    version: String,
    digest: String,
    origin: String,
    mode: String,
}

#[derive(Deserialize)]
struct ModelText {
    name: String,
    tree: Option<String>,
    source: Option<String>,
    revision: Option<String>,
    locked: bool,
    files: Vec<FileText>,
    findings: Vec<FindingText>,
}

#[derive(Deserialize)]
struct FileText {
    path: String,
    size: u64,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct FindingText {
    severity: SeverityWord,
}

#[derive(Deserialize)]
struct TaskText {
    plugin: String,
    model: String,
    verdict: VerdictWord,
    findings: Vec<FindingText>,
    facts: Vec<FactText>,
}

#[derive(Deserialize)]
struct FactText {
    key: String,
    value: String,
}

/// Reads an enum of words into one of the domain's.
macro_rules! words {
    ($name:ident to $domain:ident { $($word:ident,)* }) => {
        #[derive(Clone, Copy, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum $name {
            $($word,)*
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)*
                }
            }
        }
    };
}

words!(DecisionWord to Decision { Allow, Incomplete, Deny, });
words!(VerdictWord to Verdict { Pass, Skip, Warn, Error, Fail, });
words!(SeverityWord to Severity { Info, Low, Medium, High, Critical, });

/// Reads what an attestation says of the JSON report in `bytes`.
///
/// # Errors
/// Says why it can't be used: it is none, of another version, was changed so that
/// it does not fit together, or says nothing that could be attested.
pub fn read(bytes: &[u8]) -> Result<Attested, ReadError> {
    let form = |error: serde_json::Error| ReadError::Form(GuestText::capped(&error.to_string()));
    let Schema { schema } = serde_json::from_slice(bytes).map_err(form)?;
    if schema != SCHEMA {
        return Err(ReadError::Schema(GuestText::capped(&schema)));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(form)?;
    if document.scan_only.is_some() {
        return Err(Unattestable::ScanOnly.into());
    }
    if document.trust_stat.is_some() {
        return Err(Unattestable::TrustStat.into());
    }
    if document.models.is_empty() {
        return Err(Unattestable::Nothing.into());
    }
    let decision = document.decision.into();
    if (decision == Decision::Allow) != document.reasons.is_empty() {
        return broken("decision and its reasons contradict each other");
    }
    if semver::Version::parse(&document.modelhost).is_err() {
        return broken("version of modelhost is none");
    }
    if !is_time(&document.now) {
        return broken("`now` is no time such as 2026-01-31T12:00:00Z");
    }
    let required = document.required.iter().map(|id| PluginId::new(id));
    let Ok(required) = required.collect::<Result<Vec<PluginId>, _>>() else {
        return broken("required plugins have an id that is none");
    };
    let plugins = plugins(document.plugins)?;
    let mut models: Vec<AttestedModel> =
        document.models.into_iter().map(model).collect::<Result<_, _>>()?;
    if !models.is_sorted_by(|a, b| a.name < b.name) {
        return broken("models are not sorted by name, each once");
    }
    for task in document.tasks {
        add(&mut models, &plugins, task)?;
    }
    Ok(Attested {
        modelhost: document.modelhost,
        report: Digest::of(bytes),
        decision,
        now: document.now,
        inputs: inputs(document.inputs)?,
        fail_on: document.fail_on.into(),
        required,
        plugins,
        models,
    })
}

fn digest(text: &str, of: &str) -> Result<Digest, ReadError> {
    text.parse()
        .map_err(|error| ReadError::Broken(format!("digest of {}: {error}", GuestText::capped(of))))
}

/// Takes text that a report has made inert.
fn inert(text: String) -> Result<String, ReadError> {
    match GuestText::capped(&text).as_str() == text {
        true => Ok(text),
        false => broken("texts have characters that a report writes out"),
    }
}

fn inputs(inputs: InputsText) -> Result<Inputs, ReadError> {
    let file = |InputText { path, digest: text }: InputText| {
        let digest = digest(&text, &path)?;
        Ok::<_, ReadError>(InputFile { path, digest })
    };
    Ok(Inputs {
        policy: inputs.policy.into_iter().map(file).collect::<Result<_, _>>()?,
        lock: inputs.lock.map(file).transpose()?,
        baseline: inputs.baseline.map(file).transpose()?,
    })
}

fn plugins(plugins: Vec<PluginText>) -> Result<Vec<AttestedPlugin>, ReadError> {
    let plugin = |plugin: PluginText| {
        let version = semver::Version::parse(&plugin.version);
        let (Ok(id), Ok(_)) = (PluginId::new(&plugin.id), version) else {
            return broken("plugins have an id or a version that is none");
        };
        Ok(AttestedPlugin {
            digest: digest(&plugin.digest, &plugin.id)?,
            bundled: plugin.origin == "bundled",
            // What is no mode of today counts for nothing.
            advisory: plugin.mode != "enforce",
            version: plugin.version,
            id,
        })
    };
    let plugins: Vec<_> = plugins.into_iter().map(plugin).collect::<Result<_, _>>()?;
    match plugins.is_sorted_by(|a, b| a.id < b.id) {
        true => Ok(plugins),
        false => broken("plugins are not sorted by id, each once"),
    }
}

fn model(model: ModelText) -> Result<AttestedModel, ReadError> {
    let name = ModelName::new(&model.name);
    if name.as_str() != model.name {
        return broken("models have a name that a report does not write");
    }
    let none = || Unattestable::NoDigest(name.clone());
    let file = |file: FileText| {
        let Some(path) = FilePath::parse(&file.path) else {
            return broken(format!(
                "files of {name} have the path `{}`, which a report does not write",
                GuestText::capped(&file.path)
            ));
        };
        let digest = digest(&file.digest.ok_or_else(none)?, &file.path)?;
        Ok(AttestedFile { path, size: file.size, digest })
    };
    let files: Vec<_> = model.files.into_iter().map(file).collect::<Result<_, _>>()?;
    if !files.is_sorted_by(|a, b| a.path < b.path) {
        return broken(format!("files of {name} are not sorted by path, each once"));
    }
    let tree = TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest)));
    if digest(&model.tree.ok_or_else(none)?, name.as_str())? != tree.digest() {
        return broken(format!("tree digest of {name} is not that of its files"));
    }
    let mut attested = AttestedModel {
        tree,
        source: model.source.map(inert).transpose()?,
        revision: model.revision.map(inert).transpose()?,
        locked: model.locked,
        files,
        findings: Default::default(),
        checks: Default::default(),
        name,
    };
    count(&mut attested.findings, severities(&model.findings));
    Ok(attested)
}

fn add(
    models: &mut [AttestedModel],
    plugins: &[AttestedPlugin],
    task: TaskText,
) -> Result<(), ReadError> {
    let model = models.binary_search_by(|model| model.name.as_str().cmp(&task.model));
    let plugin = plugins.binary_search_by(|plugin| plugin.id.as_str().cmp(&task.plugin));
    let (Ok(model), Ok(plugin)) = (model, plugin) else {
        return broken("tasks are of a model or plugin that it does not list");
    };
    let plugin = &plugins[plugin].id;
    let facts = task.facts.into_iter().map(|fact| Ok((fact.key, inert(fact.value)?)));
    let facts: Vec<(String, String)> = facts.collect::<Result<_, ReadError>>()?;
    let facts = facts.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let check: &mut AttestedCheck = models[model].checks.entry(plugin.clone()).or_default();
    check.add(plugin, task.verdict.into(), severities(&task.findings), facts);
    Ok(())
}

fn severities(findings: &[FindingText]) -> impl Iterator<Item = Severity> {
    findings.iter().map(|finding| finding.severity.into())
}

#[cfg(test)]
mod tests;
