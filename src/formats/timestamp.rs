//! Times as Grid writes them.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};

/// Milliseconds since 1970 of an RFC 3339 date-time, e.g. `2026-04-08T15:35:00Z`. What is finer
/// than a millisecond is dropped.
///
/// Written out here because a date library is 4 KB of the package for this one text. Leap seconds
/// are refused: no clock that this is compared with has them.
///
/// Fails with `relay_protocol` for anything else, so that no comparison ever sees a time that is
/// not one.
pub fn parse_rfc3339_ms(text: &str) -> Result<i64> {
    read(text.as_bytes())
        .ok_or_else(|| Error::relay_protocol("A time in the answer is not of RFC 3339."))
}

/// `2026-04-08T15:35:00.123456789+02:00` is the longest with nine digits of a second.
const MAX_BYTES: usize = 35;

/// RFC 3339 section 5.6: `full-date "T" partial-time time-offset`.
fn read(text: &[u8]) -> Option<i64> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let (year, text) = number(text, 4, 1, 9999)?;
    let (month, text) = number(after(b"-", text)?, 2, 1, 12)?;
    let (day, text) = number(after(b"-", text)?, 2, 1, days_of(month, year))?;
    let (hour, text) = number(after(b"Tt", text)?, 2, 0, 23)?;
    let (minute, text) = number(after(b":", text)?, 2, 0, 59)?;
    let (second, text) = number(after(b":", text)?, 2, 0, 59)?;
    let (millisecond, text) = fraction(text)?;
    let (offset_minutes, text) = offset(text)?;
    if !text.is_empty() {
        return None;
    }
    let minutes = hour
        .wrapping_mul(60)
        .wrapping_add(minute)
        .wrapping_sub(offset_minutes);
    let milliseconds = minutes
        .wrapping_mul(60)
        .wrapping_add(second)
        .wrapping_mul(1000)
        .wrapping_add(millisecond);
    let days = days_since_1970(year, month, day);
    Some(
        i64::from(days)
            .wrapping_mul(MS_PER_DAY)
            .wrapping_add(milliseconds.into()),
    )
}

/// Numbers here are of a few digits, so that no sum of them overflows.
type Read<'a> = Option<(i32, &'a [u8])>;

/// A number of exactly this many digits, in these bounds, and what follows it.
#[inline(never)]
fn number(text: &[u8], digits: usize, least: i32, most: i32) -> Read<'_> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let value = value(digits)?;
    (value >= least && value <= most).then_some((value, rest))
}

fn value(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0_i32, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(value.wrapping_mul(10).wrapping_add(i32::from(digit)))
    })
}

/// What follows one of these characters.
fn after<'a>(characters: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    let (first, rest) = text.split_first()?;
    characters.contains(first).then_some(rest)
}

/// The milliseconds of `time-secfrac`, which may be missing.
fn fraction(text: &[u8]) -> Read<'_> {
    let Some(text) = after(b".", text) else {
        return Some((0, text));
    };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    let mut milliseconds = *b"000";
    for (place, digit) in milliseconds.iter_mut().zip(digits) {
        *place = *digit;
    }
    (!digits.is_empty()).then_some((value(&milliseconds)?, rest))
}

/// The minutes of `time-offset`.
fn offset(text: &[u8]) -> Read<'_> {
    if let Some(rest) = after(b"Zz", text) {
        return Some((0, rest));
    }
    let sign = if text.first() == Some(&b'-') { -1 } else { 1 };
    let (hours, rest) = number(after(b"+-", text)?, 2, 0, 23)?;
    let (minutes, rest) = number(after(b":", rest)?, 2, 0, 59)?;
    let offset = hours.wrapping_mul(60).wrapping_add(minutes);
    Some((offset.wrapping_mul(sign), rest))
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(month: i32, year: i32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the Gregorian calendar, for years from 1.
fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    let before = year.wrapping_sub(1);
    let leap_days = (before / 4)
        .wrapping_sub(before / 100)
        .wrapping_add(before / 400);
    let days_of_years = before.wrapping_mul(365).wrapping_add(leap_days);
    (1..month)
        .map(|month| days_of(month, year))
        .fold(days_of_years, i32::wrapping_add)
        .wrapping_add(day)
        .wrapping_sub(DAYS_UNTIL_1970)
}

/// From 1 January of year 1, and one more because days count from 1.
const DAYS_UNTIL_1970: i32 = 719_163;
const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn rfc_3339() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-04-08T15:35:00Z", 1_775_662_500_000),
            ("2026-04-08T15:35:00.123Z", 1_775_662_500_123),
            ("2026-04-08T15:35:00.123456789Z", 1_775_662_500_123),
            ("2026-04-08T17:35:00+02:00", 1_775_662_500_000),
            ("2026-04-08T15:35:00-00:00", 1_775_662_500_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1969-12-31T23:59:59.0005Z", -1000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(parse_rfc3339_ms(text).unwrap(), ms, "{text}");
        }
    }

    /// The `time` crate is the oracle.
    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn every_day_and_offset() {
        use time::{OffsetDateTime, format_description::well_known::Rfc3339};
        let oracle = |text: &str| {
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            Some(time.unix_timestamp() * 1000 + i64::from(time.millisecond()))
        };
        for year in [
            1, 1900, 1969, 1970, 2000, 2024, 2026, 2100, 2399, 2400, 9999,
        ] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:59.98Z");
                    assert_eq!(parse_rfc3339_ms(&text).ok(), oracle(&text), "{text}");
                }
            }
        }
        for offset in 0..=2500 {
            for sign in ['+', '-'] {
                let (hours, minutes) = (offset / 100, offset % 100);
                let text = format!("2026-04-08T15:35:00{sign}{hours:02}:{minutes:02}");
                assert_eq!(parse_rfc3339_ms(&text).ok(), oracle(&text), "{text}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "x",
            "NaN",
            "Infinity",
            "null",
            "0",
            "1775662500000",
            "2026-04-08",
            "2026-04-08T15:35:00",
            "2026-04-08T15:35Z",
            "2026-12-31T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "2026-04-08T15:35:00.0000000000+00:00",
            "2026-04-08T15:35:00+0200",
            "2026-04-08T15:35:00+02:00:00",
            "2026-04-08 15:35:00Z",
            "-026-04-08T15:35:00Z",
            "2026-02-30T00:00:00Z",
            "2026-04-08T24:00:00Z",
            "2026-04-08T15:35:00.Z",
            "2026-04-08T15:35:00+2",
            "+275761-01-01T00:00:00Z",
            "275761-01-01T00:00:00Z",
            " 2026-04-08T15:35:00Z",
            "2026-04-08T15:35:00Z ",
            "２026-04-08T15:35:00Z",
            &format!("2026-04-08T15:35:00.{}Z", "0".repeat(100)),
        ] {
            let error = parse_rfc3339_ms(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::RelayProtocol, "{text}");
        }
    }
}
