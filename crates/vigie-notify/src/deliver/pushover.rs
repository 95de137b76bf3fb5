//! Pushover: messages of its API.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{Answer, Request};
use super::render::Texts;
use super::text::{Markup, Unit, fit};
use crate::config::Pushover;

pub(super) const TITLE: usize = 250;
pub(super) const MESSAGE: usize = 1024;
const LINK: usize = 512;
const LINK_TITLE: usize = 100;

/// The request of a message, with a form as its body.
pub(super) fn request(
    url: Url,
    settings: &Pushover,
    token: SecretString,
    user: SecretString,
    texts: &Texts<'_>,
) -> Result<Request, Failure> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token.expose_secret());
    form.append_pair("user", user.expose_secret());
    for (name, value) in fields(settings, texts)? {
        form.append_pair(name, &value);
    }
    Ok(Request {
        url,
        content_type: "application/x-www-form-urlencoded",
        authorization: None,
        secrets: vec![token, user],
        body: form.finish().into(),
    })
}

pub(super) fn fields(
    settings: &Pushover,
    texts: &Texts<'_>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let render = |template: &str, limit, markup| {
        let text = match markup {
            Markup::Html => texts.html(template)?,
            _ => texts.text(template)?,
        };
        Ok::<_, Failure>(fit(text.trim(), limit, Unit::Utf16, markup).into_owned())
    };
    let markup = if settings.html {
        Markup::Html
    } else {
        Markup::Plain
    };
    let mut message = render(&settings.message, MESSAGE, markup)?;
    if message.is_empty() {
        // Pushover refuses an empty message.
        "(no details)".clone_into(&mut message);
    }
    let plain = |template: &str, limit| render(template, limit, Markup::Plain);
    let link = texts.text(&settings.url)?;
    let mut fields = vec![
        ("message", message),
        ("title", plain(&settings.title, TITLE)?),
        // A shortened link would lead elsewhere.
        (
            "url",
            if link.chars().count() > LINK {
                String::new()
            } else {
                link
            },
        ),
        ("url_title", plain(&settings.url_title, LINK_TITLE)?),
        ("device", plain(&settings.device, MESSAGE)?),
        ("sound", plain(&settings.sound, MESSAGE)?),
    ];
    let priority = plain(&settings.priority, MESSAGE)?;
    if priority == "2" {
        fields.push(("retry", settings.retry.as_secs().to_string()));
        fields.push(("expire", settings.expire.as_secs().to_string()));
    }
    fields.push(("priority", priority));
    if !settings.ttl.is_zero() {
        fields.push(("ttl", settings.ttl.as_secs().to_string()));
    }
    if settings.html {
        fields.push(("html", "1".to_owned()));
    }
    if settings.monospace {
        fields.push(("monospace", "1".to_owned()));
    }
    fields.retain(|(_, value)| !value.is_empty());
    Ok(fields)
}

/// The API answers a JSON object with `status` 1.
pub(super) fn judge(answer: &Answer) -> Result<(), Failure> {
    let object = answer.json().filter(Value::is_object);
    let is_invalid = |name: &str| {
        let value = object.as_ref().and_then(|object| object[name].as_str());
        value == Some("invalid")
    };
    answer.judge().map_err(|mut failure| {
        if failure.cause == Cause::Refused && (is_invalid("token") || is_invalid("user")) {
            failure.cause = Cause::Credentials;
        }
        failure
    })?;
    match object.as_ref().and_then(|object| object["status"].as_i64()) {
        Some(1) => Ok(()),
        Some(_) => Err(answer.failure(Cause::Refused)),
        None => Err(answer.failure(Cause::Answer)),
    }
}
