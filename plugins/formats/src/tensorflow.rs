//! Owns TensorFlow's graphs, in a SavedModel or alone: operators that run Python,
//! and those that reach for files or the network, in graphs and in the function
//! library. Leaves checkpoints unread.

use modelhost_check::Rule;

use crate::found::{Defect, Found, Stop};
use crate::proto::{self, Field, Value};
use crate::rules;
use crate::source::{Cursor, Source};

/// The longest name of a node, an operator or an attribute.
const MAX_TEXT: u64 = 64 * 1024;
/// Operators that call Python.
const PYTHON: &[&str] = &["PyFunc", "PyFuncStateless", "EagerPyFunc"];
/// Operators that read or write files named by the graph. Those that every saved
/// model has, for its own variables and tables, are not among them.
const FILES: &[&str] = &[
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "MatchingFilesDataset",
    "ImmutableConst",
    "CreateSummaryDbWriter",
    "CreateSummaryFileWriter",
    "SaveDataset",
    "SaveDatasetV2",
    "SqlDataset",
    "DumpTensor",
    "DebugIdentity",
    "DebugIdentityV2",
    "DebugIdentityV3",
    "DebugNanCount",
    "DebugNumericSummary",
    "DebugNumericSummaryV2",
];
/// Operators that read training data, from files or servers that the graph names: no
/// part of a model that is served.
const INPUTS: &[&str] = &[
    "CSVDataset",
    "CSVDatasetV2",
    "DataServiceDataset",
    "DataServiceDatasetV2",
    "DataServiceDatasetV3",
    "DataServiceDatasetV4",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2",
    "LMDBDataset",
    "LMDBReader",
    "LoadDataset",
    "RpcCall",
    "RpcClient",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "TFRecordReader",
    "TFRecordReaderV2",
    "TextLineDataset",
    "TextLineReader",
    "TextLineReaderV2",
    "WholeFileReader",
    "WholeFileReaderV2",
];

/// Tells whether a file that begins with `head` is a SavedModel: a version, then
/// meta graphs.
pub fn recognise_saved(head: &[u8]) -> bool {
    let Some((version, rest)) = head.split_first_chunk::<3>() else {
        return false;
    };
    let [0x08, 1..=9, 0x12] = version else {
        return false;
    };
    let rest = rest.to_vec();
    let mut cursor = Cursor::new(&rest, 0);
    // The meta graph's own first field: about itself, or its graph.
    proto::number(&mut cursor).is_ok() && matches!(cursor.u8("a tag"), Ok(0x0a | 0x12))
}

/// Tells whether a file that begins with `head` is a graph alone: a node, with a
/// name and an operator.
pub fn recognise_graph(head: &[u8]) -> bool {
    let head = head.to_vec();
    let mut cursor = Cursor::new(&head, 0);
    let opens = |cursor: &mut Cursor<'_>, tag: u8| -> Option<usize> {
        (cursor.u8("a tag").ok()? == tag).then_some(())?;
        usize::try_from(proto::number(cursor).ok()?).ok()
    };
    let named = |cursor: &mut Cursor<'_>, tag: u8| -> bool {
        let text = opens(cursor, tag).and_then(|length| cursor.take(length, "a name").ok());
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./-^:>".contains(byte);
        text.is_some_and(|text| !text.is_empty() && text.iter().all(plain))
    };
    opens(&mut cursor, 0x0a).is_some() && named(&mut cursor, 0x0a) && named(&mut cursor, 0x12)
}

/// Tells whether a file that begins with `head` is a meta graph alone, as checkpoints of
/// TensorFlow 1 have it: about itself the operators it uses, its tags or a version.
pub fn recognise_meta(head: &[u8]) -> bool {
    let head = head.to_vec();
    let mut cursor = Cursor::new(&head, 0);
    let mut opens = |tag: u8| -> Option<u64> {
        (cursor.u8("a tag").ok()? == tag).then_some(())?;
        proto::number(&mut cursor).ok()
    };
    opens(0x0a).is_some()
        && opens(0x12).is_some()
        && opens(0x0a).is_some()
        && opens(0x0a).is_some_and(|length| (1..256).contains(&length))
}

