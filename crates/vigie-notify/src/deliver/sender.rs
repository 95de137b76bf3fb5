//! Delivers messages by the kind of their integration.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use super::failure::{Cause, Failure};
use super::http::{self, Answer, Request};
use super::render::Texts;
use super::secret;
use super::text::{Markup, Unit, fit};
use super::{discord, email, ntfy, pagerduty, pushover, slack, teams, telegram, webhook};
use crate::Alert;
use crate::config::{
    Config, HttpConfig, Kind, PagerDutyKey, Secret, Telegram, TelegramChat, http_url,
};
use crate::message::Message;
use crate::template::{Data, Links, NoLinks, Templates};

const PUSHOVER: &str = "https://api.pushover.net/1/messages.json";

/// The settings that all receivers share.
#[derive(Clone)]
pub struct Settings {
    /// The links of messages.
    pub links: Arc<dyn Links + Send + Sync>,
    /// The templates.
    pub templates: Templates,
    /// The deadline of a delivery, unless the receiver has its own.
    pub timeout: Duration,
    /// The URL of Pushover's API, if it is not the public one.
    pub pushover: Option<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            links: Arc::new(NoLinks),
            templates: Templates::builtin(),
            timeout: Duration::from_secs(10),
            pushover: None,
        }
    }
}

/// Delivers messages to the receivers of a configuration.
pub struct Sender {
    integrations: HashMap<(String, String), Kind>,
    /// Whether the default texts are those built in.
    uses_builtin_texts: bool,
    settings: Settings,
}

impl Sender {
    /// A sender for the receivers of `config`.
    #[must_use]
    pub fn new(config: &Config, settings: Settings) -> Self {
        let receivers = config.receivers.iter();
        let integrations = receivers.flat_map(|receiver| {
            let integrations = receiver.integrations.iter();
            integrations.map(|integration| {
                let key = (receiver.name.clone(), integration.id.clone());
                (key, integration.kind.clone())
            })
        });
        Self {
            integrations: integrations.collect(),
            uses_builtin_texts: config.templates.is_empty(),
            settings,
        }
    }

    /// Delivers a message to its integration.
    ///
    /// # Errors
    /// The cause, if it was not delivered or if that is not known.
    pub async fn send(&self, message: &Message) -> Result<(), Failure> {
        self.deliver(message).await.map(drop)
    }

