//! Microsoft Teams: an Adaptive Card for a workflow.

use serde_json::{Value, json};
use url::Url;

use super::failure::Failure;
use super::http::Request;
use super::render::Texts;
use super::text::{Markup, Unit, fit};
use crate::config::MsTeams;

/// The largest message, in bytes.
pub(super) const BODY: usize = 28_000;
const TITLE: usize = 1024;

/// The request of a message.
pub(super) fn request(url: Url, settings: &MsTeams, texts: &Texts<'_>) -> Result<Request, Failure> {
    Ok(Request::json(url, body(settings, texts)?))
}

pub(super) fn body(settings: &MsTeams, texts: &Texts<'_>) -> Result<String, Failure> {
    let title = texts.text(&settings.title)?;
    let title = fit(title.trim(), TITLE, Unit::Chars, Markup::Plain);
    let text = texts.text(&settings.text)?;
    let color = if texts.fires() { "attention" } else { "good" };
    // Escapes make the JSON longer than the text.
    let mut limit = BODY;
    loop {
        let text = fit(text.trim(), limit, Unit::Bytes, Markup::Plain);
        let body = card(&title, &text, color).to_string();
        if body.len() <= BODY || limit == 0 {
            return Ok(body);
        }
        limit = limit * 3 / 4;
    }
}

fn card(title: &str, text: &str, color: &str) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": [
                    {
                        "type": "TextBlock",
                        "text": title,
                        "weight": "Bolder",
                        "size": "Medium",
                        "wrap": true,
                        "style": "heading",
                        "color": color,
                    },
                    {"type": "TextBlock", "text": text, "wrap": true},
                ],
                "msteams": {"width": "full"},
            },
        }],
    })
}
