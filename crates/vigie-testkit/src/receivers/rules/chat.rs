//! The rules of chat programs.

use serde_json::{Value, json};

use super::{Judged, at_most, broken, object, text, utf16};
use crate::receivers::server::Posted;

pub(super) fn slack(posted: &Posted, body: &Value) -> Judged {
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

pub(super) fn discord(body: &Value) -> Judged {
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

pub(super) fn teams(posted: &Posted, body: &Value) -> Judged {
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
