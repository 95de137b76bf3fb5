#![allow(clippy::unwrap_used)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::kubernetes::{Lease, new};

const PERIOD: Duration = Duration::from_secs(9);
/// The timeout of the client.
const DEADLINE: u64 = 3_000;

/// The Lease on the API server: a write names the version that it replaces.
#[derive(Default)]
struct Server {
    object: Option<Value>,
    version: u64,
}

#[derive(Clone, Debug)]
enum Asked {
    Read,
    Create(Value),
    Replace(Value),
}

#[derive(Clone, Debug)]
enum Answer {
    Found(Option<Lease>),
    Written(Lease),
    Conflict,
}

impl Server {
    fn answer(&mut self, asked: Asked) -> Answer {
        let current = self.object.clone();
        match (asked, current) {
            (Asked::Read, current) => Answer::Found(current.map(|it| Lease::of(it).unwrap())),
            (Asked::Create(object), None) => self.keep(object),
            (Asked::Replace(object), Some(current))
                if object["metadata"]["resourceVersion"]
                    == current["metadata"]["resourceVersion"] =>
            {
                self.keep(object)
            }
            _ => Answer::Conflict,
        }
    }

    fn keep(&mut self, mut object: Value) -> Answer {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.object = Some(object.clone());
        Answer::Written(Lease::of(object).unwrap())
    }
}

/// The fate of a request, in milliseconds: the delay until it reaches the server, and until the answer arrives.
#[derive(Clone, Copy, Debug)]
struct Fate {
    there: u64,
    back: u64,
    lost: bool,
    answer_lost: bool,
}

const CALM: Fate = Fate {
    there: 40,
    back: 60,
    lost: false,
    answer_lost: false,
};

fn fate() -> impl Strategy<Value = Fate> {
    let quick = || 0..100_u64;
    // An answer may arrive after the client's timeout, and the request may even be executed later.
    let slow = || prop_oneof![3 => 0..DEADLINE, 1 => 0..30_000_u64];
    let delays = prop_oneof![
        (quick(), quick()),
        (quick(), slow()),
        (slow(), quick()),
        (slow(), slow()),
    ];
    let lost =
        prop_oneof![3 => Just((false, false)), 2 => Just((true, false)), 1 => Just((false, true))];
    (delays, lost).prop_map(|((there, back), (lost, answer_lost))| Fate {
        there,
        back,
        lost,
        answer_lost,
    })
}

/// The network of a process over time: some are disconnected for long, some hardly disturbed.
fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec((fate(), 1..6_usize), 1..6).prop_map(|fates| {
        let times = |(fate, times)| std::iter::repeat_n(fate, times);
        fates.into_iter().flat_map(times).collect()
    })
}

enum Event {
    Step(usize),
    Arrive(usize, u64, Asked, Fate),
    Answer(usize, u64, Answer),
    Deadline(usize, u64),
}

struct Process {
    election: Election<Lease>,
    /// The offset of its clock.
    clock: Instant,
    /// The pending request, and when it was sent.
    asked: Option<(u64, u64)>,
    fates: std::iter::Cycle<std::vec::IntoIter<Fate>>,
    is_alive: bool,
}

struct World {
    server: Server,
    processes: Vec<Process>,
    events: Vec<Option<Event>>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    now: u64,
    sent: u64,
    /// From this time on, nothing is delayed or lost.
    calm: u64,
}

impl World {
    fn new(clocks: &[u64], fates: Vec<Vec<Fate>>, calm: u64) -> Self {
        let start = Instant::now();
        let processes = fates.into_iter().enumerate().map(|(n, fates)| Process {
            election: Election::new(n.to_string(), PERIOD),
            clock: start + Duration::from_millis(clocks[n]),
            asked: None,
            fates: fates.into_iter().cycle(),
            is_alive: true,
        });
        let mut world = Self {
            server: Server::default(),
            processes: processes.collect(),
            events: Vec::new(),
            due: BinaryHeap::new(),
            now: 0,
            sent: 0,
            calm,
        };
        for n in 0..world.processes.len() {
            world.at(n as u64 * 10, Event::Step(n));
        }
        world
    }

