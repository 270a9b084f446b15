//! Owns the rules' names and default severities. Leaves their help texts to
//! `plugin.toml`, their examples to `RULES.md`.

use modelhost_check::{Rule, Severity};

/// A configuration names code that loading the model runs.
pub const AUTO_MAP: Rule = Rule::new("auto-map", Severity::High);
/// A configuration has a loader import from outside of the loader's own library.
pub const FOREIGN_MODULE: Rule = Rule::new("foreign-module", Severity::High);
/// A configuration names what Hydra is to call, and it is not known to be harmless.
pub const HYDRA_TARGET: Rule = Rule::new("hydra-target", Severity::High);
/// A YAML tag names what an unsafe loader is to call.
pub const YAML_OBJECT: Rule = Rule::new("yaml-object", Severity::High);
/// A template does what leads out of its sandbox.
pub const TEMPLATE_ESCAPE: Rule = Rule::new("template-escape", Severity::Critical);
/// A configuration names a library of native code.
pub const CUSTOM_OPS: Rule = Rule::new("custom-ops", Severity::High);
/// A file is a native program or library.
pub const EXECUTABLE: Rule = Rule::new("executable", Severity::High);
/// Python code stands beside the weights.
pub const PYTHON_CODE: Rule = Rule::new("python-code", Severity::Low);
/// A script or service file stands beside the weights.
pub const SHELL_SCRIPT: Rule = Rule::new("shell-script", Severity::Low);
/// Requirements install from elsewhere than the usual index.
pub const REQUIREMENTS_URL: Rule = Rule::new("requirements-url", Severity::Medium);
/// What loaders read for code can't be read here.
pub const NOT_READABLE: Rule = Rule::new("not-readable", Severity::High);

/// All of the above.
pub const ALL: &[Rule] = &[
    AUTO_MAP,
    FOREIGN_MODULE,
    HYDRA_TARGET,
    YAML_OBJECT,
    TEMPLATE_ESCAPE,
    CUSTOM_OPS,
    EXECUTABLE,
    PYTHON_CODE,
    SHELL_SCRIPT,
    REQUIREMENTS_URL,
    NOT_READABLE,
];
