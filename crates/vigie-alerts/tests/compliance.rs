//! The cases of the compliance suite for alert generators (specification 1.0), on a virtual clock. Its rules are read in
//! place: they are not part of this repository.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use vigie_alerts::engine::{Context, Defaults, Group, Sample, Time, Update};
use vigie_alerts::{Loaded, load};
use vigie_promql::script::notation::{self, Point};
use vigie_promql::storage::{MemoryStorage, Selection};
use vigie_promql::{Engine, Expr, Labels, Matcher, Value};
use vigie_testkit::conformance::{self, Test};

/// The interval of the samples, and that of the groups, which is the tolerance of the suite.
const STEP: i64 = 15_000;
const INTERVAL: i64 = 30_000;
/// The time after which an alert is sent again.
const RESEND: i64 = 60_000;
const RETENTION: i64 = 15 * 60_000;

fn main() -> ExitCode {
    let data = conformance::data("alert-compliance", "ALERT_RULES");
    let tests = CASES.iter().map(|case| -> Test<'static> {
        (
            case.group.to_owned(),
            Box::new(move |directory: &Path| run(case, directory)),
        )
    });
    conformance::run(data, true, tests.collect())
}

/// A case: the series of each rule, and the expected alerts.
struct Case {
    group: &'static str,
    /// The labels besides `rulegroup`, and the values.
    series: &'static [(&'static str, &'static str)],
    /// The number of samples until the end of the case.
    until: i64,
    alerts: &'static [Alert],
}

/// An alert that becomes active once. The times are numbers of samples.
struct Alert {
    /// The rule, without the name of the group.
    rule: &'static str,
    /// The labels besides `alertname` and `rulegroup`.
    labels: &'static [(&'static str, &'static str)],
    pending: i64,
    /// When it fires, if it does.
    firing: Option<i64>,
    inactive: i64,
    /// The values, from a sample on.
    values: &'static [(i64, f64)],
    /// An annotation, from a sample on.
    texts: &'static [(i64, &'static str, &'static str)],
}

