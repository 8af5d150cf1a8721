//! The versions of the tools that do not come out of a lock file. Those of the npm tools are in
//! `tools/package.json`, that of Rust is in `rust-toolchain.toml`.

/// The command line tool, which must be of exactly the version of the `wasm-bindgen` crate.
pub(crate) const WASM_BINDGEN: &str = "0.2.130";
pub(crate) const WASM_PACK: &str = "0.15.1";
pub(crate) const CARGO_FUZZ: &str = "0.13.2";
pub(crate) const CARGO_DENY: &str = "0.20.2";
pub(crate) const CARGO_MUTANTS: &str = "27.1.0";
pub(crate) const GECKODRIVER: &str = "0.37.1";
/// The oldest Node.js that the package supports: major and minor.
pub(crate) const NODE: (u32, u32) = (20, 19);

#[cfg(test)]
mod tests {
    use super::WASM_BINDGEN;

    #[test]
    fn wasm_bindgen_tool_matches_the_crate() {
        let locked = include_str!("../../Cargo.lock")
            .lines()
            .skip_while(|line| *line != r#"name = "wasm-bindgen""#)
            .nth(1);
        assert_eq!(
            locked,
            Some(format!(r#"version = "{WASM_BINDGEN}""#).as_str())
        );
    }
}
