//! How much of the machine the tasks of one plugin may use: which limits there
//! are ([`Limit`]), their values ([`Limits`]), and values asked for
//! ([`LimitsAsked`]).
//!
//! One table holds them all: what a limit is called, what it is counted in, what
//! it is where nobody says otherwise, and how far the policy may set it. Leaves
//! enforcing them to `engine` and `worker`, and deciding them to `policy`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::unit::Unit;

/// A value of a limit, in the form in which [`Limits`] holds it.
trait Amount: Copy {
    fn read(amount: u64) -> Self;
    fn amount(self) -> u64;
}

impl Amount for u64 {
    fn read(amount: u64) -> Self {
        amount
    }

    fn amount(self) -> u64 {
        self
    }
}

impl Amount for u32 {
    fn read(amount: u64) -> Self {
        Self::try_from(amount).unwrap_or(Self::MAX)
    }

    fn amount(self) -> u64 {
        u64::from(self)
    }
}

impl Amount for Duration {
    fn read(amount: u64) -> Self {
        Self::from_millis(amount)
    }

    fn amount(self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Makes the enumeration, the values and the table of them from one list: the
/// limit, its field and the type of it, its name, what it is counted in, its
/// default, and the least and the most that the policy may set.
macro_rules! limits {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident $field:ident: $kind:ty = $name:literal, $unit:ident, $default:expr, $least:expr, $most:expr;
    )+) => {
        /// A limit. Every bound holds for one task, but for those on the
        /// component itself; sums go over all memories, tables and calls of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit {
            $( $(#[doc = $doc])+ $variant, )+
        }

        /// How much of the machine the tasks of one plugin may use.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $( $(#[doc = $doc])+ pub $field: $kind, )+
        }

        impl Limit {
            /// All limits, in the order in which they are told.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The names of all limits.
            pub const NAMES: &[&str] = &[$($name),+];

            /// Returns the limit's key in the policy and in a manifest.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// Returns the code of a failure at this limit: `limit/` and its name.
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => concat!("limit/", $name), )+ }
            }

            /// Returns what it bounds, in a sentence or two.
            pub const fn description(self) -> &'static str {
                match self { $( Self::$variant => concat!($($doc),+).trim_ascii(), )+ }
            }

            /// Returns what it is counted in.
            pub const fn unit(self) -> Unit {
                match self { $( Self::$variant => Unit::$unit, )+ }
            }

            /// Returns its value where nobody says otherwise.
            pub const fn default(self) -> u64 {
                match self { $( Self::$variant => $default, )+ }
            }

            /// Returns how far the policy may set it: below, nothing could run;
            /// above, it would bound nothing on any machine that gates models.
            pub const fn bounds(self) -> RangeInclusive<u64> {
                match self { $( Self::$variant => $least..=$most, )+ }
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $( $field: Amount::read($default), )+ }
            }
        }

        impl Limits {
            /// Returns the value of `limit`.
            pub fn get(&self, limit: Limit) -> u64 {
                match limit { $( Limit::$variant => self.$field.amount(), )+ }
            }

            /// Sets `limit`.
            pub fn set(&mut self, limit: Limit, amount: u64) {
                match limit { $( Limit::$variant => self.$field = Amount::read(amount), )+ }
            }
        }
    };
}

/// A day, in milliseconds: longer than any gate waits.
const DAY: u64 = 24 * 3_600_000;

