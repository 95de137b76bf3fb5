//! Slack, over an incoming webhook.

use std::time::Duration;

use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::secret::Secret;
use super::super::table::Table;
use super::Kind;

/// `slack_configs`. The texts are templates.
#[allow(missing_docs)] // Each field is Slack's of that name.
#[derive(Clone, Debug)]
pub struct Slack {
    pub api_url: Secret,
    pub http: HttpConfig,
    pub channel: String,
    pub username: String,
    pub color: String,
    pub title: String,
    pub title_link: String,
    pub pretext: String,
    pub text: String,
    pub message_text: String,
    pub fields: Vec<SlackField>,
    pub short_fields: bool,
    pub footer: String,
    pub fallback: String,
    pub callback_id: String,
    pub icon_emoji: String,
    pub icon_url: String,
    pub image_url: String,
    pub thumb_url: String,
    pub link_names: bool,
    pub mrkdwn_in: Vec<String>,
    pub actions: Vec<SlackAction>,
    /// The deadline of a request; zero leaves it to Vigie.
    pub timeout: Duration,
}

/// A field of an attachment.
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct SlackField {
    pub title: String,
    pub value: String,
    pub short: Option<bool>,
}

/// A button.
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct SlackAction {
    pub kind: String,
    pub text: String,
    pub url: String,
    pub style: String,
    pub name: String,
    pub value: String,
    pub confirm: Option<SlackConfirm>,
}

/// The question that a button asks first.
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct SlackConfirm {
    pub text: String,
    pub title: String,
    pub ok_text: String,
    pub dismiss_text: String,
}

/// Keys of Alertmanager that are not supported.
pub(super) const ELSEWHERE: &[&str] = &["app_token", "app_token_file", "app_url", "update_message"];

pub(super) fn read(table: &Table<'_, '_, '_>, global: &Global) -> Kind {
    let api_url = table.secret_url("api_url", "api_url_file");
    let api_url = api_url.or_else(|| global.slack_api_url.clone());
    let api_url = table.needed(
        api_url,
        "api_url`, `api_url_file` or `slack_api_url` in `global",
    );
    // Alertmanager's template of each field has the name of the field without underscores.
    let themed = |name: &'static str| {
        let template = name.replace('_', "");
        let template = format!("{{{{ template \"slack.default.{template}\" . }}}}");
        table.string(name, &template)
    };
    let plain = |name: &'static str| table.string(name, "");
    Kind::Slack(Box::new(Slack {
        api_url,
        http: table.http(&global.http),
        channel: plain("channel"),
        username: themed("username"),
        color: themed("color"),
        title: themed("title"),
        title_link: themed("title_link"),
        pretext: themed("pretext"),
        text: themed("text"),
        message_text: plain("message_text"),
        fields: items(table.tables("fields", "a field of Slack"), field),
        short_fields: table.flag("short_fields", false),
        footer: themed("footer"),
        fallback: themed("fallback"),
        callback_id: themed("callback_id"),
        icon_emoji: themed("icon_emoji"),
        icon_url: themed("icon_url"),
        image_url: plain("image_url"),
        thumb_url: plain("thumb_url"),
        link_names: table.flag("link_names", false),
        mrkdwn_in: table.texts("mrkdwn_in"),
        actions: items(table.tables("actions", "an action of Slack"), action),
        timeout: table.timeout(),
    }))
}

fn items<T>(tables: Vec<Table<'_, '_, '_>>, read: fn(&Table<'_, '_, '_>) -> Option<T>) -> Vec<T> {
    let item = |table: Table<'_, '_, '_>| {
        let item = read(&table);
        table.finish(&[]);
        item
    };
    tables.into_iter().filter_map(item).collect()
}

fn field(table: &Table<'_, '_, '_>) -> Option<SlackField> {
    let (title, value) = (table.required("title"), table.required("value"));
    let short = table.maybe_flag("short");
    Some(SlackField {
        title: title?.to_string(),
        value: value?.to_string(),
        short,
    })
}

fn action(table: &Table<'_, '_, '_>) -> Option<SlackAction> {
    let (kind, text) = (table.required("type"), table.required("text"));
    let (url, name) = (table.string("url", ""), table.string("name", ""));
    let (style, value) = (table.string("style", ""), table.string("value", ""));
    let confirm = table.take("confirm").and_then(|given| {
        let table = table.reader().table(given.node, "`confirm`")?;
        let text = table.required("text");
        let confirm = SlackConfirm {
            text: text.map(|text| text.to_string()).unwrap_or_default(),
            title: table.string("title", ""),
            ok_text: table.string("ok_text", ""),
            dismiss_text: table.string("dismiss_text", ""),
        };
        table.finish(&[]);
        Some(confirm)
    });
    if url.is_empty() && name.is_empty() {
        table.missing("url` or `name");
    }
    Some(SlackAction {
        kind: kind?.to_string(),
        text: text?.to_string(),
        url,
        style,
        name,
        value,
        confirm,
    })
}
