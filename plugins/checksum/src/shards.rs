//! `*.index.json`: what an index of shards says, and how the shards that are there
//! differ from it.
//!
//! An index names for each tensor the file that holds it (`weight_map`), and how many
//! bytes all tensors have (`metadata.total_size`). It leaves to others: reading files,
//! and the words ([`crate::report`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The longest index that is read: those of the largest models have some 20 MiB.
pub const MAX_INDEX: u64 = 32 << 20;

/// The longest header of a shard that is read.
pub const MAX_HEADER: u64 = 16 << 20;

/// What an index says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The tensors of each shard, by the shard's name.
    pub shards: BTreeMap<String, BTreeSet<String>>,
    /// How many bytes all tensors have.
    pub total: Option<u64>,
}

/// What a shard holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// Its tensors.
    pub tensors: BTreeSet<String>,
    /// How many bytes they have.
    pub bytes: u64,
}

/// How shards differ from their index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inconsistency {
    /// It is no index that can be read.
    Unreadable,
    /// It names a shard that is not there.
    NoShard(String),
    /// It names so many shards, and none of them is there.
    NoneThere(usize),
    /// It names a tensor that the shard does not hold.
    NoTensor {
        /// The shard.
        shard: String,
        /// The first of them.
        tensor: String,
        /// How many there are.
        count: usize,
    },
    /// The shard holds a tensor that it does not name there.
    NotNamed {
        /// The shard.
        shard: String,
        /// The first of them.
        tensor: String,
        /// How many there are.
        count: usize,
    },
    /// A shard of the same set is there that it does not name.
    Stray(String),
    /// The tensors have other bytes together than it says.
    Total {
        /// What it says.
        stated: u64,
        /// What they have.
        found: u64,
    },
}

/// Tells whether the file at `path` is an index of shards, going by its name.
pub fn is_index(path: &str) -> bool {
    path.ends_with(".safetensors.index.json") || path.ends_with(".bin.index.json")
}

/// Reads an index; none for what is none.
pub fn parse(content: &[u8]) -> Option<Index> {
    let value: Value = serde_json::from_slice(content).ok()?;
    let mut index = Index {
        total: value.get("metadata").and_then(|it| it.get("total_size")).and_then(number),
        ..Index::default()
    };
    for (tensor, shard) in value.get("weight_map")?.as_object()? {
        index.shards.entry(shard.as_str()?.to_owned()).or_default().insert(tensor.clone());
    }
    Some(index)
}

/// Reads a number: some tools write this one with a decimal point.
fn number(value: &Value) -> Option<u64> {
    let whole = value.as_f64().filter(|it| it.fract() == 0.0 && (0.0..9e15).contains(it));
    // Whole, and within what a `u64` holds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    value.as_u64().or(whole.map(|it| it as u64))
}

/// Reads the header of a safetensors file, which has its length before it; none for
/// what is none.
pub fn header(content: &[u8]) -> Option<Shard> {
    let Value::Object(tensors) = serde_json::from_slice(content).ok()? else { return None };
    let mut shard = Shard::default();
    for (name, value) in tensors {
        let Some(Value::Array(offsets)) = value.get("data_offsets") else { continue };
        let [from, to] = offsets.as_slice() else { return None };
        let length = to.as_u64()?.checked_sub(from.as_u64()?)?;
        shard.bytes = shard.bytes.checked_add(length)?;
        shard.tensors.insert(name);
    }
    Some(shard)
}

/// Tells whether a file of that name is a shard, `NAME-00001-of-00002.safetensors`.
pub fn is_shard(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".safetensors") else { return false };
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((rest, total)) = stem.rsplit_once("-of-") else { return false };
    let Some((_, number)) = rest.rsplit_once('-') else { return false };
    is_number(total) && is_number(number)
}

