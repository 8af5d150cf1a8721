//! Makes wasm-bindgen's glue a function, each call of which gives glue for an instance of its own.
//!
//! As it is generated, the glue is a module with one instance in it for good. The package replaces
//! an instance that trapped, and nothing of the old one may then reach into the new one: no class,
//! no cached view of its memory, no closure that a timer still holds.

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Functions that stand in the place of those that wasm-bindgen writes with the same first line.
/// Theirs are for browsers of ten years ago, and keep views and decoders that cost nothing to make.
const OURS: [&str; 4] = [
    "function getDataViewMemory0() {
    return new DataView(wasm.memory.buffer);
}",
    "function getUint8ArrayMemory0() {
    return new Uint8Array(wasm.memory.buffer);
}",
    // A new one each time, because Safari's decode no more than 2 GiB in their lives.
    "function decodeText(bytes) {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}",
    // In the memory at once, because what is written may be a secret. Most texts are ASCII.
    "function passStringToWasm0(arg, malloc, realloc) {
    let length = arg.length;
    let ptr = malloc(length, 1) >>> 0;
    const write = (text, from) => cachedTextEncoder.encodeInto(text, getUint8ArrayMemory0().subarray(ptr + from, ptr + length));
    let { read, written } = write(arg, 0);
    if (read < arg.length) {
        const rest = arg.slice(read);
        ptr = realloc(ptr, length, length = written + rest.length * 3, 1) >>> 0;
        written += write(rest, written).written;
        ptr = realloc(ptr, length, written, 1) >>> 0;
    }
    WASM_VECTOR_LEN = written;
    return ptr;
}",
];

/// How those begin that nothing refers to any more.
const UNUSED: [&str; 9] = [
    "function __wbg_set_wasm(",
    "let cachedDataViewMemory0 ",
    "let cachedUint8ArrayMemory0 ",
    "let cachedTextDecoder ",
    "cachedTextDecoder.decode();",
    "const MAX_SAFARI_DECODE_BYTES ",
    "let numBytesDecoded ",
    "if (!('encodeInto' in cachedTextEncoder)) {",
    "function notDefined(",
];

/// What the crate exports.
const OWN: [&str; 2] = ["function call(", "function free("];

/// What imports and exports of the module are called, where it is not as they were: binaryen says it.
#[derive(Default, Deserialize)]
pub(crate) struct Renamed {
    imports: Vec<(String, String, String)>,
    exports: Vec<(String, String)>,
}

impl Renamed {
    fn import<'a>(&'a self, name: &'a str) -> &'a str {
        let mut imports = self.imports.iter();
        imports
            .find(|(_, old, _)| old == name)
            .map_or(name, |(_, _, new)| new)
    }

    /// `line` with `wasm.x` for each `wasm.name`.
    fn exports_in(&self, line: &str) -> String {
        let mut parts = line.split("wasm.");
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let name = part.split(|character| !is_part(character)).next();
            let name = name.unwrap_or_default();
            let new = self.exports.iter().find(|(old, _)| old == name);
            renamed.push_str("wasm.");
            renamed.push_str(new.map_or(name, |(_, new)| new));
            renamed.push_str(part.strip_prefix(name).unwrap_or(part));
        }
        renamed
    }

    /// Of which all imports are. Binaryen gives the only module there is the first name.
    fn module(&self) -> &str {
        if self.imports.is_empty() {
            "./gridkey_bg.js"
        } else {
            "a"
        }
    }
}

