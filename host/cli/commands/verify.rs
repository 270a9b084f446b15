//! `modelhost verify`: attestations against a model.
//!
//! Leaves the verdict to the library.

use std::sync::Arc;

use anyhow::Context as _;
use modelhost::attest::envelope::MAX_BUNDLES;
use modelhost::attest::{self, Difference, Expected, PublicKey, Refusal, Verified};
use modelhost::domain::event::EventSink;
use modelhost::gate::Contents;

use super::attest::read;
use crate::args::{GlobalArgs, VerifyArgs};
use crate::context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::say;

/// The most bytes of a file that is to hold a key.
const MAX_KEY: u64 = 64 << 10;

/// How far the clock of who verified may be ahead, in seconds.
const SKEW: u64 = 300;

/// How many files are named that differ.
const SHOWN: usize = 20;

pub(crate) fn run(args: &VerifyArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let shown = args.key.display();
    let pem = read(&args.key, MAX_KEY).with_context(|| format!("the key {shown} can't be read"))?;
    let key = PublicKey::from_pem(&String::from_utf8_lossy(&pem));
    let key = key.with_context(|| format!("the key {shown} can't be used"))?;
    let bundle = args.bundle.display();
    let bundles = read(&args.bundle, MAX_BUNDLES)
        .with_context(|| format!("the attestations {bundle} can't be read"))?;
    let progress = Arc::new(Progress::new(!global.quiet));
    let contents = Contents {
        path: args.model.clone(),
        attestations: args.bundle.clone(),
        jobs: context::processors(),
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
    };
    let files = contents.read();
    progress.clear();
    let files = files?;
    let now = args.now.unwrap_or_else(context::now);
    let not_before = args.max_age.map(|age| time(now.saturating_sub(age.as_secs())));
    let text = |uri: &Option<attest::Uri>| uri.as_ref().map(ToString::to_string);
    let (verifier, resource) = (text(&args.verifier_id), text(&args.resource_uri));
    let expected = Expected {
        key: &key,
        verifier: verifier.as_deref(),
        resource: resource.as_deref(),
        levels: &args.level,
        not_before: not_before.as_deref(),
        not_after: &time(now.saturating_add(SKEW)),
    };
    let model = args.model.display();
    match attest::verify(&bundles, &files, &expected) {
        Ok(verified) => {
            if global.quiet {
                return Ok(Exit::Allow);
            }
            let Verified { count, verifier, time, resource, levels } = verified;
            let levels: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
            let of = if count == 1 { "attestation" } else { "attestations" };
            let text = format!(
                "verified: {model} is what was attested, all of its {} files, in {count} {of}\n  \
                 as        {resource}\n  by        {verifier}\n  at        {time}\n  levels    \
                 {}\n",
                files.len(),
                levels.join(", ")
            );
            super::print(text.as_bytes())
        }
        Err(refusal) => {
            say::line(&format!("error: {model} is not verified by {bundle}: {refusal}"));
            if let Refusal::Files { differences, .. } = &refusal {
                differences.iter().take(SHOWN).for_each(|difference| say::line(&line(difference)));
                if let Some(more @ 1..) = differences.len().checked_sub(SHOWN) {
                    say::line(&format!("  ... and {more} more"));
                }
            }
            Ok(Exit::Deny)
        }
    }
}

fn line(difference: &Difference) -> String {
    match difference {
        Difference::Changed(path) => format!("  {path} is not what was attested"),
        Difference::Missing(path) => format!("  {path} was attested, and is not there"),
        Difference::Added(path) => format!("  {path} is there, and was not attested"),
        Difference::Tree => "  the digest over all files is not that of the files".to_owned(),
    }
}

/// Writes a time as attestations do.
fn time(seconds: u64) -> String {
    // Later than any that can be written: no time is later than that.
    let seconds = i64::try_from(seconds).ok();
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "9999-12-31T23:59:59Z".to_owned(), |time| time.to_string())
}
