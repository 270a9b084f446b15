//! Lineage: what a model was made from, and those from what, as the lock file
//! tells.
//!
//! Leaves reading the edges to `record`, and judging them to plugins.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::TreeDigest;
use super::model::{LockEntry, ModelName};

/// How many bases a model has at most, theirs included: a merge of merges has
/// dozens.
pub const MAX_BASES: usize = 256;

/// One model that a model was made from, or that such a one was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Where it comes from.
    pub source: String,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// Which base this one was the base of, by its place; none for a base of the
    /// model itself.
    pub below: Option<u32>,
    /// The locked model that it is.
    pub locked: Option<LockedBase>,
}

/// What the lock file and the policy say of a base that is a locked model itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedBase {
    /// Its name.
    pub name: ModelName,
    /// Its tree digest.
    pub tree: TreeDigest,
    /// The license that was concluded for it.
    pub license: Option<String>,
    /// The license that the policy states for it.
    pub stated_license: Option<String>,
}

/// Splits an edge as it is written, `SOURCE@REVISION`, at its last `@`.
pub fn edge(written: &str) -> (&str, Option<&str>) {
    match written.rsplit_once('@') {
        Some((source, revision)) if !source.is_empty() && !revision.is_empty() => {
            (source, Some(revision))
        }
        _ => (written, None),
    }
}

/// Returns the lineage of the model `name` in `models`: its bases first, then
/// theirs, and so on, none twice. `stated` says which license the policy states
/// for a model. None where there are more than [`MAX_BASES`].
pub fn lineage(
    name: &ModelName,
    models: &BTreeMap<ModelName, LockEntry>,
    stated: impl Fn(&ModelName) -> Option<String>,
) -> Option<Vec<Base>> {
    let Some(own) = models.get(name).filter(|own| !own.notes.base.is_empty()) else {
        return Some(Vec::new());
    };
    let by_source: BTreeMap<_, _> = models
        .iter()
        .filter_map(|(name, entry)| {
            Some(((entry.source.as_deref()?, entry.revision.as_deref()), (name, entry)))
        })
        .collect();
    // The model itself is no base of its own, whatever a circle of entries says.
    let mut met: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
    met.extend(own.source.as_deref().map(|source| (source, own.revision.as_deref())));
    let mut bases: Vec<Base> = Vec::new();
    let mut entries: Vec<Option<&LockEntry>> = Vec::new();
    let mut below = None;
    let mut next = Some(own);
    loop {
        for written in next.iter().flat_map(|entry| &entry.notes.base) {
            let (source, revision) = edge(written);
            if !met.insert((source, revision)) {
                continue;
            }
            if bases.len() == MAX_BASES {
                return None;
            }
            let locked = by_source.get(&(source, revision)).filter(|(other, _)| *other != name);
            entries.push(locked.map(|(_, entry)| *entry));
            bases.push(Base {
                source: source.to_owned(),
                revision: revision.map(str::to_owned),
                below,
                locked: locked.map(|(name, entry)| LockedBase {
                    name: (*name).clone(),
                    tree: entry.tree,
                    license: entry.notes.license.clone(),
                    stated_license: stated(name),
                }),
            });
        }
        let place = below.map_or(0, |place: u32| place + 1);
        let Some(entry) = entries.get(place as usize) else { return Some(bases) };
        (below, next) = (Some(place), *entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;
    use crate::domain::model::LockNotes;

    /// Makes entries of rows such as `a = b@1, c@1`, each model `NAME` from
    /// `NAME@1`.
    fn models(rows: &[&str]) -> BTreeMap<ModelName, LockEntry> {
        let entry = |row: &&str| {
            let (name, bases) = row.split_once(" = ").unwrap();
            let base = bases.split(", ").filter(|base| !base.is_empty()).map(str::to_owned);
            let license = Some(format!("license of {name}"));
            let notes = LockNotes { base: base.collect(), license, ..LockNotes::default() };
            let entry = LockEntry {
                source: Some(name.to_owned()),
                revision: Some("1".to_owned()),
                notes,
                tree: TreeDigest::from_digest(Digest::of(name.as_bytes())),
                line: 0,
                files: Vec::new(),
            };
            (ModelName::new(name), entry)
        };
        rows.iter().map(entry).collect()
    }

    fn show(name: &str, models: &BTreeMap<ModelName, LockEntry>) -> String {
        let stated = |name: &ModelName| (name.as_str() == "b").then(|| "MIT".to_owned());
        let Some(bases) = lineage(&ModelName::new(name), models, stated) else {
            return "too many".to_owned();
        };
        let show = |base: &Base| {
            let below = base.below.map(|below| format!("{below}<")).unwrap_or_default();
            let locked = base.locked.as_ref().map(|locked| format!("={}", locked.name));
            format!("{below}{}{}", base.source, locked.unwrap_or_default())
        };
        bases.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn follows_bases_breadth_first_and_each_once() {
        let rows: [(&[&str], &str); 8] = [
            (&["a = "], ""),
            (&["z = y@1"], ""),
            (&["a = b@1, x@1"], "b x"),
            (&["a = b@1, c@1", "b = d@1", "c = d@1, e"], "b=b c=c 0<d 1<e"),
            (&["a = b@1", "b = a@1"], "b=b"),
            (&["a = a@1"], ""),
            (&["a = b@2", "b = c@1"], "b"),
            (&["a = b@1", "b = c@1", "c = b@1, d@1"], "b=b 0<c=c 1<d"),
        ];
        for (entries, expected) in rows {
            assert_eq!(show("a", &models(entries)), expected, "{entries:?}");
        }
        let many = (0..MAX_BASES).map(|n| format!("b{n}@1")).collect::<Vec<_>>().join(", ");
        let row = format!("a = {many}");
        assert_ne!(show("a", &models(&[&row])), "too many");
        assert_eq!(show("a", &models(&[&format!("{row}, one-more@1")])), "too many");
    }

    #[test]
    fn tells_what_is_known_of_a_locked_base() {
        let models = models(&["a = b@1", "b = "]);
        let bases = lineage(&ModelName::new("a"), &models, |_| Some("MIT".to_owned())).unwrap();
        let locked = bases[0].locked.as_ref().unwrap();
        assert_eq!(locked.license.as_deref(), Some("license of b"));
        assert_eq!(locked.stated_license.as_deref(), Some("MIT"));
        assert_eq!(locked.tree.digest(), Digest::of(b"b"));
    }

    #[test]
    fn edges_are_split_at_their_last_at_sign() {
        let rows = [
            ("hf:o/n@9f", ("hf:o/n", Some("9f"))),
            ("git+https://u@h/r@9f", ("git+https://u@h/r", Some("9f"))),
            ("hf:o/n", ("hf:o/n", None)),
            ("hf:o/n@", ("hf:o/n@", None)),
            ("@x", ("@x", None)),
            ("", ("", None)),
        ];
        for (written, expected) in rows {
            assert_eq!(edge(written), expected, "{written}");
        }
    }
}
