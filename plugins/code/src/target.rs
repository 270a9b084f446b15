//! Owns which dotted Python names a configuration may have imported and called:
//! classes of the frameworks that models are made of. Leaves where such names
//! stand to `config` and `lines`.

use modelhost_check::Severity;

/// Packages whose classes build models and train them. Classes only: among their
/// functions are some that load and run what they are given, as `torch.hub.load`.
const FRAMEWORKS: &[&str] = &[
    "apex.optimizers.",
    "diffusers.",
    "lightning.fabric.",
    "lightning.pytorch.",
    "monai.losses.",
    "monai.networks.",
    "monai.transforms.",
    "nemo.collections.",
    "nemo.core.",
    "nemo_text_processing.",
    "pylate.models.",
    "pytorch_lightning.",
    "sentence_transformers.",
    "timm.layers.",
    "timm.models.",
    "timm.optim.",
    "timm.scheduler.",
    "torch.distributions.",
    "torch.nn.",
    "torch.optim.",
    "torch.utils.data.",
    "torchaudio.models.",
    "torchaudio.transforms.",
    "torchmetrics.",
    "torchvision.models.",
    "torchvision.transforms.",
    "transformers.",
];

/// Packages of pure functions over tensors.
const FUNCTIONS: &[&str] = &[
    "torch.nn.functional.",
    "torch.nn.init.",
    "transformers.get_",
    "transformers.optimization.get_",
];

/// Classes that hold values and no more, and what makes numpy's.
const VALUES: &[&str] = &[
    "argparse.Namespace",
    "builtins.bool",
    "builtins.dict",
    "builtins.float",
    "builtins.int",
    "builtins.list",
    "builtins.set",
    "builtins.str",
    "builtins.tuple",
    "collections.OrderedDict",
    "collections.defaultdict",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "fractions.Fraction",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePath",
    "pathlib.WindowsPath",
    "torch.Size",
    "torch.device",
    "types.SimpleNamespace",
];

/// Modules that come with Python, as of 3.13, and what runs and fetches things in
/// the usual packages: none is part of a model.
const SYSTEM: &[&str] = &[
    "__builtin__",
    "__main__",
    "_io",
    "_posixsubprocess",
    "_thread",
    "ast",
    "asyncio",
    "asyncore",
    "atexit",
    "bdb",
    "builtins",
    "bz2",
    "cProfile",
    "cgi",
    "cloudpickle",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "commands",
    "compileall",
    "concurrent",
    "configparser",
    "contextlib",
    "copyreg",
    "ctypes",
    "curses",
    "datetime",
    "dbm",
    "difflib",
    "dill",
    "dis",
    "distutils",
    "doctest",
    "email",
    "ensurepip",
    "fileinput",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "getpass",
    "glob",
    "gzip",
    "http",
    "idlelib",
    "imaplib",
    "imp",
    "importlib",
    "inspect",
    "io",
    "itertools",
    "joblib",
    "lib2to3",
    "linecache",
    "logging",
    "lzma",
    "mailbox",
    "marshal",
    "mimetypes",
    "mmap",
    "modulefinder",
    "multiprocessing",
    "netrc",
    "nt",
    "ntpath",
    "numpy.f2py",
    "operator",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pip",
    "pipes",
    "pkg_resources",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "profile",
    "pstats",
    "pty",
    "py_compile",
    "pyclbr",
    "pydoc",
    "requests",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "select",
    "selectors",
    "setuptools",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "symtable",
    "sys",
    "sysconfig",
    "tarfile",
    "telnetlib",
    "tempfile",
    "test",
    "threading",
    "timeit",
    "tkinter",
    "torch.hub",
    "trace",
    "traceback",
    "tracemalloc",
    "turtle",
    "types",
    "unittest",
    "urllib",
    "urllib3",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "wsgiref",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
];

/// Says how bad it is that a name is imported and called, and why; none for what is
/// known to be harmless.
#[must_use]
pub fn judge(name: &str) -> Option<(Severity, &'static str)> {
    let parts: Vec<&str> = name.split('.').collect();
    let is_name =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
    if !parts.iter().all(is_name) {
        return Some((Severity::High, "is made up when it is read"));
    }
    if VALUES.contains(&name) {
        return None;
    }
    // A package of the list is a name's first part, or its first two.
    let mut ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
    if ends.any(|end| SYSTEM.binary_search(&&name[..end]).is_ok()) {
        return Some((Severity::Critical, "is part of Python or runs what it is given"));
    }
    let hidden = parts.iter().any(|part| part.starts_with('_'));
    let is_class =
        parts.last().is_some_and(|last| last.starts_with(|first: char| first.is_uppercase()));
    let of = |packages: &[&str]| packages.iter().any(|package| name.starts_with(package));
    if !hidden && (is_class && of(FRAMEWORKS) || of(FUNCTIONS)) {
        return None;
    }
    // Within an archive `pickle` says the same of such a name: what can't be shown safe is high.
    Some((
        Severity::High,
        match is_class {
            true => "is a class that is not known to be harmless",
            false => "is a function that is not known to be harmless",
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(SYSTEM.is_sorted());
    }

    #[test]
    fn names_are_judged() {
        for name in [
            "torch.nn.Linear",
            "torch.optim.AdamW",
            "nemo.collections.asr.models.EncDecCTCModel",
            "builtins.dict",
            "torch.nn.functional.relu",
            "transformers.AutoModel",
        ] {
            assert_eq!(judge(name), None, "{name}");
        }
        for (name, severity) in [
            ("os.system", Severity::Critical),
            ("subprocess.Popen", Severity::Critical),
            ("builtins.exec", Severity::Critical),
            ("torch.hub.load", Severity::Critical),
            ("torch.load", Severity::High),
            ("torch.nn.modules.linear.os.system", Severity::High),
            ("torch.nn._reduction.X", Severity::High),
            ("nemo.core.__builtins__", Severity::High),
            ("hydra.utils.get_method", Severity::High),
            ("src.models.Net", Severity::High),
            ("${target}", Severity::High),
            ("", Severity::High),
            ("osx.Y", Severity::High),
        ] {
            assert_eq!(judge(name).map(|(severity, _)| severity), Some(severity), "{name}");
        }
    }
}
