//! Plain data: what JSON can say, as JavaScript code hands it over.
//!
//! Not by `JSON.stringify`, which asks whatever `toJSON` somebody has put on a prototype, writes
//! `null` for numbers that are none, and `{}` for a `Map`: what was meant would not be what is sent.

use js_sys::{Array, JSON, JsString, Reflect};
use wasm_bindgen::{JsCast as _, prelude::*};

use super::value;
use crate::crypto::json::Json;

const MAX_CHARS: u32 = 256 * 1024;
const MAX_DEPTH: u32 = 16;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = keys, catch)]
    fn own_names(object: &JsValue) -> Result<Array, JsValue>;
}

/// Plain objects and arrays of what JSON has beside them, at most 256 Ki characters. Own properties,
/// each read once; one that is `undefined` is none. Nothing where the value is anything else.
pub(crate) fn read(value: &JsValue) -> Option<Json> {
    Reader { room: MAX_CHARS }.value(value, MAX_DEPTH)
}

struct Reader {
    /// How many characters there may still be.
    room: u32,
}

impl Reader {
    fn value(&mut self, value: &JsValue, depth: u32) -> Option<Json> {
        self.take(1)?;
        if let Some(text) = value.dyn_ref::<JsString>() {
            return self.text(text).map(Json::String);
        }
        if let Some(flag) = value.as_bool() {
            return Some(Json::Bool(flag));
        }
        if value.is_null() {
            return Some(Json::Null);
        }
        if let Some(number) = value.as_f64() {
            // As JavaScript writes it. Cannot fail: of a number nothing is asked.
            let digits = JSON::stringify(value).ok().filter(|_| number.is_finite());
            return digits.map(String::from).map(Json::Number);
        }
        let depth = depth.checked_sub(1)?;
        match value.is_object() && value::is_array(value).ok()? {
            true => self.array(value, depth),
            false => self.object(value, depth),
        }
    }

    fn object(&mut self, object: &JsValue, depth: u32) -> Option<Json> {
        // Of whatever page or frame: the prototype of all others has none itself.
        let prototype = prototype_of(object)?;
        if !prototype.is_null() && !prototype_of(&prototype)?.is_null() {
            return None;
        }
        let mut members = Vec::new();
        for name in own_names(object).ok()?.iter() {
            let member = Reflect::get(object, &name).ok()?;
            if !member.is_undefined() {
                let name = self.text(name.dyn_ref()?)?;
                members.push((name, self.value(&member, depth)?));
            }
        }
        Some(Json::Object(members))
    }

    fn array(&mut self, array: &JsValue, depth: u32) -> Option<Json> {
        let length = value::get_whole(array, "length", self.room.into())?;
        let mut elements = Vec::new();
        for index in 0..u32::try_from(length).ok()? {
            // A hole is none of its own: it is whatever stands on a prototype.
            value::has_own(array, &index.into())
                .ok()
                .filter(|own| *own)?;
            let element = Reflect::get_u32(array, index).ok()?;
            elements.push(self.value(&element, depth)?);
        }
        Some(Json::Array(elements))
    }

    fn text(&mut self, text: &JsString) -> Option<String> {
        self.take(text.length())?;
        value::well_formed(text)
    }

    fn take(&mut self, characters: u32) -> Option<()> {
        self.room = self.room.checked_sub(characters)?;
        Some(())
    }
}

