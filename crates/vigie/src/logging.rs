//! Vigie's own log: `tracing` events on the standard error, as text or JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use vigie_config::{Log, LogFormat};

/// Starts logging for the whole process.
///
/// # Errors
/// If logging was initialized before.
pub fn init(log: &Log) -> Result<(), TryInitError> {
    // The settings accept only valid filters; lossy parsing avoids a second error path.
    let filter = EnvFilter::builder().parse_lossy(&log.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
        LogFormat::Text => builder.with_ansi(coloured()).finish().try_init(),
        LogFormat::Auto if io::stderr().is_terminal() => {
            builder.with_ansi(coloured()).finish().try_init()
        }
        LogFormat::Auto => builder.json().flatten_event(true).finish().try_init(),
    }
}

/// Whether the standard error shows colours: it is a terminal and `NO_COLOR` is not set.
#[must_use]
pub fn coloured() -> bool {
    vigie_query::coloured(&io::stderr())
}
