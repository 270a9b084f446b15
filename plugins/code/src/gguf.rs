//! Owns finding the templates in the metadata of GGUF. Leaves reading them to the SDK,
//! and whether the rest is well formed to the check `formats`.

use modelhost_check::File;
use modelhost_check::gguf::{self, Stop};

/// How long a text may be that is read: a template's bound.
const MAX_TEXT: u64 = crate::template::MAX_TEMPLATE as u64;

/// Shows each text of the metadata: its key, where it stands, and the text.
///
/// # Errors
/// Where the metadata end early or break the format.
pub fn walk(file: &File, see: &mut dyn FnMut(&str, u64, &str)) -> Result<(), Stop> {
    gguf::walk(file, 0, &mut |entry| {
        let is_chat = is_chat_template(entry.key());
        if !entry.is_text() {
            return if is_chat {
                Err(entry.malformed("a chat template is no text"))
            } else {
                Ok(())
            };
        }
        match entry.text(MAX_TEXT)? {
            Some((at, text)) => see(entry.key(), at, &text),
            None if is_chat => {
                return Err(entry.malformed("a chat template is too long to be judged"));
            }
            None => {}
        }
        Ok(())
    })
}

/// Says whether a key holds a template that chats are written with.
#[must_use]
pub fn is_chat_template(key: &str) -> bool {
    key.contains("chat_template")
}
