//! How many requests are under way at once: in all, for one operation, and for one customer.
//!
//! A Grid that stalls holds each request until its time limit. Without a bound, all that arrive
//! meanwhile would pile up here, each with a connection to Grid and its body.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::operation::Operation;
use crate::refusal::Refusal;

/// The bounds, and what is under way.
pub(crate) struct Concurrency {
    pub(crate) limits: Limits,
    under_way: Arc<Mutex<UnderWay>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) total: usize,
    /// So that what stalls leaves room for what does not.
    pub(crate) per_operation: usize,
    /// So that one customer's page cannot take everybody's room.
    pub(crate) per_user: usize,
}

#[derive(Default)]
struct UnderWay {
    total: usize,
    by_operation: HashMap<&'static str, usize>,
    by_user: HashMap<String, usize>,
}

/// A place among the requests under way. It is free again when this is dropped, also where the
/// client has gone and nobody waits for the answer any more.
pub(crate) struct Place {
    operation: Operation,
    user_id: String,
    under_way: Arc<Mutex<UnderWay>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 512,
            per_operation: 256,
            per_user: 32,
        }
    }
}

impl Concurrency {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            under_way: Arc::default(),
        }
    }

    /// A place for a request, or its refusal: nothing waits for one.
    pub(crate) fn admit(&self, operation: Operation, user_id: &str) -> Result<Place, Refusal> {
        let mut under_way = lock(&self.under_way);
        if count(&under_way.by_user, user_id) >= self.limits.per_user {
            return Err(Refusal::TooManyAtOnce);
        }
        let of_operation = count(&under_way.by_operation, operation.id());
        if under_way.total >= self.limits.total || of_operation >= self.limits.per_operation {
            return Err(Refusal::Busy);
        }
        under_way.total = under_way.total.saturating_add(1);
        enter(&mut under_way.by_operation, operation.id());
        enter(&mut under_way.by_user, user_id.to_owned());
        Ok(Place {
            operation,
            user_id: user_id.to_owned(),
            under_way: Arc::clone(&self.under_way),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        under_way.total = under_way.total.saturating_sub(1);
        leave(&mut under_way.by_operation, self.operation.id());
        leave(&mut under_way.by_user, self.user_id.as_str());
    }
}

fn lock(under_way: &Mutex<UnderWay>) -> MutexGuard<'_, UnderWay> {
    // Counting does not panic half way.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count<K, Q>(counts: &HashMap<K, usize>, key: &Q) -> usize
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    counts.get(key).copied().unwrap_or_default()
}

fn enter<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

/// What is counted down to nothing is forgotten: customers come and go.
fn leave<K, Q>(counts: &mut HashMap<K, usize>, key: &Q)
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    let Some(count) = counts.get_mut(key) else {
        return;
    };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_leaves_nothing_behind() {
        let concurrency = Concurrency::new(Limits {
            total: 3,
            per_operation: 2,
            per_user: 2,
        });
        for _ in 0..100 {
            let admit = |operation, user| concurrency.admit(operation, user);
            let places = [
                admit(Operation::CreateQuote, "a").ok().unwrap(),
                admit(Operation::CreateQuote, "b").ok().unwrap(),
                admit(Operation::GetQuoteById, "a").ok().unwrap(),
            ];
            let refused = admit(Operation::GetQuoteById, "b");
            assert!(matches!(refused, Err(Refusal::Busy)), "the total");
            let refused = admit(Operation::GetQuoteById, "a");
            assert!(matches!(refused, Err(Refusal::TooManyAtOnce)), "the user");
            let [first, ..] = places;
            drop(first);
        }
        let under_way = lock(&concurrency.under_way);
        assert_eq!(under_way.total, 0);
        assert!(under_way.by_operation.is_empty());
        assert!(under_way.by_user.is_empty());
    }

    #[test]
    fn one_operation_leaves_room_for_others() {
        let concurrency = Concurrency::new(Limits {
            total: 3,
            per_operation: 2,
            per_user: 3,
        });
        let admit = |operation| concurrency.admit(operation, "a");
        let _stalled = [
            admit(Operation::ExecuteQuote).ok().unwrap(),
            admit(Operation::ExecuteQuote).ok().unwrap(),
        ];
        let refused = admit(Operation::ExecuteQuote);
        assert!(matches!(refused, Err(Refusal::Busy)));
        assert!(admit(Operation::GetQuoteById).is_ok());
    }
}
