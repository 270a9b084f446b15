//! `modelhost explain`: what a rule means and what to do about it, in the words of
//! the plugin itself.
//!
//! Leaves these words to the plugins' manifests, and the gate's own to `report`.

use std::fmt::Write as _;

use clap::Args;
use modelhost::config;
use modelhost::domain::finding::Fingerprint;
use modelhost::domain::plugin::{PluginId, PluginRef, ResolvedPlugin};
use modelhost::domain::text::GuestText;
use modelhost::plugin::resolve;
use modelhost::plugin::source::{bundled, file};
use modelhost::report::reported::Reported;
use modelhost::report::rules::{self, Described};

use super::findings::FindingsArgs;
use crate::args::GlobalArgs;
use crate::commands::print;
use crate::context::Context;
use crate::exit::Exit;
use crate::say;

const HELP: &str = "\
Examples:
  modelhost explain license/not-allowed         a rule
  modelhost explain license                     the rules of a plugin
  modelhost explain gate/not-judged             one of the gate's own
  modelhost explain 4fd1... --report report.json    a finding of a report

Exit codes: 0 explained, 2 there is no such rule or finding.";

/// Say what a rule, or a finding, means and what to do about it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ExplainArgs {
    /// A rule, PLUGIN/NAME; a plugin, for its rules; or the fingerprint of a finding.
    #[arg(value_name = "RULE|FINGERPRINT")]
    what: String,

    #[command(flatten)]
    findings: FindingsArgs,
}

pub(crate) fn run(args: &ExplainArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.findings.policy)?;
    let plugins = plugins(args, &context)?;
    if let Ok(fingerprint) = args.what.parse::<Fingerprint>() {
        return finding(args, fingerprint, context, &plugins, global);
    }
    if let Some(text) = rule(&args.what, &plugins, Some(&context)) {
        return print(text.as_bytes());
    }
    if let Some(text) = of_plugin(&args.what, &plugins) {
        return print(text.as_bytes());
    }
    let mut known: Vec<String> = rules::gate().map(str::to_owned).collect();
    for plugin in &plugins {
        known.push(plugin.manifest.id.to_string());
        known.extend(plugin.manifest.rules.iter().map(|rule| id(plugin, &rule.name)));
    }
    say::line(&format!("error: there is no rule `{}`", GuestText::new(&args.what, 200)));
    say::line(&match config::nearest(&args.what, known.iter().map(String::as_str)) {
        Some(near) => format!("  = help: did you mean `{near}`?"),
        None => "  = help: `modelhost plugin list` lists the plugins, `modelhost explain PLUGIN` the rules of one".to_owned(),
    });
    Ok(Exit::Usage)
}

/// Reads the plugins that a run with these arguments has. None of them is run.
fn plugins(args: &ExplainArgs, context: &Context) -> anyhow::Result<Vec<ResolvedPlugin>> {
    let mut references = Vec::new();
    if let Some(config) = &context.config {
        let components = config.components.values();
        references.extend(components.map(|path| PluginRef::File(config.root.join(path))));
    }
    for folder in &args.findings.plugins.plugins {
        references.extend(file::list(folder)?.into_iter().map(PluginRef::File));
    }
    if !args.findings.plugins.no_bundled {
        let names = bundled::names().map(PluginId::new).filter_map(Result::ok);
        references.extend(names.map(PluginRef::Bundled));
    }
    let mut plugins: Vec<ResolvedPlugin> = Vec::new();
    for reference in &references {
        let plugin = resolve::resolve(reference)?;
        // What the policy names goes before what is bundled.
        if plugins.iter().all(|known| known.manifest.id != plugin.manifest.id) {
            plugins.push(plugin);
        }
    }
    Ok(plugins)
}

fn id(plugin: &ResolvedPlugin, name: &str) -> String {
    format!("{}/{name}", plugin.manifest.id)
}

