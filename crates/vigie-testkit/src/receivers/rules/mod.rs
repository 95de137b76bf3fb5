//! The documented schema and limits of each service, and its answers.

mod chat;
mod paging;

pub use chat::is_mrkdwn;
use serde_json::{Value, json};

use super::server::{Answer, Posted};
use super::{Service, telegram};

/// The answer of the service, or the mistake with the answer that the service gives for it.
pub(super) type Judged = Result<Answer, (String, Answer)>;

pub(super) fn judge(service: Service, posted: &Posted) -> Judged {
    let body = posted.json();
    match service {
        Service::Webhook => webhook(&body),
        Service::Slack => chat::slack(posted, &body),
        Service::Discord => chat::discord(&body),
        Service::Teams => chat::teams(posted, &body),
        Service::Telegram => telegram::judge(posted, &body),
        Service::PagerDuty => paging::pagerduty(posted, &body),
        Service::Pushover => paging::pushover(posted),
        Service::Ntfy => ntfy(&body),
        Service::Heartbeat => Ok(text(200, "OK")),
    }
}

pub(super) fn text(status: u16, body: &str) -> Answer {
    Answer::Http(status, Vec::new(), body.to_owned())
}

pub(super) fn object(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer::Http(status, headers, body.to_string())
}

/// The first rule that does not hold.
pub(super) fn broken(rules: &[(&str, bool)]) -> Option<String> {
    let broken = rules.iter().find(|(_, holds)| !holds);
    broken.map(|(rule, _)| (*rule).to_owned())
}

pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

fn at_most(value: &Value, chars: usize) -> bool {
    value.is_null()
        || value
            .as_str()
            .is_some_and(|text| text.chars().count() <= chars)
}

fn webhook(body: &Value) -> Judged {
    match body.is_object() {
        true => Ok(text(200, "")),
        false => Err((
            "a body that is no JSON object".to_owned(),
            text(400, "bad JSON"),
        )),
    }
}

fn ntfy(body: &Value) -> Judged {
    let topic = body["topic"].as_str().unwrap_or_default();
    let is_topic = (1..=64).contains(&topic.len())
        && topic
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let message = body["message"].as_str().unwrap_or_default();
    let none = Vec::new();
    let actions = body["actions"].as_array().unwrap_or(&none);
    let rules = [
        ("a topic", is_topic),
        (
            "a message of 1 to 4096 bytes",
            (1..=4096).contains(&message.len()),
        ),
        (
            "a priority from 1 to 5",
            body["priority"]
                .as_u64()
                .is_some_and(|number| (1..=5).contains(&number)),
        ),
        ("at most 3 actions", actions.len() <= 3),
        (
            "actions with a label and a URL",
            actions.iter().all(|one| {
                one["action"] == "view" && one["label"].is_string() && one["url"].is_string()
            }),
        ),
    ];
    match broken(&rules) {
        None => Ok(object(
            200,
            &json!({"id": "hwQ2YpKdmg", "time": 1, "event": "message", "topic": topic}),
        )),
        Some(rule) => {
            let answer =
                json!({"code": 40000, "http": 400, "error": format!("invalid request: {rule}")});
            Err((rule, object(400, &answer)))
        }
    }
}