const CASES: [Case; 4] = [
    Case {
        group: "PendingAndFiringAndResolved",
        series: &[(
            "alertname=\"PendingAndFiringAndResolved_SimpleAlert\"",
            "3 5x2 9x3 11x12 15x31 19x15 9x19 15x44 8x15",
        )],
        until: 149,
        alerts: &[
            Alert {
                rule: "SimpleAlert",
                labels: &[("foo", "bar")],
                pending: 8,
                firing: Some(32),
                inactive: 69,
                values: &[(8, 11.0), (21, 15.0), (53, 19.0)],
                texts: &[
                    (8, "summary", "The value is 11 11"),
                    (21, "summary", "The value is 15 15"),
                    (53, "summary", "The value is 19 19"),
                ],
            },
            Alert {
                rule: "SimpleAlert",
                labels: &[("foo", "bar")],
                pending: 89,
                firing: Some(113),
                inactive: 134,
                values: &[(89, 15.0)],
                texts: &[(89, "description", "SimpleAlert is firing")],
            },
        ],
    },
    Case {
        group: "PendingAndResolved_AlwaysInactive",
        series: &[
            (
                "alertname=\"PendingAndResolved_AlwaysInactive_PendingAlert\"",
                "3 5x2 9x3 11x10 9",
            ),
            (
                "alertname=\"PendingAndResolved_AlwaysInactive_InactiveAlert\"",
                "3 5x2 9x3 11x10 9",
            ),
        ],
        until: 60,
        alerts: &[Alert {
            rule: "PendingAlert",
            labels: &[("foo", "bar")],
            pending: 8,
            firing: None,
            inactive: 19,
            values: &[(8, 11.0)],
            texts: &[(8, "description", "SimpleAlert is firing")],
        }],
    },
    Case {
        group: "ZeroFor_SmallFor",
        series: &[
            (
                "alertname=\"ZeroFor_SmallFor_ZeroFor\"",
                "3 5x2 9x3 15x12 9x71 11x12 9",
            ),
            (
                "alertname=\"ZeroFor_SmallFor_SmallFor\"",
                "3 5x2 9x3 15x12 9x71 11x12 9",
            ),
            (
                "for=\"template\", id=\"101\", __value__=\"val1\"",
                "1x27 2x200",
            ),
            (
                "for=\"template\", id=\"102\", __value__=\"val2\"",
                "2x27 4x200",
            ),
            (
                "for=\"template\", id=\"103\", __value__=\"val3\"",
                "3x27 6x200",
            ),
        ],
        until: 127,
        alerts: &[
            Alert {
                rule: "ZeroFor",
                labels: &[("foo", "bar")],
                pending: 8,
                firing: Some(8),
                inactive: 21,
                values: &[(8, 15.0)],
                texts: &[
                    (
                        8,
                        "template_test",
                        "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC",
                    ),
                    (
                        8,
                        "template_query_test",
                        "Args are: foo bar 99. first_id:101,101:1,102:2,103:3,",
                    ),
                ],
            },
            Alert {
                rule: "SmallFor",
                labels: &[("ba_dum", "tss")],
                pending: 8,
                firing: Some(10),
                inactive: 21,
                values: &[(8, 15.0)],
                texts: &[(
                    8,
                    "template_test",
                    "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text. .",
                )],
            },
            Alert {
                rule: "ZeroFor",
                labels: &[("foo", "bar")],
                pending: 93,
                firing: Some(93),
                inactive: 106,
                values: &[(93, 11.0)],
                texts: &[(
                    93,
                    "template_query_test",
                    "Args are: foo bar 99. first_id:101,101:2,102:4,103:6,",
                )],
            },
        ],
    },
    Case {
        group: "NewAlerts_OrderCheck",
        series: &[
            (
                "alertname=\"NewAlerts_OrderCheck_Rule1\", variant=\"one\"",
                "1x7 11x64 9x20",
            ),
            (
                "alertname=\"NewAlerts_OrderCheck_Rule1\", variant=\"two\"",
                "1x31 11x32 9x20",
            ),
        ],
        until: 94,
        alerts: &[
            Alert {
                rule: "Rule1",
                labels: &[("foo", "bar"), ("variant", "one")],
                pending: 8,
                firing: Some(20),
                inactive: 73,
                values: &[(8, 11.0)],
                texts: &[(8, "description", "This should produce more alerts later")],
            },
            Alert {
                rule: "Rule1",
                labels: &[("foo", "bar"), ("variant", "two")],
                pending: 32,
                firing: Some(44),
                inactive: 65,
                values: &[(32, 11.0)],
                texts: &[(32, "description", "This should produce more alerts later")],
            },
            Alert {
                rule: "Rule2",
                labels: &[("alertstate", "firing"), ("ba_dum", "tss"), ("foo", "baz")],
                pending: 44,
                firing: Some(44),
                inactive: 65,
                values: &[(44, 2.0)],
                texts: &[(
                    44,
                    "description",
                    "Based on ALERTS. Old alertname was NewAlerts_OrderCheck_Rule1. foo was bar.",
                )],
            },
        ],
    },
];

/// The value that holds at a sample.
fn current<T>(items: &[T], at: i64, from: impl Fn(&T) -> i64) -> &T {
    items
        .iter()
        .rev()
        .find(|item| from(item) <= at)
        .unwrap_or(&items[0])
}

impl Alert {
    fn labels(&self, group: &str) -> Labels {
        let name = format!("{group}_{}", self.rule);
        let own = self
            .labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let given = [
            ("alertname".to_owned(), name),
            ("rulegroup".to_owned(), group.to_owned()),
        ];
        Labels::new(own.chain(given))
    }

