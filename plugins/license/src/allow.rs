//! Owns the entries of `allow` in the settings: single licenses, and expressions of
//! several. Leaves the lists that deny, and the judging of a model, to `policy`.

use spdx::LicenseReq;
use spdx::expression::{ExprNode, Operator};

use crate::ids::{self, Expression};

/// How many ways one entry may leave to comply with it. Each is tried, and real
/// expressions leave two or three.
pub const MAX_WAYS: usize = 64;
/// How many licenses all ways of an entry may name together.
const MAX_LICENSES: usize = 1024;

/// One way to comply with an entry: all of these licenses.
pub type Way = Vec<LicenseReq>;

/// An entry of several licenses.
#[derive(Debug)]
pub struct Compound {
    /// The expression.
    pub text: String,
    /// The ways that it leaves.
    pub ways: Vec<Way>,
}

impl Compound {
    /// Tells whether a license is part of the entry.
    pub fn names(&self, license: &LicenseReq) -> bool {
        self.ways.iter().flatten().any(|own| ids::suffices(own, license))
    }
}

/// What is allowed by name.
#[derive(Debug, Default)]
pub struct Allowed {
    /// Single licenses.
    pub single: Vec<LicenseReq>,
    /// Expressions of several.
    pub compound: Vec<Compound>,
}

impl Allowed {
    /// Adds an entry.
    ///
    /// # Errors
    /// Why it can't be used, as the end of a sentence about it.
    pub fn add(&mut self, entry: &Expression) -> Result<(), String> {
        match entry.single() {
            Some(license) => self.single.push(license),
            None => {
                let ways = ways(entry).ok_or_else(|| {
                    format!("leaves more than {MAX_WAYS} choices; list what is meant one by one")
                })?;
                self.compound.push(Compound { text: entry.text().to_owned(), ways });
            }
        }
        Ok(())
    }

    /// Tells whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.single.is_empty() && self.compound.is_empty()
    }
}

/// Returns the ways to comply with an expression; none where there are too many.
fn ways(entry: &Expression) -> Option<Vec<Way>> {
    let mut open: Vec<Vec<Way>> = Vec::new();
    for node in entry.nodes() {
        let ways = match node {
            ExprNode::Req(license) => vec![vec![license.req.clone()]],
            ExprNode::Op(operator) => {
                let (right, left) = (open.pop()?, open.pop()?);
                match operator {
                    Operator::Or => left.into_iter().chain(right).collect(),
                    Operator::And if left.len() * right.len() > MAX_WAYS => return None,
                    Operator::And => {
                        let both = |one: &Way| {
                            right.iter().map(|other| [&one[..], other].concat()).collect::<Vec<_>>()
                        };
                        left.iter().flat_map(both).collect::<Vec<_>>()
                    }
                }
            }
        };
        let licenses: usize = ways.iter().map(Vec::len).sum();
        if ways.len() > MAX_WAYS || licenses > MAX_LICENSES {
            return None;
        }
        open.push(ways);
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let entry = Expression::parse(text).expect("an expression");
        let show = |way: &Way| way.iter().map(ToString::to_string).collect::<Vec<_>>().join("+");
        ways(&entry).map_or("too many".to_owned(), |ways| {
            ways.iter().map(show).collect::<Vec<_>>().join(" ")
        })
    }

    #[test]
    fn ways_to_comply() {
        let wide = ["(MIT OR Zlib)"; 6].join(" AND ");
        let wider = ["(MIT OR Zlib)"; 7].join(" AND ");
        let rows = [
            ("MIT OR Zlib", "MIT Zlib"),
            ("MIT AND Zlib", "MIT+Zlib"),
            ("(MIT OR Zlib) AND ISC", "MIT+ISC Zlib+ISC"),
            ("MIT OR Zlib AND ISC", "MIT Zlib+ISC"),
            (&wider, "too many"),
        ];
        for (text, expected) in rows {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(shown(&wide).split(' ').count(), 64);
        let sum = ["MIT"; 1000].join(" AND ");
        assert_eq!(shown(&sum).split('+').count(), 1000);
        assert_eq!(shown(&["MIT"; 65].join(" OR ")), "too many");
        assert_eq!(shown(&["MIT"; 2000].join(" AND ")), "too many");
    }
}