    fn at(&mut self, time: u64, event: Event) {
        self.due.push(Reverse((time, self.events.len())));
        self.events.push(Some(event));
    }

    fn clock(&self, n: usize, time: u64) -> Instant {
        self.processes[n].clock + Duration::from_millis(time)
    }

    fn holders(&self) -> Vec<usize> {
        let holds = |n: &usize| {
            let until = self.processes[*n].election.until();
            until.is_some_and(|until| self.clock(*n, self.now) < until)
        };
        (0..self.processes.len()).filter(holds).collect()
    }

    /// Runs until `end`, with a check at each event.
    fn run(&mut self, end: u64, mut look: impl FnMut(&Self)) {
        while let Some(&Reverse((time, event))) = self.due.peek()
            && time <= end
        {
            self.due.pop();
            self.now = time;
            let event = self.events[event].take().unwrap();
            self.happen(event);
            look(self);
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Step(n) => self.step(n),
            Event::Arrive(n, id, asked, fate) => {
                let answer = self.server.answer(asked);
                if !fate.answer_lost {
                    self.at(now + fate.back, Event::Answer(n, id, answer));
                }
            }
            Event::Answer(n, id, answer) => {
                let here = self.clock(n, now);
                let Some(sent) = self.ends(n, id) else { return };
                let asked = self.clock(n, sent);
                let election = &mut self.processes[n].election;
                match answer {
                    Answer::Found(record) => election.found(asked, here, record),
                    Answer::Written(record) => election.written(asked, here, record),
                    Answer::Conflict => election.conflict(asked),
                }
                self.at(now, Event::Step(n));
            }
            Event::Deadline(n, id) => {
                let Some(sent) = self.ends(n, id) else { return };
                let (asked, here) = (self.clock(n, sent), self.clock(n, now));
                self.processes[n].election.failed(asked, here);
                self.at(now, Event::Step(n));
            }
        }
    }

    /// When the request was sent, if it is still pending.
    fn ends(&mut self, n: usize, id: u64) -> Option<u64> {
        let process = &mut self.processes[n];
        let (_, sent) = process.asked.filter(|(asked, _)| *asked == id)?;
        process.asked = None;
        Some(sent)
    }

