//! Digests from the cache for files that look unchanged, where the operator asks for
//! it; and keeping those of this run.
//!
//! Leaves which files look unchanged to `model`, and the cache to `engine`.

use crate::domain::evidence::TrustStat;
use crate::engine::Cache;
use crate::model::{Known, Model, known};

/// What the digests are kept as.
const NAME: &str = "files";

/// A run's digests from the cache.
pub(super) struct Trusted {
    known: Known,
    /// When hashing began, in nanoseconds since 1970; none where the clock is off.
    began: Option<i128>,
    not_hashed: usize,
}

impl Trusted {
    /// Gives the files of `models` the digests that `cache` has of them, before hashing
    /// begins.
    pub(super) fn give(cache: Option<&Cache>, models: &[Model]) -> Self {
        let bytes = cache.and_then(|cache| cache.unseal(NAME, known::MAX_BYTES));
        let known = bytes.and_then(|bytes| Known::parse(&bytes)).unwrap_or_default();
        let files = models.iter().flat_map(|model| &model.files);
        let not_hashed = files.filter(|file| known.give(file)).count();
        Self { known, began: now(), not_hashed }
    }

    /// Keeps the digests of `models` for later runs, and returns what the report says.
    pub(super) fn keep(self, cache: Option<&Cache>, models: &[Model]) -> TrustStat {
        if let (Some(cache), Some(began)) = (cache, self.began) {
            let files = models.iter().flat_map(|model| &model.files).map(|file| &**file);
            cache.seal(NAME, &self.known.after(files, began).render());
        }
        TrustStat { not_hashed: self.not_hashed }
    }
}

/// Returns the time: that of the files' own clock, not the run's `--now`.
#[expect(clippy::disallowed_methods, reason = "how old a file's times are when it is hashed")]
fn now() -> Option<i128> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    i128::try_from(since.as_nanos()).ok()
}
