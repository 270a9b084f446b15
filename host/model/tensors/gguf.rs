//! Where the tensors of a GGUF file lie, by the entries behind its metadata.
//!
//! Reads versions 1 to 3 in either byte order, as
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md> has them. The
//! kit for plugins reads metadata as well, but through the guest's interface,
//! which the host does not depend on; here only the alignment is taken from
//! them, and the rest passed over.

use std::collections::HashSet;

use super::{MAX_TENSORS, Place, TensorError, bytes_of, malformed, shown};
use crate::model::FileHandle;

/// What a GGUF file begins with.
const MAGIC: &[u8] = b"GGUF";

/// How far metadata and entries may reach: the longest known vocabularies take
/// some 10 MiB.
const MAX_HEADER: u64 = 128 << 20;

/// The longest key or name that the format allows.
const MAX_NAME: u64 = 65_535;

/// The most dimensions that loaders allow.
const MAX_DIMENSIONS: u32 = 4;

/// How deep lists of values may hold lists.
const MAX_DEPTH: u32 = 4;

/// The alignment of a file that names none, and the key that names one.
const ALIGNMENT: (u64, &[u8]) = (32, b"general.alignment");

/// How much is read at a time.
const BLOCK: usize = 64 << 10;

const STRING: u32 = 8;
const ARRAY: u32 = 9;
const U32: u32 = 4;

/// The types of tensors, as of ggml's list of November 2026: the number, the
/// name, and how many elements are stored in how many bytes.
const TYPES: [(u32, &str, u64, u64); 34] = [
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 40),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
    (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18),
];

/// Whether a file that begins with `head` is GGUF.
pub(super) fn recognise(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Returns the places of the tensors, in the order of their entries.
pub(super) fn places(file: &FileHandle) -> Result<Vec<Place>, TensorError> {
    let mut cursor = Cursor {
        file,
        end: file.size().min(MAX_HEADER),
        at: 0,
        block: Vec::new(),
        block_at: 0,
        big: false,
        short: false,
    };
    if cursor.bytes(4)? != MAGIC {
        return malformed("it is no GGUF");
    }
    let mut version = cursor.u32()?;
    if version & 0xffff == 0 {
        cursor.big = true;
        version = version.swap_bytes();
    }
    if !(1..=3).contains(&version) {
        return malformed(format!("its version {version} is not known"));
    }
    cursor.short = version == 1;
    let tensors = cursor.length()?;
    if tensors > MAX_TENSORS as u64 {
        return malformed(format!("it has {tensors} tensors, more than {MAX_TENSORS}"));
    }
    let keys = cursor.length()?;
    let mut alignment = ALIGNMENT.0;
    for _ in 0..keys {
        let key = cursor.name()?;
        let kind = cursor.u32()?;
        if key == ALIGNMENT.1 && kind == U32 {
            alignment = u64::from(cursor.u32()?);
        } else {
            cursor.skip_value(kind, 0)?;
        }
    }
    if alignment == 0 || !alignment.is_multiple_of(8) {
        return malformed(format!("its alignment is {alignment}"));
    }
    let mut places = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..tensors {
        let place = entry(&mut cursor)?;
        if !seen.insert(place.name.clone()) {
            return malformed(format!("it names tensor {} twice", shown(&place.name)));
        }
        places.push(place);
    }
    // At most MAX_HEADER, so it does not overflow.
    let data = cursor.at.next_multiple_of(alignment);
    for place in &mut places {
        let start = data.checked_add(place.start).filter(|_| place.start.is_multiple_of(alignment));
        let Some(start) = start else {
            return malformed(format!("tensor {} does not lie where one may", shown(&place.name)));
        };
        place.start = start;
    }
    Ok(places)
}

/// Reads one entry; its place starts at the data.
fn entry(cursor: &mut Cursor<'_>) -> Result<Place, TensorError> {
    let name = cursor.name()?;
    let Ok(name) = String::from_utf8(name) else {
        return malformed("the name of a tensor is not UTF-8");
    };
    let dimensions = cursor.u32()?;
    if dimensions > MAX_DIMENSIONS {
        return malformed(format!("tensor {} has {dimensions} dimensions", shown(&name)));
    }
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        shape.push(cursor.length()?);
    }
    let kind = cursor.u32()?;
    let known = TYPES.iter().find(|(number, ..)| *number == kind);
    let Some((_, dtype, block, bytes)) = known else {
        let name = shown(&name);
        return malformed(format!("tensor {name} is of the type {kind}, which is not known"));
    };
    let start = cursor.u64()?;
    // Blocks lie along the first dimension.
    let whole = shape.first().is_none_or(|row| row.is_multiple_of(*block));
    match bytes_of(&shape, *block, bytes * 8).filter(|_| whole) {
        Some(length) => Ok(Place { name, dtype, shape, start, length }),
        None => malformed(format!("the shape of tensor {} overflows its type", shown(&name))),
    }
}

