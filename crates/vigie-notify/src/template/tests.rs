#![allow(clippy::unwrap_used)]
use vigie_alerts::template::exec::Value;
use vigie_promql::Labels;

use super::*;
use crate::{Alert, Message};

struct Addresses;

impl Links for Addresses {
    fn external_url(&self) -> &'static str {
        "https://vigie.example"
    }

    fn dashboard(&self, alert: &Alert) -> Option<String> {
        let queue = alert.labels.get("queue");
        Some(format!("https://vigie.example/d/queues?queue={queue}"))
    }

    fn acknowledge(&self, alert: &Alert) -> Option<String> {
        Some(format!(
            "https://vigie.example/ack/{}",
            crate::Fingerprint::of(&alert.labels)
        ))
    }
}

fn alert(queue: &str, value: f64) -> Alert {
    let labels = [
        ("alertname", "QueueWaiting"),
        ("severity", "warning"),
        ("queue", queue),
        ("instance", "app-1:9850"),
    ];
    let mut alert = Alert::firing(Labels::new(labels), 1_643_114_203_000);
    let summary = format!("{value} jobs wait in the queue {queue}");
    alert.annotations = Arc::new([
        (
            "description".into(),
            "More than 500 jobs of the queue have been ready to run for a minute.".into(),
        ),
        (
            "runbook_url".into(),
            "https://example.org/runbooks/QueueWaiting.md".into(),
        ),
        ("summary".into(), summary.into()),
    ]);
    alert.value = Some(value);
    alert.generator_url = "https://vigie.example/graph?g0.expr=queue_jobs_total%7Bstate%3D%22waiting%22%7D+%3E+500&g0.tab=1".into();
    alert
}

fn message(firing: Vec<Alert>, resolved: Vec<Alert>) -> Message {
    Message {
        id: 1,
        receiver: "ops".into(),
        integration: "slack/0".into(),
        group_key: "{}:{alertname=\"QueueWaiting\"}".to_owned(),
        group_labels: Labels::new([("alertname", "QueueWaiting")]),
        reason: String::new(),
        at: 1_643_114_923_000,
        firing,
        resolved,
        summary: None,
    }
}

fn data(message: &Message) -> Data {
    Data::new(message, message.at, &Addresses)
}

fn text(template: &str, message: &Message) -> String {
    Templates::builtin().text(template, &data(message)).unwrap()
}

#[test]
fn the_fields_of_alertmanager() {
    let both = message(vec![alert("mails", 1234.5)], vec![alert("images", 12.0)]);
    for (template, expected) in [
        (
            "{{ .Receiver }} {{ .Status }} {{ .ExternalURL }} {{ .GroupLabels }}",
            "ops firing https://vigie.example alertname=QueueWaiting",
        ),
        (
            "{{ .CommonLabels.SortedPairs.Values | join \" \" }}",
            "QueueWaiting app-1:9850 warning",
        ),
        (
            "{{ range .Alerts }}{{ .Status }} {{ .Labels.queue }} {{ .Fingerprint }} {{ end }}",
            "resolved images 147d85ceec8812b4 firing mails 38ef90f2a5312c22 ",
        ),
        (
            "{{ with index .Alerts.Firing 0 }}{{ .StartsAt }} {{ .EndsAt }} {{ since .StartsAt }}{{ end }}",
            "2022-01-25 12:36:43 +0000 UTC 0001-01-01 00:00:00 +0000 UTC 12m0s",
        ),
        (
            "{{ with index .Worst 0 }}{{ .Value }} {{ .ValueString }} {{ .Threshold }}{{ end }}",
            "1234.5 1.234k > 500",
        ),
    ] {
        assert_eq!(text(template, &both), expected);
    }
}

#[test]
fn the_worst_alerts_are_farthest_beyond_their_threshold() {
    let comparing = |name: &str, comparison: &str, value: Option<f64>| {
        let mut alert = alert(name, 0.0);
        let expression: String =
            url::form_urlencoded::byte_serialize(format!("x {comparison}").as_bytes()).collect();
        alert.generator_url = format!("/graph?g0.expr={expression}&g0.tab=1").into();
        alert.value = value;
        alert
    };
    let firing = vec![
        comparing("none", "> 1", None),
        comparing("nan", "> 1", Some(f64::NAN)),
        comparing("low", "> bool 5", Some(1.0)),
        comparing("high", "> y", Some(9e9)),
        comparing("twice", "> 500", Some(1000.0)),
        comparing("thrice", "> 0.1", Some(0.3)),
        comparing("half", "< 10", Some(5.0)),
        comparing("gone", "< 1", Some(0.0)),
        comparing("zero", "> 0", Some(0.25)),
        comparing("other", "!= 4", Some(1.0)),
    ];
    let template = "{{ range .Worst }}{{ .Labels.queue }} {{ end }}";
    let found = text(template, &message(firing, vec![alert("resolved", 1e12)]));
    let expected = "thrice gone twice other half zero high low nan none ";
    assert_eq!(found, expected);
}

