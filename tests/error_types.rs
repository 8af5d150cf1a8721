//! The codes that TypeScript sees are the codes that there are.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests panic as the tests do"
)]

use std::collections::BTreeSet;

use gridkey::{ErrorCode, Recovery};

const TYPES: &str = include_str!("../src/web/types/error.d.ts");

/// The members of a union of string literals.
fn union(name: &str) -> Vec<&'static str> {
    let (_, rest) = TYPES
        .split_once(&format!("export type {name} ="))
        .unwrap_or_else(|| panic!("{name}"));
    let (members, _) = rest.split_once("\";").unwrap();
    members
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("| \"")?.trim_end_matches('"')))
        .collect()
}

#[test]
fn the_union_of_codes_is_the_enum() {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(union("GridkeyErrorCode"), codes);
}

#[test]
fn the_union_of_recoveries_is_the_enum() {
    let used: BTreeSet<_> = ErrorCode::ALL
        .iter()
        .map(|code| code.recovery())
        .chain([Recovery::Wait, Recovery::OtherMethod])
        .map(Recovery::as_str)
        .collect();
    assert_eq!(union("GridkeyErrorRecovery"), Vec::from_iter(used));
}
