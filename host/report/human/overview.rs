//! What `-v` adds: the plugins, and for each model how its files were judged,
//! what each plugin made of it, and the facts.
//!
//! Leaves findings and errors to `notice`.

use std::collections::BTreeMap;
use std::io;

use super::paint::Paint;
use crate::domain::model::FilePath;
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, Judgement, ModelReport, Report, TaskReport};
use crate::domain::text::GuestText;
use crate::domain::verdict::Verdict;
use crate::report::summary::count;

/// Writes the overview of `report`.
pub(super) fn write(report: &Report, paint: &mut Paint<'_>) -> io::Result<()> {
    if !report.plugins.is_empty() {
        paint.strong("plugins")?;
        paint.end()?;
    }
    for plugin in &report.plugins {
        let manifest = &plugin.plugin.manifest;
        let mode = if plugin.advisory { ", only advises" } else { "" };
        let required = if report.required.contains(&manifest.id) { ", required" } else { "" };
        let title = GuestText::capped(&manifest.title);
        paint.line(&format!("  {} {}{mode}{required}: {title}", manifest.id, manifest.version))?;
        paint.line(&format!("    {}", plugin.plugin.digest))?;
    }
    let mut tasks: BTreeMap<_, Vec<&TaskReport>> = BTreeMap::new();
    for task in &report.tasks {
        tasks.entry(&task.model).or_default().push(task);
    }
    for model in &report.models {
        let own = tasks.get(&model.name).map(Vec::as_slice).unwrap_or_default();
        write_model(model, own, paint)?;
    }
    paint.end()
}

fn write_model(
    model: &ModelReport,
    tasks: &[&TaskReport],
    paint: &mut Paint<'_>,
) -> io::Result<()> {
    let path = GuestText::capped(&model.path);
    paint.strong(&format!("model {}", model.name))?;
    let place =
        if path.as_str() == model.name.as_str() { String::new() } else { format!(" at {path}") };
    paint.line(&format!("{place}, {}", if model.locked { "locked" } else { "not locked" }))?;
    if let Some(tree) = model.tree {
        paint.line(&format!("  {tree}"))?;
    }
    let mut judged = [0; 4];
    for file in &model.files {
        let index = match file.judged {
            Judgement::By(_) => 0,
            Judgement::Companion => 1,
            Judgement::Empty => 2,
            Judgement::LfsPointer | Judgement::No => 3,
        };
        judged[index] += 1;
    }
    let [by, companions, empty, not] = judged.map(count);
    let files = count(model.files.len());
    paint.line(&format!(
        "  files: {files} (judged {by}, companions {companions}, empty {empty}, not judged {not})"
    ))?;
    let mut of_plugin: BTreeMap<&PluginId, Vec<&TaskReport>> = BTreeMap::new();
    for task in tasks {
        of_plugin.entry(&task.plugin).or_default().push(task);
    }
    for (plugin, tasks) in of_plugin {
        let verdicts = [Verdict::Fail, Verdict::Error, Verdict::Warn, Verdict::Pass, Verdict::Skip]
            .map(|verdict| (verdict, tasks.iter().filter(|task| task.verdict == verdict).count()));
        let verdicts: Vec<String> = verdicts
            .into_iter()
            .filter(|(_, number)| *number > 0)
            .map(|(verdict, number)| format!("{} {}", count(number), verdict.name()))
            .collect();
        paint.line(&format!("  {plugin}: {}", verdicts.join(", ")))?;
        for task in &tasks {
            write_facts(task, paint)?;
        }
        write_skips(&tasks, paint)?;
    }
    Ok(())
}

fn write_facts(task: &TaskReport, paint: &mut Paint<'_>) -> io::Result<()> {
    let Ending::Checked(facts) = &task.ending else {
        return Ok(());
    };
    let of_file = task.file.as_ref().map(|file| format!(" ({file})"));
    facts.iter().try_for_each(|fact| {
        let key = GuestText::capped(&fact.key);
        paint.line(&format!("    {key} = {}{}", fact.value, of_file.as_deref().unwrap_or_default()))
    })
}

/// Writes why files, or the model, are not applicable, each reason once.
fn write_skips(tasks: &[&TaskReport], paint: &mut Paint<'_>) -> io::Result<()> {
    let mut reasons: BTreeMap<&GuestText, Vec<&FilePath>> = BTreeMap::new();
    for task in tasks {
        if let Ending::NotApplicable(reason) = &task.ending {
            reasons.entry(reason).or_default().extend(&task.file);
        }
    }
    reasons.iter().try_for_each(|(reason, files)| {
        let of_files = match files.as_slice() {
            [] => String::new(),
            [file] => format!(" ({file})"),
            files => format!(" ({} files)", count(files.len())),
        };
        paint.line(&format!("    not applicable: {reason}{of_files}"))
    })
}
