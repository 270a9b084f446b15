//! Owns what is known of a value in a template: the texts it may be, what it may
//! hold, and whether it was fetched by a name that only running the template
//! makes up. Leaves where values come from to `expression`.

use super::names::UNKNOWN;

/// How many texts a value may be at once; beyond, the last are forgotten.
const MAX_TEXTS: usize = 16;
/// How long a text that is followed may be. Names are short; a longer text stands
/// as unknown.
const MAX_TEXT: usize = 256;
/// How many values a list or mapping is followed with.
const MAX_ITEMS: usize = 64;
/// How much one value may weigh in bytes and parts: a bound on lists of lists,
/// which double with each level.
const MAX_WEIGHT: usize = 8 * 1024;

/// What a value may be; empty, it is data of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Value {
    /// The texts it may be.
    pub(super) texts: Vec<String>,
    /// What it may hold as a list, or the keys of a mapping.
    pub(super) items: Vec<Self>,
    /// What it may hold as a mapping.
    pub(super) held: Option<Box<Self>>,
    /// The number it is.
    pub(super) number: Option<i64>,
    /// Whether it may be something else, too.
    pub(super) vague: bool,
    /// Whether it was fetched by a name that is not known.
    pub(super) fetched: bool,
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::texts([text.into()])
    }

    pub(super) fn texts(texts: impl IntoIterator<Item = String>) -> Self {
        let mut value = Self::default();
        for text in texts {
            value.add(text);
        }
        value
    }

    pub(super) fn number(number: i64) -> Self {
        Self { number: Some(number), ..Self::default() }
    }

    pub(super) fn fetched() -> Self {
        Self { fetched: true, ..Self::default() }
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        let mut weight = 0;
        let mut list = Self::default();
        for item in items {
            weight += item.weight();
            if weight < MAX_WEIGHT && list.items.len() < MAX_ITEMS {
                list.items.push(item);
            } else {
                list.vague = true;
                break;
            }
        }
        list
    }

    /// Makes a mapping of what is known of its keys and values.
    pub(super) fn mapping(entries: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut mapping = Self::list(keys);
        if !values.is_empty() {
            mapping.hold(Self::any(values));
        }
        mapping
    }

    /// Returns what is any of some values.
    pub(super) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().reduce(Self::or).unwrap_or_default()
    }

    fn add(&mut self, text: String) {
        if self.texts.contains(&text) {
            return;
        }
        if text.len() <= MAX_TEXT && self.texts.len() < MAX_TEXTS {
            self.texts.push(text);
        } else {
            self.vague = true;
        }
    }

    /// Adds a value to what it may hold under some key.
    pub(super) fn hold(&mut self, value: Self) {
        let held = match self.held.take() {
            Some(held) => held.or(value),
            None => value,
        };
        let fetched = held.fetched;
        let light = held.weight() < MAX_WEIGHT;
        self.held = Some(Box::new(if light { held } else { Self { fetched, ..Self::default() } }));
    }

    /// Returns how much it takes to copy: bounded for every value.
    pub(super) fn weight(&self) -> usize {
        let texts = self.texts.iter().map(|text| text.len() + 1).sum::<usize>();
        let items = self.items.iter().map(Self::weight).sum::<usize>();
        let held = self.held.as_ref().map_or(0, |held| held.weight());
        1 + texts + items + held
    }

    /// Says whether nothing is known of what it is.
    fn is_blank(&self) -> bool {
        self.texts.is_empty()
            && self.number.is_none()
            && self.items.is_empty()
            && self.held.is_none()
    }

    /// Returns what is either of two.
    pub(super) fn or(mut self, other: Self) -> Self {
        let numbers = self.number.is_some() || other.number.is_some();
        self.vague |= other.vague || self.is_blank() != other.is_blank();
        self.vague |= numbers && self.number != other.number;
        self.fetched |= other.fetched;
        self.number = self.number.or(other.number);
        for text in other.texts {
            self.add(text);
        }
        if !other.items.is_empty() && self.items != other.items {
            let mut items = std::mem::take(&mut self.items);
            items.extend(other.items);
            let list = Self::list(items);
            self.vague |= list.vague;
            self.items = list.items;
        }
        if let Some(held) = other.held {
            self.hold(*held);
        }
        self
    }

    /// Returns what is any of what this holds: under a key, or in its places.
    pub(super) fn inside(&self) -> Self {
        let mut inside = match &self.held {
            Some(held) => Self::clone(held),
            None => self.item(),
        };
        inside.fetched |= self.fetched;
        inside.vague |= self.vague;
        inside
    }

    /// Returns what is any of what a loop over this goes through.
    pub(super) fn item(&self) -> Self {
        let mut item = Self::any(self.items.iter().cloned());
        item.fetched |= self.fetched;
        item.vague |= self.vague;
        item
    }

    /// Says whether it is a text and nothing else.
    pub(super) fn is_text(&self) -> bool {
        let other = self.number.is_some() || !self.items.is_empty() || self.held.is_some();
        !self.texts.is_empty() && !self.vague && !other
    }

    /// Says whether it is one of texts or numbers that are known to the letter.
    pub(super) fn is_constant(&self) -> bool {
        let texts = self.texts.iter().all(|text| !text.contains(UNKNOWN));
        (self.number.is_some() || !self.texts.is_empty()) && texts && !self.vague
    }

    /// Returns the texts that it is when written out; what is not known stands as
    /// one unknown character.
    pub(super) fn written(&self) -> Vec<String> {
        let mut texts = self.texts.clone();
        texts.extend(self.number.map(|number| number.to_string()));
        if texts.is_empty() || self.vague {
            texts.push(UNKNOWN.to_string());
        }
        texts
    }

    /// Returns this and then another, written out.
    pub(super) fn then(&self, next: &Self) -> Self {
        let nexts = next.written();
        let texts = self.written();
        let pairs =
            texts.iter().flat_map(|text| nexts.iter().map(move |next| format!("{text}{next}")));
        let mut whole = Self::texts(pairs.take(MAX_TEXTS));
        whole.vague |= texts.len() * nexts.len() > MAX_TEXTS;
        whole
    }

    /// Returns what holds `change` of each text.
    pub(super) fn each(&self, change: impl Fn(&str) -> String) -> Self {
        let mut changed = Self::texts(self.texts.iter().map(|text| change(text)));
        changed.vague |= self.vague;
        changed
    }

    /// Returns its items, written one after the other with `between` them.
    pub(super) fn joined(&self, between: &Self) -> Self {
        let nothing = between.texts.is_empty() || between.texts == [""];
        if self.items.is_empty() {
            // The characters of a text, or what is not known.
            return if nothing && !self.texts.is_empty() {
                self.clone()
            } else {
                Self::text(UNKNOWN)
            };
        }
        let mut joined = Self::text("");
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 && !nothing {
                joined = joined.then(between);
            }
            joined = joined.then(item);
        }
        joined.vague |= self.vague;
        joined
    }

    /// Returns what stands at an index, and parts from there for slices.
    pub(super) fn at(&self, index: i64) -> Self {
        let place = |length: usize| {
            let length = i64::try_from(length).ok()?;
            let index = if index < 0 { index + length } else { index };
            usize::try_from(index).ok()
        };
        if let Some(item) = place(self.items.len()).and_then(|index| self.items.get(index)) {
            return item.clone();
        }
        let texts = self.texts.iter().filter_map(|text| {
            let index = place(text.chars().count())?;
            text.chars().nth(index).map(String::from)
        });
        let mut value = match &self.held {
            Some(held) => Self::clone(held),
            None => Self::texts(texts),
        };
        value.fetched |= self.fetched;
        value.vague |= self.vague;
        value
    }

    /// Returns a slice, as Python takes it.
    pub(super) fn slice(&self, from: Option<i64>, to: Option<i64>, step: Option<i64>) -> Self {
        let step = step.unwrap_or(1);
        let mut sliced = Self::texts(self.texts.iter().map(|text| {
            let characters: Vec<char> = text.chars().collect();
            let places = places(characters.len(), from, to, step);
            places.into_iter().filter_map(|place| characters.get(place)).collect()
        }));
        let places = places(self.items.len(), from, to, step);
        let items = places.into_iter().filter_map(|place| self.items.get(place));
        sliced.items = items.cloned().collect();
        sliced.fetched = self.fetched;
        sliced.vague |= self.vague;
        sliced
    }
}

