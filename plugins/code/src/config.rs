//! Owns what the keys of a JSON configuration have loaders run: remote code,
//! modules, callables, native libraries, templates. Leaves the bytes to `json`, the
//! names to `target`, and whether the files are there to `survey`.

use std::collections::BTreeMap;

use modelhost_check::{Confidence, Finding, Location, Severity};

use crate::json::{self, Broken, Scalar, Step};
use crate::template::{self, Role};
use crate::{rules, target};

/// Keys that name a library of native code.
const LIBRARIES: &[&str] = &[
    "custom_op_library",
    "custom_ops",
    "custom_ops_library",
    "custom_ops_path",
    "op_library_filename",
];
/// Keys of sentence-transformers' layers that name a function to import.
const ACTIVATIONS: &[&str] =
    &["activation_fn", "activation_function", "sbert_ce_default_activation_function"];
/// How many texts of a file are read as templates though nothing says that they
/// are: what a data set may hold would take all the time there is.
pub const MAX_OTHERS: u64 = 10_000;
/// Libraries that diffusers takes components from, and the modules of its own
/// pipelines, as of its release 0.36.
const PIPELINES: &[&str] = &[
    "allegro",
    "alt_diffusion",
    "amused",
    "animatediff",
    "audio_diffusion",
    "audioldm",
    "audioldm2",
    "aura_flow",
    "blip_diffusion",
    "bria",
    "bria_fibo",
    "chroma",
    "chronoedit",
    "cogvideo",
    "cogview3",
    "cogview4",
    "consisid",
    "consistency_models",
    "controlnet",
    "controlnet_hunyuandit",
    "controlnet_sd3",
    "controlnet_xs",
    "cosmos",
    "dance_diffusion",
    "ddim",
    "ddpm",
    "deepfloyd_if",
    "diffusers",
    "dit",
    "easyanimate",
    "flux",
    "flux2",
    "hidream_image",
    "hunyuan_image",
    "hunyuan_video",
    "hunyuan_video1_5",
    "hunyuandit",
    "i2vgen_xl",
    "k_diffusion",
    "kandinsky",
    "kandinsky2_2",
    "kandinsky3",
    "kandinsky5",
    "kolors",
    "latent_consistency_models",
    "latent_diffusion",
    "latent_diffusion_uncond",
    "latte",
    "ledits_pp",
    "ltx",
    "ltx2",
    "lucy",
    "lumina",
    "lumina2",
    "marigold",
    "mochi",
    "musicldm",
    "omnigen",
    "onnxruntime",
    "optimum",
    "ovis_image",
    "pag",
    "paint_by_example",
    "peft",
    "pia",
    "pixart_alpha",
    "pixart_sigma",
    "pndm",
    "prx",
    "qwenimage",
    "repaint",
    "sana",
    "sana_video",
    "score_sde_ve",
    "semantic_stable_diffusion",
    "shap_e",
    "skyreels_v2",
    "spectrogram_diffusion",
    "stable_audio",
    "stable_cascade",
    "stable_diffusion",
    "stable_diffusion_3",
    "stable_diffusion_attend_and_excite",
    "stable_diffusion_diffedit",
    "stable_diffusion_gligen",
    "stable_diffusion_k_diffusion",
    "stable_diffusion_ldm3d",
    "stable_diffusion_panorama",
    "stable_diffusion_safe",
    "stable_diffusion_sag",
    "stable_diffusion_xl",
    "stable_video_diffusion",
    "stochastic_karras_ve",
    "t2i_adapter",
    "text_to_video_synthesis",
    "transformers",
    "unclip",
    "unidiffuser",
    "versatile_diffusion",
    "visualcloze",
    "vq_diffusion",
    "wan",
    "wuerstchen",
    "z_image",
];

/// Where code comes from that a configuration names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of this model.
    Beside,
    /// A file of this model if there is one, else a module of the loader.
    BesideOrLoader,
    /// A file of this model if there is one, else a package of that name.
    BesideOrPackage,
    /// Another repository.
    Repository(String),
}

/// Code that a configuration names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The key that names it first, and its line.
    pub member: String,
    /// The line of that key.
    pub line: u32,
    /// The names that are fetched from it.
    pub classes: Vec<String>,
}

impl Named {
    fn at(seen: &Seen<'_>) -> Self {
        Self { member: json::member(seen.steps), line: seen.line, classes: Vec::new() }
    }
}

