//! The text of a configuration without its secrets, as Alertmanager's API shows it.

use std::collections::BTreeMap;
use std::ops::Range;

use url::Url;
use vigie_alerts::yaml::{self, Node, Value};

/// Alertmanager's placeholder.
const MASK: &str = "<secret>";

/// Keys whose value is a secret.
const SECRETS: &[&str] = &[
    "smtp_auth_password",
    "smtp_auth_secret",
    "slack_api_url",
    "telegram_bot_token",
    "auth_password",
    "auth_secret",
    "bot_token",
    "routing_key",
    "service_key",
    "token",
    "user_key",
    "password",
    "credentials",
    "bearer_token",
    "webhook_url",
];

/// The text with each secret replaced by `<secret>` and without its comments; nothing if it cannot be read.
///
/// Alertmanager does not show comments either. A receiver that is commented out has secrets as well.
///
/// Names of files that contain secrets stay. So do the servers in the URLs of webhooks and proxies, since those of
/// Alertmanager 0.25 must be URLs.
#[must_use]
pub fn masked(text: &str) -> String {
    let Ok(document) = yaml::parse(text) else {
        return String::new();
    };
    let mut spans = BTreeMap::new();
    if let Some(root) = &document.root {
        find(root, "", &mut spans);
    }
    for comment in comments(text, &document.texts) {
        spans.insert(comment.start, (comment.end, String::new()));
    }
    let mut masked = text.to_owned();
    // From the end, so that the other positions stay.
    for (start, (end, mask)) in spans.into_iter().rev() {
        masked.replace_range(start..end, &mask);
    }
    masked
}

/// The comments, each with the white space before it, or as a whole line. `texts` are the positions of the texts, in which `#`
/// does not begin a comment.
fn comments(text: &str, texts: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let mut texts = texts.iter().peekable();
    let mut at = 0;
    while let Some(found) = text[at..].find('#') {
        let start = at + found;
        at = start + 1;
        while texts.next_if(|span| span.end <= start).is_some() {}
        let before = &text[..start];
        let begins = before.is_empty() || before.ends_with(char::is_whitespace);
        if !begins || texts.peek().is_some_and(|span| span.start <= start) {
            continue;
        }
        let line = before.rfind('\n').map_or(0, |line_feed| line_feed + 1);
        let kept = line + text[line..start].trim_end().len();
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |end| start + end);
        // A line that is only a comment is removed with its end.
        let end = end + usize::from(kept == line && end < text.len());
        comments.push(kept..end);
        at = end;
    }
    comments
}

/// The ends and the replacements of spans, by their starts.
type Spans = BTreeMap<usize, (usize, String)>;

/// Finds the secrets in a node. `list` is the key of the list of receivers that it is in.
fn find(node: &Node, list: &str, spans: &mut Spans) {
    match &node.resolved().value {
        Value::List(items) => items.iter().for_each(|item| find(item, list, spans)),
        Value::Table(pairs) => {
            for (key, value) in pairs {
                let name = match &key.resolved().value {
                    Value::Scalar(Some(name)) => &**name,
                    _ => "",
                };
                let list = match name.ends_with("_configs") {
                    true => name,
                    false => list,
                };
                find(value, list, spans);
                let Some((text, span)) = scalar(value) else {
                    continue;
                };
                if let Some(mask) = mask(name, list, text) {
                    spans.insert(span.start, (span.end, mask));
                }
            }
        }
        Value::Scalar(_) | Value::Alias(_) => {}
    }
}

fn scalar(node: &Node) -> Option<(&str, Range<usize>)> {
    match &node.resolved().value {
        Value::Scalar(Some(text)) => Some((text, text.span())),
        _ => None,
    }
}

/// The replacement of a value, if it is a secret.
fn mask(name: &str, list: &str, value: &str) -> Option<String> {
    match (list, name) {
        _ if SECRETS.contains(&name) => Some(MASK.to_owned()),
        // The credential itself, in place of the path of its file.
        (_, name) if is_file_of_secret(name) && value.contains(':') => Some(MASK.to_owned()),
        ("slack_configs", "api_url") => Some(MASK.to_owned()),
        ("webhook_configs", "url") => Some(match server(value) {
            Some(server) => format!("{server}/{MASK}"),
            None => MASK.to_owned(),
        }),
        (_, "proxy_url") if value.contains('@') => {
            Some(server(value).unwrap_or_else(|| MASK.to_owned()))
        }
        _ => None,
    }
}

/// Whether a key names the file of a secret.
fn is_file_of_secret(name: &str) -> bool {
    let of = name.strip_suffix("_file");
    of.is_some_and(|of| SECRETS.contains(&of) || matches!(of, "api_url" | "url"))
}

/// The scheme, the host and the port of a URL.
fn server(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_replaced_and_nothing_else() {
        let text = "
global:
  smtp_auth_password: 'pass word' # s
  # slack_api_url: http://example.org/key
  slack_api_url_file: /run/slack
route: {receiver: a, group_by: [token]}
receivers:
  - name: a
    webhook_configs:
      - url: &hook \"http://user:key@example.org/\"
        http_config: {proxy_url: 'http://u:key@proxy', authorization: {type: Bearer, credentials: key}}
      - url: *hook
    slack_configs: [{api_url: http://example.org/key, channel: '#c'}]
    telegram_configs:
      - {bot_token: key, chat_id: 1, api_url: https://telegram.example}
    pagerduty_configs:
      - routing_key: |
          key
        url: http://events.example
";
        let expected = text
            .replace("'pass word' # s", "<secret>")
            .replace("  # slack_api_url: http://example.org/key\n", "")
            .replace(
                "\"http://user:key@example.org/\"",
                "http://example.org/<secret>",
            )
            .replace("'http://u:key@proxy'", "http://proxy")
            .replace("credentials: key", "credentials: <secret>")
            .replace("http://example.org/key", "<secret>")
            .replace("bot_token: key", "bot_token: <secret>");
        let masked = masked(text);
        assert!(
            !masked.contains("key\n") && !masked.contains("key,"),
            "{masked}"
        );
        let until = |text: &str| {
            text.split("pagerduty")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(until(&masked), until(&expected));
        assert!(masked.contains("url: http://events.example"), "{masked}");
        assert_eq!(super::masked("a: [b"), "");
    }

    #[test]
    fn a_secret_in_place_of_its_path_is_replaced() {
        let text = "\
slack_configs: [{api_url_file: 'https://h/key'}, {api_url_file: /run/url}]
telegram_configs: [{bot_token_file: '1:key'}]
";
        let expected = text
            .replace("'https://h/key'", "<secret>")
            .replace("'1:key'", "<secret>");
        assert_eq!(masked(text), expected);
    }

    #[test]
    fn comments_are_removed() {
        let text = "\
# routing_key: s3cret
route: # s3cret
  receiver: 'a # b' # s3cret
  group_by: [a#b, \"#\"]
  # s3cret
receivers:
- name: |
    # kept
    a # kept
  # bot_token: |
  #   s3cret
- name: plain # s3cret # s3cret
  webhook_configs: [{url: http://x/#kept}]
  # s3cret";
        let expected = "\
route:
  receiver: 'a # b'
  group_by: [a#b, \"#\"]
receivers:
- name: |
    # kept
    a # kept
- name: plain
  webhook_configs: [{url: http://x/<secret>}]
";
        assert_eq!(masked(text), expected);
    }
}
