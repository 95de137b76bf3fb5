//! The API and amtool, side by side with the installed Alertmanager.
#![allow(clippy::unwrap_used)]

#[path = "support/amtool.rs"]
mod amtool;
#[path = "support/api.rs"]
mod api;
#[path = "support/side_by_side.rs"]
mod side_by_side;

use serde_json::{Value, json};
use vigie_testkit::tools;

/// Differences of Alertmanager 0.25: it lacks some keys, and words some errors otherwise.
fn adapt(_: &str, path: &str, ours: bool, status: &mut u16, body: &mut Value) {
    if *status >= 400 {
        *body = json!(body.is_object());
        return;
    }
    if ours {
        remove(body, "mutedBy");
        if path.starts_with("/receivers") {
            remove(body, "labels");
        }
        // It does not show that a time interval mutes.
        if path.starts_with("/alerts/groups") {
            suppressed_by_nothing_is_active(body);
        }
    }
}

fn remove(value: &mut Value, key: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, key)),
        Value::Object(object) => {
            object.remove(key);
            object.values_mut().for_each(|item| remove(item, key));
        }
        _ => {}
    }
}

fn suppressed_by_nothing_is_active(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(suppressed_by_nothing_is_active),
        Value::Object(object) => {
            let none = json!([]);
            let muted = object.get("silencedBy").is_some_and(|by| *by == none)
                && object.get("inhibitedBy").is_some_and(|by| *by == none);
            if muted {
                object.insert("state".to_owned(), json!("active"));
            }
            object
                .values_mut()
                .for_each(suppressed_by_nothing_is_active);
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_are_those_of_alertmanager() {
    let program = tools::ALERTMANAGER.find().unwrap();
    side_by_side::compare(&program, false, adapt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_prints_the_same() {
    let program = tools::ALERTMANAGER.find().unwrap();
    let amtool = tools::AMTOOL.find().unwrap();
    amtool::compare(&program, &amtool).await;
}
