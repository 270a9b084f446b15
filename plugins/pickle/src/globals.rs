//! What is known of the globals a pickle may name: allowed ones and how they may be used, and
//! known gadgets and what they do. Everything else can't be shown safe.
//!
//! The tables are under `globals/`, with the source of each entry; `imports.rs` makes findings of them.

/// How an allowed global may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It may be named, and is never called while loading.
    Value,
    /// A value type: it may be called with certain arguments, and rebuilt with BUILD.
    Class,
    /// A model's class: it may be made empty and rebuilt with BUILD, and is never called with arguments.
    Instance,
    /// It may be called with certain arguments.
    Function,
}

/// Says how an allowed global may be used, and with which arguments it may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// How it may be used.
    pub how: Use,
    /// A letter for each argument, or the name of a rule; see `globals/allowed.tsv`.
    pub arguments: &'static str,
}

/// What is known of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Frameworks need it to load models, and it does no harm so used.
    Allowed(Allowed),
    /// It does harm: what.
    Dangerous(&'static str),
    /// Nothing is known of it.
    Unlisted,
}

mod tables {
    use super::{Allowed, Use};
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

/// TorchScript's own classes: no Python package has this name, so that Python can't import them,
/// and the loader of TorchScript resolves them within the archive.
const TORCHSCRIPT: &str = "__torch__";

/// Judges a global by its exact name, as Python 3 has it.
#[must_use]
pub fn judge(module: &str, name: &str) -> Tier {
    let exact = dangerous(module)
        .iter()
        .find(|(names, _)| *names != "*" && names.split(' ').any(|known| known == name));
    if let Some((_, effect)) = exact {
        return Tier::Dangerous(effect);
    }
    if let Ok(at) = tables::ALLOWED.binary_search_by_key(&module, |entry| entry.0) {
        let mut groups = tables::ALLOWED[at].1.iter();
        if let Some((at, _)) = groups.find(|(_, names)| names.split(' ').any(|known| known == name))
        {
            return Tier::Allowed(tables::USES[usize::from(*at)]);
        }
    }
    if (module == TORCHSCRIPT
        || module.strip_prefix(TORCHSCRIPT).is_some_and(|rest| rest.starts_with('.')))
        && !name.contains('.')
    {
        return Tier::Allowed(Allowed { how: Use::Instance, arguments: "" });
    }
    match wholly_dangerous(module) {
        Some(effect) => Tier::Dangerous(effect),
        None => Tier::Unlisted,
    }
}

/// Returns what a module does if every name in it is known to do harm.
#[must_use]
pub fn wholly_dangerous(module: &str) -> Option<&'static str> {
    let all = |rows: &'static [(&str, &'static str)]| {
        rows.iter().find(|(names, _)| *names == "*").map(|(_, effect)| *effect)
    };
    if let Some(effect) = all(dangerous(module)) {
        return Some(effect);
    }
    let mut parent = module;
    loop {
        if let Some(effect) = all(dangerous(&format!("{parent}.*"))) {
            return Some(effect);
        }
        parent = parent.rsplit_once('.')?.0;
    }
}

fn dangerous(module: &str) -> &'static [(&'static str, &'static str)] {
    match tables::DANGEROUS.binary_search_by_key(&module, |entry| entry.0) {
        Ok(at) => tables::DANGEROUS[at].1,
        Err(_) => &[],
    }
}

/// Returns the name of Python 3 that CPython takes instead of a name of Python 2 below protocol 3.
#[must_use]
pub fn python3<'a>(module: &'a str, name: &'a str) -> Option<(&'a str, &'a str)> {
    let find = |name: &str| {
        let at =
            tables::PYTHON2.binary_search_by_key(&[module, name], |entry| [entry[0], entry[1]]);
        at.ok().map(|at| (tables::PYTHON2[at][2], tables::PYTHON2[at][3]))
    };
    find(name).or_else(|| find("*").map(|(module, _)| (module, name)))
}

