//! The times of packets on a clock that has no steps.

use std::time::Duration;

/// Maps the kernel's times of packets, which are of the clock that people set, to a monotonic clock.
///
/// The difference of the clocks is measured for each block of packets. A step of the clock makes the times of at most one block
/// wrong, and these stay between the previous packet and the time at which the block is read.
#[derive(Debug, Default)]
pub struct Clock {
    /// The time of the last packet.
    last: Duration,
    /// When the block is read, on both clocks.
    monotonic: Duration,
    real: Duration,
}

impl Clock {
    /// A block is read at these times.
    pub fn begin_block(&mut self, monotonic: Duration, real: Duration) {
        self.monotonic = monotonic;
        self.real = real;
    }

    /// The time of the last packet.
    #[must_use]
    pub fn last(&self) -> Duration {
        self.last
    }

    /// The monotonic time of a packet that was captured at this time of the other clock.
    pub fn time(&mut self, captured: Duration) -> Duration {
        let age = self.real.saturating_sub(captured);
        let time = self.monotonic.saturating_sub(age);
        self.last = time.max(self.last);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn times_differ_as_the_packets_do() {
        let mut clock = Clock::default();
        clock.begin_block(ms(1_000), ms(500_100));
        assert_eq!(clock.time(ms(500_020)), ms(920));
        assert_eq!(clock.time(ms(500_050)), ms(950));
        assert_eq!(clock.time(ms(500_100)), ms(1_000));
    }

    #[test]
    fn a_step_of_the_clock_within_a_block_moves_no_packet_out_of_it() {
        for step in [ms(3_600_000), ms(0)] {
            let mut clock = Clock::default();
            clock.begin_block(ms(1_000), ms(8_000_000));
            assert_eq!(clock.time(ms(7_999_990)), ms(990));
            // The clock was set back, or forward, between the two packets of the next block.
            clock.begin_block(ms(1_100), ms(4_400_100) + step);
            let first = clock.time(ms(8_000_010));
            let second = clock.time(ms(4_400_090) + step);
            assert!((ms(990)..=ms(1_100)).contains(&first), "{first:?}");
            assert!(first <= second && second <= ms(1_100), "{second:?}");
        }
    }

    #[test]
    fn a_step_between_two_blocks_changes_nothing() {
        let mut clock = Clock::default();
        clock.begin_block(ms(1_000), ms(8_000_000));
        assert_eq!(clock.time(ms(7_999_990)), ms(990));
        clock.begin_block(ms(1_100), ms(4_000));
        assert_eq!(clock.time(ms(3_950)), ms(1_050));
    }
}