limits! {
    /// Fuel, roughly one unit an instruction, whatever the size of the files.
    Fuel fuel: u64 = "fuel", Count, 5_000_000_000, 1, 1_000_000_000_000_000;
    /// Fuel added for each byte of the files.
    FuelPerByte fuel_per_byte: u64 = "fuel-per-byte", Count, 100, 0, 1_000_000;
    /// Wall time, whatever the size of the files.
    Deadline deadline: Duration = "deadline", Time, 30_000, 1, DAY;
    /// Wall time added for each GiB of the files.
    DeadlinePerGib deadline_per_gib: Duration = "deadline-per-gib", Time, 10_000, 0, DAY;
    /// Bytes over all linear memories; from one page to what 32 bits address.
    Memory memory: u64 = "memory", Bytes, 256 << 20, 64 << 10, 4 << 30;
    /// Elements over all tables.
    TableElements table_elements: u64 = "table-elements", Count, 100_000, 1, 10_000_000;
    /// Core and component instances; as many memories, and as many tables.
    Instances instances: u32 = "instances", Count, 64, 1, 10_000;
    /// Bytes of the stack; a thread has 8 MiB, and the host needs some of them.
    Stack stack: u64 = "stack", Bytes, 512 << 10, 64 << 10, 2 << 20;
    /// Bytes of the component's file; its default is the most that is read.
    ComponentSize component_size: u64 = "component-size", Bytes, 64 << 20, 1 << 10, 64 << 20;
    /// Processor time of compiling the component; twice that on the wall.
    CompileTime compile_time: Duration = "compile-time", Time, 60_000, 1000, 3_600_000;
    /// Bytes of memory of compiling the component.
    CompileMemory compile_memory: u64 = "compile-memory", Bytes, 1 << 30, 32 << 20, 16 << 30;
    /// Calls into the host; a view adds one for each 4 KiB and 16 for each file.
    HostCalls host_calls: u64 = "host-calls", Count, 1_000_000, 1, 1_000_000_000_000;
    /// Bytes handed to the host in one call: all that an answer within its
    /// bounds can be, many times over.
    CallBytes call_bytes: u64 = "call-bytes", Bytes, 8 << 20, 64 << 10, 64 << 20;
    /// Handles alive at once.
    Handles handles: u32 = "handles", Count, 1024, 1, 1_000_000;
    /// Bytes read or digested, each time counted; a view adds 64 times its size.
    BytesRead bytes_read: u64 = "bytes-read", Bytes, 1 << 30, 64 << 10, 1 << 50;
    /// Findings in the answer.
    Findings findings: u32 = "findings", Count, 1000, 1, 100_000;
    /// Bytes of one text in the answer.
    Text text: u32 = "text", Bytes, 4096, 1 << 10, 64 << 10;
    /// Facts in the answer.
    Facts facts: u32 = "facts", Count, 256, 0, 10_000;
    /// Log lines; those past it are counted and dropped.
    LogLines log_lines: u32 = "log-lines", Count, 1000, 0, 1_000_000;
}

/// How many times its default a plugin's manifest may ask of a limit; beyond
/// it the policy must say so.
pub const MAX_ASK: u64 = 10;

/// How many host calls a view adds for each of its files.
const CALLS_PER_FILE: u64 = 16;

/// How many bytes of a view add one host call.
const BYTES_PER_CALL: u64 = 4096;

/// How many times a task may read its view, beside the limit.
const READINGS: u64 = 64;

impl Limit {
    /// Returns the limit called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// Returns its key in JSON, where times are milliseconds.
    pub fn json_name(self) -> String {
        let unit = if self.unit() == Unit::Time { "_ms" } else { "" };
        self.name().replace('-', "_") + unit
    }

    /// Returns the most that a manifest may ask for without a word of the
    /// policy.
    pub fn most_asked(self) -> u64 {
        self.default().saturating_mul(MAX_ASK).min(*self.bounds().end())
    }

    /// Says from where to where its values go.
    pub fn range(self) -> String {
        let (unit, bounds) = (self.unit(), self.bounds());
        format!("from {} to {}", unit.write(*bounds.start()), unit.write(*bounds.end()))
    }

    /// Says how a value is written, and from where to where it goes.
    pub fn form(self) -> String {
        let example = match self.unit() {
            Unit::Count => "",
            Unit::Bytes => "write it like `512KiB`, `512MiB` or `2GiB`, ",
            Unit::Time => "write it like `500ms`, `60s`, `5m` or `1h`, ",
        };
        format!("{example}{}", self.range())
    }

