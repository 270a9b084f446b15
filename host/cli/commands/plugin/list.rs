//! `modelhost plugin list`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use modelhost::domain::plugin::{PluginId, PluginRef, ResolvedPlugin};
use modelhost::domain::text::GuestText;
use modelhost::plugin::source::{bundled, file};
use modelhost::plugin::{PluginError, description, resolve};

use super::granted;
use crate::args::{GlobalArgs, PluginArgs};
use crate::commands::print;
use crate::exit::Exit;
use crate::say;

const EXAMPLES: &str = "\
Examples:
  modelhost plugin list                          the plugins that are part of modelhost
  modelhost plugin list --plugins ./plugins      and those in ./plugins
  modelhost plugin list --json | jq -r '.plugins[].rules[].id'

Exit codes: 0 all of them can be used, 2 one of them can't.";

/// List the bundled plugins, and those in folders.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    plugins: PluginArgs,

    /// Print JSON: all that `inspect` tells of each.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let mut references = Vec::new();
    if !args.plugins.no_bundled {
        references.extend(
            bundled::names().map(PluginId::new).filter_map(Result::ok).map(PluginRef::Bundled),
        );
    }
    for folder in &args.plugins.plugins {
        references.extend(file::list(folder)?.into_iter().map(PluginRef::File));
    }
    if references.is_empty() {
        say::line("error: there is no plugin to list");
        say::line(
            "  = help: build the bundled plugins by `cargo xtask plugins` and modelhost again, or name a folder of plugins by `--plugins DIR`",
        );
        return Ok(Exit::Usage);
    }
    let (plugins, errors): (Vec<_>, Vec<_>) =
        references.iter().map(resolve::resolve).partition(Result::is_ok);
    let plugins: Vec<ResolvedPlugin> = plugins.into_iter().filter_map(Result::ok).collect();
    let errors: Vec<PluginError> = errors.into_iter().filter_map(Result::err).collect();
    let text = if args.json {
        description::json(plugins.iter().map(|plugin| (plugin, granted(plugin)))) + "\n"
    } else {
        table(&plugins)
    };
    let printed = print(text.as_bytes())?;
    let mut exit = printed;
    for error in errors {
        exit = say::error(&error.into(), global);
    }
    for twice in named_twice(&plugins) {
        say::line(&twice);
        exit = Exit::Usage;
    }
    Ok(exit)
}

/// Returns a table of `plugins`, a line each.
fn table(plugins: &[ResolvedPlugin]) -> String {
    let row = |plugin: &ResolvedPlugin| {
        let asked: Vec<_> = plugin.imports.capabilities.iter().map(|c| c.name()).collect();
        [
            plugin.manifest.id.to_string(),
            plugin.manifest.version.to_string(),
            place(plugin),
            asked.join(","),
            plugin.manifest.title.clone(),
        ]
    };
    let head = ["ID", "VERSION", "FROM", "ASKS FOR", "TITLE"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(plugins.iter().map(row)).collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut out = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(out, "{cell:width$}  ");
        }
        out.extend([row[4].as_str(), "\n"]);
    }
    out
}

fn place(plugin: &ResolvedPlugin) -> String {
    match &plugin.origin {
        PluginRef::Bundled(_) => "bundled".to_owned(),
        PluginRef::File(path) => GuestText::capped(&path.to_string_lossy()).to_string(),
    }
}

/// Says which ids more than one plugin has.
fn named_twice(plugins: &[ResolvedPlugin]) -> Vec<String> {
    let mut places: BTreeMap<&PluginId, Vec<String>> = BTreeMap::new();
    for plugin in plugins {
        places.entry(&plugin.manifest.id).or_default().push(place(plugin));
    }
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    twice
        .map(|(id, places)| {
            format!(
                "error: several plugins have the id `{id}`: {}\n  = help: take one of them away, or say which in \
                 modelhost.toml:\n            [plugin.{id}]\n            component = \"PATH\"",
                places.join(", ")
            )
        })
        .collect()
}
