//! Owns what a model inherits: the licenses of the models it was made from, as far
//! as the settings and the table of common bases know them, and of its data. Leaves
//! who names a base to `claim`, those that the lock file pins to `pins`.

use crate::facts::{Facts, Profile};
use crate::ids::{self, Expression, Meaning};
use crate::pattern;
use crate::policy::Policy;

/// The licenses of common bases.
const BASES: &str = include_str!("bases.tsv");
/// Those of common data sets.
const DATASETS: &str = include_str!("datasets.tsv");
/// How many models one chain may have: real ones have five or so.
const MAX_CHAIN: usize = 16;
/// How many models are looked at in all, since chains may branch.
const MAX_MODELS: usize = 256;

/// One model that another was made from, and what it comes under.
#[derive(Debug, PartialEq)]
pub struct Ancestor {
    /// The models from the one that is named to this one.
    pub chain: Vec<String>,
    /// Its license; none where nobody knows it.
    pub license: Option<Expression>,
}

/// Returns the models that `base` leads to, itself first.
pub fn ancestors(base: &str, policy: &Policy) -> Vec<Ancestor> {
    let mut ancestors: Vec<Ancestor> = Vec::new();
    let mut open = vec![vec![base.to_owned()]];
    while let Some(chain) = open.pop() {
        let Some(name) = chain.last().cloned() else { continue };
        let row = policy.base(&name);
        let license = match row {
            Some(row) => Some(row.license.clone()),
            None => usual(&name),
        };
        for next in row.into_iter().flat_map(|row| row.bases.iter().rev()) {
            let seen = ancestors.iter().any(|known| known.chain.last() == Some(next));
            let room = chain.len() < MAX_CHAIN && ancestors.len() + open.len() < MAX_MODELS;
            if room && !seen && !chain.contains(next) {
                open.push(chain.iter().chain([next]).cloned().collect());
            }
        }
        ancestors.push(Ancestor { chain, license });
    }
    ancestors
}

/// Returns the license of a common base.
pub fn usual(name: &str) -> Option<Expression> {
    listed(BASES, name)
}

/// Returns the license of a data set, where it is known.
pub fn dataset(name: &str, policy: &Policy) -> Option<Expression> {
    let own = policy.datasets.iter().find(|(known, _)| pattern::fits(known, name));
    own.map(|(_, license)| license.clone()).or_else(|| listed(DATASETS, name))
}

fn listed(table: &str, name: &str) -> Option<Expression> {
    let mut rows = table.lines().filter(|line| !line.starts_with('#'));
    let row = rows.find_map(|line| {
        let (known, license) = line.split_once('\t')?;
        pattern::fits(known, name).then_some(license)
    })?;
    match ids::meaning(row) {
        Meaning::Expression(license) => Some(license),
        _ => None,
    }
}

/// What a license leaves out of what a base's asks for.
#[derive(Debug, PartialEq)]
pub enum Kept {
    /// Nothing.
    All,
    /// These.
    Dropped(Facts),
    /// Nothing by what is known of it, but the base's terms are to be passed on as
    /// they are, and it is another license.
    Renamed,
    /// Nobody knows what it asks for.
    Unknown,
}

/// Compares a license with that of a base.
pub fn kept(own: &Expression, base: &Expression) -> Kept {
    let wanted = Profile::of_all(base).facts;
    let has = Profile::of_all(own);
    if wanted.is_empty() || base.bases().is_subset(&own.bases()) {
        return Kept::All;
    }
    let dropped = wanted.without(has.facts);
    if has.class == crate::facts::Class::Unknown {
        Kept::Unknown
    } else if !dropped.is_empty() {
        Kept::Dropped(dropped)
    } else if !wanted.common(Facts::FLOW_DOWN).is_empty() {
        Kept::Renamed
    } else {
        Kept::All
    }
}

/// Returns the name of a model on the Hub that an address or name means: the
/// organization and the name, as cards have it. None for a folder or another place.
pub fn hub_name(text: &str) -> Option<String> {
    let text = text.trim();
    let places = ["https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "hf:"];
    let address = places.iter().find_map(|place| text.strip_prefix(place));
    let path = address.unwrap_or(text).trim_end_matches('/');
    let elsewhere =
        path.contains("://") || path.starts_with(['/', '.', '~']) || path.contains('\\');
    let parts: Vec<&str> = path.split('/').collect();
    let count = if address.is_some() { 2.min(parts.len()) } else { parts.len() };
    let name = parts.get(..count)?.join("/");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let sound = !name.is_empty() && name.len() <= 200 && name.bytes().all(plain);
    (!elsewhere && sound && count <= 2).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_hub_are_told_from_folders() {
        let rows = [
            ("org/name", Some("org/name")),
            ("https://huggingface.co/org/name/tree/main", Some("org/name")),
            ("hf:org/name", Some("org/name")),
            ("bert-base-uncased", Some("bert-base-uncased")),
            ("/mnt/models/base", None),
            ("./base", None),
            ("a/b/c", None),
            ("C:\\models\\base", None),
            ("https://example.org/model", None),
            ("", None),
            ("two words", None),
        ];
        for (text, expected) in rows {
            assert_eq!(hub_name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn common_bases_whose_family_is_under_other_terms() {
        let rows = [
            ("Qwen/Qwen2.5-7B-Instruct", "Apache-2.0"),
            ("Qwen/Qwen2.5-Coder-32B", "Apache-2.0"),
            ("Qwen/Qwen2.5-VL-72B-Instruct", "LicenseRef-scancode-qwen-2024"),
            ("Qwen/Qwen2.5-Omni-3B", "LicenseRef-qwen-research"),
            ("Qwen/Qwen2-VL-72B-Instruct", "LicenseRef-scancode-tongyi-qianwen-2023"),
            ("Qwen/Qwen2-VL-7B-Instruct", "Apache-2.0"),
            ("FacebookAI/xlm-mlm-en-2048", "CC-BY-NC-4.0"),
            ("FacebookAI/xlm-roberta-base", "MIT"),
            ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "MIT"),
            (
                "deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
                "MIT AND LicenseRef-scancode-llama-3.1-license-2024",
            ),
            ("black-forest-labs/FLUX.1-Krea-dev", "LicenseRef-scancode-flux-1-nc"),
            ("black-forest-labs/FLUX.1-schnell", "Apache-2.0"),
            ("EleutherAI/gpt-neox-20b", "Apache-2.0"),
        ];
        for (name, license) in rows {
            assert_eq!(usual(name).unwrap().text(), license, "{name}");
        }
        for unknown in ["stabilityai/stable-diffusion-xl-base-0.9", "CompVis/ldm-celebahq-256"] {
            assert_eq!(usual(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_row_of_the_tables_names_a_license() {
        for table in [BASES, DATASETS] {
            for line in table.lines().filter(|line| !line.starts_with('#')) {
                let (name, _) = line.split_once('\t').unwrap();
                assert!(listed(table, &name.replace('*', "x")).is_some(), "{line}");
            }
        }
    }
}
