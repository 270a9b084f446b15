//! Configurations that name what is imported and called: Hydra's `_target_`, skops' schema, MLflow's loader.
//!
//! They are no pickles but do what a pickle does; names are judged by the same tables.

use std::borrow::Cow;

use serde_json::Value;

use crate::globals::{self, Tier};
use crate::log::{self, Log};
use crate::settings::Settings;
use crate::text;

/// Texts up to this size are looked at; configurations are some kilobytes, schemas of skops up to a megabyte.
pub const SIZE: u64 = 4 << 20;
/// Names looked at in one text.
const NAMES: usize = 100_000;
/// Packages whose classes NeMo and its like configure; what is known to do harm in them stays so.
const CONFIGURED: &[&str] = &[
    "nemo",
    "nemo_text_processing",
    "megatron",
    "torch",
    "torchvision",
    "torchaudio",
    "pytorch_lightning",
    "lightning",
    "omegaconf",
    "hydra",
    "transformers",
    "apex",
    "torchmetrics",
];
/// Tags by which YAML, loaded without care, makes and calls what they name.
const TAGS: &[&str] = &[
    "python/object/apply:",
    "python/object/new:",
    "python/object:",
    "python/name:",
    "python/module:",
];
/// Packages whose objects skops writes by itself.
const WRITTEN: &[&str] = &[
    "builtins",
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "xgboost",
    "lightgbm",
    "catboost",
    "skops",
    "quantile_forest",
    "collections",
    "datetime",
    "functools",
    "operator",
];

