//! The one strict JSON reader, and the writer of request bodies.
//!
//! Two readers that disagree about a text let an attacker show one meaning to the check and
//! another to the signature. So this reader takes exactly RFC 8259, and of that nothing on which
//! readers differ: no duplicate names (compared after decoding, so `t\u0061rget` is `target`), no
//! byte order mark, no text after the value, no escaped lone surrogates, a bounded size and depth.

#![forbid(unsafe_code)]

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::fmt;

use super::encoding::{decimal, hex};
use crate::error::filled;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written: `1.0` stays `1.0` and no digit is lost.
    Number(String),
    /// A text, decoded.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: decoded names and values in their order, no name twice.
    Object(Vec<(String, Json)>),
}

/// How much the reader takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The length of the text in bytes.
    pub bytes: usize,
    /// How many arrays and objects may stand inside one another. At most 64.
    pub depth: usize,
}

/// What no caller can exceed, because reading and dropping nested values takes stack.
const MAX_DEPTH: usize = 64;

impl Json {
    /// Reads a text that is one JSON value and nothing else.
    pub fn parse(text: &str, limits: Limits) -> Result<Json, JsonError> {
        if text.len() > limits.bytes {
            return Err(JsonError {
                what: "is too long",
                at: limits.bytes,
            });
        }
        let mut reader = Reader {
            text,
            at: 0,
            problem: "is malformed",
        };
        reader
            .document(limits.depth.min(MAX_DEPTH))
            .ok_or(JsonError {
                what: reader.problem,
                at: reader.at,
            })
    }

    /// An object with these members, in this order.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        let mut members = members;
        Self::taken(&mut members)
    }

    /// Whatever the number of members, so that there is one of it.
    #[inline(never)]
    fn taken(members: &mut [(&str, Json)]) -> Json {
        let mut object = Vec::with_capacity(members.len());
        for (name, value) in members {
            object.push(((*name).to_owned(), core::mem::replace(value, Json::Null)));
        }
        Json::Object(object)
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
    }

    /// A member of an object that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is a whole one written without sign, fraction and exponent that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Json::Number(digits) => decimal::decode(digits),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Names and values, if it is an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The compact text: no white space, escapes as `JSON.stringify` writes them.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(digits) => out.push_str(digits),
            Json::String(text) => write_string(text, out),
            Json::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Json::Number(decimal::encode(number))
    }
}

/// Why a text is not JSON as this package takes it. Names the place, never the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JsonError {
    what: &'static str,
    at: usize,
}

impl JsonError {
    /// What is wrong, and where.
    pub(crate) fn message(&self) -> String {
        let at = decimal::encode(self.at);
        filled("the JSON {} (at byte {})", &[self.what, &at])
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for JsonError {}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let escape = ESCAPES.iter().find(|(_, escaped)| *escaped == character);
        match (escape, character) {
            (Some((letter, _)), _) => {
                out.push('\\');
                out.push(char::from(*letter));
            }
            (None, '\0'..='\u{1f}') => {
                let code = [0, u8::try_from(character).unwrap_or_default()];
                out.push_str("\\u");
                out.push_str(&hex::encode(&code));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// What stands after a reverse solidus, and for which character.
const ESCAPES: &[(u8, char)] = &[
    (b'"', '"'),
    (b'\\', '\\'),
    (b'b', '\u{8}'),
    (b't', '\t'),
    (b'n', '\n'),
    (b'f', '\u{c}'),
    (b'r', '\r'),
];

struct Reader<'a> {
    text: &'a str,
    /// Always on a character boundary: it only ever moves past ASCII or past whole characters.
    at: usize,
    /// What is wrong there, should something be.
    problem: &'static str,
}

impl<'a> Reader<'a> {
    /// RFC 8259 section 2.
    fn document(&mut self, depth: usize) -> Option<Json> {
        self.skip_whitespace();
        let value = self.value(depth)?;
        self.skip_whitespace();
        if self.at != self.text.len() {
            return None;
        }
        Some(value)
    }

    /// RFC 8259 section 3. `depth` is how many levels may still be opened.
    fn value(&mut self, depth: usize) -> Option<Json> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Json::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Json::Null),
            _ => None,
        }
    }

