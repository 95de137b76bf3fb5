//! The documented schema and limits of each service, and its answers.

use serde_json::{Value, json};

use super::server::{Answer, Posted};
use super::{Service, telegram};

/// The answer of the service, or the mistake with the answer that the service gives for it.
pub(super) type Judged = Result<Answer, (String, Answer)>;

pub(super) fn judge(service: Service, posted: &Posted) -> Judged {
    let body = posted.json();
    match service {
        Service::Webhook => webhook(&body),
        Service::Slack => slack(posted, &body),
        Service::Discord => discord(&body),
        Service::Teams => teams(posted, &body),
        Service::Telegram => telegram::judge(posted, &body),
        Service::PagerDuty => pagerduty(posted, &body),
        Service::Pushover => pushover(posted),
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

fn slack(posted: &Posted, body: &Value) -> Judged {
    let is_api = posted.path == "/api/chat.postMessage";
    let none = Vec::new();
    let attachments = body["attachments"].as_array().unwrap_or(&none);
    let each = |rule: &dyn Fn(&Value) -> bool| attachments.iter().all(rule);
    let rules = [
        ("JSON", body.is_object()),
        (
            "a text or an attachment",
            body["text"].is_string() || !attachments.is_empty(),
        ),
        ("at most 100 attachments", attachments.len() <= 100),
        (
            "a title of at most 1024 characters",
            each(&|one| at_most(&one["title"], 1024)),
        ),
        (
            "a text of at most 40000 characters",
            each(&|one| at_most(&one["text"], 40_000)),
        ),
    ];
    match (broken(&rules), is_api) {
        (None, false) => Ok(text(200, "ok")),
        (None, true) => match posted.header("authorization") {
            Some("Bearer xoxb-right") => Ok(object(200, &json!({"ok": true, "ts": "1.2"}))),
            _ => Ok(object(200, &json!({"ok": false, "error": "invalid_auth"}))),
        },
        (Some(rule), false) => Err((rule, text(400, "invalid_payload"))),
        (Some(rule), true) => Err((
            rule,
            object(200, &json!({"ok": false, "error": "invalid_arguments"})),
        )),
    }
}

/// Whether a text is escaped for Slack: each `&` begins one of Slack's three escapes, and each `<` a link or a mention.
#[must_use]
pub fn is_mrkdwn(text: &str) -> bool {
    let escapes = ["&amp;", "&lt;", "&gt;"];
    let entity = |at: usize| escapes.iter().any(|escape| text[at..].starts_with(escape));
    let link = |at: usize| {
        let rest = &text[at + 1..];
        rest.find('>')
            .is_some_and(|end| !rest[..end].contains(['<', '\n']))
    };
    text.match_indices('&').all(|(at, _)| entity(at))
        && text.match_indices('<').all(|(at, _)| link(at))
}

fn discord(body: &Value) -> Judged {
    let none = Vec::new();
    let embeds = body["embeds"].as_array().unwrap_or(&none);
    let within = |value: &Value, most| {
        value.is_null() || value.as_str().is_some_and(|text| utf16(text) <= most)
    };
    let length = |value: &Value| utf16(value.as_str().unwrap_or_default());
    let filled = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let sum: usize = embeds
        .iter()
        .map(|one| length(&one["title"]) + length(&one["description"]))
        .sum();
    let rules = [
        ("JSON", body.is_object()),
        (
            "content of at most 2000 characters",
            within(&body["content"], 2000),
        ),
        ("at most 10 embeds", embeds.len() <= 10),
        (
            "titles of at most 256 characters",
            embeds.iter().all(|one| within(&one["title"], 256)),
        ),
        (
            "descriptions of at most 4096 characters",
            embeds.iter().all(|one| within(&one["description"], 4096)),
        ),
        ("at most 6000 characters in all embeds", sum <= 6000),
        (
            "a message that is not empty",
            filled(&body["content"])
                || embeds
                    .iter()
                    .any(|one| filled(&one["title"]) || filled(&one["description"])),
        ),
        (
            "a name of 1 to 80 characters",
            body["username"].is_null()
                || filled(&body["username"]) && within(&body["username"], 80),
        ),
    ];
    match broken(&rules) {
        None => Ok(text(204, "")),
        Some(rule) => {
            let error =
                json!({"message": "Invalid Form Body", "code": 50035, "errors": {"_": rule}});
            Err((rule, object(400, &error)))
        }
    }
}

fn teams(posted: &Posted, body: &Value) -> Judged {
    let attachment = &body["attachments"][0];
    let card = &attachment["content"];
    let none = Vec::new();
    let blocks = card["body"].as_array().unwrap_or(&none);
    let rules = [
        ("at most 28 kB", posted.body.len() <= 28_000),
        ("a message", body["type"] == "message"),
        (
            "an adaptive card",
            attachment["contentType"] == "application/vnd.microsoft.card.adaptive",
        ),
        (
            "no contentUrl",
            attachment.get("contentUrl").is_some_and(Value::is_null),
        ),
        (
            "a card of version 1.2",
            card["type"] == "AdaptiveCard" && card["version"] == "1.2",
        ),
        (
            "text blocks",
            !blocks.is_empty()
                && blocks
                    .iter()
                    .all(|block| block["type"] == "TextBlock" && block["text"].is_string()),
        ),
    ];
    match broken(&rules) {
        None => Ok(text(202, "")),
        Some(rule) => Err((
            rule.clone(),
            object(400, &json!({"error": {"message": rule}})),
        )),
    }
}

fn pagerduty(posted: &Posted, body: &Value) -> Judged {
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

fn pushover(posted: &Posted) -> Judged {
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
