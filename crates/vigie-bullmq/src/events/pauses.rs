//! The start of a queue's pause, from its events.
//!
//! Redis stores whether a queue is paused, but not since when. The events do: the id of a `paused` or `resumed` entry
//! is its time. A paused queue may be paused again, which does not start a new pause.

use redis::Value;

use crate::protocol::entry::{Entry, Event};

/// The pauses seen in a queue's events, in milliseconds by the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pauses {
    /// The first pause after the last resume.
    began: Option<u64>,
    /// The last resume.
    ended: Option<u64>,
}

impl Pauses {
    pub(crate) fn paused(&mut self, at: u64) {
        self.began.get_or_insert(at);
    }

    pub(crate) fn resumed(&mut self, at: u64) {
        (self.began, self.ended) = (None, Some(at));
    }

    /// The latest possible start of the current pause; `before`: the result of an earlier call.
    pub(crate) fn since(self, before: Option<u64>) -> Option<u64> {
        let before = before.filter(|since| self.ended.is_none_or(|ended| ended <= *since));
        match (before, self.began) {
            (Some(before), Some(began)) => Some(before.min(began)),
            (before, began) => before.or(began),
        }
    }
}

/// The latest possible start of a pause at `now`, from the last entries, newest first. `None`: the queue is not paused
/// according to them.
pub(crate) fn read_back(entries: &[Value], now: u64) -> Option<u64> {
    let mut began = None;
    // If there is neither event, the pause began before all these entries.
    let mut oldest = now;
    for entry in entries.iter().filter_map(Entry::read) {
        match entry.event {
            Event::Paused => began = Some(entry.id.ms),
            Event::Resumed => return began,
            _ => oldest = oldest.min(entry.id.ms),
        }
    }
    began.or(Some(oldest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::bulk;
    use proptest::prelude::*;

    fn entries(events: &[(u64, &str)]) -> Vec<Value> {
        let entry = |(ms, event): &(u64, &str)| {
            let fields = Value::Array(vec![bulk("event"), bulk(event)]);
            Value::Array(vec![bulk(&format!("{ms}-0")), fields])
        };
        events.iter().rev().map(entry).collect()
    }

    #[test]
    fn a_pause_begins_once() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.since(None), None);
        assert_eq!(pauses.since(Some(5)), Some(5));
        pauses.paused(10);
        pauses.paused(20);
        assert_eq!(pauses.since(None), Some(10));
        assert_eq!(pauses.since(Some(5)), Some(5));
        pauses.resumed(30);
        assert_eq!(pauses.since(Some(5)), None);
        pauses.paused(40);
        assert_eq!(pauses.since(Some(5)), Some(40));
        assert_eq!(pauses.since(Some(40)), Some(40));
    }

    #[test]
    fn a_pause_is_read_back_from_the_remaining_entries() {
        let back = |events: &[(u64, &str)]| read_back(&entries(events), 99);
        assert_eq!(back(&[]), Some(99));
        assert_eq!(back(&[(7, "added"), (8, "waiting")]), Some(7));
        let paused = [
            (5, "resumed"),
            (6, "added"),
            (7, "paused"),
            (8, "paused"),
            (9, "added"),
        ];
        assert_eq!(back(&paused), Some(7));
        assert_eq!(back(&paused[2..]), Some(7));
        assert_eq!(back(&paused[3..]), Some(8));
        assert_eq!(back(&[(6, "paused"), (7, "resumed"), (8, "added")]), None);
    }

    proptest! {
        /// The result is never earlier than the true start, for any retained part of the stream and any first entry
        /// read.
        #[test]
        fn never_longer_than_it_is(
            events in prop::collection::vec(prop_oneof![Just("paused"), Just("resumed"), Just("added")], 1..30),
            left in 0usize..30,
            from in 0usize..30,
        ) {
            let mut events: Vec<_> = (1u64..).zip(events).collect();
            let now = events.len() as u64 + 1;
            events.push((now, "paused"));
            let last_end = events.iter().rposition(|(_, event)| *event == "resumed");
            let begun = events[last_end.map_or(0, |at| at + 1)..].iter();
            let truth = begun.clone().find(|(_, event)| *event == "paused").map(|(ms, _)| *ms);
            let rest = entries(&events[events.len() - left.min(events.len())..]);
            let back = read_back(&rest, now);
            prop_assert!(back >= truth, "{back:?}, not {truth:?}");
            let mut pauses = Pauses::default();
            for (ms, event) in &events[from.min(events.len() - 1)..] {
                match *event {
                    "paused" => pauses.paused(*ms),
                    "resumed" => pauses.resumed(*ms),
                    _ => {}
                }
            }
            prop_assert!(pauses.since(back) >= truth);
        }
    }
}
