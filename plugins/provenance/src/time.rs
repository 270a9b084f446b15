//! Points in time, in seconds since 1970: read from certificates (ASN.1) and from a
//! trusted root (RFC 3339), and written for people.
//!
//! It leaves to others: what a time is compared with.

use crate::der::{GENERALIZED_TIME, Reader, UTC_TIME};

const DAY: i64 = 24 * 60 * 60;

/// Reads the next value as a time, in the two forms that certificates use (RFC 5280,
/// section 4.1.2.5). None where it is none, or no day of the calendar.
pub fn from_certificate(reader: &mut Reader<'_>) -> Option<i64> {
    let (year, rest) = match reader.any()? {
        (UTC_TIME, text) => {
            let (year, rest) = text.split_at_checked(2)?;
            // Two digits are of the years 1950 to 2049.
            let year = digits(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, text) => {
            let (year, rest) = text.split_at_checked(4)?;
            (digits(year)?, rest)
        }
        _ => return None,
    };
    let rest = rest.strip_suffix(b"Z").filter(|rest| rest.len() == 10)?;
    let mut fields = [0; 5];
    for (field, text) in fields.iter_mut().zip(rest.chunks(2)) {
        *field = digits(text)?;
    }
    let [month, day, hour, minute, second] = fields;
    seconds(year, month, day, hour, minute, second)
}

/// Reads the next value as the time of a timestamp (RFC 3161, section 2.4.2), which
/// may have a fraction of a second; that is cut off.
pub fn from_timestamp(reader: &mut Reader<'_>) -> Option<i64> {
    let text = reader.value(GENERALIZED_TIME)?.strip_suffix(b"Z")?;
    let (whole, fraction) = text.split_at_checked(14)?;
    if let Some((point, fraction)) = fraction.split_first() {
        // Neither an empty fraction nor one that ends in a zero is allowed.
        let is_plain = fraction.iter().all(u8::is_ascii_digit)
            && fraction.last().is_some_and(|last| *last != b'0');
        (*point == b'.' && is_plain).then_some(())?;
    }
    let (year, rest) = whole.split_at_checked(4)?;
    let mut fields = [0; 5];
    for (field, text) in fields.iter_mut().zip(rest.chunks(2)) {
        *field = digits(text)?;
    }
    let [month, day, hour, minute, second] = fields;
    seconds(digits(year)?, month, day, hour, minute, second)
}

/// Reads a time like `2025-03-01T12:00:00Z`, with or without a fraction, which is cut
/// off.
pub fn from_text(text: &str) -> Option<i64> {
    let (whole, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let has_fraction = |fraction: &str| {
        fraction.strip_prefix('.').is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let is_form = whole.bytes().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == *form,
    });
    if !is_form || !(fraction.is_empty() || has_fraction(fraction)) {
        return None;
    }
    let field = |start: usize, length: usize| digits(whole.as_bytes().get(start..start + length)?);
    seconds(field(0, 4)?, field(5, 2)?, field(8, 2)?, field(11, 2)?, field(14, 2)?, field(17, 2)?)
}

/// Writes a time like `2025-03-01T12:00:00Z`.
pub fn to_text(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Counted from 0000-03-01, so that leap days come last; 146,097 days are 400 years.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn digits(text: &[u8]) -> Option<i64> {
    let digit = |number: i64, digit: &u8| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    };
    text.iter().try_fold(0, digit)
}

/// Counts the seconds to a moment of the Gregorian calendar; years have four digits.
fn seconds(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_time = (1..=last).contains(&day) && hour < 24 && minute < 60 && second < 60;
    is_time.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Counts the days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::value;
    use crate::der::OCTET_STRING;

    #[test]
    fn in_certificates() {
        let read = |text: &str| {
            let tag = if text.len() < 14 { UTC_TIME } else { GENERALIZED_TIME };
            from_certificate(&mut Reader::new(&value(tag, text.as_bytes())))
        };
        let rows = [
            ("700101000000Z", Some(0)),
            ("691231235959Z", Some(-1)),
            ("491231235959Z", Some(2_524_607_999)),
            ("500101000000Z", Some(-631_152_000)),
            ("20500101000000Z", Some(2_524_608_000)),
            ("20000229120000Z", Some(951_825_600)),
            ("99991231235959Z", Some(253_402_300_799)),
            ("00000101000000Z", Some(-62_167_219_200)),
            ("200101000000", None),
            ("2001010000Z", None),
            ("200101000000+0100", None),
            ("201301000000Z", None),
            ("200001000000Z", None),
            ("200100000000Z", None),
            ("200132000000Z", None),
            ("200230000000Z", None),
            ("210229000000Z", None),
            ("19000229000000Z", None),
            ("200101240000Z", None),
            ("200101006000Z", None),
            ("2001010000 0Z", None),
            ("-20101000000Z", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
        let other = value(OCTET_STRING, b"200101000000Z");
        assert_eq!(from_certificate(&mut Reader::new(&other)), None);
    }

    #[test]
    fn in_timestamps() {
        let rows = [
            ("20250301120000Z", Some(1_740_830_400)),
            ("20250301120000.5Z", Some(1_740_830_400)),
            ("20250301120000.123Z", Some(1_740_830_400)),
            ("20250301120000.Z", None),
            ("20250301120000.10Z", None),
            ("20250301120000,5Z", None),
            ("20250301120000.5", None),
            ("202503011200Z", None),
            ("20250230120000Z", None),
            ("Z", None),
        ];
        for (text, expected) in rows {
            let der = value(GENERALIZED_TIME, text.as_bytes());
            assert_eq!(from_timestamp(&mut Reader::new(&der)), expected, "{text}");
        }
    }

    #[test]
    fn in_text() {
        let rows = [
            ("2025-03-01T12:00:00Z", Some(1_740_830_400)),
            ("2022-12-31T23:59:59.999Z", Some(1_672_531_199)),
            ("1970-01-01T00:00:00.000000000Z", Some(0)),
            ("2025-03-01T12:00:00", None),
            ("2025-03-01T12:00:00+00:00", None),
            ("2025-03-01 12:00:00Z", None),
            ("2025-03-01T12:00:00.Z", None),
            ("2025-03-01T12:00Z", None),
            ("2025-02-29T12:00:00Z", None),
            ("é025-03-01T12:00:0Z", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(from_text(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_167_219_200i64..253_402_300_800) {
            proptest::prop_assert_eq!(from_text(&to_text(seconds)), Some(seconds));
        }

        #[test]
        fn any_text_is_read(text: String) {
            from_text(&text);
            from_timestamp(&mut Reader::new(text.as_bytes()));
        }
    }
}
