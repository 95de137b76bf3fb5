//! Discord: webhooks with an embed.

use serde_json::{Map, Value, json};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{Answer, Request, seconds};
use super::json::put;
use super::render::Texts;
use super::text::{Markup, Unit, fit};
use crate::config::Discord;

const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const CONTENT: usize = 2000;
const USERNAME: usize = 80;

const RED: u32 = 0x99_2d22;
const GREEN: u32 = 0x2e_cc71;

/// The request of a message.
pub(super) fn request(url: Url, settings: &Discord, texts: &Texts<'_>) -> Result<Request, Failure> {
    let body = body(settings, texts)?;
    Ok(Request::json(url, body.to_string()))
}

pub(super) fn body(settings: &Discord, texts: &Texts<'_>) -> Result<Value, Failure> {
    let render = |template: &str, limit| {
        let text = texts.text(template)?;
        // A character outside of the basic plane may count as two.
        Ok::<_, Failure>(fit(text.trim(), limit, Unit::Utf16, Markup::Plain).into_owned())
    };
    let mut title = render(&settings.title, TITLE)?;
    let description = render(&settings.message, DESCRIPTION)?;
    let content = render(&settings.content, CONTENT)?;
    if title.is_empty() && description.is_empty() && content.is_empty() {
        // Discord refuses an empty message.
        "(no text)".clone_into(&mut title);
    }
    let mut embed = Map::new();
    put(&mut embed, "title", title);
    put(&mut embed, "description", description);
    let color = if texts.fires() { RED } else { GREEN };
    embed.insert("color".to_owned(), json!(color));
    let mut body = Map::new();
    put(&mut body, "content", content);
    put(&mut body, "username", render(&settings.username, USERNAME)?);
    put(&mut body, "avatar_url", texts.text(&settings.avatar_url)?);
    body.insert("embeds".to_owned(), json!([embed]));
    // A mention in a label must not notify anyone. A mention in the settings is intended.
    if !settings.content.contains('@') {
        body.insert("allowed_mentions".to_owned(), json!({"parse": []}));
    }
    Ok(Value::Object(body))
}

/// Discord answers 204, or the message as JSON.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    let object = answer.json().filter(Value::is_object);
    answer.judge().map_err(|mut failure| {
        // More exact than the header.
        let wait = object
            .as_ref()
            .and_then(|object| object["retry_after"].as_f64());
        failure.retry_after = wait.and_then(seconds).or(failure.retry_after);
        failure
    })?;
    match object.is_some() || answer.body.is_empty() {
        true => Ok(()),
        false => Err(answer.failure(Cause::Answer)),
    }
}
