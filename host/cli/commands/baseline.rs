//! `modelhost baseline`: accept what is found today, so that only what is new
//! denies.
//!
//! Leaves the file to `record`, and what it covers to the library.

use clap::{Args, Subcommand};
use modelhost::domain::finding::Severity;
use modelhost::domain::text::GuestText;
use modelhost::domain::waiver::{Baseline, BaselineEntry};
use modelhost::record::baseline;
use modelhost::report::reported::Reported;

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::FindingsArgs;
use super::{print, text_of};
use crate::args::GlobalArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::say;

/// How many findings are named one by one: more is a list for the file itself.
const MAX_TOLD: usize = 20;

/// Accept the findings of today, so that only what is new denies.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    Write(WriteArgs),
    Check(CheckArgs),
}

const WRITE_HELP: &str = "\
The baseline names each finding that would deny now, with the digest of what it is
on: once the file changes, the finding counts again. Findings that are critical are
never in it, nor is anything that could not be judged: waive the former one by one
(`modelhost waiver add`).

Written again, it only shrinks: what is gone is taken out. What is new is refused
without --accept-new.

Exit codes: 0 written, or as it was; 1 it would grow, nothing was written; 2 a
mistake.";

/// Write modelhost-baseline.json.
#[derive(Debug, Args)]
#[command(after_help = WRITE_HELP)]
pub(crate) struct WriteArgs {
    /// Also take in what the baseline does not have yet.
    #[arg(long)]
    accept_new: bool,

    #[command(flatten)]
    findings: FindingsArgs,
}

const CHECK_HELP: &str = "\
Exit codes: 0 it names what is found, no more and no less; 1 it would grow or
shrink; 2 a mistake.";

/// Say how the baseline differs from what is found, and write nothing.
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
pub(crate) struct CheckArgs {
    /// Print JSON; `modelhost schema baseline` prints its schema.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    findings: FindingsArgs,
}

pub(crate) fn run(command: BaselineCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    match command {
        BaselineCommand::Write(args) => write(&args, global),
        BaselineCommand::Check(args) => check(&args, global),
    }
}

/// The baseline as it is, as it would be, and what would be left out of it.
struct Comparison {
    old: Option<Baseline>,
    new: Baseline,
    /// New findings, or known ones on other bytes.
    grown: Vec<String>,
    gone: Vec<String>,
    /// Findings that deny and that no baseline covers.
    left_out: Vec<String>,
}

fn compare(
    args: &FindingsArgs,
    context: Context,
    global: &GlobalArgs,
) -> anyhow::Result<Comparison> {
    let old = context.written_baseline()?.map(|(_, baseline)| baseline);
    let found = args.findings(context, global)?;
    let (mut new, mut left_out, mut grown) = (Baseline::default(), Vec::new(), Vec::new());
    for finding in found.iter().filter(|found| found.denies || found.in_baseline) {
        let entry = finding.rule.as_ref().zip(finding.digest);
        let Some((rule, digest)) = entry.filter(|_| finding.severity < Severity::Critical) else {
            left_out.push(shown(finding));
            continue;
        };
        let entry = BaselineEntry {
            rule: rule.clone(),
            model: finding.model.clone(),
            file: finding.file.clone(),
            digest,
        };
        let known = old.as_ref().and_then(|old| old.entries.get(&finding.fingerprint));
        if known.is_none_or(|known| known.digest != digest) {
            grown.push(shown(finding));
        }
        new.entries.insert(finding.fingerprint, entry);
    }
    let before = old.iter().flat_map(|old| &old.entries);
    let gone = before
        .filter(|(fingerprint, _)| !new.entries.contains_key(fingerprint))
        .map(|(_, entry)| {
            place(
                &entry.rule.to_string(),
                entry.model.as_str(),
                entry.file.as_ref().map(|file| file.as_str()),
            )
        })
        .collect();
    Ok(Comparison { old, new, grown, gone, left_out })
}

fn shown(finding: &Reported) -> String {
    let file = finding.file.as_ref().map(|file| file.as_str());
    let place = place(&finding.code, finding.model.as_str(), file);
    format!("{place}: {}", GuestText::new(finding.message.as_str(), 120))
}

fn place(rule: &str, model: &str, file: Option<&str>) -> String {
    let file = file.map(|file| format!(", {file}"));
    format!("{rule} in {model}{}", file.unwrap_or_default())
}

/// Says the first of `lines`, each with `mark` before it.
fn tell(mark: &str, lines: &[String]) {
    for line in lines.iter().take(MAX_TOLD) {
        say::line(&format!("  {mark} {line}"));
    }
    if lines.len() > MAX_TOLD {
        say::line(&format!("  {mark} and {} more", lines.len() - MAX_TOLD));
    }
}

fn write(args: &WriteArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.findings.policy)?;
    let (path, name) = context.baseline_path();
    let Comparison { old, new, grown, gone, left_out } = compare(&args.findings, context, global)?;
    if old.is_some() && !grown.is_empty() && !args.accept_new {
        let count = grown.len();
        say::line(&format!("error: {name} would grow by {count}; nothing was written"));
        tell("+", &grown);
        say::line(
            "  = help: mend what is new, waive it (`modelhost waiver add`), or take it in with --accept-new",
        );
        return Ok(Exit::Deny);
    }
    let written = baseline::write(&path, &new)?;
    if !global.quiet {
        tell("+", &grown);
        tell("-", &gone);
        let count = new.entries.len();
        let what = if written { "wrote" } else { "up to date:" };
        say::line(&format!(
            "{what} {name}: {count} findings, {} new, {} gone",
            grown.len(),
            gone.len()
        ));
    }
    if !left_out.is_empty() {
        say::line(&format!(
            "warning: {} findings that deny are not in it: no baseline covers what is critical, what the gate itself finds, and what has no digest",
            left_out.len()
        ));
        tell("!", &left_out);
    }
    Ok(Exit::Allow)
}

fn check(args: &CheckArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.findings.policy)?;
    let (_, name) = context.baseline_path();
    let Comparison { old, new, grown, gone, left_out } = compare(&args.findings, context, global)?;
    if old.is_none() {
        anyhow::bail!("there is no {name}; `modelhost baseline write` makes one");
    }
    let same = grown.is_empty() && gone.is_empty();
    let exit = if same { Exit::Allow } else { Exit::Deny };
    if args.json {
        print(&text_of(&Document {
            schema: SCHEMA,
            modelhost: env!("CARGO_PKG_VERSION"),
            same,
            found: new.entries.len(),
            grown,
            gone,
            left_out,
        })?)?;
        return Ok(exit);
    }
    tell("+", &grown);
    tell("-", &gone);
    if !same {
        say::line(
            "  = help: `modelhost baseline write` takes out what is gone; what is new needs --accept-new",
        );
    } else if !global.quiet {
        say::line(&format!("{name} names the {} findings that there are", new.entries.len()));
    }
    Ok(exit)
}

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-baseline-check/v1";

/// How the baseline differs from what is found. Findings are told as text: rule,
/// model, file and message.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost baseline check, version 1")]
struct Document {
    /// `modelhost-baseline-check/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// Whether the baseline names what is found, no more and no less.
    same: bool,
    /// How many findings a baseline written now would name.
    found: usize,
    /// New findings, or known ones on other bytes.
    grown: Vec<String>,
    /// Findings that the baseline names and that are gone.
    gone: Vec<String>,
    /// Findings that deny and that no baseline covers.
    left_out: Vec<String>,
}

/// Returns the schema of what `baseline check --json` prints.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}
