//! Random alerts, outcomes, mutes and restarts on a virtual clock: no alert is lost, and no message is sent out of order.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use vigie_notify::dispatch::{
    Acknowledgement, Change, Dispatcher, Limits, Notification, Outcome, Plan, Replay, Saved,
};
use vigie_notify::matcher::parse;
use vigie_notify::route::Routes;
use vigie_notify::silence::Draft;
use vigie_notify::{Alert, Time, config};
use vigie_promql::Labels;

const CONFIG: &str = "
route:
  receiver: ops
  group_by: [team]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 150s
  routes:
    - {matchers: [alertname = a1], receiver: both, group_by: ['...'], continue: true}
    - {matchers: [team = t1], receiver: both, group_by: []}
receivers:
  - name: ops
    webhook_configs: [{url: 'http://x'}]
  - name: both
    webhook_configs: [{url: 'http://x'}]
    slack_configs: [{api_url: 'http://x'}]
";
const INTERVAL: Time = 60_000;
const ALERTS: u8 = 6;

#[derive(Clone, Debug)]
enum Step {
    Fire(u8),
    Resolve(u8),
    Unknown(u8),
    Acknowledge(u8),
    Silence(u8, u16),
    Wait(u16),
    /// The outcomes of the next messages; one without stays open until the next step of this kind.
    Outcomes(Vec<Option<Outcome>>),
    Restart,
    /// A restart from the log of changes.
    Crash,
}

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Delivered)),
        2 => Just(Some(Outcome::Failed)),
        1 => Just(Some(Outcome::Unsure)),
        1 => Just(None),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..ALERTS).prop_map(Step::Fire),
        4 => (0..ALERTS).prop_map(Step::Resolve),
        1 => (0..ALERTS).prop_map(Step::Unknown),
        1 => (0..ALERTS).prop_map(Step::Acknowledge),
        1 => (0..ALERTS, 1..600_u16).prop_map(|(alert, seconds)| Step::Silence(alert, seconds)),
        6 => (1..200_u16).prop_map(Step::Wait),
        2 => prop::collection::vec(outcome(), 0..6).prop_map(Step::Outcomes),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

fn labels(alert: u8) -> Labels {
    let (name, team) = (format!("a{alert}"), format!("t{}", alert % 3));
    Labels::new([("alertname", name), ("team", team)])
}

/// A receiver's integration and a group.
type Target = (String, String, String);

fn target(sent: &Notification) -> Target {
    let (receiver, integration) = (sent.receiver.to_string(), sent.integration.to_string());
    (receiver, integration, sent.group_key.clone())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Firing,
    Unknown,
    Over,
}

/// The dispatcher, and a model of it.
struct World {
    dispatcher: Dispatcher,
    now: Time,
    conditions: BTreeMap<Labels, Condition>,
    acknowledged: BTreeSet<Labels>,
    silenced: BTreeMap<Labels, Time>,
    /// The alerts of which a firing message was delivered, or may have been, by group and integration.
    told: BTreeSet<(Target, Labels)>,
    last: BTreeMap<Target, Time>,
    open: BTreeMap<u64, Notification>,
    outcomes: Vec<Option<Outcome>>,
    silences: usize,
    log: Vec<Change>,
}

fn plan() -> Plan {
    Plan::new(&config::load(CONFIG).unwrap())
}

impl World {
    fn new() -> Self {
        Self {
            dispatcher: Dispatcher::new(plan(), Limits::default()),
            now: 0,
            conditions: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            silenced: BTreeMap::new(),
            told: BTreeSet::new(),
            last: BTreeMap::new(),
            open: BTreeMap::new(),
            outcomes: Vec::new(),
            silences: 0,
            log: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Fire(alert) => self.observe(alert, Condition::Firing),
            Step::Resolve(alert) => self.observe(alert, Condition::Over),
            Step::Unknown(alert) => {
                if self.condition(&labels(alert)) != Condition::Over {
                    self.observe(alert, Condition::Unknown);
                }
            }
            Step::Acknowledge(alert) => {
                let labels = labels(alert);
                let by = Acknowledgement {
                    by: "x".into(),
                    at: self.now,
                    comment: String::new(),
                };
                if self.dispatcher.acknowledge(self.now, &labels, by).is_ok() {
                    self.acknowledged.insert(labels);
                }
            }
            Step::Silence(alert, seconds) => self.silence(alert, seconds),
            Step::Wait(seconds) => self.wait(Time::from(seconds) * 1000),
            Step::Outcomes(outcomes) => {
                self.outcomes = outcomes;
                for sent in std::mem::take(&mut self.open).into_values() {
                    self.report(&sent, Outcome::Unsure);
                }
            }
            Step::Restart => {
                let saved = serde_json::to_string(&self.dispatcher.save()).unwrap();
                let read: Saved = serde_json::from_str(&saved).unwrap();
                let restored = Dispatcher::restore(plan(), Limits::default(), read, self.now);
                assert_eq!(serde_json::to_string(&restored.save()).unwrap(), saved);
                assert_eq!(restored.due(), self.dispatcher.due());
                self.dispatcher = restored;
            }
            Step::Crash => {
                let mut replay = Replay::default();
                for change in &self.log {
                    let change = serde_json::to_string(change).unwrap();
                    replay.apply(serde_json::from_str(&change).unwrap());
                }
                let saved = replay.finish();
                self.dispatcher = Dispatcher::restore(plan(), Limits::default(), saved, self.now);
                self.log = self.dispatcher.save().into_changes().collect();
                self.dispatcher.recover(self.now);
                for sent in std::mem::take(&mut self.open).into_values() {
                    self.tell(&sent, Outcome::Unsure);
                    self.last.remove(&target(&sent));
                }
            }
        }
        self.log.extend(self.dispatcher.take_changes());
    }