    /// Returns the line of the policy that gives `plugin` twice `value`, as far
    /// as the policy may; none where it may not.
    pub fn raised(self, plugin: &str, value: u64) -> Option<String> {
        let most = *self.bounds().end();
        let more = value.saturating_mul(2).clamp(1, most);
        (more > value).then(|| {
            format!("[plugin.{plugin}] limits = {{ {} = {} }}", self.name(), self.unit().toml(more))
        })
    }
}

impl Limits {
    /// Returns the fuel of a task whose view has `size` bytes.
    pub const fn task_fuel(&self, size: u64) -> u64 {
        self.fuel.saturating_add(self.fuel_per_byte.saturating_mul(size))
    }

    /// Returns the wall time of a task whose view has `size` bytes.
    pub fn task_deadline(&self, size: u64) -> Duration {
        let per_mib = self.deadline_per_gib / 1024;
        let mib = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        self.deadline.saturating_add(per_mib.saturating_mul(mib))
    }

    /// Returns the host calls of a task whose view has `files` files of `size`
    /// bytes together.
    pub const fn task_host_calls(&self, size: u64, files: u64) -> u64 {
        self.host_calls
            .saturating_add(size / BYTES_PER_CALL)
            .saturating_add(files.saturating_mul(CALLS_PER_FILE))
    }

    /// Returns how many bytes a task may read or digest whose view has `size`
    /// bytes.
    pub const fn task_bytes_read(&self, size: u64) -> u64 {
        self.bytes_read.saturating_add(size.saturating_mul(READINGS))
    }

    /// Returns how long compiling may take on the wall, on machines that are
    /// busy otherwise.
    pub fn compile_wall(&self) -> Duration {
        self.compile_time.saturating_mul(2)
    }

    /// Returns the limit to raise where a task whose view has `size` bytes came
    /// to `limit`: the one for each byte where most of it comes from there.
    pub fn to_raise(&self, limit: Limit, size: u64) -> Limit {
        match limit {
            Limit::Fuel if self.fuel_per_byte.saturating_mul(size) > self.fuel => {
                Limit::FuelPerByte
            }
            Limit::Deadline if self.task_deadline(size) > self.deadline.saturating_mul(2) => {
                Limit::DeadlinePerGib
            }
            other => other,
        }
    }
}

/// Values for some of the limits, as a manifest or the policy asks for them;
/// absent means that it has nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsAsked(BTreeMap<Limit, u64>);

impl LimitsAsked {
    /// Returns the value that is asked of `limit`.
    pub fn get(&self, limit: Limit) -> Option<u64> {
        self.0.get(&limit).copied()
    }

    /// Asks for `amount` of `limit`.
    pub fn set(&mut self, limit: Limit, amount: u64) {
        self.0.insert(limit, amount);
    }

    /// Returns what is asked for, in the order of [`Limit::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        self.0.iter().map(|(limit, amount)| (*limit, *amount))
    }

    /// Returns whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first limit that is asked for beyond [`MAX_ASK`] times its
    /// default, which only the policy may give.
    pub fn excess(&self) -> Option<Limit> {
        self.iter().find(|(limit, amount)| *amount > limit.most_asked()).map(|(limit, _)| limit)
    }

    /// Returns what is asked for that `other` does not ask for.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.iter().filter(|(limit, _)| other.get(*limit).is_none()).collect())
    }

    /// Sets what is asked for in `limits`.
    pub fn apply(&self, limits: &mut Limits) {
        for (limit, amount) in self.iter() {
            limits.set(limit, amount);
        }
    }
}

