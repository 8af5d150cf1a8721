//! What time it is at Grid, learnt from its answers.
//!
//! Challenges, quotes, sessions and tokens live by Grid's time, and are judged here. A device
//! whose clock is a little off must not notice; one whose clock is wrong must be told so, rather
//! than that everything has run out.

use std::{cell::Cell, rc::Rc};

use crate::{
    error::{Error, ErrorCode, Result},
    ports::Clock,
};

/// A device's clock that differs by more is wrong.
const MAX_OFFSET_MS: i64 = 2 * 60 * 1000;

/// This device's clock, and how far it is off.
pub struct ServerClock {
    device: Rc<dyn Clock>,
    offset_ms: Cell<i64>,
}

impl ServerClock {
    /// A clock that is believed until an answer says otherwise.
    pub fn new(device: Rc<dyn Clock>) -> Self {
        Self {
            device,
            offset_ms: Cell::new(0),
        }
    }

    /// This device's clock.
    pub fn device(&self) -> &Rc<dyn Clock> {
        &self.device
    }

    /// Milliseconds since 1970 at Grid, as far as that is known.
    pub fn now_ms(&self) -> i64 {
        self.device.now_ms().saturating_add(self.offset_ms.get())
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
        self.offset_ms.set(if latest_ms < sent_ms {
            latest_ms.saturating_sub(sent_ms)
        } else if server_ms > received_ms {
            server_ms.saturating_sub(received_ms)
        } else {
            0
        });
    }

    /// Refuses to go on with a clock that is wrong: `clock_wrong`.
    pub fn check(&self) -> Result<()> {
        if self.offset_ms.get().saturating_abs() > MAX_OFFSET_MS {
            Err(wrong(
                "This device's clock differs from Grid's by more than two minutes",
            ))
        } else {
            Ok(())
        }
    }

    /// Refuses what had run out when it arrived: `clock_wrong`.
    pub fn check_fresh(&self, expires_at_ms: i64) -> Result<()> {
        self.check()?;
        if self.now_ms() < expires_at_ms {
            Ok(())
        } else {
            Err(wrong(
                "Grid's challenge has run out at its arrival, by this device's clock",
            ))
        }
    }
}

/// What is wrong with the clock, and what to do.
pub fn wrong(what: &str) -> Error {
    Error::new(
        ErrorCode::ClockWrong,
        format!("{what}: correct the device's date and time"),
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
            assert_eq!(
                clock.check_fresh(server_ms + 300_000).is_ok(),
                is_right,
                "{server_ms}"
            );
        }
    }

    #[test]
    fn freshness_is_judged_by_the_servers_time() {
        let clock = ServerClock::new(Rc::new(Fixed(Cell::new(NOW))));
        clock.learn(NOW + 60_000, NOW);
        assert!(clock.check_fresh(NOW + 60_001).is_ok());
        let error = clock.check_fresh(NOW + 60_000).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClockWrong);
        // A later answer knows better.
        clock.learn(NOW, NOW);
        assert!(clock.check_fresh(NOW + 1).is_ok());
    }
}
