//! Owns finding what the `__metadata__` of safetensors say of the license and the
//! base. Leaves whether the rest is well formed to the check `formats`.

use modelhost_check::{File, ReadError};

use crate::card::{Card, Value};
use crate::json::{self, Json};

/// How long a header may be: those of the largest shards known take some 10 MiB.
const MAX_HEADER: u64 = 16 * 1024 * 1024;

/// Returns what the metadata say, or why they can't be read. A file that only has the
/// name says nothing: whether it is what its name says is for the check `formats`.
///
/// # Errors
/// Where the host can't read the file.
pub fn read(file: &File) -> Result<Result<Card, String>, ReadError> {
    let size = file.size();
    let head = file.read(0, 9)?;
    let Some((length, [b'{'])) = head.split_first_chunk() else {
        return Ok(Ok(Card::default()));
    };
    let length = u64::from_le_bytes(*length);
    if length > size - 8 {
        return Ok(Err("its header is longer than the file".to_owned()));
    }
    if length > MAX_HEADER {
        return Ok(Err(format!("a header of {length} bytes is too long to be read")));
    }
    let header = file.read_exact_at(8, usize::try_from(length).unwrap_or(0))?;
    Ok(json::pick(&header, &["__metadata__"]).map(|header| card(&header)))
}

fn card(header: &Json) -> Card {
    let text = |keys: &[&str]| {
        let metadata = header.get("__metadata__")?;
        let mut texts = keys.iter().filter_map(|key| metadata.get(key).and_then(Json::text));
        let text = texts.find(|text| !text.trim().is_empty())?;
        Some(Value { text: text.to_owned(), line: 0 })
    };
    Card {
        licenses: text(&["license", "modelspec.license"]).into_iter().collect(),
        name: text(&["license_name"]),
        link: text(&["license_link"]),
        bases: text(&["base_model"]).into_iter().collect(),
        datasets: Vec::new(),
    }
}
