//! Any text is a template or refused with a position within it. An accepted one renders within its bounds, or fails; a
//! text value never begins a tag in HTML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_notify::template::{Data, NoLinks, Templates, check};
use vigie_notify::{Alert, Message};
use vigie_promql::Labels;

const MAX_BYTES: usize = 1 << 20;

fn message() -> Message {
    let labels = [("alertname", "QueueWaiting"), ("queue", "<b>'\"&")];
    let mut resolved = Alert::firing(Labels::new([("queue", "push")]), 0);
    resolved.ends_at = Some(60_500);
    Message {
        id: 1,
        receiver: "ops".into(),
        integration: "slack/0".into(),
        group_key: String::new(),
        group_labels: Labels::new([("alertname", "QueueWaiting")]),
        reason: String::new(),
        at: 120_000,
        firing: vec![Alert::firing(Labels::new(labels), 0)],
        resolved: vec![resolved],
        summary: None,
    }
}

fuzz_target!(|text: &str| {
    if let Err(problem) = check(text) {
        assert!(text.get(problem.span.clone()).is_some(), "{problem}");
        return;
    }
    let data = Data::new(&message(), 120_000, &NoLinks);
    let Ok(templates) = Templates::load([("own.tmpl", text)]) else {
        unreachable!("a text that can be read can be loaded");
    };
    let texts = [
        text,
        "{{ template \"own.tmpl\" . }}{{ template \"__subject\" . }}",
    ];
    for text in texts {
        for rendered in [templates.text(text, &data), templates.html(text, &data)] {
            assert!(rendered.map_or(0, |text| text.len()) <= MAX_BYTES);
        }
    }
});
