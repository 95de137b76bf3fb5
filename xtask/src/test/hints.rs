//! How test programs share the machine.

use std::num::NonZero;
use std::thread;

/// The variable with the number of tests that a test program runs at once.
pub(crate) const THREADS: &str = "RUST_TEST_THREADS";

/// A test program that takes long.
struct Hint {
    program: &'static str,
    /// Its duration alone on two idle cores. Longer ones start first, so that none runs alone at the end.
    seconds: u32,
    /// Its tests mostly wait for servers and intervals, so more of them than cores can run at once.
    waits: bool,
}

const KNOWN: &[Hint] = &[
    waits("vigie::e2e", 400),
    waits("vigie-bullmq::real", 200),
    waits("vigie::vigie", 130),
    waits("vigie-probes::servers", 30),
    waits("vigie-election::kubernetes", 20),
    computes("vigie::rules", 60),
    computes("vigie-bullmq::vigie_bullmq", 20),
    computes("vigie-probes::clients", 20),
    computes("vigie-gateway::gateway", 20),
    computes("vigie-promql::promql", 20),
    computes("vigie-history::history", 20),
    computes("vigie-traffic::traffic", 20),
    computes("vigie::deploy", 10),
];

const fn waits(program: &'static str, seconds: u32) -> Hint {
    Hint {
        program,
        seconds,
        waits: true,
    }
}

const fn computes(program: &'static str, seconds: u32) -> Hint {
    Hint {
        program,
        seconds,
        waits: false,
    }
}

/// The tests per core of programs that wait.
const WAITING_PER_CORE: usize = 3;

/// The approximate duration, to start long programs first.
pub(crate) fn seconds(program: &str) -> u32 {
    of(program).map_or(0, |hint| hint.seconds)
}

/// The number of tests that the program should run at once, if that is not the number of cores.
pub(crate) fn threads(program: &str) -> Option<usize> {
    let waits = of(program).is_some_and(|hint| hint.waits);
    waits.then(|| cores() * WAITING_PER_CORE)
}

/// The number of test programs that run at once: while some wait, others use the cores.
pub(crate) fn programs_at_once() -> usize {
    cores() + 1
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn of(program: &str) -> Option<&'static Hint> {
    KNOWN.iter().find(|hint| hint.program == program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_tests_that_wait_run_at_once() {
        assert_eq!(threads("vigie::e2e"), Some(cores() * WAITING_PER_CORE));
        assert_eq!(threads("vigie::rules"), None);
        assert_eq!(threads("vigie::unknown"), None);
    }

    #[test]
    fn an_unknown_program_is_short() {
        assert!(seconds("vigie::e2e") > seconds("vigie::rules"));
        assert_eq!(seconds("vigie::unknown"), 0);
    }
}
