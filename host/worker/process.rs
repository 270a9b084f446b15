//! One worker as its parent sees it: started with nothing, watched, killed.
//!
//! Leaves what it is asked to do to `parent`.
//!
//! # Invariants
//! - It gets an empty environment, the root folder as its place, one socket, and
//!   a process group of its own, which is killed as a whole.
//! - It is reaped; none is left behind when this is dropped.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Signal, kill_process_group};

use super::channel::{Broken, Channel, Patience};
use super::isolation::Isolation;
use super::protocol::{FromWorker, MAX_SMALL, ToWorker, VERSION};
use crate::domain::lineage::Base;
use crate::domain::model::LockEntry;
use crate::domain::registry::Registered;

/// How long a killed worker is waited for. One that hangs in the system longer
/// is left to it.
const REAP: Duration = Duration::from_secs(2);

/// The program that a worker is, and the arguments that make it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Program {
    /// Returns the program that is running, as `modelhost worker`.
    pub fn this() -> Self {
        // The file that runs, even where its path leads to a newer one by now.
        let running = PathBuf::from("/proc/self/exe");
        #[expect(clippy::disallowed_methods, reason = "a worker is this very program")]
        let path =
            if running.exists() { running } else { std::env::current_exe().unwrap_or(running) };
        Self { path, args: vec!["worker".to_owned()] }
    }
}

/// A running worker.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid: Option<Pid>,
    started: Instant,
    reaped: Option<ExitStatus>,
    /// The way to talk to it.
    pub(super) channel: Channel,
    /// What it said of its wall, once it did.
    pub(super) isolation: Option<Isolation>,
    /// The plugin that it serves, by its slot.
    pub(super) slot: Option<u64>,
    /// The lock entry that it was told last.
    pub(super) lock: Option<Arc<LockEntry>>,
    /// The lineage that it was told last.
    pub(super) lineage: Arc<[Base]>,
    /// What it was told last of the trusted registry.
    pub(super) registered: Option<Arc<Registered>>,
}

impl Process {
    /// Starts a worker, without waiting for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "starting workers is what this file is for; how long they take is measured"
    )]
    pub(super) fn start(program: &Program) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut nonce = [0; 4];
        getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
        let child = Command::new(&program.path)
            .args(&program.args)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let process = Self {
            pid: i32::try_from(child.id()).ok().and_then(Pid::from_raw),
            child,
            started: Instant::now(),
            reaped: None,
            channel: Channel::new(ours, u32::from_le_bytes(nonce))?,
            isolation: None,
            slot: None,
            lock: None,
            lineage: Arc::new([]),
            registered: None,
        };
        // Fits into the socket; a worker that is gone by now is noticed later.
        let _ = process.channel.send(
            &ToWorker::Hello,
            &[],
            Patience { until: Some(process.started + REAP), interrupted: None },
        );
        Ok(process)
    }

    /// Returns its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is locked in, and says which parts of the wall stand.
    pub(super) fn ready(&mut self, patience: Patience<'_>) -> Result<Isolation, Broken> {
        if let Some(isolation) = self.isolation {
            return Ok(isolation);
        }
        let FromWorker::Ready(ready) = self.channel.receive(MAX_SMALL, patience)? else {
            return Err(Broken::Rules("it did not say that it is ready"));
        };
        if ready.version != VERSION || ready.build != env!("CARGO_PKG_VERSION") {
            return Err(Broken::Rules("it is of another build"));
        }
        let isolation = Isolation {
            rlimits: ready.rlimits,
            no_new_privileges: ready.no_new_privileges,
            landlock: ready.landlock,
            seccomp: ready.seccomp,
        };
        self.isolation = Some(isolation);
        Ok(isolation)
    }

    /// Starts an exchange: what was said before is answered no more.
    pub(super) fn next_exchange(&mut self) {
        self.channel.exchange = self.channel.exchange.wrapping_add(1);
    }

    /// Bounds what it may use in all its life: bytes of memory, and processor
    /// time, in whole seconds. Says whether the system does.
    pub(super) fn bound(&self, memory: u64, time: Duration) -> bool {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.limit(Resource::Data, memory) && self.limit(Resource::Cpu, seconds)
    }

    /// Returns how long it has lived: at least the processor time that it used,
    /// since one of its threads works at a time.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn limit(&self, resource: Resource, most: u64) -> bool {
        use rustix::process::{Rlimit, getrlimit, prlimit};
        // No more than this process has itself, which it could not give.
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(most, |maximum| most.min(maximum)));
        self.pid.is_some() && prlimit(self.pid, resource, Rlimit { current, maximum }).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn limit(&self, _: Resource, _: u64) -> bool {
        false
    }

    /// Returns the most memory in bytes that it had so far; none where the system
    /// does not tell, or it is gone.
    #[expect(
        clippy::disallowed_methods,
        reason = "what the system says of a child of this process"
    )]
    pub(super) fn rss(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Returns whether it is still there.
    pub(super) fn is_alive(&mut self) -> bool {
        match self.child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                // From here on its number may be another process's.
                self.reaped = Some(status);
                false
            }
            Err(_) => false,
        }
    }

    /// Sends the signal that ends it, without waiting.
    pub(super) fn kill(&mut self) {
        if self.reaped.is_none() {
            if let Some(pid) = self.pid {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = self.child.kill();
        }
    }

    /// Ends it, and says how it ended, if it can be had in time.
    #[expect(clippy::disallowed_methods, reason = "it is waited for within a bound")]
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        self.kill();
        let until = Instant::now() + REAP;
        let mut pause = Duration::from_micros(50);
        while self.reaped.is_none() {
            match self.child.try_wait() {
                Ok(Some(status)) => self.reaped = Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(pause),
                _ => break,
            }
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        self.reaped
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Says how a worker ended.
pub(super) fn ending(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(signal), _)) => {
            format!("its process was ended by signal {signal}{}", meaning(signal))
        }
        Some((_, Some(code))) => format!("its process ended with code {code}"),
        _ => "its process ended".to_owned(),
    }
}

fn meaning(signal: i32) -> &'static str {
    match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => ": it ran out of memory, or gave up",
        Some(Signal::KILL) => ": it was killed",
        Some(Signal::SYS) => ": it made a system call that no worker makes",
        Some(Signal::SEGV | Signal::BUS | Signal::ILL) => ": it crashed",
        _ => "",
    }
}
