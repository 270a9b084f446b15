//! Owns the configuration of Keras models, wherever it stands: layers that carry
//! code, and names that make loading import or read something else. Leaves the
//! containers to `archive` and `hdf5`.

use std::borrow::Cow;

use modelhost_check::Severity;
use serde_json::{Map, Value};

use crate::found::{Defect, Found, Stop};
use crate::onnx::outside;
use crate::rules;

/// How long a configuration may be: its tree must fit into a guest's memory.
pub const MAX_CONFIG: u64 = 4 * 1024 * 1024;

/// Packages whose classes Keras models are made of.
const PACKAGES: &[&str] =
    &["keras", "keras_core", "keras_cv", "keras_hub", "keras_nlp", "tf_keras"];
/// The same, inside TensorFlow.
const IN_TENSORFLOW: &[&str] =
    &["tensorflow.keras", "tensorflow.python.keras", "tensorflow.keras.src"];
/// Parts of Keras whose functions only compute; others fetch, write or unlock.
const COMPUTE: &[&str] =
    &["activations", "constraints", "initializers", "losses", "metrics", "ops", "regularizers"];
/// Modules with classes that Keras writes for plain values.
const VALUES: &[(&str, &[&str])] = &[
    (
        "builtins",
        &[
            "NoneType", "bool", "bytes", "dict", "float", "int", "list", "set", "slice", "str",
            "tuple",
        ],
    ),
    ("numpy", &["dtype", "float32", "float64", "int32", "int64", "ndarray"]),
    ("tensorflow", &["DType", "TensorShape", "TypeSpec"]),
];
/// Packages that come with Python and do harm by a single call.
const HARMFUL: &[&str] = &[
    "builtins",
    "code",
    "codecs",
    "commands",
    "ctypes",
    "ftplib",
    "http",
    "importlib",
    "io",
    "marshal",
    "multiprocessing",
    "nt",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "pip",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "smtplib",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "timeit",
    "types",
    "urllib",
    "webbrowser",
];
/// Functions of Python that run, fetch or write.
const BUILTINS: &[&str] = &[
    "__import__",
    "breakpoint",
    "compile",
    "delattr",
    "eval",
    "exec",
    "getattr",
    "globals",
    "input",
    "locals",
    "open",
    "setattr",
    "vars",
];
/// Layers that load something else from a path or from bytes.
const LOADERS: &[(&str, Severity, &str)] = &[
    ("TorchModuleWrapper", Severity::Critical, "unpickles a PyTorch module"),
    ("TFSMLayer", Severity::High, "loads a SavedModel from a path"),
    ("FlaxLayer", Severity::High, "calls a function of another package"),
    ("JaxLayer", Severity::High, "calls a function of another package"),
];

/// Returns the text with what Python's reader takes for numbers, and JSON does not have,
/// as `null`.
fn as_json(config: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 2] = [b"NaN", b"Infinity"];
    if !WORDS.iter().any(|word| config.windows(word.len()).any(|window| window == *word)) {
        return config.into();
    }
    let mut json = Vec::with_capacity(config.len());
    let (mut quoted, mut at) = (false, 0);
    while let Some(byte) = config.get(at) {
        let word = WORDS.iter().find(|word| !quoted && config[at..].starts_with(word));
        if let Some(word) = word {
            // `-Infinity`, too.
            json.pop_if(|before| *before == b'-');
            json.extend(b"null");
            at += word.len();
            continue;
        }
        quoted ^= *byte == b'"';
        json.push(*byte);
        at += 1;
        if quoted && *byte == b'\\' {
            json.extend(config.get(at));
            at += 1;
        }
    }
    json.into()
}

/// Tells whether a text may be the configuration of a Keras model: one that has a
/// class, or one that can't be read here and might be elsewhere.
pub fn is_config(config: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Config {
        class_name: Option<serde::de::IgnoredAny>,
    }
    let config = serde_json::from_slice::<Config>(&as_json(config));
    config.map_or(true, |config| config.class_name.is_some())
}

/// Tells whether a text is the configuration of a Keras model or of a part of one: an
/// object that has a class and what the class is made with.
pub fn is_model(config: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Config {
        class_name: Option<serde::de::IgnoredAny>,
        config: Option<serde::de::IgnoredAny>,
    }
    let config = serde_json::from_slice::<Config>(&as_json(config));
    // Said twice, the one or the other may count.
    config.map_or_else(
        |error| error.to_string().starts_with("duplicate field"),
        |config| config.class_name.is_some() && config.config.is_some(),
    )
}

