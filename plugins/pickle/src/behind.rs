//! What follows pickles: PyTorch's storages, padding, or bytes in which further pickles may hide.
//!
//! Pickles that follow each other directly are run in `series.rs`.

use std::collections::BTreeMap;

use modelhost_check::{Confidence, Severity};

use crate::log;
use crate::machine::End;
use crate::scan::{Claim, Content, DEPTH, Doubt, Scanner};
use crate::series::run;
use crate::source::{Fault, Window};
use crate::stream::Stream;

/// Places behind a pickle where another could begin.
const PLACES: usize = 1 << 18;

impl Scanner<'_> {
    /// Passes over the storages of PyTorch's legacy format: a count and the items of each.
    pub(crate) fn storages(
        &mut self,
        storages: &BTreeMap<Vec<u8>, u64>,
        stream: &mut Stream<'_>,
        member: &str,
    ) -> Result<(), Fault> {
        // Their order is that of the keys in the fifth pickle; here their sizes matter, and how many of each there are.
        let mut sizes: BTreeMap<u64, u32> = BTreeMap::new();
        for &size in storages.values() {
            *sizes.entry(size).or_default() += 1;
        }
        for _ in 0..storages.len() {
            let at = stream.position();
            let Some(count) = stream.array::<8>()?.map(u64::from_le_bytes) else {
                self.log.add(log::MALFORMED, member, at, "a storage is missing");
                return Ok(());
            };
            let fitting = [4, 2, 8, 1, 16]
                .iter()
                .filter_map(|size| count.checked_mul(*size))
                .find(|bytes| sizes.contains_key(bytes));
            let Some(bytes) = fitting else {
                self.log.add(
                    log::MALFORMED,
                    member,
                    at,
                    "a storage has another size than the pickle says",
                );
                return Ok(());
            };
            if let Some(number) = sizes.get_mut(&bytes) {
                *number -= 1;
                if *number == 0 {
                    sizes.remove(&bytes);
                }
            }
            if !stream.skip(bytes)? {
                self.log.add(log::MALFORMED, member, at, "a storage goes past the end");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at what follows the arrays of a file: nothing belongs there.
    pub(crate) fn behind(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
    ) -> Result<(), Fault> {
        if let Content::Plain(source) = content {
            let window = Window::new(source, start, u64::MAX);
            if self.content(Content::Plain(&window), member, DEPTH - 1, Doubt::Open)?
                == Claim::Nothing
            {
                self.trailing(content, start, member, Doubt::Open)?;
            }
        }
        Ok(())
    }

    /// Looks at what follows the last pickle: padding, or bytes in which further pickles may hide.
    pub(crate) fn trailing(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
        doubt: Doubt,
    ) -> Result<(), Fault> {
        let mut stream = content.stream()?;
        stream.skip(start)?;
        let mut meaningful = 0u64;
        let mut places = Vec::new();
        let mut previous = 0;
        loop {
            let at = stream.position();
            let chunk = match stream.chunk(u64::MAX) {
                Ok([]) | Err(Fault::Corrupt(_)) => break,
                other => other?,
            };
            for (n, &byte) in chunk.iter().enumerate() {
                meaningful += u64::from(!matches!(byte, 0 | b' ' | b'\n' | b'\r' | b'\t'));
                if previous == 0x80 && byte <= 5 && places.len() <= PLACES {
                    places.push((at + n as u64).saturating_sub(1));
                }
                previous = byte;
            }
        }
        if meaningful == 0 || doubt == Doubt::Numbers {
            return Ok(());
        }
        let message = format!(
            "{meaningful} bytes that are no pickle follow the last one: a loader that expects them reads what was not judged"
        );
        self.log.add_as(
            log::TRAILING_DATA,
            Severity::High,
            Confidence::Medium,
            member,
            start,
            message,
        );
        let Content::Plain(source) = content else {
            return Ok(());
        };
        let mut past = 0;
        for at in places {
            if at < past {
                continue;
            }
            let mut log = self.log.fork();
            let mut stream = Stream::over(source, at);
            let ran = run(self.context(member, false, self.budget.trials), &mut log, &mut stream);
            self.budget.trials = self.budget.trials.saturating_sub(ran.seen.opcodes);
            if self.budget.trials == 0 {
                self.log.add(
                    log::OVER_LIMIT,
                    member,
                    at,
                    "looking for further pickles behind the last one took too long",
                );
                break;
            }
            if ran.acts() {
                self.log.merge(log);
            }
            if ran.end == End::Stop {
                past = stream.position();
            }
        }
        Ok(())
    }
}
