//! Owns one HDF5 object: its header's messages, of which attributes, links and
//! what reaches into other files are kept. Leaves the tree of objects to `hdf5`.

use std::collections::BTreeSet;

use crate::found::Stop;
use crate::hdf5::{NOWHERE, cursor};
use crate::hdf5_attribute::{Attribute, attribute};
use crate::source::{Cursor, Source};

/// How many blocks of messages are read for all objects together.
const MAX_BLOCKS: usize = 200_000;
/// How many attributes are kept of an object.
const MAX_KEPT: usize = 4;
/// The longest name of an attribute or link that is read.
const MAX_NAME: u64 = 64 * 1024;

/// What matters of an object.
#[derive(Default)]
pub struct Object {
    /// Its attributes that hold a configuration, with their content.
    pub attributes: Vec<(String, Vec<u8>)>,
    /// The names of its attributes that are pickles to PyTables.
    pub pickles: Vec<String>,
    /// Its links.
    pub links: Vec<Link>,
    /// The tree and the heap of a group in the older form.
    pub group: Option<(u64, u64)>,
    /// How it reaches into other files, in words that follow "the object".
    pub reaches: Vec<&'static str>,
}

/// Where a link leads.
pub enum Link {
    /// To an object of this file.
    Hard(u64),
    /// To a path in this file.
    Soft,
    /// Its name, and the other file it leads into.
    External(String, String),
}

/// How a header is laid out.
#[derive(Clone, Copy)]
struct Layout {
    new: bool,
    /// Whether messages of the new form have their order of creation.
    ordered: bool,
}

/// Reads the object at `address`. `seen` holds the blocks read for all objects:
/// each is read once, so that objects can't share endless messages.
pub fn read(
    source: &dyn Source,
    address: u64,
    seen: &mut BTreeSet<u64>,
    object: &mut Object,
) -> Result<(), Stop> {
    let mut cursor = cursor(source, address);
    let (layout, start, length) = header(&mut cursor)?;
    let mut blocks = vec![(start, length)];
    let mut at = 0;
    while let Some((start, length)) = blocks.get(at).copied() {
        at += 1;
        cursor.seek(start);
        let end = start.checked_add(length).filter(|end| *end <= source.size());
        let end = end.ok_or_else(|| Stop::malformed(start, "messages outside of the file"))?;
        while let Some((kind, shared, length)) = message(&mut cursor, end, layout)? {
            let after = cursor.at() + length;
            if after > end {
                return Err(Stop::malformed(cursor.at(), "a message reaches past its block"));
            }
            if kind == 0x10 {
                let next = (cursor.u64("an address")?, cursor.u64("a length")?);
                blocks.push(continued(&mut cursor, next, layout)?);
                if !seen.insert(next.0) || seen.len() > MAX_BLOCKS {
                    return Err(Stop::malformed(start, "objects that share or lack their blocks"));
                }
            } else {
                keep(source, &mut cursor, kind, shared, length, object)?;
            }
            cursor.seek(after);
        }
    }
    Ok(())
}

/// Reads a header up to its messages; returns where they are.
fn header(cursor: &mut Cursor<'_>) -> Result<(Layout, u64, u64), Stop> {
    let at = cursor.at();
    let first = cursor.array::<4>("an object")?;
    if first[0] == 1 && first[1] == 0 {
        cursor.skip(4, "a count")?;
        let length = cursor.u32("a length")?;
        cursor.skip(4, "padding")?;
        return Ok((Layout { new: false, ordered: false }, cursor.at(), length.into()));
    }
    if first != *b"OHDR" || cursor.u8("a version")? != 2 {
        return Err(Stop::malformed(at, "no object where one should be"));
    }
    let flags = cursor.u8("flags")?;
    if flags & 0x20 != 0 {
        cursor.skip(16, "times")?;
    }
    if flags & 0x10 != 0 {
        cursor.skip(4, "bounds")?;
    }
    let length = sized(cursor, flags & 3)?;
    Ok((Layout { new: true, ordered: flags & 4 != 0 }, cursor.at(), length))
}

/// Reads a number of one, two, four or eight bytes.
fn sized(cursor: &mut Cursor<'_>, width: u8) -> Result<u64, Stop> {
    Ok(match width {
        0 => cursor.u8("a length")?.into(),
        1 => cursor.u16("a length")?.into(),
        2 => cursor.u32("a length")?.into(),
        _ => cursor.u64("a length")?,
    })
}

/// Returns the messages of a block that continues a header.
fn continued(
    cursor: &mut Cursor<'_>,
    (address, length): (u64, u64),
    layout: Layout,
) -> Result<(u64, u64), Stop> {
    if !layout.new {
        return Ok((address, length));
    }
    cursor.seek(address);
    let inner = length.checked_sub(8).filter(|_| address != NOWHERE);
    match (cursor.array::<4>("a block")?, inner) {
        ([b'O', b'C', b'H', b'K'], Some(inner)) => Ok((address + 4, inner)),
        _ => Err(Stop::malformed(address, "no block where an object goes on")),
    }
}

