//! What a rule means, for formats that tell of rules beside findings:
//! [`Described`].
//!
//! Leaves the rules of plugins to their manifests.

use std::collections::HashMap;

use super::notice::{Code, NO_ANSWER, Notice};
use crate::domain::finding::Severity;
use crate::domain::plugin::{PluginId, Rule};
use crate::domain::report::Report;
use crate::domain::text::GuestText;

/// The most bytes of a rule's help that go into a report: a page and more.
const MAX_HELP: usize = 8 << 10;

/// The gate's own rules: id, title, severity, help in Markdown.
const GATE: [(&str, &str, Severity, &str); 24] = [
    (
        "gate/baseline-shrinks",
        "Findings in the baseline are gone",
        Severity::Low,
        "Entries of `modelhost-baseline.json` name findings that are gone, or on other bytes: they cover nothing. Take them out, so that they can't come back unseen: `modelhost baseline write`.",
    ),
    (
        "gate/changed",
        "A file changed while the run was on",
        Severity::Medium,
        "What was checked may not be what is there. Run again once nothing writes to the model.",
    ),
    (
        "gate/cut",
        "The report has more than this format may hold",
        Severity::Medium,
        "Some findings are left out here, the least urgent first. The formats `json` and `jsonl` hold all of them.",
    ),
    (
        "gate/empty-model",
        "A model has no content",
        Severity::Medium,
        "There is nothing to judge. Check the path, and that fetching the model was not cut short.",
    ),
    (
        "gate/fault",
        "Nothing ran: modelhost or its surroundings failed",
        Severity::High,
        "Nothing was judged, and no fault of a model or of the policy is known. The message says what failed, such as processes that this system refuses to start. `modelhost doctor` looks at the machine.",
    ),
    (
        "gate/hard-link",
        "A file has names outside of the model",
        Severity::Low,
        "Whoever can write to one of its other names changes the model. Copy the files instead of linking them.",
    ),
    (
        "gate/interrupted",
        "The run was interrupted",
        Severity::High,
        "What the report holds is what was found so far; nothing is known of the rest, so nothing is let through. Run it again to the end.",
    ),
    (
        "gate/lfs-pointer",
        "The content of a file is not here",
        Severity::Medium,
        "The file is a git-lfs pointer: a few lines of text in place of the weights, of which nothing is known. Run `git lfs pull`; in CI, let the checkout fetch what git-lfs holds (`lfs: true` for actions/checkout).",
    ),
    (
        "gate/link-loop",
        "A folder leads back into itself",
        Severity::High,
        "It can't be listed whole, so what is in it was not judged. Remove the link, or the nesting.",
    ),
    (
        "gate/link-outside",
        "A link leads out of the model",
        Severity::High,
        "What it leads to is no part of the model and was not read. Put the file itself in its place, or remove the link.",
    ),
    (
        "gate/mistake",
        "Nothing ran: usage, configuration or the lock file is wrong",
        Severity::High,
        "Nothing was judged. The message says what is wrong, where, and the way out; a run that can't be held to what you asked for does not start.",
    ),
    (
        NO_ANSWER,
        "A plugin gave no usable answer",
        Severity::High,
        "It was refused, trapped, came to a limit or broke its contract: nothing is known of what it did not judge. The message says which, and what to do.",
    ),
    (
        "gate/not-judged",
        "No plugin judged a file",
        Severity::Medium,
        "Nothing is known of the file. Add a plugin that judges it (`--plugins DIR`), remove it, or let such files pass with a warning: `not-judged = \"warn\"` under `[gate]` in `modelhost.toml`.",
    ),
    (
        "gate/not-required",
        "A required plugin does not apply to a model",
        Severity::Info,
        "The policy requires the plugin, and its `applies-to` leaves this model out: no verdict of it is asked for here. Nothing needs to be done where that is what is wanted.",
    ),
    (
        "gate/not-satisfied",
        "A required plugin gave no verdict",
        Severity::Medium,
        "The policy requires a plugin that took no part, had nothing to look at, or gave no answer. The message says which.",
    ),
    (
        "gate/nothing",
        "There is no model to check",
        Severity::High,
        "A gate that looked at nothing lets nothing through. Name the path of a model, or of a folder with models; where there may be none, `--allow-empty` says so.",
    ),
    (
        "gate/sparse-file",
        "A large file is nearly all holes",
        Severity::High,
        "Most of its bytes are stored nowhere, and it was not read. Fetch the file again.",
    ),
    (
        "gate/special-file",
        "An entry is no regular file",
        Severity::High,
        "It is a pipe, a socket or a device: nothing of it was read. Remove it from the model.",
    ),
    (
        "gate/unreadable",
        "A file can't be read",
        Severity::Medium,
        "Nothing is known of what is in it, so nothing is let through. Make it readable for whoever runs the gate, or remove it.",
    ),
    (
        "gate/waiver-early",
        "A waiver is of a later day than the run",
        Severity::Medium,
        "Its `added` lies after the time of the run, so that it covers nothing: a clock that was set back revives no waiver. Set the clock, or leave out `--now`. A waiver without `added` can't be held to this.",
    ),
    (
        "gate/waiver-expired",
        "A waiver has ended",
        Severity::Medium,
        "Its last day is over, so that the finding counts again. Mend the finding and take the waiver out of `modelhost.toml`, or have it renewed by whoever owns it.",
    ),
    (
        "gate/waiver-expiring",
        "A waiver ends within 14 days",
        Severity::Low,
        "From the day after its last one on the finding counts again. Have the finding mended until then, or the waiver renewed by whoever owns it.",
    ),
    (
        "gate/waiver-stale",
        "A waiver is bound to other bytes",
        Severity::Medium,
        "The finding is there, on a file that is another one now than the one somebody looked at, so that it counts. Look at it again; `modelhost waiver add` writes a new waiver.",
    ),
    (
        "gate/waiver-unused",
        "A waiver covers nothing",
        Severity::Low,
        "There is no such finding any more. Take the waiver out of `modelhost.toml`.",
    ),
];

