//! Measurements of the rule evaluations of one program.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use vigie_testkit::http;

/// The evaluations of one turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Rules that were evaluated.
    pub(super) rules: f64,
    /// The seconds that the evaluations of the groups took, added up.
    pub(super) seconds: f64,
    /// Processor seconds of all processes of the party.
    pub(super) cpu: f64,
}

impl Turn {
    /// The difference of two states of the counters.
    pub(super) fn between(before: Self, after: Self) -> anyhow::Result<Self> {
        let turn = Self {
            rules: after.rules - before.rules,
            seconds: after.seconds - before.seconds,
            cpu: after.cpu - before.cpu,
        };
        let whole = turn.rules > 0.0 && turn.seconds > 0.0 && turn.cpu > 0.0;
        ensure!(whole, "no rules were evaluated: {turn:?}");
        Ok(turn)
    }
}

/// A turn lasts an interval after the evaluations that were missed while the party was stopped.
pub(super) const SETTLES: Duration = Duration::from_secs(8);
pub(super) const TURN: Duration = Duration::from_secs(15);

/// A page of metrics, with the values of each name added up.
pub(super) struct Page(BTreeMap<String, f64>);

impl Page {
    pub(super) async fn of(addr: SocketAddr) -> anyhow::Result<Self> {
        let page = http::get(addr, "/metrics").await?;
        ensure!(page.status == 200, "{addr}/metrics: {}", page.status);
        Ok(Self::parse(&page.text()))
    }

    fn parse(text: &str) -> Self {
        let mut sums = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let name = series.split('{').next().unwrap_or(series);
            // Quantiles are no part of a sum.
            if let Ok(value) = value.parse::<f64>()
                && !series.contains("quantile=")
            {
                *sums.entry(name.to_owned()).or_default() += value;
            }
        }
        Self(sums)
    }

    pub(super) fn sum(&self, name: &str) -> anyhow::Result<f64> {
        let sum = self.0.get(name).copied();
        sum.with_context(|| format!("there is no metric {name}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_of_a_name_are_added() {
        let page =
            Page::parse("# HELP a b\na{b=\"c d\"} 1\na{b=\"e\"} 2.5\nd 7\nd{quantile=\"0.5\"} 9\n");
        assert_eq!((page.sum("a").unwrap(), page.sum("d").unwrap()), (3.5, 7.0));
        assert!(page.sum("e").is_err());
    }
}
