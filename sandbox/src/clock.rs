//! Sandbox time: the machine's, moved by an offset.

use std::time::{SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: i64,
}

impl Clock {
    pub(crate) fn now(&self) -> Millis {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        i64::try_from(real)
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset_ms)
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.offset_ms = self.offset_ms.saturating_add(ms);
    }
}

/// `2026-04-08T15:30:01Z`: whole seconds, rounded down, as in the API's examples.
pub(crate) fn rfc3339(ms: Millis) -> String {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

/// `Wed, 08 Apr 2026 15:30:01 GMT`: the `IMF-fixdate` of RFC 9110, 5.6.7.
pub(crate) fn http_date(ms: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    format!(
        "{weekday:.3}, {:02} {month:.3} {:04} {:02}:{:02}:{:02} GMT",
        time.day(),
        time.year(),
        time.hour(),
        time.minute(),
        time.second(),
    )
}

#[cfg(test)]
mod tests {
    use super::{http_date, rfc3339};

    #[test]
    fn http_dates() {
        for (ms, text) in [
            (1_775_662_201_999, "Wed, 08 Apr 2026 15:30:01 GMT"),
            // RFC 9110's example.
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            assert_eq!(http_date(ms), text);
        }
    }

    #[test]
    fn times_are_written_in_whole_seconds() {
        for (ms, text) in [
            (1_775_662_201_000, "2026-04-08T15:30:01Z"),
            (1_775_662_201_999, "2026-04-08T15:30:01Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }
}
