use super::*;
use crate::config;
use crate::matcher::parse;
use crate::silence::Draft;

/// One group for all alerts.
const PLAIN: &str = "
route: {receiver: ops, group_wait: 30s, group_interval: 5m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://x'}]}]
";

const SECOND: Time = 1_000;
const MINUTE: Time = 60 * SECOND;
const HOUR: Time = 60 * MINUTE;

fn plan(config: &str) -> Plan {
    Plan::new(&config::load(config).unwrap_or_else(|problems| panic!("{problems}")))
}

fn labels(text: &str) -> Labels {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.split(' ').filter(|pair| !pair.is_empty());
    let rest = rest.map(|pair| pair.split_once('=').unwrap());
    Labels::new([("alertname", name)].into_iter().chain(rest))
}

/// A dispatcher on a virtual clock, and a log of what it sends.
struct Simulation {
    dispatcher: Dispatcher,
    now: Time,
    outcome: Option<Outcome>,
    log: Vec<String>,
}

impl Simulation {
    fn new(config: &str) -> Self {
        Self {
            dispatcher: Dispatcher::new(plan(config), Limits::default()),
            now: 0,
            outcome: Some(Outcome::Delivered),
            log: Vec::new(),
        }
    }

    /// Lets the time pass until then.
    fn until(&mut self, then: Time) -> &mut Self {
        while let Some(due) = self.dispatcher.due().filter(|due| *due <= then) {
            self.now = self.now.max(due);
            let advance = self.dispatcher.advance(self.now);
            for sent in &advance.notifications {
                let names = |alerts: &[Arc<Alert>]| {
                    let names = alerts.iter().map(|alert| {
                        let unknown = if alert.unknown_since.is_some() {
                            "?"
                        } else {
                            ""
                        };
                        format!("{}{unknown}", alert.labels.get("alertname"))
                    });
                    names.collect::<Vec<_>>().join(",")
                };
                self.log.push(format!(
                    "{} {}: {} [{}] [{}]",
                    clock(self.now),
                    sent.receiver,
                    sent.reason,
                    names(&sent.firing),
                    names(&sent.resolved)
                ));
                if let Some(outcome) = self.outcome {
                    self.dispatcher.outcome(sent.id, outcome);
                }
            }
            for lost in &advance.undelivered {
                let name = lost.labels.get("alertname");
                self.log.push(format!(
                    "{} {}: lost {name}",
                    clock(self.now),
                    lost.receiver
                ));
            }
        }
        self.now = then;
        self
    }

    fn observe(&mut self, alert: &str, change: impl FnOnce(&mut Alert)) -> &mut Self {
        let mut alert = Alert::firing(labels(alert), self.now);
        change(&mut alert);
        self.dispatcher.observe(self.now, alert).unwrap();
        self
    }

    fn fire(&mut self, alert: &str) -> &mut Self {
        self.observe(alert, |_| {})
    }

    fn resolve(&mut self, alert: &str) -> &mut Self {
        let now = self.now;
        self.observe(alert, |alert| alert.ends_at = Some(now))
    }

    fn outcomes(&mut self, outcome: Option<Outcome>) -> &mut Self {
        self.outcome = outcome;
        self
    }

    fn silence(&mut self, matchers: &str, ends_at: Time) -> &mut Self {
        let draft = Draft {
            id: None,
            matchers: parse(matchers).unwrap(),
            starts_at: self.now,
            ends_at,
            created_by: "ops".into(),
            comment: String::new(),
        };
        let silences = self.dispatcher.silences_mut();
        silences.set(self.now, draft, || "s".into()).unwrap();
        self
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(self.log, expected);
        self.log.clear();
        self
    }

    /// When the next message is due, and why then.
    fn planned(&self) -> Vec<String> {
        let mutes = self.dispatcher.mutes(self.now);
        let groups = self.dispatcher.groups.iter();
        let planned =
            groups.flat_map(|(id, group)| self.dispatcher.planned_of(id, group, &mutes, self.now));
        let text = |planned: Planned| {
            let at = planned.at.map_or_else(|| "-".into(), clock);
            format!("{at} {}", planned.why)
        };
        planned.map(text).collect()
    }
}

fn clock(time: Time) -> String {
    let seconds = time / SECOND;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[test]
fn a_group_from_its_first_alert_to_its_last() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(20 * SECOND).fire("B");
    simulation.until(2 * MINUTE).fire("C").until(6 * MINUTE);
    simulation.resolve("A").until(11 * MINUTE);
    simulation.resolve("B").resolve("C").until(3 * HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A,B] []",
        "0:05:30 ops: new alerts added [A,B,C] []",
        "0:10:30 ops: some alerts resolved [B,C] [A]",
        "0:15:30 ops: all alerts resolved [] [B,C]",
    ]);
    assert_eq!(simulation.dispatcher.alerts().count(), 0);
    assert_eq!(simulation.dispatcher.due(), None);
}

