//! The sections of the page: the numbers, the findings, the models, the coverage,
//! the inputs.
//!
//! Leaves the frame around them to `html`.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::domain::finding::{Fact, Severity};
use crate::domain::model::ModelName;
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, FileReport, Judgement, ModelReport, Report, TaskReport};
use crate::domain::text::GuestText;
use crate::domain::verdict::Verdict;
use crate::report::format::ModelHistory;
use crate::report::notice::{Label, Rank, Told};
use crate::report::summary::{Summary, count};

/// The most findings on a page: what a browser still filters at once.
const MAX_FINDINGS: usize = 20_000;

/// The most files on a page.
const MAX_FILES: usize = 20_000;

/// The most rows of coverage on a page.
const MAX_ROWS: usize = 5_000;

/// The most names in a filter's list.
const MAX_NAMES: usize = 1_000;

/// Returns the numbers that stand under the decision.
pub(super) fn tiles(report: &Report) -> Markup {
    let summary = Summary::of(report);
    let mut tiles = vec![
        (summary.denied, "denied"),
        (summary.not_judged, "not judged"),
        (summary.warnings, if summary.warnings == 1 { "warning" } else { "warnings" }),
        (summary.models, if summary.models == 1 { "model" } else { "models" }),
        (summary.files, if summary.files == 1 { "file" } else { "files" }),
        (summary.plugins, if summary.plugins == 1 { "plugin" } else { "plugins" }),
    ];
    let also = [
        (summary.not_judged_advisory, "not judged (advisory)"),
        (summary.waived, "waived"),
        (summary.in_baseline, "in the baseline"),
    ];
    tiles.extend(also.into_iter().filter(|(number, _)| *number > 0));
    html! {
        ul.tiles {
            @for (number, what) in tiles {
                li { b { (count(number)) } (what) }
            }
        }
    }
}

/// What a finding does, in the words of the filter and of the page.
const fn effect(rank: Rank) -> (&'static str, &'static str) {
    match rank {
        Rank::Denies => ("denies", "denies"),
        Rank::Blocks => ("blocks", "not judged"),
        Rank::Warns => ("warns", "warning"),
        Rank::Advises => ("advises", "advice only"),
        Rank::Waived => ("waived", "waived"),
        Rank::Informs => ("informs", "for information"),
    }
}

