use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;

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
        Secret::File(path) => path.to_str().unwrap(),
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

/// A file with one mistake, and the message.
const MISTAKES: &[(&str, &str)] = &[
    ("", "line 1, column 1: the file is empty; needs `route`"),
    ("a: b: c", "this is not YAML"),
    (
        "receivers: []",
        "line 1, column 1: a configuration without `route`; needs `route`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\nrecievers: []",
        "line 3, column 1: unknown key `recievers` in a configuration; accepted: global, receivers, mute_time_intervals, \
         time_intervals, route, inhibit_rules, templates (did you mean `receivers`?)",
    ),
    (
        "route: {receiver: b}\nreceivers: [{name: a}]",
        "line 1, column 19: the receiver `b` is not defined; defined: a (did you mean `a`?)",
    ),
    (
        "route: {receiver: a, routes: [{matchers: ['x=\"y']}]}\nreceivers: [{name: a}]",
        "line 1, column 46: found `\"y`, expected a closing `\"`; accepted: as in severity = \"critical\"",
    ),
    (
        "route: {receiver: a, routes: [{matchers: ['x=~\"(\"']}]}\nreceivers: [{name: a}]",
        "invalid regular expression",
    ),
    (
        "route: {receiver: a, routes: [{match: {'a-b': c}}]}\nreceivers: [{name: a}]",
        "line 1, column 40: `a-b` is no name of a label; accepted: letters, digits and `_`, not a digit first \
         (write it in `matchers` instead)",
    ),
    (
        "route: {receiver: a, matchers: [a=b]}\nreceivers: [{name: a}]",
        "line 1, column 8: the first route has `matchers`; it takes every alert, always",
    ),
    (
        "route: {receiver: a, group_by: ['...', x]}\nreceivers: [{name: a}]",
        "line 1, column 22: `...` beside other labels in `group_by`; it means all labels, so it stands alone",
    ),
    (
        "route: {receiver: a, group_by: [x, x]}\nreceivers: [{name: a}]",
        "line 1, column 36: `x` stands twice in `group_by`",
    ),
    (
        "route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]",
        "line 1, column 38: `group_interval` is `0s`; accepted: a duration above zero",
    ),
    (
        "route: {receiver: a, group_wait: 5 minutes}\nreceivers: [{name: a}]",
        "line 1, column 34: `group_wait` is `5 minutes`; accepted: a duration as in 30s",
    ),
    (
        "route: {receiver: a, continue: 'no'}\nreceivers: [{name: a}]",
        "`continue` is `no`; accepted: true or false, without quotes",
    ),
    (
        "route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\nreceivers: [{name: a}]",
        "line 1, column 54: the time interval `x` is not defined; no time interval is defined",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}, {name: a}]",
        "line 2, column 31: two receivers are named `a`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, name: b}]",
        "line 2, column 23: `name` is given twice",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: x}]}]",
        "line 2, column 39: a Slack receiver without `api_url`, `api_url_file` or `slack_api_url` in `global`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://x', url_file: y}]}]",
        "line 2, column 59: both `url` and `url_file` in a webhook receiver; one of them is accepted",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, discord_configs: [{webhook_url: s3cret}]}]",
        "line 2, column 55: `webhook_url` is no URL; accepted: an http:// or https:// URL with a host",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: x, from: y}]}]",
        "an e-mail receiver without `smarthost` or `smtp_smarthost` in `global`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: x, from: y, smarthost: 'a:25', headers: {A-b: c, a-B: d}}]}]",
        "the header `A-B` is given twice",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, telegram_configs: [{bot_token: x, chat_id: 1, parse_mode: html}]}]",
        "`parse_mode` is `html`; accepted: HTML, Markdown, MarkdownV2 or nothing",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, pushover_configs: [{user_key: x, token: y, html: true, monospace: true}]}]",
        "both `html` and `monospace`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ninhibit_rules: [{source_match_re: {a: '['}}]",
        "line 3, column 39: invalid regular expression",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: t, time_intervals: [{weekdays: ['friday:monday']}]}]",
        "line 3, column 57: `friday:monday` in `weekdays`; accepted: days as in monday",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: t, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}]}]}]",
        "line 3, column 86: a range of times that ends before it starts; an interval over midnight is written as two",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: t, time_intervals: [{location: Europe/Lutetia}]}]",
        "`location` is `Europe/Lutetia`; accepted: a name of the time zone database",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: t, time_intervals: [{days_of_month: ['0']}]}]",
        "`0` in `days_of_month`",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: {a: b}",
        "line 3, column 12: `templates` is a table; must be a list",
    ),
];

/// The same, of what Alertmanager accepts and Vigie does not.
const STRICTER: &[(&str, &str)] = &[
    (
        "route: {receiver: a}\nreceivers: [{name: a, opsgenie_configs: [{api_key: x}]}]",
        "line 2, column 23: `opsgenie_configs` in a receiver is not supported; accepted: name, webhook_configs,",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://x', http_config: {proxy_from_environment: true}}]}]",
        "`proxy_from_environment` in `http_config` is not supported",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a, telegram_configs: [{bot_token: x, chat_id: 1, api_url: 'http://u:s3cret@x'}]}]",
        "`api_url` is no URL without a login",
    ),
    (
        "route: {receiver: a}\nreceivers: [{name: a}]\n---\nroute: {receiver: a}",
        "line 4, column 1: a second document; a configuration is one document",
    ),
];

#[test]
fn mistakes_are_told_with_their_position() {
    for (text, message) in MISTAKES.iter().chain(STRICTER) {
        let problems = load(text).map(|_| ()).unwrap_err().to_string();
        assert!(problems.contains(message), "{text}\n{problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
        assert!(!problems.contains('\n'), "{text}\n{problems}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "route: {receiver: b, x: 1}\nreceivers: [{name: a, y: 2}]\nz: 3";
    let problems = load(text).unwrap_err();
    let lines: Vec<_> = problems.0.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 1, 2, 3]);
}

/// The oracle: `amtool check-config`.
fn amtool_accepts(text: &str) -> bool {
    let amtool = vigie_testkit::tools::AMTOOL.find().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let mut command = std::process::Command::new(amtool);
    let output = command.arg("check-config").arg(file.path()).output();
    output.unwrap().status.success()
}

#[test]
fn alertmanager_agrees() {
    let older = ALL.lines().filter(|line| !line.ends_with("# newer"));
    let older = older.collect::<Vec<_>>().join("\n");
    load(&older).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(amtool_accepts(&older), "{older}");
    for (text, message) in MISTAKES {
        assert!(!amtool_accepts(text), "{text}\n{message}");
    }
    for (text, _) in STRICTER {
        assert!(
            amtool_accepts(text) || text.contains("proxy_from"),
            "{text}"
        );
    }
}
