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
        PluginRef::File(path) => {
            let bytes: Arc<[u8]> = file::read(path)?.into();
            let digest = Digest::of(&bytes);
            from_bytes(bytes, digest, file::place(path), reference.clone())
        }
        PluginRef::Bundled(id) => {
            let (bytes, digest) =
                bundled::bytes(id.as_str()).ok_or_else(|| PluginError::NotBundled(id.clone()))?;
            from_bytes(bytes.into(), digest, GuestText::capped(id.as_str()), reference.clone())
        }
    }
}

/// Resolves each plugin of the folder `folder`, sorted by file name.
///
/// # Errors
/// The folder holds no plugin, or one of its plugins does not resolve.
pub fn folder(folder: &Path) -> Result<Vec<ResolvedPlugin>, PluginError> {
    file::list(folder)?.into_iter().map(|path| resolve(&PluginRef::File(path))).collect()
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
                Err(PluginError::Misnamed { name, id: plugin.manifest.id })
            }
        })
        .collect()
}

/// Reads what the plugin `bytes`, of that digest and called `place` in messages,
/// says of itself.
fn from_bytes(
    bytes: Arc<[u8]>,
    digest: Digest,
    place: GuestText,
    origin: PluginRef,
) -> Result<ResolvedPlugin, PluginError> {
    let refused = |source: ComponentError| PluginError::Component { place: place.clone(), source };
    let outline = Outline::read(&bytes).map_err(refused)?;
    outline.require_check().map_err(refused)?;
    let section = outline.manifest().map_err(refused)?;
    let manifest = manifest::from_section(section)
        .map_err(|source| PluginError::Manifest { place: place.clone(), source })?;
    let imports = outline.imports;
    Ok(ResolvedPlugin { manifest, digest, bytes, origin, imports })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plugin::component;
    use crate::plugin::testing::{MANIFEST, assemble, manifest, packed};

    fn read(bytes: &[u8]) -> Result<ResolvedPlugin, PluginError> {
        let origin = PluginRef::File("guest.wasm".into());
        from_bytes(bytes.into(), Digest::of(bytes), GuestText::capped("guest.wasm"), origin)
    }

    /// An error and its causes, as a person reads them.
    fn told(error: &PluginError) -> String {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    #[test]
    fn finds_what_a_plugin_says_of_itself() {
        let bytes = packed();
        let plugin = read(&bytes).expect("a plugin");
        assert_eq!(plugin.manifest, manifest(MANIFEST));
        assert_eq!(plugin.digest, Digest::of(&bytes));
        assert_eq!(*plugin.bytes, *bytes);
    }

    #[test]
    fn errors_name_the_file_what_is_wrong_and_the_way_out() {
        let component = |content: &str| assemble(&format!("(component {content})"));
        let check = "(instance $i) (export \"modelhost:check/model-check@0.1.0\" (instance $i))";
        let with_manifest =
            |text: &str| component(&format!("{check} (@custom \"modelhost:manifest\" {text:?})"));
        let rows = [
            (
                b"".to_vec(),
                "`guest.wasm` is no plugin: it is empty, not a component",
                "build the file again",
            ),
            (b"(component)".to_vec(), "it is WebAssembly text, not", "assemble it first"),
            (assemble("(module)"), "it is a core WebAssembly module, not", "modelhost plugin pack"),
            (
                component(""),
                "it exports no check (`modelhost:check/model-check@0.1.x`)",
                "export_check!",
            ),
            (component(check), "it has no manifest", "modelhost plugin pack"),
            (
                with_manifest("{}"),
                "the manifest of `guest.wasm` can't be used: missing field `version`",
                "pack the plugin again",
            ),
            (
                with_manifest("{'version': 1}").to_vec(),
                "key must be a string",
                "pack the plugin again",
            ),
            (
                packed()[..packed().len() - 1].to_vec(),
                "`guest.wasm` is no plugin: it is cut off: it ends at byte",
                "fetch or build the file again",
            ),
        ];
        for (bytes, message, help) in rows {
            let error = read(&bytes).expect_err(message);
            assert!(told(&error).contains(message), "{} has not {message}", told(&error));
            assert!(
                error.help().expect("help").contains(help),
                "{:?} has not {help}",
                error.help()
            );
        }
    }

    #[test]
    fn no_part_of_a_plugin_is_a_plugin() {
        let bytes = packed();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "the first {end} bytes");
            // Where a section ends, it is a component, if no plugin.
            let _ = component::validate(&bytes[..end]);
        }
    }

    #[test]
    fn a_flipped_bit_is_told_or_harmless() {
        let good = packed();
        let mut refused = 0;
        for index in (0..good.len() * 8).step_by(3) {
            let mut bytes = good.clone();
            bytes[index / 8] ^= 1 << (index % 8);
            match read(&bytes) {
                Err(error) => {
                    refused += 1;
                    assert!(!told(&error).chars().any(char::is_control), "{}", told(&error));
                }
                Ok(plugin) => {
                    assert!(plugin.manifest.files.iter().all(|glob| !glob.is_empty()));
                    let _ = component::validate(&bytes);
                }
            }
        }
        assert!(refused > good.len() / 3, "{refused} of {} flips were refused", good.len() * 8);
    }

    proptest! {
        #[test]
        fn noise_is_no_plugin(noise: Vec<u8>, id in 0_u8..14) {
            prop_assert!(read(&noise).is_err());
            let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
            bytes.push(id);
            bytes.push(u8::try_from(noise.len().min(127)).expect("at most 127"));
            bytes.extend(&noise);
            prop_assert!(read(&bytes).is_err());
            let _ = component::validate(&bytes);
        }
    }

    #[test]
    fn unknown_ids_are_told_what_there_is() {
        let id = PluginId::new("no-such-plugin").expect("an id");
        let error = resolve(&PluginRef::Bundled(id)).expect_err("not bundled");
        assert_eq!(error.to_string(), "there is no bundled plugin `no-such-plugin`");
        assert!(error.help().is_some_and(|help| help.contains("plugins")));
    }

    #[test]
    fn bundled_plugins_are_what_they_are_called() {
        let plugins = bundled().expect("this modelhost was built right");
        assert_eq!(plugins.len(), bundled::names().count());
        assert!(plugins.is_sorted_by_key(|plugin| plugin.manifest.id.clone()));
        for plugin in plugins {
            assert_eq!(component::validate(&plugin.bytes), Ok(()), "{}", plugin.manifest.id);
            assert_eq!(plugin.imports.unknown, [""; 0], "{}", plugin.manifest.id);
        }
    }
}
