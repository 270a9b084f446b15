//! What the gate itself finds when it judges a run: its rules, and a finding of
//! each.
//!
//! Leaves when to find them to `decide` and `judge`; what is wrong with the
//! entries of a folder is found by `model`.

use crate::domain::digest::Digest;
use crate::domain::evidence::ChangedFile;
use crate::domain::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::domain::model::FilePath;
use crate::domain::plugin::PluginId;
use crate::domain::text::GuestText;
use crate::domain::waiver::{Waiver, WaiverState};

/// The severity of what says that something could not be judged. It never
/// denies, whatever the bar: what it leads to is `incomplete`.
const NOT_JUDGED: Severity = Severity::Medium;

/// The rule of files that can't be read, which `model` finds.
pub(super) const UNREADABLE: &str = "unreadable";

/// Why a file was judged by no plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unjudged<'a> {
    /// None of the plugins that judge claims it.
    Unclaimed,
    /// This one, which judges, gave no answer that can be used.
    Unanswered(&'a PluginId),
    /// This one judged it, but only advises.
    Advised(&'a PluginId),
}

/// Returns `gate/not-judged` for `file`.
pub(super) fn not_judged(file: &FilePath, why: Unjudged<'_>) -> Finding {
    let (message, help) = match why {
        Unjudged::Unclaimed => (
            "no plugin judges this file: none knows its format".to_owned(),
            "add a plugin that judges it (`--plugins DIR`), remove the file, or let such files pass with a \
             warning: `not-judged = \"warn\"` under [gate] in modelhost.toml",
        ),
        Unjudged::Unanswered(plugin) => (
            format!("not judged: plugin {plugin} gave no answer on this file"),
            "see the plugin's own error; until it answers, nothing is known of the file",
        ),
        Unjudged::Advised(plugin) => (
            format!("not judged: plugin {plugin} looked at this file, but only advises"),
            "add a plugin that judges it, or take `mode = \"advise\"` away in modelhost.toml",
        ),
    };
    finding("not-judged", &message, help, Some(file))
}

/// Returns `gate/lfs-pointer` for `file`.
pub(super) fn lfs_pointer(file: &FilePath) -> Finding {
    finding(
        "lfs-pointer",
        "not judged: this is a git-lfs pointer, its content is not here",
        "run `git lfs pull`",
        Some(file),
    )
}

/// Returns `gate/empty-model`, for a model without files or with empty ones
/// alone.
pub(super) fn empty_model(files: usize) -> Finding {
    let message = if files == 0 {
        "this model has no files: there is nothing to judge"
    } else {
        "all files of this model are empty: there is nothing to judge"
    };
    finding(
        "empty-model",
        message,
        "check the path, and that fetching the model was not cut short",
        None,
    )
}

/// Returns `gate/changed` for `file`.
pub(super) fn changed(file: &ChangedFile) -> Finding {
    let message = match file.bytes {
        Some((from, to)) => format!(
            "this file changed while the run was on: not all who read its bytes {from} to {to} read the same"
        ),
        None => "this file changed while the run was on: what was checked may not be what is there"
            .to_owned(),
    };
    let help = "run again once nothing writes to the model";
    let mut finding = finding("changed", &message, help, Some(&file.path));
    finding.location.offset = file.bytes.map(|(from, _)| from);
    finding
}

/// Returns `gate/unreadable` for `file`.
pub(super) fn unreadable(file: &FilePath) -> Finding {
    finding(
        UNREADABLE,
        "this file can't be read",
        "make it readable for whoever runs the gate, or remove it",
        Some(file),
    )
}

/// What a required plugin has to say of a model instead of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence<'a> {
    /// It takes no part in the run.
    Absent,
    /// It had no task on the model.
    Idle,
    /// It says that the model is nothing for it, and why.
    Skipped(&'a GuestText),
    /// It gave no answer that can be used.
    Failed,
}

/// Returns `gate/not-satisfied`: a plugin is required, and gave no verdict.
pub(super) fn not_satisfied(plugin: &PluginId, silence: Silence<'_>) -> Finding {
    let (message, help) = match silence {
        Silence::Absent => (
            format!("{plugin} is required, and is not among the plugins of this run"),
            format!(
                "give its component (`--plugins DIR`), or name it under [plugin.{plugin}] in modelhost.toml"
            ),
        ),
        Silence::Idle => (
            format!(
                "{plugin} is required, and had no task on this model: none of its files is for this plugin"
            ),
            format!(
                "take {plugin} out of `require`, or out of the model's `checks`, in modelhost.toml if models like this one don't need it"
            ),
        ),
        Silence::Skipped(reason) => (
            format!(
                "{plugin} is required, and says that it is not applicable to this model: {reason}"
            ),
            format!(
                "take {plugin} out of `require`, or out of the model's `checks`, in modelhost.toml if models like this one don't need it"
            ),
        ),
        Silence::Failed => (
            format!("{plugin} is required, and gave no answer on this model"),
            "see the plugin's own error".to_owned(),
        ),
    };
    finding("not-satisfied", &message, &help, None)
}

/// Returns `gate/not-required`: a plugin is required, and the policy says that
/// it does not apply to the model.
pub(super) fn not_required(plugin: &PluginId) -> Finding {
    let message = format!(
        "{plugin} is required, but not here: `applies-to` under [plugin.{plugin}] leaves this model out"
    );
    let help = "nothing needs to be done where that is what is wanted";
    Finding { severity: Severity::Info, ..finding("not-required", &message, help, None) }
}

/// Returns what is to be said of a waiver in the state `state`. `other` is the
/// digest of what it would cover, were it bound to that.
///
/// Such a finding never denies and never blocks, whatever the bar: where a
/// waiver covers nothing, the finding itself is back.
pub(super) fn waiver(
    waiver: &Waiver,
    state: WaiverState,
    other: Option<Digest>,
) -> Option<Finding> {
    let Waiver { rule, line, expires, .. } = waiver;
    let place = format!("the waiver of {rule} (modelhost.toml:{line})");
    let (name, severity, message, help) = match state {
        WaiverState::InUse | WaiverState::NotTold => return None,
        WaiverState::Expiring => (
            "waiver-expiring",
            Severity::Low,
            format!("{place} ends with {expires}: from then on the finding counts again"),
            "have the finding mended until then, or the waiver renewed by whoever owns it",
        ),
        WaiverState::Expired => (
            "waiver-expired",
            Severity::Medium,
            format!("{place} ended with {expires}, and covers nothing any more"),
            "mend the finding and take the waiver away, or have it renewed by whoever owns it",
        ),
        WaiverState::Early => (
            "waiver-early",
            Severity::Medium,
            format!(
                "{place} covers nothing yet: it was added on {}, after the time of this run",
                waiver.added.unwrap_or(*expires)
            ),
            "set the clock, or leave out `--now`: a clock that was set back revives no waiver",
        ),
        WaiverState::Stale => (
            "waiver-stale",
            Severity::Medium,
            format!(
                "{place} covers nothing: it is bound to {}, and the content is {} now",
                waiver.digest,
                other.unwrap_or(waiver.digest)
            ),
            "look at the finding again: what was waived is other bytes; `modelhost waiver add` writes a new waiver",
        ),
        WaiverState::Unused => (
            "waiver-unused",
            Severity::Low,
            format!("{place} covers nothing: there is no such finding"),
            "take it out of modelhost.toml",
        ),
    };
    let finding = finding(name, &message, help, waiver.file.as_ref());
    Some(Finding { severity, ..finding })
}

/// Returns `gate/baseline-shrinks`: `gone` entries of the baseline on one model
/// cover nothing.
pub(super) fn baseline_shrinks(gone: usize) -> Finding {
    let message = match gone {
        1 => "1 finding in the baseline is gone, or on other bytes".to_owned(),
        gone => format!("{gone} findings in the baseline are gone, or on other bytes"),
    };
    let help = "take them out, so that they can't come back unseen: `modelhost baseline write`";
    Finding { severity: Severity::Low, ..finding("baseline-shrinks", &message, help, None) }
}

fn finding(rule: &'static str, message: &str, help: &str, file: Option<&FilePath>) -> Finding {
    Finding {
        rule: RuleId::gate(rule),
        severity: NOT_JUDGED,
        confidence: Confidence::High,
        message: GuestText::capped(message),
        location: file.cloned().map(Location::file).unwrap_or_default(),
        help: Some(GuestText::capped(help)),
    }
}
