//! Checksum lists that come with a model: which files are such lists, what
//! their lines claim, and what path in the model each claim is about.
//!
//! It leaves to others: reading files, and comparing claims with digests.

/// The longest list that is read. 4 MiB hold some 40,000 lines, more than any
/// list that people write for a model.
pub const MAX_LIST: u64 = 4 << 20;

/// The longest line that is taken for a claim: the longest path (4,096 bytes,
/// each escaped by one more) and a digest fit.
const MAX_LINE: usize = 9 << 10;

/// The hexadecimal digits of a SHA-256 digest.
const HEX: usize = 64;

/// What a file's name says about how to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SHA256SUMS` and its like: a line for each file.
    List,
    /// `NAME.sha256`: a list, or nothing but the digest of `NAME`, which is the
    /// path without that many bytes at its end.
    Single(usize),
}

/// One line that claims a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The line, counted from 1.
    pub line: u32,
    /// The path in the model, in raw bytes.
    pub path: Vec<u8>,
    /// The digest that the line claims.
    pub sha256: [u8; 32],
}

/// Why a line claims nothing that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is no line of a checksum list.
    NotAClaim,
    /// It is longer than any line of a checksum list.
    TooLong,
    /// It claims a digest of the given other algorithm.
    OtherAlgorithm(String),
    /// It names a file outside of the model.
    OutsideModel,
    /// It names the list itself, and no file can hold its own digest.
    Itself,
}

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The claims, in the order of their lines.
    pub claims: Vec<Claim>,
    /// The lines that claim nothing comparable.
    pub problems: Vec<(u32, Problem)>,
}

/// Tells whether the file at `path` is a checksum list, going by its name.
pub fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    for suffix in [".sha256", ".sha256sum", ".md5", ".sha1"] {
        if let Some(stem) = name.strip_suffix(suffix)
            && !stem.is_empty()
        {
            return Some(Kind::Single(suffix.len()));
        }
    }
    let stem = name.strip_suffix(".txt").unwrap_or(&name);
    let listed = ["sha256sum", "sha256sums", "checksums", "checksums-sha256", "checksums_sha256"];
    let weak = ["md5sum", "md5sums", "sha1sum", "sha1sums"];
    (listed.contains(&stem) || weak.contains(&stem)).then_some(Kind::List)
}

/// Parses the list that stands at `path` in the model, given in raw bytes.
pub fn parse(path: &[u8], kind: Kind, content: &[u8]) -> Sums {
    let mut sums = Sums::default();
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if let Kind::Single(suffix) = kind
        && let Some(sha256) = bare(content.trim_ascii())
    {
        let path = path.get(..path.len().saturating_sub(suffix)).unwrap_or(path).to_owned();
        sums.claims.push(Claim { line: 1, path, sha256 });
        return sums;
    }
    if let Kind::Single(_) = kind
        && let Some(name) = weak(content.trim_ascii())
    {
        sums.problems.push((1, Problem::OtherAlgorithm(name.to_owned())));
        return sums;
    }
    let folder = path
        .iter()
        .rposition(|&byte| byte == b'/')
        .and_then(|end| path.get(..end))
        .unwrap_or_default();
    let mut number = 0u32;
    for line in content.split(|&byte| byte == b'\n') {
        number = number.saturating_add(1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            continue;
        }
        match claim(folder, line) {
            Ok((named, _)) if named == path => sums.problems.push((number, Problem::Itself)),
            Ok((path, sha256)) => sums.claims.push(Claim { line: number, path, sha256 }),
            Err(problem) => sums.problems.push((number, problem)),
        }
    }
    sums
}

/// Reads a file that holds nothing but a digest, perhaps as `sha256:…`.
fn bare(content: &[u8]) -> Option<[u8; 32]> {
    digest(content.strip_prefix(b"sha256:").unwrap_or(content))
}

/// Names the weak algorithm that a lone digest of this many digits is of.
fn weak(content: &[u8]) -> Option<&'static str> {
    let is_hex = content.iter().all(u8::is_ascii_hexdigit);
    match content.len() {
        32 if is_hex => Some("MD5"),
        40 if is_hex => Some("SHA-1"),
        _ => None,
    }
}

/// The name that a line gives, as it stands there, and the digest it claims.
type Named<'a> = Result<(&'a [u8], [u8; 32]), Problem>;

/// Reads one line into the path it names and the digest it claims.
fn claim(folder: &[u8], line: &[u8]) -> Result<(Vec<u8>, [u8; 32]), Problem> {
    if line.len() > MAX_LINE {
        return Err(Problem::TooLong);
    }
    // GNU tools start a line with a backslash where the name is escaped.
    let (line, escaped) = match line.strip_prefix(b"\\") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (name, sha256) = match tagged(line) {
        Some(tagged) => tagged?,
        None => plain(line)?,
    };
    let name = if escaped { unescape(name)? } else { name.to_vec() };
    let path = resolve(folder, &name)?;
    Ok((path, sha256))
}

