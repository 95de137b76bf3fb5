//! The built-in rules on the demo under traffic.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use vigie_testkit::{Postgres, Redis, Script};

use super::data::EVERY;
use super::program::Program;
use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// The players whose traffic is measured.
const PLAYERS: &str = "20";
/// Longer than any run.
const TRAFFIC: &str = "3600";

pub(super) async fn run(options: &Options, program: &Path) -> anyhow::Result<()> {
    let (postgres, redis) = (Postgres::start().await?, Redis::start().await?);
    let backend = Script::backend(&postgres.url(), &redis.url())
        .listen()
        .await?;
    let sections = format!(
        "[redis]\nurl = {:?}\n[database]\nurl = {:?}\n[tick]\nqueue = \"production\"\njob = \"production-tick\"\n\
         [alerts]\nbuiltin = [\"essential\", \"extended\"]\n",
        redis.url(),
        postgres.url(),
    );
    let program = Program::start(program, backend.1, &sections, None).await?;
    let target = format!("http://127.0.0.1:{}", program.port);
    let traffic = [
        "--target",
        &target,
        "--players",
        PLAYERS,
        "--seconds",
        TRAFFIC,
    ];
    let _traffic = Script::new("traffic/traffic.js").args(traffic).spawn()?;
    let every = Duration::from_secs(EVERY.unsigned_abs());
    let mut shares = Vec::new();
    for round in 0..=options.rounds {
        sleep(every).await;
        let page = program.metrics().await?;
        let seconds = page.sum("vigie_rule_group_last_duration_seconds")?;
        // The first round warms up.
        if round > 0 {
            shares.push(100.0 * seconds / every.as_secs_f64());
        }
    }
    heading("The built-in rules");
    note(&format!(
        "All rules of `essential` and `extended`, on the demo with the traffic of {PLAYERS} players: the time of an evaluation of all \
         groups, as a share of its interval of {EVERY} s. {} evaluations: median (least–greatest).",
        shares.len(),
    ));
    let mut table = Table::new(["what", "measured"]);
    table.row(["% of a core".into(), spread(&shares, figure)]);
    table.print();
    let mut targets = Targets::new();
    targets.at_most("share of a core", 0.5, median(&shares), " %");
    targets.print();
    Ok(())
}
