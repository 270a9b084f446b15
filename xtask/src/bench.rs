//! `cargo xtask bench`: the gate measured beside the tools that do a part of its work.
//!
//! It owns the list of rows. Taking the figures is `measure.rs`, the files they are taken on
//! `fixture.rs`, what a row is and how it is shown `table.rs`.

mod fixture;
mod guest;
mod measure;
mod peers;
mod rows;
mod table;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use self::fixture::Fixture;
use self::measure::median;
use self::table::Table;
use crate::setup;
use crate::term::{self, Steps};
use crate::workspace::Workspace;

/// How often each pair is measured, and how many of the first rounds don't count.
#[derive(Debug, Clone, Copy)]
struct Rounds {
    warm_up: usize,
    counted: usize,
}

/// What `cargo xtask bench` was asked for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Few rounds.
    pub(crate) quick: bool,
    /// Beside other scanners, instead of the gate's own rows.
    pub(crate) peers: bool,
    /// Where to write the figures as JSON.
    pub(crate) json: Option<PathBuf>,
    /// The `modelhost` to measure instead of building one.
    pub(crate) host: Option<PathBuf>,
}

/// Runs `cargo xtask bench`.
///
/// # Errors
/// When the set-up fails, a program that is measured does, or the JSON can't be written. A target
/// that is missed is a figure, not an error.
pub(crate) fn command(workspace: &Workspace, request: Request) -> Result<()> {
    let Request { quick, peers, json, host } = request;
    let mut table = Table::new(quick);
    if peers {
        let setup = if host.is_some() { 0 } else { setup::STEPS };
        let mut steps = Steps::new(setup + 1);
        let host = match host {
            Some(host) => std::path::absolute(host)?,
            None => setup::run(workspace, &mut steps)?.host,
        };
        steps.next("Measuring beside other scanners");
        peers::measure(workspace, &host, quick, &mut table)?;
    } else {
        own(workspace, quick, host, &mut table)?;
    }
    term::line(table.human());
    if let Some(path) = json {
        std::fs::write(&path, table.json()?)
            .with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Measures the gate's own rows.
fn own(workspace: &Workspace, quick: bool, host: Option<PathBuf>, table: &mut Table) -> Result<()> {
    let rows = rows::all();
    let setup = if host.is_some() { 0 } else { setup::STEPS };
    let mut steps = Steps::new(setup + 1 + rows.len());
    let (host, plugins) = match host {
        Some(host) => (std::path::absolute(host)?, None),
        None => {
            let host = setup::run(workspace, &mut steps)?.host;
            let plugins = guest::build(workspace, &host)?;
            (host, Some(plugins))
        }
    };
    steps.next("Making the files to measure on, in target/bench");
    let fixture = Fixture::make(workspace, &host, plugins)?;
    for row in rows {
        steps.next(&format!("Measuring: {}", row.title));
        let rounds =
            Rounds { warm_up: 1, counted: if quick { row.quick_rounds } else { row.rounds } };
        (row.measure)(&fixture, rounds, table)
            .with_context(|| format!("{} could not be measured", row.title))?;
    }
    Ok(())
}
