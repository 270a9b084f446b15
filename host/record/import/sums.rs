//! Checksum lists: `SHA256SUMS`, what `sha256sum`, `b3sum`, `md5sum` and their
//! like write, and the form of BSD's tools.
//!
//! The bundled `checksum` plugin reads such lists too, as a guest and for SHA-256
//! alone, and leaves out what it can't read; here a line that can't be read ends
//! the import. A fuzz target holds the two to the same claims. Leaves comparing to
//! `check`.

use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::{ImportError, Request};

/// The most bytes of a list: a million lines of the usual length.
const MAX_LIST: u64 = 128 << 20;

/// The longest line: the longest path, each byte escaped, and a digest.
const MAX_LINE: usize = 9 << 10;

/// Names of lists that speak of many files, in lower case, without `.txt`.
const LISTS: [&str; 18] = [
    "sha256sum",
    "sha256sums",
    "sha512sum",
    "sha512sums",
    "b3sum",
    "b3sums",
    "blake3sum",
    "blake3sums",
    "b2sum",
    "b2sums",
    "sha1sum",
    "sha1sums",
    "md5sum",
    "md5sums",
    "checksums",
    "checksums-sha256",
    "checksums_sha256",
    "checksum",
];

/// Endings of a list, or of the digest of the file named before them.
const ENDINGS: [&str; 9] =
    [".sha256", ".sha256sum", ".sha512", ".b3", ".blake3", ".b3sum", ".b2", ".sha1", ".md5"];

fn is_list(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let stem = name.strip_suffix(".txt").unwrap_or(&name);
    LISTS.contains(&stem)
        || ENDINGS.iter().any(|ending| stem.strip_suffix(ending).is_some_and(|s| !s.is_empty()))
}

/// Returns the lists at the top of `folder`, sorted.
fn lists(folder: &Folder<'_>) -> Vec<PathBuf> {
    let listed = folder.list(Path::new("")).unwrap_or_default().into_iter();
    let lists = listed.filter(|(name, kind)| *kind == Kind::File && is_list(name.as_bytes()));
    lists.map(|(name, _)| name.into()).collect()
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    if within.as_os_str().is_empty() {
        return !lists(folder).is_empty();
    }
    within.file_name().is_some_and(|name| is_list(name.as_bytes())) && folder.has_file(within)
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let path = if folder.has_file(request.within) {
        request.within.to_owned()
    } else {
        match <[PathBuf; 1]>::try_from(lists(folder)) {
            Ok([list]) => list,
            Err(lists) if lists.is_empty() => {
                return Err(ImportError::malformed(Path::new("."), "no checksum list is in it"));
            }
            Err(lists) => {
                let names: Vec<_> =
                    lists.iter().take(5).map(|path| path.to_string_lossy()).collect();
                let choices = names.join(", ");
                return Err(ImportError::Ambiguous { what: "checksum lists", choices });
            }
        }
    };
    let content = folder.read(&path, MAX_LIST)?;
    let mut claims = parse(&path, &content)?;
    claims.add_beside(&path);
    claims.sort(&path)?;
    Ok(claims)
}

/// Reads the list `content` that stands at `path`.
///
/// # Errors
/// Says which line is none of a checksum list, and why.
fn parse(path: &Path, content: &[u8]) -> Result<Claims, ImportError> {
    let mut claims = Claims::default();
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if let Some((stem, digest)) = bare(path, &name, content) {
        claims.add(stem.as_os_str().as_bytes(), None, vec![digest], path)?;
        return Ok(claims);
    }
    for (number, line) in (1..).zip(content.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (file, digest) =
            claim(line, &name).map_err(|why| ImportError::line(path, number, why))?;
        let place = PathBuf::from(format!("{}:{number}", path.display()));
        let file = file.strip_prefix(b"./").unwrap_or(&file);
        claims.add(file, None, vec![digest], &place)?;
    }
    Ok(claims)
}

/// Reads a file of nothing but the digest of the file that its name names.
fn bare(path: &Path, name: &str, content: &[u8]) -> Option<(PathBuf, ClaimedDigest)> {
    let ending = ENDINGS.iter().find(|ending| name.ends_with(**ending))?;
    let hex = str::from_utf8(content.trim_ascii()).ok()?;
    let algorithm = by_length(hex.len(), name)?;
    let value = algorithm.parse(hex)?;
    let mut stem = path.file_name()?.to_owned().into_vec();
    stem.truncate(stem.len().checked_sub(ending.len())?);
    let stem = PathBuf::from(std::ffi::OsString::from_vec(stem));
    Some((stem, ClaimedDigest { algorithm, range: None, value }))
}