/// Undoes the escapes of ASCII letters that YAML and JSON know: any letter of a name may be written so.
#[must_use]
pub fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\x") && !text.contains("\\u") && !text.contains("\\U") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let digits = match tail.as_bytes().first() {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        let letter = tail
            .get(1..=digits)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32)
            .filter(|c| digits > 0 && c.is_ascii_graphic() && !matches!(c, '"' | '\\'));
        match letter {
            Some(letter) => {
                out.push(letter);
                rest = &tail[digits + 1..];
            }
            None => {
                // A backslash escapes the next character, which may be a backslash itself.
                let next = tail.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[at..at + 1 + next]);
                rest = &tail[next..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Says whether a text may be such a configuration.
#[must_use]
pub fn may_name(text: &[u8]) -> bool {
    [&b"_target_"[..], b"\"__loader__\"", b"loader_module", b"\"handler\"", b"python/"]
        .iter()
        .any(|word| text.windows(word.len()).any(|window| window == *word))
}

/// Judges the names in a configuration. Returns whether it is a
/// schema of skops, which is a model by itself.
pub fn judge(text: &str, member: &str, settings: &Settings, log: &mut Log) -> bool {
    for (at, name) in values(text, "_target_") {
        let (module, function) = name.rsplit_once('.').unwrap_or(("", name));
        report(module, function, "Hydra's `_target_`", CONFIGURED, member, at, settings, log);
    }
    if text.contains("flavors") {
        for (at, module) in values(text, "loader_module") {
            report(
                module,
                "_load_pyfunc",
                "MLflow's `loader_module`",
                &["mlflow"],
                member,
                at,
                settings,
                log,
            );
        }
    }
    for tag in TAGS {
        for (at, _) in text.match_indices(tag).take(NAMES) {
            let rest = &text[at + tag.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')));
            let name = &rest[..end.unwrap_or(rest.len())];
            let (module, name) = name.rsplit_once('.').unwrap_or(("builtins", name));
            report(module, name, "a tag of YAML", &[], member, at as u64, settings, log);
        }
    }
    if text.contains("\"modelName\"") {
        handler(text, member, settings, log);
    }
    let schema = text.trim_start().starts_with('{') && text.contains("\"__loader__\"");
    if schema {
        match serde_json::from_str(text) {
            Ok(schema) => skops(&schema, member, settings, log),
            Err(error) => log.add(
                log::MALFORMED,
                member,
                0,
                format!("a schema of skops that can't be read: {error}"),
            ),
        }
    }
    schema
}

/// Judges the handler that the manifest of a TorchServe archive names: its own handlers have plain names, others are
/// Python files of the archive, which serving the model runs.
fn handler(text: &str, member: &str, settings: &Settings, log: &mut Log) {
    let Ok(manifest) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let handler = manifest.get("model").and_then(|model| model.get("handler")?.as_str());
    let file = handler.map(|handler| handler.split(':').next().unwrap_or_default());
    let Some((module, "py")) = file.and_then(|file| file.rsplit_once('.')) else {
        return;
    };
    let shown = text::quote(format!("{module}.py").as_bytes(), true, 200);
    if let Some(reason) = settings.allows(module, "py") {
        let message = format!("the manifest's handler is {shown}; the settings allow it: {reason}");
        log.add(log::ALLOWED_BY_SETTINGS, member, 0, message);
        return;
    }
    let message = format!(
        "the manifest's handler is {shown}, code of this archive that runs when TorchServe serves the model, and can't be shown safe"
    );
    log.add(log::UNSAFE_GLOBAL, member, 0, message);
}

/// Finds the values of a key in YAML or JSON: dotted names, with or without quotes.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = (u64, &'a str)> {
    text.match_indices(key).take(NAMES).filter_map(move |(at, _)| {
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        let rest = rest.strip_prefix(':')?.trim_start().trim_start_matches(['"', '\'']);
        let rest = behind_marks(rest);
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(rest.len());
        (end > 0).then(|| (at as u64, &rest[..end]))
    })
}

/// Passes over what YAML lets stand before a value: a tag, an anchor, the mark of a block.
fn behind_marks(mut rest: &str) -> &str {
    while rest.starts_with(['!', '&', '>', '|']) {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest[end..].trim_start().trim_start_matches(['"', '\'']);
    }
    rest
}

/// Visits the nodes of a schema; serde_json has bounded their depth.
fn skops(node: &Value, member: &str, settings: &Settings, log: &mut Log) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| skops(item, member, settings, log)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            let content = |key: &str| {
                fields.get("content").and_then(|content| content.get(key)).and_then(Value::as_str)
            };
            // A node of a function calls what its content names, whatever class it claims.
            let function = content("module_path").zip(content("function"));
            if let Some((module, name)) = function {
                report(module, name, "skops' schema", &[], member, 0, settings, log);
            }
            let class = text("__class__").filter(|class| !matches!(*class, "function" | "type"));
            if let Some((module, name)) = text("__module__").zip(class) {
                report(module, name, "skops' schema", WRITTEN, member, 0, settings, log);
            }
            fields.values().for_each(|value| skops(value, member, settings, log));
        }
        _ => {}
    }
}

