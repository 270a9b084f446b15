//! The plugins that are part of modelhost: embedded when it was built.
//!
//! Leaves finding them to `build.rs`, and what they are to `resolve`.

use crate::domain::digest::Digest;

// `static BUNDLED: &[(&str, &[u8], [u8; 32])]`: name, component and SHA-256 of each,
// sorted by name.
include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Returns the names of the bundled plugins, sorted; none where modelhost was
/// built without.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, ..)| *name)
}

/// Returns the bytes of the plugin bundled as `name`, and their digest as it was
/// when modelhost was built.
pub fn bytes(name: &str) -> Option<(&'static [u8], Digest)> {
    let found = BUNDLED.iter().find(|(bundled, ..)| *bundled == name);
    found.map(|(_, bytes, digest)| (*bytes, Digest::from_bytes(*digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lead_to_bytes() {
        assert!(names().is_sorted());
        assert!(names().all(|name| {
            let (bytes, digest) = bytes(name).expect("its bytes");
            Digest::of(bytes) == digest
        }));
        assert_eq!(bytes("no-such-plugin"), None);
    }
}
