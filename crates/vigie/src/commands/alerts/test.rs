//! `vigie alerts test`: sends a message to the configured receivers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use vigie_config::Settings;
use vigie_notify::config::Config;
use vigie_notify::deliver::{self, Sender};
use vigie_notify::{Alert, Message};
use vigie_promql::Labels;
use vigie_query::{TargetError, printable, runtime};

use super::super::remote::{Failure, columns};
use crate::alerting::Notifications;
use crate::cli::{Overrides, sources};

/// The arguments of `vigie alerts test`.
#[derive(Args)]
pub(super) struct Test {
    /// The name of a receiver, or an integration like slack/0; all by default
    receiver: Option<String>,
}

/// Sends the messages, one after the other. The exit code is 1 if one was not delivered.
pub(super) fn run(config: Option<PathBuf>, test: &Test) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&sources(config, &Overrides::default()));
    let settings = settings.map_err(|error| Failure::Target(TargetError::Settings(error)))?;
    let notifications = Notifications::load(&settings.notify);
    let notifications = notifications.map_err(|error| Failure::Usage(error.to_string()))?;
    let Notifications::Service(receivers) = notifications else {
        let message = "alerts are forwarded to Alertmanagers (notify.alertmanagers), which have the receivers";
        return Err(Failure::Usage(message.to_owned()));
    };
    let wanted = wanted(&receivers.config, test.receiver.as_deref()).map_err(Failure::Usage)?;
    let settings = deliver::Settings {
        templates: receivers.templates.clone(),
        ..deliver::Settings::default()
    };
    let sender = Sender::new(&receivers.config, settings);
    let runtime = runtime()?;
    let mut rows = Vec::new();
    let mut is_delivered = true;
    for (receiver, integration) in wanted {
        let message = message(&receiver, &integration, Timestamp::now());
        let answer = runtime.block_on(sender.deliver(&message));
        is_delivered &= answer.is_ok();
        let (result, answer) = match answer {
            Ok(answer) => ("delivered", answer),
            Err(failure) => ("FAILED", failure.text),
        };
        rows.push(vec![
            printable(&receiver),
            integration,
            result.to_owned(),
            printable(&answer),
        ]);
    }
    vigie_query::print(columns(&rows).as_bytes())?;
    Ok(match is_delivered {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The integrations to test, each with its receiver.
fn wanted(config: &Config, name: Option<&str>) -> Result<Vec<(String, String)>, String> {
    let all = config.receivers.iter().flat_map(|receiver| {
        let integrations = receiver.integrations.iter();
        integrations.map(|integration| (receiver.name.clone(), integration.id.clone()))
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return Err("no receiver is configured ([notify])".to_owned());
    }
    let is_wanted = |(receiver, integration): &&(String, String)| {
        name.is_none_or(|name| name == receiver || name == integration)
    };
    let wanted: Vec<_> = all.iter().filter(is_wanted).cloned().collect();
    if wanted.is_empty() {
        let known = all
            .iter()
            .map(|(receiver, integration)| format!("{receiver} ({integration})"));
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(format!(
            "no receiver {:?}; there are: {known}",
            name.unwrap_or_default()
        ));
    }
    Ok(wanted)
}

/// A message that says that it is a test.
fn message(receiver: &str, integration: &str, now: Timestamp) -> Message {
    let labels = [("alertname", "VigieTest"), ("severity", "warning")];
    let at = now.as_millisecond();
    let texts = [
        ("summary", "A test of this receiver"),
        (
            "description",
            "Sent by `vigie alerts test`. Nothing is wrong; no resolved message follows.",
        ),
    ];
    let texts = texts.map(|(name, text)| (name.into(), text.into()));
    let alert = Alert {
        annotations: texts.into(),
        ..Alert::firing(Labels::new(labels), at)
    };
    Message {
        id: 0,
        receiver: receiver.into(),
        integration: integration.into(),
        group_key: "{}:{alertname=\"VigieTest\"}".to_owned(),
        group_labels: Labels::new([("alertname", "VigieTest")]),
        reason: "first notification".to_owned(),
        at,
        firing: vec![alert],
        resolved: Vec::new(),
        summary: None,
    }
}
