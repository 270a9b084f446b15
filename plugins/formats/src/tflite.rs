//! Owns TFLite: the tables of the flatbuffer that the interpreter follows, with
//! each offset checked, and operators of no common set. Leaves the weights unread.

use crate::found::{Defect, Found, Stop};
use crate::source::{Cursor, Source};
use crate::{rules, tensorflow};

/// The identifier, after the root's offset.
const MAGIC: &[u8] = b"TFL3";
/// How much is fetched at once: tables are small and lie close to each other.
const BLOCK: usize = 4096;
/// The most entries of a table of contents; known models have some thousand.
const MAX_ENTRIES: u32 = 1_000_000;
/// The longest name of an operator.
const MAX_NAME: u32 = 4096;
/// What the names of TensorFlow's own operators are prefixed with.
const FLEX: &str = "Flex";
/// Operators outside of the built-in set that come with the common runtimes.
const KNOWN: &[&str] = &[
    "AudioMicrofrontend",
    "AudioSpectrogram",
    "Convolution2DTransposeBias",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Mfcc",
    "TFLite_Detection_PostProcess",
];

/// Tells whether a file that begins with `head` is TFLite.
pub fn recognise(head: &[u8]) -> bool {
    head.get(4..8) == Some(MAGIC)
}

/// Walks the model's tables.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let cursor = Cursor::with_block(source, 0, BLOCK);
    let mut reader = Reader { cursor, left: source.size() };
    let root = reader.cursor.u32("the root's offset")?;
    let model = Table::at(&mut reader, root.into())?;
    let codes = model.tables(&mut reader, 1)?;
    for code in codes.iter() {
        operator(&mut reader, code, found)?;
    }
    let buffers = model.tables(&mut reader, 4)?;
    for buffer in buffers.iter() {
        check_buffer(&mut reader, source.size(), buffer)?;
    }
    let graphs = model.tables(&mut reader, 2)?;
    if graphs.count == 0 {
        return Err(Stop::malformed(root.into(), "a model without a graph"));
    }
    for graph in graphs.iter() {
        check_graph(&mut reader, graph, codes.count, buffers.count)?;
    }
    Ok(())
}

/// Reads the file, and bounds how much: tables can share their content, so that a
/// small file could ask for endless work.
struct Reader<'a> {
    cursor: Cursor<'a>,
    /// How many more entries are read: a file that shares nothing has fewer than
    /// it has bytes.
    left: u64,
}

impl Reader<'_> {
    fn spend(&mut self, entries: u32) -> Result<(), Stop> {
        let left = self.left.checked_sub(entries.into());
        self.left = left.ok_or_else(|| {
            Stop::malformed(self.cursor.at(), "tables that share their content without end")
        })?;
        Ok(())
    }
}

/// A table: where it and its list of fields are.
#[derive(Clone, Copy)]
struct Table {
    at: u64,
    fields: u64,
    /// The length of the list of fields.
    length: u16,
}

/// A vector of tables.
#[derive(Clone, Copy, Default)]
struct Tables {
    first: u64,
    count: u32,
}

impl Tables {
    /// Returns where the offset of each table stands.
    fn iter(self) -> impl Iterator<Item = u64> {
        (0..u64::from(self.count)).map(move |number| self.first + 4 * number)
    }
}

impl Table {
    fn at(reader: &mut Reader<'_>, at: u64) -> Result<Self, Stop> {
        reader.cursor.seek(at);
        let back = i64::from(i32::from_le_bytes(reader.cursor.array("a table")?));
        let fields = at.checked_add_signed(-back);
        let fields = fields.ok_or_else(|| Stop::malformed(at, "a table's fields lie outside"))?;
        reader.cursor.seek(fields);
        let length = reader.cursor.u16("a list of fields")?;
        if length < 4 || length % 2 != 0 {
            return Err(Stop::malformed(fields, "no list of fields where a table has one"));
        }
        Ok(Self { at, fields, length })
    }

    /// Returns the table whose offset stands at `place`.
    fn behind(reader: &mut Reader<'_>, place: u64) -> Result<Self, Stop> {
        reader.cursor.seek(place);
        let offset = reader.cursor.u32("an offset")?;
        Self::at(reader, place + u64::from(offset))
    }

    /// Returns where a field's value stands; none where the field is absent.
    fn field(self, reader: &mut Reader<'_>, number: u16) -> Result<Option<u64>, Stop> {
        let entry = 4 + 2 * number;
        if entry + 2 > self.length {
            return Ok(None);
        }
        reader.cursor.seek(self.fields + u64::from(entry));
        let offset = reader.cursor.u16("a field")?;
        Ok((offset != 0).then(|| self.at + u64::from(offset)))
    }

