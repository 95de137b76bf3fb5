//! Job counts by state: commands, and parsing of their replies.

use redis::{Cmd, Pipeline, Value};

use crate::queues::key::QueueKey;
use crate::queues::markers;
use vigie_redis::reply::{bytes, count, list};

/// A state in which a job stays. Each job is in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ready to run.
    Waiting,
    /// Running.
    Active,
    /// Not due yet.
    Delayed,
    /// Ready to run, by priority.
    Prioritized,
    /// Ready to run once the queue is resumed.
    Paused,
    /// A parent whose children have not all ended.
    WaitingChildren,
}

impl State {
    /// All states, in the order of [`Levels::states`].
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Active,
        Self::Delayed,
        Self::Prioritized,
        Self::Paused,
        Self::WaitingChildren,
    ];

    /// The name used by BullMQ and in the label `state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::Prioritized => "prioritized",
            Self::Paused => "paused",
            Self::WaitingChildren => "waiting-children",
        }
    }
}

/// The jobs of a queue by state. `None`: a key holds an unexpected type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Jobs by state, in the order of [`State::ALL`].
    pub states: [Option<u64>; 6],
    /// Retained completed and failed jobs; not the number of outcomes.
    pub retained: [Option<u64>; 2],
    /// Whether the queue is paused.
    pub paused: Option<bool>,
    /// Maximum number of active jobs across all workers; `None`: no limit.
    pub concurrency: Option<u64>,
    /// Maximum number of jobs started per rate limit window across all workers; `None`: no limit.
    pub rate: Option<u64>,
}

impl Levels {
    /// The levels of an empty queue.
    pub(crate) const NONE: Self = Self {
        states: [Some(0); 6],
        retained: [Some(0); 2],
        paused: Some(false),
        concurrency: None,
        rate: None,
    };

    /// The jobs in one state.
    #[must_use]
    pub fn get(&self, state: State) -> Option<u64> {
        // `ALL` has the order of the declaration.
        self.states[state as usize]
    }

    /// Whether the concurrency limit is reached; `None`: no limit, or unknown levels.
    #[must_use]
    pub fn concurrency_reached(&self) -> Option<bool> {
        Some(self.get(State::Active)? >= self.concurrency?)
    }

    /// All jobs that have not ended; `None` if some are unknown.
    pub(crate) fn in_flight(&self) -> Option<u64> {
        self.states.iter().copied().sum()
    }

    /// Whether all levels are known.
    pub(crate) fn are_known(&self) -> bool {
        let mut jobs = self.states.iter().chain(&self.retained);
        jobs.all(Option::is_some)
    }
}

/// Number of commands that [`append`] adds without the search for markers.
const PLAIN: usize = 9;
const SEARCH: usize = PLAIN + SEARCHED.len();

/// Lists that may contain markers, and the number of entries searched from the end. In `wait` and `paused`, only jobs
/// added with `lifo` come after a marker. In `active`, markers left by killed workers move to the end as jobs finish.
const SEARCHED: [(&str, i64); 3] = [("wait", 64), ("paused", 64), ("active", 1_000)];

/// The number of replies for one queue.
pub(crate) const fn replies(markers: bool) -> usize {
    if markers { SEARCH } else { PLAIN }
}

/// Appends the commands for one queue.
///
/// With `markers`, the ends of the lists are also searched for [markers].
pub(crate) fn append(pipeline: &mut Pipeline, queue: &QueueKey, markers: bool) {
    for list in ["wait", "paused", "active"] {
        pipeline.cmd("LLEN").arg(queue.part(list));
    }
    for set in [
        "prioritized",
        "delayed",
        "waiting-children",
        "completed",
        "failed",
    ] {
        pipeline.cmd("ZCARD").arg(queue.part(set));
    }
    pipeline.cmd("HMGET").arg(queue.part("meta"));
    pipeline.arg("paused").arg("concurrency").arg("max");
    if markers {
        pipeline.arg("version");
        for (list, tail) in SEARCHED {
            pipeline.cmd("LRANGE").arg(queue.part(list));
            pipeline.arg(-tail).arg(-1);
        }
    }
}

