//! The format `markdown`: for a comment on a pull request, the summary of a job, a
//! wiki. GitHub's and GitLab's Markdown both show it.
//!
//! Leaves what is told to `notice`.
//!
//! # Invariants
//! - Text from outside stands in code alone: there no link, image, mention, table
//!   or HTML begins.
//! - It never has more bytes than GitHub takes for a summary, which drops a longer
//!   one whole; what is left out is counted.

use std::fmt::Write as _;
use std::io;

use super::notice::{Label, Rank, Told, most_urgent_first};
use super::summary::{Summary, count};
use crate::domain::decision::Decision;
use crate::domain::moment;
use crate::domain::report::{Ending, Judgement, ModelReport, Report};
use crate::domain::text::GuestText;

/// The most bytes: a summary may have 1 MiB, with what others wrote to it before.
const MAX_BYTES: usize = 1000 << 10;

/// The bytes kept for what comes after the findings: the counts, the notes.
const REST: usize = 4 << 10;

/// The most bytes that findings take; models take the rest.
const MAX_FINDINGS: usize = 600 << 10;

/// The most bytes of one text.
const MAX_TEXT: usize = 1024;

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(text(report).as_bytes())
}

/// Returns `report` in Markdown.
pub fn text(report: &Report) -> String {
    let mut page = String::new();
    let (decision, words) = match report.decision {
        Decision::Incomplete if !report.not_run.is_empty() => ("Incomplete", "nothing ran"),
        Decision::Allow => ("Allow", "everything was judged, and nothing denies"),
        Decision::Incomplete => ("Incomplete", "something could not be judged, and nothing denies"),
        Decision::Deny => ("Deny", "a finding or the policy says no"),
    };
    page.push_str(&format!("## modelhost: {decision}\n\n{decision}: {words}.\n\n"));
    page.push_str(&format!("{}\n", Summary::of(report).words(report)));
    if report.scan_only.is_some() {
        page.push_str("\nScan only: this report is bound to no digest of any file.\n");
    }
    findings(report, &mut page);
    models(report, &mut page);
    page.push_str("\n<details><summary>Inputs</summary>\n\n");
    page.push_str(&format!("- judged at {}\n", moment::rfc3339(report.now)));
    page.push_str(&format!("- modelhost {}\n", env!("CARGO_PKG_VERSION")));
    let inputs = report.inputs.policy.iter().chain(&report.inputs.lock);
    let mut rows: Vec<String> = inputs
        .map(|input| format!("- {} {}\n", code(&input.path), code(&input.digest.to_string())))
        .collect();
    rows.extend(report.plugins.iter().map(|plugin| {
        let manifest = &plugin.plugin.manifest;
        let advises = if plugin.advisory { ", only advises" } else { "" };
        let digest = code(&plugin.plugin.digest.to_string());
        format!("- plugin {} {}{advises}: {digest}\n", code(manifest.id.as_str()), manifest.version)
    }));
    add(&mut page, rows.into_iter(), MAX_BYTES - REST, "inputs");
    page.push_str("\n</details>\n");
    page
}

fn findings(report: &Report, page: &mut String) {
    let told = most_urgent_first(report);
    for rank in Rank::ALL {
        let Some(title) = title(rank) else { continue };
        let of_rank: Vec<&Told<'_>> = told.iter().filter(|told| told.notice.rank == rank).collect();
        if of_rank.is_empty() {
            continue;
        }
        page.push_str(&format!("\n### {title} ({})\n\n", count(of_rank.len())));
        add(page, of_rank.into_iter().map(finding), MAX_FINDINGS, "findings");
    }
    let informs = told.iter().filter(|told| told.notice.rank == Rank::Informs).count();
    if informs > 0 {
        let more = if informs == 1 { "finding is" } else { "findings are" };
        page.push_str(&format!("\n{} {more} merely worth knowing.\n", count(informs)));
    }
}

/// Returns the title over what has `rank`; none for what is counted alone.
const fn title(rank: Rank) -> Option<&'static str> {
    match rank {
        Rank::Denies => Some("Denied"),
        Rank::Blocks => Some("Not judged"),
        Rank::Warns => Some("Warnings"),
        Rank::Advises => Some("Errors of plugins that only advise"),
        Rank::Waived => Some("Waived"),
        Rank::Informs => None,
    }
}

fn finding(told: &Told<'_>) -> String {
    let notice = &told.notice;
    let label = match notice.label {
        Label::Error => "error".to_owned(),
        Label::Severity(severity) => severity.name().to_owned(),
    };
    let mut item = format!("- **{label}** {}: {}", code(&notice.rule()), code(&notice.text()));
    if let Some(place) = &told.place {
        let _ = write!(item, "\n  <br>at {}", code(&place.to_string()));
    }
    for note in notice.notes() {
        let _ = write!(item, "\n  <br>note: {}", code(&note));
    }
    if let Some(help) = notice.help() {
        let _ = write!(item, "\n  <br>help: {}", code(help.as_str()));
    }
    let _ = writeln!(item, "\n  <br>fingerprint {}", code(&told.fingerprint.to_string()));
    item
}

fn models(report: &Report, page: &mut String) {
    if report.models.is_empty() {
        return;
    }
    page.push_str(&format!("\n### Models ({})\n\n", count(report.models.len())));
    let rows = report.models.iter().map(|model| self::model(report, model));
    add(page, rows, MAX_BYTES - 8 * REST, "models");
}

fn model(report: &Report, model: &ModelReport) -> String {
    let judged = model
        .files
        .iter()
        .filter(|file| !matches!(file.judged, Judgement::No | Judgement::LfsPointer));
    let mut item = format!(
        "- {} at {}: {} of {} files judged{}\n",
        code(model.name.as_str()),
        code(&model.path),
        count(judged.count()),
        count(model.files.len()),
        if model.locked { ", locked" } else { "" },
    );
    if let Some(tree) = &model.tree {
        let _ = writeln!(item, "  <br>{}", code(&tree.to_string()));
    }
    for task in report.tasks_of(&model.name).iter().filter(|task| task.file.is_none()) {
        let Ending::Checked(facts) = &task.ending else { continue };
        for fact in facts {
            let key = format!("{}/{}", task.plugin, fact.key);
            let _ = writeln!(item, "  <br>{}: {}", code(&key), code(fact.value.as_str()));
        }
    }
    item
}

/// Adds `rows` to `page` while it has no more than `most` bytes, and says how many
/// are left out.
fn add(page: &mut String, rows: impl Iterator<Item = String>, most: usize, what: &str) {
    let mut left_out = 0;
    for row in rows {
        // One that is left out is followed by none: the order is that of urgency.
        if left_out > 0 || page.len() + row.len() > most {
            left_out += 1;
        } else {
            page.push_str(&row);
        }
    }
    if left_out > 0 {
        page.push_str(&format!(
            "\n**{} more {what} are left out here**, for there is no room: `-o json` and `-o html` tell of them.\n",
            count(left_out)
        ));
    }
}

/// Returns `text` as code: nothing in it acts.
fn code(text: &str) -> String {
    let text = GuestText::new(text, MAX_TEXT).to_string();
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    // A fence longer than any in the text, and a space where it would touch one.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_any_text() {
        let rows = [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            ("`a``b", "``` `a``b ```"),
            ("", "` `"),
            ("x\ny", "`x\\ny`"),
            ("@someone #1 <b>", "`@someone #1 <b>`"),
        ];
        for (text, expected) in rows {
            assert_eq!(code(text), expected);
        }
    }
}
