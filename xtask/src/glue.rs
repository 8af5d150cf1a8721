//! Makes wasm-bindgen's glue a function, each call of which gives glue for an instance of its own.
//!
//! As it is generated, the glue is a module with one instance in it for good. The package replaces
//! an instance that trapped, and nothing of the old one may then reach into the new one: no class,
//! no cached view of its memory, no closure that a timer still holds.

use anyhow::{Context as _, Result};

/// `glue` is what wasm-bindgen writes for bundlers: declarations, and imports of copies of the
/// package's own modules, in directories that are named by a hash. The modules themselves are
/// imported in their place.
pub(crate) fn as_function(glue: &str) -> Result<String> {
    let mut imports = String::new();
    let mut body = String::new();
    let mut exported = Vec::new();
    for line in glue.lines() {
        let line = match line.strip_prefix("export ") {
            Some(declaration) => {
                exported.push(name_of(declaration).with_context(|| line.to_owned())?);
                declaration
            }
            None if line.starts_with("import ") => {
                let import = import_of(line).with_context(|| line.to_owned())?;
                imports.push_str(&import);
                continue;
            }
            None => line,
        };
        body.push_str(line);
        body.push('\n');
    }
    let exported = exported.join(", ");
    Ok(format!(
        "{imports}export function createGlue() {{\n{body}return {{ {exported} }};\n}}\n"
    ))
}

/// The import of `pkg/x.js` by `pkg/wasm/glue.js`.
fn import_of(line: &str) -> Option<String> {
    let (names, path) = line.strip_prefix("import {")?.split_once("} from ")?;
    let path = path.trim_end_matches(';').trim_matches(['\'', '"']);
    let (_, file) = path.strip_prefix("./snippets/")?.split_once("/pkg/")?;
    (!file.contains('/')).then(|| format!("import {{{names}}} from \"../{file}\";\n"))
}

fn name_of(declaration: &str) -> Option<&str> {
    let rest = ["function ", "class "]
        .iter()
        .find_map(|keyword| declaration.strip_prefix(keyword))
        // An import that needs no glue but a name.
        .or_else(|| {
            declaration
                .strip_prefix("const ")
                .filter(|rest| rest.starts_with("__wbg_"))
        })?;
    let is_part = |character: char| character.is_alphanumeric() || "_$".contains(character);
    let (name, _) = rest.split_once(|character| !is_part(character))?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::as_function;

    #[test]
    fn what_was_exported_is_returned() {
        let glue = "export class Key {\n    free() {}\n}\nlet wasm;\n\
                    export function __wbg_set_wasm(val) {\n    wasm = val;\n}\n";
        assert_eq!(
            as_function(glue).unwrap(),
            "export function createGlue() {\nclass Key {\n    free() {}\n}\nlet wasm;\n\
             function __wbg_set_wasm(val) {\n    wasm = val;\n}\n\
             return { Key, __wbg_set_wasm };\n}\n"
        );
    }

    #[test]
    fn the_packages_own_modules_are_imported() {
        let glue = "import { a, b as b1 } from './snippets/gridkey-0123abcd/pkg/host.js';\n\
                    export const __wbg_f_0 = a.f;\n";
        assert_eq!(
            as_function(glue).unwrap(),
            "import { a, b as b1 } from \"../host.js\";\n\
             export function createGlue() {\nconst __wbg_f_0 = a.f;\nreturn { __wbg_f_0 };\n}\n"
        );
    }

    #[test]
    fn what_cannot_stand_in_a_function_is_refused() {
        assert!(as_function("import { x } from './x.js';\n").is_err());
        assert!(as_function("import * as x from './snippets/a-0/pkg/x.js';\n").is_err());
        assert!(as_function("import { x } from './snippets/a-0/inline0.js';\n").is_err());
        assert!(as_function("import { x } from './snippets/a-0/pkg/sub/x.js';\n").is_err());
        assert!(as_function("export { x as y };\n").is_err());
        assert!(as_function("export const x = 1;\n").is_err());
    }
}
