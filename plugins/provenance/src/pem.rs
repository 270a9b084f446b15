//! Documents in PEM: blocks of Base64 between lines that say what they hold.
//!
//! It leaves to others: what the blocks mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The bytes in a line of Base64.
const LINE: usize = 64;

/// One block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it says it holds, such as `PUBLIC KEY`.
    pub label: String,
    /// What it holds.
    pub content: Vec<u8>,
}

/// Reads the blocks of a document. Text around them is skipped.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that names the document.
pub fn parse(document: &[u8]) -> Result<Vec<Block>, String> {
    let text = str::from_utf8(document).map_err(|_| "is not text".to_owned())?;
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES))
        else {
            continue;
        };
        let end = format!("{END}{label}{DASHES}");
        let mut base64 = String::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) if !line.starts_with(DASHES) => base64.push_str(line),
                _ => return Err(format!("has no `{end}` where it belongs")),
            }
        }
        let content =
            STANDARD.decode(base64).map_err(|_| format!("holds a {label} that is not Base64"))?;
        blocks.push(Block { label: label.to_owned(), content });
    }
    Ok(blocks)
}

/// Writes a block as OpenSSL and its like do: lines of 64 characters, each ended.
pub fn write(label: &str, content: &[u8]) -> String {
    let base64 = STANDARD.encode(content);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let show = |document: &str| match parse(document.as_bytes()) {
            Ok(blocks) => {
                let show = |block: &Block| format!("{}={:02x?}", block.label, block.content);
                blocks.iter().map(show).collect::<Vec<_>>().join(" ")
            }
            Err(error) => format!("error: it {error}"),
        };
        let rows = [
            ("", ""),
            ("no block", ""),
            ("-----BEGIN A-----\nAQI=\n-----END A-----\n", "A=[01, 02]"),
            ("words\r\n-----BEGIN A B-----\r\n A\r\nQI=\r\n-----END A B-----", "A B=[01, 02]"),
            (
                "-----BEGIN A-----\n-----END A-----\n\n-----BEGIN B-----\nAQ==\n-----END B-----\n",
                "A=[] B=[01]",
            ),
            ("-----BEGIN A-----\nAQI=\n", "error: it has no `-----END A-----` where it belongs"),
            (
                "-----BEGIN A-----\nAQI=\n-----END B-----\n",
                "error: it has no `-----END A-----` where it belongs",
            ),
            (
                "-----BEGIN A-----\n-----BEGIN A-----\n-----END A-----\n",
                "error: it has no `-----END A-----` where it belongs",
            ),
            ("-----BEGIN A-----\nAQI\n-----END A-----\n", "error: it holds a A that is not Base64"),
            (
                "-----BEGIN A-----\nK: v\n\nAQI=\n-----END A-----\n",
                "error: it holds a A that is not Base64",
            ),
        ];
        for (document, expected) in rows {
            assert_eq!(show(document), expected, "{document}");
        }
        assert!(parse(b"\xff").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_read(document: String) {
            drop(parse(document.as_bytes()));
        }

        #[test]
        fn what_is_written_is_read(content: Vec<u8>) {
            let text = write("PUBLIC KEY", &content);
            proptest::prop_assert!(text.lines().all(|line| line.len() <= LINE));
            let block = Block { label: "PUBLIC KEY".into(), content };
            proptest::prop_assert_eq!(parse(text.as_bytes()), Ok(vec![block]));
        }
    }
}