struct Cursor<'f> {
    file: &'f FileHandle,
    end: u64,
    at: u64,
    block: Vec<u8>,
    block_at: u64,
    /// Whether numbers are big-endian.
    big: bool,
    /// Whether lengths have 32 bits, as in version 1.
    short: bool,
}

impl Cursor<'_> {
    fn need(&self, length: u64) -> Result<u64, TensorError> {
        match self.at.checked_add(length) {
            Some(end) if end <= self.end => Ok(end),
            _ => malformed("its header does not end where it should"),
        }
    }

    /// Takes `length` bytes, at most [`MAX_NAME`].
    fn bytes(&mut self, length: u64) -> Result<&[u8], TensorError> {
        let end = self.need(length)?;
        let held = self.block_at.saturating_add(self.block.len() as u64);
        if self.at < self.block_at || end > held {
            self.block =
                self.file.read(self.at, BLOCK.max(usize::try_from(length).unwrap_or(0)))?;
            self.block_at = self.at;
        }
        let start = usize::try_from(self.at - self.block_at).unwrap_or(usize::MAX);
        self.at = end;
        let stop = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        match self.block.get(start..stop) {
            Some(bytes) => Ok(bytes),
            None => malformed("its header does not end where it should"),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TensorError> {
        let bytes = <[u8; N]>::try_from(self.bytes(N as u64)?);
        bytes.or_else(|_| malformed("its header does not end where it should"))
    }

    fn u32(&mut self) -> Result<u32, TensorError> {
        let bytes = self.array()?;
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(&mut self) -> Result<u64, TensorError> {
        let bytes = self.array()?;
        Ok(if self.big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    fn length(&mut self) -> Result<u64, TensorError> {
        if self.short { self.u32().map(u64::from) } else { self.u64() }
    }

    fn name(&mut self) -> Result<Vec<u8>, TensorError> {
        let length = self.length()?;
        if length > MAX_NAME {
            return malformed(format!("a name in its header has {length} bytes"));
        }
        self.bytes(length).map(<[u8]>::to_vec)
    }

    fn skip(&mut self, length: u64) -> Result<(), TensorError> {
        self.at = self.need(length)?;
        Ok(())
    }

    fn skip_value(&mut self, kind: u32, depth: u32) -> Result<(), TensorError> {
        if let Some(size) = size_of(kind) {
            return self.skip(size);
        }
        match kind {
            STRING => {
                let length = self.length()?;
                self.skip(length)
            }
            ARRAY if depth < MAX_DEPTH => {
                let kind = self.u32()?;
                let count = self.length()?;
                if let Some(size) = size_of(kind) {
                    return match count.checked_mul(size) {
                        Some(length) => self.skip(length),
                        None => malformed("a list in its header overflows"),
                    };
                }
                // Each item takes bytes of the header, so this ends with it.
                for _ in 0..count {
                    self.skip_value(kind, depth + 1)?;
                }
                Ok(())
            }
            ARRAY => malformed("lists in its header are nested too deep"),
            _ => malformed(format!("a value in its header is of the type {kind}")),
        }
    }
}

/// Returns how many bytes a value of the type `kind` has; none where that differs.
const fn size_of(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}
