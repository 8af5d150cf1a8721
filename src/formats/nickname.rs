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
    let nickname = text.trim();
    let is_nickname = nickname.len() <= MAX_CHARS * 4
        && (1..=MAX_CHARS).contains(&characters(nickname))
        && nickname.chars().all(|character| {
            character.is_alphanumeric()
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

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::error::ErrorCode;

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
