//! Passkey nicknames: 1 to 100 Unicode letters, numbers, spaces and `. _ - ' ( )`.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use crate::errors::{GridError, Reason, Result};

const MAX_CHARACTERS: usize = 100;

/// The nickname without the whitespace around it.
pub(crate) fn check(nickname: &str) -> Result<&str> {
    let nickname = nickname.trim();
    let length = nickname.chars().count();
    if length == 0 || length > MAX_CHARACTERS || !nickname.chars().all(is_allowed) {
        return Err(GridError::invalid_input(
            Reason::NicknameInvalid,
            "nickname must be 1 to 100 letters, numbers, spaces and . _ - ' ( )",
        ));
    }
    Ok(nickname)
}

fn is_allowed(character: char) -> bool {
    matches!(character, ' ' | '.' | '_' | '-' | '\'' | '(' | ')')
        || matches!(
            get_general_category(character),
            Category::UppercaseLetter
                | Category::LowercaseLetter
                | Category::TitlecaseLetter
                | Category::ModifierLetter
                | Category::OtherLetter
                | Category::DecimalNumber
                | Category::LetterNumber
                | Category::OtherNumber
        )
}
