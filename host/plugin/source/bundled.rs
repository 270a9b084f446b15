//! The plugins that are part of modelhost: embedded when it was built.
//!
//! Leaves finding them to `build.rs`, and what they are to `resolve`.

// `static BUNDLED: &[(&str, &[u8])]`: name and component of each, sorted by name.
include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Returns the names of the bundled plugins, sorted; none where modelhost was
/// built without.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// Returns the bytes of the plugin bundled as `name`.
pub fn bytes(name: &str) -> Option<&'static [u8]> {
    BUNDLED.iter().find(|(bundled, _)| *bundled == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lead_to_bytes() {
        assert!(names().is_sorted());
        assert!(names().all(|name| bytes(name).is_some()));
        assert_eq!(bytes("no-such-plugin"), None);
    }
}
