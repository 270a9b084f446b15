//! `modelhost waiver`: write waivers into `modelhost.toml`, and tell of those that
//! are there.
//!
//! Leaves the text of the file to `edit`, and what a waiver covers to the library.

mod edit;
mod json;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Args, Subcommand};
use modelhost::domain::date::Date;
use modelhost::domain::finding::Fingerprint;
use modelhost::domain::waiver::{WaiverReport, WaiverState};
use modelhost::report::reported::Reported;

pub(crate) use self::json::json_schema;
use super::findings::FindingsArgs;
use crate::args::GlobalArgs;
use crate::commands::{print, text_of};
use crate::context::Context;
use crate::exit::Exit;
use crate::say;

/// Write and list waivers: findings that somebody lets pass for a time.
#[derive(Debug, Subcommand)]
pub(crate) enum WaiverCommand {
    Add(AddArgs),
    List(ListArgs),
}

const ADD_HELP: &str = "\
A waiver is bound to the bytes it was written for: once the file changes, the
finding counts again. Reason, owner and last day are required. What does the gate
itself finds (a file that no plugin judges, an error) can't be waived.

Examples:
  modelhost waiver add 4fd1... --reason \"legal ticket 41\" --owner @ml-legal --expires 2026-12-31
  modelhost waiver add 4fd1... --report report.json --reason ... --owner ... --expires ...

The human report names the fingerprint below each finding that denies. Without
--report, the checks are run here to find out what it stands for.

Exit codes: 0 written, 2 a mistake, nothing was written.";

/// Let findings pass until a day, with a reason: writes [[waiver]] entries.
#[derive(Debug, Args)]
#[command(after_help = ADD_HELP)]
pub(crate) struct AddArgs {
    /// The findings, by the fingerprints that reports name.
    #[arg(required = true, value_name = "FINGERPRINT")]
    fingerprints: Vec<Fingerprint>,

    /// Why they may pass.
    #[arg(long)]
    reason: String,

    /// Who answers for it.
    #[arg(long)]
    owner: String,

    /// The last day, UTC: YYYY-MM-DD.
    #[arg(long, value_name = "DATE", value_parser = date)]
    expires: Date,

    #[command(flatten)]
    findings: FindingsArgs,
}

const LIST_HELP: &str = "\
States: in-use; expiring (in use, 14 days or less left); expired; early (added
after the time of this run: the clock was set back); stale (the finding is there,
on other bytes); unused (the finding is gone); not-told (its model or plugin gave
no answer here). Only the first two cover anything.

Exit codes: 0 each is in use, or can't be told; 1 some are expired, early, stale
or unused.";

/// Run the checks, and say what became of each waiver.
#[derive(Debug, Args)]
#[command(after_help = LIST_HELP)]
pub(crate) struct ListArgs {
    /// Print JSON; `modelhost schema waivers` prints its schema.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    findings: FindingsArgs,
}

pub(crate) fn run(command: WaiverCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    match command {
        WaiverCommand::Add(args) => add(args, global),
        WaiverCommand::List(args) => list(&args, global),
    }
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "write a day, YYYY-MM-DD, from 1970 on".to_owned())
}

fn add(args: AddArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.findings.policy)?;
    let today = Date::of(args.findings.now());
    if args.expires < today {
        anyhow::bail!("{} is over: a waiver that ends there covers nothing", args.expires);
    }
    let Some(config) = context.config.clone() else {
        anyhow::bail!("there is no modelhost.toml to write to; `modelhost init` makes one");
    };
    let path = context.config_path(&args.findings.policy);
    let found = args.findings.findings(context, global)?;
    let mut entries = Vec::new();
    let wanted: BTreeSet<Fingerprint> = args.fingerprints.iter().copied().collect();
    for fingerprint in wanted {
        let finding = waivable(&found, fingerprint)?;
        entries.push(edit::Entry::new(finding, &args.reason, &args.owner, today, args.expires)?);
    }
    let text = edit::with(&config, &entries)?;
    edit::write(&path, &text)?;
    if !global.quiet {
        for entry in &entries {
            say::line(&format!("waived until {}: {entry}", args.expires));
        }
        say::line("wrote modelhost.toml: commit it; every report lists what it waives");
    }
    Ok(Exit::Allow)
}

/// Returns the finding that `fingerprint` stands for, if it can be waived.
fn waivable(found: &[Reported], fingerprint: Fingerprint) -> anyhow::Result<&Reported> {
    let Some(finding) = found.iter().find(|found| found.fingerprint == fingerprint) else {
        anyhow::bail!(
            "there is no finding {fingerprint} among these {}: name the report that tells of it with --report",
            found.len()
        );
    };
    if finding.rule.is_none() {
        anyhow::bail!(
            "{} can't be waived: it says that something could not be judged, and what nobody looked at, nobody can answer for",
            finding.code
        );
    }
    if finding.waiver.is_some() {
        anyhow::bail!("{fingerprint} ({} in {}) is waived already", finding.code, finding.model);
    }
    Ok(finding)
}

fn list(args: &ListArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    if args.findings.report.is_some() {
        anyhow::bail!("`waiver list` looks at the waivers as they are: leave out --report");
    }
    let context = Context::find(&args.findings.policy)?;
    let today = Date::of(args.findings.now());
    if context.config.as_ref().is_none_or(|config| config.policy.waivers.is_empty()) {
        if args.json {
            return print(&text_of(&json::document(&[], today))?);
        }
        say::line("there are no waivers");
        return Ok(Exit::Allow);
    }
    let report = args.findings.run(context, global)?;
    match args.json {
        true => print(&text_of(&json::document(&report.waivers, today))?)?,
        false => print(table(&report.waivers, today).as_bytes())?,
    };
    let is_idle = |waiver: &WaiverReport| {
        use WaiverState::{Early, Expired, Expiring, InUse, NotTold, Stale, Unused};
        match waiver.state {
            InUse | Expiring | NotTold => false,
            Expired | Early | Stale | Unused => true,
        }
    };
    Ok(if report.waivers.iter().any(is_idle) { Exit::Deny } else { Exit::Allow })
}

/// Returns a table of `waivers`, a line each.
fn table(waivers: &[WaiverReport], today: Date) -> String {
    let head = ["STATE", "COVERS", "UNTIL", "LEFT", "OWNER", "RULE", "MODEL", "LINE", "REASON"];
    let row = |report: &WaiverReport| {
        let waiver = &report.waiver;
        [
            report.state.name().to_owned(),
            report.covers.to_string(),
            waiver.expires.to_string(),
            format!("{}d", today.days_until(waiver.expires)),
            waiver.owner.clone(),
            waiver.rule.to_string(),
            waiver.model.to_string(),
            waiver.line.to_string(),
            waiver.reason.clone(),
        ]
    };
    let rows: Vec<_> =
        std::iter::once(head.map(str::to_owned)).chain(waivers.iter().map(row)).collect();
    let last = head.len() - 1;
    let mut out = String::new();
    for cells in &rows {
        for (column, cell) in cells.iter().enumerate().take(last) {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let _ = write!(out, "{cell:width$}  ");
        }
        out.extend([cells[last].as_str(), "\n"]);
    }
    out
}
