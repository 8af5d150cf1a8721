//! Notes in `localStorage`.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::cell::RefCell;

use super::host;
use crate::{error::joined, ports::Notes};

/// Far more than anything that is noted.
const MAX_CHARS: usize = 4096;

/// `localStorage`, and memory for what it does not take: in workers, in Node, in some private
/// windows, and where it is full.
///
/// What is in storage may be anybody's, so what comes out of it is a text and no more.
#[derive(Default)]
pub(crate) struct BrowserNotes {
    /// Names, and what storage does not know about them: a text, or that there is none.
    memory: RefCell<Vec<(String, Option<String>)>>,
}

impl Notes for BrowserNotes {
    fn get(&self, name: &str) -> Option<String> {
        let memory = self.memory.borrow();
        let noted = memory.iter().find(|(noted, _)| noted == name);
        let noted = noted.map(|(_, text)| text.clone());
        // No borrow while storage is asked, which may be somebody's code.
        drop(memory);
        noted.unwrap_or_else(|| host::get_note(&key(name)))
    }

    /// A text that is too long is struck out: [`Self::get`] would not give it.
    fn set(&self, name: &str, text: Option<&str>) {
        let text = text.filter(|text| is_short(text));
        let is_stored = host::set_note(&key(name), text);
        let mut memory = self.memory.borrow_mut();
        memory.retain(|(noted, _)| noted != name);
        if !is_stored {
            memory.push((name.to_owned(), text.map(str::to_owned)));
        }
    }
}

fn key(name: &str) -> String {
    joined(&["gridkey:", name])
}

fn is_short(text: &str) -> bool {
    // In UTF-16: of a character's bytes the first counts, twice where there are four of them.
    let units = text.bytes().map(|byte| match byte {
        0x80..=0xbf => 0,
        0xf0.. => 2,
        _ => 1_usize,
    });
    units.sum::<usize>() <= MAX_CHARS
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::testing::{Replaced, js};

    const STORAGE: &str = "{ value: (kept => ({
        getItem: name => kept.get(name) ?? null,
        setItem: (name, text) => { kept.set(name, text) },
        removeItem: name => { kept.delete(name) },
    }))(new Map()) }";

    fn keeps(notes: &BrowserNotes) {
        assert_eq!(notes.get("a"), None);
        notes.set("a", Some("1"));
        notes.set("b", Some(""));
        assert_eq!(notes.get("a").as_deref(), Some("1"));
        assert_eq!(notes.get("b").as_deref(), Some(""));
        notes.set("a", Some("2 \u{1f511}"));
        assert_eq!(notes.get("a").as_deref(), Some("2 \u{1f511}"));
        notes.set("a", None);
        notes.set("a", None);
        assert_eq!(notes.get("a"), None);
        assert_eq!(notes.get("b").as_deref(), Some(""));
        notes.set("b", None);
        assert_eq!(notes.get("b"), None);
    }

    #[test]
    fn notes_outlive_the_page_under_a_prefix() {
        let _stand_in = js("globalThis.indexedDB == null")
            .is_truthy()
            .then(|| Replaced::new("localStorage", STORAGE));
        keeps(&BrowserNotes::default());
        BrowserNotes::default().set("a", Some("1"));
        assert_eq!(js("localStorage.getItem('gridkey:a')"), "1");
        assert_eq!(BrowserNotes::default().get("a").as_deref(), Some("1"));
        BrowserNotes::default().set("a", None);
        assert!(js("localStorage.getItem('gridkey:a')").is_null());
        assert_eq!(BrowserNotes::default().get("a"), None);
    }

    #[test]
    fn without_storage_notes_last_as_long_as_the_page() {
        for storage in [
            "{ value: undefined }",
            "{ value: null }",
            "{ value: {} }",
            "{ get() { throw new DOMException('', 'SecurityError') } }",
            "{ value: { getItem() { throw 1 }, setItem() { throw 1 }, removeItem() { throw 1 } } }",
            // Full from the start, as in private windows of old Safari.
            "{ value: { getItem: () => null, setItem() { throw 1 }, removeItem() {} } }",
        ] {
            let _broken = Replaced::new("localStorage", storage);
            keeps(&BrowserNotes::default());
        }
    }

    #[test]
    fn what_storage_does_not_take_counts_all_the_same() {
        let _full = Replaced::new(
            "localStorage",
            "{ value: { getItem: () => 'old', setItem() { throw 1 }, removeItem() { throw 1 } } }",
        );
        let notes = BrowserNotes::default();
        assert_eq!(notes.get("a").as_deref(), Some("old"));
        notes.set("a", Some("new"));
        assert_eq!(notes.get("a").as_deref(), Some("new"));
        notes.set("a", None);
        assert_eq!(notes.get("a"), None);
        assert_eq!(notes.memory.borrow().len(), 1);
    }

    #[test]
    fn storage_gives_texts_of_a_bounded_length_and_nothing_else() {
        for (stored, is_text) in [
            ("'x'.repeat(4096)", true),
            ("'x'.repeat(4097)", false),
            ("'\\ud800'", true),
            ("undefined", false),
            ("5", false),
            ("new String('x')", false),
            ("{ toString: () => 'x', length: 1 }", false),
        ] {
            let storage = format!("{{ value: {{ getItem: () => ({stored}) }} }}");
            let _stand_in = Replaced::new("localStorage", &storage);
            assert_eq!(
                BrowserNotes::default().get("a").is_some(),
                is_text,
                "{stored}"
            );
        }
        let _stand_in = Replaced::new("localStorage", STORAGE);
        let notes = BrowserNotes::default();
        // Two code units each.
        for (length, is_noted) in [(2048, true), (2049, false)] {
            notes.set("a", Some("old"));
            notes.set("a", Some(&"\u{1f511}".repeat(length)));
            assert_eq!(notes.get("a").is_some(), is_noted);
            assert_eq!(js("localStorage.getItem('gridkey:a') !== null"), is_noted);
        }
    }
}
