//! Discord, Microsoft Teams and Telegram.

use std::path::PathBuf;

use url::Url;

use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::secret::Secret;
use super::super::table::Table;
use super::Kind;

/// `discord_configs`. The texts are templates.
#[allow(missing_docs)] // Each field is Discord's of that name.
#[derive(Clone, Debug)]
pub struct Discord {
    pub webhook_url: Secret,
    pub http: HttpConfig,
    pub title: String,
    pub message: String,
    pub content: String,
    pub username: String,
    pub avatar_url: String,
}

/// `msteamsv2_configs`. The texts are templates.
#[derive(Clone, Debug)]
pub struct MsTeams {
    /// The URL of the workflow.
    pub webhook_url: Secret,
    /// The HTTP client's settings.
    pub http: HttpConfig,
    /// The title of the card.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// `telegram_configs`.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// The server of the bot API.
    pub api_url: Url,
    /// The HTTP client's settings.
    pub http: HttpConfig,
    /// The bot's token.
    pub bot_token: Secret,
    /// The chat.
    pub chat: TelegramChat,
    /// The thread in the chat; 0 is none.
    pub message_thread_id: i64,
    /// The text, a template.
    pub message: String,
    /// Whether messages make no sound.
    pub disable_notifications: bool,
    /// `HTML`, `Markdown`, `MarkdownV2` or nothing.
    pub parse_mode: String,
}

/// The number of a chat.
#[derive(Clone, Debug)]
pub enum TelegramChat {
    /// Given in the configuration.
    Id(i64),
    /// The content of this file.
    File(PathBuf),
}

pub(super) fn discord(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let webhook_url = webhook_url(table);
    let (http, content) = (table.http(&global.http), table.string("content", ""));
    let title = table.string("title", r#"{{ template "discord.default.title" . }}"#);
    let message = table.string("message", r#"{{ template "discord.default.message" . }}"#);
    let username = table.string("username", "");
    let avatar_url = table.string("avatar_url", "");
    Kind::Discord(Box::new(Discord {
        webhook_url,
        http,
        title,
        message,
        content,
        username,
        avatar_url,
    }))
}

pub(super) fn msteams(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let webhook_url = webhook_url(table);
    let http = table.http(&global.http);
    let title = table.string("title", r#"{{ template "msteamsv2.default.title" . }}"#);
    let text = table.string("text", r#"{{ template "msteamsv2.default.text" . }}"#);
    Kind::MsTeams(Box::new(MsTeams {
        webhook_url,
        http,
        title,
        text,
    }))
}

fn webhook_url(table: &Table<'_, '_, '_>) -> Secret {
    let url = table.secret_url("webhook_url", "webhook_url_file");
    table.needed(url, "webhook_url` or `webhook_url_file")
}

pub(super) fn telegram(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let token = table.secret("bot_token", "bot_token_file");
    let token = token.or_else(|| global.telegram_bot_token.clone());
    let token = table.needed(
        token,
        "bot_token`, `bot_token_file` or `telegram_bot_token` in `global",
    );
    let id = table.number("chat_id").filter(|id| *id != 0);
    let file = table.filled("chat_id_file");
    table.exclusive("chat_id", "chat_id_file");
    let chat = match (id, file) {
        (None, Some(file)) => TelegramChat::File(PathBuf::from(&**file)),
        (id, _) => TelegramChat::Id(id.unwrap_or_default()),
    };
    if id.is_none() && file.is_none() {
        table.missing("chat_id` or `chat_id_file");
    }
    let api_url = table.url("api_url");
    let http = table.http(&global.http);
    let message_thread_id = table.number("message_thread_id").unwrap_or(0);
    let message = table.string("message", r#"{{ template "telegram.default.message" . }}"#);
    let disable_notifications = table.flag("disable_notifications", false);
    let modes = ["", "HTML", "Markdown", "MarkdownV2"];
    let accepted = "HTML, Markdown, MarkdownV2 or nothing";
    let parse_mode = table.parsed("parse_mode", accepted, |text| {
        modes.contains(&&**text).then(|| text.to_string())
    });
    Kind::Telegram(Box::new(Telegram {
        api_url: api_url.unwrap_or_else(|| global.telegram_api_url.clone()),
        http,
        bot_token: token,
        chat,
        message_thread_id,
        message,
        disable_notifications,
        parse_mode: parse_mode.unwrap_or_else(|| "HTML".to_owned()),
    }))
}
