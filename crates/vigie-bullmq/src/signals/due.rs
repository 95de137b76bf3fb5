//! Overdue delayed jobs and runs of job schedulers.

use crate::protocol::values::{millis, scored};
use crate::signals::ask::{Ask, Replies};
use crate::signals::clock::Since;
use vigie_redis::reply::{bytes, count, list};

/// Grace period in milliseconds after which a delayed job is overdue: workers sleep up to 5 s.
const GRACE: u64 = 5_000;
/// A score is the due time of the job in milliseconds multiplied by this, plus a counter.
const DELAYED: u64 = 4096;
/// Schedulers inspected, by earliest due time.
const SCHEDULERS: usize = 100;

pub(super) enum Delayed {
    First,
    Overdue,
    Known(u64),
    Unknown,
}

impl Delayed {
    pub(super) fn new(any: bool) -> Self {
        match any {
            true => Self::First,
            false => Self::Known(0),
        }
    }

    pub(super) fn ask(&self, now: u64, ask: &mut Ask<'_>) {
        match self {
            Self::First => ask.first("delayed"),
            Self::Overdue => {
                let before = now.saturating_sub(GRACE).saturating_mul(DELAYED);
                let range = ask.of_part("ZCOUNT", "delayed").arg("-inf");
                range.arg(format!("({before}"));
            }
            Self::Known(_) | Self::Unknown => {}
        }
    }

    pub(super) fn take(&mut self, now: u64, replies: &mut Replies<'_>) {
        *self = match self {
            Self::First => match scored(replies.next()) {
                None => Self::Unknown,
                Some(first) => match first.first() {
                    Some((_, score)) if is_before(*score, now) => Self::Overdue,
                    _ => Self::Known(0),
                },
            },
            Self::Overdue => count(replies.next()).map_or(Self::Unknown, Self::Known),
            Self::Known(_) | Self::Unknown => return,
        };
    }

    pub(super) fn overdue(&self) -> Option<u64> {
        match self {
            Self::Known(jobs) => Some(*jobs),
            _ => None,
        }
    }
}

fn is_before(score: f64, now: u64) -> bool {
    score < now.saturating_sub(GRACE) as f64 * DELAYED as f64
}

/// A scheduler whose next run is overdue, and its due time.
struct Late {
    id: Box<[u8]>,
    due: u64,
}

enum Step {
    Count,
    All,
    Each(Vec<Late>),
    Over,
}

pub(super) struct Schedulers {
    step: Step,
    has_clock: bool,
    count: Option<u64>,
    late: Option<Since>,
}

impl Schedulers {
    /// Without a clock, schedulers are only counted.
    pub(super) fn new(has_clock: bool) -> Self {
        Self {
            step: Step::Count,
            has_clock,
            count: None,
            late: None,
        }
    }

    pub(super) fn ask(&self, now: u64, ask: &mut Ask<'_>) {
        match &self.step {
            // Sufficient for most queues.
            Step::Count => drop(ask.of_part("ZCARD", "repeat")),
            Step::All => {
                let range = ask.of_part("ZRANGEBYSCORE", "repeat");
                range.arg("-inf").arg(now).arg("WITHSCORES");
                range.arg("LIMIT").arg(0).arg(SCHEDULERS);
            }
            Step::Each(late) => {
                for Late { id, due } in late {
                    let scheduler = [&b"repeat:"[..], id].concat();
                    let fields = ["limit", "ic", "endDate"];
                    ask.of_job("HMGET", &scheduler, "").arg(&fields);
                    let job = format!(":{due}");
                    let fields = ["timestamp", "processedOn"];
                    ask.of_job("HMGET", &scheduler, &job).arg(&fields);
                }
            }
            Step::Over => {}
        }
    }

    pub(super) fn take(&mut self, now: u64, replies: &mut Replies<'_>) {
        let late = |entries: &[(&[u8], f64)]| -> Vec<Late> {
            let entries = entries.iter().map(|(id, due)| Late {
                id: (*id).into(),
                due: *due as u64,
            });
            entries.filter(|scheduler| scheduler.due < now).collect()
        };
        let step = std::mem::replace(&mut self.step, Step::Over);
        match step {
            Step::Count => {
                self.count = count(replies.next());
                match self.count {
                    Some(0) => self.late = Some(Since::Nothing),
                    Some(_) if self.has_clock => self.step = Step::All,
                    _ => {}
                }
            }
            Step::All => match scored(replies.next()).as_deref().map(late) {
                None => {}
                Some(all) if all.is_empty() => self.late = Some(Since::Nothing),
                Some(all) => self.step = Step::Each(all),
            },
            Step::Each(all) => {
                let mut latest = Some(Since::Nothing);
                for scheduler in all {
                    let fields = (list(replies.next()), list(replies.next()));
                    let (Some(hash), Some(job)) = fields else {
                        latest = None;
                        continue;
                    };
                    if !has_ended(hash, job, now) {
                        latest = latest.map(|latest| latest.or_before(scheduler.due));
                    }
                }
                self.late = latest;
            }
            Step::Over => {}
        }
    }

    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    pub(super) fn late(&self) -> Option<Since> {
        self.late
    }
}

/// Whether a scheduler has had its last run: BullMQ leaves the entry unchanged when that begins.
fn has_ended(scheduler: &[redis::Value], job: &[redis::Value], now: u64) -> bool {
    let [limit, runs, end] = scheduler else {
        return false;
    };
    let limited =
        matches!((millis(limit), millis(runs)), (Some(limit), Some(runs)) if runs >= limit);
    let over = millis(end).is_some_and(|end| end < now);
    // The last run may still be pending.
    let pending = match job {
        [added, ran] => bytes(added).is_some() && bytes(ran).is_none(),
        _ => false,
    };
    (limited || over) && !pending
}
