//! Hostile and honest folders of every format, read from a real file system.

#![expect(clippy::disallowed_methods, reason = "tests make the folders they read")]

use std::path::Path;

use cap_std::ambient_authority;

use super::*;

#[test]
fn each_format_has_one_reader() {
    for format in Format::ALL {
        assert_eq!(READERS.iter().filter(|reader| reader.format == format).count(), 1);
        assert_eq!(format.name().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().unwrap_err().to_string();
    assert!(error.starts_with("there is no format `xml`: write hf-cache, hf-folder, git-lfs"));
}