    /// Returns a field that is a vector: where its items begin, and how many.
    fn vector(self, reader: &mut Reader<'_>, number: u16, width: u64) -> Result<(u64, u32), Stop> {
        let Some(place) = self.field(reader, number)? else {
            return Ok((0, 0));
        };
        reader.cursor.seek(place);
        let start = place + u64::from(reader.cursor.u32("an offset")?);
        reader.cursor.seek(start);
        let count = reader.cursor.u32("a count")?;
        reader.cursor.skip(u64::from(count) * width, "a vector")?;
        Ok((start + 4, count))
    }

    fn tables(self, reader: &mut Reader<'_>, number: u16) -> Result<Tables, Stop> {
        let (first, count) = self.vector(reader, number, 4)?;
        if count > MAX_ENTRIES {
            return Err(Stop::Unsupported(format!("a list of {count} tables")));
        }
        reader.spend(count)?;
        Ok(Tables { first, count })
    }

    fn number(self, reader: &mut Reader<'_>, number: u16) -> Result<u32, Stop> {
        match self.field(reader, number)? {
            Some(place) => {
                reader.cursor.seek(place);
                reader.cursor.u32("a number")
            }
            None => Ok(0),
        }
    }

    fn long(self, reader: &mut Reader<'_>, number: u16) -> Result<u64, Stop> {
        match self.field(reader, number)? {
            Some(place) => {
                reader.cursor.seek(place);
                reader.cursor.u64("a number")
            }
            None => Ok(0),
        }
    }
}

fn operator(reader: &mut Reader<'_>, place: u64, found: &mut Found) -> Result<(), Stop> {
    let code = Table::behind(reader, place)?;
    let (start, length) = code.vector(reader, 1, 1)?;
    if length == 0 {
        return Ok(());
    }
    if length > MAX_NAME {
        return Err(Stop::malformed(start, format!("an operator's name of {length} bytes")));
    }
    reader.cursor.seek(start);
    // At most MAX_NAME, so it fits.
    let name = reader.cursor.take(usize::try_from(length).unwrap_or(0), "a name")?;
    let name = String::from_utf8_lossy(&name);
    if let Some(flex) = name.strip_prefix(FLEX) {
        if let Some(harm) = tensorflow::harmful(flex, "") {
            found.push(harm.defect(flex).offset(start));
        }
    } else if !KNOWN.contains(&name.as_ref()) {
        let message = format!("the operator `{name}` needs a library of its own to run");
        found.push(Defect::new(rules::CUSTOM_OPERATOR, message).offset(start));
    }
    Ok(())
}

fn check_buffer(reader: &mut Reader<'_>, size: u64, place: u64) -> Result<(), Stop> {
    let buffer = Table::behind(reader, place)?;
    buffer.vector(reader, 0, 1)?;
    // Of large models the data lie behind the tables.
    let (offset, length) = (buffer.long(reader, 1)?, buffer.long(reader, 2)?);
    if offset > 1 && offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(Stop::malformed(place, "a buffer lies outside of the file"));
    }
    Ok(())
}

fn check_graph(reader: &mut Reader<'_>, place: u64, codes: u32, buffers: u32) -> Result<(), Stop> {
    let graph = Table::behind(reader, place)?;
    let tensors = graph.tables(reader, 0)?;
    for place in tensors.iter() {
        let tensor = Table::behind(reader, place)?;
        tensor.vector(reader, 0, 4)?;
        if tensor.number(reader, 2)? >= buffers.max(1) {
            return Err(Stop::malformed(place, "a tensor of a buffer that is not there"));
        }
    }
    indices(reader, graph, 1, tensors.count)?;
    indices(reader, graph, 2, tensors.count)?;
    for place in graph.tables(reader, 3)?.iter() {
        let operator = Table::behind(reader, place)?;
        if operator.number(reader, 0)? >= codes {
            return Err(Stop::malformed(place, "an operator of a code that is not there"));
        }
        indices(reader, operator, 1, tensors.count)?;
        indices(reader, operator, 2, tensors.count)?;
    }
    Ok(())
}

/// Checks a vector of indices of tensors, of which -1 stands for none.
fn indices(reader: &mut Reader<'_>, table: Table, number: u16, tensors: u32) -> Result<(), Stop> {
    let (start, count) = table.vector(reader, number, 4)?;
    reader.spend(count)?;
    reader.cursor.seek(start);
    for _ in 0..count {
        let at = reader.cursor.at();
        let index = reader.cursor.u32("an index")?;
        if index != u32::MAX && index >= tensors {
            return Err(Stop::malformed(at, format!("tensor {index} of {tensors}")));
        }
    }
    Ok(())
}
