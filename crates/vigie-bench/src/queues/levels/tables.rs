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
         included. Every second {BUSY} other queues have a job that comes and ends and one that stays or goes; the \
         watcher runs as in the program, counts once a second, and has read the queues that had events and some of \
         the others in turn: {} queues a refresh. Following the streams tells which, and is the larger part of \
         what it costs: the second row of each pair has all of it, for a whole second. What the busy queues cost \
         by themselves is measured in every round and taken off the process; what a counted queue costs the process is \
         measured at ten times the pace. Redis has core {} to itself, the \
         clients core {}. Milliseconds, medians of {} interleaved rounds (least–greatest).",
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
        "The worst case, where no stream can be followed: all queues are counted in every refresh, one after the \
         other without a pause.",
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
        "A look at all queues, for how old, late and stuck their jobs are, which the program does every 5 s; here \
         one after the other.",
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
        "All signals of all queues, as the program keeps them up but again and again without a pause: the streams \
         followed, the jobs counted of the queues whose turn it is, a look at every queue, and the workers counted, \
         of which there are none here. Against it what BullMQ's own exporter asks for a page, \
         `Promise.all(queues.map(q => q.exportPrometheusMetrics()))` on one connection: jobs by state, and nothing of \
         age, workers or schedulers. `igrek8/bullmq-prometheus` is not on npm, so it cannot be measured here.",
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
