//! Owns the rules' names and default severities. Leaves their help texts to
//! `plugin.toml`, their examples to `RULES.md`.

use modelhost_check::{Rule, Severity};

/// The bytes break their format; loaders may refuse, misread or overrun them.
pub const MALFORMED: Rule = Rule::new("malformed", Severity::High);
/// A tensor lies, wholly or in part, outside of the file.
pub const OUT_OF_BOUNDS: Rule = Rule::new("out-of-bounds", Severity::High);
/// Two tensors share bytes.
pub const OVERLAP: Rule = Rule::new("overlap", Severity::High);
/// Bytes between tensors belong to none.
pub const HOLE: Rule = Rule::new("hole", Severity::High);
/// Bytes after the last tensor belong to none.
pub const TRAILING_DATA: Rule = Rule::new("trailing-data", Severity::High);
/// A tensor's element type is not one that the format defines.
pub const UNKNOWN_DTYPE: Rule = Rule::new("unknown-dtype", Severity::High);
/// A tensor's shape and type do not give the length that is stored.
pub const SIZE_MISMATCH: Rule = Rule::new("size-mismatch", Severity::High);
/// A name stands twice where loaders keep one of the two.
pub const DUPLICATE_KEY: Rule = Rule::new("duplicate-key", Severity::High);
/// The file is of a second format too, which other programs see in its place.
pub const POLYGLOT: Rule = Rule::new("polyglot", Severity::High);
/// An operator of the graph runs code that is not in the graph.
pub const CODE_OPERATOR: Rule = Rule::new("code-operator", Severity::High);
/// An operator of the graph reaches for files or servers.
pub const FILE_OPERATOR: Rule = Rule::new("file-operator", Severity::High);
/// An operator of the graph is of no set that comes with the runtimes.
pub const CUSTOM_OPERATOR: Rule = Rule::new("custom-operator", Severity::Low);
/// A path in the file leads out of the model's folder.
pub const EXTERNAL_PATH: Rule = Rule::new("external-path", Severity::High);
/// A layer carries code, or loads it from elsewhere.
pub const CODE_LAYER: Rule = Rule::new("code-layer", Severity::High);
/// Loading imports from outside of Keras, or calls what is no layer.
pub const FOREIGN_MODULE: Rule = Rule::new("foreign-module", Severity::High);
/// A value in a file of data is a pickle to those who read it.
pub const PICKLED_TYPE: Rule = Rule::new("pickled-type", Severity::High);

/// All of the above.
pub const ALL: &[Rule] = &[
    MALFORMED,
    OUT_OF_BOUNDS,
    OVERLAP,
    HOLE,
    TRAILING_DATA,
    UNKNOWN_DTYPE,
    SIZE_MISMATCH,
    DUPLICATE_KEY,
    POLYGLOT,
    CODE_OPERATOR,
    FILE_OPERATOR,
    CUSTOM_OPERATOR,
    EXTERNAL_PATH,
    CODE_LAYER,
    FOREIGN_MODULE,
    PICKLED_TYPE,
];
