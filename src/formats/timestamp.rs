//! Times as Grid writes them.

#![forbid(unsafe_code)]

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::error::{Error, ErrorCode, Result};

/// Milliseconds since 1970 of an RFC 3339 date-time, e.g. `2026-04-08T15:35:00Z`. What is finer
/// than a millisecond is dropped.
///
/// Fails with `relay_protocol` for anything else, so that no comparison ever sees a time that is
/// not one.
pub fn parse_rfc3339_ms(text: &str) -> Result<i64> {
    let malformed = || {
        Error::new(
            ErrorCode::RelayProtocol,
            "A time in the answer is not of RFC 3339.",
        )
    };
    // 35 characters with nine digits of a second and an offset.
    if text.len() > 64 {
        return Err(malformed());
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| malformed())?;
    time.unix_timestamp()
        .checked_mul(1000)
        .and_then(|ms| ms.checked_add(i64::from(time.millisecond())))
        .ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

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