/// Reads one line into the name it gives and the digest it claims.
fn claim(line: &[u8], list: &str) -> Result<(Vec<u8>, ClaimedDigest), String> {
    if line.len() > MAX_LINE {
        return Err(format!("the line has more than {MAX_LINE} bytes"));
    }
    // The tools start a line with a backslash where the name is escaped.
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (algorithm, hex, name) = match tagged(line) {
        Some(tagged) => tagged?,
        None => plain(line, list)?,
    };
    let wrong = || {
        let digits = 2 * algorithm.length();
        format!(
            "a digest of {} has {digits} hex digits, this one has another form",
            algorithm.name()
        )
    };
    let value = str::from_utf8(hex).ok().and_then(|hex| algorithm.parse(hex)).ok_or_else(wrong)?;
    let name = if is_escaped { unescape(name)? } else { name.to_vec() };
    Ok((name, ClaimedDigest { algorithm, range: None, value }))
}

/// An algorithm, the digits of a digest, and the name that it is of.
type Parts<'a> = (Algorithm, &'a [u8], &'a [u8]);

/// Reads `digest  name` and `digest *name`.
fn plain<'a>(line: &'a [u8], list: &str) -> Result<Parts<'a>, String> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (hex, rest) = line.split_at(digits);
    let name = match rest {
        [b' ' | b'\t', b' ' | b'*', name @ ..] | [b' ' | b'\t', name @ ..] => name,
        _ => &[],
    };
    if name.is_empty() || digits == 0 {
        return Err(
            "it is none of `digest  name`, `digest *name` and `SHA256 (name) = digest`".to_owned()
        );
    }
    match by_length(digits, list) {
        Some(algorithm) => Ok((algorithm, hex, name)),
        None => Err(format!("no digest has {digits} hex digits")),
    }
}

/// Reads `SHA256 (name) = digest`, as BSD's tools and `b3sum --tag` write it, and
/// OpenSSL's `SHA2-256(name)= digest`; none where the line has not this form.
fn tagged(line: &[u8]) -> Option<Result<Parts<'_>, String>> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    // A name may hold brackets, a digest can't: the last one closes the name.
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let algorithm = str::from_utf8(line.get(..open)?).ok()?.trim_ascii_end();
    let name = line.get(open + 1..close)?;
    let hex = line.get(close + 1..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_');
    if name.is_empty() || algorithm.is_empty() || algorithm.len() > 32 {
        return None;
    }
    if !algorithm.bytes().all(is_word) {
        return None;
    }
    let known = match algorithm.to_ascii_lowercase().as_str() {
        "sha256" | "sha-256" | "sha2-256" => Algorithm::Sha256,
        "sha512" | "sha-512" | "sha2-512" => Algorithm::Sha512,
        "blake2b" | "blake2b-512" => Algorithm::Blake2b512,
        "blake3" => Algorithm::Blake3,
        "sha1" | "sha-1" => Algorithm::Sha1,
        "md5" => Algorithm::Md5,
        _ => return Some(Err(format!("digests of `{algorithm}` can't be computed here"))),
    };
    Some(Ok((known, hex, name)))
}

/// Returns the algorithm whose digests have so many hex digits; where two have,
/// the name of the list says which.
fn by_length(digits: usize, list: &str) -> Option<Algorithm> {
    let is_of = |words: [&str; 3]| words.iter().any(|word| list.contains(word));
    match digits {
        32 => Some(Algorithm::Md5),
        40 => Some(Algorithm::Sha1),
        64 if is_of(["b3sum", "blake3", ".b3"]) => Some(Algorithm::Blake3),
        64 => Some(Algorithm::Sha256),
        128 if is_of(["b2sum", "blake2", ".b2"]) => Some(Algorithm::Blake2b512),
        128 => Some(Algorithm::Sha512),
        _ => None,
    }
}

