//! Random scenarios: a run with restarts and reloads equals the run without.

use proptest::prelude::*;

use super::world::{World, group};

const STEP: i64 = 15_000;

const FILE: &str = "
groups:
  - name: g
    interval: 15s
    labels: {team: core}
    rules:
      - {record: 'sum:a', expr: sum by (x) (a)}
      - {alert: Plain, expr: a > 5}
      - {alert: Held, expr: 'sum:a > 5', for: 45s, annotations: {text: '{{ $labels.x }} {{ $value }}'}}
      - {alert: Kept, expr: a > 7, for: 15s, keep_firing_for: 40s}
      - {alert: Range, expr: 'max_over_time(a[40s]) > 8', keep_firing_for: 20s}
      - {alert: Absent, expr: 'absent(a{x=\"1\"})', for: 30s}
      - {alert: Both, expr: 'ALERTS{alertname=\"Plain\", alertstate=\"firing\"} and on (x) sum:a > 6'}
";

/// The changes before an evaluation.
#[derive(Clone, Debug)]
struct Step {
    values: [Option<u8>; 3],
    unreadable: bool,
    broken: bool,
    restart: bool,
    reload: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let value = || proptest::option::weighted(0.8, 0u8..12);
    let rare = || proptest::bool::weighted(0.1);
    (
        [value(), value(), value()],
        proptest::bool::weighted(0.3),
        rare(),
        proptest::bool::weighted(0.3),
        rare(),
    )
        .prop_map(|(values, unreadable, broken, restart, reload)| Step {
            values,
            unreadable,
            broken,
            restart,
            reload,
        })
}

/// The updates and the series of each evaluation.
fn run(steps: &[Step], interrupted: bool) -> Vec<String> {
    let mut world = World::default();
    let mut rules = group(FILE);
    let mut seen = Vec::new();
    let mut since = None;
    for (at, step) in steps.iter().enumerate() {
        let at = at as i64 * STEP;
        for (series, value) in step.values.iter().enumerate() {
            let labels = super::world::labels(&[("__name__", "a"), ("x", ["1", "2", "3"][series])]);
            let value = value.filter(|_| !step.unreadable);
            let value = value.map_or(vigie_promql::value::stale_marker(), f64::from);
            let sample = vigie_promql::Sample { time: at, value };
            world.samples.insert(&labels, sample).unwrap();
        }
        since = step.unreadable.then(|| since.unwrap_or(at));
        world.unreadable = since
            .into_iter()
            .flat_map(|since| [("a".to_owned(), since), ("sum:a".to_owned(), since)])
            .collect();
        world.broken = step.broken.then(|| "broken".to_owned());
        if interrupted && step.restart {
            let saved = serde_json::to_vec(&rules.save()).unwrap();
            rules = group(FILE);
            let closed = rules.restore(serde_json::from_slice(&saved).unwrap(), at);
            assert!(closed.updates.is_empty() && closed.samples.is_empty());
        }
        if interrupted && step.reload {
            let old = std::mem::replace(&mut rules, group(FILE));
            let closed = rules.adopt(old, at);
            assert!(closed.updates.is_empty() && closed.samples.is_empty());
        }
        let evaluation = rules.evaluate(at, &mut world);
        for update in evaluation.updates {
            seen.push(format!("{at} {update:?}"));
        }
        seen.extend(
            world
                .query("{__name__=~'sum:a|ALERTS.*'}", at)
                .into_iter()
                .map(|line| format!("{at} {line}")),
        );
        let current: Vec<_> = rules.updates().collect();
        seen.push(format!("{at} {current:?}"));
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn restarts_without_downtime_change_nothing(steps in proptest::collection::vec(step(), 1..40)) {
        prop_assert_eq!(run(&steps, true), run(&steps, false));
    }

    /// Firing, unknown and resolved alternate as a receiver expects; the start changes only after a resolution.
    #[test]
    fn updates_are_consistent(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = World::default();
        let mut rules = group(FILE);
        let mut open = std::collections::HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            let at = at as i64 * STEP;
            for (series, value) in step.values.iter().enumerate() {
                let labels = super::world::labels(&[("__name__", "a"), ("x", ["1", "2", "3"][series])]);
                let value = value.map_or(vigie_promql::value::stale_marker(), f64::from);
                world.samples.insert(&labels, vigie_promql::Sample { time: at, value }).unwrap();
            }
            world.unreadable = step.unreadable.then(|| ("a".to_owned(), at)).into_iter().collect();
            world.broken = step.broken.then(|| "broken".to_owned());
            let evaluation = rules.evaluate(at, &mut world);
            for update in evaluation.updates {
                let before = open.get(&update.labels).copied();
                match update.ends_at {
                    Some(ends_at) => {
                        prop_assert_eq!(before, Some(update.starts_at));
                        prop_assert!(ends_at == at && update.unknown_since.is_none());
                        // The source of the sums is not known here, so only the others are never resolved blindly.
                        let name = update.labels.get("alertname");
                        let direct = ["Plain", "Kept", "Range"].contains(&name);
                        prop_assert!(!(step.unreadable && direct), "{name} resolved at {at}");
                        open.remove(&update.labels);
                    }
                    None => {
                        prop_assert!(before.is_none_or(|starts_at| starts_at == update.starts_at));
                        open.insert(update.labels, update.starts_at);
                    }
                }
            }
            let current = rules.updates().filter(|update| update.ends_at.is_none());
            let current: std::collections::HashMap<_, _> = current.map(|update| (update.labels, update.starts_at)).collect();
            prop_assert_eq!(&current, &open);
        }
    }
}
