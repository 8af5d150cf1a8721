//! Numbers across the border: JavaScript has one kind, Rust's are told apart.

/// The largest whole number that a JavaScript number keeps apart from its neighbours.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// `number` as a whole number of at most `max`; nothing where it is negative, broken or no number.
pub(crate) fn whole(number: f64, max: u64) -> Option<u64> {
    #[expect(clippy::as_conversions, reason = "saturates; NaN becomes 0")]
    let whole = number as u64;
    #[expect(clippy::as_conversions, reason = "compared with what it was made of")]
    let is_whole = whole as f64 == number;
    (is_whole && whole <= max.min(MAX_SAFE_INTEGER)).then_some(whole)
}

/// Milliseconds since 1970, as `Date` has them.
pub(crate) fn to_js(milliseconds: i64) -> f64 {
    #[expect(
        clippy::as_conversions,
        reason = "dates are far below 2^53 milliseconds"
    )]
    let number = milliseconds as f64;
    number
}

/// Milliseconds since 1970, as `Date` has them, without fractions.
pub(crate) fn from_js(milliseconds: f64) -> i64 {
    #[expect(clippy::as_conversions, reason = "saturates; NaN becomes 0")]
    let whole = milliseconds as i64;
    whole
}
