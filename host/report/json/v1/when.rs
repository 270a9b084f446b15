//! A moment as RFC 3339 writes it, in UTC.

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Returns `now`, seconds since 1970-01-01T00:00:00Z, as `YYYY-MM-DDThh:mm:ssZ`.
pub(in crate::report::json) fn rfc3339(now: u64) -> String {
    let (year, month, day) = date(now / DAY);
    let second = now % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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
