//! The words of modelhost as plain values: what a run is about, what came of it.
//!
//! Owns no I/O and knows no engine, no format and no policy; everything above
//! may import it, and it imports nothing of the crate.

pub mod attested;
pub mod capability;
pub mod date;
pub mod decision;
pub mod diagnostic;
pub mod digest;
pub mod dsse;
pub mod event;
pub mod evidence;
pub mod finding;
pub mod limits;
pub mod lineage;
pub mod model;
pub mod moment;
pub mod parts;
pub mod plugin;
pub mod registry;
pub mod report;
pub mod tensor;
pub mod text;
pub mod unit;
pub mod upstream;
pub mod verdict;
pub mod waiver;
