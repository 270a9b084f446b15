//! What came of all cases: a table for people, JSON for machines.
//!
//! It leaves running the tools to its parent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::attempt::Ended;
use super::{Case, Label};

/// The version of the JSON: another shape is another name.
const SCHEMA: &str = "modelhost-peers/v1";

/// The families of techniques, by how a technique's name starts; the first that fits counts, and
/// what fits none is a pickle's.
const FAMILIES: [(&str, &[&str]); 6] = [
    ("PyTorch files", &["torch"]),
    ("joblib, numpy", &["joblib", "npy", "npz", "numpy"]),
    ("archives", &["zip", "tar", "archive", "pickle-in-zip", "pickle-in-tar", "7z", "expansion"]),
    ("Keras, TensorFlow", &["keras", "h5", "savedmodel", "tf-", "tflite"]),
    ("ONNX, GGUF, safetensors", &["onnx", "gguf", "safetensors"]),
    (
        "repositories",
        &[
            "hf-",
            "hydra",
            "remote-code",
            "chat-template",
            "auto-map",
            "code-",
            "notebook",
            "mlflow",
        ],
    ),
];
const PICKLES: &str = "pickles";

/// Returns the family that a technique belongs to.
fn family(technique: &str) -> &'static str {
    let fits = |starts: &&[&str]| starts.iter().any(|start| technique.starts_with(start));
    FAMILIES.iter().find(|(_, starts)| fits(starts)).map_or(PICKLES, |(family, _)| family)
}

/// One way to read one tool, over all cases of a corpus, in their order.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: String,
    /// How it ended on each, and after how many seconds.
    pub(super) ended: Vec<(Ended, f64)>,
}

/// A corpus and what the tools say of it.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    corpus: &'static str,
    tools: Vec<Summary>,
    cases: Vec<Row>,
}

/// One tool in a few numbers.
#[derive(Debug, Serialize)]
struct Summary {
    tool: String,
    malicious: usize,
    malicious_flagged: usize,
    /// For each family of techniques: flagged, of how many.
    recall: BTreeMap<&'static str, (usize, usize)>,
    benign: usize,
    /// Benign cases that did not end well, whatever the reason.
    benign_blocked: usize,
    malformed: usize,
    malformed_silent: usize,
    malformed_hang: usize,
    malformed_crash: usize,
    /// The seconds that its slowest case took, with another beside it.
    slowest: f64,
}

/// One case, and how each tool ended on it.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    label: Label,
    technique: String,
    family: &'static str,
    ended: BTreeMap<String, Ended>,
}

impl Tally {
    /// Counts what the columns say of the cases of `corpus`.
    pub(super) fn new(corpus: &'static str, cases: &[Case], columns: Vec<Column>) -> Self {
        let row = |(number, case): (usize, &Case)| Row {
            id: case.id.clone(),
            label: case.label,
            technique: case.technique.clone(),
            family: family(&case.technique),
            ended: columns
                .iter()
                .filter_map(|column| Some((column.title.clone(), column.ended.get(number)?.0)))
                .collect(),
        };
        let rows: Vec<Row> = cases.iter().enumerate().map(row).collect();
        let tools = columns.iter().map(|column| Summary::new(column, &rows)).collect();
        Self { corpus, tools, cases: rows }
    }

    /// Returns the tables for people.
    pub(super) fn human(&self) -> String {
        let Some(first) = self.tools.first() else { return String::new() };
        let (malicious, benign, malformed) = (first.malicious, first.benign, first.malformed);
        let mut text = format!("\nthe {} corpus: {} cases\n\n", self.corpus, self.cases.len());
        let mut cells = vec![vec![
            "tool".to_owned(),
            format!("malicious flagged ({malicious})"),
            format!("benign blocked ({benign})"),
            format!("malformed silent / hang / crash ({malformed})"),
            "slowest case".to_owned(),
        ]];
        cells.extend(self.tools.iter().map(|tool| {
            vec![
                tool.tool.clone(),
                share(tool.malicious_flagged, malicious),
                share(tool.benign_blocked, benign),
                format!(
                    "{} / {} / {}",
                    tool.malformed_silent, tool.malformed_hang, tool.malformed_crash
                ),
                format!("{:.1} s", tool.slowest),
            ]
        }));
        text.push_str(&table(&cells));
        let mut head = vec!["flagged, by family".to_owned()];
        head.extend(self.tools.iter().map(|tool| tool.tool.clone()));
        let mut cells = vec![head];
        for (family, (_, of)) in &first.recall {
            let mut row = vec![format!("{family} ({of})")];
            row.extend(self.tools.iter().map(|tool| {
                tool.recall.get(family).map(|(flagged, _)| flagged.to_string()).unwrap_or_default()
            }));
            cells.push(row);
        }
        text.push('\n');
        text.push_str(&table(&cells));
        text.push('\n');
        text.push_str(&self.wrong("modelhost"));
        text
    }

    /// Names the cases that `tool` does not judge as they are labelled.
    fn wrong(&self, tool: &str) -> String {
        let mut text = String::new();
        for row in &self.cases {
            let Some(ended) = row.ended.get(tool) else { continue };
            let right = match row.label {
                Label::Malicious => *ended == Ended::Flagged,
                Label::Benign => *ended == Ended::Clean,
                Label::Malformed => matches!(ended, Ended::Flagged | Ended::Error),
            };
            if !right {
                // Writing to a string does not fail.
                let _ = writeln!(
                    text,
                    "{tool} misjudges {} ({:?}, {}): {ended:?}",
                    row.id, row.label, row.technique
                );
            }
        }
        if text.is_empty() && self.cases.iter().any(|row| row.ended.contains_key(tool)) {
            text = format!("{tool} judges every case as labelled\n");
        }
        text
    }
}