    fn step(&mut self, n: usize) {
        let (now, here) = (self.now, self.clock(n, self.now));
        let process = &mut self.processes[n];
        if !process.is_alive {
            return;
        }
        let (me, wall) = (
            n.to_string(),
            Timestamp::from_millisecond(now as i64).unwrap(),
        );
        let asked = match process.election.step(here) {
            Step::Wait(until) => {
                let pause = (until - here).as_micros().div_ceil(1_000) as u64;
                assert!(pause > 0, "it spins");
                return self.at(now + pause, Event::Step(n));
            }
            Step::Read => Asked::Read,
            Step::Create => Asked::Create(new("l", &me, PERIOD, wall)),
            Step::Replace(record) => Asked::Replace(record.held_by(&me, PERIOD, wall)),
        };
        self.sent += 1;
        let id = self.sent;
        self.processes[n].asked = Some((id, now));
        let fate = match now < self.calm {
            true => self.processes[n].fates.next().unwrap_or(CALM),
            false => CALM,
        };
        // Requests that are pending when the network recovers are lost.
        let arrives = now + fate.there;
        let is_lost = fate.lost || now < self.calm && arrives >= self.calm;
        if !is_lost {
            self.at(arrives, Event::Arrive(n, id, asked, fate));
        }
        self.at(now + DEADLINE, Event::Deadline(n, id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// There are never two holders, whatever is delayed or lost; once the network works there is one within two
    /// periods, and it stays.
    #[test]
    fn at_most_one_holder_and_soon_one(
        clocks in prop::array::uniform3(0..1_000_000_u64),
        fates in prop::collection::vec(fates(), 1..=3),
        calm in 0..300_000_u64,
        dies in prop::option::of(0..3_usize),
    ) {
        let processes = fates.len();
        let mut world = World::new(&clocks, fates, calm);
        let never_two = |world: &World| assert!(world.holders().len() <= 1, "at {}", world.now);
        world.run(calm, never_two);
        // The holder or another process dies, unless it is the last one.
        if let Some(dead) = dies.filter(|dead| processes > 1 && *dead < processes) {
            world.processes[dead].is_alive = false;
        }
        let period = PERIOD.as_millis() as u64;
        world.run(calm + 2 * period, never_two);
        let elected = world.holders();
        prop_assert_eq!(elected.len(), 1, "{:?}", world.server.object);
        world.run(calm + 5 * period, |world| assert_eq!(world.holders(), elected));
    }
}

#[test]
fn the_number_of_requests_is_minimal() {
    let mut world = World::new(&[0, 5_000, 70], vec![vec![CALM]; 3], 0);
    world.run(90_000, |_| {});
    // In ten periods: thirty renewals, as many reads by each other candidate, and the initial requests.
    assert!((90..=97).contains(&world.sent), "{}", world.sent);
}

fn lease(holder: &str, version: u64) -> Lease {
    let spec =
        json!({"holderIdentity": holder, "leaseDurationSeconds": 4, "leaseTransitions": version});
    let metadata = json!({"resourceVersion": version.to_string()});
    Lease::of(json!({"kind": "Lease", "metadata": metadata, "spec": spec})).unwrap()
}

#[test]
fn a_released_lease_is_taken_at_once_and_a_held_one_when_it_did_not_change_for_its_duration() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut election = Election::new("a".to_owned(), PERIOD);
    assert_eq!(election.step(at(0)), Step::Read);
    election.found(at(0), at(0), Some(lease("b", 1)));
    assert_eq!(election.holder(), Some("b"));
    assert_eq!(election.step(at(0)), Step::Wait(at(3)));
    // A label was added to it.
    assert_eq!(election.step(at(3)), Step::Read);
    let labelled = Lease::of(json!({
        "kind": "Lease", "metadata": {"resourceVersion": "9"},
        "spec": lease("b", 1).held_by("b", PERIOD, Timestamp::UNIX_EPOCH)["spec"],
    }));
    election.found(at(3), at(3), labelled.clone());
    // That one lasts longer, and it changed.
    assert_eq!(election.step(at(3)), Step::Wait(at(6)));
    election.found(at(11), at(11), labelled.clone());
    assert_eq!(
        election.step(at(11)),
        Step::Wait(at(12)),
        "no later than it ends"
    );
    election.found(at(12), at(12), labelled.clone());
    assert_eq!(election.step(at(12)), Step::Replace(labelled.unwrap()));
    assert_eq!(election.until(), None);

    election.conflict(at(12));
    assert_eq!(election.step(at(12)), Step::Read);
    election.found(at(12), at(12), Some(lease("", 3)));
    assert_eq!(election.holder(), None);
    assert_eq!(election.step(at(12)), Step::Replace(lease("", 3)));
    // Two conflicts in a row are enough.
    election.conflict(at(12));
    assert_eq!(election.step(at(12)), Step::Wait(at(15)));
}

#[test]
fn a_tenure_starts_before_the_request_and_ends_when_the_lease_is_lost() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut election = Election::new("a".to_owned(), PERIOD);
    election.found(at(0), at(0), None);
    assert_eq!(election.step(at(0)), Step::Create);
    election.written(at(0), at(2), lease("a", 1));
    assert_eq!(election.until(), Some(at(9)));
    assert_eq!(election.step(at(2)), Step::Wait(at(3)));
    assert_eq!(election.step(at(3)), Step::Replace(lease("a", 1)));
    // No answer: the write may have succeeded.
    election.failed(at(3), at(6));
    assert_eq!(
        (election.until(), election.step(at(6))),
        (Some(at(9)), Step::Read)
    );
    election.found(at(6), at(6), Some(lease("a", 2)));
    assert_eq!(election.step(at(6)), Step::Replace(lease("a", 2)));
    election.conflict(at(6));
    assert_eq!(election.until(), Some(at(9)), "it may have been a label");
    election.found(at(6), at(7), Some(lease("b", 3)));
    assert_eq!(election.until(), None);

    // The Lease was deleted.
    election.written(at(8), at(8), lease("a", 1));
    election.conflict(at(8));
    election.found(at(8), at(8), None);
    assert_eq!(
        (election.until(), election.step(at(8))),
        (None, Step::Create)
    );
}
