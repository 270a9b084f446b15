//! Owns what is known of licenses: the class each belongs to, and the facts that
//! matter to whoever uses a model. Leaves names to `ids`, and what a policy makes
//! of them to `policy`.

use spdx::expression::{ExprNode, Operator};
use spdx::{LicenseItem, LicenseReq};

use crate::ids::{self, Expression};

/// The classes of SPDX's licenses.
const CLASSES: &str = include_str!("classes.tsv");
/// Licenses whose terms reach those who use them over a network.
const NETWORK: &[&str] = &["AGPL-", "SSPL-", "OSL-", "EUPL-", "CPAL-", "RPL-", "CAL-"];

/// What kind of license it is, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Few conditions: notices, names.
    Permissive,
    /// Copyleft of parts: of files, or of a library.
    WeakCopyleft,
    /// Derived works come under the same terms; for works other than software.
    ShareAlike,
    /// Derived works come under the same terms.
    Copyleft,
    /// Some uses are forbidden, or users of some size.
    UseRestricted,
    /// No derived works.
    NoDerivatives,
    /// No commercial use.
    NonCommercial,
    /// Research, and nothing else.
    ResearchOnly,
    /// Nothing is known of it.
    Unknown,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 9] = [
        Self::Permissive,
        Self::WeakCopyleft,
        Self::ShareAlike,
        Self::Copyleft,
        Self::UseRestricted,
        Self::NoDerivatives,
        Self::NonCommercial,
        Self::ResearchOnly,
        Self::Unknown,
    ];

    /// Returns the name that policies use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::WeakCopyleft => "weak-copyleft",
            Self::ShareAlike => "share-alike",
            Self::Copyleft => "copyleft",
            Self::UseRestricted => "use-restricted",
            Self::NoDerivatives => "no-derivatives",
            Self::NonCommercial => "non-commercial",
            Self::ResearchOnly => "research-only",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// The facts, each with its bit and its name: each takes something away.
const FACTS: [(u16, &str); 8] = [
    (1, "non-commercial"),
    (2, "research-only"),
    (4, "no-derivatives"),
    (8, "share-alike"),
    (16, "network-copyleft"),
    (32, "use-restrictions"),
    (64, "flow-down"),
    (128, "user-cap"),
];

/// What a license takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts(u16);

impl Facts {
    /// That its terms must be passed on.
    pub const FLOW_DOWN: Self = Self(64);

    /// Returns the fact of that name.
    pub fn named(name: &str) -> Option<Self> {
        FACTS.iter().find(|(_, known)| *known == name).map(|(bit, _)| Self(*bit))
    }

    /// Returns the facts of either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the facts of both.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the facts that the other does not have.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Tells whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns their names, parted by commas.
    pub fn names(self) -> String {
        let held = FACTS.iter().filter(|(bit, _)| self.0 & bit != 0);
        held.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// What is known of a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its class.
    pub class: Class,
    /// What it takes away; nothing is known where the class is unknown.
    pub facts: Facts,
}

impl Profile {
    /// Returns what is known of one license.
    pub fn of(license: &LicenseReq) -> Self {
        match &license.license {
            LicenseItem::Spdx { id, .. } => Self::spdx(id.name),
            LicenseItem::Other(_) => {
                let row = ids::model_license(&license.license.to_string());
                let class = row.as_ref().and_then(|row| Class::named(row.class));
                let facts = row.map(|row| row.facts).unwrap_or_default();
                let facts = facts.split(',').filter_map(Facts::named);
                let facts = facts.fold(Facts::default(), Facts::and);
                Self { class: class.unwrap_or(Class::Unknown), facts }
            }
        }
    }

    fn spdx(id: &str) -> Self {
        let rows = CLASSES.lines().filter(|line| !line.starts_with('#'));
        let holds = |line: &&str| {
            line.split_once('\t').is_some_and(|(_, ids)| ids.split(' ').any(|own| own == id))
        };
        let class = rows.into_iter().find(holds).and_then(|line| line.split_once('\t'));
        let class = class.and_then(|(name, _)| Class::named(name)).unwrap_or(Class::Unknown);
        let named = |name: &str| Facts::named(name).unwrap_or_default();
        let mut facts = match class {
            Class::Permissive | Class::Unknown => Facts::default(),
            Class::WeakCopyleft | Class::ShareAlike | Class::Copyleft => named("share-alike"),
            Class::UseRestricted => named("use-restrictions"),
            Class::NoDerivatives => named("no-derivatives"),
            Class::NonCommercial => named("non-commercial"),
            Class::ResearchOnly => named("non-commercial").and(named("research-only")),
        };
        for (part, fact) in [("-ND", "no-derivatives"), ("-SA", "share-alike")] {
            if id.starts_with("CC-BY") && id.contains(part) {
                facts = facts.and(named(fact));
            }
        }
        if NETWORK.iter().any(|network| id.starts_with(network)) {
            facts = facts.and(named("network-copyleft")).and(named("share-alike"));
        }
        Self { class, facts }
    }

    /// Returns what is known of an expression: of a sum all that its parts take
    /// away, of a choice only what each of them does.
    pub fn of_all(license: &Expression) -> Self {
        let mut stack: Vec<Self> = Vec::new();
        for node in license.nodes() {
            let value = match node {
                ExprNode::Req(part) => Self::of(&part.req),
                ExprNode::Op(operator) => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        break;
                    };
                    match operator {
                        Operator::And => Self {
                            class: left.class.max(right.class),
                            facts: left.facts.and(right.facts),
                        },
                        Operator::Or => Self {
                            class: left.class.min(right.class),
                            facts: left.facts.common(right.facts),
                        },
                    }
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap_or(Self { class: Class::Unknown, facts: Facts::default() })
    }
}
