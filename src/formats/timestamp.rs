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
