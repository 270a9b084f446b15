//! Owns files of plain text that say more than text does: configurations of Keras
//! models, TensorFlow graphs as text, XML that takes in other files; and texts too
//! long for the host to pass as companions. Leaves all other texts to the host, and
//! what configurations of other libraries mean to the check `code`.

use crate::found::{Defect, Found, Stop};
use crate::keras;
use crate::rules;
use crate::source::Source;
use crate::tensorflow;

/// Up to here the host takes text for a companion by itself.
const MAX_COMPANION: u64 = 10 * 1024 * 1024;
/// How much is read at once of a longer text.
const BLOCK: u64 = 1024 * 1024;
/// How far from its start XML declares its entities: the declaration stands before
/// the first element.
const MAX_DECLARED: usize = 1024 * 1024;
/// The longest declaration of an entity that is read.
const MAX_DECLARATION: usize = 1024;
/// The longest name of an operator.
const MAX_NAME: usize = 256;

/// Tells whether a file that begins with `head` may be text.
pub fn recognise(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character may be cut off at the end of what was read.
        Err(error) => error.error_len().is_none(),
    };
    text && !head.is_empty() && !head.contains(&0)
}

/// Looks through a text. One that is only that is not ours.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    if source.size() > MAX_COMPANION {
        return long(source);
    }
    // At most MAX_COMPANION, so it fits.
    let bytes = source.read_at(0, usize::try_from(source.size()).unwrap_or(0))?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(no_text());
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let known = match text.as_bytes().first() {
        Some(b'{') => configuration(text, found)?,
        Some(b'<') => entities(text, found),
        _ => graph(text, found),
    };
    if known { Ok(()) } else { Err(Stop::NotOurs("a text".to_owned())) }
}

fn no_text() -> Stop {
    Stop::NotOurs("no text to its end".to_owned())
}

/// Reads a long text to its end: vocabularies of tens of megabytes are ordinary.
fn long(source: &dyn Source) -> Result<(), Stop> {
    let mut at = 0;
    // A character that the last block cut off.
    let mut rest = Vec::new();
    while at < source.size() {
        let length = (source.size() - at).min(BLOCK);
        rest.extend(source.read_at(at, usize::try_from(length).unwrap_or(0))?);
        at += length;
        if rest.contains(&0) {
            return Err(no_text());
        }
        let valid = match std::str::from_utf8(&rest) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && at < source.size() => error.valid_up_to(),
            Err(_) => return Err(no_text()),
        };
        rest.drain(..valid);
    }
    // Keras would make a model of it, and no configuration is so long.
    let head = source.read_at(0, usize::try_from(BLOCK).unwrap_or(0))?;
    let json = head.trim_ascii_start().starts_with(b"{");
    if json && head.windows(12).any(|window| window == b"\"class_name\"") {
        let message = "a configuration of a Keras model that is too long to be judged";
        return Err(Stop::Unsupported(message.to_owned()));
    }
    Ok(())
}

/// Looks at JSON; false where it is no configuration of a Keras model.
fn configuration(text: &str, found: &mut Found) -> Result<bool, Stop> {
    if !keras::is_model(text.as_bytes()) {
        return Ok(false);
    }
    keras::look(text.as_bytes(), "the configuration", found)?;
    Ok(true)
}

/// Looks for entities of XML whose text is taken from elsewhere; false where there
/// are none.
fn entities(text: &str, found: &mut Found) -> bool {
    let end = text.floor_char_boundary(MAX_DECLARED);
    let before = found.has_high();
    for (at, mark) in text[..end].match_indices("<!ENTITY") {
        let declared = &text[at + mark.len()..];
        // Cut first: a declaration that does not end must not be searched for its end.
        let declared = &declared[..declared.floor_char_boundary(MAX_DECLARATION)];
        let declared = &declared[..declared.find(['<', '>']).unwrap_or(declared.len())];
        let mut words = declared.split_whitespace().skip_while(|word| *word == "%");
        let (name, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        if matches!(kind, "SYSTEM" | "PUBLIC") {
            found.add(rules::EXTERNAL_PATH, None, || {
                let message = format!(
                    "readers that resolve entities take in another file: `{}`",
                    declared.trim()
                );
                Defect::new(rules::EXTERNAL_PATH, message).member(name).offset(at as u64)
            });
        }
    }
    found.has_high() && !before
}

/// Looks for operators in a TensorFlow graph as text; false where it is none.
fn graph(text: &str, found: &mut Found) -> bool {
    if !text.contains("node") {
        return false;
    }
    let mut seen = false;
    let stream = if text.contains("file://") { "file://" } else { "" };
    for (at, _) in text.match_indices("op") {
        let word = |c: char| c == '_' || c.is_alphanumeric();
        if text[..at].ends_with(word) {
            continue;
        }
        let Some(rest) = text[at + 2..].trim_start().strip_prefix(':') else {
            continue;
        };
        let Some(kind) = quoted(rest) else {
            continue;
        };
        seen = true;
        if let Some(harm) = tensorflow::harmful(&kind, stream) {
            found.add(harm.rule, None, || harm.defect(&kind).offset(at as u64));
        }
    }
    seen
}

/// Reads a text in quotes as protobuf writes it: parts that follow each other are
/// one, and a byte may be written as an escape.
fn quoted(text: &str) -> Option<String> {
    let mut rest = text.trim_start();
    let mut whole = Vec::new();
    let mut parts = 0;
    while let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        parts += 1;
        let mut bytes = rest.bytes().enumerate().skip(1);
        let mut end = None;
        while let Some((at, byte)) = bytes.next() {
            if whole.len() > MAX_NAME {
                return None;
            }
            match byte {
                b'\\' => whole.push(escape(&mut bytes)?),
                _ if char::from(byte) == quote => {
                    end = Some(at + 1);
                    break;
                }
                _ => whole.push(byte),
            }
        }
        rest = rest.get(end?..)?.trim_start();
    }
    (parts > 0).then(|| String::from_utf8_lossy(&whole).into_owned())
}

/// Reads what follows a backslash.
fn escape(bytes: &mut (impl Iterator<Item = (usize, u8)> + Clone)) -> Option<u8> {
    match bytes.clone().next()?.1 {
        b'0'..=b'7' => digits(bytes, 8, 3),
        b'x' | b'X' => {
            bytes.next();
            digits(bytes, 16, 2)
        }
        _ => bytes.next().map(|(_, byte)| byte),
    }
}

/// Reads up to `most` digits of a byte's number.
fn digits(
    bytes: &mut (impl Iterator<Item = (usize, u8)> + Clone),
    radix: u32,
    most: usize,
) -> Option<u8> {
    let mut value = 0;
    for _ in 0..most {
        let mut ahead = bytes.clone();
        let Some(digit) = ahead.next().and_then(|(_, byte)| char::from(byte).to_digit(radix))
        else {
            break;
        };
        *bytes = ahead;
        value = value * radix + digit;
    }
    u8::try_from(value & 0xff).ok()
}
