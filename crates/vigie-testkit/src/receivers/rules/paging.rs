//! The rules of paging services.

use serde_json::{Value, json};

use super::{Judged, at_most, broken, object};
use crate::receivers::server::Posted;

pub(super) fn pagerduty(posted: &Posted, body: &Value) -> Judged {
    let payload = &body["payload"];
    let one_of =
        |value: &Value, known: &[&str]| value.as_str().is_some_and(|text| known.contains(&text));
    let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let none = Vec::new();
    let images = body["images"].as_array().unwrap_or(&none);
    let rules = [
        ("at most 512 kB", posted.body.len() <= 512_000),
        ("a routing_key", filled(&body["routing_key"])),
        (
            "a known event_action",
            one_of(
                &body["event_action"],
                &["trigger", "acknowledge", "resolve"],
            ),
        ),
        (
            "a dedup_key of at most 255 characters",
            filled(&body["dedup_key"]) && at_most(&body["dedup_key"], 255),
        ),
        (
            "a summary of 1 to 1024 characters",
            filled(&payload["summary"]) && at_most(&payload["summary"], 1024),
        ),
        ("a source", filled(&payload["source"])),
        (
            "a known severity",
            one_of(
                &payload["severity"],
                &["critical", "error", "warning", "info"],
            ),
        ),
        (
            "details that are an object",
            payload["custom_details"].is_object(),
        ),
        (
            "images with a source",
            images.iter().all(|image| filled(&image["src"])),
        ),
    ];
    match broken(&rules) {
        None => {
            let answer = json!({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]});
            Ok(object(202, &answer))
        }
        Some(rule) => {
            let answer = json!({"status": "invalid event", "message": "Event object is invalid", "errors": [rule]});
            Err((rule, object(400, &answer)))
        }
    }
}

pub(super) fn pushover(posted: &Posted) -> Judged {
    let form = form(&posted.body);
    let get = |name: &str| {
        form.iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    };
    let length = |name: &str| get(name).chars().count();
    let is_key = |name: &str| {
        get(name).len() == 30 && get(name).bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let number = |name: &str| get(name).parse::<i64>();
    let priority = number("priority").unwrap_or(if get("priority").is_empty() { 0 } else { 99 });
    let is_form = posted.header("content-type") == Some("application/x-www-form-urlencoded");
    let rules = [
        ("a form", is_form),
        ("token", is_key("token")),
        ("user", is_key("user")),
        (
            "a message of 1 to 1024 characters",
            (1..=1024).contains(&length("message")),
        ),
        ("a title of at most 250 characters", length("title") <= 250),
        ("a url of at most 512 characters", length("url") <= 512),
        (
            "a url_title of at most 100 characters",
            length("url_title") <= 100,
        ),
        ("a priority from -2 to 2", (-2..=2).contains(&priority)),
        (
            "retry of at least 30 s",
            priority != 2 || number("retry").is_ok_and(|retry| retry >= 30),
        ),
        (
            "expire of at most 3 h",
            priority != 2 || number("expire").is_ok_and(|expire| (1..=10_800).contains(&expire)),
        ),
    ];
    match broken(&rules) {
        None => Ok(object(200, &json!({"status": 1, "request": "r"}))),
        Some(rule) => {
            let mut answer = json!({"status": 0, "request": "r", "errors": [rule]});
            if rule == "token" || rule == "user" {
                answer[&rule] = json!("invalid");
            }
            Err((rule, object(400, &answer)))
        }
    }
}

/// The pairs of a form.
fn form(body: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    let digits = String::from_utf8_lossy(&digits).into_owned();
                    u8::from_str_radix(&digits, 16).unwrap_or(b'?')
                }
                byte => byte,
            });
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
