//! Writes the short settings as `alertmanager.yml`.

use std::fmt::Write as _;

use super::{CRITICAL, NONE, Severity, Short, ShortKind, ShortReceiver, WARNING};
use crate::config::Secret;

/// Routes and inhibition. Critical alerts come soon and again each hour; the others wait for related ones.
const ROUTES: &str = r#"route:
  receiver: warning
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 12h
  routes:
    # The alert that always fires. A service must notice its absence; people are not notified of it.
    - matchers: ['severity = "none"']
      receiver: none
    - matchers: ['severity = "critical"']
      receiver: critical
      group_wait: 10s
      group_interval: 1m
      repeat_interval: 1h

inhibit_rules:
  # A critical alert inhibits the warning of the same name about the same object.
  - source_matchers: ['severity = "critical"']
    target_matchers: ['severity = "warning"']
    equal: [alertname, instance, database, prefix, queue, name, check, source]
  # A check that fails inhibits its symptoms.
  - source_matchers: ['alertname = "CheckDown"', 'check =~ "redis|queues"']
    target_matchers: ['alertname =~ "Queue.*|Job.*|TickMissing|SlowTick"']
  - source_matchers: ['alertname = "CheckDown"', 'check = "redis"']
    target_matchers: ['alertname = "CheckDown"', 'check = "queues"']
  - source_matchers: ['alertname = "CheckDown"', 'check = "redis"']
    target_matchers: ['alertname = "VigieSourceDown"', 'source =~ "redis|events"']
  - source_matchers: ['alertname = "CheckDown"', 'check = "database"']
    target_matchers: ['alertname = "VigieSourceDown"', 'source = "database"']
  - source_matchers: ['alertname = "CheckDown"', 'check = "app"']
    target_matchers: ['alertname = "VigieSourceDown"', 'source = "app"']
  - source_matchers: ['alertname = "CheckDown"', 'check =~ "app|database"']
    target_matchers: ['alertname =~ "HttpErrors|HttpErrorBudgetBurn|ApiLatency|SocketsNone"']
"#;

/// The text part of mails. It uses only what every version of Alertmanager has.
const MAIL_TEXT: &str = r#"{{ range .Alerts }}{{ .Status }}: {{ .Labels.alertname }} ({{ .Labels.severity }}) since {{ .StartsAt }}
{{ .Annotations.summary }}
{{ .Annotations.description }}
{{ .Annotations.runbook_url }}

{{ end }}"#;

/// The file. `secret` gives the text of a secret that is not in a file, or the placeholder.
pub(super) fn write(short: &Short, secret: impl Fn(&Secret, &str) -> String) -> String {
    let writer = Writer { secret: &secret };
    let mut text = ROUTES.to_owned();
    text.push_str("\nreceivers:\n  - name: none\n");
    debug_assert_eq!(NONE, "none");
    for (name, is_critical) in [(CRITICAL, true), (WARNING, false)] {
        let _ = writeln!(text, "  - name: {name}");
        for receiver in &short.receivers {
            if is_critical || receiver.severity == Severity::All {
                writer.receiver(&mut text, receiver, is_critical);
            }
        }
    }
    text
}

struct Writer<'a> {
    secret: &'a dyn Fn(&Secret, &str) -> String,
}

const URL: &str = "https://secret.invalid/";
const KEY: &str = "secret";

impl Writer<'_> {
    fn receiver(&self, text: &mut String, receiver: &ShortReceiver, is_critical: bool) {
        let (key, lines) = self.kind(&receiver.kind, is_critical);
        let Some(key) = key else {
            for line in lines {
                let _ = writeln!(text, "    # {line}");
            }
            return;
        };
        let _ = writeln!(text, "    {key}:");
        let _ = writeln!(text, "      - send_resolved: {}", receiver.send_resolved);
        for line in lines {
            let _ = writeln!(text, "        {line}");
        }
    }

    /// The key of the receivers of this kind, and the lines of this one. Without a key the lines are a comment.
    fn kind(&self, kind: &ShortKind, is_critical: bool) -> (Option<&'static str>, Vec<String>) {
        let urgency = if is_critical { "critical" } else { "warning" };
        match kind {
            ShortKind::Slack { url } => {
                (Some("slack_configs"), vec![self.line("api_url", url, URL)])
            }
            ShortKind::Webhook { url } => {
                (Some("webhook_configs"), vec![self.line("url", url, URL)])
            }
            ShortKind::Discord { url } => (
                Some("discord_configs"),
                vec![self.line("webhook_url", url, URL)],
            ),
            ShortKind::Teams { url } => (
                Some("msteamsv2_configs"),
                vec![self.line("webhook_url", url, URL)],
            ),
            ShortKind::Telegram { token, chat } => {
                let lines = vec![
                    self.line("bot_token", token, KEY),
                    format!("chat_id: {chat}"),
                ];
                (Some("telegram_configs"), lines)
            }
            ShortKind::PagerDuty { key } => {
                let lines = vec![
                    self.line("routing_key", key, KEY),
                    format!("severity: {urgency}"),
                ];
                (Some("pagerduty_configs"), lines)
            }
            ShortKind::Pushover { user, token } => {
                let priority = match is_critical {
                    // It sounds again until somebody acknowledges it.
                    true => r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#,
                    false => "0",
                };
                let lines = vec![
                    self.line("user_key", user, KEY),
                    self.line("token", token, KEY),
                    format!("priority: {}", quoted(priority)),
                ];
                (Some("pushover_configs"), lines)
            }
            ShortKind::Ntfy { .. } => {
                let note = "ntfy: Alertmanager does not support it; a webhook to a relay can take its place.";
                (None, vec![note.to_owned()])
            }
            ShortKind::Email { .. } => (Some("email_configs"), self.email(kind)),
        }
    }

    fn email(&self, kind: &ShortKind) -> Vec<String> {
        let ShortKind::Email {
            to,
            from,
            smtp,
            password,
            require_tls,
        } = kind
        else {
            return Vec::new();
        };
        let mut lines = vec![
            format!("to: {}", quoted(&to.join(", "))),
            format!("from: {}", quoted(from)),
            format!("smarthost: {}", quoted(&smtp.smarthost)),
            format!("text: {}", quoted(MAIL_TEXT)),
        ];
        if !require_tls {
            lines.push("require_tls: false".to_owned());
        }
        // Alertmanager has this key since 0.28, and begins with TLS on port 465 without it.
        if smtp.implicit_tls != smtp.smarthost.ends_with(":465") {
            lines.push(format!("force_implicit_tls: {}", smtp.implicit_tls));
        }
        if let Some(username) = &smtp.username {
            lines.push(format!("auth_username: {}", quoted(username)));
        }
        let in_url = smtp.password.clone().map(Secret::Value);
        if let Some(password) = password.clone().or(in_url) {
            lines.push(self.line("auth_password", &password, KEY));
        }
        lines
    }

    /// The line of a secret, or of the file that contains it.
    fn line(&self, key: &str, secret: &Secret, placeholder: &str) -> String {
        match secret {
            Secret::File(path) | Secret::Hidden(path) => {
                format!("{key}_file: {}", quoted(&path.display().to_string()))
            }
            Secret::Value(_) => format!("{key}: {}", quoted(&(self.secret)(secret, placeholder))),
        }
    }
}

/// A text in double quotes. The escapes of JSON are YAML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
