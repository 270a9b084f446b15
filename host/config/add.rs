//! Adding the definition of a model: the text to write, and where.
//!
//! The file's own text stays as it is, comments and all: a definition is a table
//! of its own, written behind what is there. What comes of it is read as a run
//! would read it before anybody writes it, so that no definition is written which
//! a run refuses. Leaves writing the file to the caller.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, MODELS, NAME, load_changed};

/// A definition to be added. What is none is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewModel {
    /// Its name.
    pub name: String,
    /// Its folder or file, relative to the folder of `modelhost.toml`.
    pub path: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Its license.
    pub license: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The file.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
    /// The part of it that is new.
    pub added: String,
}

/// Plans to add `model` to the configuration in the folder `root`, of which
/// `config` was read if there is any: to the file `file` below it, or else to
/// `modelhost.toml`, or to a file of its own in `models.d` where that is where
/// all definitions are. `old` returns the text of a file that exists.
///
/// # Errors
/// Returns every mistake that a run would find in what is planned.
pub fn add(
    root: &Path,
    config: Option<&Config>,
    model: &NewModel,
    file: Option<&Path>,
    old: impl FnOnce(&Path) -> Result<Option<String>, ConfigError>,
) -> Result<Planned, ConfigError> {
    let main = root.join(NAME);
    let path = match file {
        Some(file) => root.join(file),
        None if keeps_them_apart(config) => {
            root.join(MODELS).join(format!("{}.toml", file_name(&model.name)))
        }
        None => main.clone(),
    };
    let before = old(&path)?;
    let is_main = path == main;
    let mut text =
        before.unwrap_or_else(|| if is_main { "version = 1\n".to_owned() } else { String::new() });
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    let added = table(model);
    text.push_str(&added);
    if config.is_none() && !is_main {
        // Without a policy nobody reads `models.d`.
        load_changed(&main, (&main, "version = 1\n"))?;
    } else {
        load_changed(&main, (&path, &text))?;
    }
    Ok(Planned { path, text, added })
}

/// Whether all models are defined in files of `models.d`, of which there are some.
fn keeps_them_apart(config: Option<&Config>) -> bool {
    config.is_some_and(|config| {
        !config.models.is_empty() && config.models.iter().all(|model| model.file != config.file)
    })
}

/// Returns the name of a file for a model: what is no plain character of its name
/// is a `-`.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).take(100).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "model".to_owned() } else { name.to_owned() }
}

