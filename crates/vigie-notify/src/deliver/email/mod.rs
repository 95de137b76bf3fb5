//! E-mail.

mod content;
mod login;
mod protocol;
mod session;

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, timeout_at};

use super::failure::{Cause, Failure};
use super::render::Texts;
use crate::config::Email;
pub use content::is_mailbox;
use login::Login;
use session::Session;

/// Sends a message. Returns the answer of the mail server.
pub(super) async fn send(
    settings: &Email,
    texts: &Texts<'_>,
    deadline: Instant,
) -> Result<String, Failure> {
    let mail = content::mail(settings, texts)?;
    let login = Login::read(&settings.smtp, deadline).await?;
    // Whether the server may have the whole mail.
    let is_sent = AtomicBool::new(false);
    let sending = async {
        let mut session = Session::open(&settings.smtp).await?;
        session.log_in(&login).await?;
        let answer = session.send(&mail, &is_sent).await?;
        session.quit().await;
        Ok(answer)
    };
    let sent = timeout_at(deadline, sending).await;
    let sent = sent.unwrap_or_else(|_| Err(late(settings, is_sent.load(Ordering::Relaxed))));
    sent.map_err(|failure| failure.without(None, &login.secrets()))
}

/// Connects to the mail server and logs in.
pub(super) async fn reach(settings: &Email, deadline: Instant) -> Result<(), Failure> {
    let login = Login::read(&settings.smtp, deadline).await?;
    let reaching = async {
        let mut session = Session::open(&settings.smtp).await?;
        session.log_in(&login).await?;
        session.quit().await;
        Ok(())
    };
    let reached = timeout_at(deadline, reaching).await;
    let reached = reached.unwrap_or_else(|_| Err(late(settings, false)));
    reached.map_err(|failure| failure.without(None, &login.secrets()))
}

fn late(settings: &Email, is_sent: bool) -> Failure {
    let server = &settings.smtp.smarthost;
    let text = format!("{server} did not answer before the deadline");
    let cause = if is_sent {
        Cause::NoAnswer
    } else {
        Cause::Unreachable
    };
    Failure::new(cause, text)
}
