//! Ends the tests at a signal.

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for the tests, which are dropped at a signal.
///
/// # Errors
/// The errors of the tests, and a signal that ends them.
pub(crate) async fn until_signal<T>(
    tests: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tests => ended,
        _ = interrupt.recv() => bail!("interrupted; the test programs were killed"),
        _ = terminate.recv() => bail!("terminated; the test programs were killed"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::pending;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn a_signal_is_an_error_at_any_time() {
        for (signal, said) in [(Signal::INT, "interrupted"), (Signal::TERM, "terminated")] {
            let tests = async {
                kill_process(getpid(), signal).unwrap();
                pending::<anyhow::Result<()>>().await
            };
            let error = until_signal(tests).await.unwrap_err();
            assert!(error.to_string().starts_with(said), "{error}");
        }
        assert_eq!(until_signal(async { Ok(7) }).await.unwrap(), 7);
    }
}
