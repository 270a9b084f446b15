//! Shows abstract values as Python would write them, for the messages of findings.
//!
//! What is known of values is in `heap.rs`; nothing is judged here.

use crate::heap::Heap;
use crate::text;
use crate::value::{Kind, Value};

/// How deep values are shown within values.
const SHOWN_DEPTH: usize = 6;
/// How long a shown value gets: findings hold 4,096 bytes.
const SHOWN_LENGTH: usize = 600;

impl Heap {
    /// Shows a value as Python would write it, as far as it is known; `names` shows globals.
    #[must_use]
    pub fn show(&self, value: Value, names: &dyn Fn(u32) -> String) -> String {
        let mut out = String::new();
        self.show_into(&mut out, value, names, 0);
        out
    }

    /// Shows the arguments of a call, in parentheses.
    #[must_use]
    pub fn show_arguments(&self, arguments: Value, names: &dyn Fn(u32) -> String) -> String {
        let mut out = String::new();
        self.arguments_into(&mut out, arguments, names, 0);
        out
    }

    fn arguments_into(
        &self,
        out: &mut String,
        arguments: Value,
        names: &dyn Fn(u32) -> String,
        depth: usize,
    ) {
        out.push('(');
        match self.items(arguments) {
            Some((Kind::Tuple, count, items)) => self.list_into(out, count, items, names, depth),
            _ => {
                out.push('*');
                self.show_into(out, arguments, names, depth + 1);
            }
        }
        out.push(')');
    }

    fn list_into(
        &self,
        out: &mut String,
        count: u32,
        items: &[Value],
        names: &dyn Fn(u32) -> String,
        depth: usize,
    ) {
        for (n, &item) in items.iter().enumerate() {
            if n > 0 {
                out.push_str(", ");
            }
            self.show_into(out, item, names, depth + 1);
        }
        if count as usize > items.len() {
            out.push_str(if items.is_empty() { "…" } else { ", …" });
        }
    }

    fn show_into(
        &self,
        out: &mut String,
        value: Value,
        names: &dyn Fn(u32) -> String,
        depth: usize,
    ) {
        if out.len() > SHOWN_LENGTH || depth > SHOWN_DEPTH {
            if !out.ends_with('…') {
                out.push('…');
            }
            return;
        }
        match value {
            Value::None => out.push_str("None"),
            Value::Bool(b) => out.push_str(if b { "True" } else { "False" }),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Wide(_) => out.push_str(&self.as_int(value).unwrap_or_default().to_string()),
            Value::Huge => out.push_str("<integer>"),
            Value::Magic => out.push_str("<magic number>"),
            Value::Float => out.push_str("<float>"),
            Value::Text(at) => {
                let (text, whole) = self.kept_text(at);
                out.push_str(&text::quote(text, whole, 200));
            }
            Value::LostText(_) => out.push_str("<string>"),
            Value::Bytes(at) => {
                let (head, length) = self.kept_bytes(at);
                if head.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
                    out.push('b');
                    out.push_str(&text::quote(head, head.len() as u64 == length, 64));
                } else {
                    out.push_str(&format!("<{length} bytes>"));
                }
            }
            Value::LostBytes => out.push_str("<bytes>"),
            Value::Global(at) => out.push_str(&names(at)),
            Value::Instance(at) => {
                out.push_str(&names(at));
                out.push_str("(…)");
            }
            Value::Node(_) => {
                let (kind, count, items) = self.items(value).expect("a node has items");
                let (open, close) = match kind {
                    Kind::Tuple => ("(", if count == 1 { ",)" } else { ")" }),
                    Kind::List => ("[", "]"),
                    Kind::Set => ("{", "}"),
                    Kind::Dict => {
                        out.push('{');
                        for (n, pair) in items.chunks_exact(2).enumerate() {
                            if n > 0 {
                                out.push_str(", ");
                            }
                            self.show_into(out, pair[0], names, depth + 1);
                            out.push_str(": ");
                            self.show_into(out, pair[1], names, depth + 1);
                        }
                        out.push_str(if count as usize > items.len() { ", …}" } else { "}" });
                        return;
                    }
                    Kind::Call => {
                        self.show_into(out, items[0], names, depth + 1);
                        self.arguments_into(out, items[1], names, depth + 1);
                        return;
                    }
                };
                out.push_str(open);
                self.list_into(out, count, items, names, depth);
                out.push_str(close);
            }
            Value::Lost(_) | Value::Shape(_) | Value::Forgotten => out.push('…'),
            Value::Dtype(_) => out.push_str("<dtype>"),
            Value::Attribute => out.push_str("<attribute>"),
            Value::Persistent => out.push_str("<persistent object>"),
            Value::Buffer => out.push_str("<buffer>"),
            Value::Extension => out.push_str("<extension>"),
        }
    }
}
