//! Our side: the groups of the rule file over a history, evaluated on one thread.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::thread::gettid;
use vigie_alerts::engine::{self, Context, Defaults, Group, Time};
use vigie_history::{History, Settings};
use vigie_promql::storage::Selection;
use vigie_promql::{Engine, Expr, Matcher, Storage as _, Value};

use super::data::{Data, EVERY, OFFSET};
use super::party::Turn;
use crate::usage;

pub(super) struct Ours {
    history: History,
    groups: Vec<Group>,
    /// The time of the next evaluation, in milliseconds.
    next: Time,
}

impl Ours {
    pub(super) fn new(data: &Data) -> anyhow::Result<Self> {
        let history = History::open(&Settings {
            // Also the series that the rules write.
            max_series: data.series() + 4 * data.rules,
            max_bytes: 4 << 30,
            ..Settings::default()
        })?;
        fill(&history, data)?;
        let defaults = Defaults::default();
        let mut groups = Vec::new();
        for text in data.rule_files() {
            let loaded = vigie_alerts::load(&text);
            ensure!(loaded.findings.is_empty(), "{:?}", loaded.findings);
            let read = loaded.rules.groups.iter();
            groups.extend(read.map(|group| Group::new("bench.yml", group, &defaults)));
        }
        Ok(Self {
            history,
            groups,
            next: (data.time(0) + OFFSET + 5 * 60 + EVERY) * 1_000,
        })
    }

    /// Evaluates all groups once, one after the other, an interval after the last time.
    pub(super) fn turn(&mut self) -> anyhow::Result<Turn> {
        let at = self.next;
        self.next += EVERY * 1_000;
        let thread = gettid().as_raw_nonzero().get();
        let (cpu, start) = (usage::cpu_of_thread(thread)?, Instant::now());
        let mut rules = 0;
        for group in &mut self.groups {
            let mut context = Reading {
                history: &self.history,
                engine: Engine::default(),
                start,
            };
            let evaluation = group.evaluate(at, &mut context);
            ensure!(evaluation.failures == 0, "a rule failed");
            rules += group.rules().len();
        }
        Ok(Turn {
            rules: rules as f64,
            seconds: start.elapsed().as_secs_f64(),
            cpu: (usage::cpu_of_thread(thread)? - cpu).as_secs_f64(),
        })
    }

    /// The number of alerts that are pending or fire.
    pub(super) fn alerts(&self) -> usize {
        self.groups.iter().map(Group::alert_count).sum()
    }
}

fn fill(history: &History, data: &Data) -> anyhow::Result<()> {
    let mut appender = history.appender();
    let mut series = Vec::with_capacity(data.series());
    for at in 0..data.scrapes {
        let mut scrape = appender.scrape(data.time(at) * 1_000);
        for number in series.len()..data.series() {
            let labels = data.labels(number);
            let labels = labels.each_ref().map(|(name, value)| (*name, &**value));
            series.extend(scrape.series(&labels));
        }
        ensure!(series.len() == data.series(), "the history refuses series");
        for (number, series) in series.iter().enumerate() {
            scrape.sample(*series, Data::value(number, at));
        }
        let taken = scrape.commit().samples;
        ensure!(
            taken == data.series() as u64,
            "only {taken} samples were taken"
        );
    }
    Ok(())
}

/// The history, as the program passes it to the rules.
struct Reading<'a> {
    history: &'a History,
    engine: Engine,
    start: Instant,
}

impl Context for Reading<'_> {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        let never = || false;
        let outcome = self.engine.instant(self.history, expr, at, &never);
        outcome
            .map(|outcome| outcome.value)
            .map_err(|error| error.to_string())
    }

    fn write(&mut self, samples: &[engine::Sample]) -> Result<(), String> {
        let Some(first) = samples.first() else {
            return Ok(());
        };
        let mut appender = self.history.appender();
        let mut scrape = appender.scrape(first.time);
        for sample in samples {
            let labels: Vec<_> = sample.labels.iter().collect();
            if let Some(series) = scrape.series(&labels) {
                scrape.sample(series, sample.value);
            }
        }
        match scrape.commit().samples {
            kept if kept == samples.len() as u64 => Ok(()),
            kept => Err(format!("only {kept} samples were taken")),
        }
    }

    fn unreadable_since(&self, _matchers: &[Matcher], _at: Time) -> Option<Time> {
        None
    }

    fn has_series(&self, selection: &Selection<'_>) -> bool {
        let mut found = false;
        let read = self.history.select(selection, &mut |_, _| {
            found = true;
            ControlFlow::Break(())
        });
        read.is_ok() && found
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