/// Reads `digest  name` and `digest *name`.
fn plain(line: &[u8]) -> Named<'_> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (hex, rest) = line.split_at(digits);
    let name = match rest {
        [b' ' | b'\t', b' ' | b'*', name @ ..] | [b' ' | b'\t', name @ ..] => name,
        _ => return Err(Problem::NotAClaim),
    };
    if name.is_empty() {
        return Err(Problem::NotAClaim);
    }
    match (digest(hex), other_by_length(digits)) {
        (Some(sha256), _) => Ok((name, sha256)),
        (None, Some(other)) => Err(Problem::OtherAlgorithm(other.to_owned())),
        (None, None) => Err(Problem::NotAClaim),
    }
}

/// Reads `SHA256 (name) = digest`, as BSD tools write it, and OpenSSL's
/// `SHA2-256(name)= digest`. None where the line has not this form.
fn tagged(line: &[u8]) -> Option<Named<'_>> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    // A name may hold brackets, a digest can't: the last one closes the name.
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let algorithm = str::from_utf8(line.get(..open)?).ok()?.trim_ascii_end();
    let name = line.get(open + 1..close)?;
    let hex = line.get(close + 1..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_');
    if name.is_empty()
        || algorithm.is_empty()
        || algorithm.len() > 32
        || !algorithm.bytes().all(letters)
    {
        return None;
    }
    Some(match algorithm.to_ascii_lowercase().as_str() {
        "sha256" | "sha-256" | "sha2-256" => {
            digest(hex).map(|sha256| (name, sha256)).ok_or(Problem::NotAClaim)
        }
        _ => Err(Problem::OtherAlgorithm(algorithm.to_owned())),
    })
}

/// Names the algorithm that a digest of `digits` hexadecimal digits is usually of.
fn other_by_length(digits: usize) -> Option<&'static str> {
    match digits {
        32 => Some("MD5"),
        40 => Some("SHA-1"),
        56 => Some("SHA-224"),
        96 => Some("SHA-384"),
        128 => Some("SHA-512 or BLAKE2b"),
        _ => None,
    }
}

/// Reads a SHA-256 digest from its hexadecimal digits.
fn digest(hex: &[u8]) -> Option<[u8; 32]> {
    if hex.len() != HEX {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Undoes the escapes of GNU tools: `\\`, `\n`, `\r`.
fn unescape(name: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => return Err(Problem::NotAClaim),
            },
            byte => byte,
        });
    }
    Ok(plain)
}

