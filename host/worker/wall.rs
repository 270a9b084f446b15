//! Raises the wall around this process: from the end of [`raise`] on it can
//! compute, read what it is handed, and talk over its one socket.
//!
//! Leaves bounds on memory and processor time, which differ from task to task,
//! to the parent.
//!
//! # Invariants
//! - It is raised before the first byte of a plugin is read.
//! - A part that can't be raised is reported as missing, never taken for there.

use super::isolation::Isolation;

/// How many descriptors a worker may hold: the standard three, the socket, those
/// handed over with one frame, the model's files that it keeps open, and the
/// images of its guest's memories.
pub(super) const DESCRIPTORS: u64 = 96;

/// The most bytes of a file that a worker may write until it has loaded its
/// plugin: the image of the guest's initial memory, which is no longer than the
/// largest component. No file but the memory that it makes itself is open to it
/// for writing.
pub(super) const IMAGE: u64 = 64 << 20;

/// The newest version of Landlock of which the wall uses what it brought.
pub const LANDLOCK_USED: u32 = 6;

/// Returns the version of Landlock that this kernel has, its ABI; none where it has
/// none, or has it turned off.
pub fn landlock_here() -> Option<u32> {
    parts::landlock_here()
}

/// Raises the parts that must stand before any thread starts: the others take
/// them over.
pub(super) fn raise_first() -> Isolation {
    Isolation {
        rlimits: parts::rlimits(),
        no_new_privileges: parts::give_up_privileges(),
        landlock: parts::landlock(),
        seccomp: false,
    }
}

/// Raises the rest, over all threads: from here on none can be started.
pub(super) fn raise_rest(isolation: &mut Isolation) {
    isolation.rlimits &= parts::no_more_processes();
    isolation.seccomp = parts::seccomp();
}

/// Takes away what writing to memory of its own is left, before a plugin's bytes
/// are compiled or its first instruction runs; there is no way back.
pub(super) fn write_no_more() -> bool {
    parts::write_no_more()
}

/// Closes every descriptor but the standard three: whatever started modelhost
/// may have left some open.
pub(super) fn close_descriptors() {
    parts::close_descriptors();
}

