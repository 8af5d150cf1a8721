//! How often one credential may be challenged and verified.

use std::collections::BTreeMap;

use crate::{
    clock::Millis,
    errors::{Code, GridError, Reason, Result},
    operation::Operation,
    options::{RateLimit, millis},
};

/// When each credential was challenged and verified.
#[derive(Default)]
pub(crate) struct RateLimits(BTreeMap<(Operation, String), Vec<Millis>>);

impl RateLimits {
    /// Counts a request, or refuses it with the time after which one more is allowed.
    pub(crate) fn admit(
        &mut self,
        operation: Operation,
        credential_id: &str,
        limit: RateLimit,
        now: Millis,
    ) -> Result<()> {
        let window = millis(limit.per);
        let visits = self
            .0
            .entry((operation, credential_id.to_owned()))
            .or_default();
        visits.retain(|visit| now.saturating_sub(*visit) < window);
        if visits.len() >= limit.requests {
            // The oldest of the last `requests` visits has to leave the window first.
            let first_to_leave = visits.iter().rev().nth(limit.requests.saturating_sub(1));
            let free_at = first_to_leave
                .copied()
                .unwrap_or(now)
                .saturating_add(window);
            let wait_ms = u64::try_from(free_at.saturating_sub(now)).unwrap_or(0);
            return Err(GridError {
                retry_after_seconds: Some(wait_ms.div_ceil(1000)),
                ..GridError::new(
                    Code::RateLimited,
                    Reason::TooManyRequests,
                    "too many requests for this credential",
                )
            });
        }
        visits.push(now);
        Ok(())
    }
}
