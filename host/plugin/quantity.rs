//! Amounts of memory and time as a manifest writes them: `512MiB`, `60s`, the
//! same units and bounds as in the policy.
//!
//! Leaves how much a plugin may ask for to `domain::capability`.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The units of memory, largest first, so that an amount is written in the
/// largest that divides it.
const MEMORY_UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
/// The units of time in milliseconds, likewise.
const TIME_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// How much memory a task may be given: one page of WebAssembly, up to what 32
/// bits can address.
const MEMORY: RangeInclusive<u64> = 64 << 10..=4 << 30;
/// How many milliseconds a task may be given: a day is longer than any gate
/// waits.
const TIME: RangeInclusive<u64> = 1..=24 * 3_600_000;

/// How an amount of memory is written.
pub const MEMORY_FORM: &str = "write it like `512KiB`, `512MiB` or `2GiB`, from 64KiB to 4GiB";
/// How a length of time is written.
pub const TIME_FORM: &str = "write it like `500ms`, `60s`, `5m` or `1h`, from 1ms to 24h";

/// Parses an amount of memory in bytes; none where it is none, or out of bounds.
pub fn parse_memory(text: &str) -> Option<u64> {
    parse(text, &MEMORY_UNITS).filter(|bytes| MEMORY.contains(bytes))
}

/// Writes an amount of memory, rounded up to whole KiB.
pub fn write_memory(bytes: u64) -> String {
    write(bytes.checked_next_multiple_of(1 << 10).unwrap_or(bytes), &MEMORY_UNITS)
}

/// Parses a length of time; none where it is none, or out of bounds.
pub fn parse_time(text: &str) -> Option<Duration> {
    parse(text, &TIME_UNITS).filter(|millis| TIME.contains(millis)).map(Duration::from_millis)
}

/// Writes a length of time, in whole milliseconds.
pub fn write_time(time: Duration) -> String {
    write(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), &TIME_UNITS)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn write(amount: u64, units: &[(&str, u64)]) -> String {
    let unit = units.iter().find(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor));
    unit.map_or_else(|| amount.to_string(), |(name, factor)| format!("{}{name}", amount / factor))
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
            ("63KiB", None, ""),
            ("5GiB", None, ""),
            ("0MiB", None, ""),
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
            assert_eq!(parse_memory(text), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(write_memory(bytes), written);
            }
        }
        assert_eq!(write_memory(1), "1KiB");
        assert!(!write_memory(u64::MAX).is_empty());
        let rows = [
            ("90s", Some(90_000), "90s"),
            ("60s", Some(60_000), "1m"),
            ("24h", Some(86_400_000), "24h"),
            ("1500ms", Some(1500), "1500ms"),
            ("25h", None, ""),
            ("0s", None, ""),
            ("1d", None, ""),
            ("60", None, ""),
        ];
        for (text, millis, written) in rows {
            let time = millis.map(Duration::from_millis);
            assert_eq!(parse_time(text), time, "{text}");
            if let Some(time) = time {
                assert_eq!(write_time(time), written);
            }
        }
        assert_eq!(write_time(Duration::ZERO), "0");
    }
}
