//! What time it is at Grid, learnt from its answers.
//!
//! Challenges, quotes, sessions and tokens live by Grid's time, and are judged here. A device
//! whose clock is a little off must not notice; one whose clock is wrong must be told so, rather
//! than that everything has run out.

use alloc::rc::Rc;
use core::cell::Cell;

use crate::{
    error::{Error, ErrorCode, Result, filled},
    ports::Clock,
};

/// A device's clock that differs by more is wrong.
const MAX_OFFSET_MS: i64 = 2 * 60 * 1000;

/// This device's clock, and how far it is off.
pub struct ServerClock {
    device: Rc<dyn Clock>,
    /// Nothing until an answer has told.
    offset_ms: Cell<Option<i64>>,
}

impl ServerClock {
    /// A clock that is believed until an answer says otherwise.
    pub fn new(device: Rc<dyn Clock>) -> Self {
        Self {
            device,
            offset_ms: Cell::new(None),
        }
    }

    /// This device's clock.
    pub fn device(&self) -> &Rc<dyn Clock> {
        &self.device
    }

    /// Milliseconds since 1970 at Grid, as far as that is known.
    ///
    /// Whoever answers can name any time, so it moves this by no more than what a right clock may
    /// differ by: [`Self::check`] is for the rest.
    pub fn now_ms(&self) -> i64 {
        let offset_ms = self.offset_ms.get().unwrap_or(0);
        let believed_ms = offset_ms.clamp(MAX_OFFSET_MS.saturating_neg(), MAX_OFFSET_MS);
        self.device.now_ms().saturating_add(believed_ms)
    }

    /// How far [`Self::now_ms`] may be wrong where the clock is right enough to go on.
    pub fn uncertainty_ms(&self) -> i64 {
        match self.offset_ms.get() {
            Some(offset_ms) if offset_ms.saturating_abs() <= MAX_OFFSET_MS => 0,
            Some(_) | None => MAX_OFFSET_MS,
        }
    }

    /// An answer that has just arrived was made at `server_ms`. `sent_ms` is when its request went
    /// out, by this device's clock.
    ///
    /// It was made some time between: only what lies outside of that is the clock's. A `Date` has
    /// whole seconds.
    pub fn learn(&self, server_ms: i64, sent_ms: i64) {
        const RESOLUTION_MS: i64 = 1000;
        let received_ms = self.device.now_ms();
        let latest_ms = server_ms.saturating_add(RESOLUTION_MS);
        self.offset_ms.set(Some(if latest_ms < sent_ms {
            latest_ms.saturating_sub(sent_ms)
        } else if server_ms > received_ms {
            server_ms.saturating_sub(received_ms)
        } else {
            0
        }));
    }

    /// Refuses to go on with a clock that is wrong: `clock_wrong`.
    ///
    /// Once: one false date must not end everything that checks before it asks. The next attempt
    /// goes by the device, and the next answer teaches again.
    pub fn check(&self) -> Result<()> {
        if self.offset_ms.get().unwrap_or(0).saturating_abs() > MAX_OFFSET_MS {
            self.offset_ms.set(None);
            Err(wrong(
                "This device's clock differs from Grid's by more than two minutes",
            ))
        } else {
            Ok(())
        }
    }

    /// Refuses what had run out when it arrived: `clock_wrong`, or `challenge_expired` where the
    /// clock is known to be right.
    pub fn check_fresh(&self, expires_at_ms: i64) -> Result<()> {
        self.check()?;
        if self.now_ms() < expires_at_ms {
            return Ok(());
        }
        Err(match self.offset_ms.get() {
            Some(_) => Error::new(
                ErrorCode::ChallengeExpired,
                "the challenge had run out when it arrived: start again",
            ),
            None => wrong("Grid's challenge has run out at its arrival, by this device's clock"),
        })
    }
}

/// What is wrong with the clock, and what to do.
pub fn wrong(what: &str) -> Error {
    Error::new(
        ErrorCode::ClockWrong,
        filled("{}: correct the device's date and time", &[what]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::LocalFuture;

    struct Fixed(Cell<i64>);

    impl Clock for Fixed {
        fn now_ms(&self) -> i64 {
            self.0.get()
        }

        fn sleep(&self, _: u64) -> LocalFuture<'static, ()> {
            Box::pin(async {})
        }

        fn spawn(&self, _: LocalFuture<'static, ()>) {}
    }

    const NOW: i64 = 1_775_681_700_000;

    fn offset(server_ms: i64, sent_ms: i64) -> i64 {
        let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
        clock.learn(server_ms, sent_ms);
        clock.now_ms().saturating_sub(NOW)
    }

    #[test]
    fn only_what_the_way_cannot_explain_is_the_clocks() {
        // The answer took four seconds; it may have been made at any time in them.
        for server_ms in [NOW - 4999, NOW - 4000, NOW - 1, NOW] {
            assert_eq!(offset(server_ms, NOW - 4000), 0, "{server_ms}");
        }
        assert_eq!(offset(NOW + 5000, NOW - 4000), 5000);
        assert_eq!(offset(NOW - 9000, NOW - 4000), -4000);
    }

    #[test]
    fn a_clock_is_wrong_from_two_minutes() {
        for (server_ms, is_right) in [
            (NOW + 120_000, true),
            (NOW + 120_001, false),
            (NOW - 121_000, true),
            (NOW - 121_001, false),
        ] {
            let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
            clock.learn(server_ms, NOW);
            assert_eq!(clock.check().is_ok(), is_right, "{server_ms}");
            assert!(clock.check().is_ok(), "it is told once");
            clock.learn(server_ms, NOW);
            assert_eq!(
                clock.check_fresh(server_ms + 300_000).is_ok(),
                is_right,
                "{server_ms}"
            );
        }
    }

    /// One false date must not end what is running, nor prolong it.
    #[test]
    fn a_false_date_moves_time_by_two_minutes_at_most() {
        for (server_ms, expected) in [
            (NOW + 3_600_000, NOW + 120_000),
            (NOW - 3_600_000, NOW - 120_000),
            (i64::MAX, NOW + 120_000),
            (i64::MIN, NOW - 120_000),
        ] {
            let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
            clock.learn(server_ms, NOW);
            assert_eq!(clock.now_ms(), expected);
            assert_eq!(clock.check().unwrap_err().code(), ErrorCode::ClockWrong);
            clock.learn(NOW, NOW);
            assert!(clock.check().is_ok());
        }
    }

    #[test]
    fn an_untold_clock_may_be_off() {
        let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
        assert_eq!(clock.uncertainty_ms(), 120_000);
        let error = clock.check_fresh(NOW).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClockWrong);
        clock.learn(NOW, NOW);
        assert_eq!(clock.uncertainty_ms(), 0);
        clock.learn(NOW + 120_000, NOW);
        assert_eq!(clock.uncertainty_ms(), 0);
        // Told to be wrong, it is no more certain than untold.
        clock.learn(NOW + 120_001, NOW);
        assert_eq!(clock.uncertainty_ms(), 120_000);
    }

    #[test]
    fn freshness_is_judged_by_the_servers_time() {
        let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
        clock.learn(NOW + 60_000, NOW);
        assert!(clock.check_fresh(NOW + 60_001).is_ok());
        // The clock is known to be right, so it is the challenge.
        let error = clock.check_fresh(NOW + 60_000).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ChallengeExpired);
        // A later answer knows better.
        clock.learn(NOW, NOW);
        assert!(clock.check_fresh(NOW + 1).is_ok());
    }
}
