//! Owns the walk over a model: which file is looked at as what, and what the files
//! say together. Leaves each kind of file to its module.

use std::collections::BTreeSet;

use modelhost_check::gguf::{MAGIC, Stop};
use modelhost_check::{Failure, File, Finding, Location, Model, Observations, Severity};

use crate::config::{self, Named, Origin};
use crate::files::{self, Kind};
use crate::gguf;
use crate::template::{self, Role};
use crate::{lines, rules, target};

/// How large a text may be that is read whole: the longest known configurations
/// have some hundred KiB, vocabularies aside.
const MAX_CONFIG: u64 = 8 * 1024 * 1024;
/// How many files a message lists.
const MAX_NAMED: usize = 8;

/// Looks at all files of a model.
///
/// # Errors
/// Where the host can't read a file.
pub fn survey(model: &Model<'_>) -> Result<Observations, Failure> {
    let mut survey = Survey::default();
    for file in model.files() {
        survey.file(model, &file).map_err(|error| error.in_file(&file))?;
    }
    Ok(survey.end())
}

type Read<T = ()> = Result<T, modelhost_check::ReadError>;

#[derive(Default)]
struct Survey {
    seen: Observations,
    /// Files of Python, in the order of their paths.
    python: Vec<String>,
    /// Scripts and service files.
    scripts: Vec<String>,
    /// Files of Python that a configuration names.
    named: BTreeSet<String>,
    templates: u64,
    local: bool,
    remote: bool,
}

