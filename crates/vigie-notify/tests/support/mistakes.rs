//! Configurations with a mistake, and its message.

/// Files with one mistake, which Alertmanager refuses as well, and a part of the message.
pub(crate) const MISTAKES: &[(&str, &str)] = &[
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

/// Files that Alertmanager accepts and Vigie does not.
pub(crate) const STRICTER: &[(&str, &str)] = &[
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
