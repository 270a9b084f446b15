//! Owns the tests of the check: names, cards, texts, and whole models.

mod cards;
mod manifest;
mod models;
mod names;
mod texts;
