//! A plugin in the report.

use schemars::JsonSchema;
use serde::Serialize;

use super::inert;
use super::words::{Reads, Scope};
use crate::domain::capability;
use crate::domain::plugin::PluginRef;
use crate::domain::report::PluginReport;

/// One plugin that took part.
#[derive(Serialize, JsonSchema)]
pub(super) struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// Its version.
    version: String,
    /// A few words on it.
    title: String,
    /// The digest of its component, `sha256:<hex>`.
    digest: String,
    /// Where its component came from.
    origin: Origin,
    /// Whether its findings count.
    mode: Mode,
    /// What one task of it sees.
    scope: Scope,
    /// How much it promises to read.
    reads: Reads,
    /// Whether a file that it answers `checked` for is judged.
    judges: bool,
    /// The version of the contract it was built against.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<String>,
    /// The capabilities it asks for, sorted.
    imports: Vec<&'static str>,
    /// What it is granted.
    grants: Grants<'a>,
    /// What its tasks may use.
    limits: Limits,
}

/// Where a component came from.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// It is part of modelhost.
    Bundled,
    /// It is a file of the operator's.
    File,
}

/// Whether the findings of a plugin count.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// They deny, and its errors block.
    Enforce,
    /// They are shown, and neither deny nor block.
    Advise,
}

/// What a plugin is granted.
#[derive(Serialize, JsonSchema)]
struct Grants<'a> {
    /// The capabilities, sorted.
    capabilities: Vec<&'static str>,
    /// The names of the documents, sorted.
    documents: Vec<&'a str>,
}

/// What each task of a plugin may use.
#[derive(Serialize, JsonSchema)]
struct Limits {
    /// Fuel, whatever the view.
    fuel: u64,
    /// Fuel added for each byte of the view.
    fuel_per_byte: u64,
    /// Wall time in milliseconds, whatever the view.
    deadline_ms: u64,
    /// Wall time in milliseconds added for each GiB of the view.
    deadline_per_gib_ms: u64,
    /// Bytes over all linear memories.
    memory: u64,
    /// Elements over all tables.
    table_elements: u64,
    /// Instances.
    instances: u32,
    /// Calls into the host, whatever the view.
    host_calls: u64,
    /// Handles alive at once.
    handles: u32,
    /// Findings in an answer.
    findings: u32,
    /// Bytes of one text in an answer.
    text: u32,
    /// Facts in an answer.
    facts: u32,
    /// Log lines.
    log_lines: u32,
}

impl<'a> From<&'a PluginReport> for Plugin<'a> {
    fn from(report: &'a PluginReport) -> Self {
        let PluginReport { plugin, grants, limits, advisory } = report;
        Self {
            id: plugin.manifest.id.as_str(),
            version: plugin.manifest.version.to_string(),
            title: inert(&plugin.manifest.title),
            digest: plugin.digest.to_string(),
            // The path would tell one machine from another.
            origin: match plugin.origin {
                PluginRef::Bundled(_) => Origin::Bundled,
                PluginRef::File(_) => Origin::File,
            },
            mode: if *advisory { Mode::Advise } else { Mode::Enforce },
            scope: plugin.manifest.scope.into(),
            reads: plugin.manifest.reads.into(),
            judges: plugin.manifest.judges,
            contract: plugin.imports.contract.as_deref().map(inert),
            imports: plugin
                .imports
                .capabilities
                .iter()
                .map(|capability| capability.name())
                .collect(),
            grants: Grants {
                capabilities: grants.capabilities().map(capability::Capability::name).collect(),
                documents: grants.documents().collect(),
            },
            limits: limits.into(),
        }
    }
}

impl From<&capability::Limits> for Limits {
    fn from(limits: &capability::Limits) -> Self {
        let ms =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            fuel: limits.fuel,
            fuel_per_byte: limits.fuel_per_byte,
            deadline_ms: ms(limits.deadline),
            deadline_per_gib_ms: ms(limits.deadline_per_gib),
            memory: limits.memory,
            table_elements: limits.table_elements,
            instances: limits.instances,
            host_calls: limits.host_calls,
            handles: limits.handles,
            findings: limits.findings,
            text: limits.text,
            facts: limits.facts,
            log_lines: limits.log_lines,
        }
    }
}
