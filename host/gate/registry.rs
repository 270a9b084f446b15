//! The trusted registry of a run: read, held to what the policy asks of it, and to
//! what was locked.
//!
//! Leaves its files to `record`, and comparing models with it to the `registry`
//! plugin.

use std::sync::Arc;

use super::{Gate, GateError};
use crate::config::{Config, ConfiguredRegistry};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::digest::Digest;
use crate::domain::registry::Registry;
use crate::model::{self, Model};
use crate::record::registry::{self, Demands, Key, RegistryError};

/// The largest file of a key: a PEM block has some hundred bytes.
const MAX_KEY: u64 = 64 << 10;

impl Gate {
    /// Returns the trusted registry that the policy names, if it names one.
    pub(super) fn registry(&self) -> Result<Option<Arc<Registry>>, GateError> {
        let Some(config) = &self.config else { return Ok(None) };
        let Some(registry) = read_registry(config)? else { return Ok(None) };
        if self.locked
            && let Some((source, lock)) = &self.lock
            && let Some(locked) = &lock.registry
            && let Some(message) = locked.rolled_back(registry.set.sequence, registry.set.digest)
        {
            let span = source.line_span(locked.line);
            let help = "take the newest set; where the older one is meant, run `modelhost lock --allow-registry-rollback` and commit modelhost.lock";
            let mistake = Diagnostic::new(source, span, message).with_help(help);
            return Err(GateError::Mistakes(vec![mistake]));
        }
        Ok(Some(Arc::new(registry)))
    }
}

/// Returns the trusted registry that `config` names, if it names one: read whole, and
/// held to what it asks of it.
///
/// # Errors
/// Says what can't be read, every mistake in it, and what it is not of what is asked.
pub fn read_registry(config: &Config) -> Result<Option<Registry>, GateError> {
    let Some(configured) = &config.registry else { return Ok(None) };
    let demands = demands(config, configured)?;
    let shown = configured.path.display().to_string();
    let read = registry::read(&config.root.join(&configured.path), &shown);
    let held = read.and_then(|read| read.hold_to(&demands));
    held.map(Some).map_err(|error| match error {
        RegistryError::Mistakes { mistakes, .. } => GateError::Mistakes(mistakes),
        RegistryError::NotTrusted { .. } => {
            let help = "see what there is with `modelhost registry verify`; a set is signed with `modelhost registry seal --key KEY`";
            let mistake = config.registry_mistake(error.to_string()).with_help(help);
            GateError::Mistakes(vec![mistake])
        }
        error => error.into(),
    })
}

/// Returns what `config` asks of the registry, its keys read and held to their
/// digests.
///
/// # Errors
/// Says which key can't be read, is not the pinned one, or is no key.
pub fn demands(config: &Config, registry: &ConfiguredRegistry) -> Result<Demands, GateError> {
    let mut keys = Vec::new();
    for key in &registry.keys {
        let bytes = model::read_document(&config.root.join(&key.path), MAX_KEY)?;
        let found = Digest::of(&bytes);
        let wrong = |message: String| {
            GateError::Mistakes(vec![Diagnostic::new(&config.file, key.span.clone(), message)])
        };
        if found != key.digest {
            return Err(wrong(format!("the key is not the one that is pinned: it is {found}")));
        }
        let pem = String::from_utf8_lossy(&bytes);
        keys.push(Key::from_pem(&pem).map_err(|error| wrong(error.to_string()))?);
    }
    Ok(Demands { pin: registry.pin, min_sequence: registry.min_sequence, keys })
}

/// Notes at `model` what `registry` says of its name, and of its source and revision.
pub(super) fn compare(registry: &Registry, model: &mut Model) {
    let (definition, lock) = (model.definition.as_ref(), model.lock.as_deref());
    let registered = registry.about(&model.name, definition, lock, None);
    model.registered = Some(Arc::new(registered));
}
