//! Counts of captured and missed bytes, segments and requests.

/// A value for each direction of the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// From the clients.
    pub client: u64,
    /// From the app.
    pub app: u64,
}

/// Totals since the capture began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections whose beginning was captured.
    pub opened: u64,
    /// Connections that existed already.
    pub found: u64,
    /// Times that a connection was joined between two of its messages: one that existed already, or after missing bytes.
    pub joined: u64,
    /// Connections that the app refused.
    pub refused: u64,
    /// Connections that were reset, by who did it.
    pub reset: Sides,
    /// Segments whose bytes were all sent before.
    pub repeated: Sides,
    /// Bytes sent, as far as captured segments tell.
    pub bytes: Sides,
    /// Bytes sent that were not captured.
    pub unseen: Sides,
    /// Requests with a known outcome.
    pub known: u64,
    /// Requests whose outcome is unknown.
    pub abandoned: u64,
    /// Connections that were not followed because the table was full.
    pub untracked: u64,
    /// Segments of a connection that was first seen on another interface.
    pub elsewhere: u64,
    /// Responses whose head was read.
    pub responses: u64,
}
