//! modelhost from outside: the binary as a user runs it, the sandbox against
//! real components, the house against its own rules.

#![expect(
    clippy::disallowed_methods,
    reason = "tests make the files and processes that they look at"
)]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod attest;
mod audit;
mod benign;
mod cache;
mod changes;
mod compare;
mod corpus;
mod crash;
mod determinism;
mod docs;
mod export;
mod folders;
mod formats;
mod growth;
mod history;
mod import;
mod license;
mod lock;
mod malformed;
mod model;
mod mutations;
mod plugin;
mod policy;
mod provenance;
mod registry;
mod run;
mod sandbox;
mod story;
mod support;
mod terminal;
mod tidy;
mod trust_stat;
mod worker;
