//! The WebSocket behind a 101: what it means for a session.

use std::time::Duration;

use super::EngineIo;
use super::frames::{Frames, Piece, Want};
use super::message::Message;
use super::open::{self, Open};
use super::query::{Query, Revision};
use super::sessions::{Event, Sid, Transport, TunnelId};
use super::taps::Trial;

/// Reads an upgraded connection. Its owner reports its end; dropping it changes nothing.
pub(crate) struct TunnelTap {
    engineio: EngineIo,
    revision: Revision,
    began: Duration,
    tunnel: TunnelId,
    /// The path on which the request must prove to be a handshake, if it is not known for Engine.IO.
    trial: Option<Box<Trial>>,
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

#[expect(clippy::wrong_self_convention, reason = "the direction of the bytes")]
impl TunnelTap {
    pub(super) fn new(
        engineio: EngineIo,
        query: Query,
        began: Duration,
        at: Duration,
        trial: Option<Box<Trial>>,
    ) -> Self {
        let tunnel = engineio.next_tunnel();
        let (role, message) = match query.sid {
            None => (Role::Provisional, open::MAX_BYTES + 1),
            Some(sid) => {
                let event = Event::Candidate {
                    sid: sid.clone(),
                    tunnel,
                };
                engineio.apply(at, event);
                (Role::Candidate(sid), MAX_PROBE)
            }
        };
        Self {
            engineio,
            revision: query.revision,
            began,
            tunnel,
            trial,
            role,
            client: Frames::new(Want::Headers),
            server: Frames::new(Want::Headers),
            message: Some(Box::new(Message::new(message))),
        }
    }

    /// Bytes from the client.
    pub(crate) fn from_client(&mut self, at: Duration, bytes: &[u8]) {
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
                Piece::Missing => None,
            };
            Want::Payload
        });
        match verdict {
            None => {}
            Some(true) => {
                let sid = sid.clone();
                let upgraded = Event::Upgraded {
                    sid: sid.clone(),
                    tunnel: self.tunnel,
                    revision: self.revision,
                    began: self.began,
                };
                self.engineio.apply(at, upgraded);
                self.role = Role::Transport(sid);
                self.message = None;
            }
            Some(false) => self.end(at),
        }
    }

    /// Missing bytes from the client.
    pub(crate) fn client_gap(&mut self, at: Duration, missing: u64) {
        if let Role::Candidate(_) = self.role {
            let mut is_read = true;
            let skipped = self.client.skip(missing, |piece| {
                is_read &= piece != Piece::Missing;
                Want::Payload
            });
            if !skipped || !is_read {
                self.abandon(at);
            }
        }
    }

    /// Bytes from the app.
    pub(crate) fn from_server(&mut self, at: Duration, bytes: &[u8]) {
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
                (Piece::Missing, Some(_)) => {}
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
            Some(Some(open)) if self.trial.as_ref().is_none_or(|trial| trial.accepts(&open)) => {
                if let Some(trial) = self.trial.take() {
                    trial.learn(&self.engineio);
                }
                self.role = Role::Transport(open.sid.clone());
                let opened = Event::Opened {
                    sid: open.sid,
                    transport: Transport::Websocket(self.tunnel),
                    revision: self.revision,
                    ping: open.ping,
                };
                self.engineio.apply(at, opened);
            }
            Some(Some(_)) => self.role = Role::Over,
        }
        if !matches!(self.role, Role::Provisional) && provisional {
            self.message = None;
        }
        if closed {
            self.end(at);
        }
    }

    /// Missing bytes from the app.
    pub(crate) fn server_gap(&mut self, at: Duration, missing: u64) {
        if let Role::Over = self.role {
            return;
        }
        let mut is_read = true;
        let want = match self.role {
            Role::Provisional => Want::Payload,
            _ => Want::Headers,
        };
        let skipped = self.server.skip(missing, |piece| {
            is_read &= piece != Piece::Missing;
            want
        });
        if !skipped || !is_read {
            self.abandon(at);
        }
    }

    /// Whether the connection may still prove to belong to Engine.IO: the app's first message is not complete.
    #[must_use]
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self.role, Role::Provisional)
    }

    /// Whether the connection belongs to Engine.IO: to its path, or to a session.
    #[must_use]
    pub(crate) fn is_engine_io(&self) -> bool {
        self.trial.is_none()
    }

    /// The app's side of the connection has ended, or both have.
    pub(crate) fn end(&mut self, at: Duration) {
        let tunnel = self.tunnel;
        let event = match std::mem::replace(&mut self.role, Role::Over) {
            Role::Provisional | Role::Over => None,
            Role::Candidate(sid) => Some(Event::CandidateDropped { sid, tunnel }),
            Role::Transport(sid) => Some(Event::TunnelClosed { sid, tunnel }),
        };
        self.over(at, event);
    }

    /// Bytes are missing, so the state of the session is unknown.
    pub(crate) fn abandon(&mut self, at: Duration) {
        let tunnel = self.tunnel;
        let event = match std::mem::replace(&mut self.role, Role::Over) {
            Role::Provisional | Role::Over => None,
            Role::Candidate(sid) | Role::Transport(sid) => Some(Event::TunnelLost { sid, tunnel }),
        };
        self.over(at, event);
    }

    fn over(&mut self, at: Duration, event: Option<Event>) {
        if let Some(event) = event {
            self.engineio.apply(at, event);
        }
        self.message = None;
    }
}
