//! The schedule of a periodic task, which survives commands that break the connection.

use std::time::Duration;

use tokio::time::Instant;

/// After this many broken connections in a row, a command is only retried after `BROKEN`: some proxies close the
/// connection on an unknown command. Meanwhile levels are counted.
const BREAKS: u32 = 3;
const BROKEN: Duration = Duration::from_secs(60);

/// The schedule of a periodic task.
pub(crate) struct Schedule {
    pub(crate) next: Instant,
    /// The number of consecutive starts that did not complete.
    breaks: u32,
}

impl Schedule {
    pub(crate) fn now() -> Self {
        let next = Instant::now();
        Self { next, breaks: 0 }
    }

    /// After a reconnect, the task is due at once, unless it repeatedly broke the connection.
    pub(crate) fn restart(&mut self) {
        if self.breaks < BREAKS {
            self.next = Instant::now();
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    pub(crate) fn begin(&mut self) {
        self.breaks += 1;
        self.next = Instant::now() + BROKEN;
    }

    pub(crate) fn end(&mut self, every: Duration) {
        self.breaks = 0;
        self.next = Instant::now() + every;
    }
}