#[test]
fn a_repeat_is_due_exactly_after_its_interval() {
    let config = PLAIN.replace("repeat_interval: 1h", "repeat_interval: 7m");
    let mut simulation = Simulation::new(&config);
    simulation.fire("A").until(20 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:07:30 ops: repeat interval elapsed [A] []",
        "0:14:30 ops: repeat interval elapsed [A] []",
    ]);
    // It includes the changes since, and the interval of the group restarts.
    simulation.fire("B").until(22 * MINUTE).fire("C");
    simulation.until(27 * MINUTE);
    simulation.expect(&[
        "0:21:30 ops: new alerts added [A,B] []",
        "0:26:30 ops: new alerts added [A,B,C] []",
    ]);
    // It is never less than the interval.
    let config = PLAIN.replace("repeat_interval: 1h", "repeat_interval: 1m");
    let mut simulation = Simulation::new(&config);
    simulation.fire("A").until(6 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: repeat interval elapsed [A] []",
    ]);
}

#[test]
fn an_old_alert_is_sent_at_once() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.until(HOUR);
    simulation.observe("A", |alert| alert.starts_at = 0);
    simulation.until(HOUR);
    simulation.expect(&["1:00:00 ops: first notification [A] []"]);
}

#[test]
fn an_alert_that_resolves_before_its_first_message_is_not_sent() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(20 * SECOND).resolve("A");
    simulation.until(HOUR).expect(&[]);
    simulation.fire("A").until(HOUR + MINUTE).fire("B");
    simulation.until(HOUR + 2 * MINUTE).resolve("B");
    simulation.until(HOUR + 10 * MINUTE);
    simulation.expect(&["1:00:30 ops: first notification [A] []"]);
}

#[test]
fn flapping_between_two_messages_is_not_sent() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE).resolve("A");
    simulation.until(2 * MINUTE).fire("A").until(30 * MINUTE);
    simulation.expect(&["0:00:30 ops: first notification [A] []"]);
}

#[test]
fn an_alert_that_fires_again_is_sent_again() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE).resolve("A");
    simulation.until(6 * MINUTE).fire("A").until(12 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: all alerts resolved [] [A]",
        "0:10:30 ops: first notification [A] []",
    ]);
}

#[test]
fn a_failed_alert_that_resolves_is_reported() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(Some(Outcome::Failed)).fire("A");
    simulation.until(MINUTE).resolve("A").until(HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: lost A",
    ]);
    let lost: Vec<_> = simulation.dispatcher.undelivered().collect();
    assert_eq!(lost[0].ends_at, MINUTE);
    assert_eq!(&*lost[0].integration, "webhook/0");
}

#[test]
fn a_failed_message_is_sent_again() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(Some(Outcome::Failed)).fire("A");
    simulation.until(MINUTE);
    assert_eq!(
        simulation.planned(),
        ["0:05:30 the last message was not delivered"]
    );
    simulation
        .outcomes(Some(Outcome::Delivered))
        .until(6 * MINUTE);
    simulation.resolve("A").outcomes(Some(Outcome::Failed));
    simulation
        .until(11 * MINUTE)
        .outcomes(Some(Outcome::Delivered));
    simulation.until(HOUR).expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: first notification [A] []",
        "0:10:30 ops: all alerts resolved [] [A]",
        "0:15:30 ops: all alerts resolved [] [A]",
    ]);
}

#[test]
fn a_resolved_message_follows_an_unsure_one() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(Some(Outcome::Unsure)).fire("A");
    simulation.until(MINUTE).resolve("A");
    simulation.outcomes(Some(Outcome::Delivered)).until(HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: all alerts resolved [] [A]",
    ]);
    // While it fires it is sent again. A later failure does not make the first message certain to be lost.
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(Some(Outcome::Unsure)).fire("A");
    simulation.until(MINUTE).outcomes(Some(Outcome::Failed));
    simulation.until(6 * MINUTE).resolve("A");
    simulation.outcomes(Some(Outcome::Delivered)).until(HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: new alerts added [A] []",
        "0:10:30 ops: all alerts resolved [] [A]",
    ]);
}

