use super::*;

/// Runs evaluations ten apart: `x` returns the alert, `.` does not, `?` does not and the source is unreadable, `!`
/// fails. Each state is the letter of the verdict and that of the report.
fn run(readings: &str, hold: i64, keep_firing: i64) -> String {
    let mut state = State::NEW;
    let states = readings.chars().enumerate().map(|(at, reading)| {
        let at = at as i64 * 10;
        match reading {
            '!' => state.fail(at),
            _ => {
                let durations = Durations { hold, keep_firing };
                let unreadable = (reading == '?').then_some(at);
                state.advance(at, reading == 'x', durations, unreadable);
            }
        }
        let verdict = match state.active {
            None => '-',
            Some(active) if active.fired.is_none() => 'p',
            Some(_) => 'f',
        };
        let report = match state.report {
            Report::Silent => '-',
            Report::Open {
                unknown_since: Some(_),
                ..
            } => '?',
            Report::Open { .. } => 'F',
            Report::Closed { .. } => 'R',
        };
        format!("{verdict}{report}")
    });
    states.collect::<Vec<_>>().join(" ")
}

#[test]
fn pending_fires_and_resolves() {
    assert_eq!(run("xxx..", 20, 0), "p- p- fF -R -R");
    assert_eq!(run("x.x", 0, 0), "fF -R fF");
    assert_eq!(run("xx.xxx", 20, 0), "p- p- -- p- p- fF");
}

#[test]
fn firing_is_kept() {
    assert_eq!(run("xx....", 10, 20), "p- fF fF fF -R -R");
    assert_eq!(run("xx.x...", 10, 20), "p- fF fF fF fF fF -R");
}

#[test]
fn unknown_is_not_resolved() {
    assert_eq!(run("x??.", 0, 0), "fF -? -? -R");
    assert_eq!(run("x??x.", 0, 0), "fF -? -? fF -R");
    // `for` starts again by verdict; the report continues.
    assert_eq!(run("xx?xx.", 10, 0), "p- fF -? pF fF -R");
    assert_eq!(run("xx?x.", 10, 0), "p- fF -? pF -R");
    // A pending alert was not reported.
    assert_eq!(run("x?.", 10, 0), "p- -- --");
    // Kept firing, and unknown.
    assert_eq!(run("x??.", 0, 20), "fF f? f? -R");
    assert_eq!(run("x?...", 0, 30), "fF f? fF fF -R");
}

#[test]
fn a_failure_makes_reported_alerts_unknown() {
    assert_eq!(run("x!x!.", 0, 0), "fF f? fF f? -R");
    assert_eq!(run("x!", 10, 0), "p- p-");
}

#[test]
fn an_unknown_alert_continues_with_its_start() {
    let mut state = State::NEW;
    let none = Durations {
        hold: 0,
        keep_firing: 0,
    };
    state.advance(10, true, none, None);
    state.advance(20, false, none, Some(15));
    let unknown = Report::Open {
        starts_at: 10,
        unknown_since: Some(15),
    };
    assert_eq!(state.report, unknown);
    state.advance(30, false, none, Some(25));
    assert_eq!(state.report, unknown);
    state.advance(40, true, none, None);
    let firing = Report::Open {
        starts_at: 10,
        unknown_since: None,
    };
    assert_eq!(state.report, firing);
}

#[test]
fn a_longer_hold_ends_the_report() {
    let mut state = State::NEW;
    let hold = |hold| Durations {
        hold,
        keep_firing: 0,
    };
    state.advance(10, true, hold(0), None);
    state.advance(20, true, hold(20), None);
    assert!(matches!(state.report, Report::Closed { ends_at: 20, .. }));
    assert!(state.active.is_some_and(|active| active.fired.is_none()));
    state.advance(30, true, hold(20), None);
    assert!(matches!(state.report, Report::Open { starts_at: 30, .. }));
}

#[test]
fn paused_time_does_not_count() {
    let mut state = State::NEW;
    let durations = Durations {
        hold: 20,
        keep_firing: 20,
    };
    state.advance(0, true, durations, None);
    state.pause(100);
    state.advance(110, true, durations, None);
    assert!(state.active.is_some_and(|active| active.fired.is_none()));
    state.advance(120, true, durations, None);
    assert!(state.is_open());
    state.advance(130, false, durations, None);
    state.pause(100);
    state.advance(240, false, durations, None);
    assert!(state.active.is_some());
    state.advance(250, false, durations, None);
    assert!(state.active.is_none());
}
