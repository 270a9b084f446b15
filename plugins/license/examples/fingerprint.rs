//! Prints the rows of `src/texts.tsv` for a license text on standard input:
//!
//! ```text
//! cargo run --example fingerprint -- ID BEFORE AFTER ["FIRST WORDS" "LAST WORDS"]… < text
//! ```
//!
//! BEFORE and AFTER are how many words may stand around the text: a title and
//! copyright lines, an appendix. Each pair of first
//! and last words is a stretch that is the same in all copies; without a pair it
//! is the whole text.

use std::io::Read;

use modelhost_plugin_license::text::digest;
use modelhost_plugin_license::words::Words;

/// How many first words are kept to find a stretch by.
const FIRST: usize = 7;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for whoever adds a text: arguments in, rows out"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().ok_or("the license's identifier is missing")?;
    let before = arguments.next().ok_or("how many words may come before is missing")?;
    let after = arguments.next().ok_or("how many words may follow is missing")?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let words = Words::of(&text);
    let print = |start: usize, count: usize| -> Option<()> {
        let first = words.span(start, FIRST.min(count))?;
        let digest = digest(words.span(start, count)?);
        println!("{id}\t{before}\t{after}\t{first}\t{count}\t{digest}");
        Some(())
    };
    let pairs: Vec<String> = arguments.collect();
    if pairs.is_empty() {
        print(0, words.len()).ok_or("the text is empty")?;
    }
    let mut from = 0;
    for pair in pairs.chunks(2) {
        let [first, last] = pair else {
            return Err("last words are missing".into());
        };
        let start = words.find(first, from).ok_or_else(|| format!("{id}: no `{first}`"))?;
        let end = words.find(last, start).ok_or_else(|| format!("{id}: no `{last}`"))?;
        from = end + last.split(' ').count();
        print(start, from - start).ok_or("a stretch is empty")?;
    }
    Ok(())
}
