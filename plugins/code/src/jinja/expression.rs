//! Owns the grammar of expressions, and what each may be: parsed and followed in
//! one walk, so that no tree is built. It takes all that Jinja takes, and some
//! more. Leaves what filters and methods make of values to `fold`.

use super::fold::{self, Arguments};
use super::lex::{Broken, Placed, Token};
use super::value::Value;
use super::{Kind, State, names};

/// How deep parentheses may nest. Python's own stack ends Jinja's parser at some
/// eighty; each level takes a piece of a small stack here.
const MAX_DEPTH: usize = 60;

/// The words that end the argument of a test. As variables Jinja takes them all.
const RESERVED: &[&str] = &["and", "else", "if", "in", "is", "not", "or", "recursive"];

/// Reads the tokens of one output or statement.
pub(super) struct Parser<'a> {
    tokens: &'a [Placed],
    at: usize,
    depth: usize,
    line: u32,
    pub(super) state: &'a mut State,
}

/// What a call calls.
enum Callee<'a> {
    Name(&'a str),
    Method(&'a Value, &'a str),
    Value(&'a Value),
    /// What a call or filter returned.
    Returned,
}

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Placed], line: u32, state: &'a mut State) -> Self {
        Self { tokens, at: 0, depth: 0, line, state }
    }

    pub(super) fn broken<T>(&self, why: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { line: self.line, why: why.into() })
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let placed = self.tokens.get(self.at)?;
        self.at += 1;
        self.line = placed.line;
        Some(&placed.token)
    }

    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// Passes over all that follows.
    pub(super) fn rest(&mut self) {
        self.at = self.tokens.len();
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn end(&self) -> Result<(), Broken> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.broken("more follows an expression"),
        }
    }

    pub(super) fn is(&self, operator: &str) -> bool {
        matches!(self.peek(), Some(Token::Operator(found)) if *found == operator)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found == word)
    }

    pub(super) fn skip(&mut self, operator: &str) -> bool {
        let there = self.is(operator);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let there = self.is_word(word);
        if there {
            self.next();
        }
        there
    }

    pub(super) fn expect(&mut self, operator: &str) -> Result<(), Broken> {
        if self.skip(operator) {
            return Ok(());
        }
        self.broken(format!("`{operator}` was expected"))
    }

    pub(super) fn name(&mut self) -> Result<&'a str, Broken> {
        match self.next() {
            Some(Token::Name(name)) => Ok(name),
            _ => self.broken("a name was expected"),
        }
    }

    /// Reads one or more expressions with commas between them.
    pub(super) fn tuple(&mut self) -> Result<Value, Broken> {
        let first = self.expression()?;
        if !self.is(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip(",") {
            if self.is_end() || self.is(")") || self.is("=") {
                break;
            }
            items.push(self.expression()?);
        }
        Ok(Value::list(items))
    }

    /// Reads an expression with its conditions.
    pub(super) fn expression(&mut self) -> Result<Value, Broken> {
        let mut value = self.simple()?;
        while self.skip_word("if") {
            self.simple()?;
            if self.skip_word("else") {
                value = value.or(self.simple()?);
            }
        }
        Ok(value)
    }

    /// Reads an expression that no bare condition follows.
    pub(super) fn simple(&mut self) -> Result<Value, Broken> {
        if self.depth >= MAX_DEPTH {
            return self.broken("expressions nest too deep");
        }
        self.depth += 1;
        let value = self.binary(0);
        self.depth -= 1;
        value
    }

    fn binary(&mut self, least: u8) -> Result<Value, Broken> {
        let mut left = self.operand()?;
        while let Some((operator, level)) = self.operator() {
            if level < least {
                break;
            }
            self.next();
            if operator == "not" && !self.skip_word("in") {
                return self.broken("`in` was expected");
            }
            let right = self.binary(level + 1)?;
            left = fold::binary(operator, &left, &right);
            self.state.spend(&left, self.line)?;
        }
        Ok(left)
    }

    /// Returns the operator that comes next, and how tight it binds. Levels that
    /// make no difference to what a value may be are one.
    fn operator(&self) -> Option<(&'a str, u8)> {
        match self.peek()? {
            Token::Name(word) => match word.as_str() {
                word @ ("or" | "and") => Some((word, 0)),
                word @ ("in" | "not") => Some((word, 1)),
                _ => None,
            },
            Token::Operator(operator) => match *operator {
                "==" | "!=" | "<" | ">" | "<=" | ">=" => Some((operator, 1)),
                "+" | "-" => Some((operator, 2)),
                "~" => Some((operator, 3)),
                "*" | "/" | "//" | "%" | "**" => Some((operator, 4)),
                _ => None,
            },
            _ => None,
        }
    }

    fn operand(&mut self) -> Result<Value, Broken> {
        let mut negative = false;
        loop {
            if self.skip("-") {
                negative = !negative;
            } else if !self.skip("+") && !self.skip_word("not") {
                break;
            }
        }
        let value = self.primary()?;
        let mut value = self.filters(value)?;
        if negative {
            value.number = value.number.and_then(i64::checked_neg);
        }
        Ok(value)
    }

    /// Reads a literal, a variable or parentheses, and what is fetched from it.
    fn primary(&mut self) -> Result<Value, Broken> {
        let mut returned = false;
        let value = match self.next() {
            Some(Token::Name(name)) => {
                returned = self.is("(");
                self.variable(name)?
            }
            Some(Token::Text(text)) => {
                let mut text = text.clone();
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.next();
                }
                Value::text(text)
            }
            Some(Token::Int(number)) => Value::number(*number),
            Some(Token::Float) => Value::default(),
            Some(Token::Operator("(")) => {
                let value = if self.is(")") { Value::default() } else { self.tuple()? };
                self.expect(")")?;
                value
            }
            Some(Token::Operator("[")) => {
                let mut items = Vec::new();
                while !self.skip("]") {
                    items.push(self.expression()?);
                    if !self.is("]") {
                        self.expect(",")?;
                    }
                }
                Value::list(items)
            }
            Some(Token::Operator("{")) => {
                let mut entries = Vec::new();
                while !self.skip("}") {
                    let key = self.expression()?;
                    self.expect(":")?;
                    entries.push((key, self.expression()?));
                    if !self.is("}") {
                        self.expect(",")?;
                    }
                }
                Value::mapping(entries)
            }
            _ => return self.broken("a value was expected"),
        };
        self.state.spend(&value, self.line)?;
        self.postfix(value, returned)
    }

    /// Reads a variable, or the call of a function.
    fn variable(&mut self, name: &str) -> Result<Value, Broken> {
        if names::is_internal_key(name) {
            self.state.note(Kind::Internals, name, self.line);
        }
        if self.is("(") {
            return self.call(&Callee::Name(name));
        }
        Ok(self.state.variables.get(name).cloned().unwrap_or_default())
    }

    /// Reads what is fetched from a value, or called; `returned` says that a call
    /// gave it.
    fn postfix(&mut self, mut value: Value, mut returned: bool) -> Result<Value, Broken> {
        loop {
            if self.skip(".") {
                let name = self.next();
                returned = matches!(name, Some(Token::Name(_))) && self.is("(");
                value = match name {
                    Some(Token::Name(name)) => self.attribute(&value, name)?,
                    Some(Token::Int(index)) => value.at(*index),
                    _ => return self.broken("a name was expected after `.`"),
                };
            } else if self.skip("[") {
                value = self.subscript(&value)?;
                returned = false;
            } else if self.is("(") {
                let callee = if returned { Callee::Returned } else { Callee::Value(&value) };
                value = self.call(&callee)?;
                returned = true;
            } else {
                return Ok(value);
            }
            self.state.spend(&value, self.line)?;
        }
    }

    fn attribute(&mut self, value: &Value, name: &str) -> Result<Value, Broken> {
        if names::is_internal(name) {
            self.state.note(Kind::Internals, name, self.line);
        }
        if self.is("(") {
            return self.call(&Callee::Method(value, name));
        }
        self.hands_on_format(value, name);
        Ok(value.inside())
    }

    /// Notes a text's method `format` that is not called at once: called elsewhere,
    /// it passed by the sandbox (CVE-2024-56326, CVE-2025-27516).
    fn hands_on_format(&mut self, value: &Value, name: &str) {
        if matches!(name, "format" | "format_map") && !value.texts.is_empty() {
            self.state.note(Kind::Format, format!("`{name}` of a text, handed on"), self.line);
        }
    }

    /// Reads what stands between brackets after a value.
    fn subscript(&mut self, value: &Value) -> Result<Value, Broken> {
        let mut parts: Vec<Option<Value>> = vec![None];
        let mut sliced = false;
        let mut several = false;
        while !self.skip("]") {
            if self.skip(":") {
                sliced = true;
                parts.push(None);
            } else if self.skip(",") {
                several = true;
                parts.push(None);
            } else {
                let part = self.expression()?;
                if let Some(last) = parts.last_mut() {
                    *last = Some(part);
                }
            }
        }
        let number = |index: usize| parts.get(index)?.as_ref()?.number;
        if sliced {
            let known = parts.iter().flatten().all(|part| part.number.is_some());
            if known && parts.len() <= 3 {
                return Ok(value.slice(number(0), number(1), number(2)));
            }
            return Ok(Value::fetched());
        }
        let Some(Some(key)) = parts.first() else {
            // Jinja takes `x[]`, for an empty tuple.
            return Ok(Value::fetched());
        };
        for text in &key.texts {
            if names::is_internal_key(text) {
                self.state.note(Kind::Internals, text.as_str(), self.line);
            }
            self.hands_on_format(value, text);
        }
        // A text has places, but no keys: by a text one fetches its attributes.
        if value.is_text() && !key.texts.is_empty() && !key.is_constant() {
            let what = "an attribute of a text by a name that is put together";
            self.state.note(Kind::MadeUp, what, self.line);
        }
        if let Some(index) = key.number {
            return Ok(value.at(index));
        }
        let mut inside = value.inside();
        inside.fetched |= several || !key.is_constant();
        Ok(inside)
    }

    fn filters(&mut self, mut value: Value) -> Result<Value, Broken> {
        loop {
            if self.skip("|") {
                value = self.filter(&value)?;
            } else if self.skip_word("is") {
                self.test()?;
                value = Value::default();
            } else if self.is("(") {
                // As Jinja does: `value|filter("x")("y")` calls what the filter gave.
                value = self.call(&Callee::Returned)?;
            } else if self.is(".") || self.is("[") {
                value = self.postfix(value, false)?;
            } else {
                return Ok(value);
            }
            self.state.spend(&value, self.line)?;
        }
    }

    /// Reads a filter's name and arguments, and applies it.
    pub(super) fn filter(&mut self, value: &Value) -> Result<Value, Broken> {
        let mut name = self.name()?;
        while self.skip(".") {
            name = self.name()?;
        }
        let arguments = if self.is("(") { self.arguments()? } else { Arguments::default() };
        Ok(fold::filter(self.state, value, name, &arguments, self.line))
    }

    /// Reads a test's name and arguments.
    fn test(&mut self) -> Result<(), Broken> {
        self.skip_word("not");
        // Tests may be named as words are, such as `in`.
        self.name()?;
        while self.skip(".") {
            self.name()?;
        }
        match self.peek() {
            Some(Token::Operator("(")) => drop(self.arguments()?),
            Some(Token::Operator("[" | "{") | Token::Text(_) | Token::Int(_) | Token::Float) => {
                self.primary()?;
            }
            Some(Token::Name(name)) if !RESERVED.contains(&name.as_str()) => {
                self.primary()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn call(&mut self, callee: &Callee<'_>) -> Result<Value, Broken> {
        let line = self.line;
        let arguments = self.arguments()?;
        let made_up = |state: &mut State, what: &str| state.note(Kind::MadeUp, what, line);
        Ok(match callee {
            Callee::Name(name) => {
                if self.state.variables.get(*name).is_some_and(|value| value.fetched) {
                    made_up(self.state, "a call of a variable that was fetched by such a name");
                }
                self.state.hand(name, &arguments, line)?;
                fold::function(name, &arguments)
            }
            Callee::Method(value, name) => {
                if matches!(*name, "format" | "format_map")
                    && value.texts.iter().any(|text| names::is_reaching_format(text))
                {
                    self.state.note(
                        Kind::Format,
                        format!("`{name}` with `.` or `[` in a field"),
                        line,
                    );
                }
                if value.inside().fetched && !names::is_data_method(name) {
                    made_up(
                        self.state,
                        &format!("a call of `{name}` of what was fetched by such a name"),
                    );
                }
                fold::method(value, name, &arguments)
            }
            Callee::Value(value) => {
                if value.fetched {
                    made_up(self.state, "a call of what was fetched by such a name");
                }
                Value::fetched()
            }
            Callee::Returned => {
                made_up(self.state, "a call of what a call or filter returned");
                Value::fetched()
            }
        })
    }

    /// Reads arguments in parentheses.
    pub(super) fn arguments(&mut self) -> Result<Arguments, Broken> {
        self.expect("(")?;
        let mut arguments = Arguments::default();
        while !self.skip(")") {
            if self.skip("*") || self.skip("**") {
                let value = self.expression()?;
                arguments.open = true;
                arguments.positional.push(value.inside());
            } else if let (Some(Token::Name(name)), Some(Token::Operator("="))) =
                (self.peek(), self.tokens.get(self.at + 1).map(|placed| &placed.token))
            {
                self.next();
                self.next();
                let value = self.expression()?;
                arguments.named.push((name.clone(), value));
            } else {
                arguments.positional.push(self.expression()?);
            }
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        Ok(arguments)
    }
}
