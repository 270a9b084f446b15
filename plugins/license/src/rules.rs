//! Owns the rules' names and default severities. Leaves their help texts to
//! `plugin.toml`, their explanation to `RULES.md`.

use modelhost_check::{Rule, Severity};

/// The license can't be satisfied from the operator's lists.
pub const NOT_ALLOWED: Rule = Rule::new("not-allowed", Severity::High);
/// A base's license is not kept.
pub const INHERITED: Rule = Rule::new("inherited", Severity::High);
/// No license is named anywhere.
pub const NOT_NAMED: Rule = Rule::new("not-named", Severity::Low);
/// A license is named by an identifier that nobody defines.
pub const UNKNOWN_ID: Rule = Rule::new("unknown-id", Severity::Medium);
/// A family of licenses is named, which differ in what they allow.
pub const AMBIGUOUS: Rule = Rule::new("ambiguous", Severity::Medium);
/// Two places name different licenses.
pub const CONFLICT: Rule = Rule::new("conflict", Severity::Medium);
/// A license file holds a text that is like a known one, but altered.
pub const TEXT_DIFFERS: Rule = Rule::new("text-differs", Severity::Medium);
/// A license file holds no text that is known.
pub const TEXT_UNRECOGNISED: Rule = Rule::new("text-unrecognised", Severity::Info);
/// The card links to a license file that is not there.
pub const TEXT_MISSING: Rule = Rule::new("text-missing", Severity::Low);
/// The model card's front matter can't be read as loaders do.
pub const CARD_MALFORMED: Rule = Rule::new("card-malformed", Severity::Medium);
/// Metadata, or a file about the model, can't be read.
pub const METADATA_MALFORMED: Rule = Rule::new("metadata-malformed", Severity::Medium);
/// A license expression breaks SPDX's grammar.
pub const EXPRESSION_INVALID: Rule = Rule::new("expression-invalid", Severity::Medium);
/// The license of a base is not known.
pub const BASE_UNKNOWN: Rule = Rule::new("base-unknown", Severity::Low);
/// The lock file pins a base that is named not at all, or to no revision.
pub const BASE_NOT_PINNED: Rule = Rule::new("base-not-pinned", Severity::Low);
/// A data set's license takes away what the model's does not.
pub const DATASET: Rule = Rule::new("dataset", Severity::Medium);
/// A clarification was made of another text.
pub const CLARIFICATION_STALE: Rule = Rule::new("clarification-stale", Severity::Medium);
/// An exception for the model is over.
pub const EXCEPTION_EXPIRED: Rule = Rule::new("exception-expired", Severity::Medium);
/// An entry of the settings for the model serves nothing.
pub const UNUSED_ENTRY: Rule = Rule::new("unused-entry", Severity::Low);

/// All of the above.
pub const ALL: &[Rule] = &[
    NOT_ALLOWED,
    INHERITED,
    NOT_NAMED,
    UNKNOWN_ID,
    AMBIGUOUS,
    CONFLICT,
    TEXT_DIFFERS,
    TEXT_UNRECOGNISED,
    TEXT_MISSING,
    CARD_MALFORMED,
    METADATA_MALFORMED,
    EXPRESSION_INVALID,
    BASE_UNKNOWN,
    BASE_NOT_PINNED,
    DATASET,
    CLARIFICATION_STALE,
    EXCEPTION_EXPIRED,
    UNUSED_ENTRY,
];
