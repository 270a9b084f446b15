//! A moment as RFC 3339 writes it, in UTC and whole seconds.
//!
//! Leaves other forms of it, such as a date alone, to `cli`.

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Returns `now`, seconds since 1970-01-01T00:00:00Z, as `YYYY-MM-DDThh:mm:ssZ`.
pub fn rfc3339(now: u64) -> String {
    let (year, month, day) = date(now / DAY);
    let second = now % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads the form that [`rfc3339`] writes, and no other; none for what is not of it,
/// for a date that no calendar has and for one before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_u64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
        })
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_moment = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let days = is_moment.then(|| days(year, month, day))??;
    // A date that the calendar lacks is another one's number of days.
    (date(days) == (year, month, day)).then(|| days * DAY + hour * 3600 + minute * 60 + second)
}

/// Returns how many days after 1970-01-01 a date is, the inverse of [`date`]; none
/// before it.
const fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

/// Returns the Gregorian date of the day `days` after 1970-01-01: Howard
/// Hinnant's `civil_from_days`, for days that are never negative.
const fn date(days: u64) -> (u64, u64, u64) {
    // Years that begin in March have their odd day last; eras of 400 such years
    // have 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (if month <= 2 { year + 1 } else { year }, month, day)
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
    fn counts_each_day_once() {
        let mut expected = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(date(days), expected);
            assert_eq!(self::days(expected.0, expected.1, expected.2), Some(days));
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (month, day) if day == length[usize::try_from(month - 1).expect("a month")] => {
                    (year, month + 1, 1)
                }
                (month, day) => (year, month, day + 1),
            };
        }
    }
}