/// Parses the replies. Returns the levels, and whether to search for markers next time.
pub(crate) fn read(replies: &[Value]) -> (Levels, bool) {
    let reply = |at: usize| replies.get(at).unwrap_or(&Value::Nil);
    let number = |at| count(reply(at));
    let meta = list(reply(8));
    let field = |at: usize| meta.and_then(|fields| bytes(fields.get(at)?));
    // A queue never returns to a version that uses markers.
    let searched = replies.len() > PLAIN;
    let old = searched && is_old(field(3));
    let [wait, held, active] = [0, 1, 2].map(|at| {
        let markers = match searched {
            true => markers::count(reply(PLAIN + at)),
            false => Some(0),
        };
        // Without markers in this version, a failed search is irrelevant.
        let markers = markers.or((!old).then_some(0));
        number(at).zip(markers)
    });
    let marked = [wait, held, active]
        .iter()
        .flatten()
        .any(|(_, markers)| *markers > 0);
    let [wait, held, active] = [wait, held, active]
        .map(|list| list.map(|(entries, markers)| entries.saturating_sub(markers)));
    let flag = meta.map(|_| field(0).is_some());
    // From version 6 on, paused jobs stay in `wait`; earlier versions move them to `paused`, where some may remain
    // after an upgrade.
    let (waiting, paused) = match (flag, wait, held) {
        (Some(true), Some(wait), Some(held)) => (Some(0), Some(wait + held)),
        (Some(true), ..) => (None, None),
        (Some(false), ..) | (None, Some(0), _) => (wait, held),
        // It is unknown whether the jobs in `wait` are paused.
        (None, ..) => (None, None),
    };
    let levels = Levels {
        states: [waiting, active, number(4), number(3), paused, number(5)],
        retained: [number(6), number(7)],
        paused: flag,
        concurrency: field(1).and_then(bound),
        rate: field(2).and_then(bound),
    };
    (levels, old || marked)
}

/// Rounds a limit up: BullMQ accepts fractional limits.
fn bound(text: &[u8]) -> Option<u64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number >= 0.0).then(|| number.ceil() as u64)
}

/// Whether this version uses markers. Versions 1 and 2 do not store a version.
fn is_old(version: Option<&[u8]>) -> bool {
    is_before(version, [5, 0, 0])
}

/// Whether the version in `meta` is older than `than`, or absent.
pub(crate) fn is_before(version: Option<&[u8]>, than: [u32; 3]) -> bool {
    let number = version
        .and_then(|version| std::str::from_utf8(version).ok())
        .and_then(|version| version.rsplit(':').next());
    let mut parts = number.unwrap_or_default().split(['.', '-']);
    let mut part = || parts.next().and_then(|part| part.parse().ok());
    let Some(major) = part() else {
        return true;
    };
    [major, part().unwrap_or(0), part().unwrap_or(0)] < than
}