/// Undoes the escapes of the tools: `\\`, `\n`, `\r`.
fn unescape(name: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => return Err("the name has an escape that no tool writes".to_owned()),
            },
            byte => byte,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn show(list: &str, content: impl AsRef<[u8]>) -> String {
        match parse(Path::new(list), content.as_ref()) {
            Err(error) => format!("error: {error}"),
            Ok(claims) => {
                let show = |claim: &super::super::Claim| {
                    let digest = &claim.digests[0];
                    format!("{} {} {:02x}", claim.path, digest.algorithm.name(), digest.value[0])
                };
                claims.files.iter().map(show).collect::<Vec<_>>().join("; ")
            }
        }
    }

    #[test]
    fn lines_of_all_tools() {
        let upper = A.to_uppercase();
        let twice = A.repeat(2);
        let rows: [(&str, String, &str); 20] = [
            ("SHA256SUMS", format!("{A}  model.bin\n"), "model.bin sha256 e3"),
            ("SHA256SUMS", format!("{A} *model.bin"), "model.bin sha256 e3"),
            ("SHA256SUMS", format!("{upper}  a\r\n{A}\tb\n"), "a sha256 e3; b sha256 e3"),
            ("SHA256SUMS", format!("\u{feff}# by hand\n\n{A}  ./a b/ c\n"), "a b/ c sha256 e3"),
            ("SHA256SUMS", format!("SHA256 (a (1).bin) = {A}\n"), "a (1).bin sha256 e3"),
            ("SHA256SUMS", format!("SHA2-256(a)= {A}\n"), "a sha256 e3"),
            ("SHA256SUMS", format!("\\{A}  a\\\\b\\nc\n"), "a\\\\b\\nc sha256 e3"),
            ("B3SUMS", format!("{A}  a\n"), "a blake3 e3"),
            ("model.bin.b3", format!("{A}\n"), "model.bin blake3 e3"),
            ("any", format!("BLAKE3 (a) = {A}\n"), "a blake3 e3"),
            ("SHA512SUMS", format!("{twice}  a\n"), "a sha512 e3"),
            ("B2SUMS", format!("{twice}  a\n"), "a blake2b e3"),
            ("MD5SUMS", format!("{}  a\n", &A[..32]), "a md5 e3"),
            ("SHA1SUMS", format!("{}  a\n", &A[..40]), "a sha1 e3"),
            ("model.bin.SHA256", A.to_owned(), "model.bin sha256 e3"),
            ("model.bin.sha256", format!("{A}  other\n"), "other sha256 e3"),
            (
                "SHA256SUMS",
                format!("{}  a\n", &A[..60]),
                "error: SHA256SUMS:1: no digest has 60 hex digits",
            ),
            (
                "SHA256SUMS",
                format!("SHA256 (a) = {}\n", &A[..40]),
                "error: SHA256SUMS:1: a digest of sha256 has 64 hex digits, this one has another \
                 form",
            ),
            (
                "SHA256SUMS",
                format!("WHIRLPOOL (a) = {A}\n"),
                "error: SHA256SUMS:1: digests of `WHIRLPOOL` can't be computed here",
            ),
            (
                "SHA256SUMS",
                format!("{A}  a\n\\{A}  a\\x\n"),
                "error: SHA256SUMS:2: the name has an escape that no tool writes",
            ),
        ];
        for (list, content, expected) in rows {
            assert_eq!(show(list, &content), expected, "{list}: {content}");
        }
    }

    #[test]
    fn what_leads_out_or_is_no_line_is_refused_by_its_line() {
        for bad in [
            format!("{A}  ../a\n"),
            format!("{A}  /etc/passwd\n"),
            format!("{A}  a/../../b\n"),
            format!("{A}\n"),
            format!("{A}  \n"),
            "model.bin\n".to_owned(),
            format!("{A}  {}\n", "a".repeat(MAX_LINE)),
            format!("SHA256 () = {A}\n"),
        ] {
            let said = show("SHA256SUMS", format!("{A}  good\n{bad}"));
            assert!(said.starts_with("error: SHA256SUMS:2: "), "{bad}: {said}");
        }
    }

    #[test]
    fn lists_are_known_by_their_names() {
        for name in ["SHA256SUMS", "sha256sums.txt", "B3SUMS", "a.sha256", "checksums.txt"] {
            assert!(is_list(name.as_bytes()), "{name}");
        }
        for name in ["README.md", ".sha256", "model.bin", "sums", ""] {
            assert!(!is_list(name.as_bytes()), "{name}");
        }
    }
}