/// Walks a meta graph alone.
pub fn walk_meta(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    proto::each(
        &mut cursor,
        source.size(),
        &mut |cursor, field| match (field.number, field.value) {
            (2, Value::Bytes { end }) => graph(cursor, end, found),
            (1 | 3..=9, Value::Bytes { .. }) => Ok(()),
            _ => Err(Stop::malformed(field.at, "a field that a meta graph does not have")),
        },
    )
}

/// Walks a SavedModel.
pub fn walk_saved(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    let mut graphs = 0_u64;
    proto::each(
        &mut cursor,
        source.size(),
        &mut |cursor, field| match (field.number, field.value) {
            (2, Value::Bytes { end }) => {
                graphs += 1;
                proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
                    (2, Value::Bytes { end }) => graph(cursor, end, found),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        },
    )?;
    if graphs == 0 {
        return Err(Stop::malformed(0, "a saved model without a graph"));
    }
    Ok(())
}

/// Walks a graph alone.
pub fn walk_graph(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    graph(&mut cursor, source.size(), found)
}

fn graph(cursor: &mut Cursor<'_>, end: u64, found: &mut Found) -> Result<(), Stop> {
    proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
        (1, Value::Bytes { end }) => node(cursor, end, found),
        (2, Value::Bytes { end }) => library(cursor, end, found),
        _ => Ok(()),
    })
}

fn library(cursor: &mut Cursor<'_>, end: u64, found: &mut Found) -> Result<(), Stop> {
    proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
        (1, Value::Bytes { end }) => {
            proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
                (3, Value::Bytes { end }) => node(cursor, end, found),
                _ => Ok(()),
            })
        }
        _ => Ok(()),
    })
}

fn node(cursor: &mut Cursor<'_>, end: u64, found: &mut Found) -> Result<(), Stop> {
    let at = cursor.at();
    let (mut name, mut kind, mut stream) = (String::new(), String::new(), String::new());
    proto::each(cursor, end, &mut |cursor, field| {
        match (field.number, field.value) {
            (1, Value::Bytes { end }) => name = proto::text(cursor, end, MAX_TEXT)?,
            (2, Value::Bytes { end }) => kind = proto::text(cursor, end, MAX_TEXT)?,
            (5, Value::Bytes { end }) => {
                if let Some(text) = stream_attribute(cursor, end)? {
                    stream = text;
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    if let Some(harm) = harmful(&kind, &stream) {
        found.add(harm.rule, None, || harm.defect(&kind).member(name).offset(at));
    }
    Ok(())
}

/// What an operator does that its graph does not hold.
pub struct Harm {
    /// The rule it breaks.
    pub rule: Rule,
    what: &'static str,
}

impl Harm {
    /// Returns the defect that an operator of this kind is.
    pub fn defect(&self, kind: &str) -> Defect {
        Defect::new(self.rule, format!("the operator `{kind}` {}", self.what))
    }
}

/// Says what an operator does that its graph does not hold, if it does; `stream` is
/// where it prints to.
pub fn harmful(kind: &str, stream: &str) -> Option<Harm> {
    let known = |list: &[&str]| list.contains(&kind);
    let (rule, what) = if known(PYTHON) {
        (rules::CODE_OPERATOR, "calls Python when the graph runs")
    } else if known(FILES) {
        (rules::FILE_OPERATOR, "reaches for files when the graph runs")
    } else if kind == "PrintV2" && stream.starts_with("file://") {
        (rules::FILE_OPERATOR, "prints to a file when the graph runs")
    } else if known(INPUTS) {
        (rules::FILE_OPERATOR, "reads data from files or servers when the graph runs")
    } else {
        return None;
    };
    Some(Harm { rule, what })
}

/// Returns the value of the attribute `output_stream`, if this is it.
fn stream_attribute(cursor: &mut Cursor<'_>, end: u64) -> Result<Option<String>, Stop> {
    let (mut key, mut text) = (String::new(), None);
    proto::each(cursor, end, &mut |cursor, Field { number, value, .. }| {
        match (number, value) {
            (1, Value::Bytes { end }) => key = proto::text(cursor, end, MAX_TEXT)?,
            (2, Value::Bytes { end }) if key == "output_stream" => {
                proto::each(cursor, end, &mut |cursor, field| {
                    if let (2, Value::Bytes { end }) = (field.number, field.value) {
                        text = Some(proto::text(cursor, end, MAX_TEXT)?);
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(text)
}
