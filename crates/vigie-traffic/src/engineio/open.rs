//! The server's open packet: `0{"sid":"…","pingInterval":…,"pingTimeout":…}`.

use std::time::Duration;

use serde_json::Value;

use super::heartbeat::Ping;
use super::sessions::Sid;

/// Open packets have about 120 bytes; a longer one is not understood.
pub(super) const MAX_BYTES: usize = 1_024;

/// The bound of the intervals in an open packet, so that no session outlives its client for longer.
const LONGEST_PING: Duration = Duration::from_secs(3600);

/// What an open packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) sid: Sid,
    pub(super) ping: Option<Ping>,
}

impl Open {
    /// Reads the JSON that follows the packet's type.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let open: Value = serde_json::from_slice(json).ok()?;
        let millis = |name| {
            let millis = open.get(name).and_then(Value::as_u64)?;
            Some(Duration::from_millis(millis).min(LONGEST_PING))
        };
        Some(Self {
            sid: Sid::new(open.get("sid")?.as_str()?)?,
            ping: millis("pingInterval")
                .zip(millis("pingTimeout"))
                .map(|(interval, timeout)| Ping { interval, timeout }),
        })
    }
}
