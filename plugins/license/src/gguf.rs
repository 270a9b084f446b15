//! Owns what GGUF's metadata say of the license, the bases and the data. Leaves reading
//! them to the SDK, and whether the rest is well formed to the check `formats`.

use modelhost_check::File;
use modelhost_check::gguf::{self, Stop};

use crate::card::{Card, Value};

/// How deep lists may nest; those that are known hold no lists.
const MAX_NESTED: u32 = 3;
/// How long a text may be that names a license or a model.
const MAX_TEXT: u64 = 4096;
/// How many bases and how many data sets are looked at: merges have a dozen.
const MAX_NAMED: usize = 64;

/// Returns what the metadata say.
///
/// # Errors
/// Where the metadata end early or break the format.
pub fn read(file: &File) -> Result<Card, Stop> {
    let mut said = Said::default();
    gguf::walk(file, MAX_NESTED, &mut |entry| {
        if entry.key().starts_with("general.")
            && let Some((_, text)) = entry.text(MAX_TEXT)?
            && !said.take(entry.key(), text)
        {
            return Err(entry.malformed("a key stands twice"));
        }
        Ok(())
    })?;
    Ok(said.card())
}

/// What was met: keys and texts, in order.
#[derive(Default)]
struct Said {
    license: [Option<String>; 3],
    models: Vec<(String, String)>,
}

/// The keys about the license.
const LICENSE: [&str; 3] = ["general.license", "general.license.name", "general.license.link"];

impl Said {
    /// Takes a key that matters; tells false where it came before.
    fn take(&mut self, key: &str, text: String) -> bool {
        if let Some(place) = LICENSE.iter().position(|known| *known == key) {
            return self.license[place].replace(text).is_none();
        }
        let named = key.starts_with("general.base_model.") || key.starts_with("general.dataset.");
        if named && self.models.len() < MAX_NAMED * 8 {
            if self.models.iter().any(|(known, _)| known == key) {
                return false;
            }
            self.models.push((key.to_owned(), text));
        }
        true
    }

    fn card(self) -> Card {
        let value = |text: String| Value { text, line: 0 };
        let [license, name, link] = self.license;
        let of = |kind: &str| {
            let named = (0..MAX_NAMED).filter_map(|number| {
                let get = |field: &str| {
                    let key = format!("general.{kind}.{number}.{field}");
                    self.models.iter().find(|(known, _)| *known == key).map(|(_, text)| text.trim())
                };
                let slug = |text: &str| text.to_lowercase().replace(' ', "-");
                let name = match (get("repo_url"), get("organization"), get("name")) {
                    (Some(address), ..) if !address.is_empty() => address.to_owned(),
                    (_, Some(owner), Some(name)) => format!("{}/{}", slug(owner), slug(name)),
                    (_, _, Some(name)) => slug(name),
                    _ => return None,
                };
                Some(Value { text: name, line: 0 })
            });
            named.collect()
        };
        let (bases, datasets) = (of("base_model"), of("dataset"));
        Card {
            licenses: license.map(value).into_iter().collect(),
            name: name.map(value),
            link: link.map(value),
            bases,
            datasets,
        }
    }
}
