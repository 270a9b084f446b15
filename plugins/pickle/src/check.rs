//! The glue between the contract and the parsers: files in, findings out.
//!
//! Nothing is judged here.

use modelhost_check::{Answer, Check, Failure, File, Model, Observations, ReadError, export_check};

use crate::log::Log;
use crate::scan::{Claim, Scanner};
use crate::settings::Settings;
use crate::source::{Cached, Fault, Source};

/// The check.
pub struct Pickle;

export_check!(Pickle);

impl Check for Pickle {
    type Settings = Settings;

    fn check(model: &Model<'_>, mut settings: Settings) -> Result<Answer, Failure> {
        settings.model = model.name();
        let mut observations = Observations::new();
        let mut claimed = false;
        for file in model.files() {
            let path = file.path();
            let mut log = Log::new(&path);
            let opened = Cached::new(Opened { size: file.size(), file });
            let claim = Scanner::new(&settings, &mut log).file(&opened, &path).map_err(failure)?;
            claimed |= claim == Claim::Pickle || !log.is_empty();
            log.into_findings().into_iter().for_each(|finding| observations.push(finding));
        }
        Ok(if claimed {
            observations.into()
        } else {
            Answer::not_applicable("no pickle, and nothing that could hold one")
        })
    }
}

fn failure(fault: Fault) -> Failure {
    match fault {
        Fault::Unreadable(text) => Failure::Unreadable(text),
        Fault::Corrupt(text) | Fault::TooLarge(text) => Failure::Unsupported(text),
    }
}

/// A file whose size is asked for once: each call is one to the host.
struct Opened {
    file: File,
    size: u64,
}

impl Source for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX).min(1 << 20);
        let bytes = self
            .file
            .read(offset, length)
            .map_err(|error: ReadError| Fault::Unreadable(error.to_string()))?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}
