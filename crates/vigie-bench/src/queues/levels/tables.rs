//! What was measured, for people.

use super::Measured;
use crate::pinned;
use crate::queues::QUEUES;
use crate::queues::busy::BUSY;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// Everything that was measured, as Markdown.
pub(super) fn print(measured: &Measured, trips: f64) {
    let Measured {
        bullmq,
        exporter,
        signals,
        refresh,
        followed,
        everything,
        look,
        counted,
    } = measured;
    heading("Levels of 1,000 queues");
    note(&format!(
        "A refresh of the levels of {QUEUES} queues of 8 jobs: \
         `Promise.all(queues.map(q => q.getJobCounts()))` on one connection, and Vigie's watcher, publishing \
         included. Every second, in a different set of {BUSY} queues, one job is added and finished and \
         another is added or removed. The watcher runs as in the program: once a second it counts the queues that had events \
         and some of the others in turn, {} queues per refresh. Reading the event streams, which show the \
         queues with events, is most of the cost; the second row of each pair includes it, for a whole \
         second. The cost of the busy queues alone is measured in every round and subtracted from the \
         process; the cost of a counted queue to the process is measured at ten times the rate. Redis runs \
         alone on core {}, the clients on core {}. Milliseconds, medians of {} interleaved rounds (least–greatest).",
        figure(median(counted)),
        pinned::MEASURED,
        pinned::OTHERS,
        counted.len()
    ));
    let mut table = Table::new(["a refresh", "BullMQ", "vigie", "BullMQ / vigie"]);
    let mut row = |what: &str, peers: &[f64], ours: &[f64]| {
        let ratio = median(peers) / median(ours);
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), figure(ratio)]);
        ratio
    };
    let commands = row(
        "Redis, inside of commands",
        &bullmq.commands,
        &refresh.commands,
    );
    row(
        "… and a second of following",
        &bullmq.commands,
        &followed.commands,
    );
    let process = row(
        "Redis, the whole process",
        &bullmq.process,
        &refresh.process,
    );
    row(
        "… and a second of following",
        &bullmq.process,
        &followed.process,
    );
    table.print();
    note(
        "The worst case, without event streams: every refresh counts all queues, without a pause between \
         refreshes.",
    );
    let mut table = Table::new([
        "a refresh of everything",
        "BullMQ",
        "vigie",
        "BullMQ / vigie",
    ]);
    for (what, peers, ours) in [
        (
            "Redis, inside of commands",
            &bullmq.commands,
            &everything.commands,
        ),
        (
            "Redis, the whole process",
            &bullmq.process,
            &everything.process,
        ),
        ("wall time", &bullmq.wall, &everything.wall),
    ] {
        let ratio = figure(median(peers) / median(ours));
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), ratio]);
    }
    table.print();
    note(
        "One reading of the age, lateness and stalls of the jobs of all queues, which the program does every \
         5 s; here without a pause.",
    );
    let mut table = Table::new(["a look", "vigie"]);
    for (what, values) in [
        ("Redis, inside of commands", &look.commands),
        ("Redis, the whole process", &look.process),
        ("wall time", &look.wall),
    ] {
        table.row([what.into(), spread(values, figure)]);
    }
    table.print();
    note(
        "All signals of all queues, without a pause between refreshes: reading the event streams, counting \
         the jobs of the queues whose turn it is, reading the ages of every queue, and counting the workers, \
         of which there are none here. For comparison, one page of BullMQ's own exporter, \
         `Promise.all(queues.map(q => q.exportPrometheusMetrics()))` on one connection: jobs by state, \
         without ages, workers or schedulers. `igrek8/bullmq-prometheus` is not on npm, so it cannot be \
         measured here.",
    );
    let mut table = Table::new([
        "a refresh of all signals",
        "BullMQ's exporter",
        "vigie",
        "BullMQ / vigie",
    ]);
    for (what, peers, ours) in [
        (
            "Redis, inside of commands",
            &exporter.commands,
            &signals.commands,
        ),
        (
            "Redis, the whole process",
            &exporter.process,
            &signals.process,
        ),
        ("wall time", &exporter.wall, &signals.wall),
    ] {
        let ratio = figure(median(peers) / median(ours));
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), ratio]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_least(
        "less time inside of Redis' commands, a refresh",
        5.0,
        commands,
        "x",
    );
    targets.at_least("less processor time of Redis, a refresh", 5.0, process, "x");
    targets.at_most(
        "round trips a refresh",
        1.0,
        (trips * 10.0).round() / 10.0,
        "",
    );
    let (inside, wall) = (median(&signals.commands), median(&signals.wall));
    targets.at_most("inside of Redis' commands, all signals", 6.0, inside, " ms");
    targets.at_most("wall time of all signals", 15.0, wall, " ms");
    targets.print();
}
