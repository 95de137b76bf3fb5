//! Histories of other processes, which are killed or have no space.
//!
//! A child that has not yet executed its program has copies of all open files, the lock of a history among them. So these tests
//! are not in the program of those that open histories, and start their children one after the other.
#![allow(clippy::unwrap_used)]

mod full;
mod killed;
#[path = "../history/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vigie_history::{History, Settings};

/// The variable with the directory of a child's history.
const PATH: &str = "VIGIE_HISTORY_TEST_PATH";

/// Held by a test while it starts children and opens histories.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: &Path) -> History {
    History::open(&Settings {
        path: Some(path.to_owned()),
        ..Settings::default()
    })
    .unwrap()
}
