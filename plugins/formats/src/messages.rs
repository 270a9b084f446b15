//! Owns protobuf messages beside graphs: a SavedModel's fingerprint and its metadata of
//! Keras, and Core ML. Leaves the graphs to `tensorflow` and `onnx`, and the
//! configurations within to `keras`.

use crate::found::{Defect, Found, Stop};
use crate::keras;
use crate::proto::{self, Value};
use crate::rules;
use crate::source::{Cursor, Source};

/// The longest fingerprint: five numbers and a version.
const MAX_FINGERPRINT: u64 = 256;
/// The fields of Core ML that hold a model, from pipelines to programs.
const COREML: std::ops::RangeInclusive<u64> = 200..=3_000;

fn broken<T>() -> Result<T, Stop> {
    Err(Stop::NotOurs("the structure does not hold to the end".to_owned()))
}

/// Tells whether a file that begins with `head` may be a SavedModel's fingerprint.
pub fn is_fingerprint(head: &[u8]) -> bool {
    head.len() as u64 <= MAX_FINGERPRINT
        && matches!(head.first(), Some(0x08 | 0x10))
        && fingerprint(&head.to_vec(), &mut Found::default()).is_ok()
}

/// Walks a fingerprint.
pub fn fingerprint(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    let mut numbers = 0;
    proto::each(
        &mut cursor,
        source.size(),
        &mut |cursor, field| match (field.number, field.value) {
            (1..=5, Value::Number(_)) => {
                numbers += 1;
                Ok(())
            }
            (6, Value::Bytes { end }) => {
                proto::each(cursor, end, &mut |_, field| match field.value {
                    Value::Number(_) => Ok(()),
                    _ => broken(),
                })
            }
            (7, Value::Bytes { end }) => match proto::text(cursor, end, MAX_FINGERPRINT) {
                Ok(uuid) if uuid.is_ascii() => Ok(()),
                _ => broken(),
            },
            _ => broken(),
        },
    )?;
    if numbers >= 3 { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is a SavedModel's metadata of Keras: a
/// node, with its number or its path from the root.
pub fn is_keras_metadata(head: &[u8]) -> bool {
    let window = &head[..head.len().min(64)];
    head.first() == Some(&0x0a)
        && window.windows(6).any(|part| part[0] == 0x1a && &part[2..] == b"root")
        || head.first() == Some(&0x0a) && head.windows(10).any(|part| part == b"_tf_keras_")
}

/// Walks the nodes, of which each holds a configuration.
pub fn keras_metadata(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    proto::each(&mut cursor, source.size(), &mut |cursor, field| {
        let (1, Value::Bytes { end }) = (field.number, field.value) else {
            return broken();
        };
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (5, Value::Bytes { end }) => {
                let at = cursor.at();
                let text = proto::text(cursor, end, keras::MAX_CONFIG)?;
                let mut inner = Found::default();
                keras::look(text.as_bytes(), "the metadata", &mut inner)?;
                for defect in inner.into_defects() {
                    found.push(defect.offset(at));
                }
                Ok(())
            }
            (1 | 3 | 4 | 6, Value::Bytes { .. }) | (2, Value::Number(_)) => Ok(()),
            _ => broken(),
        })
    })
}

/// Tells whether a file that begins with `head` is Core ML: a version, a description,
/// and a model.
pub fn is_coreml(head: &[u8]) -> bool {
    let head = head.to_vec();
    let mut cursor = Cursor::new(&head, 0);
    let mut fields = std::iter::from_fn(|| {
        let field = number_and_end(&mut cursor)?;
        Some(field)
    });
    fields.next() == Some(1)
        && fields.next() == Some(2)
        && fields.find(|number| *number != 10).is_some_and(|number| COREML.contains(&number))
}

/// Passes over a field, which may reach past what is there; returns its number.
fn number_and_end(cursor: &mut Cursor<'_>) -> Option<u64> {
    let tag = proto::number(cursor).ok()?;
    match tag & 7 {
        0 => drop(proto::number(cursor).ok()?),
        2 => {
            let length = proto::number(cursor).ok()?;
            cursor.seek(cursor.at().saturating_add(length));
        }
        _ => return None,
    }
    Some(tag >> 3)
}

/// Walks Core ML's outermost fields.
pub fn coreml(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    proto::each(&mut cursor, source.size(), &mut |_, field| {
        match (field.number, field.value) {
            (555, Value::Bytes { .. }) => {
                let message = "the model is a class of its own, which needs a library to run";
                found.push(Defect::new(rules::CUSTOM_OPERATOR, message).offset(field.at));
            }
            (1 | 2 | 10, _) => {}
            (number, Value::Bytes { .. }) if COREML.contains(&number) => {}
            _ => return Err(Stop::malformed(field.at, "a field that Core ML does not have")),
        }
        Ok(())
    })
}