/// What a configuration says, as far as this check asks.
#[derive(Default)]
pub struct Config {
    /// What was found.
    pub findings: Vec<Finding>,
    /// The code it names, by its origin and module.
    pub code: BTreeMap<(Origin, String), Named>,
    /// How many chat templates were judged.
    pub templates: u64,
    /// How many other texts there were that may be templates.
    pub others: u64,
    /// Whether it allows code that stands beside it or elsewhere.
    pub trusts: bool,
}

/// Says whether loaders read a file of that name for what they run.
#[must_use]
pub fn is_consulted(name: &str) -> bool {
    name.ends_with("config.json")
        || matches!(name, "chat_template.json" | "model_index.json" | "modules.json")
}

/// Reads a configuration. What stands before it breaks is judged either way.
#[must_use]
pub fn read(path: &str, bytes: &[u8]) -> (Config, Option<Broken>) {
    let mut config = Config::default();
    let name = name_of(path);
    let end = json::walk(bytes, &mut |steps, line, scalar| {
        config.see(&Seen { path, name: &name, steps, line }, scalar);
    });
    (config, end.err())
}

/// Returns the last part of a path, as file systems that don't tell case apart do.
#[must_use]
pub fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

struct Seen<'a> {
    path: &'a str,
    name: &'a str,
    steps: &'a [Step],
    line: u32,
}

impl Seen<'_> {
    fn place(&self) -> Location {
        Location::path(self.path).member(json::member(self.steps)).line(self.line)
    }

    fn is_under(&self, key: &str) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Key(found) if found == key))
    }

    /// Says whether this is the name of a template in a list; in a mapping, `name`
    /// is one like any other.
    fn is_list_name(&self) -> bool {
        matches!(self.steps, [.., Step::Index(_), Step::Key(key)] if key == "name")
    }

    /// Returns the innermost key.
    fn key(&self) -> &str {
        let mut keys = self.steps.iter().rev();
        keys.find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .unwrap_or("")
    }
}

impl Config {
    fn see(&mut self, seen: &Seen<'_>, scalar: Scalar<'_>) {
        let key = seen.key();
        match scalar {
            Scalar::True if matches!(key, "trust_remote_code" | "custom_generate") => {
                self.trust(seen, key);
            }
            Scalar::Text(text) if key == "trust_remote_code" => {
                if !matches!(text.to_ascii_lowercase().as_str(), "" | "false" | "0" | "no") {
                    self.trust(seen, key);
                }
            }
            Scalar::Text(text) => self.text(seen, key, text),
            Scalar::True | Scalar::Other => {}
        }
    }

    fn trust(&mut self, seen: &Seen<'_>, key: &str) {
        let severity = if is_consulted(seen.name) { Severity::High } else { Severity::Low };
        let message = format!(
            "`{key}` is true, so a loader that goes by it runs code that comes with the model or from elsewhere"
        );
        self.trusts = true;
        self.findings.push(rules::AUTO_MAP.finding(seen.place(), message).severity(severity));
    }

    fn text(&mut self, seen: &Seen<'_>, key: &str, text: &str) {
        if seen.is_under("auto_map") || (seen.is_under("custom_pipelines") && key == "impl") {
            self.name_code(seen, text);
        } else if key == "custom_generate" || key == "custom_pipeline" {
            let message = format!("`{key}` has the code of {text:?} run when the model is used");
            self.trusts = true;
            self.findings.push(rules::AUTO_MAP.finding(seen.place(), message));
        } else if key == "_target_" {
            self.findings.extend(hydra(seen.place(), Some(text)));
        } else if LIBRARIES.contains(&key) && !text.is_empty() {
            self.findings.push(library(seen.place(), key, text));
        } else if seen.is_under("chat_template") || seen.is_under("chat_templates") {
            if !seen.is_list_name() {
                self.templates += 1;
                self.findings.extend(template::judge(text, Role::Chat, &seen.place()));
            }
        } else if key == "parent_library" {
            self.module(
                seen,
                "the adapter's class is imported",
                text,
                &["transformers.", "diffusers.", "sentence_transformers.", "timm."],
            );
        } else if ACTIVATIONS.contains(&key) && text.contains('.') {
            let usual = &["torch.nn.", "transformers.activations.", "sentence_transformers."];
            self.module(seen, "the function is imported", text, usual);
        } else if seen.name == "modules.json" && key == "type"
            || seen.name == "router_config.json" && seen.is_under("types")
        {
            self.module(
                seen,
                "the module's class is imported",
                text,
                &["sentence_transformers.", "pylate.models."],
            );
        } else if seen.name == "model_index.json"
            && matches!(seen.steps, [Step::Key(_), Step::Index(0)])
        {
            self.component(seen, text);
        } else if template::may_be(text) {
            self.other(seen, key, text);
        }
    }

