//! Owns texts as sequences of words, so that wrapping, markup, bullets and
//! quotation marks make no difference. Leaves what the words mean to `text`.

/// The words of a text: ASCII letters and digits in lower case, all else parts
/// them. Markers of lists, such as `1.` and `(b)`, are left out.
pub struct Words {
    /// Each word with a blank before it, and a blank at the end.
    joined: String,
    /// Where each word's blank stands in `joined`.
    starts: Vec<usize>,
}

impl Words {
    /// Returns the words of `text`.
    pub fn of(text: &str) -> Self {
        let mut words = Self { joined: String::with_capacity(text.len()), starts: Vec::new() };
        for token in text.split_whitespace().filter(|token| !is_marker(token)) {
            let parts = token.split(|letter: char| !letter.is_ascii_alphanumeric());
            parts.filter(|word| !word.is_empty()).for_each(|word| words.push(word));
        }
        words.joined.push(' ');
        words
    }

    fn push(&mut self, word: &str) {
        self.starts.push(self.joined.len());
        self.joined.push(' ');
        self.joined.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        // Links moved from one to the other without a change of text.
        if self.joined.ends_with(" https") {
            self.joined.pop();
        }
    }

    /// Returns how many words there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Tells whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns `count` words from the one at `start` on, parted by blanks; none
    /// where there are fewer.
    pub fn span(&self, start: usize, count: usize) -> Option<&str> {
        let first = *self.starts.get(start)?;
        let next = start.checked_add(count)?;
        let end = match self.starts.get(next) {
            Some(end) => *end,
            None if next == self.starts.len() => self.joined.len() - 1,
            None => return None,
        };
        self.joined.get(first + 1..end)
    }

    /// Returns where `phrase`, words parted by blanks, begins, at or after the
    /// word at `start`.
    pub fn find(&self, phrase: &str, start: usize) -> Option<usize> {
        let from = *self.starts.get(start)?;
        let needle = format!(" {phrase} ");
        let at = from + self.joined.get(from..)?.find(&needle)?;
        self.starts.binary_search(&at).ok()
    }
}

/// Tells whether a token is the number or letter of a list's item.
fn is_marker(token: &str) -> bool {
    let token = token.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let end = token.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(token.len());
    let (item, rest) = token.split_at(end);
    let counts = match item.len() {
        1 => true,
        2..=4 => {
            item.bytes().all(|byte| byte.is_ascii_digit())
                || item.bytes().all(|byte| b"ivxIVX".contains(&byte))
        }
        _ => false,
    };
    let closed = rest.starts_with(['.', ')', ':']);
    counts && closed && !rest.contains(|letter: char| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_and_markup_make_no_difference() {
        let plain =
            Words::of("1. Redistributions (b) of source: see https://example.org (the \"list\")");
        let marked = Words::of(
            "  * Redistributions\r\n# of **source**:\n//  see http://example.org\n(the “list”)",
        );
        let expected = "redistributions of source see http example org the list";
        assert_eq!(plain.span(0, plain.len()), Some(expected));
        assert_eq!(marked.span(0, marked.len()), Some(expected));
    }

    #[test]
    fn spans_and_phrases_stay_within_the_text() {
        let words = Words::of("the quick brown fox");
        assert_eq!(words.len(), 4);
        assert_eq!(words.span(1, 2), Some("quick brown"));
        assert_eq!(words.span(2, 3), None);
        assert_eq!(words.span(0, usize::MAX), None);
        assert_eq!(words.find("brown fox", 0), Some(2));
        assert_eq!(words.find("brown fox", 3), None);
        assert_eq!(words.find("own fox", 0), None);
        assert!(Words::of("…").is_empty());
        assert_eq!(Words::of("").find("a", 0), None);
    }
}
