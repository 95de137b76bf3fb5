//! Alerting: the evaluation of many rules against Prometheus and vmalert, and what alerts take in the program.

mod data;
mod demo;
mod flood;
mod latency;
mod ours;
mod party;
mod program;
mod prometheus;
mod receiver;
mod speed;
mod victoria;

use anyhow::Context;

use crate::Options;

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let program = options.vigie.as_ref();
    let program = program.context("--vigie is needed: the program whose alerts are measured")?;
    speed::run(options).await?;
    latency::run(options, program).await?;
    flood::run(options, program).await?;
    demo::run(options, program).await
}
