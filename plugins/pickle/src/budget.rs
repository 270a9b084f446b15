//! The work that one file may cause: opcodes, decompressed bytes, members of archives.
//!
//! Bytes of the file itself are paid for by its size; what costs the file next to nothing (compression, members
//! that share bytes, places where a pickle could begin) is bounded here. A budget that is exhausted is a finding.

/// Opcodes of decompressed data and of members that share bytes: within the host's fuel, which is 5 × 10⁹.
const OPCODES: u64 = 30_000_000;
/// Opcodes run on suspicion.
const TRIALS: u64 = 4_000_000;
/// Decompressed bytes beyond fifty times the file's size.
const INFLATED: u64 = 256 << 20;
/// Members of archives, however deep.
const MEMBERS: u64 = 500_000;
/// Decompressed bytes held in memory at a time; a check has 256 MiB, and the machine takes its share.
pub const HELD: usize = 32 << 20;
/// Opcodes that a compressed pickle may have for each of its bytes, beside [`FREE_EXPANDED`]: real ones pack to
/// a tenth or twentieth.
const EXPANSION: u64 = 200;
/// See [`EXPANSION`].
const FREE_EXPANDED: u64 = 4_000_000;

/// What may still be done for one file.
#[derive(Debug)]
pub struct Budget {
    /// Opcodes.
    pub opcodes: u64,
    /// Opcodes of trials.
    pub trials: u64,
    /// Decompressed bytes.
    pub inflated: u64,
    /// Members.
    pub members: u64,
    /// Decompressed bytes in memory.
    pub held: usize,
}

impl Budget {
    /// Makes the budget for a file of `size` bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self {
            opcodes: OPCODES.saturating_add(size.saturating_mul(2)),
            trials: TRIALS.saturating_add(size),
            inflated: INFLATED.saturating_add(size.saturating_mul(50)),
            members: MEMBERS.saturating_add(size / 64),
            held: HELD,
        }
    }

    /// Returns how many opcodes a pickle of `packed` compressed bytes may have; `None` for one that isn't compressed.
    #[must_use]
    pub fn opcodes_for(&self, packed: Option<u64>) -> u64 {
        let most = packed.map_or(u64::MAX, |packed| {
            packed.saturating_mul(EXPANSION).saturating_add(FREE_EXPANDED)
        });
        most.min(self.opcodes)
    }

    /// Pays for opening a container of `size` bytes; false where nothing is left.
    pub fn open(&mut self, size: u64) -> bool {
        let cost = 16 + size / 256;
        let paid = self.members >= cost;
        self.members = self.members.saturating_sub(cost);
        paid
    }
}
