//! [`PluginError`]: why a reference does not lead to a plugin.
//!
//! Leaves drawing it to `cli`.

use std::io;

use super::component::ComponentError;
use super::manifest::SectionError;
use super::source::file;
use crate::domain::plugin::PluginId;
use crate::domain::text::GuestText;

/// Why a reference does not lead to a plugin that one may run.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// A file or folder could not be read.
    #[error("can't read `{place}`")]
    Read {
        /// The file or folder.
        place: GuestText,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something else stands where a file is wanted.
    #[error("`{place}` is {what}, and a plugin is a regular file")]
    NotAFile {
        /// Its path.
        place: GuestText,
        /// What it is.
        what: &'static str,
    },
    /// The file is larger than any plugin.
    #[error("`{place}` has {size} bytes, and a plugin has at most {max}", max = file::MAX_SIZE)]
    TooLarge {
        /// Its path.
        place: GuestText,
        /// Its size in bytes.
        size: u64,
    },
    /// A folder of plugins has none.
    #[error("`{place}` holds no .wasm file")]
    EmptyFolder {
        /// The folder.
        place: GuestText,
    },
    /// A folder has more plugins than are taken.
    #[error("`{place}` holds more than {max} .wasm files", max = file::MAX_FOLDER)]
    FullFolder {
        /// The folder.
        place: GuestText,
    },
    /// No bundled plugin has that id.
    #[error("there is no bundled plugin `{0}`")]
    NotBundled(PluginId),
    /// A bundled plugin is not the one its name promises.
    #[error("the plugin bundled as `{name}` says that it is `{id}`")]
    Misnamed {
        /// The name it is bundled under.
        name: &'static str,
        /// The id in its manifest.
        id: PluginId,
    },
    /// The bytes are no component that can be a plugin.
    #[error("`{place}` is no plugin")]
    Component {
        /// The file or bundled plugin.
        place: GuestText,
        /// What is wrong with them.
        #[source]
        source: ComponentError,
    },
    /// The manifest can't be used.
    #[error("the manifest of `{place}` can't be used")]
    Manifest {
        /// The file or bundled plugin.
        place: GuestText,
        /// What is wrong with it.
        #[source]
        source: SectionError,
    },
}

impl PluginError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Read { .. } => return None,
            Self::NotAFile { what, .. } if *what == file::FOLDER => {
                "give the .wasm file itself, or the folder as `--plugins DIR`"
            }
            Self::NotAFile { .. } => "give the .wasm file itself",
            Self::TooLarge { .. } => "build it for release, and strip its debug information",
            Self::EmptyFolder { .. } => {
                "name the folder that holds the plugins; its sub-folders are not looked into"
            }
            Self::FullFolder { .. } => "name a folder that holds the plugins alone",
            Self::NotBundled(_) => {
                let bundled: Vec<_> = super::source::bundled::names().collect();
                return Some(if bundled.is_empty() {
                    "this modelhost was built without plugins; build them by `cargo xtask plugins` and \
                     modelhost again, or name a folder of plugins by `--plugins DIR`"
                        .to_owned()
                } else {
                    format!(
                        "the bundled plugins are {}; a file is named with a `/`, or by its ending",
                        bundled.join(", ")
                    )
                });
            }
            Self::Misnamed { .. } => {
                "this modelhost was built wrong; build it again, or take another one"
            }
            Self::Component { source, .. } => source.help()?,
            Self::Manifest { source, .. } => source.help(),
        };
        Some(text.to_owned())
    }
}