    /// RFC 8259 section 4.
    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        self.sequence(depth, b'}', &mut |reader, depth| {
            if reader.peek() != Some(b'"') {
                return None;
            }
            let name = reader.string()?;
            reader.skip_whitespace();
            if !reader.take(b':') {
                return None;
            }
            reader.skip_whitespace();
            members.push((name, reader.value(depth)?));
            Some(())
        })?;
        if has_duplicates(&members) {
            self.problem = "has a member name twice in one object";
            return None;
        }
        Some(Json::Object(members))
    }

    /// RFC 8259 section 5.
    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut elements = Vec::new();
        self.sequence(depth, b']', &mut |reader, depth| {
            elements.push(reader.value(depth)?);
            Some(())
        })?;
        Some(Json::Array(elements))
    }

    /// What stands between brackets, with commas between. `item` reads one, and what is in it may
    /// open so many levels.
    fn sequence(
        &mut self,
        depth: usize,
        end: u8,
        item: &mut dyn FnMut(&mut Self, usize) -> Option<()>,
    ) -> Option<()> {
        let Some(depth) = depth.checked_sub(1) else {
            self.problem = "is nested too deeply";
            return None;
        };
        self.advance(1);
        self.skip_whitespace();
        if self.take(end) {
            return Some(());
        }
        loop {
            item(self, depth)?;
            self.skip_whitespace();
            if self.take(end) {
                return Some(());
            }
            if !self.take(b',') {
                return None;
            }
            self.skip_whitespace();
        }
    }

    /// RFC 8259 section 6: `[ minus ] int [ frac ] [ exp ]`.
    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Some(Json::Number(self.since(start).to_owned()))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance(1);
        }
        (self.at != start).then_some(())
    }

    /// RFC 8259 section 7.
    fn string(&mut self) -> Option<String> {
        self.advance(1);
        let mut decoded = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.advance(1);
            }
            decoded.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.advance(1);
                    return Some(decoded);
                }
                Some(b'\\') => {
                    self.advance(1);
                    decoded.push(self.escape()?);
                }
                // A control character, or the end.
                _ => return None,
            }
        }
    }

    /// What stands for a character after a reverse solidus.
    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        if letter == b'u' {
            self.advance(1);
            return self.escaped_character();
        }
        let escape = ESCAPES.iter().find(|(escape, _)| *escape == letter);
        let character = match escape {
            Some((_, character)) => *character,
            None if letter == b'/' => '/',
            None => return None,
        };
        self.advance(1);
        Some(character)
    }

    /// Four hex digits, or twice four for a character outside the basic plane.
    fn escaped_character(&mut self) -> Option<char> {
        let mut code = self.code_unit()?;
        if matches!(code, 0xd800..=0xdbff) && self.rest().starts_with("\\u") {
            self.advance(2);
            let high = code.wrapping_sub(0xd800) << 10;
            // No character is 0xd800.
            code = match self.code_unit()? {
                low @ 0xdc00..=0xdfff => high.wrapping_add(low).wrapping_add(0x1_0000 - 0xdc00),
                _ => 0xd800,
            };
        }
        char::from_u32(code)
    }

    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        let digits = self.text.as_bytes().get(self.at..).unwrap_or_default();
        for place in 0..4 {
            let digit = digits.get(place).copied().unwrap_or_default();
            unit = (unit << 4) | char::from(digit).to_digit(16)?;
        }
        self.advance(4);
        Some(unit)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest()
            .starts_with(word)
            .then(|| self.advance(word.len()))
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance(1);
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }
}

