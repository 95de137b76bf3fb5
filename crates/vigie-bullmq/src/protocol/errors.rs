//! The kinds of error replies.

use redis::{ServerError, ServerErrorKind, Value};

/// Whether a reply means that this node does not (or not completely) hold the key.
pub(crate) fn is_elsewhere(answer: &Value) -> bool {
    match answer {
        Value::ServerError(error) => is_of_slot(error),
        _ => false,
    }
}

/// Whether a reply means that the slots of the nodes changed. A migration in progress is not such a change.
pub(crate) fn is_moved(answer: &Value) -> bool {
    match answer {
        Value::ServerError(error) => {
            error.kind() == Some(ServerErrorKind::Moved)
                || error.kind() == Some(ServerErrorKind::ClusterDown) && is_of_slot(error)
        }
        _ => false,
    }
}

/// The slot is on another node, migrating, or unassigned.
fn is_of_slot(error: &ServerError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, Moved, TryAgain};
    match error.kind() {
        Some(Moved | Ask | TryAgain) => true,
        // The other CLUSTERDOWN error concerns all slots.
        Some(ClusterDown) => error
            .details()
            .is_some_and(|details| details.contains("slot not served")),
        _ => false,
    }
}

/// The error concerns this key only: another type, no such key, or no permission for the key.
pub(crate) fn is_of_key(error: &ServerError) -> bool {
    let has = |text| {
        error
            .details()
            .is_some_and(|details| details.contains(text))
    };
    match error.kind() {
        Some(ServerErrorKind::NoPerm) => !has("permissions to run"),
        Some(ServerErrorKind::ResponseError) => has("no such key"),
        _ => error.code() == "WRONGTYPE" || is_of_slot(error),
    }
}

/// The error concerns all commands, or all commands of this user.
pub(crate) fn is_of_server(error: &ServerError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown};
    match error.kind() {
        Some(BusyLoading | MasterDown) => true,
        Some(ClusterDown) => !is_of_key(error),
        _ => ["NOAUTH", "WRONGPASS", "BUSY"].contains(&error.code()),
    }
}
