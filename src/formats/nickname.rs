//! What a customer calls a passkey.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};

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
        && (1..=MAX_CHARS).contains(&nickname.chars().count())
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
