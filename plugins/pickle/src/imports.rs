//! The globals a pickle names, each judged once, with what is done with them.
//!
//! What is known of names is in `globals.rs`; calls are judged in `call.rs`.

use std::collections::BTreeMap;

use modelhost_check::{Confidence, Severity};

use crate::globals::{self, Allowed, Tier};
use crate::log::{self, Log};
use crate::settings::Settings;
use crate::text;

/// Distinct globals kept; the largest real models name some hundreds.
const IMPORTS: usize = 1 << 14;

/// One global.
#[derive(Debug)]
pub struct Import {
    /// The module as Python 3 has it.
    pub module: String,
    /// The name as Python 3 has it.
    pub name: String,
    /// What is known of it.
    pub tier: Tier,
    /// Why the settings allow it, if they do.
    pub reason: Option<String>,
    /// Where it was first named.
    offset: u64,
    /// The opcode that named it.
    opcode: &'static str,
    /// The name as the pickle has it, where that is one of Python 2.
    written: Option<String>,
    /// The first call, shown, and how many there were.
    call: Option<(String, &'static str)>,
    calls: u32,
    /// How often it was put on the stack, and how often that was for a use found harmless.
    pub pushes: u32,
    /// See `pushes`.
    pub excused: u32,
    /// How often it still lay on the stack when the run ended, used by nobody.
    pub idle: u32,
}

impl Import {
    /// Returns the full name, with control characters made visible.
    #[must_use]
    pub fn full(&self) -> String {
        let shown = text::quote(format!("{}.{}", self.module, self.name).as_bytes(), true, 200);
        shown[1..shown.len() - 1].to_owned()
    }

    /// Returns how it may be used, if it is allowed.
    #[must_use]
    pub fn allowed(&self) -> Option<Allowed> {
        match self.tier {
            Tier::Allowed(allowed) => Some(allowed),
            _ => None,
        }
    }

    /// Returns whether it is this global.
    #[must_use]
    pub fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }
}

/// The globals of one pickle.
#[derive(Debug, Default)]
pub struct Imports {
    list: Vec<Import>,
    index: BTreeMap<(String, String), u32>,
}

impl Imports {
    /// Returns the global with this number.
    #[must_use]
    pub fn get(&self, at: u32) -> &Import {
        &self.list[at as usize]
    }

    /// Returns the global with this number, to be changed.
    pub fn get_mut(&mut self, at: u32) -> &mut Import {
        &mut self.list[at as usize]
    }

    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Notes a global; `None` if there are too many.
    pub fn add(
        &mut self,
        module: &str,
        name: &str,
        offset: u64,
        opcode: &'static str,
        settings: &Settings,
    ) -> Option<u32> {
        let key = (module.to_owned(), name.to_owned());
        if let Some(&at) = self.index.get(&key) {
            self.list[at as usize].pushes += 1;
            return Some(at);
        }
        if self.list.len() >= IMPORTS {
            return None;
        }
        let new = globals::python3(module, name);
        let written = new.map(|_| format!("{module}.{name}"));
        let (module, name) = new.unwrap_or((module, name));
        let at = u32::try_from(self.list.len()).ok()?;
        self.index.insert(key, at);
        let tier = globals::judge(module, name);
        self.list.push(Import {
            tier,
            reason: if tier == Tier::Unlisted { settings.allows(module, name) } else { None },
            module: module.to_owned(),
            name: name.to_owned(),
            offset,
            opcode,
            written,
            call: None,
            calls: 0,
            pushes: 1,
            excused: 0,
            idle: 0,
        });
        Some(at)
    }

    /// Says whether a call of this global is yet to be shown.
    #[must_use]
    pub fn unshown(&self, at: u32) -> bool {
        self.list[at as usize].call.is_none()
    }

    /// Notes a call of a global that isn't allowed; the first is shown.
    pub fn called(&mut self, at: u32, opcode: &'static str, shown: Option<String>) {
        let import = &mut self.list[at as usize];
        import.calls = import.calls.saturating_add(1);
        if let Some(shown) = shown {
            import.call = Some((shown, opcode));
        }
    }

    /// Writes a finding for each global that isn't allowed.
    pub fn report(&self, member: &str, log: &mut Log) {
        for import in &self.list {
            import.report(member, log);
        }
    }

    /// Returns whether any global is known to do harm.
    #[must_use]
    pub fn dangerous(&self) -> bool {
        self.list.iter().any(|import| matches!(import.tier, Tier::Dangerous(_)))
    }
}

impl Import {
    fn report(&self, member: &str, log: &mut Log) {
        let full = self.full();
        let written =
            self.written.as_ref().map_or(String::new(), |old| format!(" (written as `{old}`)"));
        let more = if self.calls > 1 {
            format!(", and {} times more", self.calls - 1)
        } else {
            String::new()
        };
        let does = match &self.call {
            Some((call, opcode)) => {
                format!("calls `{call}` when unpickled ({opcode}{more}){written}")
            }
            None => format!(
                "imports `{full}` when unpickled ({}){written}, and calls it nowhere in this pickle",
                self.opcode
            ),
        };
        let dotted = self.name.contains('.');
        let (rule, severity, why) = match self.tier {
            Tier::Allowed(allowed)
                if matches!(
                    allowed.arguments,
                    "!torch-bytes"
                        | "!import"
                        | "!newobj"
                        | "!rebuild"
                        | "!reconstructor"
                        | "!ctor"
                ) && self.pushes > self.excused.saturating_add(self.idle) =>
            {
                let message = format!(
                    "names `{full}` without calling it ({}): what it is handed to calls it with arguments that can't be told",
                    self.opcode
                );
                log.add(log::UNSAFE_CALL, member, self.offset, message);
                return;
            }
            Tier::Allowed(_) => return,
            Tier::Dangerous(_) if self.pushes == self.excused => return,
            Tier::Dangerous(effect) if !dotted => {
                (log::DANGEROUS_GLOBAL, Severity::Critical, format!("it {effect}"))
            }
            _ if dotted => match globals::reaches(&self.module, &self.name) {
                Some(effect) => {
                    let why = format!(
                        "`{}` walks attributes through `{}` to something that {effect}",
                        self.name, self.module
                    );
                    (log::DOTTED_GLOBAL, Severity::Critical, why)
                }
                None => (
                    log::DOTTED_GLOBAL,
                    Severity::High,
                    "a name with dots walks attributes to where no list can follow".to_owned(),
                ),
            },
            _ => match &self.reason {
                Some(reason) => {
                    let message = format!("{does}; the settings allow it: {reason}");
                    log.add(log::ALLOWED_BY_SETTINGS, member, self.offset, message);
                    return;
                }
                None => (
                    log::UNSAFE_GLOBAL,
                    Severity::High,
                    "it is not among the imports known to be safe, and can't be shown safe"
                        .to_owned(),
                ),
            },
        };
        log.add_as(rule, severity, Confidence::High, member, self.offset, format!("{does}: {why}"));
    }
}
