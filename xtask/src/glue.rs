//! Makes wasm-bindgen's glue a function, each call of which gives glue for an instance of its own.
//!
//! As it is generated, the glue is a module with one instance in it for good. The package replaces
//! an instance that trapped, and nothing of the old one may then reach into the new one: no class,
//! no cached view of its memory, no closure that a timer still holds.

use anyhow::{Context as _, Result, bail};

/// `glue` is what wasm-bindgen writes for bundlers: declarations, and no import.
pub(crate) fn as_function(glue: &str) -> Result<String> {
    let mut body = String::new();
    let mut exported = Vec::new();
    for line in glue.lines() {
        let line = match line.strip_prefix("export ") {
            Some(declaration) => {
                exported.push(name_of(declaration).with_context(|| line.to_owned())?);
                declaration
            }
            None if line.starts_with("import ") => bail!("the glue imports something: {line}"),
            None => line,
        };
        body.push_str(line);
        body.push('\n');
    }
    let exported = exported.join(", ");
    Ok(format!(
        "export function createGlue() {{\n{body}return {{ {exported} }};\n}}\n"
    ))
}

fn name_of(declaration: &str) -> Option<&str> {
    let rest = ["function ", "class "]
        .iter()
        .find_map(|keyword| declaration.strip_prefix(keyword))?;
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
    fn what_cannot_stand_in_a_function_is_refused() {
        assert!(as_function("import { x } from './x.js';\n").is_err());
        assert!(as_function("export { x as y };\n").is_err());
        assert!(as_function("export const x = 1;\n").is_err());
    }
}
