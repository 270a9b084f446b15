//! A moment as RFC 3339 writes it, in UTC and whole seconds.
//!
//! Leaves the calendar to `date`, and other forms of a moment to `cli`.

use super::date::{DAY, Date};

/// Returns `now`, seconds since 1970-01-01T00:00:00Z, as `YYYY-MM-DDThh:mm:ssZ`.
pub fn rfc3339(now: u64) -> String {
    let (day, second) = (Date::of(now), now % DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads the form that [`rfc3339`] writes, and no other; none for what is not of it,
/// for a date that no calendar has and for one before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let (day, time) = text.split_once('T')?;
    let day = Date::parse(day)?;
    let bytes: &[u8; 9] = time.as_bytes().try_into().ok()?;
    let number = |from: usize| {
        bytes[from..from + 2].iter().try_fold(0_u64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
        })
    };
    if (bytes[2], bytes[5], bytes[8]) != (b':', b':', b'Z') {
        return None;
    }
    let (hour, minute, second) = (number(0)?, number(3)?, number(6)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then(|| day.first_second() + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (86_399, "1970-01-01T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_790_000_000, "2026-09-21T14:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ];
        for (now, expected) in rows {
            assert_eq!(rfc3339(now), expected);
            assert_eq!(parse(expected), Some(now));
        }
    }

    #[test]
    fn reads_no_other_form() {
        let rows = [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+00:00",
            "2026-01-31T12:00:00.5Z",
            "2026-01-31t12:00:00z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-13-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:60Z",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "+026-01-31T12:00:00Z",
            "2026-01-31T12:00:0éZ",
        ];
        for text in rows {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn takes_any_number() {
        assert!(rfc3339(u64::MAX).ends_with('Z'));
    }

    #[test]
    fn reads_each_day_as_it_is_written() {
        for day in 0..200_000 {
            let noon = day * DAY + DAY / 2;
            assert_eq!(parse(&rfc3339(noon)), Some(noon));
        }
    }
}