impl FromIterator<(Limit, u64)> for LimitsAsked {
    fn from_iter<I: IntoIterator<Item = (Limit, u64)>>(asked: I) -> Self {
        Self(asked.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_together() {
        let mut limits = Limits::default();
        for limit in Limit::ALL {
            let name = limit.name();
            assert_eq!(Limit::named(name), Some(limit));
            assert_eq!(limit.code(), format!("limit/{name}"));
            assert!(limit.bounds().contains(&limit.default()), "{name}");
            assert!(limit.bounds().contains(&limit.most_asked()), "{name}");
            assert_eq!(limits.get(limit), limit.default(), "{name}");
            // A value at either bound is held as it is, and written as it is read.
            for amount in [*limit.bounds().start(), *limit.bounds().end()] {
                limits.set(limit, amount);
                assert_eq!(limits.get(limit), amount, "{name}");
                let unit = limit.unit();
                assert_eq!(unit.parse(&unit.write(amount)), Some(amount), "{name}");
            }
            assert!(limit.description().ends_with('.'), "{name}");
        }
        assert_eq!(Limit::named("fuel_per_byte"), None);
        assert_eq!(Limit::Deadline.json_name(), "deadline_ms");
        assert_eq!(Limit::FuelPerByte.json_name(), "fuel_per_byte");
    }

    #[test]
    fn limits_grow_with_the_view_and_saturate() {
        let limits = Limits::default();
        assert_eq!(limits.task_fuel(1 << 30), 5_000_000_000 + 100 * (1 << 30));
        assert_eq!(limits.task_fuel(u64::MAX), u64::MAX);
        assert_eq!(limits.task_deadline(0), Duration::from_secs(30));
        assert!(limits.task_deadline(1 << 30) >= Duration::from_millis(39_990));
        assert_eq!(limits.task_host_calls(8192, 2), 1_000_034);
        assert_eq!(limits.task_bytes_read(1), (1 << 30) + 64);
        assert_eq!(limits.task_bytes_read(u64::MAX), u64::MAX);
    }

    #[test]
    fn what_is_raised_is_what_helps() {
        let limits = Limits::default();
        assert_eq!(limits.to_raise(Limit::Fuel, 1 << 20), Limit::Fuel);
        assert_eq!(limits.to_raise(Limit::Fuel, 1 << 30), Limit::FuelPerByte);
        assert_eq!(limits.to_raise(Limit::Deadline, 1 << 30), Limit::Deadline);
        assert_eq!(limits.to_raise(Limit::Deadline, 10 << 30), Limit::DeadlinePerGib);
        assert_eq!(limits.to_raise(Limit::Memory, 10 << 30), Limit::Memory);
        let rows = [
            (Limit::Memory, 256 << 20, "[plugin.a] limits = { memory = \"512MiB\" }"),
            (Limit::Memory, 3 << 30, "[plugin.a] limits = { memory = \"4GiB\" }"),
            (Limit::Deadline, 30_000, "[plugin.a] limits = { deadline = \"1m\" }"),
            (Limit::Facts, 0, "[plugin.a] limits = { facts = 1 }"),
            (Limit::Handles, 1024, "[plugin.a] limits = { handles = 2048 }"),
        ];
        for (limit, value, line) in rows {
            assert_eq!(limit.raised("a", value).as_deref(), Some(line));
        }
        assert_eq!(Limit::Memory.raised("a", 4 << 30), None);
        assert_eq!(Limit::ComponentSize.raised("a", 64 << 20), None);
    }

    #[test]
    fn a_manifest_may_ask_for_ten_times_the_default() {
        let asked = |limit: Limit, amount| LimitsAsked::from_iter([(limit, amount)]);
        assert_eq!(asked(Limit::Fuel, 50_000_000_000).excess(), None);
        assert_eq!(asked(Limit::Fuel, 50_000_000_001).excess(), Some(Limit::Fuel));
        assert_eq!(asked(Limit::Memory, 2560 << 20).excess(), None);
        assert_eq!(asked(Limit::Memory, 3 << 30).excess(), Some(Limit::Memory));
        assert_eq!(asked(Limit::Deadline, 300_001).excess(), Some(Limit::Deadline));
        let mut both = asked(Limit::Memory, 1 << 20);
        both.set(Limit::Facts, 1);
        assert_eq!(both.without(&asked(Limit::Memory, 7)), asked(Limit::Facts, 1));
        let mut limits = Limits::default();
        both.apply(&mut limits);
        assert_eq!((limits.memory, limits.facts, limits.handles), (1 << 20, 1, 1024));
    }
}