#[test]
fn nothing_is_sent_while_an_outcome_is_open() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(None).fire("A").until(MINUTE).fire("B");
    simulation.resolve("A").until(20 * MINUTE);
    assert_eq!(
        simulation.planned(),
        ["- the outcome of the last message is unknown"]
    );
    let open: Vec<_> = simulation.dispatcher.in_flight().collect();
    simulation.dispatcher.outcome(open[0], Outcome::Delivered);
    simulation.dispatcher.outcome(99, Outcome::Delivered);
    simulation.until(20 * MINUTE).expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:20:00 ops: new alerts added [B] [A]",
    ]);
}

#[test]
fn silenced_alerts_are_sent_when_the_silence_ends() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").fire("B").until(MINUTE);
    simulation.silence("alertname=~A|C|D", 20 * MINUTE);
    simulation
        .fire("C")
        .fire("D")
        .resolve("A")
        .until(12 * MINUTE);
    simulation.resolve("D").until(25 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [A,B] []",
        "0:20:30 ops: new alerts added [B,C] [A]",
    ]);
}

#[test]
fn an_acknowledgement_lasts_until_the_alert_resolves() {
    let mut simulation = Simulation::new(PLAIN);
    let acknowledge = |simulation: &mut Simulation| {
        let acknowledgement = Acknowledgement {
            by: "ann".into(),
            at: simulation.now,
            comment: String::new(),
        };
        let now = simulation.now;
        let dispatcher = &mut simulation.dispatcher;
        dispatcher.acknowledge(now, &labels("A"), acknowledgement)
    };
    assert_eq!(acknowledge(&mut simulation), Err(NotFiring));
    simulation.fire("A").until(MINUTE);
    acknowledge(&mut simulation).unwrap();
    simulation.until(3 * HOUR);
    assert_eq!(simulation.planned(), ["3:00:30 acknowledged by ann"]);
    simulation.resolve("A").until(3 * HOUR + MINUTE);
    assert_eq!(acknowledge(&mut simulation), Err(NotFiring));
    simulation.fire("A").until(4 * HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "3:00:30 ops: all alerts resolved [] [A]",
        "3:05:30 ops: first notification [A] []",
    ]);
}

#[test]
fn inhibited_alerts_wait_for_their_source() {
    let config = format!(
        "{PLAIN}inhibit_rules: [{{source_matchers: [alertname=Down], target_matchers: [kind=symptom], equal: [host]}}]"
    );
    let mut simulation = Simulation::new(&config);
    simulation.fire("Down host=x");
    simulation.fire("Slow kind=symptom host=x");
    simulation.fire("Slow kind=symptom host=y");
    simulation.until(MINUTE);
    let slow = labels("Slow kind=symptom host=x");
    let dispatcher = &simulation.dispatcher;
    let muted = dispatcher
        .mutes(simulation.now)
        .of(&dispatcher.alerts[&slow]);
    assert_eq!(muted, Some(Mute::Inhibited(labels("Down host=x"))));
    simulation.resolve("Down host=x").until(6 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [Down,Slow] []",
        "0:05:30 ops: new alerts added [Slow,Slow] [Down]",
    ]);
}

#[test]
fn muted_during_a_time_interval() {
    let config = "
route:
  receiver: ops
  routes:
    - {receiver: ops, matchers: [alertname=A], mute_time_intervals: [night], group_wait: 0s}
    - {receiver: ops, matchers: [alertname=B], active_time_intervals: [night], group_wait: 0s}
receivers: [{name: ops, webhook_configs: [{url: 'http://x'}]}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]
";
    let mut simulation = Simulation::new(config);
    simulation.until(5 * HOUR + 58 * MINUTE).fire("A").fire("B");
    simulation.until(5 * HOUR + 59 * MINUTE);
    let night = "6:03:00 muted during night";
    assert_eq!(simulation.planned()[0], night);
    simulation.until(6 * HOUR + 30 * MINUTE).resolve("B");
    assert_eq!(simulation.planned()[1], "6:33:00 muted outside of night");
    simulation.until(7 * HOUR);
    simulation.expect(&[
        "5:58:00 ops: first notification [B] []",
        "6:03:00 ops: first notification [A] []",
    ]);
    simulation.until(24 * HOUR + 10 * MINUTE);
    let last = simulation.log.last().unwrap();
    assert!(last.ends_with("ops: all alerts resolved [] [B]"), "{last}");
}