/// Returns what a dotted name reaches: the effect of the first of its parts that is a known module with a
/// dangerous name after it.
#[must_use]
pub fn reaches(module: &str, name: &str) -> Option<&'static str> {
    if let Tier::Dangerous(effect) = judge(module, name) {
        return Some(effect);
    }
    let parts: Vec<&str> = name.split('.').take(16).collect();
    for (n, pair) in parts.windows(2).enumerate() {
        // `random` keeps `os` as `_os`: a private alias is still the module.
        for part in [pair[0], pair[0].trim_start_matches('_')] {
            if let Tier::Dangerous(effect) = judge(part, pair[1]) {
                return Some(effect);
            }
        }
        if n == 0
            && let Tier::Dangerous(effect) = judge(&format!("{module}.{}", pair[0]), pair[1])
        {
            return Some(effect);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(module: &str, name: &str) -> bool {
        matches!(judge(module, name), Tier::Allowed(_))
    }

    #[test]
    fn tiers() {
        for (module, name) in [
            ("collections", "OrderedDict"),
            ("torch._utils", "_rebuild_tensor_v2"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("sklearn.linear_model._logistic", "LogisticRegression"),
            ("sklearn.pipeline", "Pipeline"),
            ("__torch__.net", "Net"),
            ("zoneinfo", "ZoneInfo._unpickle"),
        ] {
            assert!(allowed(module, name), "{module}.{name}");
        }
        for (module, name) in [
            ("os", "system"),
            ("os.path", "join"),
            ("builtins", "eval"),
            ("subprocess", "Popen"),
            ("asyncio.unix_events", "x"),
            ("numpy.f2py.crackfortran", "getlincoef"),
            ("torch.utils.collect_env", "run"),
            ("pip._internal", "main"),
            ("uuid", "_get_command_stdout"),
            ("types", "CodeType"),
        ] {
            assert!(matches!(judge(module, name), Tier::Dangerous(_)), "{module}.{name}");
        }
        for (module, name) in [
            ("collections", "orderedDict"),
            ("collections ", "OrderedDict"),
            ("sklearn.linear_model", "run"),
            ("sklearn.linear_model._logistic", "LogisticRegression.fit"),
            ("torch", "_utils"),
            ("unknown", "x"),
            ("osx", "system"),
            ("__torch__", "a.b"),
            ("__torch__x", "a"),
            ("", ""),
        ] {
            assert_eq!(judge(module, name), Tier::Unlisted, "{module}.{name}");
        }
    }

    #[test]
    fn tables_do_not_contradict_each_other() {
        for (module, groups) in tables::ALLOWED {
            for (at, names) in *groups {
                let allowed = Tier::Allowed(tables::USES[usize::from(*at)]);
                for name in names.split(' ') {
                    assert_eq!(judge(module, name), allowed, "{module}.{name}");
                }
            }
        }
        for (module, rows) in tables::DANGEROUS {
            let module = module.trim_end_matches(".*");
            for (names, effect) in *rows {
                for name in names.split(' ').map(|name| if name == "*" { "zz" } else { name }) {
                    assert_eq!(judge(module, name), Tier::Dangerous(effect), "{module}.{name}");
                }
            }
        }
    }

    #[test]
    fn names_of_python_2() {
        assert_eq!(python3("__builtin__", "xrange"), Some(("builtins", "range")));
        assert_eq!(python3("__builtin__", "exec"), Some(("builtins", "exec")));
        assert_eq!(python3("commands", "getoutput"), Some(("subprocess", "getoutput")));
        assert_eq!(python3("urllib", "urlopen"), Some(("urllib.request", "urlopen")));
        assert_eq!(python3("os", "system"), None);
    }

    #[test]
    fn dotted_names() {
        assert!(reaches("logging", "os.system").is_some());
        assert!(reaches("random", "_os.system").is_some());
        assert!(reaches("collections", "_sys.modules.get").is_some());
        assert!(reaches("os", "path.join").is_some());
        assert!(reaches("xml", "etree.ElementTree.parse").is_some());
        assert!(reaches("collections", "OrderedDict.fromkeys").is_none());
        assert!(reaches("a", "").is_none());
    }
}