/// Turns a name in a list of `folder` into a path in the model. `..` may climb
/// as far as the model's root; nothing here looks at a file system.
fn resolve(folder: &[u8], name: &[u8]) -> Result<Vec<u8>, Problem> {
    if name.starts_with(b"/") {
        return Err(Problem::OutsideModel);
    }
    let mut parts: Vec<&[u8]> =
        folder.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop().ok_or(Problem::OutsideModel)?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(Problem::NotAClaim);
    }
    Ok(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The claims as `line path first-byte`, then the problems as `line! problem`.
    fn show(path: &str, content: impl AsRef<[u8]>) -> String {
        let kind = kind(path).expect("the row's path is a list's");
        let sums = parse(path.as_bytes(), kind, content.as_ref());
        let claims = sums
            .claims
            .iter()
            .map(|c| format!("{} {} {:02x}", c.line, c.path.escape_ascii(), c.sha256[0]));
        let problems = sums.problems.iter().map(|(line, problem)| format!("{line}! {problem:?}"));
        claims.chain(problems).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn names() {
        let rows = [
            ("SHA256SUMS", Some(Kind::List)),
            ("a/b/sha256sums.txt", Some(Kind::List)),
            ("CHECKSUMS", Some(Kind::List)),
            ("checksums.txt", Some(Kind::List)),
            ("checksums.sha256", Some(Kind::Single(7))),
            ("w/model.bin.sha256", Some(Kind::Single(7))),
            ("model.bin.SHA256", Some(Kind::Single(7))),
            ("model.bin.sha256sum", Some(Kind::Single(10))),
            (".sha256", None),
            ("dir.sha256/model.bin", None),
            ("README.md", None),
            ("MD5SUMS", Some(Kind::List)),
            ("", None),
        ];
        for (path, expected) in rows {
            assert_eq!(kind(path), expected, "{path}");
        }
    }

    #[test]
    fn lines() {
        let upper = A.to_uppercase();
        let rows: &[(&str, String, &str)] = &[
            ("SHA256SUMS", format!("{A}  model.bin\n"), "1 model.bin e3"),
            ("SHA256SUMS", format!("{A} *model.bin"), "1 model.bin e3"),
            ("SHA256SUMS", format!("{upper}  model.bin\r\n{A}\tb\n"), "1 model.bin e3; 2 b e3"),
            ("SHA256SUMS", format!("\u{feff}{A} model.bin\n"), "1 model.bin e3"),
            ("SHA256SUMS", format!("# made by hand\n\n{A}  ./a b/ c\n"), "3 a b/ c e3"),
            ("SHA256SUMS", format!("SHA256 (a (1).bin) = {A}\n"), "1 a (1).bin e3"),
            ("SHA256SUMS", format!("SHA2-256(a)= {A}\n"), "1 a e3"),
            ("x/SHA256SUMS", format!("{A}  a\n{A}  ../y/b\n"), "1 x/a e3; 2 y/b e3"),
            ("SHA256SUMS", format!("\\{A}  a\\nb\\\\c\n"), "1 a\\nb\\\\c e3"),
            ("SHA256SUMS", format!("{A}  a\\b\n"), "1 a\\\\b e3"),
            ("SHA256SUMS", format!("{A}  a(1)\n"), "1 a(1) e3"),
            ("w/m.bin.sha256", format!("{A}\n"), "1 w/m.bin e3"),
            ("w/m.bin.sha256", format!("  sha256:{upper}"), "1 w/m.bin e3"),
            ("w/m.bin.sha256", format!("{A}  m.bin"), "1 w/m.bin e3"),
            ("SHA256SUMS", String::new(), ""),
            // Lines that claim nothing comparable.
            ("SHA256SUMS", format!("{A}\n"), "1! NotAClaim"),
            ("SHA256SUMS", format!("{A}  \n"), "1! NotAClaim"),
            ("SHA256SUMS", format!("{A}model.bin\n"), "1! NotAClaim"),
            ("SHA256SUMS", format!("{}  cut\n{A}0  long\n", &A[1..]), "1! NotAClaim; 2! NotAClaim"),
            ("SHA256SUMS", format!("g{}  a\n", &A[1..]), "1! NotAClaim"),
            ("SHA256SUMS", format!("SHA256 (a) = {}\n", &A[2..]), "1! NotAClaim"),
            ("SHA256SUMS", format!("SHA256 () = {A}\n)=(\n"), "1! NotAClaim; 2! NotAClaim"),
            (
                "SHA256SUMS",
                format!("{A}  ../a\n{A}  /etc/passwd\n"),
                "1! OutsideModel; 2! OutsideModel",
            ),
            ("x/SHA256SUMS", format!("{A}  a/../../../b\n"), "1! OutsideModel"),
            ("SHA256SUMS", format!("{A}  .\n{A}  a/..\n"), "1! NotAClaim; 2! NotAClaim"),
            ("SHA256SUMS", format!("{A}  SHA256SUMS\n"), "1! Itself"),
            ("SHA256SUMS", format!("\\{A}  a\\\n\\{A}  a\\t\n"), "1! NotAClaim; 2! NotAClaim"),
            ("SHA256SUMS", format!("{}  a\n", &A[..32]), "1! OtherAlgorithm(\"MD5\")"),
            ("SHA256SUMS", format!("{A}{A}  a\n"), "1! OtherAlgorithm(\"SHA-512 or BLAKE2b\")"),
            ("SHA256SUMS", format!("MD5 (a) = {}\n", &A[..32]), "1! OtherAlgorithm(\"MD5\")"),
            ("SHA256SUMS", format!("{A}  {}\n", "a".repeat(MAX_LINE)), "1! TooLong"),
            ("m.sha256", "\n".into(), ""),
        ];
        for (path, content, expected) in rows {
            assert_eq!(show(path, content), *expected, "{path}: {content}");
        }
        let raw = [A.as_bytes(), b"  a\xff\x01\n"].concat();
        assert_eq!(show("SHA256SUMS", raw), "1 a\\xff\\x01 e3");
    }

    proptest::proptest! {
        #[test]
        fn any_content_is_parsed(content: Vec<u8>, single: bool) {
            let (path, kind) = if single { ("x/m.sha256", Kind::Single(7)) } else { ("x/SHA256SUMS", Kind::List) };
            let sums = parse(path.as_bytes(), kind, &content);
            let lines = content.split(|&byte| byte == b'\n').count();
            proptest::prop_assert!(sums.claims.len() + sums.problems.len() <= lines);
        }

        #[test]
        fn what_gnu_tools_write_is_read(name in "[^/\u{0}]{1,40}", digest: [u8; 32]) {
            proptest::prop_assume!(name != "." && name != ".." && name != "SHA256SUMS");
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            let mark = if escaped == name { "" } else { "\\" };
            let sums = parse(b"SHA256SUMS", Kind::List, format!("{mark}{hex}  {escaped}\n").as_bytes());
            let claim = Claim { line: 1, path: name.into_bytes(), sha256: digest };
            proptest::prop_assert_eq!(sums, Sums { claims: vec![claim], problems: vec![] });
        }
    }
}