    /// Judges a text with a template's marks that no known loader takes for one.
    /// In files that loaders read, and under keys that say so, somebody may.
    fn other(&mut self, seen: &Seen<'_>, key: &str, text: &str) {
        self.others += 1;
        if self.others > MAX_OTHERS {
            return;
        }
        let likely = is_consulted(seen.name) || key.contains("template");
        let mut findings = template::judge(text, Role::Text, &seen.place());
        for finding in findings.iter_mut().filter(|_| !likely) {
            finding.severity = Severity::Low;
            finding.confidence = Confidence::Low;
        }
        self.findings.extend(findings);
    }

    /// Notes `module.Class` or `repository--module.Class`.
    fn name_code(&mut self, seen: &Seen<'_>, text: &str) {
        let (origin, reference) = match text.split_once("--") {
            Some((repository, reference)) => (Origin::Repository(repository.to_owned()), reference),
            None => (Origin::Beside, text),
        };
        let (module, class) = reference.rsplit_once('.').unwrap_or((reference, ""));
        let named = self.code.entry((origin, module.to_owned())).or_insert_with(|| Named::at(seen));
        if !class.is_empty()
            && named.classes.len() < 8
            && !named.classes.iter().any(|known| known == class)
        {
            named.classes.push(class.to_owned());
        }
    }

    /// Judges what a loader imports by a dotted name.
    fn module(&mut self, seen: &Seen<'_>, what: &str, text: &str, usual: &[&str]) {
        let is_usual = usual.iter().any(|package| text.starts_with(package))
            && target::judge(text).is_none_or(|(severity, _)| severity < Severity::Critical);
        if is_usual {
            return;
        }
        let (severity, why) = match target::judge(text) {
            _ if text.starts_with("transformers_modules.") => {
                (Severity::High, "is code that another repository brought")
            }
            Some(judged) => judged,
            // Known elsewhere, but not where this loader takes from.
            None => (Severity::High, "is no class of this loader"),
        };
        let message = format!("{what} from `{text}`, which {why}");
        // Loading needs it, so a class that is only unknown counts as much.
        let severity = severity.max(Severity::High);
        self.findings.push(rules::FOREIGN_MODULE.finding(seen.place(), message).severity(severity));
        if let Some((module, _)) = text.rsplit_once('.') {
            let code = (Origin::BesideOrLoader, module.to_owned());
            self.code.entry(code).or_insert_with(|| Named::at(seen));
        }
    }

    /// Judges the library of a component of a diffusers pipeline.
    fn component(&mut self, seen: &Seen<'_>, library: &str) {
        if PIPELINES.binary_search(&library).is_ok() {
            return;
        }
        let [Step::Key(component), _] = seen.steps else {
            return;
        };
        // A pipeline's own class stands at the top, a component's in its folder.
        if component == "_class_name" {
            self.name_code(seen, &format!("{library}."));
            return;
        }
        let system = target::judge(library).filter(|(severity, _)| *severity >= Severity::Critical);
        if let Some((severity, why)) = system {
            let message =
                format!("the component's class is imported from `{library}`, which {why}");
            self.findings
                .push(rules::FOREIGN_MODULE.finding(seen.place(), message).severity(severity));
            return;
        }
        // A file of the component's folder, or else any package that is installed.
        let code = (Origin::BesideOrPackage, format!("{component}/{library}"));
        self.code.entry(code).or_insert_with(|| Named::at(seen));
    }
}

/// Says that a key names a library of native code.
#[must_use]
pub fn library(place: Location, key: &str, name: &str) -> Finding {
    let message = format!(
        "`{key}` has the native library {name:?} loaded, which runs with the rights of the process"
    );
    rules::CUSTOM_OPS.finding(place, message)
}

/// Judges what Hydra is to call; none where the name does not stand there.
#[must_use]
pub fn hydra(place: Location, name: Option<&str>) -> Option<Finding> {
    let (severity, message) = match name {
        Some(name) => {
            let (severity, why) = target::judge(name)?;
            (severity, format!("`{name}` is imported and called when the configuration is instantiated; it {why}"))
        }
        None => (Severity::High, "what `_target_` names does not stand in its line, so what is imported and called can't be told".to_owned()),
    };
    Some(rules::HYDRA_TARGET.finding(place, message).severity(severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(PIPELINES.is_sorted());
    }
}
