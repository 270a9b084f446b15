//! Renderings of one report.
//!
//! Leaves what stands in it to `policy`.
