//! PagerDuty: Events API v2, and v1 for a `service_key`.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::Request;
use super::json::put;
use super::render::Texts;
use super::text::{Markup, Unit, fit, hex};
use crate::config::{PagerDuty, PagerDutyKey};

/// The largest event, in bytes.
pub(super) const EVENT: usize = 512_000;
pub(super) const SUMMARY: usize = 1024;
const V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

/// The request of an event.
pub(super) fn request(
    settings: &PagerDuty,
    key: SecretString,
    texts: &Texts<'_>,
) -> Result<Request, Failure> {
    let url = match &settings.key {
        PagerDutyKey::Routing(_) => Ok(settings.url.clone()),
        PagerDutyKey::Service(_) => Url::parse(V1),
    };
    let url = url.map_err(|_| Failure::new(Cause::Settings, "the URL is not valid"))?;
    let body = body(settings, key.expose_secret(), texts)?;
    let mut request = Request::json(url, body);
    request.secrets.push(key);
    Ok(request)
}

/// The event, without its details if it would be too large with them.
pub(super) fn body(settings: &PagerDuty, key: &str, texts: &Texts<'_>) -> Result<String, Failure> {
    let mut details = Map::new();
    for (name, template) in &settings.details {
        // The page matters more than a detail, whose template can fail or become too long.
        let text = match texts.text(template) {
            Ok(text) => text,
            Err(failure) => failure.to_string(),
        };
        // As in Alertmanager 0.33, a detail that is JSON is sent as such.
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        details.insert(name.clone(), value);
    }
    let event = event(settings, key, Value::Object(details), texts)?.to_string();
    if event.len() <= EVENT {
        return Ok(event);
    }
    let dropped = json!({"error": "The details are left out: with them the event would have more than 512 kB."});
    Ok(self::event(settings, key, dropped, texts)?.to_string())
}

fn event(
    settings: &PagerDuty,
    key: &str,
    details: Value,
    texts: &Texts<'_>,
) -> Result<Value, Failure> {
    let render = |template: &str| {
        let text = texts.text(template)?;
        Ok::<_, Failure>(fit(&text, SUMMARY, Unit::Chars, Markup::Plain).into_owned())
    };
    let summary = match render(&settings.description)? {
        text if text.trim().is_empty() => "(no text)".to_owned(),
        text => text,
    };
    let action = if texts.fires() { "trigger" } else { "resolve" };
    let dedup_key = dedup_key(&texts.message.group_key);
    let (client, client_url) = (render(&settings.client)?, render(&settings.client_url)?);
    if let PagerDutyKey::Service(_) = settings.key {
        return Ok(json!({
            "service_key": key,
            "event_type": action,
            "incident_key": dedup_key,
            "description": summary,
            "client": client,
            "client_url": client_url,
            "details": details,
        }));
    }
    let mut payload = Map::new();
    for (name, template) in [
        ("source", &settings.source),
        ("severity", &settings.severity),
        ("class", &settings.class),
        ("component", &settings.component),
        ("group", &settings.group),
    ] {
        let text = render(template)?;
        put(&mut payload, name, text);
    }
    payload.insert("summary".to_owned(), Value::String(summary));
    payload.entry("severity").or_insert_with(|| json!("error"));
    payload.entry("source").or_insert_with(|| json!("vigie"));
    payload.insert("custom_details".to_owned(), details);
    let mut images = Vec::new();
    for image in &settings.images {
        let (src, alt) = (render(&image.src)?, render(&image.alt)?);
        if !src.is_empty() {
            images.push(json!({"src": src, "alt": alt, "href": render(&image.href)?}));
        }
    }
    let mut links = Vec::new();
    for link in &settings.links {
        let href = render(&link.href)?;
        if !href.is_empty() {
            links.push(json!({"href": href, "text": render(&link.text)?}));
        }
    }
    Ok(json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": dedup_key,
        "payload": payload,
        "client": client,
        "client_url": client_url,
        "images": images,
        "links": links,
    }))
}

/// The incident of a group, as Alertmanager names it: a resolved message closes the one that a firing message opened.
pub(super) fn dedup_key(group_key: &str) -> String {
    hex(&Sha256::digest(group_key.as_bytes()))
}
