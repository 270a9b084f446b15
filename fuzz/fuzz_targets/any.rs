//! All targets in one program, so that the host and its engine are linked once:
//! `MODELHOST_FUZZ_TARGET` names the one to run.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use modelhost_fuzz::{Target, target};

static TARGET: OnceLock<Target> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "libFuzzer has the arguments for itself")]
fn chosen() -> Target {
    let name = std::env::var("MODELHOST_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("MODELHOST_FUZZ_TARGET={name}: no such target"))
}

fuzz_target!(|bytes: &[u8]| (TARGET.get_or_init(chosen).run)(bytes));
