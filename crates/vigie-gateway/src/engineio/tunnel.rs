//! The WebSocket behind a 101: what it means for a session.

use std::time::Duration;

use super::EngineIo;
use super::frames::{Frames, Piece, Want};
use super::message::Message;
use super::open::{self, Open};
use super::query::{Query, Revision};
use super::sessions::{Event, Sid, Transport, TunnelId};

/// Watches an upgraded connection. Dropped when both sides are gone.
pub(crate) struct TunnelTap {
    engineio: EngineIo,
    revision: Revision,
    began: Duration,
    tunnel: TunnelId,
    role: Role,
    client: Frames,
    server: Frames,
    /// The messages that are read, of the side whose turn it is to say what the connection is.
    message: Option<Box<Message>>,
}

/// What the connection is.
#[derive(Clone, Debug)]
enum Role {
    /// A session of its own, if the server's first frame is an open packet.
    Provisional,
    /// The next transport of a session, once the client's `5` passes.
    Candidate(Sid),
    /// The transport of a session.
    Transport(Sid),
    /// Nothing to Engine.IO, or no longer.
    Over,
}

/// Longer than `2probe`, and than anything else a client sends before it has upgraded.
const MAX_PROBE: usize = 8;

#[expect(
    clippy::wrong_self_convention,
    reason = "says where the bytes come from"
)]
impl TunnelTap {
    pub(super) fn new(engineio: EngineIo, query: Query, began: Duration) -> Self {
        let tunnel = engineio.next_tunnel();
        let (role, message) = match query.sid {
            None => (Role::Provisional, open::MAX_BYTES + 1),
            Some(sid) => {
                let event = Event::Candidate {
                    sid: sid.clone(),
                    tunnel,
                };
                engineio.apply(event);
                (Role::Candidate(sid), MAX_PROBE)
            }
        };
        Self {
            engineio,
            revision: query.revision,
            began,
            tunnel,
            role,
            client: Frames::new(Want::Headers),
            server: Frames::new(Want::Headers),
            message: Some(Box::new(Message::new(message))),
        }
    }

    /// Bytes from the client, as they are passed on.
    pub(crate) fn from_client(&mut self, bytes: &[u8]) {
        let Role::Candidate(sid) = &self.role else {
            return;
        };
        let Some(message) = &mut self.message else {
            return;
        };
        let mut verdict = None;
        self.client.feed(bytes, |piece| {
            if verdict.is_some() {
                return Want::Headers;
            }
            verdict = match piece {
                Piece::Close => Some(false),
                Piece::End => match message.end() {
                    Some([b'5', ..]) => Some(true),
                    Some(b"2probe") => None,
                    _ => Some(false),
                },
                Piece::Start { text, compressed } => {
                    message.start(text, compressed);
                    None
                }
                Piece::Data(data) => {
                    message.data(data);
                    None
                }
            };
            Want::Payload
        });
        match verdict {
            None => {}
            Some(true) => {
                let sid = sid.clone();
                self.engineio.apply(Event::Upgraded {
                    sid: sid.clone(),
                    tunnel: self.tunnel,
                    revision: self.revision,
                    began: self.began,
                });
                self.role = Role::Transport(sid);
                self.message = None;
            }
            Some(false) => self.over(),
        }
    }

    /// Bytes from the server, as they are passed on.
    pub(crate) fn from_server(&mut self, bytes: &[u8]) {
        let provisional = match self.role {
            Role::Over => return,
            Role::Provisional => true,
            Role::Candidate(_) | Role::Transport(_) => false,
        };
        let (mut closed, mut first) = (false, None);
        let message = &mut self.message;
        self.server.feed(bytes, |piece| {
            match (
                piece,
                message.as_mut().filter(|_| provisional && first.is_none()),
            ) {
                (Piece::Close, _) => closed = true,
                (_, None) => return Want::Headers,
                (Piece::Start { text, compressed }, Some(message)) => {
                    message.start(text, compressed);
                }
                (Piece::Data(data), Some(message)) => message.data(data),
                (Piece::End, Some(message)) => {
                    first = Some(match message.end() {
                        Some([b'0', json @ ..]) => Open::parse(json),
                        _ => None,
                    });
                }
            }
            Want::Payload
        });
        match first {
            None => {}
            Some(None) => self.role = Role::Over,
            Some(Some(open)) => {
                self.role = Role::Transport(open.sid.clone());
                self.engineio.apply(Event::Opened {
                    sid: open.sid,
                    transport: Transport::Websocket(self.tunnel),
                    revision: self.revision,
                    ping: open.ping,
                });
            }
        }
        if !matches!(self.role, Role::Provisional) && provisional {
            self.message = None;
        }
        if closed {
            self.over();
        }
    }

    /// The server's side of the connection has ended.
    pub(crate) fn server_closed(&mut self) {
        self.over();
    }

    fn over(&mut self) {
        let tunnel = self.tunnel;
        match std::mem::replace(&mut self.role, Role::Over) {
            Role::Provisional | Role::Over => {}
            Role::Candidate(sid) => self.engineio.apply(Event::CandidateDropped { sid, tunnel }),
            Role::Transport(sid) => self.engineio.apply(Event::TunnelClosed { sid, tunnel }),
        }
        self.message = None;
    }
}

impl Drop for TunnelTap {
    fn drop(&mut self) {
        self.over();
    }
}
