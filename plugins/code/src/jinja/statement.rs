//! Owns the statements of a template: which there are, and which variables they
//! set. Whether each that opens is closed is left to the loader, since a template
//! that does not load does nothing.

use super::expression::Parser;
use super::lex::{Broken, Lexer, Piece};
use super::value::Value;
use super::{Kind, State};

/// Reads a whole template.
pub(super) fn template(template: &str, state: &mut State) -> Result<(), Broken> {
    let mut lexer = Lexer::new(template);
    // `{% set x %}` whose text comes next.
    let mut open: Option<Block> = None;
    while let Some(piece) = lexer.piece()? {
        match piece {
            Piece::Data(text) => {
                if let Some(block) = &mut open {
                    block.value = block.value.then(&Value::text(text));
                }
            }
            Piece::Output(tokens, line) => {
                let mut parser = Parser::new(&tokens, line, state);
                let value = parser.tuple()?;
                parser.end()?;
                if let Some(block) = &mut open {
                    block.value = block.value.then(&value);
                }
            }
            Piece::Statement(tokens, line) => {
                let mut parser = Parser::new(&tokens, line, state);
                let word = parser.name()?;
                let value = open.take_if(|_| word == "endset");
                if let Some(block) = value {
                    parser.state.assign(&block.name, block.value);
                }
                if let Some(name) = statement(&mut parser, word)? {
                    let value = Value::text("");
                    open = Some(Block { name, value });
                }
            }
        }
    }
    Ok(())
}

/// A `set` with text in place of an expression. What branches inside it write is
/// joined as if all of them did, in their order.
struct Block {
    name: String,
    value: Value,
}

/// Reads a statement after its word; returns the variable that the text up to the
/// `endset` goes to.
fn statement(parser: &mut Parser<'_>, word: &str) -> Result<Option<String>, Broken> {
    match word {
        "if" | "elif" | "do" | "print" | "autoescape" => drop(parser.tuple()?),
        "for" => repeat(parser)?,
        "set" => return set(parser),
        "with" => {
            while !parser.is_end() {
                let name = parser.name()?;
                parser.expect("=")?;
                let value = parser.expression()?;
                parser.state.assign(name, value);
                if !parser.is_end() {
                    parser.expect(",")?;
                }
            }
        }
        "macro" => {
            let name = parser.name()?.to_owned();
            let parameters = signature(parser)?;
            parser.state.macros.insert(name, parameters);
        }
        "call" => {
            if parser.is("(") {
                // The macro hands these to `caller`.
                let parameters = signature(parser)?;
                parser.state.macros.insert("caller".to_owned(), parameters);
            }
            parser.expression()?;
        }
        "filter" => {
            filter_chain(parser)?;
        }
        "block" => {
            parser.name()?;
            while parser.skip_word("scoped") || parser.skip_word("required") {}
        }
        "include" | "import" | "from" | "extends" => {
            let line = parser.line();
            parser.state.note(Kind::Other, word, line);
            parser.rest();
        }
        "trans" | "pluralize" => translated(parser)?,
        "endblock" => parser.rest(),
        "else" | "endif" | "endfor" | "endset" | "endwith" | "endmacro" | "endcall"
        | "endfilter" | "endautoescape" | "endtrans" | "generation" | "endgeneration" | "break"
        | "continue" | "debug" => {}
        _ => return parser.broken(format!("`{word}` is no statement of chat templates")),
    }
    // As in Python, which Jinja allows.
    parser.skip(":");
    parser.end()?;
    Ok(None)
}

fn repeat(parser: &mut Parser<'_>) -> Result<(), Broken> {
    let names = targets(parser)?;
    if !parser.skip_word("in") {
        return parser.broken("`in` was expected");
    }
    let mut value = parser.simple()?;
    if parser.is(",") {
        let mut items = vec![value];
        while parser.skip(",") {
            if parser.is_end() {
                break;
            }
            items.push(parser.simple()?);
        }
        value = Value::list(items);
    }
    let mut item = value.item();
    if value.items.is_empty() {
        // The characters of a text, one after the other.
        let characters = value.texts.iter().flat_map(|text| text.chars());
        item = item.or(Value::texts(characters.map(String::from)));
    }
    // Of several names each may get what an item holds.
    let given = if names.len() > 1 { item.clone().or(item.inside()) } else { item };
    for target in &names {
        target.give(parser.state, given.clone());
    }
    if parser.skip_word("if") {
        parser.expression()?;
    }
    parser.skip_word("recursive");
    Ok(())
}

/// What is assigned to: a variable, or something in a namespace.
struct Target<'a> {
    name: &'a str,
    inside: bool,
}

impl Target<'_> {
    fn give(&self, state: &mut State, value: Value) {
        if self.inside {
            let again = state.again;
            let known = state.variables.entry(self.name.to_owned()).or_default();
            let before = known.held.clone();
            known.hold(value);
            // What still grows is never known to the letter.
            if again
                && known.held != before
                && let Some(held) = &mut known.held
            {
                held.vague = true;
            }
        } else {
            state.assign(self.name, value);
        }
    }
}

/// Reads the names that are assigned to.
fn targets<'a>(parser: &mut Parser<'a>) -> Result<Vec<Target<'a>>, Broken> {
    let mut names = Vec::new();
    loop {
        if parser.skip("(")
            || parser.skip("[")
            || parser.skip(")")
            || parser.skip("]")
            || parser.skip(",")
        {
            continue;
        }
        let ends = parser.is_end() || parser.is("=") || parser.is("|") || parser.is_word("in");
        if ends && !names.is_empty() {
            return Ok(names);
        }
        let name = parser.name()?;
        let mut inside = false;
        while parser.skip(".") {
            parser.name()?;
            inside = true;
        }
        names.push(Target { name, inside });
    }
}

fn set(parser: &mut Parser<'_>) -> Result<Option<String>, Broken> {
    let names = targets(parser)?;
    if parser.skip("=") {
        let value = parser.tuple()?;
        parser.end()?;
        let given = if names.len() > 1 { value.inside() } else { value };
        for target in &names {
            target.give(parser.state, given.clone());
        }
        return Ok(None);
    }
    if parser.skip("|") {
        filter_chain(parser)?;
    }
    parser.end()?;
    Ok(names.first().map(|target| target.name.to_owned()))
}

/// Reads filters of a text of which nothing is known.
fn filter_chain(parser: &mut Parser<'_>) -> Result<(), Broken> {
    let mut value = parser.filter(&Value::default())?;
    while parser.skip("|") {
        value = parser.filter(&value)?;
    }
    Ok(())
}

/// Reads the parameters of a macro, each with what it is by default.
fn signature(parser: &mut Parser<'_>) -> Result<Vec<String>, Broken> {
    parser.expect("(")?;
    let mut parameters = Vec::new();
    while !parser.skip(")") {
        let name = parser.name()?;
        if parser.skip("=") {
            let value = parser.expression()?;
            parser.state.assign(name, value);
        }
        parameters.push(name.to_owned());
        if !parser.is(")") {
            parser.expect(",")?;
        }
    }
    Ok(parameters)
}

fn translated(parser: &mut Parser<'_>) -> Result<(), Broken> {
    while !parser.is_end() {
        if parser.skip(",") {
            continue;
        }
        parser.name()?;
        if parser.skip("=") {
            parser.expression()?;
        }
    }
    Ok(())
}