/// Reads a message's head: its kind, whether it stands elsewhere, its length.
fn message(
    cursor: &mut Cursor<'_>,
    end: u64,
    layout: Layout,
) -> Result<Option<(u16, bool, u64)>, Stop> {
    let least = if layout.new { 4 + if layout.ordered { 2 } else { 0 } } else { 8 };
    // The rest of a block is a gap.
    if cursor.at() + least > end {
        return Ok(None);
    }
    let kind = if layout.new { cursor.u8("a kind")?.into() } else { cursor.u16("a kind")? };
    let length = cursor.u16("a length")?;
    let flags = cursor.u8("flags")?;
    match layout {
        Layout { new: false, .. } => cursor.skip(3, "padding")?,
        Layout { ordered: true, .. } => cursor.skip(2, "an order")?,
        Layout { .. } => {}
    }
    Ok(Some((kind, flags & 2 != 0, length.into())))
}

/// Keeps what matters of one message.
fn keep(
    source: &dyn Source,
    cursor: &mut Cursor<'_>,
    kind: u16,
    shared: bool,
    length: u64,
    object: &mut Object,
) -> Result<(), Stop> {
    match kind {
        // Links and attributes of which there are many are in heaps.
        0x02 | 0x15 => {
            let at = cursor.at();
            cursor.skip(1, "a version")?;
            let flags = cursor.u8("flags")?;
            if flags & 1 != 0 {
                cursor.skip(if kind == 0x02 { 8 } else { 2 }, "an index")?;
            }
            if cursor.at() + 8 > at + length {
                return Err(Stop::malformed(at, "a message that is too short"));
            }
            if cursor.u64("an address")? != NOWHERE {
                let what = "a group or attributes in a heap of the newer form";
                return Err(Stop::Unsupported(what.to_owned()));
            }
        }
        0x06 => object.links.push(link(cursor, length)?),
        0x07 => object.reaches.push("keeps its data in other files"),
        0x08 if !shared => layout(source, cursor, object)?,
        0x0c if shared => return Err(Stop::Unsupported("a shared attribute".to_owned())),
        0x0c => {
            match attribute(source, cursor, length)? {
                Some(Attribute::Config(name, text)) => object.attributes.push((name, text)),
                Some(Attribute::Pickle(name)) => object.pickles.push(name),
                None => {}
            }
            if object.attributes.len() > MAX_KEPT {
                let what = "several configurations of a model in one object";
                return Err(Stop::malformed(cursor.at(), what));
            }
        }
        0x11 => object.group = Some((cursor.u64("a tree")?, cursor.u64("a heap")?)),
        _ => {}
    }
    Ok(())
}

/// Checks where a dataset's data lie.
fn layout(source: &dyn Source, cursor: &mut Cursor<'_>, object: &mut Object) -> Result<(), Stop> {
    let at = cursor.at();
    let version = cursor.u8("a version")?;
    if !matches!(version, 3 | 4) {
        return match version {
            1 | 2 => Ok(()),
            _ => Err(Stop::Unsupported(format!("a dataset's layout of version {version}"))),
        };
    }
    match cursor.u8("a class")? {
        1 => {
            let (address, length) = (cursor.u64("an address")?, cursor.u64("a length")?);
            let end = address.checked_add(length);
            if address != NOWHERE && end.is_none_or(|end| end > source.size()) {
                return Err(Stop::malformed(at, "a dataset that lies outside of the file"));
            }
        }
        3 => object.reaches.push("is put together from data of other files"),
        0 | 2 => {}
        other => {
            return Err(Stop::malformed(at, format!("{other} is no layout of a dataset")));
        }
    }
    Ok(())
}

/// Reads a name that ends at its first zero.
pub fn text(cursor: &mut Cursor<'_>, length: u64) -> Result<String, Stop> {
    if length > MAX_NAME {
        return Err(Stop::malformed(cursor.at(), format!("a name of {length} bytes")));
    }
    // At most MAX_NAME, so it fits.
    let bytes = cursor.take(usize::try_from(length).unwrap_or(0), "a name")?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

fn link(cursor: &mut Cursor<'_>, length: u64) -> Result<Link, Stop> {
    let at = cursor.at();
    let version = cursor.u8("a version")?;
    let flags = cursor.u8("flags")?;
    let kind = if flags & 8 != 0 { cursor.u8("a kind")? } else { 0 };
    let skipped = if flags & 4 != 0 { 8 } else { 0 } + if flags & 16 != 0 { 1 } else { 0 };
    cursor.skip(skipped, "an order")?;
    let name = sized(cursor, flags & 3)?;
    if version != 1 || name > length {
        return Err(Stop::malformed(at, "a link that is broken"));
    }
    let name = text(cursor, name)?;
    match kind {
        0 => Ok(Link::Hard(cursor.u64("an address")?)),
        1 => Ok(Link::Soft),
        64 => {
            let length = cursor.u16("a length")?;
            cursor.skip(1, "a version")?;
            let file = text(cursor, u64::from(length).saturating_sub(1))?;
            Ok(Link::External(name, file))
        }
        other => Err(Stop::Unsupported(format!("a link of kind {other}"))),
    }
}
