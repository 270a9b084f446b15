//! Owns telling the names by which a template leaves its sandbox from those of
//! data. Leaves how a name is come by to `expression`.

/// Stands in a folded text for a part that is not known.
pub const UNKNOWN: char = '\u{fffc}';

/// What else Jinja's sandbox hides, since frames and code hang on it.
const HIDDEN: &[&str] = &[
    "func_closure",
    "func_code",
    "func_defaults",
    "func_dict",
    "func_globals",
    "im_class",
    "im_func",
    "im_self",
    "gi_code",
    "gi_frame",
    "gi_yieldfrom",
    "cr_code",
    "cr_frame",
    "cr_await",
    "ag_code",
    "ag_frame",
    "ag_await",
    "f_back",
    "f_builtins",
    "f_code",
    "f_globals",
    "f_locals",
    "tb_frame",
    "tb_next",
    "co_consts",
    "co_code",
];

/// Methods of texts, mappings and lists, and the few others that templates call on
/// what they are given. `format` is not among them.
const METHODS: &[&str] = &[
    "append",
    "capitalize",
    "casefold",
    "center",
    "copy",
    "count",
    "dict",
    "endswith",
    "expandtabs",
    "extend",
    "find",
    "get",
    "index",
    "insert",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "islower",
    "isnumeric",
    "isoformat",
    "isspace",
    "istitle",
    "isupper",
    "items",
    "join",
    "json",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "model_dump",
    "model_dump_json",
    "partition",
    "pop",
    "removeprefix",
    "removesuffix",
    "replace",
    "reverse",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "setdefault",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strftime",
    "strip",
    "swapcase",
    "title",
    "to_dict",
    "update",
    "upper",
    "values",
    "zfill",
];

/// Says whether a name after a dot is one that leads to Python's internals.
pub(super) fn is_internal(name: &str) -> bool {
    (name.starts_with("__") && name.len() > 2) || name == "mro" || is_internal_key(name)
}

/// Says the same of a text between brackets, where keys of data stand too.
pub(super) fn is_internal_key(name: &str) -> bool {
    let ends = name.ends_with("__") || name.ends_with(UNKNOWN);
    let dunder = name.starts_with("__") && ends && name.len() > 4;
    // `_TemplateReference__context`, as Python stores `__context` of that class.
    let mangled = name
        .strip_prefix('_')
        .filter(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
        .is_some_and(|rest| rest.contains("__"));
    dunder || mangled || HIDDEN.contains(&name)
}

/// Says whether one of the names joined by dots is internal.
pub(super) fn is_internal_path(path: &str) -> bool {
    path.split('.').any(is_internal_key)
}

/// Says whether a method is one that data have.
pub(super) fn is_data_method(name: &str) -> bool {
    METHODS.binary_search(&name).is_ok()
}

/// Says whether a text for `str.format` reaches for more than its arguments.
pub(super) fn is_reaching_format(text: &str) -> bool {
    text.split('{').skip(1).any(|field| {
        let field = field.split('}').next().unwrap_or(field);
        let reaches = field.contains(['.', '[']);
        reaches && (field.contains("__") || field.contains(UNKNOWN))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_can_be_searched() {
        assert!(METHODS.is_sorted());
    }

    #[test]
    fn names_of_internals_and_of_data() {
        for name in ["__class__", "__x", "_TemplateReference__context", "gi_frame", "mro"] {
            assert!(is_internal(name), "{name}");
        }
        for name in ["role", "_id", "_", "__", "a__b", "tool__", "frame"] {
            assert!(!is_internal(name), "{name}");
        }
        for name in ["__class__", "__cl\u{fffc}ss__", "__\u{fffc}\u{fffc}", "f_globals"] {
            assert!(is_internal_key(name), "{name}");
        }
        for name in ["__", "____", "__x", "mro", "mcp__x", "_x__y", "\u{fffc}__\u{fffc}", "a.__b"] {
            assert!(!is_internal_key(name), "{name}");
        }
        assert!(is_internal_path("function.__globals__"));
        assert!(!is_internal_path("function.name"));
        for text in ["{0.__class__}", "{x[__y__]}", "{0.\u{fffc}}", "a{}{b.__init__"] {
            assert!(is_reaching_format(text), "{text}");
        }
        for text in ["{}", "__{}__", "{0.name}", "{x[y]}", "{a}.__b__", "{\u{fffc}}"] {
            assert!(!is_reaching_format(text), "{text}");
        }
    }
}
