//! Invariants for any database server, shared by the property test and the fuzzer; both supply bytes.

mod server;

use vigie_redis::redact::Secrets;

use super::error::Error;
use super::login::Session;
use super::tls::Demand;
use super::{mysql, postgres};
use crate::address;
use server::{Engine, Script};

const PASSWORD: &str = "hunter2";

/// Logs in at a server whose behaviour the bytes determine, and runs two statements: every answer is a result or a
/// failure without the password, and MySQL's protocol never sends the password unencrypted.
///
/// # Panics
/// If that is not so.
pub fn any_server(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let engine = match first % 2 {
        0 => Engine::Postgres,
        _ => Engine::MySql,
    };
    let script = Script::new(engine, rest);
    let written = script.written();
    let (outcome, secrets) = block_on(session(engine, script));
    if let Err(error) = outcome {
        let failure = error.failure("the database").without(&secrets);
        let text = failure.text();
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(
            text.chars().count() <= 320 && !text.contains('\n'),
            "{text}"
        );
    }
    let written = written.lock();
    let mut parts = written.windows(PASSWORD.len());
    let is_sent = parts.any(|part| part == PASSWORD.as_bytes());
    assert!(
        engine == Engine::Postgres || !is_sent,
        "the password was sent"
    );
}

async fn session(engine: Engine, script: Script) -> (Result<(), Error>, Secrets) {
    let stream = Box::new(script);
    let (session, secrets) = match engine {
        Engine::Postgres => {
            let url = format!("postgres://user:{PASSWORD}@host/database");
            let Ok((login, secrets)) = postgres::Login::parse(&url, None) else {
                unreachable!("the address is valid");
            };
            let session = postgres::Session::over(stream, &login, None, Demand::Never).await;
            (session.map(Session::Postgres), secrets)
        }
        Engine::MySql => {
            let url = address::parse(&format!("mysql://user:{PASSWORD}@host/database"));
            let Ok((login, secrets)) = url.and_then(|url| mysql::Login::parse(&url)) else {
                unreachable!("the address is valid");
            };
            let session = mysql::Session::over(stream, &login, None, Demand::Never).await;
            (session.map(Session::MySql), secrets)
        }
    };
    let outcome = async {
        let mut session = session?;
        session.ask().await?;
        session.ask().await?;
        session.close().await;
        Ok(())
    };
    (outcome.await, secrets)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    match runtime {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("no runtime: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn more_iterations_than_a_login_may_take_are_refused() {
        // SCRAM is offered, and its challenge demands 4,294,967,295 iterations.
        let script = Script::new(Engine::Postgres, &[3, 0, 16, 1]);
        let (outcome, _) = block_on(session(Engine::Postgres, script));
        let error = outcome.err().map(|error| error.to_string());
        let text = "the server requests an unsupported kind of login: SCRAM with more than 2000000 iterations";
        assert_eq!(error.as_deref(), Some(text));
    }

    proptest! {
        #[test]
        fn any_server_is_survived(bytes in vec(any::<u8>(), 0..400)) {
            any_server(&bytes);
        }

        /// Small numbers select known messages, so that more logins succeed.
        #[test]
        fn any_order_of_known_messages_is_survived(bytes in vec(0_u8..24, 0..60)) {
            any_server(&bytes);
        }
    }
}
