//! What a customer calls a passkey.

#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, string::String};

use crate::error::{Error, Result, characters};

/// The nickname without white space around it, if Grid takes it: 1 to 100 characters that are
/// letters, numbers, spaces or one of `. _ - ' ( )`.
///
/// Letters and numbers are what [`char::is_alphanumeric`] says: all of `\p{L}` and `\p{N}`, and
/// with them the vowel signs and enclosed letters that Unicode counts as alphabetic, which the
/// scripts that need them cannot be written without.
///
/// Fails with `invalid_argument`.
pub fn passkey_nickname(text: &str) -> Result<String> {
    let nickname = trimmed(text);
    let is_nickname = nickname.len() <= MAX_CHARS * 4
        && (1..=MAX_CHARS).contains(&characters(nickname))
        && nickname.chars().all(|character| {
            is_alphanumeric(character)
                || matches!(character, ' ' | '.' | '_' | '-' | '\'' | '(' | ')')
        });
    if is_nickname {
        Ok(nickname.to_owned())
    } else {
        Err(Error::invalid_argument(
            "A passkey's nickname must be 1 to 100 letters, numbers, spaces or . _ - ' ( )",
        ))
    }
}

const MAX_CHARS: usize = 100;

/// As `str::trim` has it.
pub(super) fn trimmed(text: &str) -> &str {
    let mut inner = text;
    while let Some(rest) = inner.strip_prefix(is_white_space) {
        inner = rest;
    }
    while let Some(rest) = inner.strip_suffix(is_white_space) {
        inner = rest;
    }
    inner
}

/// As [`char::is_whitespace`] has it, without its table.
fn is_white_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r'
            | ' '
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

/// As [`char::is_alphanumeric`] has it, whose two tables are twice as large.
fn is_alphanumeric(character: char) -> bool {
    let mut left = u32::from(character);
    let mut is_in = false;
    let mut length = 0_u32;
    for byte in RUNS {
        length = (length << 7) | u32::from(byte & 0x7f);
        if *byte < 0x80 {
            let Some(rest) = left.checked_sub(length) else {
                return is_in;
            };
            (left, is_in, length) = (rest, !is_in, 0);
        }
    }
    is_in
}

/// How many characters in a row are neither letters nor numbers, how many then are, and so on: each
/// number in digits of seven bits, all but its last with the highest bit set. The test writes it.
const RUNS: &[u8] = include_bytes!("nickname/runs.bin");

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::error::ErrorCode;

    /// Every character there is. Where a newer compiler knows more letters:
    /// `UPDATE_RUNS=1 cargo test --lib nickname`.
    #[test]
    fn agrees_with_the_standard_library_about_every_character() {
        #[cfg(not(target_arch = "wasm32"))]
        if std::env::var_os("UPDATE_RUNS").is_some() {
            std::fs::write("src/formats/nickname/runs.bin", runs()).unwrap();
        }
        assert!(
            RUNS == runs(),
            "this compiler knows other letters than runs.bin"
        );
        for character in '\0'..=char::MAX {
            assert_eq!(
                is_white_space(character),
                character.is_whitespace(),
                "{character:?}"
            );
        }
        // All of them take minutes here. Past the last letter every run but the last is over.
        let last = u32::from('\u{34000}');
        let beyond = (last..=u32::from(char::MAX)).step_by(997);
        for character in (0..last).chain(beyond).filter_map(char::from_u32) {
            assert_eq!(
                is_alphanumeric(character),
                character.is_alphanumeric(),
                "{character:?}"
            );
        }
    }

    fn runs() -> Vec<u8> {
        let mut runs = Vec::new();
        let (mut length, mut is_in) = (0_u32, false);
        for code in 0..=u32::from(char::MAX) {
            let is_now_in = char::from_u32(code).is_some_and(char::is_alphanumeric);
            if is_now_in != is_in {
                let digits = [length >> 14, length >> 7, length];
                let [high, middle, low] = digits.map(|digit| u8::try_from(digit & 0x7f).unwrap());
                let first = [high, middle]
                    .iter()
                    .take_while(|digit| **digit == 0)
                    .count();
                runs.extend([high, middle].iter().skip(first).map(|digit| digit | 0x80));
                runs.push(low);
                (length, is_in) = (0, is_now_in);
            }
            length = length.saturating_add(1);
        }
        assert!(!is_in && length < 1 << 21);
        runs
    }

    #[test]
    fn trims_like_the_standard_library() {
        for text in [
            "",
            " ",
            "a",
            " a",
            "a ",
            "\u{3000}\ta b\u{85}\r",
            " \u{2009}",
            "\u{200b}a",
        ] {
            assert_eq!(trimmed(text), text.trim());
        }
    }

    #[test]
    fn taken() {
        let longest = "é".repeat(100);
        for (text, nickname) in [
            ("iPhone Face-ID", "iPhone Face-ID"),
            ("  \tMax's_key (2.0)\n", "Max's_key (2.0)"),
            ("x", "x"),
            ("鍵 ключ مفتاح", "鍵 ключ مفتاح"),
            ("Ⅷ ½ ٣", "Ⅷ ½ ٣"),
            (&longest, &longest),
            (&format!(" {longest} "), &longest),
            (&"𝟘".repeat(100), &"𝟘".repeat(100)),
        ] {
            assert_eq!(passkey_nickname(text).unwrap(), nickname);
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            " ",
            "\n",
            "a\nb",
            "a\tb",
            "a\u{a0}b",
            "a\0b",
            "a/b",
            "a\\b",
            "<b>",
            "a\"b",
            "a&b",
            "a,b",
            "a@b",
            "a+b",
            "🔑",
            "a\u{200b}b",
            "a\u{202e}b",
            &"a".repeat(101),
            &"𝟘".repeat(101),
            &"a".repeat(1 << 20),
        ] {
            let error = passkey_nickname(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text:?}");
        }
    }
}
