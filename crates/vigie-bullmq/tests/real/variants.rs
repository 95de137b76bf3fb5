//! The essential cases again, on other servers than the installed one: the oldest Redis that is in use, and Valkey.
//!
//! Everything at once: `VIGIE_TESTKIT_REDIS=valkey cargo test -p vigie-bullmq`.

use std::process::{Command, Stdio};

use vigie_testkit::wheels::{REDIS_6_2, VALKEY, VARIABLE, Wheel};

/// Levels, outcomes, run times, signals, losses, the least rights, restarts, replicas.
const CASES: [&str; 20] = [
    "counts::five_thousand_jobs_deleted_at_once_are_counted_to_the_job",
    "counts::large_return_values_are_followed_whole",
    "counts::the_newer_protocol_says_the_same",
    OF_LOSSES[0],
    OF_LOSSES[1],
    "faults::a_queue_that_is_gone_is_forgotten_and_one_made_anew_is_followed",
    "faults::killed_and_back_empty",
    "faults::killed_and_back_with_its_data_and_then_frozen",
    "levels::every_state_equals_bullmqs_own_count",
    "levels::old_and_new_versions_and_strangers_keys",
    "reach::a_failover_under_load",
    "reach::by_a_unix_socket_in_another_database",
    "reads_only::no_command_writes",
    "reads_only::the_least_rights_are_enough",
    "signals::a_scheduler_without_a_worker_is_late_and_one_that_ended_is_not",
    "workers::a_worker_appears_works_and_is_killed",
    "signals::arrivals_and_failed_attempts_are_counted_by_name",
    "signals::delayed_jobs_nobody_promotes_are_overdue",
    "signals::the_oldest_is_found_wherever_it_stands",
    "versions::all_versions_side_by_side",
];
/// They need a server that says how many entries a stream ever had, as Redis does from 7.0 on. Before, what was trimmed unread
/// leaves no trace.
const OF_LOSSES: [&str; 2] = [
    "counts::what_was_missed_is_repaired_from_the_workers_metrics",
    "counts::what_was_trimmed_unread_is_counted_to_the_entry",
];

/// Runs these cases of this very program on another server.
fn on(server: Wheel, cases: &[&str]) {
    server.find().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--test-threads=2"])
        .args(cases)
        .env(VARIABLE, server.name)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [said, complaints] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let all = format!("{} passed; 0 failed", cases.len());
    assert!(
        output.status.success() && said.contains(&all),
        "on {}, not {all}:\n{said}\n{complaints}",
        server.name
    );
}

#[test]
fn the_essential_cases_on_redis_6_2() {
    let cases: Vec<_> = CASES
        .into_iter()
        .filter(|case| !OF_LOSSES.contains(case))
        .collect();
    on(REDIS_6_2, &cases);
}

#[test]
fn the_essential_cases_on_valkey() {
    on(VALKEY, &CASES);
}