#[test]
fn an_unknown_alert_is_not_resolved() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE);
    simulation.observe("A", |alert| {
        alert.unknown_since = Some(MINUTE);
        alert.ends_at = Some(2 * MINUTE);
    });
    simulation.until(70 * MINUTE).resolve("A").until(2 * HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "1:00:30 ops: repeat interval elapsed [A?] []",
        "1:10:30 ops: all alerts resolved [] [A]",
    ]);
}

#[test]
fn an_alert_that_is_not_renewed_resolves() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.observe("A", |alert| alert.ends_at = Some(7 * MINUTE));
    simulation.until(HOUR).expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:10:30 ops: all alerts resolved [] [A]",
    ]);
}

#[test]
fn integrations_are_independent() {
    let config = "
route: {receiver: ops, group_wait: 0s, routes: [{matchers: [team=web], receiver: web, continue: true}, {}]}
receivers:
  - name: ops
    slack_configs: [{api_url: 'http://x'}]
  - name: web
    webhook_configs: [{url: 'http://x'}]
";
    let mut simulation = Simulation::new(config);
    simulation.fire("A team=web").until(MINUTE);
    simulation.resolve("A team=web").until(6 * MINUTE);
    simulation.fire("A team=web").until(HOUR);
    // Slack gets no resolved message, but another firing one.
    simulation.expect(&[
        "0:00:00 web: first notification [A] []",
        "0:00:00 ops: first notification [A] []",
        "0:05:00 web: all alerts resolved [] [A]",
        "0:06:00 ops: first notification [A] []",
        "0:10:00 web: first notification [A] []",
    ]);
}

#[test]
fn a_group_whose_alerts_are_gone_keeps_its_interval() {
    let config = "
route: {receiver: ops, group_wait: 0s, repeat_interval: 7m}
receivers: [{name: ops, webhook_configs: [{url: 'http://x'}], slack_configs: [{api_url: 'http://x'}]}]
";
    let mut simulation = Simulation::new(config);
    // A failure puts the two integrations out of step.
    simulation.outcomes(None).fire("A").until(0);
    simulation.dispatcher.outcome(1, Outcome::Failed);
    simulation.dispatcher.outcome(2, Outcome::Delivered);
    simulation.outcomes(Some(Outcome::Delivered));
    simulation.until(8 * MINUTE).resolve("A");
    // At 0:12:00 the alert is done for Slack, too, but the webhook's last message was at 0:10:00.
    simulation.until(12 * MINUTE + SECOND).fire("A");
    simulation.until(16 * MINUTE).expect(&[
        "0:00:00 ops: first notification [A] []",
        "0:00:00 ops: first notification [A] []",
        "0:05:00 ops: first notification [A] []",
        "0:07:00 ops: repeat interval elapsed [A] []",
        "0:10:00 ops: all alerts resolved [] [A]",
        "0:14:00 ops: first notification [A] []",
        "0:15:00 ops: first notification [A] []",
    ]);
}

#[test]
fn the_next_message_is_explained() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(SECOND);
    assert_eq!(
        simulation.planned(),
        ["0:00:30 the group waits for more alerts (group_wait)"]
    );
    simulation.until(MINUTE);
    assert_eq!(
        simulation.planned(),
        ["1:00:30 the message is repeated (repeat_interval)"]
    );
    simulation.fire("B");
    assert_eq!(
        simulation.planned(),
        ["0:05:30 the group changed (group_interval)"]
    );
}

#[test]
fn a_receiver_without_integrations_gets_no_messages() {
    let mut simulation = Simulation::new("route: {receiver: none}\nreceivers: [{name: none}]");
    simulation.fire("A");
    assert_eq!(simulation.dispatcher.due(), None);
    simulation.until(HOUR).resolve("A").dispatcher.advance(HOUR);
    assert_eq!(simulation.dispatcher.alerts().count(), 0);
    simulation.expect(&[]);
}

