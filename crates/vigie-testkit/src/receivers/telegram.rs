//! Telegram's rules for texts.

use serde_json::{Value, json};

use super::rules::{Judged, broken, object, utf16};
use super::server::Posted;

/// The tags of `parse_mode` HTML, without the rarer ones.
const TAGS: [&str; 12] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
];

pub(super) fn judge(posted: &Posted, body: &Value) -> Judged {
    let text = body["text"].as_str().unwrap_or_default();
    let parsed = match body["parse_mode"].as_str() {
        None => Some(text.to_owned()),
        Some("HTML") => html(text),
        Some("MarkdownV2") => markdown_v2(text),
        Some("Markdown") => Some(text.to_owned()),
        Some(_) => None,
    };
    let visible = parsed.as_deref().unwrap_or("x");
    let rules = [
        ("message text is empty", !visible.trim().is_empty()),
        ("message is too long", utf16(visible) <= 4096),
        ("can't parse entities", parsed.is_some()),
        ("chat not found", !body["chat_id"].is_null()),
    ];
    if !posted.path.starts_with("/botTOKEN:right/") {
        let answer = json!({"ok": false, "error_code": 401, "description": "Unauthorized"});
        return Ok(object(401, &answer));
    }
    match broken(&rules) {
        None => Ok(object(
            200,
            &json!({"ok": true, "result": {"message_id": 1}}),
        )),
        Some(rule) => {
            let description = format!("Bad Request: {rule}");
            let answer = json!({"ok": false, "error_code": 400, "description": description});
            Err((rule, object(400, &answer)))
        }
    }
}

/// The visible text, if the tags are known and closed in order, and each `&` begins a known entity.
fn html(text: &str) -> Option<String> {
    let mut visible = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&', '>']) {
        visible.push_str(&rest[..at]);
        rest = &rest[at..];
        let (end, is_tag) = match rest.as_bytes()[0] {
            b'<' => (rest.find('>')?, true),
            b'&' => (rest.find(';')?, false),
            // Telegram accepts a lone `>`.
            _ => {
                visible.push('>');
                rest = &rest[1..];
                continue;
            }
        };
        let inner = &rest[1..end];
        rest = &rest[end + 1..];
        if !is_tag {
            visible.push(entity(inner)?);
        } else if let Some(name) = inner.strip_prefix('/') {
            (open.pop()? == name).then_some(())?;
        } else {
            let name = inner.split(' ').next()?;
            TAGS.contains(&name).then_some(())?;
            open.push(name);
        }
    }
    visible.push_str(rest);
    open.is_empty().then_some(visible)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// The visible text, if there is no markup and every reserved character is escaped.
fn markdown_v2(text: &str) -> Option<String> {
    let mut visible = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => visible.push(
                chars
                    .next()
                    .filter(|c| c.is_ascii() && !c.is_ascii_alphanumeric())?,
            ),
            c if "_*[]()~`>#+-=|{}.!".contains(c) => return None,
            c => visible.push(c),
        }
    }
    Some(visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_as_telegram_reads_it() {
        for (text, visible) in [
            ("<b>a</b> &lt;b&gt; &#39;", Some("a <b> '")),
            ("<a href=\"u\">x</a>", Some("x")),
            ("a > b", Some("a > b")),
            ("<b>a", None),
            ("<b><i>a</b></i>", None),
            ("a < b", None),
            ("a & b", None),
            ("&nbsp;", None),
            ("<div>a</div>", None),
        ] {
            assert_eq!(html(text).as_deref(), visible, "{text}");
        }
    }

    #[test]
    fn markdown_as_telegram_reads_it() {
        assert_eq!(markdown_v2(r"a\.b\\c").as_deref(), Some(r"a.b\c"));
        assert_eq!(markdown_v2("a.b"), None);
        assert_eq!(markdown_v2("a\\"), None);
    }
}
