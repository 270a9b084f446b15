//! `modelhost explain`: what a rule means and what to do about it, in the words of
//! the plugin itself, and what the policy makes of it here.
//!
//! Leaves these words to the plugins' manifests, and the gate's own to `report`.

mod json;
mod page;
mod prose;
mod text;

use clap::{Args, ValueEnum};
use modelhost::config;
use modelhost::domain::finding::Fingerprint;
use modelhost::domain::plugin::{PluginId, PluginRef, ResolvedPlugin};
use modelhost::domain::text::GuestText;
use modelhost::plugin::resolve;
use modelhost::plugin::source::{bundled, file};
use modelhost::report::reported::Reported;
use modelhost::report::rules;

pub(crate) use self::json::json_schema;
use self::page::Page;
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
  modelhost explain --all --format markdown     every rule, as a page to publish

A rule's page says what it means and how to fix what it found, what the policy here
makes of it, and the command that waives a finding of it. `modelhost schema explain`
prints the JSON Schema of --format json.

Exit codes: 0 explained, 2 there is no such rule or finding.";

/// Say what a rule, or a finding, means and what to do about it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ExplainArgs {
    /// Rules, PLUGIN/NAME; plugins, for their rules; or fingerprints of findings.
    #[arg(value_name = "RULE|FINGERPRINT", required_unless_present = "all")]
    what: Vec<String>,

    /// Explain every rule of every plugin that takes part, and the gate's own.
    #[arg(long, conflicts_with = "what")]
    all: bool,

    /// The form.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Form,

    #[command(flatten)]
    findings: FindingsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text for a terminal.
    Human,
    /// A page to publish; nothing of a plugin's text acts in it.
    Markdown,
    /// JSON for programs.
    Json,
}

/// What was asked for, looked up.
enum Asked {
    Rule(Box<Page>),
    /// The rules of one plugin.
    Plugin(Vec<Page>),
    /// A finding, and its rule where that is known.
    Finding(Box<Reported>, Option<Box<Page>>),
}

pub(crate) fn run(args: &ExplainArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.findings.policy)?;
    let plugins = plugins(args, &context)?;
    let lookup = Lookup { plugins, config: context.config.clone() };
    let wanted: Vec<String> = if args.all {
        let ids = lookup.plugins.iter().map(|plugin| plugin.manifest.id.to_string());
        ids.chain(["gate".to_owned()]).collect()
    } else {
        args.what.clone()
    };
    // A run tells of all findings at once, and is made where one is asked for.
    let is_finding = |what: &String| what.parse::<Fingerprint>().is_ok();
    let found = match wanted.iter().any(is_finding) {
        true => args.findings.findings(context, global)?,
        false => Vec::new(),
    };
    let mut asked = Vec::new();
    for what in &wanted {
        match lookup.find(what, &found)? {
            Some(answer) => asked.push(answer),
            None => return Ok(lookup.unknown(what)),
        }
    }
    let report = args.findings.report.as_ref().map(|path| path.display().to_string());
    print(&write(args, asked, report.as_deref())?)
}

/// Writes what was found in the form that is asked for.
fn write(args: &ExplainArgs, asked: Vec<Asked>, report: Option<&str>) -> anyhow::Result<Vec<u8>> {
    match args.format {
        Form::Json => {
            let (mut pages, mut found) = (Vec::new(), Vec::new());
            for asked in asked {
                match asked {
                    Asked::Rule(page) => pages.push(*page),
                    Asked::Plugin(of) => pages.extend(of),
                    Asked::Finding(finding, page) => {
                        found.push(*finding);
                        pages.extend(page.map(|page| *page));
                    }
                }
            }
            let mut known = std::collections::BTreeSet::new();
            pages.retain(|page| known.insert(page.described.id.clone()));
            json::json(&pages, &found.iter().collect::<Vec<_>>(), report)
        }
        Form::Markdown if args.all => {
            let pages = asked.into_iter().flat_map(|asked| match asked {
                Asked::Plugin(pages) => pages,
                Asked::Rule(_) | Asked::Finding(..) => Vec::new(),
            });
            Ok(text::reference(&pages.collect::<Vec<_>>()).into_bytes())
        }
        form => {
            let parts = asked.iter().map(|asked| part(asked, form == Form::Human, report));
            Ok(parts.collect::<Vec<_>>().join("\n").into_bytes())
        }
    }
}

