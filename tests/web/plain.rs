//! Plain data: what JSON can say, and nothing else.

use js_sys::{Array, Function};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bindings::bridge;
use crate::support::{js, of};

/// The JSON of a value; nothing where it is refused.
fn read(value: &JsValue) -> Option<String> {
    let json_of: Function = bridge("jsonOf").unchecked_into();
    let json = json_of.call1(&JsValue::UNDEFINED, value).ok()?;
    Some(json.as_string().unwrap())
}

fn text_of(expression: &str) -> Option<String> {
    read(&js(expression))
}

#[wasm_bindgen_test]
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

#[wasm_bindgen_test]
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

#[wasm_bindgen_test]
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

#[wasm_bindgen_test]
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

#[wasm_bindgen_test]
fn each_property_is_read_once() {
    let twice = js("({ reads: 0, get a() { return ++this.reads } })");
    assert_eq!(read(&twice).as_deref(), Some(r#"{"reads":0,"a":1}"#));
    let proxy = js("(() => {
        const reads = [];
        const proxy = new Proxy([0], { get(array, name) { reads.push(name); return array[name] } });
        return { proxy, reads };
    })()");
    let part = |name: &str| of(&proxy, &["it.", name].concat());
    assert!(read(&part("proxy")).is_some());
    assert_eq!(Array::from(&part("reads")).join(","), "length,0");
}
