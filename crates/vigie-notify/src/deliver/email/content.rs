//! The content of a mail.

use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

use super::super::failure::{Cause, Failure};
use super::super::render::Texts;
use super::super::text::{Markup, Unit, fit, hex};
use crate::config::Email;

/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest body of each kind, in bytes.
const BODY: usize = 1 << 20;

/// A mail and its envelope.
pub(super) struct Mail {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn mail(settings: &Email, texts: &Texts<'_>) -> Result<Mail, Failure> {
    let smtp = &settings.smtp;
    let from = one_line(&texts.text(&smtp.from)?);
    let to = one_line(&texts.text(&settings.to)?);
    let (from, to) = (mailboxes("from", &from)?, mailboxes("to", &to)?);
    let sender = from.iter().next().ok_or_else(|| no_address("from", ""))?;
    let recipients: Vec<Address> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    let sender: Mailbox = sender.clone();

    let mut headers = Vec::new();
    for (name, template) in &settings.headers {
        headers.push((name.as_str(), one_line(&texts.text(template)?)));
    }
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let shown = |name, default: &Mailboxes| match header(name) {
        Some(given) => mailboxes(name, given),
        None => Ok(default.clone()),
    };
    let subject = match header("Subject") {
        Some(given) => given.to_owned(),
        None => one_line(&texts.text(SUBJECT_TEMPLATE)?),
    };
    let thread = Thread::of(texts, sender.email.domain());
    let mut builder = lettre::Message::builder()
        .subject(fit(&subject, SUBJECT, Unit::Chars, Markup::Plain))
        .date_now();
    for mailbox in shown("From", &from)? {
        builder = builder.from(mailbox);
    }
    for mailbox in shown("To", &to)? {
        builder = builder.to(mailbox);
    }
    if header("Message-Id").is_none() {
        builder = builder.message_id(Some(thread.message));
    }
    if header("References").is_none() && header("In-Reply-To").is_none() {
        builder = builder
            .references(thread.root.clone())
            .in_reply_to(thread.root);
    }
    let broken = |error: lettre::error::Error| {
        Failure::new(
            Cause::Settings,
            format!("the mail cannot be built: {error}"),
        )
    };
    let mut message = match body(settings, texts)? {
        Body::Both(parts) => builder.multipart(parts),
        Body::One(part) => builder.singlepart(part),
    }
    .map_err(broken)?;
    for (name, value) in &headers {
        if BUILT.contains(name) {
            continue;
        }
        let parsed = HeaderName::new_from_ascii((*name).to_owned());
        let parsed = parsed.map_err(|_| {
            Failure::new(Cause::Settings, format!("`{name}` is no name of a header"))
        })?;
        let value = HeaderValue::new(parsed, value.clone());
        message.headers_mut().insert_raw(value);
    }
    Ok(Mail {
        from: sender.email,
        to: recipients,
        bytes: message.formatted(),
    })
}

const SUBJECT_TEMPLATE: &str = r#"{{ template "email.default.subject" . }}"#;

/// The headers that are not taken as they are.
const BUILT: [&str; 7] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Mime-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

enum Body {
    Both(MultiPart),
    One(SinglePart),
}

fn body(settings: &Email, texts: &Texts<'_>) -> Result<Body, Failure> {
    let html = |template: &str| {
        let html = texts.html(template)?;
        Ok::<_, Failure>(fit(&html, BODY, Unit::Bytes, Markup::Html).into_owned())
    };
    let text = |template: &str| {
        let text = texts.text(template)?;
        Ok::<_, Failure>(fit(&text, BODY, Unit::Bytes, Markup::Plain).into_owned())
    };
    let part = |kind: ContentType, text: String| SinglePart::builder().header(kind).body(text);
    Ok(match (settings.text.is_empty(), settings.html.is_empty()) {
        (false, false) => Body::Both(MultiPart::alternative_plain_html(
            text(&settings.text)?,
            html(&settings.html)?,
        )),
        (true, false) => Body::One(part(ContentType::TEXT_HTML, html(&settings.html)?)),
        _ => Body::One(part(ContentType::TEXT_PLAIN, text(&settings.text)?)),
    })
}

/// The identifiers by which mail programs show the messages of a group as one conversation.
struct Thread {
    /// The identifier of the conversation. It is not that of a mail, since the first mail may be lost.
    root: String,
    /// The identifier of this message. A message that is sent again has the same one, so it can be recognised.
    message: String,
}

impl Thread {
    fn of(texts: &Texts<'_>, domain: &str) -> Self {
        let message = texts.message;
        let hash = |parts: &[&str]| {
            let mut hash = Sha256::new();
            for part in parts {
                hash.update(part.as_bytes());
                hash.update([0]);
            }
            hex(&hash.finalize()[..12])
        };
        let group = hash(&[&message.group_key]);
        let (id, at) = (message.id.to_string(), message.at.to_string());
        let key = &message.group_key;
        let unique = hash(&[&message.receiver, &message.integration, key, &id, &at]);
        Self {
            root: format!("<alert.{group}@{domain}>"),
            message: format!("<alert.{group}.{unique}@{domain}>"),
        }
    }
}

/// A text without line breaks and other control characters, which could add headers.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control());
    let words: Vec<&str> = words
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Whether a text is the address of one mailbox, with a name or without.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

fn mailboxes(name: &str, text: &str) -> Result<Mailboxes, Failure> {
    let parsed: Result<Mailboxes, _> = text.trim_end_matches(',').parse();
    parsed.map_err(|_| no_address(name, text))
}

fn no_address(name: &str, text: &str) -> Failure {
    let text = format!(
        "`{name}` is `{text}`; accepted: as in ops@example.org or Ops <ops@example.org>, with commas"
    );
    Failure::new(Cause::Settings, text)
}