/// Writes one thing that was asked for, for a person or as Markdown.
fn part(asked: &Asked, human: bool, report: Option<&str>) -> String {
    let page = |page: &Page, way: Option<&str>| match human {
        true => text::page(page, way),
        false => text::section(page, way),
    };
    let any = |of: &Page| page(of, of.waive("FINGERPRINT", report).as_deref());
    match asked {
        Asked::Rule(rule) => any(rule),
        Asked::Plugin(pages) if human => pages.iter().map(text::row).collect(),
        Asked::Plugin(pages) => pages.iter().map(any).collect::<Vec<_>>().join("\n"),
        Asked::Finding(finding, rule) => {
            let told = match human {
                true => text::finding(finding),
                false => text::finding_section(finding),
            };
            let way = text::way(finding, report);
            let rule = rule.as_ref().map(|rule| page(rule, way.as_deref()));
            told + &rule.map(|rule| format!("\n{rule}")).unwrap_or_default()
        }
    }
}

struct Lookup {
    plugins: Vec<ResolvedPlugin>,
    config: Option<config::Config>,
}

impl Lookup {
    /// Looks `what` up among rules, plugins and the findings `found`.
    fn find(&self, what: &str, found: &[Reported]) -> anyhow::Result<Option<Asked>> {
        if let Ok(fingerprint) = what.parse::<Fingerprint>() {
            let finding = found.iter().find(|found| found.fingerprint == fingerprint);
            let Some(finding) = finding else {
                anyhow::bail!(
                    "there is no finding {fingerprint} among these {}: name the report that tells of it with --report",
                    found.len()
                );
            };
            let page = self.rule(&finding.code).map(Box::new);
            return Ok(Some(Asked::Finding(Box::new(finding.clone()), page)));
        }
        if let Some(page) = self.rule(what) {
            return Ok(Some(Asked::Rule(Box::new(page))));
        }
        if what == "gate" {
            return Ok(Some(Asked::Plugin(rules::gate().filter_map(Page::of_gate).collect())));
        }
        let plugin = self.plugins.iter().find(|known| known.manifest.id.as_str() == what);
        Ok(plugin.map(|plugin| {
            let names = plugin.manifest.rules.iter().map(|rule| rule.name.as_str());
            let page = |name| Page::of_plugin(plugin, name, self.config.as_ref());
            Asked::Plugin(names.filter_map(page).collect())
        }))
    }

    fn rule(&self, wanted: &str) -> Option<Page> {
        if let Some(page) = Page::of_gate(wanted) {
            return Some(page);
        }
        let (plugin, name) = wanted.split_once('/')?;
        let plugin = self.plugins.iter().find(|known| known.manifest.id.as_str() == plugin)?;
        Page::of_plugin(plugin, name, self.config.as_ref())
    }

    /// Says that there is nothing called `what`, and what may be meant.
    fn unknown(&self, what: &str) -> Exit {
        let mut known: Vec<String> = rules::gate().map(str::to_owned).collect();
        for plugin in &self.plugins {
            let id = plugin.manifest.id.as_str();
            known.push(id.to_owned());
            known.extend(plugin.manifest.rules.iter().map(|rule| format!("{id}/{}", rule.name)));
        }
        say::line(&format!("error: there is no rule `{}`", GuestText::new(what, 200)));
        say::line(&match config::nearest(what, known.iter().map(String::as_str)) {
            Some(near) => format!("  = help: did you mean `{near}`?"),
            None => "  = help: `modelhost plugin list` lists the plugins, `modelhost explain PLUGIN` the rules of one".to_owned(),
        });
        Exit::Usage
    }
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