impl Survey {
    fn file(&mut self, model: &Model<'_>, file: &File) -> Read {
        let path = file.path();
        let head = file.read(0, files::HEAD)?;
        if head.starts_with(MAGIC) {
            self.gguf(file, &path)?;
        }
        let pe = |at: u64| file.read(at, 4).is_ok_and(|magic| magic == b"PE\0\0");
        self.kind(&path, files::kind(&path, &head, pe));
        let name = config::name_of(&path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "json" => self.json(model, file, &path, &name)?,
            "yaml" | "yml" => {
                self.yaml(file, &path, &["_target_"])?;
                if is_environment(&name) {
                    self.environment(file, &path)?;
                }
            }
            "toml" if name == "pyproject.toml" => self.environment(file, &path)?,
            "jinja" | "jinja2" | "j2" => self.jinja(file, &path, &name)?,
            "txt" | "in" if is_requirements(&path, &name) => self.requirements(file, &path)?,
            "pbtxt" => self.triton(file, &path)?,
            _ if name == "mlmodel" => {
                self.yaml(file, &path, &["_target_", "loader_module", "code", "model_code_path"])?
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, finding: Finding) {
        self.seen.push(finding);
    }

    fn kind(&mut self, path: &str, kind: Kind) {
        match kind {
            Kind::Native(system) => {
                let message = format!(
                    "the file is a native program or library of {system}, whatever its name says; weights need none"
                );
                self.push(rules::EXECUTABLE.finding(Location::path(path), message));
            }
            Kind::Run(tool) => {
                let message = format!("the file is code that is run by {tool}");
                self.local = true;
                let finding = rules::PYTHON_CODE.finding(Location::path(path), message);
                self.push(finding.severity(Severity::High));
            }
            Kind::Bytecode => {
                let message =
                    "the file is Python's byte code, which an import runs and nobody can read";
                let finding = rules::PYTHON_CODE.finding(Location::path(path), message);
                self.push(finding.severity(Severity::Medium));
            }
            Kind::Python => self.python.push(path.to_owned()),
            Kind::Script => self.scripts.push(path.to_owned()),
            Kind::Other => {}
        }
    }

    fn gguf(&mut self, file: &File, path: &str) -> Read {
        let mut templates = 0;
        let mut findings = Vec::new();
        let end = gguf::walk(file, &mut |key, at, text| {
            let is_chat = gguf::is_chat_template(key);
            let role = if is_chat { Role::Chat } else { Role::Text };
            templates += u64::from(is_chat);
            let place = Location::path(path).member(key);
            let mut of_key = template::judge(text, role, &place);
            for finding in &mut of_key {
                if finding.rule == rules::NOT_READABLE || is_chat {
                    finding
                        .message
                        .push_str(&format!(" (the text begins at byte {at} of the file)"));
                }
            }
            findings.extend(of_key);
        });
        self.templates += templates;
        findings.into_iter().for_each(|finding| self.push(finding));
        match end {
            Ok(()) => Ok(()),
            Err(Stop::Read(error)) => Err(error),
            Err(Stop::Malformed(at, why)) => {
                let message = format!(
                    "the metadata can't be read to their end, so what templates they hold can't be told: {why}"
                );
                self.push(rules::NOT_READABLE.finding(Location::path(path).offset(at), message));
                Ok(())
            }
        }
    }

    fn json(&mut self, model: &Model<'_>, file: &File, path: &str, name: &str) -> Read {
        let consulted = config::is_consulted(name);
        let severity = if consulted { Severity::High } else { Severity::Info };
        let Some(bytes) = self.content(file, path, severity)? else {
            return Ok(());
        };
        let (config, broken) = config::read(path, &bytes);
        self.templates += config.templates;
        self.remote |= config.trusts;
        config.findings.into_iter().for_each(|finding| self.push(finding));
        for ((origin, module), named) in &config.code {
            self.code(model, path, origin, module, named);
        }
        if config.others > config::MAX_OTHERS {
            let message = format!(
                "{} texts may be templates, of which {} were read",
                config.others,
                config::MAX_OTHERS
            );
            let finding = rules::NOT_READABLE.finding(Location::path(path), message);
            self.push(finding.severity(severity));
        }
        if let Some(broken) = broken {
            let message = format!(
                "the file can't be read as JSON from line {} on ({}), so what it has loaders run can't be told",
                broken.line, broken.why
            );
            let place = Location::path(path).line(broken.line);
            self.push(rules::NOT_READABLE.finding(place, message).severity(severity));
        }
        Ok(())
    }

    /// Says what code a configuration names, and whether it is there.
    fn code(
        &mut self,
        model: &Model<'_>,
        path: &str,
        origin: &Origin,
        module: &str,
        named: &Named,
    ) {
        let place = Location::path(path).member(named.member.as_str()).line(named.line);
        let what = match named.classes.as_slice() {
            [] => "code".to_owned(),
            classes => {
                classes.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ")
            }
        };
        let file = format!("{}.py", module.replace('.', "/"));
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = if folder.is_empty() { file.clone() } else { format!("{folder}/{file}") };
        let found = [beside, file.clone()].into_iter().find(|path| model.file(path).is_some());
        let message = match (origin, found) {
            (Origin::Repository(repository), _) => {
                self.remote = true;
                format!(
                    "loading the model fetches and runs {what} of `{file}` in the repository `{repository}`, which is not part of this model: it is neither checked nor pinned here"
                )
            }
            (_, Some(found)) => {
                self.local = true;
                let message = format!("loading the model runs {what} of `{found}`");
                self.named.insert(found);
                message
            }
            (Origin::Beside, None) => {
                self.local = true;
                format!(
                    "loading the model runs {what} of `{file}`, which is not here: a loader may take it from elsewhere"
                )
            }
            (Origin::BesideOrLoader, None) => return,
            (Origin::BesideOrPackage, None) => {
                let package = module.rsplit_once('/').map_or(module, |(_, package)| package);
                let message = format!(
                    "the component's class is imported from the package `{package}`, which is none that diffusers takes components from"
                );
                self.push(rules::FOREIGN_MODULE.finding(place, message));
                return;
            }
        };
        self.push(rules::AUTO_MAP.finding(place, message));
    }

    fn yaml(&mut self, file: &File, path: &str, keys: &[&str]) -> Read {
        let Some(text) = self.text(file, path, Severity::Medium)? else {
            return Ok(());
        };
        for (line, name) in lines::tagged(&text) {
            if let Some((severity, why)) = target::judge(&name) {
                let message = match name.as_str() {
                    "" => "a directive shortens tags that have an unsafe loader import and call something".to_owned(),
                    name => format!("a tag has an unsafe loader import and call `{name}`, which {why}"),
                };
                let finding = rules::YAML_OBJECT.finding(Location::path(path).line(line), message);
                self.push(finding.severity(severity));
            }
        }
        for key in keys {
            for value in lines::values(&text, key) {
                let place = Location::path(path).member(*key).line(value.line);
                let name = value.text.as_deref();
                let finding = match *key {
                    "_target_" => config::hydra(place, name),
                    _ => mlflow(place, key, name),
                };
                finding.into_iter().for_each(|finding| self.push(finding));
            }
        }
        Ok(())
    }

    fn jinja(&mut self, file: &File, path: &str, name: &str) -> Read {
        let Some(text) = self.text(file, path, Severity::High)? else {
            return Ok(());
        };
        let chat = name.contains("chat_template")
            || path.contains("additional_chat_templates/")
            || text.contains("messages");
        let role = if chat { Role::Chat } else { Role::Some };
        self.templates += u64::from(chat);
        let findings = template::judge(&text, role, &Location::path(path));
        findings.into_iter().for_each(|finding| self.push(finding));
        Ok(())
    }

    fn requirements(&mut self, file: &File, path: &str) -> Read {
        let Some(text) = self.text(file, path, Severity::Medium)? else {
            return Ok(());
        };
        self.elsewhere(path, lines::elsewhere(&text));
        Ok(())
    }

    fn environment(&mut self, file: &File, path: &str) -> Read {
        let Some(text) = self.text(file, path, Severity::Medium)? else {
            return Ok(());
        };
        self.elsewhere(path, lines::elsewhere_among(&text));
        Ok(())
    }

    fn elsewhere(&mut self, path: &str, requirements: Vec<lines::Elsewhere>) {
        for found in requirements {
            let severity = match found.place {
                lines::Place::Usual => Severity::Low,
                lines::Place::Forge => Severity::Medium,
                lines::Place::Other => Severity::High,
            };
            let message = format!(
                "installing the requirements takes code from a place of its own: `{}`",
                found.what
            );
            let finding =
                rules::REQUIREMENTS_URL.finding(Location::path(path).line(found.line), message);
            self.push(finding.severity(severity));
        }
    }

    fn triton(&mut self, file: &File, path: &str) -> Read {
        let Some(text) = self.text(file, path, Severity::Medium)? else {
            return Ok(());
        };
        for value in lines::values(&text, "op_library_filename") {
            let name = value.text.as_deref().unwrap_or("");
            let place = Location::path(path).member("op_library_filename").line(value.line);
            self.push(config::library(place, "op_library_filename", name));
        }
        for value in lines::values(&text, "backend") {
            if value.text.as_deref() == Some("python") {
                let message =
                    "serving the model runs the Python files of its versions, `model.py` as a rule";
                self.local = true;
                self.push(
                    rules::AUTO_MAP
                        .finding(Location::path(path).member("backend").line(value.line), message),
                );
            }
        }
        Ok(())
    }

    fn text(&mut self, file: &File, path: &str, severity: Severity) -> Read<Option<String>> {
        let bytes = self.content(file, path, severity)?;
        Ok(bytes.map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }))
    }

