//! Which parts of the process wall are in force: [`Isolation`].
//!
//! Leaves raising them to `wall`, and what follows from a missing one to whoever
//! runs the gate.

use std::fmt;

/// The parts of the wall around a worker, each in force or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Isolation {
    /// Bounds on processor time, memory, files and processes.
    pub rlimits: bool,
    /// No program that it starts could gain rights; its own capabilities are
    /// gone.
    pub no_new_privileges: bool,
    /// Landlock: no path can be opened.
    pub landlock: bool,
    /// seccomp: system calls off the list end it.
    pub seccomp: bool,
}

impl Isolation {
    /// Returns the names of the parts that are missing; none: the wall is whole.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            ("rlimits", self.rlimits),
            ("no_new_privs", self.no_new_privileges),
            ("Landlock", self.landlock),
            ("seccomp", self.seccomp),
        ];
        parts.into_iter().filter(|(_, here)| !here).map(|(name, _)| name).collect()
    }

    /// Returns whether every part is in force.
    pub fn is_whole(&self) -> bool {
        self.missing().is_empty()
    }

    /// Returns the parts that both have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            rlimits: self.rlimits && other.rlimits,
            no_new_privileges: self.no_new_privileges && other.no_new_privileges,
            landlock: self.landlock && other.landlock,
            seccomp: self.seccomp && other.seccomp,
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing();
        if missing.is_empty() {
            f.write_str("process")
        } else {
            write!(f, "process, without {}", missing.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_missing() {
        let whole =
            Isolation { rlimits: true, no_new_privileges: true, landlock: true, seccomp: true };
        assert!(whole.is_whole());
        assert_eq!(whole.to_string(), "process");
        let part = whole.and(Isolation { landlock: false, ..whole });
        assert!(!part.is_whole());
        assert_eq!(part.to_string(), "process, without Landlock");
        assert_eq!(Isolation::default().missing().len(), 4);
    }
}
