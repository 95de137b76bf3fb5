use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;
use mistakes::{MISTAKES, STRICTER};

#[path = "../../tests/support/mistakes.rs"]
mod mistakes;

const ALL: &str = include_str!("../../tests/all.yml");

fn receiver<'c>(config: &'c Config, name: &str, id: &str) -> &'c Integration {
    let mut receivers = config.receivers.iter();
    let receiver = receivers.find(|receiver| receiver.name == name).unwrap();
    let mut integrations = receiver.integrations.iter();
    integrations.find(|known| known.id == id).unwrap()
}

fn exposed(secret: &Secret) -> &str {
    match secret {
        Secret::Value(value) => value.expose_secret(),
        Secret::File(path) | Secret::Hidden(path) => path.to_str().unwrap(),
    }
}

#[test]
fn a_whole_file() {
    let config = load(ALL).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.global.resolve_timeout, Duration::from_secs(60));
    assert_eq!(config.templates, ["/etc/vigie/*.tmpl"]);

    let root = &config.route;
    assert_eq!(root.receiver.as_deref(), Some("everything"));
    assert_eq!(root.group_wait, Some(Duration::from_secs(10)));
    assert_eq!(root.repeat_interval, Some(Duration::from_secs(3 * 3600)));
    let [page, web] = &root.routes[..] else {
        panic!("{root:?}")
    };
    assert_eq!(page.group_by, Some(GroupBy::All));
    assert!(page.continues);
    assert_eq!(page.active_time_intervals, ["office"]);
    assert_eq!(
        page.matchers.to_string(),
        r#"{b!~"y",queue=~"mail|push",severity="critical","utf8 é"!="x"}"#
    );
    assert_eq!(web.group_by, Some(GroupBy::Labels(Vec::new())));
    assert_eq!(
        web.matchers.to_string(),
        r#"{queue=~"^(?:a.*)$",team="web"}"#
    );
    assert_eq!(web.routes[0].group_by, None);

    let rule = &config.inhibit_rules[0];
    assert_eq!(rule.target.to_string(), r#"{severity="warning"}"#);
    assert_eq!(rule.equal, ["alertname", "queue"]);
}

#[test]
fn receivers_are_complete() {
    let config = load(ALL).unwrap();
    let defaults = config.receivers.iter().flat_map(|receiver| {
        let each = receiver.integrations.iter();
        each.map(|integration| (&*integration.id, integration.send_resolved))
    });
    let defaults: Vec<_> = defaults.collect();
    assert_eq!(
        defaults,
        [
            ("webhook/0", true),
            ("webhook/1", false),
            ("email/0", false),
            ("slack/0", true),
            ("telegram/0", true),
            ("discord/0", true),
            ("msteamsv2/0", true),
            ("pagerduty/0", true),
            ("pushover/0", true),
        ]
    );
    let Kind::Email(email) = &receiver(&config, "everything", "email/0").kind else {
        panic!()
    };
    assert_eq!(email.smtp.from, "vigie@example.org");
    assert_eq!(email.smtp.smarthost, "smtp.example.org:587");
    assert_eq!(email.smtp.auth_username, "vigie");
    assert_eq!(
        exposed(email.smtp.auth_password.as_ref().unwrap()),
        "/run/secrets/smtp"
    );
    assert!(!email.smtp.require_tls);
    assert_eq!(email.headers[1].0, "Reply-To");
    let Kind::Slack(slack) = &receiver(&config, "everything", "slack/0").kind else {
        panic!()
    };
    assert_eq!(
        exposed(&slack.api_url),
        "https://hooks.slack.example/s3cret-slack"
    );
    assert_eq!(
        slack.title_link,
        r#"{{ template "slack.default.titlelink" . }}"#
    );
    assert!(!slack.http.follow_redirects);
    let Kind::Webhook(webhook) = &receiver(&config, "everything", "webhook/0").kind else {
        panic!()
    };
    assert_eq!(webhook.max_alerts, 5);
    // An `http_config` of a receiver replaces the global one as a whole.
    assert!(webhook.http.follow_redirects);
    assert!(matches!(
        &webhook.http.credentials,
        Some(Credentials::Authorization { scheme, .. }) if scheme == "Bearer"
    ));
    let Kind::PagerDuty(pagerduty) = &receiver(&config, "page", "pagerduty/0").kind else {
        panic!()
    };
    let details: Vec<_> = pagerduty.details.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        details,
        ["firing", "resolved", "num_firing", "num_resolved"]
    );
    let Kind::Pushover(pushover) = &receiver(&config, "page", "pushover/0").kind else {
        panic!()
    };
    assert_eq!(pushover.retry, Duration::from_secs(120));
    assert_eq!(pushover.expire, Duration::from_secs(3600));
}

#[test]
fn the_debug_form_shows_no_secret() {
    let debug = format!("{:?}", load(ALL).unwrap());
    assert!(!debug.contains("s3cret"), "{debug}");
}

#[test]
fn mistakes_are_reported_with_their_position() {
    for (text, message) in MISTAKES.iter().chain(STRICTER) {
        let problems = load(text).map(|_| ()).unwrap_err().to_string();
        assert!(problems.contains(message), "{text}\n{problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
        assert!(!problems.contains('\n'), "{text}\n{problems}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = "route: {receiver: b, x: 1}\nreceivers: [{name: a, y: 2}]\nz: 3";
    let problems = load(text).unwrap_err();
    let lines: Vec<_> = problems.0.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 1, 2, 3]);
}

#[test]
fn a_timeout_is_bounded() {
    let read = |kind: &str, timeout: &str| {
        load(&format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a, {kind}, timeout: {timeout}}}]}}]"
        ))
    };
    for kind in [
        "webhook_configs: [{url: 'http://x'",
        "slack_configs: [{api_url: 'http://x'",
        "pagerduty_configs: [{routing_key: x",
    ] {
        assert!(read(kind, "1m").is_ok(), "{kind}");
        let problems = read(kind, "61s").unwrap_err().to_string();
        let expected = "`timeout` is `61s`; accepted: a duration of at most 60s, as in 10s";
        assert!(problems.contains(expected), "{problems}");
    }
}