    /// Whether it may be in a state at a time: the suite tolerates an interval of the group.
    fn may_be(&self, state: &str, at: Time) -> bool {
        let firing = self.firing.unwrap_or(self.inactive);
        let (from, to) = match state {
            "pending" => (self.pending, firing),
            _ => (firing, self.inactive),
        };
        from < to && (from * STEP..=to * STEP + INTERVAL).contains(&at)
    }

    fn must_be_active(&self, at: Time) -> bool {
        (self.pending * STEP + INTERVAL..self.inactive * STEP).contains(&at)
    }
}

/// Samples in memory.
#[derive(Default)]
struct World(MemoryStorage);

impl Context for World {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        let outcome = Engine::default().instant(&self.0, expr, at, &|| false);
        outcome
            .map(|outcome| outcome.value)
            .map_err(|error| error.to_string())
    }

    fn write(&mut self, samples: &[Sample]) -> Result<(), String> {
        for sample in samples {
            let (time, value) = (sample.time, sample.value);
            self.0
                .insert(&sample.labels, vigie_promql::Sample { time, value });
        }
        Ok(())
    }

    fn unreadable_since(&self, _matchers: &[Matcher], _at: Time) -> Option<Time> {
        None
    }

    fn has_series(&self, _selection: &Selection<'_>) -> bool {
        true
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Sends messages as the specification requires: at once, and again after the resend delay.
#[derive(Default)]
struct Sender {
    /// The time of the last message and the end it had, by alert.
    last: BTreeMap<(Labels, Time), (Time, Option<Time>)>,
    sent: Vec<(Time, Update)>,
}

impl Sender {
    fn send(&mut self, at: Time, updates: impl Iterator<Item = Update>) {
        for update in updates {
            let key = (update.labels.clone(), update.starts_at);
            let due = match self.last.get(&key) {
                None => true,
                Some((sent, ends_at)) => *ends_at != update.ends_at || at - sent >= RESEND,
            };
            if due {
                self.last.insert(key, (at, update.ends_at));
                self.sent.push((at, update));
            }
        }
    }
}

fn run(case: &Case, directory: &Path) {
    let rules = fs::read_to_string(directory.join("rules.yaml")).unwrap();
    let Loaded {
        rules, findings, ..
    } = load(&rules);
    assert_eq!(findings, []);
    let rules = rules
        .groups
        .iter()
        .find(|group| *group.name == *case.group)
        .unwrap();
    // The group may be evaluated at any time between the samples.
    for offset in [0, 1, 7_000, 14_999, 20_000, 29_999] {
        let mut world = World::default();
        for (labels, values) in case.series {
            let series = format!(
                "alert_generator_test_suite{{rulegroup=\"{}\", {labels}}}",
                case.group
            );
            let (labels, _) = notation::series(&series).unwrap();
            for (at, point) in notation::points(values).unwrap().into_iter().enumerate() {
                if let Point::Value(value) = point {
                    let time = at as i64 * STEP;
                    world
                        .0
                        .insert(&labels, vigie_promql::Sample { time, value });
                }
            }
        }
        let mut group = Group::new("rules.yaml", rules, &Defaults::default());
        let mut sender = Sender::default();
        let mut at = offset;
        while at <= case.until * STEP {
            let evaluation = group.evaluate(at, &mut world);
            assert_eq!((evaluation.failures, evaluation.template_failures), (0, 0));
            check_states(case, &group, &world, at);
            sender.send(at, group.updates());
            at += INTERVAL;
        }
        check_sent(case, &sender.sent);
    }
}

/// The alerts of the API and the series of `ALERTS` are the expected ones.
fn check_states(case: &Case, group: &Group, world: &World, at: Time) {
    let mut found = Vec::new();
    let mut series = Vec::new();
    for alert in group.rules().flat_map(|rule| rule.alerts()) {
        let state = alert.state.unwrap().name();
        let same = |wanted: &&Alert| {
            wanted.labels(case.group) == *alert.labels && wanted.may_be(state, at)
        };
        let wanted = case.alerts.iter().find(same);
        let wanted = wanted.unwrap_or_else(|| panic!("{} is {state} at {at}", alert.labels));
        assert!(
            (wanted.pending * STEP..=wanted.pending * STEP + INTERVAL).contains(&alert.active_at)
        );
        let sample = at / STEP;
        assert_eq!(
            alert.value,
            current(wanted.values, sample, |value| value.0).1,
            "at {at}"
        );
        for (name, value) in alert.annotations.iter() {
            let texts: Vec<_> = wanted
                .texts
                .iter()
                .filter(|text| *text.1 == **name)
                .copied()
                .collect();
            if !texts.is_empty() {
                assert_eq!(
                    **value,
                    *current(&texts, sample, |text| text.0).2,
                    "at {at}"
                );
            }
        }
        let expected = alert
            .labels
            .iter()
            .filter(|(name, _)| *name != "alertstate");
        let given = [("__name__", "ALERTS"), ("alertstate", state)];
        series.push(Labels::new(expected.chain(given)));
        found.push(alert.labels.clone());
    }
    for wanted in case.alerts.iter().filter(|alert| alert.must_be_active(at)) {
        assert!(
            found.contains(&wanted.labels(case.group)),
            "{} is inactive at {at}",
            wanted.labels(case.group)
        );
    }
    let Value::Vector(samples) = world
        .query(&vigie_promql::parse("ALERTS").unwrap(), at)
        .unwrap()
    else {
        panic!("ALERTS is not a vector");
    };
    let mut written: Vec<_> = samples.into_iter().map(|sample| sample.labels).collect();
    written.sort();
    series.sort();
    assert_eq!(written, series, "at {at}");
}

/// Every alert that fires is sent when it fires and when it resolves, and again until 15 minutes after its end.
fn check_sent(case: &Case, sent: &[(Time, Update)]) {
    let mut seen = 0;
    for wanted in case.alerts {
        let Some(firing) = wanted.firing else {
            continue;
        };
        let starts = firing * STEP..=firing * STEP + 2 * INTERVAL;
        let of = |(_, update): &&(Time, Update)| {
            update.labels == wanted.labels(case.group) && starts.contains(&update.starts_at)
        };
        let messages: Vec<_> = sent.iter().filter(of).collect();
        seen += messages.len();
        let (first, _) = messages.first().unwrap();
        assert!(starts.contains(first), "sent at {first}");
        assert!(
            messages
                .iter()
                .all(|(_, update)| *update.generator_url == *messages[0].1.generator_url)
        );
        let ended: Vec<_> = messages
            .iter()
            .filter(|(_, update)| update.ends_at.is_some())
            .collect();
        let (resolved, update) = ended.first().unwrap();
        let ends = wanted.inactive * STEP..=wanted.inactive * STEP + INTERVAL;
        assert!(ends.contains(resolved) && update.ends_at == Some(*resolved));
        // Firing messages come before the resolved ones, at most two intervals of the group apart.
        assert!(messages.is_sorted_by_key(|(_, update)| update.ends_at.is_some()));
        let times: Vec<_> = messages.iter().map(|(at, _)| *at).collect();
        assert!(
            times
                .windows(2)
                .all(|pair| (INTERVAL..=RESEND + INTERVAL).contains(&(pair[1] - pair[0])))
        );
        let last = *times.last().unwrap();
        let again = case
            .alerts
            .iter()
            .filter(|other| other.pending > wanted.inactive && other.labels == wanted.labels);
        let next = again
            .map(|other| other.pending * STEP)
            .min()
            .unwrap_or(case.until * STEP);
        let end = next.min(resolved + RETENTION);
        assert!(
            last <= end + INTERVAL && last >= end - RESEND - INTERVAL,
            "last at {last}, end {end}"
        );
    }
    assert_eq!(seen, sent.len(), "nothing else is sent");
}
