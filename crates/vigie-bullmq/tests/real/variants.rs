//! Repeats the essential tests on other servers than the installed one: the oldest Redis in use, and Valkey.
//!
//! All tests: `VIGIE_TESTKIT_REDIS=valkey cargo test -p vigie-bullmq`.

use std::process::{Command, Stdio};

use vigie_testkit::wheels::{REDIS_6_2, VALKEY, VARIABLE, Wheel};

/// Levels, outcomes, run times, signals, losses, the least rights, restarts, replicas.
const CASES: [&str; 20] = [
    "counts::five_thousand_jobs_deleted_at_once_are_counted_to_the_job",
    "counts::large_return_values_are_followed_whole",
    "counts::resp3_gives_the_same_counts",
    OF_LOSSES[0],
    OF_LOSSES[1],
    "faults::a_queue_that_is_gone_is_forgotten_and_one_made_anew_is_followed",
    "faults::killed_and_back_empty",
    "faults::killed_and_back_with_its_data_and_then_frozen",
    "levels::every_state_equals_bullmqs_own_count",
    "levels::old_and_new_versions_and_unrelated_keys",
    "reach::a_failover_under_load",
    "reach::by_a_unix_socket_in_another_database",
    "reads_only::no_command_writes",
    "reads_only::the_least_rights_are_enough",
    "signals::a_scheduler_without_a_worker_is_late_and_one_that_ended_is_not",
    "workers::a_worker_appears_works_and_is_killed",
    "signals::arrivals_and_failed_attempts_are_counted_by_name",
    "signals::delayed_jobs_without_a_worker_are_overdue",
    "signals::the_oldest_is_found_wherever_it_stands",
    "versions::all_versions_side_by_side",
];
/// Tests that need a server with a count of all entries ever added, as Redis has since 7.0. Earlier versions leave no
/// trace of trimmed entries.
const OF_LOSSES: [&str; 2] = [
    "counts::missed_outcomes_are_recovered_from_the_workers_metrics",
    "counts::trimmed_entries_are_counted_exactly",
];

/// Runs these tests of the current executable on another server.
fn on(server: Wheel, cases: &[&str]) {
    server.find().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--test-threads=2"])
        .args(cases)
        .env(VARIABLE, server.name)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let all = format!("{} passed; 0 failed", cases.len());
    assert!(
        output.status.success() && stdout.contains(&all),
        "on {}, not {all}:\n{stdout}\n{stderr}",
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