impl Summary {
    fn new(column: &Column, rows: &[Row]) -> Self {
        let tool = &*column.title;
        let of = |label| rows.iter().filter(move |row| row.label == label);
        let ended = |row: &&Row| row.ended.get(tool).copied();
        let count = |label, wanted: fn(Ended) -> bool| {
            of(label).filter_map(|row| ended(&row)).filter(|ended| wanted(*ended)).count()
        };
        let mut recall: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        for row in of(Label::Malicious) {
            let (flagged, all) = recall.entry(row.family).or_default();
            *flagged += usize::from(ended(&row) == Some(Ended::Flagged));
            *all += 1;
        }
        Self {
            tool: tool.to_owned(),
            malicious: of(Label::Malicious).count(),
            malicious_flagged: count(Label::Malicious, |ended| ended == Ended::Flagged),
            recall,
            benign: of(Label::Benign).count(),
            benign_blocked: count(Label::Benign, |ended| ended != Ended::Clean),
            malformed: of(Label::Malformed).count(),
            malformed_silent: count(Label::Malformed, |ended| ended == Ended::Clean),
            malformed_hang: count(Label::Malformed, |ended| ended == Ended::Hang),
            malformed_crash: count(Label::Malformed, |ended| ended == Ended::Crash),
            slowest: column.ended.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max),
        }
    }
}

/// Returns all tallies as JSON.
///
/// # Errors
/// Never for values such as these.
pub(super) fn json(tallies: &[Tally]) -> Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        corpora: &'a [Tally],
    }
    Ok(serde_json::to_string_pretty(&Document { schema: SCHEMA, corpora: tallies })? + "\n")
}

/// Writes a count with its share.
fn share(part: usize, of: usize) -> String {
    match (part * 200 + of).checked_div(2 * of) {
        Some(percent) => format!("{part} ({percent} %)"),
        None => part.to_string(),
    }
}

/// Lays cells out in columns, with a line under the first row.
fn table(cells: &[Vec<String>]) -> String {
    let width = |column: usize| {
        cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let mut text = String::new();
    for (number, row) in cells.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = width(column).unwrap_or(0).saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.push_str(&" ".repeat(padding + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if number == 0 {
            text.push_str(&"-".repeat(line.trim_end().chars().count()));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str, label: Label, technique: &str) -> Case {
        Case { id: id.into(), path: id.into(), label, technique: technique.into() }
    }

    fn tally() -> Tally {
        use Ended::{Clean, Crash, Error, Flagged, Hang};
        let cases = [
            case("a", Label::Malicious, "opcode-REDUCE"),
            case("b", Label::Malicious, "zip-slip"),
            case("c", Label::Benign, "torch-state-dict"),
            case("d", Label::Malformed, "npy-header"),
            case("e", Label::Malformed, "truncated"),
        ];
        let column = |title: &str, ended: [Ended; 5]| Column {
            title: title.into(),
            ended: ended.iter().zip(1..).map(|(ended, s)| (*ended, f64::from(s))).collect(),
        };
        Tally::new(
            "own",
            &cases,
            vec![
                column("modelhost", [Flagged, Flagged, Clean, Error, Flagged]),
                column("peer", [Flagged, Clean, Error, Clean, Hang]),
                column("other", [Crash, Error, Flagged, Crash, Crash]),
            ],
        )
    }

    #[test]
    fn each_label_is_counted_by_its_own_measure() {
        let text = tally().human();
        let row = |tool: &str| {
            let line = text.lines().find(|line| line.starts_with(tool)).unwrap_or_default();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("modelhost"), "modelhost 2 (100 %) 0 (0 %) 0 / 0 / 0 5.0 s", "{text}");
        assert_eq!(row("peer"), "peer 1 (50 %) 1 (100 %) 1 / 1 / 0 5.0 s", "{text}");
        assert_eq!(row("other"), "other 0 (0 %) 1 (100 %) 0 / 0 / 2 5.0 s", "{text}");
        assert_eq!(row("archives (1)"), "archives (1) 1 0 0", "{text}");
        assert_eq!(row("pickles (1)"), "pickles (1) 1 1 0", "{text}");
        assert!(text.contains("modelhost judges every case as labelled"), "{text}");
    }

    #[test]
    fn what_is_misjudged_is_named() {
        assert_eq!(
            tally().wrong("peer"),
            "peer misjudges b (Malicious, zip-slip): Clean\n\
             peer misjudges c (Benign, torch-state-dict): Error\n\
             peer misjudges d (Malformed, npy-header): Clean\n\
             peer misjudges e (Malformed, truncated): Hang\n"
        );
    }

    #[test]
    fn techniques_have_families() {
        for (technique, expected) in [
            ("opcode-INST", PICKLES),
            ("pickle-in-zip", "archives"),
            ("pickle-in-torch-extension", PICKLES),
            ("tf-pyfunc", "Keras, TensorFlow"),
            ("chat-template-ssti", "repositories"),
            ("gguf-v2", "ONNX, GGUF, safetensors"),
        ] {
            assert_eq!(family(technique), expected, "{technique}");
        }
    }

    #[test]
    fn machines_see_every_case() {
        let json: serde_json::Value = serde_json::from_str(&json(&[tally()]).unwrap()).unwrap();
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["corpora"][0]["cases"][4]["ended"]["peer"], "hang");
        assert_eq!(json["corpora"][0]["tools"][0]["recall"]["archives"], serde_json::json!([1, 1]));
    }
}
