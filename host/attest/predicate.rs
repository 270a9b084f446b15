//! The predicates: what the gate says of one model, as a SLSA verification summary and
//! as a simple verification result.
//!
//! Sources: SLSA 1.1 `verification_summary`, in-toto `spec/predicates/svr.md`. Leaves
//! what they are about to `statement`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::statement::{Descriptor, DigestSet, Request, Uri, encoded};
use crate::domain::attested::{Attested, AttestedCheck, AttestedModel, Counts};
use crate::domain::decision::Decision;
use crate::domain::evidence::InputFile;
use crate::domain::finding::Severity;
use crate::domain::plugin::PluginId;
use crate::domain::verdict::Verdict;

/// The version of SLSA whose summary this is.
const SLSA_VERSION: &str = "1.1";

/// What the id of a verifier starts with that the operator did not name; its version
/// follows.
pub(super) const VERIFIER: &str = "urn:modelhost:gate:";

/// What the URI of a model starts with that the operator did not name.
const RESOURCE: &str = "urn:modelhost:model:";

/// The property that the gate let the model through.
const ALLOWED: &str = "MODELHOST_ALLOWED";

/// The properties that follow from what a bundled check says: its id, and the fact
/// without which its silence means nothing.
const LEVELS: [(&str, &str, Option<&str>); 3] = [
    ("MODELHOST_PINNED", "checksum", None),
    ("MODELHOST_LICENSE_OK", "license", Some("concluded")),
    ("MODELHOST_SIGNED", "provenance", Some("signer")),
];

/// What is said of one model, in either kind of statement.
pub(super) struct Said<'a> {
    attested: &'a Attested,
    model: &'a AttestedModel,
    request: &'a Request,
    verifier: String,
    levels: Vec<&'static str>,
}

impl<'a> Said<'a> {
    pub(super) fn new(
        attested: &'a Attested,
        model: &'a AttestedModel,
        request: &'a Request,
    ) -> Self {
        let verifier = match &request.verifier {
            Some(Uri(uri)) => uri.clone(),
            None => format!("{VERIFIER}{}", encoded(&attested.modelhost)),
        };
        Self { attested, model, request, verifier, levels: levels(attested, model) }
    }

    pub(super) fn summary(&self) -> impl Serialize {
        let is_allowed = self.attested.decision == Decision::Allow;
        Summary {
            verifier: Verifier { id: &self.verifier },
            time_verified: &self.attested.now,
            resource_uri: match &self.request.resource {
                Some(Uri(uri)) => uri.clone(),
                None => format!("{RESOURCE}{}", encoded(self.model.name.as_str())),
            },
            policy: self.policy(),
            input_attestations: self.input_attestations(),
            verification_result: if is_allowed { "PASSED" } else { "FAILED" },
            verified_levels: if is_allowed { self.levels.clone() } else { vec!["FAILED"] },
            slsa_version: SLSA_VERSION,
            run: self.run(),
        }
    }

    pub(super) fn result(&self) -> impl Serialize {
        ResultText {
            verifier: Verifier { id: &self.verifier },
            time_created: &self.attested.now,
            properties: &self.levels,
            run: self.run(),
        }
    }

    /// The policy's main file; the definitions beside it are told in `run`.
    fn policy(&self) -> Descriptor<'_> {
        match self.attested.inputs.policy.first() {
            Some(file) => Descriptor {
                name: Some(&file.path),
                uri: Some("urn:modelhost:policy:file".to_owned()),
                digest: Some(DigestSet::from(&file.digest)),
            },
            None => Descriptor {
                name: None,
                uri: Some(format!(
                    "urn:modelhost:policy:built-in:{}",
                    encoded(&self.attested.modelhost)
                )),
                digest: None,
            },
        }
    }

    /// The signatures that a check accepted; all of them, as the summary has to name.
    fn input_attestations(&self) -> Vec<Descriptor<'_>> {
        let accepted = |(id, check): (&PluginId, &'a AttestedCheck)| {
            let counts = is_bundled(self.attested, id) && id.as_str() == "provenance";
            let path = check.facts.get("signature").filter(|_| counts && is_good(check))?;
            let files = &self.model.files;
            let place = files.binary_search_by(|file| file.path.as_str().cmp(path.as_str()));
            let file = files.get(place.ok()?)?;
            Some(Descriptor {
                name: Some(file.path.as_str()),
                uri: Some(format!("urn:modelhost:file:{}", encoded(file.path.as_str()))),
                digest: Some(DigestSet::from(&file.digest)),
            })
        };
        self.model.checks.iter().filter_map(accepted).collect()
    }

    fn run(&self) -> Run<'_> {
        let Attested { inputs, plugins, .. } = self.attested;
        let input = |file: &'a InputFile| Descriptor::named(&file.path, &file.digest);
        Run {
            modelhost: &self.attested.modelhost,
            decision: self.attested.decision.name(),
            report: DigestSet::from(&self.attested.report),
            audit_head: self.request.audit_head.as_ref().map(DigestSet::from),
            policy: inputs.policy.iter().map(input).collect(),
            lock: inputs.lock.as_ref().map(input),
            baseline: inputs.baseline.as_ref().map(input),
            fail_on: self.attested.fail_on.name(),
            required: self.attested.required.iter().map(PluginId::as_str).collect(),
            model: Model {
                name: self.model.name.as_str(),
                source: self.model.source.as_deref(),
                revision: self.model.revision.as_deref(),
                locked: self.model.locked,
            },
            plugins: plugins
                .iter()
                .map(|plugin| Plugin {
                    id: plugin.id.as_str(),
                    version: &plugin.version,
                    bundled: plugin.bundled,
                    digest: DigestSet::from(&plugin.digest),
                })
                .collect(),
            checks: plugins
                .iter()
                .filter_map(|plugin| {
                    let check = self.model.checks.get(&plugin.id)?;
                    Some(Check {
                        plugin: plugin.id.as_str(),
                        advisory: plugin.advisory,
                        verdict: check.verdict.name(),
                        tasks: check.tasks,
                        findings: Findings::from(&check.findings),
                        facts: &check.facts,
                    })
                })
                .collect(),
            gate_findings: Findings::from(&self.model.findings),
        }
    }
}

