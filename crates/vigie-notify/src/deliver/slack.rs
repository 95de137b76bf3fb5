//! Slack: incoming webhooks, and `chat.postMessage`, whose requests are the same.

use serde_json::{Map, Value, json};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{Answer, Request};
use super::json::put;
use super::render::Texts;
use super::text::{Markup, Unit, fit};
use crate::config::{Slack, SlackAction, SlackConfirm};

const TITLE: usize = 1024;
/// The text that Slack shows; it cuts longer ones itself.
const TEXT: usize = 40_000;
const FIELDS: usize = 100;

/// The request of a message.
pub(super) fn request(url: Url, settings: &Slack, texts: &Texts<'_>) -> Result<Request, Failure> {
    let body = body(settings, texts)?;
    Ok(Request::json(url, body.to_string()))
}

pub(super) fn body(settings: &Slack, texts: &Texts<'_>) -> Result<Value, Failure> {
    let render = |template: &str, limit| {
        let text = texts.slack(template)?;
        Ok::<_, Failure>(fit(&text, limit, Unit::Chars, Markup::Slack).into_owned())
    };
    let mut attachment = Map::new();
    for (name, template, limit) in [
        ("title", &settings.title, TITLE),
        ("title_link", &settings.title_link, TEXT),
        ("pretext", &settings.pretext, TEXT),
        ("text", &settings.text, TEXT),
        ("fallback", &settings.fallback, TEXT),
        ("callback_id", &settings.callback_id, TITLE),
        ("image_url", &settings.image_url, TEXT),
        ("thumb_url", &settings.thumb_url, TEXT),
        ("footer", &settings.footer, TITLE),
        ("color", &settings.color, TITLE),
    ] {
        put(&mut attachment, name, render(template, limit)?);
    }
    let mut fields = Vec::new();
    for field in settings.fields.iter().take(FIELDS) {
        fields.push(json!({
            "title": render(&field.title, TITLE)?,
            "value": render(&field.value, TEXT)?,
            "short": field.short.unwrap_or(settings.short_fields),
        }));
    }
    if !fields.is_empty() {
        attachment.insert("fields".to_owned(), Value::Array(fields));
    }
    let mut actions = Vec::new();
    for action in settings.actions.iter().take(FIELDS) {
        actions.push(button(action, &render)?);
    }
    if !actions.is_empty() {
        attachment.insert("actions".to_owned(), Value::Array(actions));
    }
    let mrkdwn = match settings.mrkdwn_in.is_empty() {
        true => json!(["fallback", "pretext", "text"]),
        false => json!(settings.mrkdwn_in),
    };
    attachment.insert("mrkdwn_in".to_owned(), mrkdwn);

    let mut body = Map::new();
    for (name, template) in [
        ("channel", &settings.channel),
        ("username", &settings.username),
        ("icon_emoji", &settings.icon_emoji),
        ("icon_url", &settings.icon_url),
        ("text", &settings.message_text),
    ] {
        put(&mut body, name, render(template, TEXT)?);
    }
    if settings.link_names {
        body.insert("link_names".to_owned(), Value::Bool(true));
    }
    body.insert("attachments".to_owned(), json!([attachment]));
    Ok(Value::Object(body))
}

fn button(
    action: &SlackAction,
    render: &impl Fn(&str, usize) -> Result<String, Failure>,
) -> Result<Value, Failure> {
    let mut button = Map::new();
    for (name, template) in [
        ("type", &action.kind),
        ("text", &action.text),
        ("url", &action.url),
        ("style", &action.style),
        ("name", &action.name),
        ("value", &action.value),
    ] {
        put(&mut button, name, render(template, TEXT)?);
    }
    if let Some(confirm) = &action.confirm {
        button.insert("confirm".to_owned(), question(confirm, render)?);
    }
    Ok(Value::Object(button))
}

fn question(
    confirm: &SlackConfirm,
    render: &impl Fn(&str, usize) -> Result<String, Failure>,
) -> Result<Value, Failure> {
    let mut question = Map::new();
    for (name, template) in [
        ("title", &confirm.title),
        ("text", &confirm.text),
        ("ok_text", &confirm.ok_text),
        ("dismiss_text", &confirm.dismiss_text),
    ] {
        put(&mut question, name, render(template, TITLE)?);
    }
    Ok(Value::Object(question))
}

/// A webhook answers `ok`, the API a JSON object.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    answer.judge()?;
    match answer.json() {
        Some(Value::Object(object)) => match object.get("ok") {
            Some(Value::Bool(false)) => {
                let error = object.get("error").and_then(Value::as_str);
                Err(answer.failure(cause(error.unwrap_or_default())))
            }
            _ => Ok(()),
        },
        _ if matches!(answer.body.trim(), "ok" | "") => Ok(()),
        _ => Err(answer.failure(Cause::Answer)),
    }
}

/// The errors of the API.
fn cause(error: &str) -> Cause {
    match error {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "access_denied"
        | "not_allowed_token_type" => Cause::Credentials,
        "channel_not_found" | "is_archived" | "not_in_channel" | "team_not_found" => {
            Cause::NotFound
        }
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Cause::RateLimited,
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            Cause::Server
        }
        _ => Cause::Refused,
    }
}
