//! How many requests arrived.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{http::GridRequest, operation::Operation, state::State};

/// Requests for one operation. In JSON `{"1": 2, "2": 1}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LegCounts {
    /// First legs, and requests that have only one.
    #[serde(rename = "1")]
    pub first: u64,
    /// Signed retries.
    #[serde(rename = "2")]
    pub second: u64,
    /// Third legs, which only the creation of a delegated key has.
    #[serde(rename = "3", skip_serializing_if = "is_zero")]
    pub third: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Counts per operation, refused and faulted requests included.
pub type RequestCounts = BTreeMap<Operation, LegCounts>;

impl State {
    /// Which leg a request is: 1, 2, or 3 in a delegated key's creation.
    pub(crate) fn leg(&self, request: &GridRequest) -> u8 {
        let is_third = request.operation == Operation::CreateDelegatedKey
            && request
                .request_id()
                .is_some_and(|id| self.is_third_leg(&id));
        if is_third { 3 } else { request.leg() }
    }
}

pub(crate) fn count(counts: &mut RequestCounts, operation: Operation, leg: u8) {
    let legs = counts.entry(operation).or_default();
    let count = match leg {
        3 => &mut legs.third,
        2 => &mut legs.second,
        _ => &mut legs.first,
    };
    *count = count.saturating_add(1);
}
