//! Owns the walk over an HDF5 file's groups and objects: every place is checked
//! against the file, and what points to other files is reported. Leaves one
//! object's messages to `hdf5_object`, the configuration of Keras models to
//! `keras`, and the data unread.

use std::collections::BTreeSet;

use modelhost_check::ReadError;

use crate::found::{Defect, Found, Stop};
use crate::hdf5_object::{self, Link, Object};
use crate::source::{Cursor, Source};
use crate::{keras, rules};

/// What an HDF5 file begins with.
const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";
/// An address that leads nowhere.
pub const NOWHERE: u64 = u64::MAX;
/// How much is fetched at once: objects are small and lie scattered.
const BLOCK: usize = 4096;
/// How many objects and nodes are visited; the largest known models have some
/// ten thousand.
const MAX_VISITS: usize = 200_000;
/// How many configurations are looked through.
const MAX_CONFIGS: usize = 16;

/// Tells whether a file that begins with `head` is HDF5.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Returns where an HDF5 file begins behind other content: its readers look at 512 and
/// each double of it.
pub fn behind(source: &dyn Source) -> Result<Option<u64>, ReadError> {
    let mut at = 512_u64;
    while at.checked_add(MAGIC.len() as u64).is_some_and(|end| end <= source.size()) {
        if source.read_at(at, MAGIC.len())? == MAGIC {
            return Ok(Some(at));
        }
        at *= 2;
    }
    Ok(None)
}

/// Walks all objects that can be reached from the root.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    walk_behind(source, 0, found)
}

/// Walks a file that begins `before` bytes into another, whose rest `source` is.
pub fn walk_behind(source: &dyn Source, before: u64, found: &mut Found) -> Result<(), Stop> {
    let root = superblock(source, before, found)?;
    let mut walk = Walk {
        source,
        found,
        visited: BTreeSet::new(),
        blocks: BTreeSet::new(),
        configs: 0,
        left: vec![root],
    };
    while let Some(address) = walk.left.pop() {
        if walk.visit(address)? {
            walk.object(address)?;
        }
    }
    Ok(())
}

/// Returns a cursor at `address`.
pub fn cursor(source: &dyn Source, address: u64) -> Cursor<'_> {
    Cursor::with_block(source, address, BLOCK)
}

/// Reads the superblock and returns the root object's address.
fn superblock(source: &dyn Source, start: u64, found: &mut Found) -> Result<u64, Stop> {
    let mut cursor = cursor(source, MAGIC.len() as u64);
    let version = cursor.u8("a version")?;
    let widths = match version {
        0 | 1 => {
            cursor.skip(4, "versions")?;
            cursor.array::<2>("widths")?
        }
        2 | 3 => cursor.array::<2>("widths")?,
        _ => return Err(Stop::Unsupported(format!("version {version}"))),
    };
    if widths != [8, 8] {
        return Err(Stop::Unsupported("addresses of other than eight bytes".to_owned()));
    }
    let before = match version {
        0 => 1 + 4 + 4,
        1 => 1 + 4 + 4 + 4,
        _ => 1,
    };
    cursor.skip(before, "flags")?;
    let base = cursor.u64("the base")?;
    cursor.skip(8, "an address")?;
    let mut end = cursor.u64("the end of the file")?;
    // Addresses count from where the file begins, as readers see to.
    if base != 0 && base != start {
        return Err(Stop::Unsupported("a file with a base address".to_owned()));
    }
    if base != 0 {
        end = end.saturating_sub(base);
    }
    if end > source.size() {
        let message = format!("the file should have {end} bytes, but has {}", source.size());
        return Err(Stop::malformed(cursor.at() - 8, message));
    }
    if end < source.size() {
        let message = format!("{} bytes after the end belong to none", source.size() - end);
        found.push(Defect::new(rules::TRAILING_DATA, message).offset(end));
    }
    if version >= 2 {
        return cursor.u64("the root's address");
    }
    if cursor.u64("a driver's address")? != NOWHERE {
        return Err(Stop::Unsupported("a file of several parts".to_owned()));
    }
    cursor.skip(8, "the root's name")?;
    cursor.u64("the root's address")
}

struct Walk<'a> {
    source: &'a dyn Source,
    found: &'a mut Found,
    visited: BTreeSet<u64>,
    /// The further blocks of objects that were read.
    blocks: BTreeSet<u64>,
    configs: usize,
    /// Objects still to be visited.
    left: Vec<u64>,
}