#[test]
fn alerts_of_clients_leave_places_to_those_of_the_rules() {
    let limits = Limits {
        alerts: 4,
        groups: 4,
        ..Limits::default()
    };
    let config = PLAIN.replace("group_wait", "group_by: ['...'], group_wait");
    let mut dispatcher = Dispatcher::new(plan(&config), limits);
    let own = |name: &str| Alert::firing(labels(name), 0);
    let posted = |name: &str| Alert {
        ends_at: Some(3_600_000),
        ..own(name)
    };
    for name in ["A", "B", "C"] {
        assert_eq!(dispatcher.observe(0, posted(name)), Ok(()));
    }
    let refused = dispatcher.observe(0, posted("D"));
    assert_eq!(refused, Err(Refused::TooManyAlerts(3)));
    assert_eq!(dispatcher.observe(0, own("E")), Ok(()));
    let refused = dispatcher.observe(0, own("F"));
    assert_eq!(refused, Err(Refused::TooManyAlerts(4)));
}

#[test]
fn bounded() {
    let limits = Limits {
        alerts: 2,
        groups: 1,
        alert_bytes: 20,
        ..Limits::default()
    };
    let config = PLAIN.replace("group_wait", "group_by: ['...'], group_wait");
    let mut dispatcher = Dispatcher::new(plan(&config), limits);
    let mut observe = |name: &str| dispatcher.observe(0, Alert::firing(labels(name), 0));
    assert_eq!(observe("A"), Ok(()));
    assert_eq!(observe("B"), Err(Refused::TooManyGroups(1)));
    assert_eq!(
        observe("A text=0123456789"),
        Err(Refused::TooLarge {
            found: 24,
            most: 20
        })
    );
    assert_eq!(dispatcher.alerts().count(), 1);
    let mut dispatcher = Dispatcher::new(plan(PLAIN), limits);
    let mut observe = |name: &str| dispatcher.observe(0, Alert::firing(labels(name), 0));
    for (name, taken) in [("A", true), ("B", true), ("C", false), ("A", true)] {
        assert_eq!(observe(name).is_ok(), taken, "{name}");
    }
}

#[test]
fn a_restart_changes_nothing() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").fire("B").until(MINUTE).resolve("A");
    simulation
        .silence("x=y", HOUR)
        .outcomes(None)
        .until(6 * MINUTE);
    let saved = serde_json::to_string(&simulation.dispatcher.save()).unwrap();
    let restored = serde_json::from_str(&saved).unwrap();
    let now = simulation.now;
    let restored = Dispatcher::restore(plan(PLAIN), Limits::default(), restored, now);
    assert_eq!(serde_json::to_string(&restored.save()).unwrap(), saved);
    assert_eq!(restored.in_flight().count(), 1);

    // The outbox does not hold the message: it may have been delivered, so it is sent again.
    simulation.dispatcher = restored;
    simulation.outcomes(Some(Outcome::Delivered));
    let open: Vec<_> = simulation.dispatcher.in_flight().collect();
    simulation.dispatcher.outcome(open[0], Outcome::Unsure);
    simulation.until(30 * MINUTE).expect(&[
        "0:00:30 ops: first notification [A,B] []",
        "0:05:30 ops: some alerts resolved [B] [A]",
        "0:10:30 ops: some alerts resolved [B] [A]",
    ]);
}

#[test]
fn a_new_configuration_keeps_the_state_of_groups_that_remain() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE);
    let now = simulation.now;
    // A route before, and another integration of the receiver.
    let config = PLAIN.replace("group_wait", "routes: [{matchers: [a=b]}], group_wait");
    let config = config.replace(
        "webhook_configs",
        "discord_configs: [{webhook_url: 'http://x'}], webhook_configs",
    );
    let saved = simulation.dispatcher.save();
    simulation.dispatcher = Dispatcher::restore(plan(&config), Limits::default(), saved, now);
    simulation.resolve("A").until(HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:05:30 ops: all alerts resolved [] [A]",
    ]);
    // A new receiver starts from nothing.
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE);
    let saved = simulation.dispatcher.save();
    let config = PLAIN.replace("ops", "dev");
    simulation.dispatcher = Dispatcher::restore(plan(&config), Limits::default(), saved, now);
    simulation.until(2 * MINUTE);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:01:00 dev: first notification [A] []",
    ]);
}