/// Writes the definition as a table.
fn table(model: &NewModel) -> String {
    let mut text = "[[model]]\n".to_owned();
    for (key, value) in [
        ("name", Some(&model.name)),
        ("path", Some(&model.path)),
        ("source", model.source.as_ref()),
        ("revision", model.revision.as_ref()),
        ("purpose", model.purpose.as_ref()),
        ("license", model.license.as_ref()),
        ("owner", model.owner.as_ref()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", toml::Value::from(value.as_str())));
        }
    }
    text
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use super::*;
    use crate::config::load;

    const COMMIT: &str = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

    fn model(name: &str, path: &str) -> NewModel {
        NewModel { name: name.to_owned(), path: path.to_owned(), ..NewModel::default() }
    }

    /// Adds to a configuration of these files; returns what was planned, by the
    /// file's place.
    fn planned(
        files: &[(&str, &str)],
        model: &NewModel,
        file: Option<&str>,
    ) -> Result<(String, String), String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let main = folder.path().join(NAME);
        let config = main.exists().then(|| load(&main).unwrap());
        let old = |path: &Path| Ok(std::fs::read_to_string(path).ok());
        let file = file.map(Path::new);
        match add(folder.path(), config.as_ref(), model, file, old) {
            Ok(planned) => {
                assert!(planned.text.ends_with(&planned.added));
                let place = planned.path.strip_prefix(folder.path()).unwrap();
                Ok((place.display().to_string(), planned.text))
            }
            Err(ConfigError::Mistakes(mistakes)) => Err(mistakes[0].to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_was_written_stays_as_it_is() {
        let text = "# ours\nversion   = 1 # one\n\n[gate] # the bar\nfail-on = 'high'";
        let new = NewModel {
            source: Some("hf:org/name".to_owned()),
            revision: Some(COMMIT.to_owned()),
            purpose: Some("Sorts \"reviews\"".to_owned()),
            license: Some("MIT".to_owned()),
            owner: Some("@ml".to_owned()),
            ..model("m", "models/m")
        };
        let (place, written) = planned(&[(NAME, text)], &new, None).unwrap();
        assert_eq!(place, NAME);
        let expected = format!(
            "{text}\n\n[[model]]\nname = \"m\"\npath = \"models/m\"\nsource = \"hf:org/name\"\n\
             revision = \"{COMMIT}\"\npurpose = 'Sorts \"reviews\"'\nlicense = \"MIT\"\n\
             owner = \"@ml\"\n"
        );
        assert_eq!(written, expected);
        let (place, written) = planned(&[], &model("m", "."), None).unwrap();
        assert_eq!(place, NAME);
        assert_eq!(written, "version = 1\n\n[[model]]\nname = \"m\"\npath = \".\"\n");
    }

    #[test]
    fn definitions_go_where_the_others_are() {
        let apart = [
            (NAME, "version = 1\n"),
            ("models.d/a.toml", "[[model]]\nname = \"a\"\npath = \"a\"\n"),
        ];
        let (place, written) = planned(&apart, &model("org/b c", "b"), None).unwrap();
        assert_eq!(place, "models.d/org-b-c.toml");
        assert_eq!(written, "[[model]]\nname = \"org/b c\"\npath = \"b\"\n");
        let (place, _) = planned(&apart, &model("b", "b"), Some("models.d/a.toml")).unwrap();
        assert_eq!(place, "models.d/a.toml");
        let (place, _) = planned(&apart, &model("../..", "b"), None).unwrap();
        assert_eq!(place, "models.d/model.toml");
    }

    #[test]
    fn what_a_run_would_refuse_is_not_planned() {
        let with = "version = 1\n[[model]]\nname = \"m\"\npath = \"m\"\n";
        let moving = |source: &str, revision: &str| NewModel {
            source: Some(source.to_owned()),
            revision: Some(revision.to_owned()),
            ..model("n", "n")
        };
        let rows = [
            (with, model("m", "n"), "modelhost.toml:7: model `m` is defined twice"),
            (with, model("n", "./m/"), "modelhost.toml:8: the path `m` is defined twice"),
            (with, model("n", "../n"), "modelhost.toml:8: the path leads upwards"),
            (with, model("n", "/n"), "modelhost.toml:8: the path is not relative"),
            (with, model("", "n"), "modelhost.toml:7: the name is empty"),
            (
                with,
                model("a\u{1b}\n", "n"),
                "modelhost.toml:7: the name holds control or invisible",
            ),
            (
                with,
                moving("hf:o/n", "main"),
                "modelhost.toml:10: `main` is not an immutable revision",
            ),
            (
                with,
                moving("hf:o/n", "86f7e43"),
                "modelhost.toml:10: `86f7e43` is not a whole revision",
            ),
            (
                with,
                moving("o/n", COMMIT),
                "modelhost.toml:9: the source does not say what kind it is",
            ),
            ("version = 1\nmodel = []\n", model("n", "n"), "modelhost.toml:4: duplicate key"),
        ];
        for (text, new, expected) in rows {
            let mistake = planned(&[(NAME, text)], &new, None).unwrap_err();
            assert!(mistake.starts_with(expected), "{expected}: {mistake}");
        }
        let files = [(NAME, with), ("models.d/n.toml", "[[model]]\nname = \"n\"\npath = \"n\"\n")];
        let mistake = planned(&files, &model("n", "o"), None).unwrap_err();
        assert!(mistake.contains("model `n` is defined twice"), "{mistake}");
    }
}
