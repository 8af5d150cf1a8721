//! Challenges of passkey registrations between their issue and their use.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::access::Unavailable;

/// A challenge that was issued to a user for a new passkey on one account.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IssuedChallenge {
    /// [`User::id`](crate::User::id) of the user it was issued to.
    pub user_id: String,
    /// The internal account whose passkey it is for.
    pub account_id: String,
    /// 32 random bytes in unpadded base64url.
    pub challenge: String,
    /// When it ceases to be valid. The relay checks this; a store may drop it from then on.
    pub expires_at: SystemTime,
}

impl IssuedChallenge {
    /// A challenge as a store has kept it.
    pub fn new(
        user_id: impl Into<String>,
        account_id: impl Into<String>,
        challenge: impl Into<String>,
        expires_at: SystemTime,
    ) -> Self {
        Self {
            user_id: user_id.into(),
            account_id: account_id.into(),
            challenge: challenge.into(),
            expires_at,
        }
    }
}

/// Keeps challenges until they are used. Relays that share their load need one that they share.
pub trait ChallengeStore: Send + Sync + 'static {
    /// Keeps a challenge.
    fn keep(&self, issued: IssuedChallenge)
    -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// The challenge of this text that was issued to this user and is not used up.
    fn find(
        &self,
        user_id: &str,
        challenge: &str,
    ) -> impl Future<Output = Result<Option<IssuedChallenge>, Unavailable>> + Send;

    /// Removes the challenge and returns it. Of several simultaneous calls one gets it.
    fn take(
        &self,
        user_id: &str,
        challenge: &str,
    ) -> impl Future<Output = Result<Option<IssuedChallenge>, Unavailable>> + Send;
}

/// A [`ChallengeStore`] in the memory of one process, bounded: a user has at most 8 challenges
/// (a further one displaces the oldest), and beyond the total there are no new ones until some
/// expire.
pub struct MemoryChallengeStore {
    max_total: usize,
    by_user: Mutex<HashMap<String, Vec<IssuedChallenge>>>,
}

impl MemoryChallengeStore {
    /// A store of at most `max_total` challenges.
    pub fn new(max_total: usize) -> Self {
        Self {
            max_total,
            by_user: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<IssuedChallenge>>> {
        // Every change below is a single call, so that a panic leaves nothing half done.
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_now(&self, issued: IssuedChallenge) -> Result<(), Unavailable> {
        let mut by_user = self.lock();
        if total(&by_user) >= self.max_total {
            let now = SystemTime::now();
            by_user.retain(|_, challenges| {
                challenges.retain(|challenge| challenge.expires_at > now);
                !challenges.is_empty()
            });
        }
        if let Some(own) = by_user.get_mut(&issued.user_id)
            && own.len() >= MAX_PER_USER
        {
            own.remove(0);
        }
        if total(&by_user) >= self.max_total {
            return Err(Unavailable);
        }
        by_user
            .entry(issued.user_id.clone())
            .or_default()
            .push(issued);
        Ok(())
    }

    fn take_now(&self, user_id: &str, challenge: &str) -> Option<IssuedChallenge> {
        let mut by_user = self.lock();
        let own = by_user.get_mut(user_id)?;
        let index = own
            .iter()
            .position(|issued| issued.challenge == challenge)?;
        let taken = own.remove(index);
        if own.is_empty() {
            by_user.remove(user_id);
        }
        Some(taken)
    }
}

impl Default for MemoryChallengeStore {
    /// A store of at most 10 000 challenges, which is about 2 MB.
    fn default() -> Self {
        Self::new(10_000)
    }
}

impl ChallengeStore for MemoryChallengeStore {
    fn keep(
        &self,
        issued: IssuedChallenge,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send {
        ready(self.keep_now(issued))
    }

    fn find(
        &self,
        user_id: &str,
        challenge: &str,
    ) -> impl Future<Output = Result<Option<IssuedChallenge>, Unavailable>> + Send {
        let by_user = self.lock();
        let found = by_user
            .get(user_id)
            .and_then(|own| own.iter().find(|issued| issued.challenge == challenge))
            .cloned();
        ready(Ok(found))
    }

    fn take(
        &self,
        user_id: &str,
        challenge: &str,
    ) -> impl Future<Output = Result<Option<IssuedChallenge>, Unavailable>> + Send {
        ready(Ok(self.take_now(user_id, challenge)))
    }
}

fn total(by_user: &HashMap<String, Vec<IssuedChallenge>>) -> usize {
    by_user.values().map(Vec::len).sum()
}

const MAX_PER_USER: usize = 8;
