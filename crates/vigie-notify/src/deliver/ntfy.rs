//! ntfy: messages published as JSON.

use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{Answer, Request};
use super::render::Texts;
use super::text::{Markup, Unit, fit};
use crate::config::Ntfy;

/// A longer message becomes an attachment.
pub(super) const MESSAGE: usize = 4096;
pub(super) const TITLE: usize = 250;

/// The request of a message. `authorization` is the value of the header.
pub(super) fn request(
    topic_url: &Url,
    settings: &Ntfy,
    authorization: Option<SecretString>,
    texts: &Texts<'_>,
) -> Result<Request, Failure> {
    let (server, topic) = server_and_topic(topic_url)?;
    let body = body(&topic, settings, texts)?;
    let mut request = Request::json(server, body.to_string());
    // On a public server, a topic is as secret as a password.
    request.secrets.push(SecretString::from(topic));
    request.authorization = authorization;
    Ok(request)
}

/// `https://ntfy.sh/topic` as the server and the topic.
fn server_and_topic(url: &Url) -> Result<(Url, String), Failure> {
    let mut server = url.clone();
    let path = url.path().trim_end_matches('/');
    let (parent, topic) = path.rsplit_once('/').unwrap_or(("", path));
    if topic.is_empty() {
        let text = "the URL has no topic; accepted: as in https://ntfy.sh/TOPIC";
        return Err(Failure::new(Cause::Settings, text));
    }
    server.set_path(&format!("{parent}/"));
    Ok((server, topic.to_owned()))
}

pub(super) fn body(topic: &str, settings: &Ntfy, texts: &Texts<'_>) -> Result<Value, Failure> {
    let render = |template: &str, limit| {
        let text = texts.text(template)?;
        Ok::<_, Failure>(fit(text.trim(), limit, Unit::Bytes, Markup::Plain).into_owned())
    };
    let mut message = render(&settings.message, MESSAGE)?;
    if message.is_empty() {
        "(no text)".clone_into(&mut message);
    }
    let fires = texts.fires();
    let mut body = json!({
        "topic": topic,
        "message": message,
        "title": render(&settings.title, TITLE)?,
        "priority": if fires { settings.priority } else { NORMAL },
        "tags": [if fires { "rotating_light" } else { "white_check_mark" }],
    });
    let click = texts.text(&settings.click)?;
    if Url::parse(&click).is_ok() {
        body["click"] = Value::String(click);
    }
    if let Some(url) = texts.acknowledge() {
        body["actions"] = json!([{"action": "view", "label": "Acknowledge", "url": url}]);
    }
    Ok(body)
}

/// ntfy's default priority.
const NORMAL: u8 = 3;

/// ntfy answers the message as JSON, with its identifier.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    answer.judge()?;
    match answer.json().is_some_and(|object| object["id"].is_string()) {
        true => Ok(()),
        false => Err(answer.failure(Cause::Answer)),
    }
}
