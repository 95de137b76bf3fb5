//! The time from the scrape that shows a transition until a receiver has its message.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use super::program::Program;
use super::receiver::{Message, Receiver};
use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// Fires at every other scrape. Evaluations have the time of the scrape.
const RULES: &str = "
groups:
  - name: bench
    rules:
      - alert: EveryOther
        expr: vector(time()) % 30 >= 15
        annotations: {summary: 'the time is {{ $value }}'}
";
/// How long the program may take for a transition.
const TRANSITION: Duration = Duration::from_secs(20);

pub(super) async fn run(options: &Options, program: &Path) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    // No request is sent through the gateway, so any server can be the app.
    let program = Program::start(
        program,
        receiver.port(),
        "",
        Some((&[RULES.to_owned()], &receiver)),
    )
    .await?;
    let transitions = 2 * (options.rounds + 1);
    let within = TRANSITION * (transitions + 1);
    receiver.until(transitions as usize, within).await?;
    let messages = receiver.messages();
    drop(program);
    let of = |firing: bool| -> Vec<f64> {
        let some = messages.iter().filter(|one| one.is_firing() == firing);
        // The first one warms up.
        some.skip(1).filter_map(Message::latency).collect()
    };
    let [firing, resolved] = [of(true), of(false)];
    ensure!(!firing.is_empty() && !resolved.is_empty(), "no transitions");
    heading("Latency of notifications");
    note(&format!(
        "Milliseconds from the time of the scrape that shows a transition until the webhook has its message, with \
         `group_wait: 0s` and `group_interval: 1s`. {} transitions: median (least–greatest).",
        firing.len() + resolved.len(),
    ));
    let mut table = Table::new(["transition", "ms"]);
    let mut targets = Targets::new();
    for (what, seconds) in [("firing", firing), ("resolved", resolved)] {
        let millis: Vec<_> = seconds.iter().map(|seconds| seconds * 1e3).collect();
        table.row([what.into(), spread(&millis, figure)]);
        targets.at_most(&format!("{what}, median"), 1_000.0, median(&millis), " ms");
    }
    table.print();
    targets.print();
    Ok(())
}
