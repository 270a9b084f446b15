//! A day of the calendar: [`Date`], in UTC.
//!
//! Leaves reading the clock to `cli`: what day it is, is passed in.

use std::fmt;

/// Seconds of a day.
pub(super) const DAY: u64 = 86_400;

/// A day, UTC, from 1970-01-01 on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    days: u64,
}

impl Date {
    /// Returns the day that `seconds` after 1970-01-01T00:00:00Z lie in.
    pub const fn of(seconds: u64) -> Self {
        Self { days: seconds / DAY }
    }

    /// Parses `YYYY-MM-DD`; none where there is no such day, or it lies before
    /// 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_form = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let is_day = (1..=12).contains(&month) && (1..=31).contains(&day) && year >= 1970;
        let date = (is_form && is_day).then(|| Self { days: days(year, month, day) })?;
        // The 30th of February comes back as a day of March.
        (date.parts() == (year, month, day)).then_some(date)
    }

    /// Returns the first second of the day, since 1970-01-01T00:00:00Z.
    pub const fn first_second(self) -> u64 {
        self.days.saturating_mul(DAY)
    }

    /// Returns the last second of the day, since 1970-01-01T00:00:00Z.
    pub const fn last_second(self) -> u64 {
        self.first_second().saturating_add(DAY - 1)
    }

    /// Returns how many days lie from `self` to `later`; 0 where it is earlier.
    pub const fn days_until(self, later: Self) -> u64 {
        later.days.saturating_sub(self.days)
    }

    /// Returns the day `days` later.
    #[must_use]
    pub const fn after(self, days: u64) -> Self {
        Self { days: self.days.saturating_add(days) }
    }

    /// Returns the year, the month and the day: Howard Hinnant's
    /// `civil_from_days`, for days that are never negative.
    pub const fn parts(self) -> (u64, u64, u64) {
        // Years that begin in March have their odd day last; eras of 400 such years
        // have 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01.
        let days = self.days.saturating_add(719_468);
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = (era * 400 + year, if month < 10 { month + 3 } else { month - 9 });
        (if month <= 2 { year + 1 } else { year }, month, day)
    }
}

/// Returns the days from 1970-01-01 to the given one, not before it: Howard
/// Hinnant's `days_from_civil`.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = year * 365 + year / 4 - year / 100 + of_year;
    (era * 146_097 + of_era).saturating_sub(719_468)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_day_once_both_ways() {
        let mut expected = (1970, 1, 1);
        for days in 0..200_000 {
            let date = Date { days };
            assert_eq!(date.parts(), expected);
            assert_eq!(Date::parse(&date.to_string()), Some(date));
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

    #[test]
    fn refuses_what_is_no_day() {
        let rows = [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2026-04-31",
            "2026-01-32",
            "2026-01-00",
            "1969-12-31",
            "20260101",
            "2026/01/01",
            "2026-01-01 ",
            "+026-01-01",
            "２026-01-1",
        ];
        for row in rows {
            assert_eq!(Date::parse(row), None, "{row}");
        }
        assert!(Date::parse("2024-02-29").is_some());
    }

    #[test]
    fn a_day_ends_with_its_last_second() {
        let date = Date::parse("2026-12-31").expect("a day");
        assert_eq!(Date::of(date.last_second()), date);
        assert_eq!(Date::of(date.last_second() + 1), date.after(1));
        assert_eq!(date.days_until(date.after(14)), 14);
        assert_eq!(date.after(1).days_until(date), 0);
        assert_eq!(Date::of(u64::MAX).after(u64::MAX).last_second(), u64::MAX);
        assert!(Date::of(u64::MAX).after(u64::MAX).to_string().contains('-'));
    }
}
