//! A plugin for benchmarks: reads every byte, and scans it or doesn't.
//!
//! Leaves measuring to `cargo xtask bench`.

use modelhost_check::{Answer, Check, Failure, Model, Observations, export_check};
use serde::Deserialize;

/// As much as one read may have.
const BLOCK: u32 = 1 << 20;

struct Throughput;

#[derive(Deserialize)]
struct Settings {
    work: Work,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Work {
    /// Only have the bytes handed over.
    Read,
    /// Look at each of them.
    Scan,
}

impl Check for Throughput {
    type Settings = Settings;

    fn check(model: &Model<'_>, settings: Settings) -> Result<Answer, Failure> {
        let mut lines = 0_u64;
        for file in model.files() {
            let mut offset = 0;
            while offset < file.size() {
                let bytes = file.read(offset, BLOCK)?;
                offset += bytes.len() as u64;
                if let Work::Scan = settings.work {
                    lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
                }
            }
        }
        let mut observations = Observations::new();
        observations.fact("lines", lines.to_string());
        Ok(observations.into())
    }
}

export_check!(Throughput);