/// Counts the remaining keys of a queue.
pub(crate) fn ask_exists(queue: &QueueKey) -> Cmd {
    let mut command = redis::cmd("EXISTS");
    for part in ["meta", "id", "events"] {
        command.arg(queue.part(part));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::entry::tests::bulk;
    use proptest::prelude::*;

    fn replies_of(sizes: [i64; 8], paused: bool, version: &str, tails: &[&[&str]]) -> Vec<Value> {
        let mut replies: Vec<Value> = sizes.map(Value::Int).to_vec();
        let flag = if paused { bulk("1") } else { Value::Nil };
        let meta = vec![flag, Value::Nil, Value::Nil, bulk(version)];
        replies.push(Value::Array(meta));
        let none: &[&str] = &[];
        for at in 0..if tails.is_empty() { 0 } else { SEARCHED.len() } {
            let tail = tails.get(at).unwrap_or(&none);
            replies.push(Value::Array(tail.iter().map(|entry| bulk(entry)).collect()));
        }
        replies
    }

    #[test]
    fn as_many_commands_as_replies() {
        for markers in [false, true] {
            let mut pipeline = redis::pipe();
            append(&mut pipeline, &QueueKey::new("bull", "q"), markers);
            assert_eq!(pipeline.len(), replies(markers));
        }
    }

    #[test]
    fn the_order_of_states_is_that_of_the_declaration() {
        for (at, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(at, state as usize);
        }
    }

    #[test]
    fn every_state_has_its_own_key() {
        let (levels, again) = read(&replies_of(
            [1, 0, 2, 3, 4, 5, 6, 7],
            false,
            "bullmq:5.81.5",
            &[],
        ));
        let by_state = State::ALL.map(|state| (state.as_str(), levels.get(state)));
        let expected = [
            ("waiting", Some(1)),
            ("active", Some(2)),
            ("delayed", Some(4)),
            ("prioritized", Some(3)),
            ("paused", Some(0)),
            ("waiting-children", Some(5)),
        ];
        assert_eq!(by_state, expected);
        assert_eq!(levels.retained, [Some(6), Some(7)]);
        assert_eq!(levels.paused, Some(false));
        assert!(!again);
    }

    #[test]
    fn a_pause_holds_jobs_back_in_every_version() {
        let levels = |sizes, paused| {
            let (levels, _) = read(&replies_of(sizes, paused, "bullmq:6.7.0", &[]));
            assert_eq!(levels.paused, Some(paused));
            (levels.get(State::Waiting), levels.get(State::Paused))
        };
        assert_eq!(levels([4, 0, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(4)));
        assert_eq!(levels([0, 3, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(3)));
        assert_eq!(levels([4, 3, 0, 0, 0, 0, 0, 0], true), (Some(0), Some(7)));
        // Left behind by an upgrade.
        assert_eq!(levels([4, 3, 0, 0, 0, 0, 0, 0], false), (Some(4), Some(3)));
    }

    #[test]
    fn markers_are_no_jobs() {
        let waiting = |tail: &[&str], version| {
            let (levels, again) = read(&replies_of(
                [3, 0, 0, 0, 0, 0, 0, 0],
                false,
                version,
                &[tail, &[]],
            ));
            (levels.get(State::Waiting), again)
        };
        let four = "bullmq:4.18.3";
        assert_eq!(
            waiting(&["2", "0:1795425686973", "3"], four),
            (Some(2), true)
        );
        assert_eq!(waiting(&["1", "2", "0:0"], four), (Some(2), true));
        assert_eq!(waiting(&["1", "2", "3"], four), (Some(3), true));
        // A custom job id.
        assert_eq!(waiting(&["1", "0:mine", "3"], four), (Some(3), true));
        // Left behind by an upgrade: searched for until it is gone.
        let six = "bullmq:6.7.0";
        assert_eq!(waiting(&["1", "2", "0:0"], six), (Some(2), true));
        assert_eq!(waiting(&["1", "2", "3"], six), (Some(3), false));
        assert_eq!(waiting(&["1", "2", "3"], "?"), (Some(3), true));
    }

    #[test]
    fn markers_that_killed_workers_left_are_not_active() {
        let active = ["0:0", "7", "0:0", "0:1795425686973", "6"];
        let four = "bullmq:4.18.3";
        let sizes = [1, 0, 5, 0, 0, 0, 0, 0];
        let (levels, again) = read(&replies_of(sizes, false, four, &[&["0:0"], &[], &active]));
        assert_eq!(levels.get(State::Waiting), Some(0));
        assert_eq!(levels.get(State::Active), Some(2));
        assert!(again);
    }

    #[test]
    fn a_reply_that_is_missing_makes_its_level_unknown() {
        let all = |version| replies_of([4, 0, 5, 1, 1, 1, 1, 1], false, version, &[&["9"]]);
        let (four, five) = ("bullmq:4.18.3", "bullmq:5.0.0");
        // The ends of the lists.
        let mut replies = all(four);
        replies[PLAIN..].fill(Value::Okay);
        let (levels, _) = read(&replies);
        assert_eq!(levels.states, [None, None, Some(1), Some(1), None, Some(1)]);
        let mut replies = all(five);
        replies[PLAIN..].fill(Value::Okay);
        assert_eq!(read(&replies).0.get(State::Waiting), Some(4));
        // The pause flag.
        let mut replies = all(five);
        replies[8] = Value::Okay;
        let (levels, _) = read(&replies);
        assert_eq!((levels.get(State::Waiting), levels.paused), (None, None));
        assert_eq!(levels.get(State::Active), Some(5));
        replies[0] = Value::Int(0);
        assert_eq!(read(&replies).0.get(State::Waiting), Some(0));
    }

    #[test]
    fn versions_are_compared() {
        let before = |version: &str| is_before(Some(version.as_bytes()), [5, 12, 12]);
        assert!(before("bullmq:4.18.3") && before("bullmq:5.12.11") && before("bullmq:5.9.99"));
        assert!(before("") && before("bullmq-pro") && is_before(None, [5, 0, 0]));
        assert!(!before("bullmq:5.12.12") && !before("bullmq-pro:7.0.0-beta.1"));
    }

    #[test]
    fn bounds_of_the_queue() {
        let bounded = |active, concurrency: &str, max| {
            let mut replies = replies_of([9, 0, active, 0, 0, 0, 0, 0], false, "", &[]);
            replies[8] = Value::Array(vec![Value::Nil, bulk(concurrency), max]);
            let (levels, _) = read(&replies);
            (
                levels.concurrency,
                levels.concurrency_reached(),
                levels.rate,
            )
        };
        assert_eq!(bounded(2, "3", Value::Nil), (Some(3), Some(false), None));
        assert_eq!(
            bounded(3, "3", bulk("100")),
            (Some(3), Some(true), Some(100))
        );
        assert_eq!(bounded(2, "2.5", bulk("-1")), (Some(3), Some(false), None));
        assert_eq!(bounded(0, "0", bulk("many")), (Some(0), Some(true), None));
        assert_eq!(bounded(9, "nan", Value::Nil), (None, None, None));
        assert_eq!(bounded(-1, "3", Value::Nil), (Some(3), None, None));
    }

    #[test]
    fn a_key_of_another_type_is_unknown_and_not_zero() {
        let mut replies = replies_of([1, 0, 2, 3, 4, 5, 6, 7], true, "bullmq:5.0.0", &[]);
        replies[0] = Value::Nil;
        replies[3] = Value::Nil;
        let (levels, _) = read(&replies);
        assert_eq!(levels.get(State::Waiting), None);
        assert_eq!(levels.get(State::Paused), None);
        assert_eq!(levels.get(State::Prioritized), None);
        assert_eq!(levels.get(State::Active), Some(2));
    }

    proptest! {
        #[test]
        fn any_replies_are_taken(numbers in prop::collection::vec(any::<i64>(), 0..12), paused: bool) {
            let mut replies: Vec<_> = numbers.into_iter().map(Value::Int).collect();
            if paused && replies.len() > 8 {
                replies[8] = Value::Array(vec![bulk("1")]);
            }
            read(&replies);
        }
    }
}
