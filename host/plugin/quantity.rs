//! Amounts of memory and time as a manifest writes them: `512MiB`, `60s`.

use std::time::Duration;

/// The units of memory, largest first, so that an amount is written in the
/// largest that divides it.
const BYTES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];
/// The units of time in milliseconds, likewise.
const MILLIS: [(&str, u64); 3] = [("min", 60_000), ("s", 1000), ("ms", 1)];

/// Parses an amount of memory; none where it is none, or zero.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    parse(text, &BYTES)
}

/// Writes an amount of memory.
pub(super) fn write_bytes(bytes: u64) -> String {
    write(bytes, &BYTES)
}

/// Parses an amount of time; none where it is none, or zero.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    parse(text, &MILLIS).map(Duration::from_millis)
}

/// Writes an amount of time, in whole milliseconds.
pub(super) fn write_duration(duration: Duration) -> String {
    write(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        &MILLIS,
    )
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.parse().ok()?;
    number.checked_mul(*factor).filter(|amount| *amount > 0)
}

fn write(amount: u64, units: &[(&str, u64)]) -> String {
    let unit = units
        .iter()
        .find(|(_, factor)| amount.is_multiple_of(*factor));
    unit.map_or_else(
        || amount.to_string(),
        |(name, factor)| format!("{}{name}", amount / factor),
    )
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
            ("1000B", Some(1000), "1000B"),
            ("0MiB", None, ""),
            ("512", None, ""),
            ("512MB", None, ""),
            ("512 MiB", None, ""),
            ("-1MiB", None, ""),
            ("+1MiB", None, ""),
            ("1.5GiB", None, ""),
            ("", None, ""),
            ("MiB", None, ""),
            ("99999999999999999999B", None, ""),
            ("18446744073709551615GiB", None, ""),
        ];
        for (text, bytes, written) in rows {
            assert_eq!(parse_bytes(text), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(write_bytes(bytes), written);
            }
        }
        assert_eq!(parse_duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("1min"), Some(Duration::from_secs(60)));
        assert_eq!(parse_duration("1h"), None);
        assert_eq!(write_duration(Duration::from_secs(90)), "90s");
        assert_eq!(write_duration(Duration::from_millis(1500)), "1500ms");
    }
}
