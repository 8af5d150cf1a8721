//! How many requests arrived.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::operation::Operation;

/// Requests for one operation. In JSON `{"1": 2, "2": 1}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LegCounts {
    /// First legs, and requests that have only one.
    #[serde(rename = "1")]
    pub first: u64,
    /// Signed retries.
    #[serde(rename = "2")]
    pub second: u64,
}

/// Counts per operation, refused and faulted requests included.
pub type RequestCounts = BTreeMap<Operation, LegCounts>;

pub(crate) fn count(counts: &mut RequestCounts, operation: Operation, leg: u8) {
    let legs = counts.entry(operation).or_default();
    let count = if leg == 2 {
        &mut legs.second
    } else {
        &mut legs.first
    };
    *count = count.saturating_add(1);
}
