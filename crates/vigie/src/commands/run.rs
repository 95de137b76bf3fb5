//! `vigie run`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::app::{App, Edges};
use crate::memory;
use vigie_config::Settings;

/// Shells add this to the number of the signal that ended a process.
const ENDED_BY_SIGNAL: i32 = 128;

/// Runs until a signal, then drains.
///
/// # Errors
/// If an address cannot be bound, or a setting cannot be used.
pub fn run(settings: Settings) -> Result<ExitCode> {
    memory::compare_with_limit(&settings);
    let app = App::build(&settings, Edges::bind(&settings)?)?;
    // One thread for watchers and the admin port; the gateway has its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let stop = CancellationToken::new();
        let on_signal = stop.clone();
        tokio::spawn(async move {
            let signal = signals.next().await;
            info!(signal, "stopping; a second signal ends the process at once");
            on_signal.cancel();
            let signal = signals.next().await;
            std::process::exit(ENDED_BY_SIGNAL + signal);
        });
        app.run(stop).await
    });
    // A query still running on its own thread ends with the process: dropping the runtime would wait for it.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal and returns its number.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        kind.as_raw_value()
    }
}
