//! `receivers`: named lists of integrations.

mod chat;
mod email;
mod ntfy;
mod page;
mod slack;
mod webhook;

use vigie_alerts::yaml::Node;

pub use chat::{Discord, MsTeams, Telegram, TelegramChat};
pub use email::Email;
pub use ntfy::Ntfy;
pub use page::{PagerDuty, PagerDutyImage, PagerDutyKey, PagerDutyLink, Pushover};
pub use slack::{Slack, SlackAction, SlackConfirm, SlackField};
pub use webhook::Webhook;

use super::global::Global;
use super::read::Reader;
use super::table::Table;
use vigie_alerts::yaml::shown;

/// A named list of integrations; a notification goes to each of them.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name, unique in the file.
    pub name: String,
    /// The integrations, by kind and then in the order of the file.
    pub integrations: Vec<Integration>,
}

/// One integration of a receiver, such as a Slack webhook.
#[derive(Clone, Debug)]
pub struct Integration {
    /// Its kind and its number among those of its kind, as in `slack/0`: it is recognised by this after a reload.
    pub id: String,
    /// Whether it is notified of resolved alerts.
    pub send_resolved: bool,
    /// Its settings.
    pub kind: Kind,
}

/// The settings of an integration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// An HTTP POST with Alertmanager's body.
    Webhook(Box<Webhook>),
    /// A mail.
    Email(Box<Email>),
    /// A page over PagerDuty's Events API v2.
    PagerDuty(Box<PagerDuty>),
    /// A Slack message.
    Slack(Box<Slack>),
    /// A push notification by Pushover.
    Pushover(Box<Pushover>),
    /// A Telegram message.
    Telegram(Box<Telegram>),
    /// A Discord message.
    Discord(Box<Discord>),
    /// A message to Microsoft Teams by a workflow.
    MsTeams(Box<MsTeams>),
    /// A push notification by ntfy. Alertmanager has none, so only the short settings make it.
    Ntfy(Box<Ntfy>),
}

/// Keys of Alertmanager that are not supported.
const ELSEWHERE: &[&str] = &[
    "labels",
    "incidentio_configs",
    "opsgenie_configs",
    "wechat_configs",
    "victorops_configs",
    "sns_configs",
    "webex_configs",
    "msteams_configs",
    "jira_configs",
    "rocketchat_configs",
    "mattermost_configs",
];

type Read = fn(&Table<'_, '_, '_>, &Global) -> Kind;

struct Shape {
    key: &'static str,
    id: &'static str,
    /// The table, with its article.
    what: &'static str,
    send_resolved: bool,
    read: Read,
    elsewhere: &'static [&'static str],
}

/// The kinds, with Alertmanager's defaults of `send_resolved`.
const KINDS: [Shape; 8] = [
    Shape {
        key: "webhook_configs",
        id: "webhook",
        what: "a webhook receiver",
        send_resolved: true,
        read: webhook::read,
        elsewhere: webhook::ELSEWHERE,
    },
    Shape {
        key: "email_configs",
        id: "email",
        what: "an e-mail receiver",
        send_resolved: false,
        read: email::read,
        elsewhere: email::ELSEWHERE,
    },
    Shape {
        key: "pagerduty_configs",
        id: "pagerduty",
        what: "a PagerDuty receiver",
        send_resolved: true,
        read: page::pagerduty,
        elsewhere: &[],
    },
    Shape {
        key: "slack_configs",
        id: "slack",
        what: "a Slack receiver",
        send_resolved: false,
        read: slack::read,
        elsewhere: slack::ELSEWHERE,
    },
    Shape {
        key: "pushover_configs",
        id: "pushover",
        what: "a Pushover receiver",
        send_resolved: true,
        read: page::pushover,
        elsewhere: &[],
    },
    Shape {
        key: "telegram_configs",
        id: "telegram",
        what: "a Telegram receiver",
        send_resolved: true,
        read: chat::telegram,
        elsewhere: &[],
    },
    Shape {
        key: "discord_configs",
        id: "discord",
        what: "a Discord receiver",
        send_resolved: true,
        read: chat::discord,
        elsewhere: &[],
    },
    Shape {
        key: "msteamsv2_configs",
        id: "msteamsv2",
        what: "a Microsoft Teams receiver",
        send_resolved: true,
        read: chat::msteams,
        elsewhere: &[],
    },
];

pub(super) fn read_all(reader: &Reader<'_>, node: &Node, global: &Global) -> Vec<Receiver> {
    let mut receivers: Vec<Receiver> = Vec::new();
    for node in reader.list(node, "`receivers`") {
        let Some(table) = reader.table(node, "a receiver") else {
            continue;
        };
        let name = table.required("name");
        let integrations = KINDS.iter().flat_map(|shape| many(&table, shape, global));
        let integrations = integrations.collect();
        table.finish(ELSEWHERE);
        let Some(name) = name else { continue };
        if receivers.iter().any(|receiver| receiver.name == **name) {
            let found = format!("two receivers are named `{}`", shown(name));
            reader.problem(name.span(), found, "a name is used once", None);
        }
        receivers.push(Receiver {
            name: name.to_string(),
            integrations,
        });
    }
    receivers
}

fn many(table: &Table<'_, '_, '_>, shape: &Shape, global: &Global) -> Vec<Integration> {
    let Some(given) = table.take(shape.key) else {
        return Vec::new();
    };
    let reader = table.reader();
    let nodes = reader.list(given.node, &format!("`{}`", shape.key)).iter();
    let one = |(index, node): (usize, &std::rc::Rc<Node>)| {
        let table = reader.table(node, shape.what)?;
        let send_resolved = table.flag("send_resolved", shape.send_resolved);
        let kind = (shape.read)(&table, global);
        table.finish(shape.elsewhere);
        Some(Integration {
            id: format!("{}/{index}", shape.id),
            send_resolved,
            kind,
        })
    };
    nodes.enumerate().filter_map(one).collect()
}
