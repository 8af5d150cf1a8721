//! Whole numbers in decimal. `to_string` and `parse` are 2 KB more of WebAssembly, for all that they
//! can do beside.

#![forbid(unsafe_code)]

use alloc::string::String;

/// Without leading zeros. The number must not be negative.
pub fn encode(number: impl TryInto<u64>) -> String {
    written(number.try_into().unwrap_or_default())
}

#[inline(never)]
fn written(number: u64) -> String {
    let mut text = String::new();
    let mut place = 1_u64;
    while number / 10 >= place {
        place = place.wrapping_mul(10);
    }
    while let Some(digit) = number.checked_div(place) {
        text.push(char::from(
            u8::try_from(digit % 10)
                .unwrap_or_default()
                .saturating_add(b'0'),
        ));
        place /= 10;
    }
    text
}

/// Digits and nothing else, of a number that fits.
#[inline(never)]
pub fn decode(text: &str) -> Option<u64> {
    let mut number = 0_u64;
    for character in text.bytes() {
        let digit = character.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        if number > u64::MAX / 10 {
            return None;
        }
        number = number.wrapping_mul(10).checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let around =
            powers.flat_map(|power| [power - 1, power, power + 1, power.saturating_mul(7)]);
        for number in around.chain([u64::MAX - 1, u64::MAX]) {
            assert_eq!(encode(number), number.to_string());
            assert_eq!(decode(&number.to_string()), Some(number));
        }
        assert_eq!(decode("007"), Some(7));
    }

    #[test]
    fn refuses_anything_else() {
        for refused in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "x",
            "\u{ff11}",
            "18446744073709551616",
            "99999999999999999999999",
        ] {
            assert_eq!(decode(refused), None, "{refused:?}");
        }
    }
}
