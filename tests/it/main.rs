//! modelhost from outside: the binary as a user runs it, the sandbox against
//! real components, the house against its own rules.

mod cache;
mod corpus;
mod lock;
mod plugin;
mod run;
mod sandbox;
mod support;
mod tidy;