/// Returns the places that a Python slice takes of so many.
fn places(length: usize, from: Option<i64>, to: Option<i64>, step: i64) -> Vec<usize> {
    let Ok(length) = i64::try_from(length) else {
        return Vec::new();
    };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |at: i64| {
        let at = if at < 0 { at.saturating_add(length) } else { at };
        at.clamp(low, high)
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, to) = (from.map_or(first, place), to.map_or(last, place));
    let mut places = Vec::new();
    while (step > 0 && at < to) || (step < 0 && at > to) {
        places.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_python_s() {
        let text = Value::text("abcdef");
        for (slice, expected) in [
            ((None, None, Some(-1)), "fedcba"),
            ((Some(1), None, None), "bcdef"),
            ((Some(-2), None, None), "ef"),
            ((None, Some(-1), None), "abcde"),
            ((None, None, Some(2)), "ace"),
            ((Some(4), Some(1), Some(-1)), "edc"),
            ((Some(i64::MIN), Some(i64::MAX), Some(i64::MAX)), "a"),
            ((Some(9), None, None), ""),
            ((None, None, Some(0)), ""),
            ((None, None, Some(i64::MIN)), "f"),
        ] {
            let (from, to, step) = slice;
            assert_eq!(text.slice(from, to, step), Value::text(expected), "{slice:?}");
        }
        assert_eq!(text.at(-1), Value::text("f"));
        assert_eq!(text.at(i64::MIN), Value::default());
    }

    #[test]
    fn values_stay_light() {
        let mut value = Value::text("x".repeat(MAX_TEXT));
        for _ in 0..40 {
            value = Value::list(vec![value.clone(), value.clone(), value]);
        }
        assert!(value.weight() < 2 * MAX_WEIGHT);
        let mut text = Value::text("x");
        for _ in 0..40 {
            text = text.then(&text.clone());
        }
        assert!(text.weight() < MAX_WEIGHT);
    }
}
