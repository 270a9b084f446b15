//! Owns judging a Jinja template: what it does that data and chat never need, and
//! that leads out of a sandbox or, without one, straight to Python's modules.
//!
//! The template is lexed and parsed as Jinja does, and what its expressions may be
//! is followed while they are parsed: texts that are joined, sliced or formatted,
//! lists, mappings, variables. A dunder name in text that is put out is nothing; as
//! the name of an attribute it is a way out. Leaves where templates stand to
//! `survey`.

mod expression;
mod fold;
mod lex;
mod names;
mod statement;
mod value;

use std::collections::BTreeMap;

use fold::Arguments;
pub use lex::Broken;
pub(crate) use lex::unescape;
pub use names::UNKNOWN;
use value::Value;

/// How many ways out are kept of one template; the message names a few.
const MAX_ESCAPES: usize = 64;
/// How much following values may cost, in bytes copied for each template and pass:
/// some hundred times what the longest known need.
const MAX_WORK: usize = 2 * 1024 * 1024;

/// Says how a template leaves what chat templates do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It names an attribute that leads to Python's internals.
    Internals,
    /// It uses `str.format` to reach into objects, past the sandbox.
    Format,
    /// It calls, or fetches with `attr`, what only running it gives a name.
    MadeUp,
    /// It takes in another template.
    Other,
}

/// One way out of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape {
    /// How.
    pub kind: Kind,
    /// The name or construct.
    pub what: String,
    /// The line of the template, from 1.
    pub line: u32,
}

/// What a template does.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The ways out, in the order of their lines.
    pub escapes: Vec<Escape>,
    /// Why the rest of the template could not be read.
    pub broken: Option<Broken>,
}

/// Says whether a text may be a template at all.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Reads a template.
///
/// It is read twice, since a loop uses on its second turn what stands further down
/// in it; what the first pass found out of variables, the second begins with.
#[must_use]
pub fn read(template: &str) -> Reading {
    let mut state = State::default();
    let first = statement::template(template, &mut state);
    if first.is_ok() {
        state.work = 0;
        state.again = true;
        // A second pass breaks where the first did: nowhere, but for its work.
        if let Err(broken) = statement::template(template, &mut state) {
            return state.end(Some(broken));
        }
    }
    state.end(first.err())
}

/// What is known while a template is read.
#[derive(Default)]
struct State {
    /// What each variable may be, whatever its scope.
    variables: BTreeMap<String, Value>,
    /// The parameters of each macro.
    macros: BTreeMap<String, Vec<String>>,
    escapes: Vec<Escape>,
    /// Whether this is the second pass.
    again: bool,
    work: usize,
}

impl State {
    fn note(&mut self, kind: Kind, what: impl Into<String>, line: u32) {
        let escape = Escape { kind, what: what.into(), line };
        if self.escapes.len() < MAX_ESCAPES && !self.escapes.contains(&escape) {
            self.escapes.push(escape);
        }
    }

    /// Counts what a value costs to copy.
    fn spend(&mut self, value: &Value, line: u32) -> Result<(), Broken> {
        self.work = self.work.saturating_add(value.weight());
        if self.work > MAX_WORK {
            let why = "it does more with texts than can be followed".to_owned();
            return Err(Broken { line, why });
        }
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Value) {
        match self.variables.get_mut(name) {
            Some(known) => {
                let before = self.again.then(|| known.clone());
                *known = std::mem::take(known).or(value);
                // What still grows is never known to the letter.
                known.vague |= before.is_some_and(|before| before != *known);
            }
            None => drop(self.variables.insert(name.to_owned(), value)),
        }
    }

    /// Gives a macro's parameters what a call hands them.
    fn hand(&mut self, name: &str, arguments: &Arguments, line: u32) -> Result<(), Broken> {
        let Some(parameters) = self.macros.get(name).cloned() else {
            return Ok(());
        };
        let positional = parameters.iter().map(String::as_str).zip(&arguments.positional);
        let named = arguments.named.iter().map(|(name, value)| (name.as_str(), value));
        for (parameter, value) in positional.chain(named) {
            self.spend(value, line)?;
            self.assign(parameter, value.clone());
        }
        Ok(())
    }

    fn end(mut self, broken: Option<Broken>) -> Reading {
        self.escapes.sort_unstable_by_key(|escape| (escape.line, escape.kind));
        Reading { escapes: self.escapes, broken }
    }
}