    fn condition(&self, labels: &Labels) -> Condition {
        let condition = self.conditions.get(labels).copied();
        condition.unwrap_or(Condition::Over)
    }

    fn observe(&mut self, alert: u8, condition: Condition) {
        let labels = labels(alert);
        let mut alert = Alert::firing(labels.clone(), self.now);
        match condition {
            Condition::Firing => {}
            Condition::Unknown => alert.unknown_since = Some(self.now),
            Condition::Over => alert.ends_at = Some(self.now),
        }
        self.dispatcher.observe(self.now, alert).unwrap();
        if condition == Condition::Over {
            self.acknowledged.remove(&labels);
        }
        self.conditions.insert(labels, condition);
    }

    fn silence(&mut self, alert: u8, seconds: u16) {
        let labels = labels(alert);
        let ends_at = self.now + Time::from(seconds) * 1000;
        let draft = Draft {
            id: None,
            matchers: parse(&format!("alertname=a{alert}")).unwrap(),
            starts_at: self.now,
            ends_at,
            created_by: String::new(),
            comment: String::new(),
        };
        self.silences += 1;
        let id = self.silences.to_string();
        let silences = self.dispatcher.silences_mut();
        silences.set(self.now, draft, || id).unwrap();
        let end = self.silenced.entry(labels).or_default();
        *end = ends_at.max(*end);
    }

    fn wait(&mut self, time: Time) {
        let then = self.now + time;
        let mut rounds = 0;
        while let Some(due) = self.dispatcher.due().filter(|due| *due <= then) {
            rounds += 1;
            assert!(rounds < 10_000, "the time does not pass");
            self.now = self.now.max(due);
            for sent in self.dispatcher.advance(self.now).notifications {
                self.check(&sent);
                self.dispatcher.attempt(sent.id);
                match self.outcomes.pop().unwrap_or(Some(Outcome::Delivered)) {
                    Some(outcome) => self.report(&sent, outcome),
                    None => drop(self.open.insert(sent.id, sent)),
                }
            }
        }
        self.now = then;
    }

    fn check(&mut self, sent: &Notification) {
        let target = target(sent);
        let last = self.last.insert(target.clone(), self.now);
        assert!(
            last.is_none_or(|last| last + INTERVAL <= self.now),
            "two messages in one interval"
        );
        let mut open = self.open.values();
        assert!(
            !open.any(|other| self::target(other) == target),
            "two messages at once"
        );
        assert!(!sent.firing.is_empty() || !sent.resolved.is_empty());
        for alert in &sent.firing {
            let labels = &alert.labels;
            let condition = self.condition(labels);
            assert!(condition != Condition::Over, "{labels} resolved");
            let unknown = condition == Condition::Unknown;
            assert_eq!(alert.unknown_since.is_some(), unknown);
            assert!(!self.acknowledged.contains(labels), "{labels} is muted");
        }
        for alert in &sent.resolved {
            let labels = &alert.labels;
            assert!(self.condition(labels) == Condition::Over);
            let told = self.told.contains(&(target.clone(), labels.clone()));
            assert!(told, "no firing message about {labels} was delivered");
            assert!(
                target.1.starts_with("webhook"),
                "Slack gets no resolved messages"
            );
        }
        for alert in sent.firing.iter().chain(&sent.resolved) {
            let silenced = self.silenced.get(&alert.labels);
            assert!(
                silenced.is_none_or(|end| *end < self.now),
                "{} is silenced",
                alert.labels
            );
        }
    }

    fn report(&mut self, sent: &Notification, outcome: Outcome) {
        self.dispatcher.outcome(sent.id, outcome);
        self.tell(sent, outcome);
    }

    fn tell(&mut self, sent: &Notification, outcome: Outcome) {
        let target = target(sent);
        let key = |alert: &std::sync::Arc<Alert>| (target.clone(), alert.labels.clone());
        if outcome != Outcome::Failed {
            self.told.extend(sent.firing.iter().map(key));
        }
        if outcome == Outcome::Delivered {
            for alert in &sent.resolved {
                self.told.remove(&key(alert));
            }
        }
    }

    /// Delivers everything, and ends all mutes.
    fn settle(&mut self) {
        self.take(Step::Outcomes(Vec::new()));
        for alert in 0..ALERTS {
            if self.acknowledged.contains(&labels(alert)) {
                self.observe(alert, Condition::Over);
            }
        }
        self.wait(2_000_000);
    }

    /// Every integration of its routes was notified that an alert fires, if it does, and of its end if it does not.
    fn assert_nothing_is_lost(&self) {
        let config = config::load(CONFIG).unwrap();
        let routes = Routes::new(&config.route);
        for (labels, condition) in &self.conditions {
            for route in routes.find(labels) {
                let options = routes.options(route);
                let key = options.group_key(&options.group(labels));
                let receivers = config.receivers.iter();
                let mut receivers = receivers.filter(|known| known.name == *options.receiver);
                for integration in &receivers.next().unwrap().integrations {
                    let receiver = options.receiver.to_string();
                    let target = (receiver, integration.id.clone(), key.clone());
                    let told = self.told.contains(&(target, labels.clone()));
                    let over = *condition == Condition::Over;
                    assert!(told || over, "{labels} is lost");
                    assert!(
                        !told || !over || !integration.send_resolved,
                        "the end of {labels} is lost"
                    );
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_alert_is_lost_and_no_message_is_out_of_order(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.settle();
        world.assert_nothing_is_lost();
        for alert in 0..ALERTS {
            world.observe(alert, Condition::Over);
        }
        world.settle();
        world.assert_nothing_is_lost();
        prop_assert_eq!(world.dispatcher.alerts().count(), 0);
        prop_assert_eq!(world.dispatcher.due(), None);
    }
}