/// Looks through a configuration, the text of a JSON object. `member` says where
/// it stands in the file.
pub fn look(config: &[u8], member: &str, found: &mut Found) -> Result<(), Stop> {
    if config.len() as u64 > MAX_CONFIG {
        let message = format!(
            "a configuration of {} bytes; at most {MAX_CONFIG} can be checked",
            config.len()
        );
        return Err(Stop::Unsupported(message));
    }
    // Bounds the depth of what is walked below, too.
    let tree: Value = serde_json::from_slice(&as_json(config))
        .map_err(|error| Stop::malformed(0, format!("{member} is no JSON: {error}")))?;
    let mut look = Look { found, member };
    look.value(&tree);
    Ok(())
}

struct Look<'a> {
    found: &'a mut Found,
    member: &'a str,
}

impl Look<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(object) => {
                self.object(object);
                object.values().for_each(|value| self.value(value));
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let class = text("class_name").unwrap_or_default();
        let name = object
            .get("config")
            .and_then(|config| config.get("name"))
            .or_else(|| object.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let bare = class.rsplit(['>', '.']).next().unwrap_or_default();
        if bare == "Lambda" {
            self.lambda(object, name);
        }
        if bare == "__lambda__" {
            let message = "a function is stored as marshalled Python code, which loading unpacks";
            self.push(Defect::new(rules::CODE_LAYER, message).severity(Severity::Critical));
        }
        if let Some((_, severity, what)) = LOADERS.iter().find(|(loader, ..)| *loader == bare) {
            let message = format!("the layer `{name}` is a {bare}, which {what}");
            self.push(Defect::new(rules::CODE_LAYER, message).severity(*severity));
        }
        // Without a class it is no object, but a plain setting.
        if let Some(module) = text("module").filter(|_| object.contains_key("class_name")) {
            self.module(module, class, object);
        }
        if let Some(vocabulary) = text("vocabulary").filter(|path| outside(path).is_some()) {
            let message = format!("the layer `{name}` reads its vocabulary from `{vocabulary}`");
            self.push(Defect::new(rules::EXTERNAL_PATH, message));
        }
    }

    fn lambda(&mut self, object: &Map<String, Value>, name: &str) {
        let function = object.get("config").and_then(|config| config.get("function"));
        let marshalled = match function {
            Some(Value::Array(_)) => true,
            Some(Value::Object(function)) => {
                function.get("class_name").and_then(Value::as_str) == Some("__lambda__")
            }
            _ => false,
        };
        let (severity, what) = if marshalled {
            (Severity::Critical, "with marshalled Python code")
        } else {
            (Severity::High, "that calls a function by name")
        };
        let message = format!("the layer `{name}` is a Lambda layer {what}");
        self.push(Defect::new(rules::CODE_LAYER, message).severity(severity));
    }

    /// Judges the module that an object is to be imported from.
    fn module(&mut self, module: &str, class: &str, object: &Map<String, Value>) {
        let within = |package: &str| {
            module == package
                || module.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
        };
        let value =
            VALUES.iter().any(|(package, classes)| module == *package && classes.contains(&class));
        let keras = PACKAGES.iter().chain(IN_TENSORFLOW).any(|package| within(package));
        let function = class == "function";
        let named = object.get("config").and_then(Value::as_str).unwrap_or(class);
        let own = function && module == "builtins" && !BUILTINS.contains(&named);
        if value || own {
            // A function of the model's own: found by its name, or not at all.
            return;
        }
        if !keras {
            let root = module.split('.').next().unwrap_or_default();
            let harmful = HARMFUL.contains(&root);
            let severity = if harmful { Severity::Critical } else { Severity::High };
            let message = format!("loading imports `{module}` for `{named}`");
            self.push(Defect::new(rules::FOREIGN_MODULE, message).severity(severity));
            return;
        }
        let computes = module.split('.').any(|part| COMPUTE.contains(&part));
        // A class in lower case is a function that was named as a class.
        let lower = class.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        if (function || lower) && !computes {
            let message = format!(
                "loading calls `{module}.{named}`, which is no layer but a function of Keras"
            );
            self.push(Defect::new(rules::FOREIGN_MODULE, message));
        }
    }

    fn push(&mut self, defect: Defect) {
        self.found.push(defect.member(self.member));
    }
}