/// Compares what an index says with the files in its folder, by name: `look` tells of
/// a safetensors file what it holds, and none of another.
pub fn compare<E>(
    index: &Index,
    names: &BTreeSet<String>,
    mut look: impl FnMut(&str) -> Result<Option<Shard>, E>,
) -> Result<Vec<Inconsistency>, E> {
    let mut found = Vec::new();
    if !index.shards.keys().any(|name| names.contains(name)) {
        // As where one of two formats was fetched alone.
        return Ok(vec![Inconsistency::NoneThere(index.shards.len())]);
    }
    let mut bytes = Some(0_u64);
    for (name, tensors) in &index.shards {
        if !names.contains(name) {
            found.push(Inconsistency::NoShard(name.clone()));
            bytes = None;
            continue;
        }
        let Some(shard) = look(name)? else {
            bytes = None;
            continue;
        };
        bytes = bytes.and_then(|sum| sum.checked_add(shard.bytes));
        let mut missing = tensors.difference(&shard.tensors);
        if let Some(tensor) = missing.next() {
            let (shard, tensor) = (name.clone(), tensor.clone());
            found.push(Inconsistency::NoTensor { shard, tensor, count: 1 + missing.count() });
        }
        let mut more = shard.tensors.difference(tensors);
        if let Some(tensor) = more.next() {
            let (shard, tensor) = (name.clone(), tensor.clone());
            found.push(Inconsistency::NotNamed { shard, tensor, count: 1 + more.count() });
        }
    }
    if let (Some(stated), Some(sum)) = (index.total, bytes)
        && stated != sum
    {
        found.push(Inconsistency::Total { stated, found: sum });
    }
    let is_sharded = index.shards.keys().any(|name| is_shard(name));
    let strays = names.iter().filter(|name| is_shard(name) && !index.shards.contains_key(*name));
    found.extend(strays.filter(|_| is_sharded).cloned().map(Inconsistency::Stray));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares an index of `tensor=shard …` and a total with shards of `name:tensor,…`,
    /// each tensor of one byte; `?` in place of tensors for a file that is no shard.
    fn check(index: &str, total: Option<u64>, files: &str) -> Vec<Inconsistency> {
        let mut parsed = Index { total, ..Index::default() };
        for pair in index.split_whitespace() {
            let (tensor, shard) = pair.split_once('=').unwrap();
            parsed.shards.entry(shard.to_owned()).or_default().insert(tensor.to_owned());
        }
        let files: BTreeMap<_, _> =
            files.split_whitespace().map(|file| file.split_once(':').unwrap()).collect();
        let names = files.keys().map(|name| (*name).to_owned()).collect();
        let look = |name: &str| {
            let tensors = files[name];
            let shard = (tensors != "?").then(|| {
                let tensors: BTreeSet<_> =
                    tensors.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
                Shard { bytes: tensors.len() as u64, tensors }
            });
            Ok::<_, ()>(shard)
        };
        compare(&parsed, &names, look).unwrap()
    }

    #[test]
    fn shards_are_held_to_their_index() {
        use Inconsistency::{NoShard, NoTensor, NotNamed, Stray, Total};
        let (s1, s2) = ("m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors");
        let index = format!("a={s1} b={s1} c={s2}");
        let tensor = |tensor: &str, shard: &str| (shard.to_owned(), tensor.to_owned());
        let (no_shard, no_c) = (s2.to_owned(), tensor("c", s2));
        let rows = [
            (Some(3), format!("{s1}:a,b {s2}:c x.json:?"), vec![]),
            (None, format!("{s1}:a,b {s2}:?"), vec![]),
            (Some(4), format!("{s1}:a,b {s2}:c"), vec![Total { stated: 4, found: 3 }]),
            (Some(3), format!("{s1}:a,b"), vec![NoShard(no_shard)]),
            (
                Some(3),
                format!("{s1}:a,b {s2}:d"),
                vec![
                    NoTensor { shard: no_c.0.clone(), tensor: no_c.1, count: 1 },
                    NotNamed { shard: no_c.0, tensor: "d".to_owned(), count: 1 },
                ],
            ),
            (
                Some(3),
                format!("{s1}:a,b {s2}:c m-00003-of-00003.safetensors:z"),
                vec![Stray("m-00003-of-00003.safetensors".to_owned())],
            ),
        ];
        for (total, files, expected) in rows {
            assert_eq!(check(&index, total, &files), expected, "{files}");
        }
        assert_eq!(check(&index, Some(3), "x.json:?"), [Inconsistency::NoneThere(2)]);
        assert_eq!(check("a=w.safetensors", None, &format!("w.safetensors:a {s1}:z")), []);
    }

    #[test]
    fn indexes_and_headers_are_read() {
        let index = parse(br#"{"metadata": {"total_size": 8.0}, "weight_map": {"t": "s"}}"#);
        assert_eq!(index.as_ref().and_then(|index| index.total), Some(8));
        assert!(index.is_some_and(|index| index.shards["s"].contains("t")));
        for other in ["", "[]", "{}", r#"{"weight_map": []}"#, r#"{"weight_map": {"a": 1}}"#] {
            assert_eq!(parse(other.as_bytes()), None, "{other}");
        }
        let shard = header(br#"{"__metadata__": {}, "t": {"data_offsets": [2, 5]}}"#).unwrap();
        assert_eq!((shard.bytes, shard.tensors.len()), (3, 1));
        for other in
            ["", "[]", r#"{"t": {"data_offsets": [5, 2]}}"#, r#"{"t": {"data_offsets": [1]}}"#]
        {
            assert_eq!(header(other.as_bytes()), None, "{other}");
        }
        for (name, expected) in [
            ("m-00001-of-00002.safetensors", true),
            ("m-1-of-2.safetensors", false),
            ("m-00001-of-00002.bin", false),
            ("m.safetensors", false),
            ("-of-.safetensors", false),
        ] {
            assert_eq!(is_shard(name), expected, "{name}");
        }
    }
}