/// Explains the rule `wanted`, with what the policy makes of it; none where there
/// is no such rule.
fn rule(wanted: &str, plugins: &[ResolvedPlugin], context: Option<&Context>) -> Option<String> {
    if let Some(described) = rules::of_gate(wanted) {
        let own = "one of the gate's own rules: what it finds can't be waived";
        return Some(page(&described, own, &[]));
    }
    let (plugin, name) = wanted.split_once('/')?;
    let plugin = plugins.iter().find(|known| known.manifest.id.as_str() == plugin)?;
    let manifest = &plugin.manifest;
    let rule = manifest.rule(name)?;
    let described = rules::of_rule(id(plugin, name), rule);
    let from = match &plugin.origin {
        PluginRef::Bundled(_) => "bundled".to_owned(),
        PluginRef::File(path) => GuestText::capped(&path.to_string_lossy()).to_string(),
    };
    let mut notes = Vec::new();
    if rule.missing {
        notes.push(format!(
            "It says that something is missing, and so denies where {} is required.",
            manifest.id
        ));
    }
    let said = context
        .and_then(|context| context.config.as_ref())
        .and_then(|config| config.policy.plugins.get(&manifest.id)?.severity.get(name));
    if let Some(severity) = said {
        notes.push(format!("modelhost.toml makes it {severity} here."));
    }
    notes.push(
        "To let one case of it pass for a time: `modelhost waiver add FINGERPRINT --reason ... --owner ... --expires ...`; a report names the fingerprint."
            .to_owned(),
    );
    Some(page(&described, &format!("plugin {} {} ({from})", manifest.id, manifest.version), &notes))
}

fn page(described: &Described, from: &str, notes: &[String]) -> String {
    let Described { id, title, help, severity } = described;
    let mut out = format!("{id}: {title}\n{severity} by default; {from}\n\n{}\n", help.trim_end());
    for note in notes {
        let _ = write!(out, "\n{note}\n");
    }
    out
}

/// Lists the rules of the plugin `wanted`, or the gate's own.
fn of_plugin(wanted: &str, plugins: &[ResolvedPlugin]) -> Option<String> {
    let mut out = String::new();
    if wanted == "gate" {
        for described in rules::gate().filter_map(rules::of_gate) {
            let _ = writeln!(
                out,
                "{:8}  {}  {}",
                described.severity.name(),
                described.id,
                described.title
            );
        }
        return Some(out);
    }
    let plugin = plugins.iter().find(|known| known.manifest.id.as_str() == wanted)?;
    let manifest = &plugin.manifest;
    let title = GuestText::capped(&manifest.title);
    let _ = writeln!(out, "{} {}: {title}", manifest.id, manifest.version);
    for rule in &manifest.rules {
        let title = GuestText::capped(&rule.title);
        let _ = writeln!(out, "{:8}  {}  {title}", rule.severity.name(), id(plugin, &rule.name));
    }
    Some(out)
}

fn finding(
    args: &ExplainArgs,
    fingerprint: Fingerprint,
    context: Context,
    plugins: &[ResolvedPlugin],
    global: &GlobalArgs,
) -> anyhow::Result<Exit> {
    let found = args.findings.findings(context, global)?;
    let Some(finding) = found.iter().find(|found| found.fingerprint == fingerprint) else {
        anyhow::bail!(
            "there is no finding {fingerprint} among these {}: name the report that tells of it with --report",
            found.len()
        );
    };
    let mut text = told(finding);
    if let Some(rule) = rule(&finding.code, plugins, None) {
        let _ = write!(text, "\n{rule}");
    }
    print(text.as_bytes())
}

fn told(finding: &Reported) -> String {
    let state = match () {
        () if finding.waived => "waived",
        () if finding.in_baseline => "in the baseline",
        () if finding.denies => "denies",
        () => "does not deny",
    };
    let file = finding.file.as_ref().map(|file| format!("\n  file    {file}")).unwrap_or_default();
    let digest = finding.digest.map(|digest| format!("\n  digest  {digest}")).unwrap_or_default();
    format!(
        "{}[{}]: {}\n  model   {}{file}{digest}\n  state   {state}\n",
        finding.severity, finding.code, finding.message, finding.model
    )
}