    /// Reads a file whole; one that is too large is a finding.
    fn content(&mut self, file: &File, path: &str, severity: Severity) -> Read<Option<Vec<u8>>> {
        if file.size() > MAX_CONFIG {
            let message = format!(
                "the file has {} bytes, more than the {MAX_CONFIG} that are read, so what it has loaders run can't be told",
                file.size()
            );
            self.push(
                rules::NOT_READABLE.finding(Location::path(path), message).severity(severity),
            );
            return Ok(None);
        }
        file.read_all(MAX_CONFIG).map(Some)
    }

    fn end(mut self) -> Observations {
        for path in &self.named {
            let message = "a configuration names this file, so loading the model runs it; read it before you allow that";
            self.seen.push(
                rules::PYTHON_CODE
                    .finding(Location::path(path.as_str()), message)
                    .severity(Severity::High),
            );
        }
        let rest: Vec<&String> =
            self.python.iter().filter(|path| !self.named.contains(*path)).collect();
        if let Some(first) = rest.first() {
            let message = format!(
                "Python code stands beside the weights, and no configuration has it run on its own: {}",
                listed(&rest)
            );
            self.seen.push(rules::PYTHON_CODE.finding(Location::path(first.as_str()), message));
        }
        let scripts: Vec<&String> = self.scripts.iter().collect();
        if let Some(first) = scripts.first() {
            let message =
                format!("scripts or service files stand beside the weights: {}", listed(&scripts));
            self.seen.push(rules::SHELL_SCRIPT.finding(Location::path(first.as_str()), message));
        }
        let code = match (self.remote, self.local) {
            (true, _) => "remote",
            (false, true) => "local",
            (false, false) => "none",
        };
        self.seen.fact("remote-code", code);
        self.seen.fact("chat-templates", self.templates.to_string());
        self.seen.fact("python-files", self.python.len().to_string());
        self.seen
    }
}

fn is_requirements(path: &str, name: &str) -> bool {
    name.starts_with("requirements")
        || name.starts_with("constraints")
        || path.to_ascii_lowercase().contains("requirements/")
}

/// Says whether a file of that name lists what conda installs, as MLflow does.
fn is_environment(name: &str) -> bool {
    name.starts_with("conda") || name.starts_with("environment") || name.starts_with("python_env")
}

/// Judges what MLflow imports to load a model.
fn mlflow(place: Location, key: &str, value: Option<&str>) -> Option<Finding> {
    let message = match (key, value) {
        ("code", None | Some("null" | "~")) => return None,
        ("code", Some(folder)) => format!(
            "loading the model puts the folder `{folder}` first on Python's path, and runs what is imported from it"
        ),
        ("model_code_path", None | Some("null" | "~")) => return None,
        ("model_code_path", Some(file)) => format!("loading the model runs `{file}`"),
        (_, Some(module)) if module.starts_with("mlflow.") => return None,
        (_, Some(module)) => {
            format!("loading the model imports `{module}` and calls its `_load_pyfunc`")
        }
        (_, None) => "which module loads the model does not stand in the line, so it can't be told"
            .to_owned(),
    };
    Some(rules::FOREIGN_MODULE.finding(place, message))
}

/// Lists some files, and says how many more there are.
fn listed(paths: &[&String]) -> String {
    let named: Vec<String> = paths.iter().take(MAX_NAMED).map(|path| format!("`{path}`")).collect();
    let mut list = named.join(", ");
    if let Some(more) = paths.len().checked_sub(MAX_NAMED + 1) {
        list.push_str(&format!(" and {} more", more + 1));
    }
    list
}
