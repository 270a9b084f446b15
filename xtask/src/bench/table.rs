//! What a row of figures is, and the two ways it is shown: a table for people, JSON for machines.
//!
//! It leaves taking the figures to `rows.rs`.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use serde::Serialize;

use super::measure::median;

/// The version of the JSON: another shape is another name.
const SCHEMA: &str = "modelhost-bench/v1";

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    Seconds,
    Bytes,
}

/// A figure: the median of its rounds, with the lowest and the highest.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    label: String,
    unit: Unit,
    median: f64,
    low: f64,
    high: f64,
    rounds: usize,
}

impl Figure {
    /// Sums up the rounds of one program.
    pub(super) fn new(label: &str, unit: Unit, rounds: &[f64]) -> Self {
        Self {
            label: label.to_owned(),
            unit,
            median: median(rounds),
            low: rounds.iter().copied().fold(f64::INFINITY, f64::min),
            high: rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            rounds: rounds.len(),
        }
    }

    /// Returns the middle of the rounds.
    pub(super) fn median(&self) -> f64 {
        self.median
    }
}

/// A bound that a row is to keep.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Target {
    /// The bound in words: `ratio ≤ 1.15`.
    bound: String,
    met: bool,
}

impl Target {
    /// States a bound and whether it was kept.
    pub(super) fn new(bound: &str, met: bool) -> Self {
        Self { bound: bound.to_owned(), met }
    }
}

/// One thing that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) title: String,
    pub(super) ours: Figure,
    /// What was measured in turns with it.
    pub(super) beside: Option<Figure>,
    pub(super) ratio: Option<f64>,
    pub(super) target: Option<Target>,
    /// Other gates at the same work, each a column of its own.
    pub(super) peers: Vec<Figure>,
}

/// The machine the figures are from.
#[derive(Debug, Serialize)]
struct Machine {
    system: &'static str,
    architecture: &'static str,
    processor: Option<String>,
    threads: usize,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    schema: &'static str,
    machine: Machine,
    quick: bool,
    rows: Vec<Row>,
    /// What could not be measured here, and why.
    not_measured: Vec<String>,
}

impl Table {
    /// Returns a table without rows.
    pub(super) fn new(quick: bool) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map(|(_, name)| name.trim().to_owned());
        let machine = Machine {
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            processor,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        };
        Self { schema: SCHEMA, machine, quick, rows: Vec::new(), not_measured: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Says that something could not be measured.
    pub(super) fn skip(&mut self, title: &str, why: &str) {
        self.not_measured.push(format!("{title}: {why}"));
    }

    /// Returns the table as JSON.
    ///
    /// # Errors
    /// Never for figures that are numbers.
    pub(super) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Returns the table for people.
    pub(super) fn human(&self) -> String {
        let mut cells = vec![self.head()];
        cells.extend(self.rows.iter().map(|row| self.cells(row)));
        let mut text = String::from("\n");
        for (number, row) in cells.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = cells.iter().filter_map(|row| row.get(column)).map(|c| count(c)).max();
                let padding = width.unwrap_or(0).saturating_sub(count(cell));
                line.push_str(cell);
                line.push_str(&" ".repeat(padding + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
            if number == 0 {
                text.push_str(&"-".repeat(count(line.trim_end())));
                text.push('\n');
            }
        }
        for skipped in &self.not_measured {
            // Writing to a string does not fail.
            let _ = writeln!(text, "not measured: {skipped}");
        }
        let Machine { system, architecture, processor, threads } = &self.machine;
        let processor = processor.as_deref().unwrap_or("unknown processor");
        let _ = write!(text, "{processor}, {threads} threads, {system} {architecture}");
        if self.quick {
            text.push_str("; quick: few rounds, not for publishing");
        }
        text
    }

    /// Returns the names of the peers that any row has, in the order they appear.
    fn peers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for figure in self.rows.iter().flat_map(|row| &row.peers) {
            if !names.contains(&&*figure.label) {
                names.push(&figure.label);
            }
        }
        names
    }

    fn head(&self) -> Vec<String> {
        let mut cells: Vec<String> =
            ["measured", "modelhost", "beside it", "ratio", "target", "met"]
                .map(str::to_owned)
                .into();
        cells.extend(self.peers().into_iter().map(str::to_owned));
        cells
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let beside = row.beside.as_ref().map(|f| format!("{} {}", shown(f), f.label));
        let met = row.target.as_ref().map(|target| if target.met { "met" } else { "NOT MET" });
        let mut cells = vec![
            row.title.clone(),
            if row.peers.is_empty() { shown(&row.ours) } else { with_lowest(&row.ours) },
            beside.unwrap_or_default(),
            row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            row.target.as_ref().map(|target| target.bound.clone()).unwrap_or_default(),
            met.unwrap_or_default().to_owned(),
        ];
        for name in self.peers() {
            let figure = row.peers.iter().find(|figure| figure.label == name);
            cells.push(figure.map(with_lowest).unwrap_or_default());
        }
        cells
    }
}

/// Returns a figure in the unit that suits its size.
fn shown(figure: &Figure) -> String {
    written(figure.median, figure.unit)
}

/// Returns the same with the lowest of the rounds; that of a single round is marked.
fn with_lowest(figure: &Figure) -> String {
    if figure.rounds == 1 {
        return format!("{} (once)", shown(figure));
    }
    format!("{} (≥ {})", shown(figure), written(figure.low, figure.unit))
}

fn written(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds if value < 0.01 => format!("{:.2} ms", value * 1e3),
        Unit::Seconds if value < 1.0 => format!("{:.1} ms", value * 1e3),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Bytes => format!("{:.1} MB", value / 1e6),
    }
}

/// Returns how many columns a text takes.
fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(true);
        table.push(Row {
            title: "one".into(),
            ours: Figure::new("modelhost", Unit::Seconds, &[0.012, 0.010, 0.011]),
            beside: Some(Figure::new("other", Unit::Seconds, &[0.01])),
            ratio: Some(1.1),
            target: Some(Target::new("ratio ≤ 1.15", true)),
            peers: vec![],
        });
        table.push(Row {
            title: "two".into(),
            ours: Figure::new("modelhost", Unit::Bytes, &[150e6]),
            beside: None,
            ratio: None,
            target: Some(Target::new("≤ 100 MB", false)),
            peers: vec![Figure::new("peer", Unit::Bytes, &[900e6])],
        });
        table.skip("three", "no such tool");
        table
    }

    #[test]
    fn people_see_figures_targets_and_what_is_missing() {
        let text = table().human();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].ends_with("met      peer"), "{text}");
        assert_eq!(lines[3], "one       11.0 ms          10.0 ms other  1.10   ratio ≤ 1.15  met");
        assert!(lines[4].contains("NOT MET") && lines[4].ends_with("900.0 MB (once)"), "{text}");
        assert_eq!(lines[5], "not measured: three: no such tool");
    }

    #[test]
    fn machines_see_the_same() {
        let json: serde_json::Value = serde_json::from_str(&table().json().unwrap()).unwrap();
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["rows"][0]["ours"]["median"], 0.011);
        assert_eq!(json["rows"][0]["ours"]["unit"], "seconds");
        assert_eq!(json["rows"][1]["target"]["met"], false);
        assert_eq!(json["not_measured"][0], "three: no such tool");
    }
}