    /// Like [`Sender::send`]; returns the answer of the receiver in a line.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub async fn deliver(&self, message: &Message) -> Result<String, Failure> {
        let kind = self.kind(&message.receiver, &message.integration)?;
        let deadline = http::deadline(timeout(kind), self.settings.timeout);
        let texts = self.texts(message);
        if let Kind::Email(email) = kind {
            return email::send(email, &texts, deadline).await;
        }
        let (request, http, judge) = self.request(kind, &texts, deadline).await?;
        let answer = http::post(&request, http, deadline).await?;
        judge(&answer)?;
        Ok(answer.summary())
    }

    /// Connects to the server of an integration, without sending a message.
    ///
    /// # Errors
    /// The cause, if there is no connection or if the settings cannot be used.
    pub async fn reach(&self, receiver: &str, integration: &str) -> Result<(), Failure> {
        let kind = self.kind(receiver, integration)?;
        let deadline = http::deadline(timeout(kind), self.settings.timeout);
        let (url, http) = match kind {
            Kind::Email(email) => return email::reach(email, deadline).await,
            Kind::Webhook(webhook) => (read_url(&webhook.url, deadline).await?, &webhook.http),
            Kind::Slack(slack) => (read_url(&slack.api_url, deadline).await?, &slack.http),
            Kind::Discord(discord) => (
                read_url(&discord.webhook_url, deadline).await?,
                &discord.http,
            ),
            Kind::MsTeams(teams) => (read_url(&teams.webhook_url, deadline).await?, &teams.http),
            Kind::Telegram(telegram) => (telegram.api_url.clone(), &telegram.http),
            Kind::PagerDuty(pagerduty) => (pagerduty.url.clone(), &pagerduty.http),
            Kind::Pushover(pushover) => (self.pushover()?, &pushover.http),
            Kind::Ntfy(ntfy) => (read_url(&ntfy.url, deadline).await?, &ntfy.http),
        };
        http::reach(&url, http, deadline).await
    }

    fn texts<'a>(&'a self, message: &'a Message) -> Texts<'a> {
        let Settings {
            links, templates, ..
        } = &self.settings;
        Texts {
            message,
            links: &**links,
            templates,
            uses_builtin_texts: self.uses_builtin_texts,
            data: Data::new(&short(message), message.at, &**links),
        }
    }

    fn kind(&self, receiver: &str, integration: &str) -> Result<&Kind, Failure> {
        let key = (receiver.to_owned(), integration.to_owned());
        self.integrations.get(&key).ok_or_else(|| {
            let text = format!("the settings have no integration {integration} of {receiver}");
            Failure::new(Cause::Settings, text)
        })
    }

    fn pushover(&self) -> Result<Url, Failure> {
        let url = self
            .settings
            .pushover
            .clone()
            .map_or_else(|| Url::parse(PUSHOVER), Ok);
        url.map_err(|_| Failure::new(Cause::Settings, "the URL of Pushover is not valid"))
    }

    async fn request<'a>(
        &self,
        kind: &'a Kind,
        texts: &Texts<'_>,
        deadline: Instant,
    ) -> Result<(Request, &'a HttpConfig, Judge), Failure> {
        Ok(match kind {
            Kind::Webhook(settings) => {
                let url = secret::read(&settings.url, deadline).await?;
                let url = parse_url(&texts.text(url.expose_secret())?)?;
                let external_url = self.settings.links.external_url();
                let max_alerts = settings.max_alerts;
                let request = webhook::request(url, texts.message, max_alerts, external_url)?;
                (request, &settings.http, Answer::judge as Judge)
            }
            Kind::Slack(settings) => {
                let url = read_url(&settings.api_url, deadline).await?;
                let request = slack::request(url, settings, texts)?;
                (request, &settings.http, slack::judge)
            }
            Kind::Discord(settings) => {
                let url = read_url(&settings.webhook_url, deadline).await?;
                let request = discord::request(url, settings, texts)?;
                (request, &settings.http, discord::judge)
            }
            Kind::MsTeams(settings) => {
                let url = read_url(&settings.webhook_url, deadline).await?;
                let request = teams::request(url, settings, texts)?;
                (request, &settings.http, Answer::judge_no_page)
            }
            Kind::Telegram(settings) => {
                let token = secret::read(&settings.bot_token, deadline).await?;
                let chat = chat(settings, deadline).await?;
                let request = telegram::request(settings, token, &chat, texts)?;
                (request, &settings.http, telegram::judge)
            }
            Kind::PagerDuty(settings) => {
                let (PagerDutyKey::Routing(key) | PagerDutyKey::Service(key)) = &settings.key;
                let key = secret::read(key, deadline).await?;
                let request = pagerduty::request(settings, key, texts)?;
                (request, &settings.http, Answer::judge_no_page)
            }
            Kind::Pushover(settings) => {
                let token = secret::read(&settings.token, deadline).await?;
                let user = secret::read(&settings.user_key, deadline).await?;
                let request = pushover::request(self.pushover()?, settings, token, user, texts)?;
                (request, &settings.http, pushover::judge)
            }
            Kind::Ntfy(settings) => {
                let url = read_url(&settings.url, deadline).await?;
                let token = secret::read_optional(settings.token.as_ref(), deadline).await?;
                let authorization = token
                    .map(|token| SecretString::from(format!("Bearer {}", token.expose_secret())));
                let request = ntfy::request(&url, settings, authorization, texts)?;
                (request, &settings.http, ntfy::judge)
            }
            Kind::Email(_) => {
                return Err(Failure::new(Cause::Settings, "mail is not sent over HTTP"));
            }
        })
    }
}

/// The longest annotation that templates see, in bytes.
const ANNOTATION: usize = 8 << 10;

/// The message without the ends of long annotations, which would make its texts exceed their bounds.
fn short(message: &Message) -> Cow<'_, Message> {
    let is_long = |alert: &Alert| {
        let mut annotations = alert.annotations.iter();
        annotations.any(|(_, value)| value.len() > ANNOTATION)
    };
    if !message.firing.iter().chain(&message.resolved).any(is_long) {
        return Cow::Borrowed(message);
    }
    let mut message = message.clone();
    for alert in message.firing.iter_mut().chain(&mut message.resolved) {
        let annotations = alert.annotations.iter();
        let annotations = annotations.map(|(name, value)| {
            let value = fit(value, ANNOTATION, Unit::Bytes, Markup::Plain);
            (Arc::clone(name), value.into())
        });
        alert.annotations = annotations.collect();
    }
    Cow::Owned(message)
}

/// The failure that an answer means.
type Judge = fn(&Answer) -> Result<(), Failure>;

/// The receiver's own deadline; zero if it has none.
fn timeout(kind: &Kind) -> Duration {
    match kind {
        Kind::Webhook(webhook) => webhook.timeout,
        Kind::Slack(slack) => slack.timeout,
        Kind::PagerDuty(pagerduty) => pagerduty.timeout,
        _ => Duration::ZERO,
    }
}

async fn read_url(secret: &Secret, deadline: Instant) -> Result<Url, Failure> {
    parse_url(secret::read(secret, deadline).await?.expose_secret())
}

/// A URL, which is not shown in the error because it may be a secret.
fn parse_url(text: &str) -> Result<Url, Failure> {
    http_url(text.trim()).ok_or_else(|| {
        let text = "the URL of the receiver is not valid; accepted: an http:// or https:// URL";
        Failure::new(Cause::Settings, text)
    })
}

async fn chat(settings: &Telegram, deadline: Instant) -> Result<String, Failure> {
    match &settings.chat {
        TelegramChat::Id(id) => Ok(id.to_string()),
        TelegramChat::File(path) => {
            let text = secret::text_of(path, deadline).await?;
            Ok(text.expose_secret().to_owned())
        }
    }
}