/// Returns the properties that hold: none unless the gate allowed, and of those that a
/// check stands for, only where the bundled one counts, has nothing to say against the
/// model, and established what the property says.
fn levels(attested: &Attested, model: &AttestedModel) -> Vec<&'static str> {
    if attested.decision != Decision::Allow {
        return Vec::new();
    }
    let holds = |(_, plugin, fact): &(&str, &str, Option<&str>)| {
        let check = model.checks.iter().find(|(id, _)| id.as_str() == *plugin);
        check.is_some_and(|(id, check)| {
            is_bundled(attested, id)
                && check.verdict == Verdict::Pass
                && fact.is_none_or(|fact| check.facts.contains_key(fact))
                // Without an entry there was nothing to hold it to.
                && (*plugin != "checksum" || model.locked)
        })
    };
    let levels = LEVELS.iter().filter(|level| holds(level)).map(|(name, ..)| *name);
    [ALLOWED].into_iter().chain(levels).collect()
}

/// Tells whether the plugin `id` is a part of modelhost, and counts.
fn is_bundled(attested: &Attested, id: &PluginId) -> bool {
    attested.plugins.iter().any(|plugin| plugin.id == *id && plugin.bundled && !plugin.advisory)
}

fn is_good(check: &AttestedCheck) -> bool {
    matches!(check.verdict, Verdict::Pass | Verdict::Warn)
}

#[derive(Serialize)]
struct Verifier<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    verifier: Verifier<'a>,
    time_verified: &'a str,
    resource_uri: String,
    policy: Descriptor<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    input_attestations: Vec<Descriptor<'a>>,
    verification_result: &'static str,
    verified_levels: Vec<&'static str>,
    slsa_version: &'static str,
    #[serde(rename = "urn:modelhost:run:v1")]
    run: Run<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultText<'a> {
    verifier: Verifier<'a>,
    time_created: &'a str,
    properties: &'a [&'static str],
    #[serde(rename = "urn:modelhost:run:v1")]
    run: Run<'a>,
}

/// What modelhost says beside what the predicates have a place for, under a name of
/// its own: the run, and what came of each check.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    modelhost: &'a str,
    decision: &'static str,
    report: DigestSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_head: Option<DigestSet>,
    policy: Vec<Descriptor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<Descriptor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Descriptor<'a>>,
    fail_on: &'static str,
    required: Vec<&'a str>,
    model: Model<'a>,
    plugins: Vec<Plugin<'a>>,
    checks: Vec<Check<'a>>,
    gate_findings: Findings,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    locked: bool,
}

#[derive(Serialize)]
struct Plugin<'a> {
    id: &'a str,
    version: &'a str,
    bundled: bool,
    digest: DigestSet,
}

#[derive(Serialize)]
struct Check<'a> {
    plugin: &'a str,
    advisory: bool,
    verdict: &'static str,
    tasks: u64,
    findings: Findings,
    facts: &'a BTreeMap<String, String>,
}

/// How many findings there are, by severity; those that there are none of are left out.
#[derive(Serialize)]
struct Findings(BTreeMap<&'static str, u64>);

impl From<&Counts> for Findings {
    fn from(counts: &Counts) -> Self {
        let named = Severity::ALL.into_iter().map(Severity::name).zip(counts.iter().copied());
        Self(named.filter(|(_, count)| *count > 0).collect())
    }
}