#[test]
fn a_retried_message_has_the_alerts_of_that_time() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.outcomes(None).fire("A").until(MINUTE);
    simulation
        .fire("B")
        .dispatcher
        .retry(1, Outcome::Failed, 70 * SECOND);
    assert_eq!(
        simulation.planned(),
        ["0:01:10 the last message was not delivered"]
    );
    simulation
        .outcomes(Some(Outcome::Delivered))
        .until(3 * MINUTE);
    simulation.fire("C").until(10 * MINUTE);
    // The interval of the group begins with the message that arrived.
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "0:01:10 ops: first notification [A,B] []",
        "0:06:10 ops: new alerts added [A,B,C] []",
    ]);
}

#[test]
fn a_retried_message_about_a_resolved_alert_follows_the_rule() {
    for (outcome, expected) in [
        (Outcome::Failed, "0:01:10 ops: lost A"),
        (Outcome::Unsure, "0:01:10 ops: all alerts resolved [] [A]"),
    ] {
        let mut simulation = Simulation::new(PLAIN);
        simulation.outcomes(None).fire("A").until(MINUTE);
        simulation
            .resolve("A")
            .dispatcher
            .retry(1, outcome, 70 * SECOND);
        simulation
            .outcomes(Some(Outcome::Delivered))
            .until(10 * MINUTE);
        simulation.expect(&["0:00:30 ops: first notification [A] []", expected]);
    }
}

#[test]
fn a_repeat_that_failed_is_retried() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(30 * MINUTE).outcomes(None);
    simulation.until(61 * MINUTE);
    simulation.dispatcher.retry(2, Outcome::Failed, 62 * MINUTE);
    simulation
        .outcomes(Some(Outcome::Delivered))
        .until(2 * HOUR);
    simulation.expect(&[
        "0:00:30 ops: first notification [A] []",
        "1:00:30 ops: repeat interval elapsed [A] []",
        "1:02:00 ops: repeat interval elapsed [A] []",
    ]);
}

#[test]
fn a_resolved_message_that_fails_is_given_up_at_last() {
    let mut simulation = Simulation::new(PLAIN);
    simulation.fire("A").until(MINUTE).resolve("A");
    simulation.outcomes(Some(Outcome::Failed)).until(24 * HOUR);
    assert!(simulation.log.len() > 200);
    simulation.log.clear();
    simulation.until(25 * HOUR);
    assert_eq!(simulation.log.last().unwrap(), "24:05:30 ops: lost A");
    assert!(simulation.dispatcher.undelivered().last().unwrap().fired);
    assert_eq!(simulation.dispatcher.due(), None);
}

#[test]
fn the_alert_about_a_receiver_is_sent_to_every_other_one() {
    let config = "
route: {receiver: ops, group_wait: 30s, routes: [{receiver: none, matchers: [severity=critical]}]}
receivers:
  - {name: none}
  - {name: ops, webhook_configs: [{url: 'http://x'}], slack_configs: [{api_url: 'http://x'}]}
  - {name: web, webhook_configs: [{url: 'http://x'}]}
";
    let mut simulation = Simulation::new(config);
    let mut dispatcher = simulation.dispatcher.clone();
    let mut failing = failing_alert("ops", "slack/0", "not_found", 0);
    dispatcher.observe(0, failing.clone()).unwrap();
    let sent = dispatcher.advance(0).notifications;
    let to = |sent: &[Notification]| {
        let to = sent
            .iter()
            .map(|sent| format!("{} {}", sent.receiver, sent.integration));
        to.collect::<Vec<_>>()
    };
    assert_eq!(to(&sent), ["ops webhook/0", "web webhook/0"]);
    for sent in &sent {
        dispatcher.outcome(sent.id, Outcome::Delivered);
    }
    let saved = dispatcher.save();
    let mut dispatcher = Dispatcher::restore(plan(config), Limits::default(), saved, 0);
    failing.ends_at = Some(MINUTE);
    dispatcher.observe(MINUTE, failing).unwrap();
    let sent = dispatcher.advance(5 * MINUTE).notifications;
    assert_eq!(to(&sent), ["ops webhook/0", "web webhook/0"]);
    // An alert about an unknown receiver takes the routes.
    simulation.observe("NotificationsFailing receiver=x", |_| {});
    simulation
        .until(MINUTE)
        .expect(&["0:00:30 ops: first notification [NotificationsFailing] []"; 2]);
}
