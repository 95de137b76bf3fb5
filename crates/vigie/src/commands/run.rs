//! `vigie run`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::app::{App, Edges};
use crate::memory;
use vigie_config::Settings;

/// A second signal ends the program as if the signal itself had: 128 and its number.
const INTERRUPTED: i32 = 128 + 2;

/// Runs until a signal, then drains.
///
/// # Errors
/// When an address cannot be listened on, or a setting turns out unusable.
pub fn run(settings: Settings) -> Result<ExitCode> {
    memory::compare_with_limit(&settings);
    let app = App::build(&settings, Edges::bind(&settings)?)?;
    // One thread for watching and telling; the gateway brings its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let stop = CancellationToken::new();
        let on_signal = stop.clone();
        tokio::spawn(async move {
            signals.next().await;
            info!("asked to stop; a second signal stops at once");
            on_signal.cancel();
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        app.run(stop).await
    });
    // A query that still runs on a thread of its own ends with the process: dropping the runtime would wait for it.
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

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
