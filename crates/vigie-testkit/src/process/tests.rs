#![allow(clippy::unwrap_used)]
use super::*;
use crate::SOON;
use serde_json::json;

fn sh(script: &str) -> Process {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    Process::spawn("script", command).unwrap()
}

/// Neither ended nor a zombie.
fn is_running(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z')
}

fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[tokio::test]
async fn talks_json_lines() {
    let mut cat = sh("exec cat");
    let message = json!({"cmd": "count", "text": "a\nb"});
    assert_eq!(cat.ask(&message, SOON).await.unwrap(), message);
    cat.close_stdin();
    assert!(cat.wait(SOON).await.unwrap().success());
}

#[tokio::test]
async fn says_what_the_process_wrote_before_it_died() {
    let mut script = sh("echo it broke >&2; exit 3");
    let error = script.next_json(SOON).await.unwrap_err();
    assert!(matches!(error, Error::Exited { .. }));
    let mut text = error.to_string();
    for _ in 0..100 {
        if text.contains("it broke") {
            break;
        }
        sleep(POLL).await;
        text = script.exited().to_string();
    }
    assert!(
        text.contains("it broke") && text.contains("exit status: 3"),
        "{text}"
    );
}

#[tokio::test]
async fn a_silent_process_is_late_and_bad_json_is_shown() {
    let mut silent = sh("exec sleep 60");
    let error = silent
        .next_json(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Late { .. }));
    let mut bad = sh("echo '{nope'; exec sleep 60");
    let error = bad.next_json(SOON).await.unwrap_err();
    assert!(error.to_string().contains("{nope"));
}

#[tokio::test]
async fn dropping_kills_frozen_descendants_that_left_the_group() {
    let mut script = sh("setsid sleep 60 & echo $!; wait");
    let pid: u32 = script.next_line(SOON).await.unwrap().parse().unwrap();
    while descendants(script.id()).is_empty() {
        sleep(POLL).await;
    }
    script.freeze();
    crate::eventually(SOON, async || match state_of(pid) {
        Some('T') => Ok(()),
        other => Err(format!("the child's state is {other:?}")),
    })
    .await;
    drop(script);
    crate::eventually(SOON, async || {
        (!is_running(pid)).then_some(()).ok_or("runs")
    })
    .await;
}

#[tokio::test]
async fn the_guard_kills_when_the_owner_is_gone() {
    let mut script = sh("sleep 60 & echo $!; wait");
    let pid: u32 = script.next_line(SOON).await.unwrap().parse().unwrap();
    script.freeze();
    script.guard.stdin = None; // as the system does when the owner is killed
    crate::eventually(SOON, async || {
        (!is_running(pid)).then_some(()).ok_or("runs")
    })
    .await;
}

#[tokio::test]
async fn terminates_gently_then_for_good() {
    let mut gentle = sh("trap 'exit 7' TERM; echo on; while :; do sleep 0.01; done");
    gentle.next_line(SOON).await.unwrap();
    assert_eq!(gentle.stop(SOON).await.unwrap().code(), Some(7));
    let mut deaf = sh("trap '' TERM; echo on; while :; do sleep 0.01; done");
    deaf.next_line(SOON).await.unwrap();
    let status = deaf.stop(Duration::from_millis(100)).await.unwrap();
    assert_eq!(status.signal(), Some(9));
}