/// `glue` is what wasm-bindgen writes for bundlers: declarations, and imports of copies of the
/// package's own modules, in directories that are named by a hash. The modules themselves are
/// imported in their place.
///
/// The function that it becomes returns `call` and `free`, which are the crate's, what starts an
/// instance, what gives its memory, and what it is to import: each function where it is named, which
/// is shorter than a declaration and a name for it.
pub(crate) fn as_function(glue: &str, renamed: &Renamed) -> Result<String> {
    let mut imports = String::new();
    let mut body = String::new();
    let mut imported = String::new();
    let mut lines = glue.lines();
    while let Some(first) = lines.next() {
        let mut item = first.to_owned();
        if first.ends_with('{') {
            for line in lines.by_ref() {
                item.push('\n');
                item.push_str(line);
                if line.starts_with('}') {
                    break;
                }
            }
        }
        let exported = item.strip_prefix("export ");
        let declared = exported.unwrap_or(&item);
        let starts = |start: &&str| declared.starts_with(*start);
        if first.starts_with("import ") {
            imports.push_str(&import_of(first).with_context(|| first.to_owned())?);
        } else if let Some(ours) = OURS.iter().find(|ours| ours.lines().next() == Some(first)) {
            add(&mut body, ours, renamed);
        } else if !UNUSED.iter().any(starts) {
            if exported.is_some() && !OWN.iter().any(starts) {
                let member = member(declared, renamed).with_context(|| first.to_owned())?;
                add(&mut imported, &member, renamed);
            } else {
                add(&mut body, &direct(declared), renamed);
            }
        }
    }
    add(
        &mut body,
        "const start = (exports) => {\n    wasm = exports;\n    wasm.__wbindgen_start();\n};\n\
         const memory = () => wasm.memory;",
        renamed,
    );
    let module = renamed.module();
    Ok(format!(
        "{imports}export function createGlue() {{\n{body}\
         return {{ call, free, start, memory, imports: {{ \"{module}\": {{\n{imported}}} }} }};\n}}\n"
    ))
}

fn add(to: &mut String, item: &str, renamed: &Renamed) {
    to.push_str(&renamed.exports_in(item));
    to.push('\n');
}

/// A function, or a constant that is one, as a member of an object.
fn member(declared: &str, renamed: &Renamed) -> Option<String> {
    let declared = direct(declared);
    if let Some(function) = declared.strip_prefix("function ") {
        let (name, rest) = function.split_once('(')?;
        return Some(format!("// {name}\n{}({rest},", renamed.import(name)));
    }
    let (name, value) = declared.strip_prefix("const __wbg_")?.split_once(" = ")?;
    let name = format!("__wbg_{name}");
    let value = value.trim_end_matches(';');
    Some(format!("// {name}\n{}: {value},", renamed.import(&name)))
}

/// The import of `pkg/x.js` by `pkg/wasm/glue.js`. The object `x` that it exports is the module
/// itself, of which minifiers shorten the names.
fn import_of(line: &str) -> Option<String> {
    let (name, path) = line.strip_prefix("import { ")?.split_once(" } from ")?;
    let path = path.trim_end_matches(';').trim_matches(['\'', '"']);
    let (_, file) = path.strip_prefix("./snippets/")?.split_once("/pkg/")?;
    (file.strip_suffix(".js") == Some(name))
        .then(|| format!("import * as {name} from \"../{file}\";\n"))
}