#[expect(clippy::too_many_arguments, reason = "what is named, by whom, where, and whom to tell")]
fn report(
    module: &str,
    name: &str,
    by: &str,
    packages: &[&str],
    member: &str,
    at: u64,
    settings: &Settings,
    log: &mut Log,
) {
    let full = text::quote(format!("{module}.{name}").as_bytes(), true, 200);
    let full = &full[1..full.len() - 1];
    let package = module.split('.').next().unwrap_or_default();
    if package == "mlflow" && packages == ["mlflow"] {
        return;
    }
    match globals::judge(module, name) {
        Tier::Allowed(_) => {}
        Tier::Dangerous(effect) => {
            let message = format!(
                "{by} names `{full}`, which is called when the model is built: it {effect}"
            );
            log.add(log::DANGEROUS_GLOBAL, member, at, message);
        }
        Tier::Unlisted if packages.contains(&package) => {}
        Tier::Unlisted => {
            if let Some(reason) = settings.allows(module, name) {
                let message = format!("{by} names `{full}`; the settings allow it: {reason}");
                log.add(log::ALLOWED_BY_SETTINGS, member, at, message);
                return;
            }
            let message = format!(
                "{by} names `{full}`, which is imported when the model is built, and can't be shown safe"
            );
            log.add(log::UNSAFE_GLOBAL, member, at, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelhost_check::Severity;

    #[test]
    fn escapes_are_undone() {
        for (text, plain) in [
            ("\"_tar\\u0067et_\": \"os.sys\\x74em\"", "\"_target_\": \"os.system\""),
            ("\\U0000006fs", "os"),
            ("\\\\u006fs \\u00e9 \\u \\x2 \\", "\\\\u006fs \\u00e9 \\u \\x2 \\"),
            ("\\u0022", "\\u0022"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }

    #[test]
    fn names_in_configurations() {
        let rows: &[(&str, Option<Severity>)] = &[
            ("model:\n  _target_: os.system\n  command: echo hi\n", Some(Severity::Critical)),
            ("{\"_target_\": \"subprocess.Popen\"}", Some(Severity::Critical)),
            ("_target_: 'builtins.eval'", Some(Severity::Critical)),
            ("_target_: nemo.collections.asr.models.EncDecCTCModel", None),
            ("_target_: torch.optim.Adam", None),
            ("_target_: torch.hub.load", Some(Severity::Critical)),
            ("_target_: some_package.Model", Some(Severity::High)),
            ("_target_: >-\n  os.system\n", Some(Severity::Critical)),
            ("_target_: !!str &a 'os.system'\n", Some(Severity::Critical)),
            ("? _target_\n: os.system\n", Some(Severity::Critical)),
            (
                "{\"model\": {\"modelName\": \"m\", \"handler\": \"handler.py:run\"}}",
                Some(Severity::High),
            ),
            ("{\"model\": {\"modelName\": \"m\", \"handler\": \"image_classifier\"}}", None),
            ("a: !!python/object/apply:os.system ['echo hi']\n", Some(Severity::Critical)),
            ("a: !!python/name:acme.hook\n", Some(Severity::High)),
            ("see python/README.md\n", None),
            (
                "{\"__class__\":\"Fine\",\"__module__\":\"sklearn.svm\",\"__loader__\":\"FunctionNode\",\"content\":{\"module_path\":\"builtins\",\"function\":\"eval\"}}",
                Some(Severity::Critical),
            ),
            ("a text about _target_ and os.system", None),
            ("flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n", None),
            ("flavors:\n  python_function:\n    loader_module: os\n", Some(Severity::Critical)),
            ("flavors:\n  python_function:\n    loader_module: my_loader\n", Some(Severity::High)),
            (
                "{\"__class__\":\"LogisticRegression\",\"__module__\":\"sklearn.linear_model._logistic\",\"__loader__\":\"ObjectNode\",\"content\":{}}",
                None,
            ),
            (
                "{\"a\":[{\"__class__\":\"system\",\"__module__\":\"os\",\"__loader__\":\"FunctionNode\"}]}",
                Some(Severity::Critical),
            ),
            (
                "{\"__class__\":\"function\",\"__module__\":\"x\",\"__loader__\":\"FunctionNode\",\"content\":{\"module_path\":\"os\",\"function\":\"system\"}}",
                Some(Severity::Critical),
            ),
            (
                "{\"__class__\":\"methodcaller\",\"__module__\":\"operator\",\"__loader__\":\"OperatorFuncNode\"}",
                Some(Severity::Critical),
            ),
            (
                "{\"__class__\":\"X\",\"__module__\":\"evil\",\"__loader__\":\"ObjectNode\"}",
                Some(Severity::High),
            ),
            ("{\"__loader__\": ", Some(Severity::High)),
        ];
        for (text, worst) in rows {
            let mut log = Log::new("file");
            judge(text, "", &Settings::default(), &mut log);
            assert_eq!(log.worst(), *worst, "{text}");
        }
        let deep = format!("{{\"__loader__\":{}", "[".repeat(100_000));
        let mut log = Log::new("file");
        judge(&deep, "", &Settings::default(), &mut log);
        assert_eq!(log.worst(), Some(Severity::High));
    }
}
