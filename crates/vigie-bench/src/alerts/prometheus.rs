//! Prometheus with the same rules and samples.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::time::sleep;
use vigie_testkit::prometheus::Release;
use vigie_testkit::{Prometheus, sid};

use super::data::{Data, write_rules};
use super::party::{Page, SETTLES, TURN, Turn};
use crate::usage;

pub(super) struct Peer(Prometheus);

impl Peer {
    /// Makes its database of OpenMetrics text, as if it had compacted the samples already, and starts and stops it.
    pub(super) async fn start(data: &Data) -> anyhow::Result<Self> {
        let release = Release::sid().map_err(anyhow::Error::msg)?;
        let promtool = sid::PROMTOOL.find().map_err(anyhow::Error::msg)?;
        let directory = TempDir::with_prefix("vigie-bench-")?;
        let text = directory.path().join("samples.om");
        write(data, &text)?;
        let output = Command::new(promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .arg(&text)
            .arg(directory.path().join("data"))
            .stdin(Stdio::null())
            .output()
            .context("promtool")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "promtool: {said}");
        std::fs::remove_file(&text)?;
        write_rules(directory.path(), &data.rule_files())?;
        let rules = directory.path().join("rules-*.yml");
        let config = format!("rule_files: [{rules:?}]\n");
        let prometheus = release.start_in(directory, &config).await?;
        prometheus.process().freeze();
        Ok(Self(prometheus))
    }

    /// Lets it run for an interval.
    pub(super) async fn turn(&self) -> anyhow::Result<Turn> {
        self.0.process().thaw();
        sleep(SETTLES).await;
        let before = self.state().await?;
        sleep(TURN).await;
        let after = self.state().await?;
        self.0.process().freeze();
        Turn::between(before, after)
    }

    async fn state(&self) -> anyhow::Result<Turn> {
        let page = Page::of(self.0.addr()).await?;
        let failed = page.sum("prometheus_rule_evaluation_failures_total")?;
        ensure!(failed == 0.0, "{failed} evaluations of Prometheus failed");
        Ok(Turn {
            rules: page.sum("prometheus_rule_evaluations_total")?,
            seconds: page.sum("prometheus_rule_group_duration_seconds_sum")?,
            cpu: usage::cpu(self.0.id())?.as_secs_f64(),
        })
    }

    /// The number of alerts that are pending or fire.
    pub(super) async fn alerts(&self) -> anyhow::Result<usize> {
        self.0.process().thaw();
        let found = self.0.query("count(ALERTS)").await?;
        Ok(found.first().map_or(0, |sample| sample.value as usize))
    }
}

fn write(data: &Data, path: &Path) -> anyhow::Result<()> {
    let metric = |series: usize| {
        let [(_, name), labels @ ..] = data.labels(series);
        let labels = labels.map(|(name, value)| format!("{name}=\"{value}\""));
        format!("{name}{{{}}}", labels.join(","))
    };
    let metrics: Vec<_> = (0..data.series()).map(metric).collect();
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    for scrape in 0..data.scrapes {
        let time = data.time(scrape);
        for (series, metric) in metrics.iter().enumerate() {
            writeln!(file, "{metric} {} {time}", Data::value(series, scrape))?;
        }
    }
    file.write_all(b"# EOF\n")?;
    file.flush()?;
    Ok(())
}
