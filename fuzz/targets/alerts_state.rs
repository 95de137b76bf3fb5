//! Any text is a saved state or refused. A restored state, whatever its content, does not prevent the evaluation of the
//! rules, and stays within the bounds.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use vigie_alerts::engine::{Context, Defaults, Group, Sample, SavedGroup, Time};
use vigie_promql::storage::{MemoryStorage, Selection};
use vigie_promql::{Engine, Expr, Labels, Matcher, Value};

const RULES: &str = "
groups:
  - name: g
    rules:
      - {record: b, expr: a}
      - {alert: A, expr: 'a > 5', for: 1m, keep_firing_for: 1m}
      - {alert: B, expr: 'rate(a[5m]) > 5', labels: {severity: page}}
";

struct World {
    samples: MemoryStorage,
    unreadable: Option<Time>,
}

impl Context for World {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        let outcome = Engine::default().instant(&self.samples, expr, at, &|| false);
        outcome
            .map(|outcome| outcome.value)
            .map_err(|error| error.to_string())
    }

    fn write(&mut self, samples: &[Sample]) -> Result<(), String> {
        for sample in samples {
            let (time, value) = (sample.time, sample.value);
            self.samples
                .insert(&sample.labels, vigie_promql::Sample { time, value });
        }
        Ok(())
    }

    fn unreadable_since(&self, _matchers: &[Matcher], _at: Time) -> Option<Time> {
        self.unreadable
    }

    fn has_series(&self, _selection: &Selection<'_>) -> bool {
        true
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fuzz_target!(|text: &[u8]| {
    let Ok(saved) = serde_json::from_slice::<SavedGroup>(text) else {
        return;
    };
    let rules = vigie_alerts::load(RULES).rules;
    let mut defaults = Defaults::default();
    defaults.limits.alerts = 10;
    let mut group = Group::new("a.yml", &rules.groups[0], &defaults);
    let _ = saved.clone().close(&defaults, 0);
    let _ = group.restore(saved, 0);
    assert!(group.alert_count() <= 20);
    let mut world = World {
        samples: MemoryStorage::new(),
        unreadable: None,
    };
    let labels = Labels::new([("__name__", "a")]);
    for minute in 0..4 {
        let time = minute * 60_000;
        let value = if minute < 2 { 6.0 } else { 1.0 };
        world
            .samples
            .insert(&labels, vigie_promql::Sample { time, value });
        world.unreadable = (minute == 1).then_some(time);
        group.evaluate(time, &mut world);
        let _ = group.updates().count();
        let again = serde_json::to_vec(&group.save()).expect("a state can be saved");
        let again: SavedGroup = serde_json::from_slice(&again).expect("a saved state can be read");
        assert_eq!(again, group.save());
    }
    // Every restored alert has resolved or is kept firing.
    group.evaluate(100 * 60_000, &mut world);
});
