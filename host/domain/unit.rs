//! What limits are counted in, and how amounts are written: [`Unit`].
//!
//! Leaves how much there may be to `limits`.

/// What a limit is counted in, and how its values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Count,
    /// Bytes: `512MiB`.
    Bytes,
    /// Milliseconds: `60s`.
    Time,
}

/// The units of bytes, largest first, so that an amount is written in the
/// largest that divides it.
const BYTES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// The units of time in milliseconds, likewise.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl Unit {
    const fn units(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Count => &[],
            Self::Bytes => &BYTES,
            Self::Time => &TIMES,
        }
    }

    /// Parses a whole number and a unit, without anything between; none where
    /// `text` is something else, or more than 64 bits hold.
    pub fn parse(self, text: &str) -> Option<u64> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match self {
            Self::Count if unit.is_empty() => 1,
            _ => self.units().iter().find(|(name, _)| *name == unit)?.1,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }

    /// Writes `amount` as [`Unit::parse`] takes it; bytes are rounded up to
    /// whole KiB.
    pub fn write(self, amount: u64) -> String {
        let amount = match self {
            Self::Bytes => amount.checked_next_multiple_of(1 << 10).unwrap_or(amount),
            Self::Count | Self::Time => amount,
        };
        let smallest = self.units().last();
        let unit = self.units().iter().find(|(_, factor)| amount.is_multiple_of(*factor));
        match unit.filter(|_| amount > 0).or(smallest) {
            Some((name, factor)) => format!("{}{name}", amount / factor),
            None => amount.to_string(),
        }
    }

    /// Writes `amount` as a value of TOML.
    pub fn toml(self, amount: u64) -> String {
        match self {
            Self::Count => amount.to_string(),
            Self::Bytes | Self::Time => format!("\"{}\"", self.write(amount)),
        }
    }

    /// Returns what a value is called.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Count => "a whole number",
            Self::Bytes => "an amount of memory",
            Self::Time => "a length of time",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_amounts() {
        let rows = [
            ("512MiB", Some(512 << 20), "512MiB"),
            ("1024KiB", Some(1 << 20), "1MiB"),
            ("3GiB", Some(3 << 30), "3GiB"),
            ("65KiB", Some(65 << 10), "65KiB"),
            ("0MiB", Some(0), "0KiB"),
            ("512", None, ""),
            ("512MB", None, ""),
            ("512 MiB", None, ""),
            ("-1MiB", None, ""),
            ("+1MiB", None, ""),
            ("1.5GiB", None, ""),
            ("", None, ""),
            ("MiB", None, ""),
            ("99999999999999999999KiB", None, ""),
            ("18446744073709551615GiB", None, ""),
        ];
        for (text, bytes, written) in rows {
            assert_eq!(Unit::Bytes.parse(text), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(Unit::Bytes.write(bytes), written);
            }
        }
        assert_eq!(Unit::Bytes.write(1), "1KiB");
        assert!(!Unit::Bytes.write(u64::MAX).is_empty());
        let rows = [
            ("90s", Some(90_000), "90s"),
            ("60s", Some(60_000), "1m"),
            ("24h", Some(86_400_000), "24h"),
            ("1500ms", Some(1500), "1500ms"),
            ("0s", Some(0), "0ms"),
            ("1d", None, ""),
            ("60", None, ""),
        ];
        for (text, millis, written) in rows {
            assert_eq!(Unit::Time.parse(text), millis, "{text}");
            if let Some(millis) = millis {
                assert_eq!(Unit::Time.write(millis), written);
            }
        }
        assert_eq!(Unit::Count.parse("7"), Some(7));
        assert_eq!(Unit::Count.parse("7s"), None);
        assert_eq!(Unit::Count.write(7), "7");
    }
}
