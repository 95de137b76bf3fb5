//! The configuration of notifications: receivers with their routes and templates, or Alertmanagers.

use std::fmt;
use std::sync::Arc;

use vigie_config::Notify;
use vigie_notify::api::Configured;
use vigie_notify::config::{Config, short};
use vigie_notify::files::{self, Loaded};
use vigie_notify::forward::Alertmanager;
use vigie_notify::template::Templates;

/// A configuration of notifications that cannot be used.
#[derive(Debug)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// The configuration of notifications.
#[derive(Clone)]
pub(crate) enum Notifications {
    Service(Arc<Receivers>),
    Alertmanagers(Vec<Alertmanager>),
}

/// The receivers with their routes and templates.
pub(crate) struct Receivers {
    pub(crate) config: Config,
    pub(crate) templates: Templates,
    /// The parts of it that the API shows.
    pub(super) configured: Arc<Configured>,
}

impl Receivers {
    /// `text` is that of the configuration.
    fn new(config: Config, templates: Templates, text: &str) -> Self {
        Self {
            configured: Arc::new(Configured::new(&config, text)),
            config,
            templates,
        }
    }
}

impl Notifications {
    /// Reads the configuration. Blocks.
    pub(crate) fn load(notify: &Notify) -> Result<Self, Unusable> {
        let receivers = match notify {
            Notify::Alertmanagers(all) => {
                let all = all.iter().map(|one| {
                    let made = Alertmanager::new(&one.url, one.http.clone());
                    made.map_err(|failure| {
                        Unusable(format!("notify.alertmanagers: {}", failure.text))
                    })
                });
                return Ok(Self::Alertmanagers(all.collect::<Result<_, _>>()?));
            }
            Notify::File(path) => {
                let Loaded {
                    config,
                    templates,
                    text,
                } = files::load(path)
                    .map_err(|error| Unusable(format!("notify.config: {error}")))?;
                Receivers::new(config, templates, &text)
            }
            Notify::Receivers(given) => {
                let config = short::config(given);
                let config = config.map_err(|error| Unusable(format!("notify: {error}")))?;
                Receivers::new(config, Templates::builtin(), &short::yaml(given))
            }
        };
        Ok(Self::Service(Arc::new(receivers)))
    }

    /// Where alerts go, for the log.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Alertmanagers(all) => format!("forwarded to {} Alertmanagers", all.len()),
            Self::Service(receivers) => {
                let receivers = receivers.config.receivers.iter();
                let integrations = receivers.map(|receiver| receiver.integrations.len());
                match integrations.sum::<usize>() {
                    0 => "shown but not sent: no receiver is configured ([notify])".to_owned(),
                    count => format!("sent to {count} integrations"),
                }
            }
        }
    }
}
