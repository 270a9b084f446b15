//! modelhost: a WebAssembly plugin host for pluggable checks on
//! machine-learning models.

pub mod attest;
mod bom;
pub mod config;
pub mod domain;
pub mod engine;
pub mod gate;
pub mod model;
pub mod plugin;
pub mod policy;
pub mod record;
pub mod report;
pub mod runner;
pub mod worker;