/// Of an object. Nothing of anything else, and where a proxy throws.
fn prototype_of(object: &JsValue) -> Option<JsValue> {
    object.is_object().then_some(())?;
    Reflect::get_prototype_of(object).ok().map(JsValue::from)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::web::testing::js;

    fn text_of(expression: &str) -> Option<String> {
        read(&js(expression)).map(|json| json.to_text())
    }

    #[test]
    fn plain_data_is_what_json_can_say() {
        for (expression, text) in [
            ("null", "null"),
            ("'\u{1f511}\\u2028\\ufffd'", "\"\u{1f511}\u{2028}\u{fffd}\""),
            ("-0", "0"),
            ("1e21", "1e+21"),
            ("-1.5e-7", "-1.5e-7"),
            ("[]", "[]"),
            ("[true, [1, 'a'], {}]", r#"[true,[1,"a"],{}]"#),
            ("{ b: 1, a: undefined, 1: false }", r#"{"1":false,"b":1}"#),
            (
                "JSON.parse('{\"__proto__\":{\"a\":1}}')",
                r#"{"__proto__":{"a":1}}"#,
            ),
            ("Object.assign(Object.create(null), { a: 1 })", r#"{"a":1}"#),
            ("{ get a() { return 1 }, [Symbol('a')]: 2 }", r#"{"a":1}"#),
            ("Object.defineProperty({}, 'a', { value: 1 })", "{}"),
            ("new Proxy({ a: [1] }, {})", r#"{"a":[1]}"#),
            ("new Proxy([1], {})", "[1]"),
            // What other code may have done to its objects is not asked.
            ("{ toJSON: undefined, a: 1 }", r#"{"a":1}"#),
        ] {
            assert_eq!(text_of(expression).as_deref(), Some(text), "{expression}");
        }
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        for expression in [
            "undefined",
            "NaN",
            "Infinity",
            "-Infinity",
            "10n",
            "Symbol('a')",
            "() => 1",
            "class {}",
            "new String('a')",
            "new Number(1)",
            "new Boolean(true)",
            "Object(10n)",
            "new Date(0)",
            "new Map([['a', 1]])",
            "new Set([1])",
            "/a/",
            "new Error('a')",
            "new URL('https://a.example')",
            "new Uint8Array(1e8)",
            "new ArrayBuffer(8)",
            "new (class { a = 1 })",
            "Object.create({ a: 1 })",
            "Promise.resolve(1)",
            "{ toJSON() { return 1 } }",
            "[undefined]",
            "[,1]",
            "[1,,]",
            "Array(4294967295)",
            "[() => 1]",
            "{ a: NaN }",
            "{ a: { b: 10n } }",
            "'\\ud800'",
            "{ '\\udc00': 1 }",
            "'x'.repeat(262144)",
            "'x'.repeat(1e8)",
            "Array(2).fill('x'.repeat(131072))",
            "Array(262144).fill(0)",
            "{ ['x'.repeat(262144)]: 1 }",
            "{ get a() { throw 1 } }",
            "(() => { const a = {}; a.a = a; return a })()",
            "(() => { const a = []; a[0] = a; return a })()",
            "new Proxy({}, { ownKeys() { throw 1 } })",
            "new Proxy({}, { getPrototypeOf() { throw 1 } })",
            "new Proxy({ a: 1 }, { get() { throw 1 } })",
            "new Proxy([1], { get() { throw 1 } })",
            "new Proxy([1], { has() { throw 1 }, getOwnPropertyDescriptor() { throw 1 } })",
            "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()",
            "(() => { const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return proxy })()",
        ] {
            assert_eq!(text_of(expression), None, "{expression}");
        }
    }

    #[test]
    fn depth_and_length_have_their_bounds() {
        for (levels, is_read) in [(16, true), (17, false), (100_000, false)] {
            let nested = format!("Array({levels}).fill().reduce(inner => [inner], 0)");
            assert_eq!(read(&js(&nested)).is_some(), is_read, "{levels}");
        }
        for (length, is_read) in [(262_143, true), (262_144, false)] {
            let text = format!("'x'.repeat({length})");
            assert_eq!(read(&js(&text)).is_some(), is_read, "{length}");
        }
    }

    #[test]
    fn nobodys_additions_to_prototypes_count() {
        let names = "[Object.prototype, Array.prototype, Number.prototype, String.prototype, Boolean.prototype]";
        js(&format!(
            "{names}.forEach(it => {{ it.toJSON = () => 'evil'; it.evil = 'evil'; it[1] = 'evil' }})"
        ));
        let read = [
            text_of("{ a: [1, 'b', true, {}] }"),
            text_of("[1,,2]"),
            text_of("Object.create(null)"),
        ];
        js(&format!(
            "{names}.forEach(it => {{ delete it.toJSON; delete it.evil; delete it[1] }})"
        ));
        let [object, holed, bare] = read;
        assert_eq!(object.as_deref(), Some(r#"{"a":[1,"b",true,{}]}"#));
        assert_eq!(holed, None);
        assert_eq!(bare.as_deref(), Some("{}"));
    }

    #[test]
    fn each_property_is_read_once() {
        let twice = js("({ reads: 0, get a() { return ++this.reads } })");
        assert_eq!(
            read(&twice).map(|json| json.to_text()).as_deref(),
            Some(r#"{"reads":0,"a":1}"#)
        );
        let proxy = js("(() => {
            const reads = [];
            const proxy = new Proxy([0], { get(array, name) { reads.push(name); return array[name] } });
            return { proxy, reads };
        })()");
        let part = |name: &str| value::get(&proxy, name).unwrap();
        assert!(read(&part("proxy")).is_some());
        assert_eq!(Array::from(&part("reads")).join(","), "length,0");
    }
}
