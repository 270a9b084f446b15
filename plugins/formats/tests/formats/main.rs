//! Owns the tests of the check, a module for each format.

mod corpus;
mod glue;
mod manifest;
mod safetensors;
mod support;