#[cfg(target_os = "linux")]
mod parts {
    use std::collections::BTreeMap;

    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
    };
    use rustix::process::{Resource, Rlimit, setrlimit};
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter_all_threads,
    };

    const FIRST: libc::c_int = 3;

    #[expect(unsafe_code, reason = "no crate here closes a range of descriptors")]
    pub(super) fn close_descriptors() {
        let first = FIRST.cast_unsigned();
        // SAFETY: the process has just started and holds no descriptor of its
        // own but the standard three.
        let closed = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
        if closed != 0 {
            for descriptor in FIRST..4096 {
                // SAFETY: as above.
                unsafe { libc::close(descriptor) };
            }
        }
    }

    pub(super) fn rlimits() -> bool {
        let bounds = [
            (Resource::Core, 0),
            (Resource::Fsize, super::IMAGE),
            (Resource::Memlock, 0),
            (Resource::Msgqueue, 0),
            (Resource::Nofile, super::DESCRIPTORS),
        ];
        bounds.into_iter().all(|(resource, most)| limit(resource, most))
    }

    pub(super) fn no_more_processes() -> bool {
        limit(Resource::Nproc, 0)
    }

    pub(super) fn write_no_more() -> bool {
        limit(Resource::Fsize, 0)
    }

    fn limit(resource: Resource, most: u64) -> bool {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
    }

    pub(super) fn give_up_privileges() -> bool {
        let none = CapabilitySet::empty();
        let gone = set_capabilities(
            None,
            CapabilitySets { effective: none, permitted: none, inheritable: none },
        )
        .is_ok();
        set_no_new_privs(true).is_ok() && gone
    }

    #[expect(unsafe_code, reason = "no crate here asks for it without raising anything")]
    pub(super) fn landlock_here() -> Option<u32> {
        const VERSION: libc::c_uint = 1;
        let none = std::ptr::null::<libc::c_void>();
        // SAFETY: with this flag the kernel reads no memory, and answers a number.
        let here =
            unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) };
        u32::try_from(here).ok().filter(|version| *version > 0)
    }

    /// Allows no path, no TCP and no signals or sockets of others. Older kernels
    /// know paths alone; what seccomp forbids covers the rest.
    pub(super) fn landlock() -> bool {
        let restricted = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))
            .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V4)))
            .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
            .and_then(Ruleset::create)
            .and_then(landlock::RulesetCreated::restrict_self);
        restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
    }

    pub(super) fn seccomp() -> bool {
        // The stricter answer of the two is the one that counts.
        let filters = [refused(), allowed()];
        filters.iter().all(|filter| {
            filter.as_ref().is_some_and(|filter| apply_filter_all_threads(filter).is_ok())
        })
    }

    /// Ends the process at every call that is neither allowed nor refused.
    fn allowed() -> Option<BpfProgram> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.iter().chain(REFUSED).map(|call| (*call, Vec::new())).collect();
        // Signals to itself alone: that is how it aborts.
        let own = u64::from(std::process::id());
        rules.insert(libc::SYS_tgkill, vec![when(0, own)?]);
        // What a panic says goes to the standard error, which leads nowhere. What
        // else is open was handed over for reading, but for its socket and for
        // memory that it made for the image of a guest's.
        rules.insert(libc::SYS_write, vec![when(0, 2)?, from(0, FIRST.cast_unsigned().into())?]);
        let sealable = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        rules.insert(libc::SYS_memfd_create, vec![when(1, sealable.into())?]);
        // Whether what it was handed can still change; that an image can't.
        let seals = [libc::F_GET_SEALS, libc::F_ADD_SEALS];
        let seals = seals.into_iter().map(|call| when(1, call.cast_unsigned().into()));
        rules.insert(libc::SYS_fcntl, seals.collect::<Option<_>>()?);
        // The one limit that it may still take away from itself.
        let fsize = SeccompRule::new(vec![
            condition(0, SeccompCmpOp::Eq, 0)?,
            condition(1, SeccompCmpOp::Eq, u64::from(libc::RLIMIT_FSIZE))?,
        ]);
        rules.insert(libc::SYS_prlimit64, vec![fsize.ok()?]);
        // Threads that were just started name themselves.
        rules.insert(libc::SYS_prctl, vec![when(0, u64::from(libc::PR_SET_NAME.cast_unsigned()))?]);
        filter(rules, SeccompAction::KillProcess, SeccompAction::Allow)
    }

    fn refused() -> Option<BpfProgram> {
        let rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
        filter(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EACCES.cast_unsigned()))
    }

    fn filter(
        rules: BTreeMap<i64, Vec<SeccompRule>>,
        otherwise: SeccompAction,
        listed: SeccompAction,
    ) -> Option<BpfProgram> {
        let arch = std::env::consts::ARCH.try_into().ok()?;
        SeccompFilter::new(rules, otherwise, listed, arch).ok()?.try_into().ok()
    }

    /// Allows a call when its argument `index` is `value`.
    fn when(index: u8, value: u64) -> Option<SeccompRule> {
        rule(index, SeccompCmpOp::Eq, value)
    }

    /// Allows a call when its argument `index` is at least `value`.
    fn from(index: u8, value: u64) -> Option<SeccompRule> {
        rule(index, SeccompCmpOp::Ge, value)
    }

    fn rule(index: u8, compare: SeccompCmpOp, value: u64) -> Option<SeccompRule> {
        SeccompRule::new(vec![condition(index, compare, value)?]).ok()
    }

    fn condition(index: u8, compare: SeccompCmpOp, value: u64) -> Option<SeccompCondition> {
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, compare, value).ok()
    }

    /// What the C library tries by itself and can do without, such as a look at
    /// `/proc/sys/vm/overcommit_memory` before it gives memory back: refused, so
    /// that it goes on, rather than fatal.
    const REFUSED: &[i64] = &[
        libc::SYS_openat,
        libc::SYS_sysinfo,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open,
    ];

    /// The system calls of a worker: memory, time, its threads, and the sockets
    /// and files that it was handed. None opens, makes or starts anything.
    const ALLOWED: &[i64] = &[
        // Memory: the allocator, guests' memories, native code.
        libc::SYS_brk,
        libc::SYS_madvise,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        // Guests' traps are signals.
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        // Threads: waiting, and the start and end of those that are there.
        libc::SYS_futex,
        libc::SYS_membarrier,
        libc::SYS_rseq,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_yield,
        libc::SYS_set_robust_list,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_restart_syscall,
        // Time, and seeds of hash tables.
        libc::SYS_clock_getres,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_gettimeofday,
        libc::SYS_nanosleep,
        // What it was handed.
        libc::SYS_close,
        libc::SYS_pread64,
        libc::SYS_ppoll,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_sendmsg,
        libc::SYS_sendto,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
    ];
}

#[cfg(not(target_os = "linux"))]
mod parts {
    pub(super) fn landlock_here() -> Option<u32> {
        None
    }

    pub(super) fn close_descriptors() {}

    pub(super) fn rlimits() -> bool {
        false
    }

