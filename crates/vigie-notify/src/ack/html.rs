//! The page of a link: one alert and one button, without scripts.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use crate::dispatch::Acknowledgement;
use crate::time::timestamp;
use crate::{Alert, Time};

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
body{max-width:40rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem;margin:0 0 .5rem;overflow-wrap:anywhere}\
p,dd{overflow-wrap:anywhere;white-space:pre-wrap}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}\
dt{opacity:.75}dd{margin:0}\
input,button{font:inherit;padding:.6rem 1rem;border-radius:.4rem;border:1px solid GrayText}\
button{background:#0b57d0;color:#fff;border-color:#0b57d0;cursor:pointer}\
label{display:block;margin:1rem 0 .25rem}\
form{margin:1.5rem 0}";

/// The policy of the page: browsers may only apply its style and send its form.
pub static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// The alert that a link is about, as it is now.
pub enum Acknowledgeable<'a> {
    /// It fires.
    Firing(&'a Alert, Option<&'a Acknowledgement>),
    /// It has resolved, and perhaps fires again since this time.
    Over(Option<Time>),
    /// The link is not accepted, for this reason.
    Refused(&'a str),
}

/// The page at `now`.
#[must_use]
pub fn page(shown: &Acknowledgeable<'_>, now: Time) -> String {
    let (title, body) = match shown {
        Acknowledgeable::Firing(alert, acknowledgement) => {
            let name = alert.labels.get("alertname");
            let name = if name.is_empty() { "Alert" } else { name };
            (name, firing(name, alert, *acknowledgement, now))
        }
        Acknowledgeable::Over(again) => ("Resolved", over(*again, now)),
        Acknowledgeable::Refused(reason) => ("Not accepted", refused(reason)),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{} – Vigie</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        Escaped(title)
    )
}

fn firing(
    name: &str,
    alert: &Alert,
    acknowledgement: Option<&Acknowledgement>,
    now: Time,
) -> String {
    let mut body = format!("<h1>{}</h1>\n", Escaped(name));
    let annotation = |name: &str| {
        let mut annotations = alert.annotations.iter();
        annotations.find(|(known, _)| &**known == name)
    };
    for (_, text) in ["summary", "description"]
        .into_iter()
        .filter_map(annotation)
    {
        let _ = writeln!(body, "<p>{}</p>", Escaped(text));
    }
    body += "<dl>\n";
    let mut row = |name: &str, value: &str| {
        let (name, value) = (Escaped(name), Escaped(value));
        let _ = writeln!(body, "<dt>{name}</dt><dd>{value}</dd>");
    };
    row("Since", &ago(alert.starts_at, now));
    if let Some(unknown) = alert.unknown_since {
        row("Unknown since", &ago(unknown, now));
    }
    if let Some(value) = alert.value {
        row("Value", &value.to_string());
    }
    for (label, value) in alert
        .labels
        .iter()
        .filter(|(label, _)| *label != "alertname")
    {
        row(label, value);
    }
    body += "</dl>\n";
    body += &match acknowledgement {
        None => "<p>Acknowledging mutes this alert until it resolves.</p>\n\
                 <form method=\"post\">\n\
                 <label for=\"by\">Your name (optional)</label>\n\
                 <input id=\"by\" name=\"by\" maxlength=\"100\" autocomplete=\"name\">\n\
                 <button name=\"do\" value=\"acknowledge\">Acknowledge</button>\n</form>\n"
            .to_owned(),
        Some(acknowledged) => format!(
            "<p role=\"status\">Acknowledged by {} {}. It is muted until it resolves.</p>\n\
             <form method=\"post\">\n\
             <button name=\"do\" value=\"undo\">Undo</button>\n</form>\n",
            Escaped(&acknowledged.by),
            Escaped(&ago(acknowledged.at, now))
        ),
    };
    body
}

fn over(again: Option<Time>, now: Time) -> String {
    let then = match again {
        Some(since) => format!(
            "<p>An alert with the same labels fires since {}; it has a link of its own.</p>\n",
            Escaped(&ago(since, now))
        ),
        None => String::new(),
    };
    format!(
        "<h1>Resolved</h1>\n<p>This alert no longer fires: there is nothing to acknowledge.</p>\n{then}"
    )
}

fn refused(reason: &str) -> String {
    format!(
        "<h1>Not accepted</h1>\n<p>This page cannot acknowledge an alert: {}. \
         Take the link of a newer message, or run <code>vigie alerts ack</code>.</p>\n",
        Escaped(reason)
    )
}

/// A time, and the duration since.
fn ago(time: Time, now: Time) -> String {
    let at = timestamp(time);
    let seconds = now.saturating_sub(time).max(0) / 1_000;
    let rounded = match seconds {
        0..60 => seconds,
        _ => seconds - seconds % 60,
    };
    let since = SignedDuration::from_secs(rounded);
    format!("{} ({since:#} ago)", at.strftime("%Y-%m-%d %H:%M:%S UTC"))
}

/// A text in HTML, in an element or an attribute in quotes.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Of the control characters, HTML allows only these.
                '\n' | '\t' => write!(f, "{c}")?,
                c if c.is_control() => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vigie_promql::Labels;

    use super::*;

    fn alert(name: &str, text: &str) -> Alert {
        let labels = Labels::new([("alertname", name), (text, text)]);
        Alert {
            annotations: [("summary".into(), text.into())].into(),
            value: Some(0.5),
            ..Alert::firing(labels, 1_000)
        }
    }

    #[test]
    fn an_alert_with_its_time_and_value() {
        let page = page(
            &Acknowledgeable::Firing(&alert("Slow", "x"), None),
            7_261_000,
        );
        for part in [
            "<title>Slow – Vigie</title>",
            "<dd>1970-01-01 00:00:01 UTC (2h 1m ago)</dd>",
            "<dt>Value</dt><dd>0.5</dd>",
            "<form method=\"post\">",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("Undo"));
    }

    #[test]
    fn an_acknowledged_alert_has_a_button_to_undo() {
        let acknowledgement = Acknowledgement {
            by: "<ops>".to_owned(),
            at: 2_000,
            comment: String::new(),
        };
        let shown = Acknowledgeable::Firing(&alert("Slow", "x"), Some(&acknowledgement));
        let page = page(&shown, 3_000);
        assert!(page.contains("Acknowledged by &lt;ops&gt; 1970-01-01 00:00:02 UTC (1s ago)"));
        assert!(page.contains("value=\"undo\"") && !page.contains("value=\"acknowledge\""));
    }

    proptest! {
        /// No text of an alert adds a tag, an attribute or an entity to the page.
        #[test]
        fn texts_are_escaped(name in ".*", text in "\\PC*", by in any::<String>()) {
            let acknowledgement = Acknowledgement { by: by.clone(), at: 0, comment: by };
            let empty = Acknowledgement { by: String::new(), at: 0, comment: String::new() };
            let tags = |page: &str| page.matches(['<', '>', '"', '\'']).count();
            let shown = |alert: &Alert, by| page(&Acknowledgeable::Firing(alert, Some(by)), 0);
            let page = shown(&alert(&name, &text), &acknowledgement);
            let mut plain = shown(&alert("a", "b"), &empty);
            // An empty label does not exist.
            if text.is_empty() {
                plain = plain.replace("<dt>b</dt><dd>b</dd>\n", "");
            }
            if text == "alertname" {
                return Ok(());
            }
            prop_assert_eq!(tags(&page), tags(&plain));
            prop_assert!(!page.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
