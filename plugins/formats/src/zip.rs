//! Owns the reading of zip archives that hold a model of a known kind, in the one
//! way in which all readers agree. Leaves archives in general, and those that
//! readers see differently, to the check `pickle`.

use crate::found::Stop;
use crate::source::{Cursor, Part, Source};

/// The length of an end record without a comment.
const END: u64 = 22;
/// The length of a member's entry in the directory, without its name.
const ENTRY: u64 = 46;
/// The length of a member's own header, without its name.
const LOCAL: u64 = 30;
/// How much of a member is looked at to recognise it.
const PEEK: u64 = 4096;
/// How much is fetched to read a member's own header.
const HEADER_BLOCK: usize = 512;
/// How many members are read; a model has a handful.
const MAX_MEMBERS: u16 = 10_000;
/// The extra fields of long sizes, and of a name in UTF-8.
const LONG_SIZES: u16 = 1;
const UNICODE_NAME: u16 = 0x7075;
/// The flags that may be set: sizes after the data, a name in UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11 | 0b110;

/// One member.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where its data begin.
    pub start: u64,
    /// How many bytes are stored.
    pub stored: u64,
    /// How many bytes that is unpacked.
    pub size: u64,
    /// Whether it is deflated.
    deflated: bool,
}

impl Member {
    /// Returns the member's content in place; none where it is deflated.
    pub fn part<'a>(&self, archive: &'a dyn Source) -> Option<Part<'a>> {
        let plain = !self.deflated && self.stored == self.size;
        plain.then(|| Part::new(archive, self.start, self.stored)).flatten()
    }

    /// Returns the member's content, of at most `most` bytes.
    pub fn content(&self, archive: &dyn Source, most: u64) -> Result<Vec<u8>, Stop> {
        if self.size > most || self.stored > most {
            let message =
                format!("`{}` has {} bytes; at most {most} can be checked", self.name, self.size);
            return Err(Stop::Unsupported(message));
        }
        // Both are at most `most`, which a caller can hold.
        let length = |bytes: u64| usize::try_from(bytes).unwrap_or(0);
        let stored = archive.read_at(self.start, length(self.stored))?;
        let content = if self.deflated {
            miniz_oxide::inflate::decompress_to_vec_with_limit(&stored, length(self.size))
                .map_err(|_| self.broken("can't be unpacked to the size it states"))?
        } else {
            stored
        };
        if content.len() as u64 != self.size {
            return Err(self.broken("is not as long as it states"));
        }
        Ok(content)
    }

    /// Returns the first few bytes of the content.
    pub fn peek(&self, archive: &dyn Source) -> Result<Vec<u8>, Stop> {
        // At most PEEK, so it fits.
        let length = usize::try_from(self.stored.min(PEEK)).unwrap_or(0);
        let stored = archive.read_at(self.start, length)?;
        if !self.deflated {
            return Ok(stored);
        }
        let unpacked = miniz_oxide::inflate::decompress_to_vec_with_limit(&stored, length);
        Ok(unpacked.unwrap_or_else(|error| error.output))
    }

    fn broken(&self, why: &str) -> Stop {
        Stop::malformed(self.start, format!("the member `{}` {why}", self.name))
    }
}

/// Returns the archive's members, where all readers would find the same ones.
pub fn members(source: &dyn Source) -> Result<Vec<Member>, Stop> {
    read(source, Some(0))
}

/// Returns the members of an archive that stands behind other content.
pub fn appended(source: &dyn Source) -> Result<Vec<Member>, Stop> {
    read(source, None)
}

/// Reads an archive whose first member stands at `first`, or anywhere.
fn read(source: &dyn Source, first: Option<u64>) -> Result<Vec<Member>, Stop> {
    let at = source.size().checked_sub(END).ok_or_else(|| Stop::malformed(0, "no end record"))?;
    let mut cursor = Cursor::new(source, at);
    if cursor.array::<4>("the end record")? != *b"PK\x05\x06" {
        return Err(Stop::malformed(at, "the archive does not end in its end record"));
    }
    let disks = cursor.u32("disk numbers")?;
    let (here, count) = (cursor.u16("a count")?, cursor.u16("a count")?);
    let (size, start) = (cursor.u32("a size")?, cursor.u32("an offset")?);
    if count == u16::MAX || start == u32::MAX || count > MAX_MEMBERS {
        return Err(Stop::Unsupported(format!("an archive of {count} members or of zip64")));
    }
    let end = u64::from(start) + u64::from(size);
    if disks != 0 || here != count || end != at || cursor.u16("a comment's length")? != 0 {
        return Err(Stop::malformed(at, "the end record does not fit the archive"));
    }
    cursor.seek(start.into());
    let mut members = Vec::new();
    let mut expected = first;
    for _ in 0..count {
        let (member, header) = entry(&mut cursor)?;
        let member = with_local(source, member, header)?;
        if expected.is_some_and(|expected| header != expected) {
            return Err(Stop::malformed(header, "the members don't lie one after the other"));
        }
        expected = Some(member.after);
        members.push(member.member);
    }
    if cursor.at() != end || expected.unwrap_or(start.into()) != u64::from(start) {
        return Err(Stop::malformed(cursor.at(), "the directory does not fit the archive"));
    }
    let mut names: Vec<_> = members.iter().map(|member| member.name.to_lowercase()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Stop::malformed(start.into(), "two members have one name"));
    }
    Ok(members)
}

