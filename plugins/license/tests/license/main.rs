//! Owns the tests of the check: names, cards, metadata, texts, and whole models.

mod cards;
mod hostile;
mod labels;
mod lineage;
mod manifest;
mod models;
mod names;
mod support;
mod texts;
