//! Telegram: `sendMessage` of the bot API.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{Answer, Request, seconds};
use super::render::Texts;
use super::text::{self, Markup, Unit, fit};
use crate::config::Telegram;

pub(super) const TEXT: usize = 4096;

/// The request of a message. The chat is a number or `@name`.
pub(super) fn request(
    settings: &Telegram,
    token: SecretString,
    chat: &str,
    texts: &Texts<'_>,
) -> Result<Request, Failure> {
    let url = url(&settings.api_url, &token)?;
    let body = body(settings, chat, texts)?;
    let mut request = Request::json(url, body.to_string());
    request.secrets.push(token);
    Ok(request)
}

/// The URL of the method, which has the token in its path.
pub(super) fn url(api: &Url, token: &SecretString) -> Result<Url, Failure> {
    let base = api.as_str().trim_end_matches('/');
    let url = format!("{base}/bot{}/sendMessage", token.expose_secret());
    // The error would quote the token.
    Url::parse(&url)
        .map_err(|_| Failure::new(Cause::Settings, "the bot token is not valid in a URL"))
}

pub(super) fn body(settings: &Telegram, chat: &str, texts: &Texts<'_>) -> Result<Value, Failure> {
    let (text, markup) = match settings.parse_mode.as_str() {
        "HTML" => (texts.html(&settings.message)?, Markup::Html),
        "MarkdownV2" => (
            texts.telegram(&settings.message, text::markdown_v2)?,
            Markup::Plain,
        ),
        "Markdown" => (
            texts.telegram(&settings.message, text::markdown)?,
            Markup::Plain,
        ),
        _ => (
            texts.telegram(&settings.message, str::to_owned)?,
            Markup::Plain,
        ),
    };
    let mut text = fit(text.trim(), TEXT, Unit::Utf16, markup).into_owned();
    if settings.parse_mode == "MarkdownV2" && ends_in_escape(&text) {
        // The backslash at the end of the shortened text would escape the mark `…` and be shown.
        let end = text.trim_end_matches('…').len() - 1;
        text.replace_range(end..=end, "");
    }
    if text.is_empty() {
        "(no text)".clone_into(&mut text);
    }
    let mut body = json!({
        "chat_id": chat,
        "text": text,
        "disable_web_page_preview": true,
    });
    if !settings.parse_mode.is_empty() {
        body["parse_mode"] = json!(settings.parse_mode);
    }
    if settings.disable_notifications {
        body["disable_notification"] = json!(true);
    }
    if settings.message_thread_id != 0 {
        body["message_thread_id"] = json!(settings.message_thread_id);
    }
    Ok(body)
}

/// Whether a shortened text was cut between a backslash and the character that it escapes.
fn ends_in_escape(text: &str) -> bool {
    let Some(kept) = text.strip_suffix('…') else {
        return false;
    };
    let slashes = kept.len() - kept.trim_end_matches('\\').len();
    slashes % 2 == 1
}

/// The API answers a JSON object with `ok`.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    let object = answer.json().filter(Value::is_object);
    let described = object
        .as_ref()
        .and_then(|object| object["description"].as_str());
    answer.judge().map_err(|mut failure| {
        if described.is_some_and(|text| text.contains("chat not found")) {
            failure.cause = Cause::NotFound;
        }
        let parameters = object.as_ref().map(|object| &object["parameters"]);
        let wait = parameters.and_then(|known| known["retry_after"].as_f64());
        failure.retry_after = wait.and_then(seconds).or(failure.retry_after);
        failure
    })?;
    match object.as_ref().map(|object| &object["ok"]) {
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Bool(false)) => Err(answer.failure(Cause::Refused)),
        _ => Err(answer.failure(Cause::Answer)),
    }
}
