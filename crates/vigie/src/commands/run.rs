//! `vigie run`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::{App, Edges};
use crate::memory;
use vigie_config::Settings;

/// Shells add this to the number of the signal that ended a process.
const ENDED_BY_SIGNAL: i32 = 128;
/// The nice value of the threads that answer queries, evaluate rules, and read and write files.
const BACKGROUND: i32 = 5;

/// Runs until a signal, then drains.
///
/// # Errors
/// If an address cannot be bound, or a setting cannot be used.
pub fn run(settings: Settings) -> Result<ExitCode> {
    raise_open_files();
    memory::compare_with_limit(&settings);
    let app = App::build(&settings, Edges::bind(&settings)?)?;
    let reloader = app.reloader();
    let runtime = runtime().context("cannot start the runtime")?;
    let ended = run_to_end(runtime, async {
        let unusable = "cannot listen for signals";
        let mut signals = Signals::listen().context(unusable)?;
        let mut hangup = signal(SignalKind::hangup()).context(unusable)?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                info!("SIGHUP: reading the rule files again");
                // The result is logged where the files are read.
                let _ = reloader.reload().await;
            }
        });
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
    ended.map(|()| ExitCode::SUCCESS)
}

/// Raises the limit of open files as far as is permitted: shells and supervisors set 1,024 for programs that cannot use more,
/// and a client of the gateway needs two.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "cannot raise the limit of open files");
    }
}

/// Runs the future to its end. A query that still runs on a blocking thread ends with the process: dropping the runtime
/// would wait for it.
fn run_to_end<T>(runtime: Runtime, future: impl Future<Output = T>) -> T {
    let ended = runtime.block_on(future);
    runtime.shutdown_background();
    ended
}

/// One thread for watchers and the admin port, which is the caller's, and blocking threads of lower priority. The gateway has
/// threads of its own: with these it and the watched app come first on a busy machine.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_start(|| {
            // On Linux, without a process ID the call concerns the calling thread only: setpriority(2).
            if cfg!(target_os = "linux")
                && let Err(error) = setpriority_process(None, BACKGROUND)
            {
                warn!(%error, "cannot lower the priority of a thread; queries and rules run at normal priority");
            }
        })
        .build()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustix::process::getpriority_process;
    use std::sync::mpsc::sync_channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn only_blocking_threads_have_a_lower_priority() {
        let nice = || getpriority_process(None).unwrap();
        let before = nice();
        let (caller, blocking) = runtime()
            .unwrap()
            .block_on(async { (nice(), tokio::task::spawn_blocking(nice).await.unwrap()) });
        assert_eq!(caller, before);
        assert_eq!(blocking, before.max(BACKGROUND));
    }

    #[test]
    fn a_query_that_does_not_end_is_not_waited_for() {
        let (end_query, query_ends) = sync_channel::<()>(0);
        let (ended, has_ended) = sync_channel(1);
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().build().unwrap();
            run_to_end(runtime, async {
                let (started, has_started) = tokio::sync::oneshot::channel();
                tokio::task::spawn_blocking(move || {
                    started.send(()).unwrap();
                    // Until the test is over.
                    query_ends.recv().unwrap_err();
                });
                has_started.await.unwrap();
            });
            ended.send(()).unwrap();
        });
        has_ended.recv_timeout(Duration::from_secs(60)).unwrap();
        drop(end_query);
    }
}