#[test]
fn mistakes_have_a_file_and_a_place() {
    let files = [
        (
            "dir/a.tmpl",
            "{{ define \"x\" }}\n  {{ toUper .Status }}{{ end }}",
        ),
        ("b.tmpl", "{{ define \"y\" }}{{ end }}"),
        ("c.tmpl", "{{ if }}"),
    ];
    let problems = Templates::load(files).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "dir/a.tmpl: line 2, column 6: unknown function `toUper`; Alertmanager has no such function (did you mean `toUpper`?)\n\
         c.tmpl: line 1, column 7: a value is missing; expected a value or a function"
    );
    let templates = Templates::load([(
        "b.tmpl",
        "own {{ define \"__subject\" }}{{ .Nope }}{{ end }}",
    )])
    .unwrap();
    let both = message(vec![alert("mails", 1.0)], Vec::new());
    assert_eq!(
        templates
            .text("{{ template \"b.tmpl\" . }}", &data(&both))
            .unwrap(),
        "own "
    );
    let failure = templates.text("{{ template \"slack.default.title\" . }}", &data(&both));
    assert_eq!(
        failure.unwrap_err().to_string(),
        "the template failed: template: b.tmpl:1:31: executing \"__subject\" at <.Nope>: can't evaluate field Nope in type template.Data"
    );
}

/// A text of all built-in templates for one message.
fn rendered(message: &Message) -> String {
    let templates = Templates::builtin();
    let data = data(message);
    let mut all = String::new();
    for (file, body) in BUILT_IN {
        let mut library = Library::default();
        library.add(file, body).unwrap();
        for name in library.names().filter(|name| name.contains(".default.")) {
            let argument = match name {
                "pagerduty.default.instances" => ".Worst",
                _ => ".",
            };
            let call = format!("{{{{ template {name:?} {argument} }}}}");
            let is_html = name.ends_with(".html") || name.starts_with("telegram");
            let text = match is_html {
                true => templates.html(&call, &data).unwrap(),
                false => templates.text(&call, &data).unwrap(),
            };
            if !text.is_empty() {
                all += &format!("=== {name}\n{text}\n");
            }
        }
    }
    all
}

#[test]
fn the_built_in_texts() {
    let mut resolved = alert("images", 12.0);
    resolved.ends_at = Some(1_643_114_900_000);
    let mut unknown = alert("invoices", 800.0);
    unknown.unknown_since = Some(1_643_114_800_000);
    let firing = vec![unknown.clone(), alert("<mails>", 1234.5)];
    for (name, message) in [
        (
            "firing",
            message(vec![alert("<mails>", 1234.5)], Vec::new()),
        ),
        ("mixed", message(firing, vec![resolved.clone()])),
        ("unknown", message(vec![unknown], Vec::new())),
        ("resolved", message(Vec::new(), vec![resolved])),
    ] {
        insta::assert_snapshot!(name, rendered(&message));
    }
}

#[test]
fn own_fields_are_documented() {
    let page = include_str!("../../../../docs/templates.md");
    let message = message(vec![alert("mails", 1.0)], Vec::new());
    let data = data(&message);
    let worst = data.value().get("Worst").unwrap();
    let Value::List(worst) = worst else {
        panic!("{worst:?}");
    };
    for value in [data.value(), &worst.items()[0]] {
        let Value::Data(fields) = value else {
            panic!("{value:?}");
        };
        for (name, _) in fields.fields.iter().chain(&fields.hidden) {
            assert!(page.contains(&format!("`.{name}`")), "{name}");
        }
    }
}

#[test]
fn a_long_list_is_cut() {
    let many = (0..40)
        .map(|n| alert(&format!("q{n}"), f64::from(n)))
        .collect();
    let message = message(many, Vec::new());
    let body = text("{{ template \"slack.default.text\" . }}", &message);
    assert!(
        body.starts_with("39 jobs wait in the queue q39\n"),
        "{body}"
    );
    assert!(body.contains("\n\nand 35 more\n"), "{body}");
    assert_eq!(body.matches("More than 500 jobs").count(), 1);
    assert_eq!(body.matches("Acknowledge: ").count(), 5);
    let subject = text("{{ template \"email.default.subject\" . }}", &message);
    assert_eq!(subject, "WARNING: QueueWaiting (40)");
}
