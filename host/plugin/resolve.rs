//! References to plugins → their bytes, with digest, imports and manifest.
//!
//! Leaves comparing the digest with the lock file to the gate, and validating
//! the code to `component::validate`, before the engine compiles it.

use std::path::Path;
use std::sync::Arc;

use super::PluginError;
use super::component::{ComponentError, Outline};
use super::manifest;
use super::source::{bundled, file};
use crate::domain::digest::Digest;
use crate::domain::plugin::{PluginId, PluginRef, ResolvedPlugin};
use crate::domain::text::GuestText;

/// Reads the plugin that `reference` names, and what it says of itself. Nothing
/// of it is run.
///
/// A plugin that imports what no grant can give resolves: its tasks are refused.
///
/// # Errors
/// It can't be read, is no component with a check and one manifest, or its
/// manifest is wrong.
pub fn resolve(reference: &PluginRef) -> Result<ResolvedPlugin, PluginError> {
    match reference {
        PluginRef::File(path) => from_bytes(
            file::read(path)?.into(),
            file::place(path),
            reference.clone(),
        ),
        PluginRef::Bundled(id) => {
            let bytes =
                bundled::bytes(id.as_str()).ok_or_else(|| PluginError::NotBundled(id.clone()))?;
            from_bytes(
                bytes.into(),
                GuestText::capped(id.as_str()),
                reference.clone(),
            )
        }
    }
}

/// Resolves each plugin of the folder `folder`, sorted by file name.
///
/// # Errors
/// The folder holds no plugin, or one of its plugins does not resolve.
pub fn folder(folder: &Path) -> Result<Vec<ResolvedPlugin>, PluginError> {
    file::list(folder)?
        .into_iter()
        .map(|path| resolve(&PluginRef::File(path)))
        .collect()
}

/// Resolves each bundled plugin, sorted by id; none where modelhost was built
/// without.
///
/// # Errors
/// One of them does not resolve: modelhost was built wrong.
pub fn bundled() -> Result<Vec<ResolvedPlugin>, PluginError> {
    bundled::names()
        .map(|name| {
            let id = PluginId::new(name).unwrap_or_else(|_| PluginId::gate());
            let plugin = resolve(&PluginRef::Bundled(id))?;
            if plugin.manifest.id.as_str() == name {
                Ok(plugin)
            } else {
                Err(PluginError::Misnamed {
                    name,
                    id: plugin.manifest.id,
                })
            }
        })
        .collect()
}

/// Reads what the plugin `bytes`, called `place` in messages, says of itself.
fn from_bytes(
    bytes: Arc<[u8]>,
    place: GuestText,
    origin: PluginRef,
) -> Result<ResolvedPlugin, PluginError> {
    let refused = |source: ComponentError| PluginError::Component {
        place: place.clone(),
        source,
    };
    let outline = Outline::read(&bytes).map_err(refused)?;
    outline.require_check().map_err(refused)?;
    let section = outline.manifest().map_err(refused)?;
    let manifest = manifest::from_section(section).map_err(|source| PluginError::Manifest {
        place: place.clone(),
        source,
    })?;
    let imports = outline.imports;
    Ok(ResolvedPlugin {
        manifest,
        digest: Digest::of(&bytes),
        bytes,
        origin,
        imports,
    })
}
