//! The check `code` on models in memory.

mod corpus;
mod gguf;
mod jinja;
mod manifest;
mod properties;
mod repositories;
mod support;
