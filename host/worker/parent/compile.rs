//! Having a worker compile a component, within time and memory.
//!
//! Leaves the cache to its sibling's caller, and loading what was compiled to
//! workers of the same plugin.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::AtomicBool;

use rustix::process::Signal;

use super::{Workers, fault, interruption, no_process, within};
use crate::domain::capability::{Limit, Limits};
use crate::domain::verdict::{Failure, FailureCode};
use crate::worker::channel::Broken;
use crate::worker::process::{Process, ending};
use crate::worker::protocol::{FromWorker, MAX_CODE, MAX_SMALL, ToWorker};
use crate::worker::sealed::Sealed;

impl Workers {
    /// Has a worker compile `bytes` within `limits`. Says how much memory it had,
    /// where the system tells.
    pub(super) fn compile_anew(
        &self,
        bytes: &[u8],
        limits: &Limits,
        interrupted: &AtomicBool,
    ) -> Result<(Sealed, Option<u64>), Failure> {
        let component = Sealed::of([bytes]).map_err(|error| no_process(&error.to_string()))?;
        let mut process = self.take_fresh(interrupted)?;
        let compiled = self.ask_to_compile(&mut process, &component, limits, interrupted);
        let code = compiled.map_err(|error| not_compiled(error, &mut process, limits))??;
        Ok((code, process.rss()))
    }

    fn ask_to_compile(
        &self,
        process: &mut Process,
        component: &Sealed,
        limits: &Limits,
        interrupted: &AtomicBool,
    ) -> Result<Result<Sealed, Failure>, Broken> {
        self.bound(process, limits.compile_memory, limits.compile_time);
        let patience = within(limits.compile_wall(), interrupted);
        process.next_exchange();
        let ask = ToWorker::Compile { length: component.length() };
        process.channel.send(&ask, &[component.descriptor()], patience)?;
        let length = match process.channel.receive(MAX_SMALL, patience)? {
            FromWorker::Compiled(Ok(length)) if length <= MAX_CODE => length,
            FromWorker::Compiled(Ok(_)) => {
                return Ok(Err(Failure::new(
                    FailureCode::Compile,
                    &format!("its code has more than {MAX_CODE} bytes"),
                )));
            }
            FromWorker::Compiled(Err(text)) => {
                return Ok(Err(Failure::new(
                    FailureCode::Compile,
                    &format!("it can't be compiled: {text}"),
                )));
            }
            FromWorker::Fault(text) => return Ok(Err(fault(&text))),
            _ => return Err(Broken::Rules("it did not say what it compiled")),
        };
        let mut broken = None;
        let code = Sealed::fill(|file| {
            broken = process.channel.receive_raw(length, file, patience).err();
            Ok(broken.is_none())
        });
        match (broken, code) {
            (Some(broken), _) => Err(broken),
            (None, Ok(Some(code))) => Ok(Ok(code)),
            (None, Ok(None)) => Err(Broken::Rules("its code did not come")),
            (None, Err(error)) => Err(Broken::Io(error.kind())),
        }
    }
}

fn not_compiled(error: Broken, process: &mut Process, limits: &Limits) -> Failure {
    let at = |limit, what: String| {
        Failure::new(FailureCode::Limit(limit), &format!("compiling it took more than {what}"))
    };
    let status = process.end();
    let signal = status.and_then(|status| status.signal());
    match (error, signal.and_then(Signal::from_named_raw)) {
        (Broken::Interrupted, _) => interruption(),
        (Broken::Late, _) => at(Limit::CompileTime, format!("{:?}", limits.compile_wall())),
        (Broken::Gone, Some(Signal::XCPU)) => {
            at(Limit::CompileTime, format!("{:?} of processor time", limits.compile_time))
        }
        (Broken::Gone, Some(Signal::ABORT)) => {
            at(Limit::CompileMemory, format!("{} MiB of memory", limits.compile_memory >> 20))
        }
        (Broken::Gone, _) => {
            Failure::new(FailureCode::Compile, &format!("it can't be compiled: {}", ending(status)))
        }
        (error, _) => fault(&error.to_string()),
    }
}