    pub(super) fn write_no_more() -> bool {
        false
    }

    pub(super) fn no_more_processes() -> bool {
        false
    }

    pub(super) fn give_up_privileges() -> bool {
        false
    }

    pub(super) fn landlock() -> bool {
        false
    }

    pub(super) fn seccomp() -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io;
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    /// What a process ends with that did all it was to do.
    const DONE: i32 = 42;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tries what a worker must not do")]
    fn landlock_lets_no_path_be_opened() {
        // A thread's wall is the thread's alone.
        let tried = std::thread::spawn(|| {
            (parts::give_up_privileges(), parts::landlock(), std::fs::File::open("/etc/passwd"))
        });
        let (given_up, raised, opened) = tried.join().expect("no panic");
        assert!(given_up && raised, "this system has no Landlock");
        assert_eq!(opened.expect_err("it was opened").kind(), io::ErrorKind::PermissionDenied);
    }

    /// Runs one of the tests below, which raise the wall, in a process of its own.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a wall does to a process can be seen from outside alone"
    )]
    fn behind_the_wall(test: &str) -> std::process::ExitStatus {
        let this = std::env::current_exe().expect("a program");
        let name = format!("worker::wall::tests::{test}");
        let output = std::process::Command::new(this)
            .args(["--exact", &name, "--ignored"])
            .output()
            .expect("it starts");
        output.status
    }

    fn raise() {
        let mut isolation = raise_first();
        raise_rest(&mut isolation);
        if !isolation.is_whole() {
            end(1);
        }
    }

    /// Ends the process without a word, which it has no right to any more.
    #[expect(unsafe_code, reason = "what ends a process orderly writes to its standard output")]
    fn end(code: i32) -> ! {
        // SAFETY: ends the process.
        unsafe { libc::_exit(code) }
    }

    #[test]
    fn a_process_behind_the_wall_can_compute_and_nothing_else() {
        assert_eq!(behind_the_wall("inside_it_computes").code(), Some(DONE));
        assert_eq!(behind_the_wall("inside_it_fills_an_image_late").signal(), Some(libc::SIGXFSZ));
        for test in [
            "inside_it_makes_lasting_memory",
            "inside_it_gives_itself_time",
            "inside_it_makes_a_socket",
            "inside_it_starts_a_thread",
            "inside_it_signals_others",
            "inside_it_writes",
        ] {
            assert_eq!(behind_the_wall(test).signal(), Some(libc::SIGSYS), "{test}");
        }
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    #[expect(clippy::disallowed_methods, reason = "tries what a worker must not do")]
    fn inside_it_computes() {
        raise();
        let large = vec![1_u8; 64 << 20];
        let sum: u64 = large.iter().map(|byte| u64::from(*byte)).sum();
        std::thread::sleep(std::time::Duration::from_millis(1));
        let hidden = std::fs::File::open("/etc/passwd").is_err();
        end(if sum == 64 << 20 && hidden && makes_an_image() { DONE } else { 2 });
    }

    /// Makes an image of a guest's memory as the engine does, and says whether
    /// nothing can change it then.
    fn makes_an_image() -> bool {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let Ok(image) = memfd_create("image", flags) else { return false };
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        rustix::io::write(&image, b"data") == Ok(4)
            && fcntl_add_seals(&image, seals).is_ok()
            && rustix::io::write(&image, b"more").is_err()
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_makes_lasting_memory() {
        raise();
        // Memory that nothing can be sealed of, or that a program could be run from.
        let _ = rustix::fs::memfd_create("program", rustix::fs::MemfdFlags::CLOEXEC);
        end(DONE);
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_fills_an_image_late() {
        raise();
        end(if write_no_more() && makes_an_image() { DONE } else { 2 });
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_gives_itself_time() {
        raise();
        let endless = rustix::process::Rlimit { current: None, maximum: None };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Cpu, endless);
        end(DONE);
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_makes_a_socket() {
        raise();
        let _ = std::os::unix::net::UnixStream::pair();
        end(DONE);
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_starts_a_thread() {
        raise();
        let _ = std::thread::Builder::new().spawn(|| {});
        end(DONE);
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_signals_others() {
        raise();
        let _ = rustix::process::kill_process(
            rustix::process::getpid(),
            rustix::process::Signal::WINCH,
        );
        end(DONE);
    }

    #[test]
    #[ignore = "run by a_process_behind_the_wall_can_compute_and_nothing_else"]
    fn inside_it_writes() {
        raise();
        let _ = rustix::io::write(rustix::stdio::stdout(), b"x");
        end(DONE);
    }
}
