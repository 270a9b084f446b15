//! Owns the rules' names and default severities. Leaves their help texts to
//! `plugin.toml`, their examples to `RULES.md`.

use modelhost_check::{Rule, Severity};

/// The license can't be satisfied from the operator's list.
pub const NOT_ALLOWED: Rule = Rule::new("not-allowed", Severity::High);
/// No license is named anywhere.
pub const NOT_NAMED: Rule = Rule::new("not-named", Severity::Low);
/// A license is named by an identifier that nobody defines.
pub const UNKNOWN_ID: Rule = Rule::new("unknown-id", Severity::Medium);
/// A family of licenses is named, which differ in what they allow.
pub const AMBIGUOUS: Rule = Rule::new("ambiguous", Severity::Medium);
/// Two places name different licenses.
pub const CONFLICT: Rule = Rule::new("conflict", Severity::Medium);
/// A license file holds no text that is known.
pub const TEXT_UNRECOGNISED: Rule = Rule::new("text-unrecognised", Severity::Info);
/// The model card's front matter can't be read as loaders do.
pub const CARD_MALFORMED: Rule = Rule::new("card-malformed", Severity::Medium);
/// A license expression breaks SPDX's grammar.
pub const EXPRESSION_INVALID: Rule = Rule::new("expression-invalid", Severity::Medium);

/// All of the above.
pub const ALL: &[Rule] = &[
    NOT_ALLOWED,
    NOT_NAMED,
    UNKNOWN_ID,
    AMBIGUOUS,
    CONFLICT,
    TEXT_UNRECOGNISED,
    CARD_MALFORMED,
    EXPRESSION_INVALID,
];