/// In their order rather than pair by pair: an object may have as many members as its text has room
/// for. Shell's sort, with Knuth's gaps, is half of the standard library's heap, whose sort is larger
/// yet; a hundred thousand names are some millions of comparisons.
fn has_duplicates(members: &[(String, Json)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    let mut gap = 1_usize;
    while gap < names.len() {
        gap = gap.wrapping_mul(3).wrapping_add(1);
    }
    while gap > 1 {
        gap /= 3;
        for end in gap..names.len() {
            let mut at = end;
            while let Some(before) = at.checked_sub(gap)
                && names.get(before) > names.get(at)
            {
                names.swap(before, at);
                at = before;
            }
        }
    }
    let next = names.iter().skip(1);
    names.iter().zip(next).any(|(name, next)| name == next)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 1 << 20,
        depth: 16,
    };

    #[test]
    fn reads_every_kind_of_value() {
        let value = parse(r#" { "a" : [ null , true , false , -1.50e+3 , "x" ] , "b" : {} } "#);
        let members = value.as_ref().unwrap().as_object().unwrap();
        assert_eq!(members[0].0, "a");
        assert_eq!(
            members[0].1.as_array().unwrap(),
            [
                Json::Null,
                Json::Bool(true),
                Json::Bool(false),
                Json::Number("-1.50e+3".to_owned()),
                Json::from("x"),
            ]
        );
        assert_eq!(value.unwrap().get("b"), Some(&Json::Object(Vec::new())));
    }

    #[test]
    fn decodes_escapes() {
        let text = parse(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\uFFFF""#).unwrap();
        assert_eq!(
            text.as_str().unwrap(),
            "\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600}\u{ffff}"
        );
    }

    #[test]
    fn refuses_what_is_not_rfc_8259() {
        for refused in [
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "{]",
            "[}",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{a:1}",
            "{'a':1}",
            "{1:1}",
            "'a'",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\uD8\"",
            "\"\n\"",
            "\"\t\"",
            "\"\0\"",
            "tru",
            "truE",
            "nul",
            "nan",
            "NaN",
            "Infinity",
            "undefined",
            "01",
            "-",
            "-a",
            "+1",
            ".5",
            "1.",
            "1.e1",
            "1e",
            "1e+",
            "0x1",
            "1_0",
            "--1",
            "/**/1",
            "1//",
            "[1]x",
            "1 1",
            "{}{}",
            "null,",
            "\u{b}1",
            "\u{c}1",
            "\u{a0}1",
            "1\u{2028}",
        ] {
            assert!(parse(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn refuses_a_byte_order_mark() {
        assert!(parse("\u{feff}{}").is_err());
        assert!(parse("{}\u{feff}").is_err());
    }

    #[test]
    fn refuses_half_surrogate_pairs() {
        for refused in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""a\udfffb""#,
            r#""\ud800\ud800""#,
            r#""\udc00\ud800""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\u0041""#,
            r#"{"\ud800":1}"#,
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    /// Objects of up to fifty members in a mixed order; each of them twice, and any of them beside it.
    #[test]
    fn finds_a_duplicate_wherever_it_stands() {
        for count in 0..50_usize {
            let names: Vec<String> = (0..count).map(|at| format!("{}", at * 89 % 211)).collect();
            let members = |names: &[String]| -> Vec<(String, Json)> {
                names
                    .iter()
                    .map(|name| (name.clone(), Json::Null))
                    .collect()
            };
            assert!(!has_duplicates(&members(&names)), "{names:?}");
            for from in 0..count {
                let to = (from * 31 + 7) % count;
                let mut twice = names.clone();
                twice[to] = names[from].clone();
                assert_eq!(has_duplicates(&members(&twice)), from != to, "{twice:?}");
            }
        }
    }

    /// As many names as a text has room for, in the orders that are bad for sorts.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn many_names_take_no_time() {
        let begun = std::time::Instant::now();
        for order in [
            |at: u32| at,
            |at: u32| u32::MAX - at,
            |at: u32| at.reverse_bits(),
            |at: u32| at.wrapping_mul(2_654_435_761),
        ] {
            let members: Vec<_> = (0..100_000)
                .map(|at| (format!("{:010}", order(at)), Json::Null))
                .collect();
            assert!(!has_duplicates(&members));
        }
        // A minute would be too many comparisons; here, unoptimised, it is a second or two.
        assert!(begun.elapsed().as_secs() < 60);
    }

    #[test]
    fn refuses_duplicate_names_at_any_depth_after_decoding() {
        for refused in [
            r#"{"a":1,"a":1}"#,
            r#"{"target":1,"t\u0061rget":2}"#,
            r#"{"x":[{"a":{"b":1,"c":2,"b":3}}]}"#,
            r#"{"":1,"":2}"#,
            r#"{"__proto__":1,"__proto__":2}"#,
            r#"{"\u00e9":1,"é":2}"#,
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
        // Names are compared as they are: no case folding, no Unicode normalisation.
        for taken in [
            r#"{"a":1,"A":1}"#,
            r#"{"a":{"a":1}}"#,
            r#"[{"a":1},{"a":1}]"#,
            "{\"\u{e9}\":1,\"e\u{301}\":2}",
            r#"{"__proto__":1,"constructor":2}"#,
        ] {
            assert!(parse(taken).is_ok(), "{taken}");
        }
    }

    #[test]
    fn size_is_capped_before_any_work() {
        let limits = Limits {
            bytes: 4,
            depth: 16,
        };
        assert!(Json::parse("1234", limits).is_ok());
        assert_eq!(
            Json::parse("12345", limits).unwrap_err().to_string(),
            "the JSON is too long (at byte 4)"
        );
        assert!(
            Json::parse("    x", limits)
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
    }

    #[test]
    fn depth_is_capped() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(16)).is_ok());
        assert!(parse(&nested(17)).is_err());
        let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert!(parse(&objects(16)).is_ok());
        assert!(parse(&objects(17)).is_err());
        assert!(
            Json::parse(
                "1",
                Limits {
                    bytes: 10,
                    depth: 0
                }
            )
            .is_ok()
        );
        assert!(
            Json::parse(
                "[]",
                Limits {
                    bytes: 10,
                    depth: 0
                }
            )
            .is_err()
        );
    }

    /// A deep text must be an error, not a stack overflow, whatever the caller allows.
    #[test]
    fn two_hundred_thousand_brackets_are_an_error() {
        let limits = Limits {
            bytes: usize::MAX,
            depth: usize::MAX,
        };
        for bracket in ["[", r#"{"a":"#] {
            let error = Json::parse(&bracket.repeat(200_000), limits).unwrap_err();
            assert!(error.to_string().contains("nested too deeply"));
        }
    }

    #[test]
    fn numbers_keep_their_text() {
        for number in [
            "0",
            "-0",
            "1.0",
            "1e400",
            "12345678901234567890123456789",
            "0.10",
        ] {
            assert_eq!(parse(number).unwrap(), Json::Number(number.to_owned()));
            assert_eq!(parse(number).unwrap().to_text(), number);
        }
        assert_eq!(
            parse("18446744073709551615").unwrap().as_u64(),
            Some(u64::MAX)
        );
        for not_u64 in ["18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "null"] {
            assert_eq!(parse(not_u64).unwrap().as_u64(), None, "{not_u64}");
        }
    }

    /// ECMA-262 QuoteJSONString: what `JSON.stringify` writes.
    #[test]
    fn writes_as_json_stringify_does() {
        let value = Json::object([
            (
                "text",
                "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/\u{7f}\u{2028}\u{1f600}".into(),
            ),
            (
                "list",
                Json::Array(vec![Json::Null, true.into(), 7_u64.into()]),
            ),
            ("none", Json::Object(Vec::new())),
        ]);
        let text = value.to_text();
        assert_eq!(
            text,
            concat!(
                r#"{"text":"\u0000\u0001\b\t\n\u000b\f\r\u001f \"\\/"#,
                "\u{7f}\u{2028}\u{1f600}",
                r#"","list":[null,true,7],"none":{}}"#
            )
        );
        assert_eq!(parse(&text).unwrap(), value);
    }

    #[test]
    fn errors_name_the_place_and_never_the_text() {
        let error = parse(r#"{"secret":"hunter2" oops}"#)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "the JSON is malformed (at byte 20)");
    }

    /// The tests' own reader on the other side.
    #[test]
    fn agrees_with_serde_json() {
        for text in [
            include_str!("../../tests/vectors/turnkey_stamp.json"),
            include_str!("../../tests/vectors/turnkey_export_bundle.json"),
            include_str!("../../tests/vectors/wycheproof_hkdf_sha256_test.json"),
        ] {
            let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
            let ours = parse(text).unwrap();
            let again: serde_json::Value = serde_json::from_str(&ours.to_text()).unwrap();
            assert_eq!(theirs, again);
        }
    }

    fn parse(text: &str) -> Result<Json, JsonError> {
        Json::parse(text, LIMITS)
    }
}
