//! Owns the second look: whether a file of one format is an archive as well, to
//! programs that look for archives at other places. Leaves the archive's content
//! to the check that judges archives.

use crate::found::{Defect, Found, Stop};
use crate::source::Source;
use crate::{hdf5, pickled, rules, table, zip, zip_end};

/// How much text may stand in an archive behind a TFLite model.
const MAX_TEXTS: u64 = 16 * 1024 * 1024;
/// The length of a tar header.
const TAR_HEADER: usize = 512;

/// Reports a file of `format` that is a zip or a tar archive too. `zip` and `tar`
/// readers take such a file for theirs, whatever stands around the archive.
pub fn look(source: &dyn Source, format: &str, found: &mut Found) -> Result<(), Stop> {
    if let Some(end) = zip_end::find(source)?
        && !(format == "TFLite" && holds_texts(source)?)
    {
        let message = format!(
            "this {format} file is a zip archive too: programs that look for zip, \
             as torch.load and Python's import do, see another content"
        );
        found.push(Defect::new(rules::POLYGLOT, message).offset(end.at));
    }
    if let Some(offset) = pickled::import(source)? {
        let message = format!(
            "this {format} file is a pickle too: an unpickler that reads it from its start imports by name"
        );
        found.push(Defect::new(rules::POLYGLOT, message).offset(offset));
    }
    if let Some(at) = hdf5::behind(source)?
        && ![table::HDF5, table::BEHIND.name].contains(&format)
    {
        let message = format!(
            "this {format} file is HDF5 too: its readers look behind other content, and Keras runs what it holds"
        );
        found.push(Defect::new(rules::POLYGLOT, message).offset(at));
    }
    if is_tar(source)? {
        let message = format!("this {format} file is a tar archive too");
        found.push(Defect::new(rules::POLYGLOT, message).offset(257));
    }
    Ok(())
}

/// Tells whether the archive behind a file is one of texts alone: TFLite's metadata
/// library appends labels and vocabularies so.
fn holds_texts(source: &dyn Source) -> Result<bool, Stop> {
    let members = match zip::appended(source) {
        Ok(members) => members,
        Err(Stop::Unreadable(error)) => return Err(error.into()),
        Err(_) => return Ok(false),
    };
    let mut left = MAX_TEXTS;
    for member in members {
        let Ok(content) = member.content(source, left) else {
            return Ok(false);
        };
        left -= member.size.max(member.stored);
        if std::str::from_utf8(&content).map_or(true, |text| text.contains('\0')) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells whether the file begins with a tar header: its magic, and its checksum.
fn is_tar(source: &dyn Source) -> Result<bool, Stop> {
    if source.size() < TAR_HEADER as u64 {
        return Ok(false);
    }
    let header = source.read_at(0, TAR_HEADER)?;
    let field = String::from_utf8_lossy(&header[148..156]).into_owned();
    let Ok(stored) = u32::from_str_radix(field.trim_matches(['\0', ' ']), 8) else {
        return Ok(false);
    };
    let blank = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(*byte),
    });
    Ok(stored == blank.sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zip of one empty member, as the shortest writer makes it.
    fn zip(prefix: &[u8]) -> Vec<u8> {
        let mut bytes = prefix.to_vec();
        let mut directory = b"PK\x01\x02".to_vec();
        directory.resize(46 + 1, b'a');
        let at = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(directory.len()).unwrap();
        bytes.extend(directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend(size.to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    fn looked(bytes: Vec<u8>) -> Vec<Defect> {
        let mut found = Found::default();
        look(&bytes, "GGUF", &mut found).unwrap();
        found.into_defects()
    }

    #[test]
    fn archives_behind_and_around_other_content_are_seen() {
        let mut commented = zip(b"GGUF");
        commented.extend([b'x'; 60_000]);
        let mut tar = vec![0; 512];
        tar[148..156].fill(b' ');
        let sum: u32 = tar.iter().map(|byte| u32::from(*byte)).sum();
        tar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let rows: [(&str, Vec<u8>, usize); 7] = [
            ("nothing", b"GGUF".to_vec(), 0),
            ("empty", Vec::new(), 0),
            ("the signature alone", [&b"GGUF"[..], b"PK\x05\x06", &[0; 18]].concat(), 0),
            ("random end record", [&[b'x'; 100][..], b"PK\x05\x06", &[0x41; 18]].concat(), 0),
            ("a zip with a prefix", zip(b"GGUF"), 1),
            ("a zip with bytes after it", commented, 1),
            ("a tar", tar, 1),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(looked(bytes).len(), expected, "{name}");
        }
    }
}
