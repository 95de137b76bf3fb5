//! How fast rules are evaluated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;

use super::data::{Data, EVERY, INSTANCES, PER_GROUP};
use super::ours::Ours;
use super::party::{SETTLES, TURN, Turn};
use super::{prometheus, victoria};
use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// The time in which all parties have started.
const SETUP: Duration = Duration::from_secs(900);

const NAMES: [&str; 3] = ["vigie", "Prometheus", "vmalert + VictoriaMetrics"];

pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let lasting = SETUP + (SETTLES + TURN) * 2 * (options.rounds + 2);
    let data = Data::new(options.rules, i64::try_from(now)?, lasting);
    heading("Rules");
    let prometheus = available(NAMES[1], prometheus::Peer::start(&data).await);
    let victoria = available(NAMES[2], victoria::Peer::start(&data).await);
    let mut ours = Ours::new(&data)?;
    let mut turns = NAMES.map(|_| Vec::new());
    for round in 0..=options.rounds {
        let mut one = [Some(ours.turn()?), None, None];
        if let Some(peer) = &prometheus {
            one[1] = Some(peer.turn().await?);
        }
        if let Some(peer) = &victoria {
            one[2] = Some(peer.turn().await?);
        }
        // The first round warms up.
        if round > 0 {
            for (turns, turn) in turns.iter_mut().zip(one) {
                turns.extend(turn);
            }
        }
    }
    let mut alerts = vec![ours.alerts()];
    if let Some(peer) = &prometheus {
        alerts.push(peer.alerts().await?);
    }
    if let Some(peer) = &victoria {
        alerts.push(peer.alerts().await?);
    }
    let expected = data.alerts();
    ensure!(
        alerts.iter().all(|found| *found == expected),
        "{expected} alerts are expected, and the parties have {alerts:?}"
    );
    print(options, &data, &turns);
    Ok(())
}

/// A peer that can be had; otherwise the reason is printed.
fn available<T>(name: &str, peer: anyhow::Result<T>) -> Option<T> {
    peer.inspect_err(|error| note(&format!("{name} is not measured: {error:#}.")))
        .ok()
}

fn print(options: &Options, data: &Data, turns: &[Vec<Turn>; 3]) {
    note(&format!(
        "{} rules in groups of {PER_GROUP} over {} series, of which each rule selects {INSTANCES}; a tenth are recording rules, \
         half have `rate(…[5m])`. All parties have the same samples. Each group is evaluated every {EVERY} s. The parties run in turn, \
         and the others are stopped in the meantime. Wall time is that of the evaluations of the groups, added up; processor time is \
         that of all processes, for Vigie that of the evaluating thread. \
         Medians of {} interleaved rounds (least–greatest). {} alerts are active in each.",
        figure(data.rules as f64),
        figure(data.series() as f64),
        options.rounds,
        data.alerts(),
    ));
    let of = |figure: fn(&Turn) -> f64| {
        turns
            .each_ref()
            .map(|turns| turns.iter().map(figure).collect::<Vec<_>>())
    };
    let wall = of(|turn| turn.rules / turn.seconds);
    let cpu = of(|turn| turn.rules / turn.cpu);
    let rules = data.rules as f64;
    let interval = wall.each_ref().map(|rates| {
        rates
            .iter()
            .map(|rate| 100.0 * rules / rate / EVERY as f64)
            .collect()
    });
    let [ours, prometheus, victoria] = NAMES;
    let mut table = Table::new(["what", ours, prometheus, victoria]);
    let rows: [(&str, &[Vec<f64>; 3]); 3] = [
        ("rules a second of wall time", &wall),
        ("rules a processor second", &cpu),
        ("all rules, % of an interval of 15 s", &interval),
    ];
    for (what, values) in rows {
        let cells = values.each_ref().map(|values| match values.is_empty() {
            true => "–".to_owned(),
            false => spread(values, figure),
        });
        let [ours, prometheus, victoria] = cells;
        table.row([what.into(), ours, prometheus, victoria]);
    }
    table.print();
    let mut targets = Targets::new();
    let ratio = |values: &[Vec<f64>; 3], peer: usize| median(&values[0]) / median(&values[peer]);
    if !wall[1].is_empty() {
        let what = "rules a second against Prometheus";
        targets.at_least(what, 3.0, ratio(&wall, 1), "x");
    }
    if !cpu[2].is_empty() {
        let what = "rules a processor second against vmalert";
        targets.at_least(what, 1.5, ratio(&cpu, 2), "x");
    }
    let what = "share of an interval of 15 s";
    targets.at_most(what, 50.0, median(&interval[0]), " %");
    targets.print();
}