impl Walk<'_> {
    /// Tells whether an address is new. Each is visited once, so loops end.
    fn visit(&mut self, address: u64) -> Result<bool, Stop> {
        if self.visited.len() >= MAX_VISITS || self.left.len() > MAX_VISITS {
            return Err(Stop::Unsupported(format!("more than {MAX_VISITS} objects")));
        }
        Ok(self.visited.insert(address))
    }

    fn object(&mut self, address: u64) -> Result<(), Stop> {
        let mut object = Object::default();
        hdf5_object::read(self.source, address, &mut self.blocks, &mut object)?;
        for (name, config) in object.attributes {
            self.configs += 1;
            if self.configs > MAX_CONFIGS {
                return Err(Stop::Unsupported(format!("more than {MAX_CONFIGS} configurations")));
            }
            keras::look(&config, &name, self.found)?;
        }
        for name in object.pickles {
            self.found.add(rules::PICKLED_TYPE, None, || {
                let message = "the attribute is a pickle that imports, and PyTables unpickles it";
                Defect::new(rules::PICKLED_TYPE, message).member(name).offset(address)
            });
        }
        for reach in object.reaches {
            let message = format!("the object {reach}");
            self.found.push(Defect::new(rules::EXTERNAL_PATH, message).offset(address));
        }
        for link in object.links {
            self.link(link, address);
        }
        if let Some((tree, heap)) = object.group {
            let names = heap_data(self.source, heap)?;
            self.tree(tree, names)?;
        }
        Ok(())
    }

    fn link(&mut self, link: Link, from: u64) {
        match link {
            Link::Hard(address) => self.left.push(address),
            Link::Soft => {}
            Link::External(name, file) => {
                let message = format!("the link `{name}` leads into another file, `{file}`");
                let defect = Defect::new(rules::EXTERNAL_PATH, message).offset(from);
                self.found.push(defect.member(name));
            }
        }
    }

    /// Walks the nodes of a group's tree.
    fn tree(&mut self, root: u64, names: (u64, u64)) -> Result<(), Stop> {
        let mut nodes = vec![root];
        while let Some(address) = nodes.pop() {
            if !self.visit(address)? {
                continue;
            }
            let mut cursor = cursor(self.source, address);
            match &cursor.array::<4>("a node")? {
                b"TREE" => {
                    let kind = cursor.u8("a kind")?;
                    cursor.skip(1, "a level")?;
                    let count = cursor.u16("a count")?;
                    if kind != 0 {
                        return Err(Stop::malformed(address, "a node of another tree"));
                    }
                    cursor.skip(16, "siblings")?;
                    for _ in 0..count {
                        cursor.skip(8, "a key")?;
                        nodes.push(cursor.u64("a child")?);
                    }
                }
                b"SNOD" => {
                    cursor.skip(2, "a version")?;
                    let count = cursor.u16("a count")?;
                    (0..count).try_for_each(|_| self.entry(&mut cursor, names))?;
                }
                _ => return Err(Stop::malformed(address, "no node where a group has one")),
            }
        }
        Ok(())
    }

    /// Reads one entry of a group.
    fn entry(&mut self, cursor: &mut Cursor<'_>, names: (u64, u64)) -> Result<(), Stop> {
        let at = cursor.at();
        let name = cursor.u64("a name")?;
        let address = cursor.u64("an address")?;
        let kind = cursor.u32("a kind")?;
        cursor.skip(4 + 16, "the rest of an entry")?;
        if name >= names.1 {
            return Err(Stop::malformed(at, "a name outside of the names"));
        }
        match kind {
            // A soft link, which stays within the file.
            2 => {}
            0 | 1 => self.left.push(address),
            _ => {
                return Err(Stop::malformed(at, format!("{kind} is no kind of an entry")));
            }
        }
        Ok(())
    }
}

/// Returns where a group's names are, and how long they are.
fn heap_data(source: &dyn Source, address: u64) -> Result<(u64, u64), Stop> {
    let mut cursor = cursor(source, address);
    if cursor.array::<4>("a heap")? != *b"HEAP" {
        return Err(Stop::malformed(address, "no heap where a group has one"));
    }
    cursor.skip(4, "a version")?;
    let length = cursor.u64("a length")?;
    cursor.skip(8, "a free list")?;
    let start = cursor.u64("an address")?;
    if start.checked_add(length).is_none_or(|end| end > source.size()) {
        return Err(Stop::malformed(address, "a heap that lies outside of the file"));
    }
    Ok((start, length))
}