/// What a rule means. All texts are inert; none is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its id, `<plugin>/<name>`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What it means and what to do, in Markdown, lines and all.
    pub help: String,
    /// How bad it usually is.
    pub severity: Severity,
}

/// The rules of a run's plugins, to be asked many times.
pub(super) struct Rules<'a>(HashMap<(&'a PluginId, &'a str), &'a Rule>);

impl<'a> Rules<'a> {
    /// Collects the rules of the plugins of `report`.
    pub(super) fn of(report: &'a Report) -> Self {
        let manifests = report.plugins.iter().map(|plugin| &plugin.plugin.manifest);
        let rules = manifests.flat_map(|manifest| {
            manifest.rules.iter().map(|rule| ((&manifest.id, rule.name.as_str()), rule))
        });
        Self(rules.collect())
    }

    /// Returns what the rule of `notice` means, as far as anyone says.
    pub(super) fn describe(&self, notice: &Notice<'_>) -> Described {
        let id = notice.rule();
        let of_plugin = match notice.code {
            Code::Rule(rule) => self.0.get(&(rule.plugin(), rule.name())),
            Code::Run(_) | Code::Failure(..) => None,
        };
        if let Some(rule) = of_plugin {
            return of_rule(id, rule);
        }
        of_gate(&id).unwrap_or_else(|| Described {
            title: id.clone(),
            help: id.clone(),
            severity: notice.severity(),
            id,
        })
    }
}

/// Returns what the rule `rule` of a plugin means, known as `id`.
pub fn of_rule(id: String, rule: &Rule) -> Described {
    let title = GuestText::capped(&rule.title).to_string();
    let title = if title.is_empty() { id.clone() } else { title };
    let help = inert_lines(&rule.help);
    let help = if help.trim().is_empty() { title.clone() } else { help };
    Described { id, title, help, severity: rule.severity }
}

/// Returns the ids of the gate's own rules, sorted.
pub fn gate() -> impl Iterator<Item = &'static str> {
    GATE.iter().map(|(id, ..)| *id)
}

/// Returns what the gate's own rule `id` means.
pub fn of_gate(id: &str) -> Option<Described> {
    let (id, title, severity, help) = GATE.into_iter().find(|(known, ..)| *known == id)?;
    let (id, title, help) = (id.to_owned(), title.to_owned(), help.to_owned());
    Some(Described { id, title, help, severity })
}

/// Makes each line of `text` inert, and keeps the lines.
fn inert_lines(text: &str) -> String {
    let mut end = text.len().min(MAX_HELP);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(|line| GuestText::capped(line).to_string()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::notice::told;
    use crate::report::testing;

    #[test]
    fn every_rule_has_its_words() {
        let mut report = testing::everything();
        report.plugins[3].plugin.manifest.rules.push(Rule {
            name: "unsafe-global".to_owned(),
            title: "Unsafe\u{1b}[2J".to_owned(),
            severity: Severity::Critical,
            help: "# Why\n\u{202e}x\n".to_owned(),
            missing: false,
        });
        let rules = Rules::of(&report);
        for told in told(&report) {
            let described = rules.describe(&told.notice);
            assert_eq!(described.id, told.notice.rule());
            assert!(!described.title.is_empty() && !described.help.is_empty());
        }
        let global = told(&report).into_iter().find(|told| told.notice.rule().ends_with("-global"));
        let described = rules.describe(&global.expect("it is there").notice);
        assert_eq!(described.title, "Unsafe\\x1b[2J");
        assert_eq!(described.help, "# Why\n\\u{202e}x");
    }

    #[test]
    fn the_gate_s_own_rules_are_all_known() {
        for told in [testing::everything(), testing::hostile()].iter().flat_map(told) {
            let rule = told.notice.rule();
            assert_eq!(rule.starts_with("gate/"), of_gate(&rule).is_some(), "{rule}");
        }
        assert!(GATE.is_sorted_by_key(|(id, ..)| id));
    }
}
