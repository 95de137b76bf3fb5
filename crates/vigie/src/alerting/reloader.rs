//! Requests to read the files again.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// How long a client waits for a reload: files are read, and running evaluations end first.
const TIMEOUT: Duration = Duration::from_secs(150);
/// The number of requested reloads that wait.
const WAITING: usize = 4;

/// A requested reload. When it is dropped, the client is told that Vigie is stopping.
pub(super) struct Request {
    answer: oneshot::Sender<Result<(), String>>,
}

impl Request {
    /// Answers the client, which may have gone.
    pub(super) fn answer(self, result: Result<(), String>) {
        let _ = self.answer.send(result);
    }
}

/// Requests reloads. Clones share the scheduler.
#[derive(Clone)]
pub struct Reloader(mpsc::Sender<Request>);

impl Reloader {
    pub(super) fn new() -> (Self, mpsc::Receiver<Request>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Reads the rule files again and waits for the result.
    ///
    /// # Errors
    /// The mistakes in the files, or why they were not read; the previous rules stay active.
    pub async fn reload(&self) -> Result<(), String> {
        let (answer, result) = oneshot::channel();
        let ended = "Vigie is stopping";
        let reload = async {
            let sent = self.0.send(Request { answer }).await;
            sent.map_err(|_| ended.to_owned())?;
            result.await.map_err(|_| ended.to_owned())?
        };
        let timeout = tokio::time::timeout(TIMEOUT, reload).await;
        timeout.unwrap_or_else(|_| Err(format!("no result within {TIMEOUT:?}")))
    }
}
