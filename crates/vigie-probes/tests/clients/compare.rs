//! Compares the connection that a client makes for an address with the check's.

use std::time::Duration;

use serde_json::Value;
use vigie_probes::{Check, run_once};
use vigie_testkit::{SOON, Script};

const WITHIN: Duration = SOON;

/// A connection, as seen by the server; `None` if there is none.
pub(crate) type Reached = Option<Session>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) is_encrypted: bool,
}

/// An address, and the clients that interpret it like the check.
pub(crate) struct Row<'a> {
    pub(crate) address: String,
    /// Clients that agree in everything.
    pub(crate) same: &'a [&'a str],
    /// Clients that agree except about encryption, which the address leaves open.
    pub(crate) alike: &'a [&'a str],
}

pub(crate) fn row<'a>(address: impl Into<String>, same: &'a [&'a str]) -> Row<'a> {
    Row {
        address: address.into(),
        same,
        alike: &[],
    }
}

/// The connections of Node.js libraries, one after the other.
pub(crate) async fn ask_node(pairs: &[(&str, &str)], ca: &str) -> Vec<(Reached, String)> {
    let arguments = pairs
        .iter()
        .flat_map(|(library, address)| [*library, *address]);
    let script = Script::new("testing/address.js").env("REDIS_CA", ca);
    let mut process = script.args(arguments).spawn().unwrap();
    let mut all = Vec::new();
    for _ in pairs {
        let reported = process.next_json(WITHIN).await.unwrap();
        all.push((reached(&reported), reported.to_string()));
    }
    all
}

fn reached(reported: &Value) -> Reached {
    let text = |key: &str| match &reported[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    reported["connected"].as_bool().unwrap().then(|| Session {
        database: text("database"),
        user: text("user"),
        is_encrypted: reported["tls"].as_bool().unwrap(),
    })
}

/// Runs a check, inspects its connection with `look`, and waits until it is closed.
pub(crate) async fn by_check(
    check: Result<impl Check, impl std::fmt::Display>,
    look: impl AsyncFn() -> Reached,
) -> (Reached, String) {
    let mut check = match check {
        Ok(check) => check,
        Err(error) => return (None, error.to_string()),
    };
    let (outcome, _) = run_once(&mut check, WITHIN).await;
    let found = match outcome {
        Ok(()) => (
            Some(look().await.expect("the connection is kept")),
            String::new(),
        ),
        Err(failure) => (None, failure.text().to_owned()),
    };
    drop(check);
    vigie_testkit::eventually(WITHIN, async || match look().await {
        None => Ok(()),
        Some(session) => Err(format!("{session:?}")),
    })
    .await;
    found
}

/// Compares the check with the clients of a row.
pub(crate) fn compare(
    row: &Row<'_>,
    check: &(Reached, String),
    others: &[(&str, (Reached, String))],
) {
    let plain = |reached: &Reached| {
        let plain = |session: &Session| (session.database.clone(), session.user.clone());
        reached.as_ref().map(plain)
    };
    for (name, other) in others {
        let agrees = match row.same.contains(name) {
            true => check.0 == other.0,
            false => plain(&check.0) == plain(&other.0),
        };
        assert!(
            agrees,
            "{}\n{name}: {other:?}\ncheck: {check:?}",
            row.address
        );
    }
}