/// What the directory says of a member.
struct Listed {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    stored: u32,
    size: u32,
}

fn entry(cursor: &mut Cursor<'_>) -> Result<(Listed, u64), Stop> {
    let at = cursor.at();
    if cursor.array::<4>("an entry")? != *b"PK\x01\x02" {
        return Err(Stop::malformed(at, "no entry where the directory has one"));
    }
    cursor.skip(4, "versions")?;
    let (flags, method) = (cursor.u16("flags")?, cursor.u16("a method")?);
    cursor.skip(8, "a date and a checksum")?;
    let (stored, size) = (cursor.u32("a size")?, cursor.u32("a size")?);
    let lengths = [cursor.u16("a length")?, cursor.u16("a length")?, cursor.u16("a length")?];
    cursor.skip(8, "attributes")?;
    let header = u64::from(cursor.u32("an offset")?);
    let name = cursor.take(lengths[0].into(), "a name")?;
    let extra = cursor.take(lengths[1].into(), "extra fields")?;
    // Some readers take the member's name from there.
    if name.contains(&0) || fields(&extra).any(|(id, _)| id == UNICODE_NAME) {
        return Err(Stop::malformed(at, "a name that readers see differently"));
    }
    cursor.skip(lengths[2].into(), "a comment")?;
    debug_assert!(cursor.at() >= at + ENTRY);
    Ok((Listed { name, flags, method, stored, size }, header))
}

/// Returns the extra fields: the number and the content of each.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let [id, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_le_bytes);
        let (content, rest) = rest.split_at_checked(length.into())?;
        extra = rest;
        Some((id, content))
    })
}

/// A member, and where the next one begins.
struct Placed {
    member: Member,
    after: u64,
}

/// Compares a member's own header with what the directory says.
fn with_local(source: &dyn Source, listed: Listed, header: u64) -> Result<Placed, Stop> {
    let mut cursor = Cursor::with_block(source, header, HEADER_BLOCK);
    let sign = cursor.array::<4>("a member")?;
    cursor.skip(2, "a version")?;
    let (flags, method) = (cursor.u16("flags")?, cursor.u16("a method")?);
    cursor.skip(8, "a date and a checksum")?;
    let sizes = (cursor.u32("a size")?, cursor.u32("a size")?);
    let (name, extra) = (cursor.u16("a length")?, cursor.u16("a length")?);
    let name = cursor.take(name.into(), "a name")?;
    let extra = cursor.take(extra.into(), "extra fields")?;
    let later = flags & 1 << 3 != 0;
    // A writer that does not know the size beforehand leaves room for a long one.
    let long = [listed.size, listed.stored].map(|size| u64::from(size).to_le_bytes()).concat();
    let long = sizes == (u32::MAX, u32::MAX)
        && fields(&extra).any(|(id, sizes)| id == LONG_SIZES && sizes == long);
    let agree = sign == *b"PK\x03\x04"
        && (flags, method) == (listed.flags, listed.method)
        && (sizes == (listed.stored, listed.size) || later && sizes == (0, 0) || long)
        && name == listed.name;
    if !agree {
        return Err(Stop::malformed(header, "a member differs from what the directory says of it"));
    }
    if flags & !FLAGS != 0 || !matches!(method, 0 | 8) || listed.stored == u32::MAX {
        return Err(Stop::Unsupported(
            "a member that is encrypted, of zip64 or packed otherwise".to_owned(),
        ));
    }
    let name = String::from_utf8(name)
        .map_err(|_| Stop::malformed(header, "a member's name is not UTF-8"))?;
    let start = cursor.at();
    debug_assert!(start >= header + LOCAL);
    cursor.skip(listed.stored.into(), "a member's data")?;
    if later {
        // With or without a signature before it.
        let signed = cursor.left() >= 4 && source.read_at(cursor.at(), 4)? == b"PK\x07\x08";
        cursor.skip(if signed { 16 } else { 12 }, "a member's sizes")?;
    }
    let (stored, size) = (listed.stored.into(), listed.size.into());
    let member = Member { name, start, stored, size, deflated: method == 8 };
    Ok(Placed { member, after: cursor.at() })
}
