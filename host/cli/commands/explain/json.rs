//! Rules and findings as JSON for other programs: version 1 of `modelhost explain
//! --format json`.
//!
//! Frozen: fields are only ever added. Leaves what is said to `page`.

use modelhost::report::reported::Reported;
use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use super::text::{state, way};

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-explain/v1";

/// Rules, and findings, with what the policy makes of them. Text of plugins has its
/// control characters written out, but for the line ends of help texts.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost explain, version 1")]
struct Document<'a> {
    /// `modelhost-explain/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The rules that were asked for, and those of the findings.
    rules: Vec<Rule<'a>>,
    /// The findings that were asked for.
    findings: Vec<Finding<'a>>,
}

/// One rule.
#[derive(Serialize, JsonSchema)]
struct Rule<'a> {
    /// Its id, `<plugin>/<name>`; `gate/<name>` for the gate's own.
    id: &'a str,
    /// A few words.
    title: &'a str,
    /// How bad it usually is: `info`, `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// Whether it says that something is missing, so that it denies when its plugin
    /// is required.
    missing: bool,
    /// What it means, why it matters and how to fix it, in Markdown. Whoever wrote the
    /// plugin wrote this: show it as you show what strangers write.
    help: &'a str,
    /// The plugin; absent for the gate's own rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Plugin<'a>>,
    /// Whether a waiver can cover its findings.
    waivable: bool,
    /// What the policy makes of it; absent for the gate's own rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<Here<'a>>,
}

/// The plugin of a rule.
#[derive(Serialize, JsonSchema)]
struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// Its version.
    version: &'a str,
    /// `bundled`, or its file.
    origin: &'a str,
}

/// What the policy makes of a rule's findings.
#[derive(Serialize, JsonSchema)]
struct Here<'a> {
    /// How bad they are, where their plugin does not say otherwise.
    severity: &'static str,
    /// Whether the policy says so, and not the plugin.
    severity_set: bool,
    /// Findings at or above this deny.
    fail_on: &'static str,
    /// What comes of one: `denies`, `warns`, or `told`, where it changes nothing.
    effect: &'static str,
    /// Whether the plugin is required of every model.
    required: bool,
    /// The models that require the plugin by their definition.
    required_by: &'a [String],
    /// Whether the plugin only advises.
    advisory: bool,
    /// Globs over the models that the plugin looks at; none for all.
    applies_to: &'a [String],
    /// The waivers of the rule.
    waivers: Vec<Waiver<'a>>,
}

/// A waiver of a rule.
#[derive(Serialize, JsonSchema)]
struct Waiver<'a> {
    /// The model.
    model: &'a str,
    /// Its last day, UTC: `2026-12-31`.
    expires: &'a str,
}

/// One finding.
#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    /// What it is known by.
    fingerprint: String,
    /// Its rule.
    rule: &'a str,
    /// How bad it is.
    severity: &'static str,
    /// What was seen.
    message: &'a str,
    /// The name of the model.
    model: &'a str,
    /// The path of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// What within the file: an archive member, a tensor, a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    /// A byte offset from the start of the member, else of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// A line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The line of the lock file that speaks of it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_line: Option<u32>,
    /// The digest that a waiver of it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What comes of it: `denies`, `does-not-deny`, `waived` or `in-the-baseline`.
    state: &'static str,
    /// The command that waives it; absent where it can't be, or is waived.
    #[serde(skip_serializing_if = "Option::is_none")]
    waive: Option<String>,
}

/// Returns the JSON document about `pages` and `findings`.
pub(super) fn json(
    pages: &[Page],
    findings: &[&Reported],
    report: Option<&str>,
) -> anyhow::Result<Vec<u8>> {
    let document = Document {
        schema: SCHEMA,
        modelhost: env!("CARGO_PKG_VERSION"),
        rules: pages.iter().map(rule).collect(),
        findings: findings.iter().map(|found| finding(found, report)).collect(),
    };
    crate::commands::text_of(&document)
}

/// Returns the schema of what [`json`] returns.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document<'_>).to_value()
}

fn rule(page: &Page) -> Rule<'_> {
    let described = &page.described;
    Rule {
        id: &described.id,
        title: &described.title,
        severity: described.severity.name(),
        missing: page.missing,
        help: &described.help,
        plugin: page.plugin.as_ref().map(|plugin| Plugin {
            id: &plugin.id,
            version: &plugin.version,
            origin: &plugin.origin,
        }),
        waivable: page.plugin.is_some(),
        here: page.here.as_ref().map(|here| Here {
            severity: here.severity.name(),
            severity_set: here.is_set,
            fail_on: here.fail_on.name(),
            effect: here.effect.name(),
            required: here.required,
            required_by: &here.required_by,
            advisory: here.advisory,
            applies_to: &here.applies_to,
            waivers: here
                .waivers
                .iter()
                .map(|(model, expires)| Waiver { model, expires })
                .collect(),
        }),
    }
}

fn finding<'a>(found: &'a Reported, report: Option<&str>) -> Finding<'a> {
    Finding {
        fingerprint: found.fingerprint.to_string(),
        rule: &found.code,
        severity: found.severity.name(),
        message: found.message.as_str(),
        model: found.model.as_str(),
        file: found.file.as_ref().map(ToString::to_string),
        member: found.member.as_ref().map(|member| member.as_str()),
        offset: found.offset,
        line: found.line,
        lock_line: found.lock_line,
        digest: found.digest.map(|digest| digest.to_string()),
        state: state(found),
        waive: way(found, report),
    }
}