/// Returns all findings, most urgent first, with their filters.
pub(super) fn findings(report: &Report, told: &[Told<'_>]) -> Markup {
    let left_out = told.len().saturating_sub(MAX_FINDINGS);
    html! {
        section {
            h2 #findings {
                "Findings " small { (count(told.len())) " " span #shown role="status" {} }
            }
            @if told.is_empty() {
                p.none { "Nothing was found." }
            } @else {
                (filters(report, told))
            }
            @for told in told.iter().take(MAX_FINDINGS) {
                (finding(told))
            }
            @if left_out > 0 {
                p.none {
                    (count(left_out)) " more findings, the least urgent, are left out here: "
                    code { "-o json" } " has them."
                }
            }
        }
    }
}

fn filters(report: &Report, told: &[Told<'_>]) -> Markup {
    let plugins: BTreeSet<&str> =
        told.iter().map(|told| told.plugin.map_or("gate", PluginId::as_str)).collect();
    let models: Vec<&str> =
        report.models.iter().take(MAX_NAMES).map(|model| model.name.as_str()).collect();
    html! {
        form.filters #filters hidden {
            label.text { "Search" input name="text" type="search" autocomplete="off" placeholder="rule, file, message …"; }
            label { "Severity"
                select name="severity" {
                    option value="" { "all" }
                    option value="error" { "error" }
                    @for severity in Severity::ALL.into_iter().rev() {
                        option value=(severity.name()) { (severity.name()) }
                    }
                }
            }
            label { "Effect"
                select name="effect" {
                    option value="" { "all" }
                    @for rank in Rank::ALL {
                        option value=(effect(rank).0) { (effect(rank).1) }
                    }
                }
            }
            label { "Model"
                select name="model" {
                    option value="" { "all" }
                    @for model in models { option value=(model) { (model) } }
                }
            }
            label { "Plugin"
                select name="plugin" {
                    option value="" { "all" }
                    @for plugin in plugins { option value=(plugin) { (plugin) } }
                }
            }
            button type="reset" { "Clear" }
        }
    }
}

fn finding(told: &Told<'_>) -> Markup {
    let notice = &told.notice;
    let label = match notice.label {
        Label::Error => "error",
        Label::Severity(severity) => severity.name(),
    };
    let (effect, effect_word) = effect(notice.rank);
    let stops = matches!(notice.rank, Rank::Denies | Rank::Blocks);
    let model = told.model().map_or("", |model| model.name.as_str());
    let plugin = told.plugin.map_or("gate", PluginId::as_str);
    html! {
        details.card.finding data-severity=(label) data-effect=(effect) data-model=(model) data-plugin=(plugin) {
            summary {
                span class={ "badge " (label) } { (label) }
                span.what { (notice.text()) }
                span.effect.stops[stops] { (effect_word) }
                @if let Some(place) = &told.place {
                    span.more { code { (place) } }
                }
            }
            div.body {
                dl {
                    dt { "Rule" } dd { code { (notice.code) } }
                    @for note in notice.notes() { dt { "Note" } dd { (note) } }
                    @if let Some(help) = notice.help() { dt { "What to do" } dd { (help) } }
                    @if !model.is_empty() { dt { "Model" } dd { (model) } }
                    dt { "Plugin" } dd { (plugin) }
                    dt { "Confidence" } dd { (notice.confidence().name()) }
                    dt { "Fingerprint" } dd { code { (told.fingerprint) } }
                }
            }
        }
    }
}

/// Returns the models: what each is, and its files.
pub(super) fn models(report: &Report, told: &[Told<'_>]) -> Markup {
    let mut worst: BTreeMap<&ModelName, Rank> = BTreeMap::new();
    for told in told {
        // Most urgent first: the first one of a model counts.
        if let Some(model) = told.model() {
            worst.entry(&model.name).or_insert(told.notice.rank);
        }
    }
    let mut room = MAX_FILES;
    let mut cards = Vec::new();
    let mut left_out = 0;
    let mut models: Vec<&ModelReport> = report.models.iter().collect();
    models.sort_by_key(|model| worst.get(&model.name).copied().unwrap_or(Rank::Informs));
    for model in models {
        if room == 0 {
            left_out += 1;
            continue;
        }
        let shown = model.files.len().min(room);
        room -= shown.max(1).min(room);
        cards.push(self::model(report, model, worst.get(&model.name).copied(), shown));
    }
    html! {
        section {
            h2 #models { "Models " small { (count(report.models.len())) } }
            @if report.models.is_empty() { p.none { "There was no model to look at." } }
            @for card in &cards { (card) }
            @if left_out > 0 {
                p.none { (count(left_out)) " more models are left out here: " code { "-o json" } " has them." }
            }
        }
    }
}

fn model(report: &Report, model: &ModelReport, worst: Option<Rank>, shown: usize) -> Markup {
    let (class, word) = match worst {
        Some(Rank::Denies) => ("fail", "denied"),
        Some(Rank::Blocks) => ("error", "not judged"),
        Some(Rank::Warns | Rank::Advises) => ("warn", "warnings"),
        Some(Rank::Waived) => ("warn", "waived"),
        Some(Rank::Informs) | None => ("pass", "clean"),
    };
    let facts = facts(report, model);
    let fact = |name: &str| facts.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let (license, signer) = (fact("license/concluded"), fact("provenance/signer"));
    let definition = model.definition.as_ref();
    let judged = model
        .files
        .iter()
        .filter(|file| !matches!(file.judged, Judgement::No | Judgement::LfsPointer));
    html! {
        details.card open[report.models.len() == 1] {
            summary {
                h3 { (model.name) }
                span class={ "badge " (class) } { (word) }
                span.more {
                    (count(judged.count())) " of " (count(model.files.len())) " files judged"
                    " · license: " (license.map_or("not known", GuestText::as_str))
                    " · signed by: " (signer.map_or("nobody known", GuestText::as_str))
                    " · " (if model.locked { "locked" } else { "not locked" })
                }
            }
            div.body {
                dl {
                    dt { "Path" } dd { code { (inert(&model.path)) } }
                    @if let Some(tree) = &model.tree { dt { "Digest of all files" } dd { code { (tree) } } }
                    @if let Some(source) = definition.and_then(|d| d.source.as_deref()) { dt { "Source" } dd { code { (inert(source)) } } }
                    @if let Some(revision) = definition.and_then(|d| d.revision.as_deref()) { dt { "Revision" } dd { code { (inert(revision)) } } }
                    @if let Some(license) = definition.and_then(|d| d.license.as_deref()) { dt { "License, as stated" } dd { (inert(license)) } }
                    @for (key, value) in &facts { dt { (key) } dd { (value) } }
                }
                div.scroll {
                    table {
                        thead { tr { th { "File" } th.number { "Bytes" } th { "Judged" } th { "Digest" } } }
                        tbody { @for file in model.files.iter().take(shown) { (self::file(file)) } }
                    }
                }
                @if shown < model.files.len() {
                    p.note { "and " (count(model.files.len() - shown)) " more files: " code { "-o json" } " has them" }
                }
            }
        }
    }
}

fn file(file: &FileReport) -> Markup {
    let judged = match &file.judged {
        Judgement::By(plugins) => {
            let names: Vec<&str> = plugins.iter().map(PluginId::as_str).collect();
            format!("by {}", names.join(", "))
        }
        Judgement::Companion => "plain text, needs none".to_owned(),
        Judgement::Empty => "empty, needs none".to_owned(),
        Judgement::LfsPointer => "no: a git-lfs pointer".to_owned(),
        Judgement::No => "no".to_owned(),
    };
    let is_missing = matches!(file.judged, Judgement::LfsPointer | Judgement::No);
    html! {
        tr {
            td { code { (file.path) } }
            td.number { (count(usize::try_from(file.size).unwrap_or(usize::MAX))) }
            td.error[is_missing] { (judged) }
            td { @if let Some(digest) = &file.digest { code { (digest) } } }
        }
    }
}

/// Returns what the plugins established of `model` as a whole.
fn facts<'a>(report: &'a Report, model: &ModelReport) -> Vec<(String, &'a GuestText)> {
    let of = |task: &'a TaskReport| -> &'a [Fact] {
        match &task.ending {
            Ending::Checked(facts) => facts,
            Ending::NotApplicable(_) | Ending::Refused(_) | Ending::Failed(_) => &[],
        }
    };
    let tasks = report.tasks_of(&model.name).iter().filter(|task| task.file.is_none());
    tasks
        .flat_map(|task| {
            of(task).iter().map(|fact| (format!("{}/{}", task.plugin, fact.key), &fact.value))
        })
        .collect()
}

/// What one plugin did on one model.
#[derive(Default)]
struct Row {
    tasks: usize,
    worst: Option<Verdict>,
    size: u64,
    read: u64,
}

/// Returns what each plugin looked at of each model, as the host counted it.
pub(super) fn coverage(report: &Report) -> Markup {
    let mut rows: BTreeMap<(&ModelName, &PluginId), Row> = BTreeMap::new();
    for task in &report.tasks {
        let row = rows.entry((&task.model, &task.plugin)).or_default();
        row.tasks += 1;
        // Not applicable to one file says nothing where another was checked.
        let rank = |verdict| if verdict == Verdict::Skip { None } else { Some(verdict) };
        row.worst = match row.worst {
            Some(worst) if rank(worst) >= rank(task.verdict) => Some(worst),
            _ => Some(task.verdict),
        };
        for seen in &task.coverage {
            row.size = row.size.saturating_add(seen.size);
            row.read = row.read.saturating_add(seen.read);
        }
    }
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    html! {
        section {
            h2 #coverage { "Coverage" }
            p.note {
                "What each plugin was shown of each model, and how much of it it really read: counted by the host, not by the plugin."
            }
            @if rows.is_empty() { p.none { "No plugin ran." } } @else {
                div.scroll {
                    table {
                        thead { tr { th { "Model" } th { "Plugin" } th { "Verdict" } th.number { "Tasks" } th.number { "Bytes shown" } th.number { "Bytes read" } } }
                        tbody {
                            @for ((model, plugin), row) in rows.iter().take(MAX_ROWS) {
                                @let verdict = row.worst.unwrap_or(Verdict::Error);
                                tr {
                                    td { (model) }
                                    td { (plugin) }
                                    td { span class={ "badge " (verdict.name()) } { (if verdict == Verdict::Skip { "not applicable" } else { verdict.name() }) } }
                                    td.number { (count(row.tasks)) }
                                    td.number { (count(usize::try_from(row.size).unwrap_or(usize::MAX))) }
                                    td.number { (count(usize::try_from(row.read).unwrap_or(usize::MAX))) }
                                }
                            }
                        }
                    }
                }
            }
            @if left_out > 0 {
                p.none { (count(left_out)) " more rows are left out here: " code { "-o json" } " has them." }
            }
        }
    }
}

/// When, how and by whom the pins changed; nothing where that is not known.
pub(super) fn history(history: &[ModelHistory]) -> Markup {
    html! {
        @if !history.is_empty() {
            section {
                h2 #history { "History" }
                p { "When, how and by whom the pins of each model changed, from the lock file's history in git and from audit logs, the newest first." }
                @for ModelHistory { model, text } in history {
                    details {
                        summary { (model) }
                        div.scroll { pre { (text) } }
                    }
                }
            }
        }
    }
}

/// Returns what the decision rests on: the policy, the plugins, by their digests.
pub(super) fn inputs(report: &Report) -> Markup {
    let required: Vec<&str> = report.required.iter().map(PluginId::as_str).collect();
    html! {
        section {
            h2 #inputs { "What this rests on" }
            dl {
                dt { "Findings that deny" } dd { (report.fail_on.name()) " and above" }
                dt { "Required plugins" } dd { (if required.is_empty() { "none".to_owned() } else { required.join(", ") }) }
                @if report.inputs.policy.is_empty() { dt { "Policy" } dd { "the built-in one" } }
                @for input in &report.inputs.policy { dt { "Policy" } dd { code { (inert(&input.path)) } br; code { (input.digest) } } }
                @if let Some(lock) = &report.inputs.lock { dt { "Lock file" } dd { code { (inert(&lock.path)) } br; code { (lock.digest) } } }
                @if let Some(scan_only) = &report.scan_only {
                    dt { "Digests" }
                    dd {
                        "none were computed: this report holds for no particular bytes"
                        @if !scan_only.left_out.is_empty() {
                            "; left out for it: " (scan_only.left_out.iter().map(PluginId::as_str).collect::<Vec<_>>().join(", "))
                        }
                    }
                }
            }
            div.scroll {
                table {
                    thead { tr { th { "Plugin" } th { "Version" } th { "What it does" } th { "Its findings" } th { "Digest" } } }
                    tbody {
                        @for plugin in &report.plugins {
                            @let manifest = &plugin.plugin.manifest;
                            tr {
                                td { (manifest.id) }
                                td { (manifest.version) }
                                td { (inert(&manifest.title)) }
                                td { (if plugin.advisory { "only advise" } else { "count" }) }
                                td { code { (plugin.plugin.digest) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Makes text inert that the domain keeps as it came.
fn inert(text: &str) -> GuestText {
    GuestText::capped(text)
}
