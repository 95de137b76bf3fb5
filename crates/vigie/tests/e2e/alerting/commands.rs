//! `vigie alerts` and `vigie silence` against the running program, with its configuration.

use serde_json::Value;
use vigie_testkit::webhook::Status;
use vigie_testkit::{Webhook, eventually};

use super::ARRIVES;
use super::setup::{APP_DOWN, Setup, command, printed};

const PENDING: &str = "      - {alert: Later, expr: 'vector(7) > 5', for: 1h}\n";

/// The cells of the row of an alert, which is printed while it is in this state.
fn row(table: &str, state: &str, name: &str) -> Option<String> {
    let rows = table.lines().filter(|line| line.starts_with(state));
    let mut rows = rows.filter(|line| line.contains(name));
    rows.next().map(str::to_owned)
}

#[tokio::test]
async fn alerts_are_shown_explained_silenced_and_acknowledged() {
    let webhook = Webhook::start().await.unwrap();
    let setup = Setup::new(&(APP_DOWN.to_owned() + PENDING));
    setup.notifies(&format!("webhook_configs: [{{url: '{}'}}]", webhook.url()));
    let app = setup.app().await;
    let vigie = setup.start(&setup.notifying()).await;
    let run = async |arguments: &[&str]| printed(command(&vigie, arguments).await);

    let id = run(&["silence", "add", "AppGone", "--comment", "maintenance"]).await;
    let id = id.trim();
    let silences = run(&["silence", "list"]).await;
    assert!(
        silences.contains(id) && silences.contains("ada@"),
        "{silences}"
    );
    drop(app);
    let down = [("alertname", "AppDown")];
    let firing = webhook.wait_for(Status::Firing, &down, 0, ARRIVES);
    let (_, past) = firing.await.unwrap();
    let table = eventually(ARRIVES, async || {
        let table = run(&["alerts"]).await;
        let gone = row(&table, "firing", "AppGone").is_some();
        let later = row(&table, "pending", "Later").is_some();
        (gone && later).then_some(table.clone()).ok_or(table)
    })
    .await;
    let later = row(&table, "pending", "Later").unwrap();
    assert!(
        later.contains("  7  ") && later.contains("fires at "),
        "{table}"
    );
    let gone = row(&table, "firing", "AppGone").unwrap();
    assert!(
        gone.contains(&format!("none to ops: muted by the silence {id}")),
        "{table}"
    );
    let name = "AppDown{check=\"app\"";
    let down = row(&table, "firing", name).expect(&table);
    assert!(
        down.contains("  0  ") && down.contains("to ops: "),
        "{table}"
    );

    let explained = run(&["alerts", "explain", "AppDown"]).await;
    for part in [
        "own.rules",
        "  vigie_check_up{check=\"app\"}\n",
        "must be == 0: 1 of 1\n",
    ] {
        assert!(explained.contains(part), "{part:?} in {explained}");
    }
    let explained = run(&["alerts", "explain", "Later"]).await;
    assert!(explained.contains("must be > 5: 1 of 1\n"), "{explained}");

    run(&["silence", "expire", id]).await;
    assert_eq!(run(&["silence", "list"]).await, "no silences\n");
    let gone = [("alertname", "AppGone")];
    let firing = webhook.wait_for(Status::Firing, &gone, past, ARRIVES);
    let (_, past) = firing.await.unwrap();

    run(&["alerts", "ack", "AppDown", "--comment", "on it"]).await;
    let alerts: Value = serde_json::from_str(&run(&["alerts", "--json"]).await).unwrap();
    let alerts = alerts["alerts"].as_array().unwrap();
    let reason = |name: &str| {
        let mut alerts = alerts.iter();
        let alert = alerts.find(|alert| alert["labels"]["alertname"] == name);
        alert.unwrap()["next"][0]["reason"].as_str().unwrap()
    };
    let acknowledged = reason("AppDown");
    assert!(
        acknowledged.starts_with("acknowledged by ada@"),
        "{acknowledged}"
    );
    let sent = reason("AppGone");
    assert!(!sent.starts_with("acknowledged"), "{sent}");

    // The test reaches the receiver of the same file, past the running program.
    let answers = run(&["alerts", "test", "ops"]).await;
    assert!(answers.contains("delivered"), "{answers}");
    let test = [("alertname", "VigieTest")];
    let sent = webhook.wait_for(Status::Firing, &test, past, ARRIVES);
    sent.await.unwrap();
    vigie.stop().await;
}
