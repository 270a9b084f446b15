//! Folds notices, so that a report over a million files stays short: what is
//! said of many places is said once, and of one code only a few are told.
//!
//! Leaves writing them to `human`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::report::notice::{Notice, order};
use crate::report::place::Place;

/// How many places one block names, or one more where that is all of them.
const MAX_PLACES: usize = 3;

/// How many blocks of one code are told: enough to see what it is about.
const MAX_BLOCKS: usize = 5;

/// What is told of one thing in one go.
pub(super) struct Block<'a> {
    /// The first notice, and all others but for their place.
    pub(super) first: Notice<'a>,
    /// Where it is, the first places.
    pub(super) places: Vec<Place<'a>>,
    /// In how many places more.
    pub(super) more: usize,
    /// How many notices of the same code are not told.
    pub(super) alike: usize,
    places_in: PlacesIn,
}

/// What the places of a block are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PlacesIn {
    Models,
    Files,
    Mixed,
}

impl<'a> Block<'a> {
    fn new(first: Notice<'a>, place: Option<&Place<'a>>) -> Self {
        let places_in = match place {
            Some(Place { file: Some(_), .. }) => PlacesIn::Files,
            Some(Place { file: None, .. }) => PlacesIn::Models,
            None => PlacesIn::Mixed,
        };
        Self { first, places: Vec::new(), more: 0, alike: 0, places_in }
    }

    fn add(&mut self, place: Option<Place<'a>>, last: Option<Place<'a>>, all: bool) {
        let Some(place) = place else { return };
        let is_same = last
            .is_some_and(|last| std::ptr::eq(last.model, place.model) && last.file == place.file);
        let kind = if place.file.is_some() { PlacesIn::Files } else { PlacesIn::Models };
        if is_same || kind != self.places_in {
            self.places_in = PlacesIn::Mixed;
        }
        if all || self.places.len() <= MAX_PLACES {
            self.places.push(place);
        } else {
            self.more += 1;
        }
    }

    /// Cuts the places where they are too many. One more than that is told, as
    /// it takes no more room than to say that there is one more.
    fn cut(&mut self) {
        if self.more > 0 {
            self.more += self.places.drain(MAX_PLACES..).count();
        }
    }

    /// Returns what `number` places of the block are called.
    pub(super) const fn unit(&self, number: usize) -> &'static str {
        match (self.places_in, number) {
            (PlacesIn::Models, 1) => "model",
            (PlacesIn::Models, _) => "models",
            (PlacesIn::Files, 1) => "file",
            (PlacesIn::Files, _) => "files",
            (PlacesIn::Mixed, 1) => "place",
            (PlacesIn::Mixed, _) => "places",
        }
    }

    /// How many notices it stands for.
    fn len(&self) -> usize {
        (self.places.len() + self.more).max(1)
    }
}

/// Folds `notices`, worst first; with `all`, every one of them keeps its place.
pub(super) fn fold<'a>(notices: Vec<(Notice<'a>, Option<Place<'a>>)>, all: bool) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut lasts: Vec<Option<Place<'a>>> = Vec::new();
    let mut known: HashMap<Notice<'a>, usize> = HashMap::new();
    for (notice, place) in notices {
        let index = match known.entry(notice) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                blocks.push(Block::new(notice, place.as_ref()));
                lasts.push(None);
                *entry.insert(blocks.len() - 1)
            }
        };
        if let (Some(block), Some(last)) = (blocks.get_mut(index), lasts.get_mut(index)) {
            block.add(place, *last, all);
            *last = place;
        }
    }
    blocks.iter_mut().for_each(Block::cut);
    // Stable: within a code the report's order stays.
    blocks.sort_by(|a, b| order(&a.first).cmp(&order(&b.first)));
    if !all {
        drop_alike(&mut blocks);
    }
    blocks
}

/// Keeps the first blocks of each code, and counts the rest.
fn drop_alike(blocks: &mut Vec<Block<'_>>) {
    let mut kept: Vec<Block<'_>> = Vec::new();
    let mut of_code = 0;
    for block in blocks.drain(..) {
        match kept.last_mut() {
            Some(last) if order(&last.first) == order(&block.first) && of_code >= MAX_BLOCKS => {
                last.alike += block.len();
                continue;
            }
            Some(last) if order(&last.first) == order(&block.first) => of_code += 1,
            _ => of_code = 1,
        }
        kept.push(block);
    }
    *blocks = kept;
}