/// `item` without asking whether there is what all supported browsers and the package have.
fn direct(item: &str) -> String {
    let lines: Vec<_> = item
        .split('\n')
        .map(|line| direct_line(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    lines.join("\n")
}

fn direct_line(line: &str) -> Option<String> {
    let (start, rest) = line.split_once(" = typeof ")?;
    let (name, rest) = rest.split_once(' ')?;
    let value = if rest == format!("=== 'undefined' ? undefined : {name};") {
        // `self`, `window` and `global` are asked for where there is no `globalThis`.
        "globalThis"
    } else if rest == format!("== 'function' ? {name} : notDefined('{name}');") {
        name
    } else {
        return None;
    };
    Some(format!("{start} = {value};"))
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || "_$".contains(character)
}

#[cfg(test)]
mod tests {
    use super::{Renamed, as_function};

    const START: &str = "const start = (exports) => {
    wasm = exports;
    wasm.__wbindgen_start();
};
const memory = () => wasm.memory;
return { call, free, start, memory, imports: { \"./gridkey_bg.js\": {
";

    fn unchanged(glue: &str) -> String {
        as_function(glue, &Renamed::default()).unwrap()
    }

    #[test]
    fn what_was_exported_is_returned() {
        let glue = "export function call() {\n    wasm.call();\n}\nlet wasm;\n\
                    export function __wbg_now_1() {\n    return 1;\n}\n\
                    export function __wbg_set_wasm(val) {\n    wasm = val;\n}\n";
        assert_eq!(
            unchanged(glue),
            format!(
                "export function createGlue() {{\nfunction call() {{\n    wasm.call();\n}}\nlet wasm;\n{START}\
                 // __wbg_now_1\n__wbg_now_1() {{\n    return 1;\n}},\n}} }} }};\n}}\n"
            )
        );
    }

    #[test]
    fn names_are_those_of_the_module() {
        let renamed = serde_json::from_str(
            r#"{ "imports": [["./gridkey_bg.js", "__wbg_now_1", "b"]],
                 "exports": [["memory", "$"], ["mem", "A"], ["__wbindgen_start", "B"], ["call", "C"]] }"#,
        )
        .unwrap();
        let glue = "let wasm;\nexport function __wbg_now_1() {\n    f(wasm.memory, wasm.call(), wasm.mem);\n}\n";
        assert_eq!(
            as_function(glue, &renamed).unwrap(),
            "export function createGlue() {\nlet wasm;\n\
             const start = (exports) => {\n    wasm = exports;\n    wasm.B();\n};\n\
             const memory = () => wasm.$;\n\
             return { call, free, start, memory, imports: { \"a\": {\n\
             // __wbg_now_1\nb() {\n    f(wasm.$, wasm.C(), wasm.A);\n},\n} } };\n}\n"
        );
    }

    #[test]
    fn the_packages_own_modules_are_imported() {
        let glue = "import { host } from './snippets/gridkey-0123abcd/pkg/host.js';\n\
                    export const __wbg_f_0 = typeof host.f == 'function' ? host.f : notDefined('host.f');\n";
        assert_eq!(
            unchanged(glue),
            format!(
                "import * as host from \"../host.js\";\nexport function createGlue() {{\n{START}\
                 // __wbg_f_0\n__wbg_f_0: host.f,\n}} }} }};\n}}\n"
            )
        );
    }

    #[test]
    fn what_old_browsers_need_is_left_out() {
        let glue = "let cachedTextDecoder = new TextDecoder();\ncachedTextDecoder.decode();\n\
                    function decodeText(bytes) {\n    old();\n}\n\
                    if (!('encodeInto' in cachedTextEncoder)) {\n    old();\n}\n\
                    function f() {\n    const ret = typeof self === 'undefined' ? undefined : self;\n}\n\
                    const other = typeof self === 'undefined' ? 1 : self;\n";
        let function = unchanged(glue);
        let start = "export function createGlue() {\nfunction decodeText(bytes) {\n    \
                     return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);\n}\n\
                     function f() {\n    const ret = globalThis;\n}\n\
                     const other = typeof self === 'undefined' ? 1 : self;\nconst start";
        assert!(function.starts_with(start), "{function}");
    }

    #[test]
    fn what_cannot_stand_in_a_function_is_refused() {
        for glue in [
            "import { x } from './x.js';\n",
            "import * as x from './snippets/a-0/pkg/x.js';\n",
            "import { x } from './snippets/a-0/inline0.js';\n",
            "import { x } from './snippets/a-0/pkg/sub/x.js';\n",
            "import { x } from './snippets/a-0/pkg/y.js';\n",
            "export { x as y };\n",
            "export const x = 1;\n",
        ] {
            assert!(as_function(glue, &Renamed::default()).is_err(), "{glue}");
        }
    }
}
