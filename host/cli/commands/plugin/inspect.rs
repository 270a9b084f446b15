//! `modelhost plugin inspect`.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use modelhost::domain::capability::{Capability, MAX_ASK};
use modelhost::domain::plugin::{Manifest, PluginId, PluginRef, Reads, ResolvedPlugin, Scope};
use modelhost::domain::text::GuestText;
use modelhost::plugin::{PluginError, component, description, resolve};

use super::granted;
use crate::commands::print;
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  modelhost plugin inspect license               a bundled plugin, by its id
  modelhost plugin inspect plugins/scan.wasm     a file
  modelhost plugin inspect ./scan                a file whose name could be an id
  modelhost plugin inspect --json license | jq '.plugins[0].capabilities'

Nothing of the plugin is run: what it asks for is read from its imports, and
what it says of itself from its manifest, which its digest covers.";

/// Show what a plugin asks for and what it says of itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    /// A .wasm file, or the id of a bundled plugin.
    #[arg(value_name = "FILE|ID")]
    plugin: String,

    /// Print JSON: the same, and the help of each rule.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<Exit> {
    let reference = match PluginId::new(&args.plugin) {
        Ok(id) => PluginRef::Bundled(id),
        Err(_) => PluginRef::File(Path::new(&args.plugin).to_owned()),
    };
    let plugin = resolve::resolve(&reference)?;
    component::validate(&plugin.bytes).map_err(|source| PluginError::Component {
        place: GuestText::capped(&args.plugin),
        source,
    })?;
    let text = if args.json {
        description::json([(&plugin, granted(&plugin))]) + "\n"
    } else {
        describe(&plugin)
    };
    print(text.as_bytes())
}

/// Describes `plugin` to a person.
fn describe(plugin: &ResolvedPlugin) -> String {
    let mut out = Text::default();
    let manifest = &plugin.manifest;
    out.line(&format!("{} {}: {}", manifest.id, manifest.version, manifest.title));
    for line in manifest.description.lines() {
        out.line(&format!("  {line}"));
    }
    out.line("");
    facts(&mut out, plugin);
    capabilities(&mut out, plugin);
    limits(&mut out, manifest);
    rules(&mut out, manifest);
    out.head("settings");
    match description::settings_text(manifest) {
        None => out.line("  none"),
        Some(schema) => schema.lines().for_each(|line| out.line(&format!("  {line}"))),
    }
    out.0
}

fn facts(out: &mut Text, plugin: &ResolvedPlugin) {
    let manifest = &plugin.manifest;
    out.fact("digest", &plugin.digest.to_string());
    out.fact("size", &format!("{} bytes", plugin.bytes.len()));
    out.fact(
        "from",
        &match &plugin.origin {
            PluginRef::Bundled(_) => "this modelhost, which it is part of".to_owned(),
            PluginRef::File(path) => GuestText::capped(&path.to_string_lossy()).to_string(),
        },
    );
    out.fact("contract", plugin.imports.contract.as_deref().unwrap_or("none"));
    out.fact("license", manifest.license.as_deref().unwrap_or("none stated"));
    if let Some(homepage) = &manifest.homepage {
        out.fact("homepage", homepage);
    }
    out.fact(
        "scope",
        match manifest.scope {
            Scope::Model => "model: one task sees all its files of a model",
            Scope::File => "file: one task for each of its files",
        },
    );
    out.fact("files", &manifest.files.join(", "));
    out.fact(
        "reads",
        match manifest.reads {
            Reads::Whole => "whole: every byte of each file it answers for",
            Reads::Parts => "parts: something of each file it answers for",
            Reads::None => "none: it promises to read nothing",
        },
    );
    out.fact(
        "judges",
        if manifest.judges {
            "yes: a file it answers for has been judged"
        } else {
            "no: a file it answers for still needs a plugin that judges"
        },
    );
}

fn capabilities(out: &mut Text, plugin: &ResolvedPlugin) {
    let id = &plugin.manifest.id;
    let granted = granted(plugin);
    out.head("asks for");
    for capability in &plugin.imports.capabilities {
        if granted.has(*capability) {
            out.fact(capability.name(), "granted");
            continue;
        }
        out.fact(capability.name(), "not granted; to grant it, write in modelhost.toml:");
        let grant = match capability {
            Capability::Documents => "documents:NAME",
            other => other.name(),
        };
        out.policy(&format!("[plugin.{id}]"));
        out.policy(&format!("grants = [\"{grant}\"]"));
    }
    for import in &plugin.imports.unknown {
        out.line(&format!("  {import}: no grant can give it, so its tasks are refused"));
    }
    if plugin.imports.capabilities.is_empty() && plugin.imports.unknown.is_empty() {
        out.line("  nothing");
    }
}

fn limits(out: &mut Text, manifest: &Manifest) {
    let asked = &manifest.limits;
    out.head("limits");
    if asked.is_empty() {
        out.line("  the default ones");
    }
    for (limit, amount) in asked.iter() {
        let (unit, default) = (limit.unit(), limit.default());
        out.fact(
            limit.name(),
            &format!("{} instead of {}", unit.write(amount), unit.write(default)),
        );
    }
    if let Some(limit) = asked.excess() {
        let amount = asked.get(limit).unwrap_or_default();
        out.line(&format!(
            "  {} is more than {MAX_ASK} times the default; to allow it, write in modelhost.toml:",
            limit.name()
        ));
        out.policy(&format!("[plugin.{}]", manifest.id));
        out.policy(&format!("limits = {{ {} = {} }}", limit.name(), limit.unit().toml(amount)));
    }
}

fn rules(out: &mut Text, manifest: &Manifest) {
    out.head("rules");
    if manifest.rules.is_empty() {
        out.line("  none");
    }
    let width = manifest.rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in &manifest.rules {
        let missing = if rule.missing { " (denies where the plugin is required)" } else { "" };
        let severity = rule.severity.name();
        out.line(&format!("  {severity:8}  {:width$}  {}{missing}", rule.name, rule.title));
    }
}

/// The text that is built.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "{}", line.trim_end());
    }

    fn head(&mut self, head: &str) {
        self.line(&format!("\n{head}"));
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:13}  {value}"));
    }

    fn policy(&mut self, line: &str) {
        self.line(&format!("      {line}"));
    }
}
