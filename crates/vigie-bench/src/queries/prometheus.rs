//! Prometheus with the same samples.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use vigie_testkit::prometheus::Release;
use vigie_testkit::{Prometheus, sid, tools};

use super::data::{self, Backend};

/// A configuration that scrapes nothing.
const NO_TARGETS: &str = "global: {}\n";

/// Makes its database of OpenMetrics text, and starts it.
///
/// All samples are in one block, as if it had compacted them already: that is how it answers soonest.
pub(super) async fn start() -> anyhow::Result<Prometheus> {
    // The release of Debian 12 where the newer one is not unpacked.
    let (release, promtool) = match (Release::sid(), sid::PROMTOOL.find()) {
        (Ok(release), Ok(promtool)) => (release, promtool),
        _ => (Release::installed()?, tools::PROMTOOL.find()?),
    };
    let directory = TempDir::with_prefix("vigie-bench-")?;
    let text = directory.path().join("samples.om");
    write(&text)?;
    let mut promtool = Command::new(promtool);
    promtool
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args(["--quiet", "--max-block-duration=54h"])
        .arg(&text)
        .arg(directory.path().join("data"))
        .stdin(Stdio::null());
    let output = promtool.output().context("promtool")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "promtool: {said}");
    std::fs::remove_file(&text)?;
    Ok(release.start_in(directory, NO_TARGETS).await?)
}

fn write(path: &Path) -> anyhow::Result<()> {
    let mut backend = Backend::new();
    let labels: Vec<String> = backend.labels.iter().map(metric).collect();
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    for _ in 0..data::DAY {
        let (time, values) = backend.scrape();
        for (labels, value) in labels.iter().zip(values) {
            writeln!(file, "{labels} {value} {time}")?;
        }
    }
    file.write_all(b"# EOF\n")?;
    file.flush()?;
    Ok(())
}

/// `name{label="value",…}`; nothing in these values needs an escape.
fn metric(labels: &data::Labels) -> String {
    let name = labels.iter().find(|(name, _)| *name == "__name__");
    let mut text = name.map_or(String::new(), |(_, name)| name.clone());
    let mut before = '{';
    for (name, value) in labels.iter().filter(|(name, _)| *name != "__name__") {
        let _ = write!(text, "{before}{name}=\"{value}\"");
        before = ',';
    }
    text + "}"
}
