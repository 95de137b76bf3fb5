//! Whether packets can be captured, and what they contain.

use std::time::Duration;

use tokio::time::Instant;
use vigie_capture::{Look, Protocol, RingError, Settings};

use super::listeners::Listeners;
use super::{Row, Verdict, on_a_thread};

/// How long packets are captured.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn capture(settings: &Settings, limit: Duration) -> Row {
    let start = Instant::now();
    let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
    let looked = settings.clone();
    let advice = "is the machine very busy?";
    let look = on_a_thread(LOOK + limit, advice, move || {
        let look = vigie_capture::look(&looked, LOOK).map_err(|error| problem(&error))?;
        let ports: Vec<_> = looked.listen.iter().map(|listen| listen.port).collect();
        let silence = match look.packets {
            0 => Listeners::read().and_then(|found| found.explain_silence(&ports)),
            _ => None,
        };
        Ok((look, silence))
    });
    let (verdict, warns) = match look.await {
        // The app may be in another network namespace, whose packets pass here.
        Ok((_, Some(silence))) => (Err(silence), true),
        Ok((look, None)) => (verdict(&look), false),
        Err(failed) => (Err(failed), false),
    };
    Row {
        what: "capture",
        place: listen.join(", "),
        verdict,
        warns,
        took: start.elapsed(),
    }
}

fn problem(error: &RingError) -> (String, String) {
    let advice = match error {
        RingError::NotPermitted => vigie_capture::GRANTS,
        RingError::NoInterface(_) => "see `ip link` for the names of the interfaces",
        RingError::Failed { .. } => "see docs/capture.md",
    };
    (error.to_string(), advice.to_owned())
}

fn verdict(look: &Look) -> Verdict {
    let number = |protocol: Protocol| look.connections[protocol as usize];
    let unreadable = [
        (Protocol::Tls, "TLS"),
        (Protocol::Http2, "HTTP/2 without TLS"),
    ];
    let mut unreadable = unreadable.into_iter();
    let unreadable = unreadable.find(|(protocol, _)| number(*protocol) > 0);
    let Look {
        packets,
        dropped,
        responses,
        ..
    } = look;
    match unreadable {
        Some((_, name)) if *responses == 0 => {
            let advice = "capture where the app receives HTTP/1 without TLS: behind the proxy that ends TLS, often on `lo`";
            Err((format!("the port speaks {name}"), advice.to_owned()))
        }
        _ if *packets == 0 => {
            Ok("can capture; no packet in a second, perhaps for lack of requests".to_owned())
        }
        _ => {
            let unread = unreadable.map_or_else(String::new, |(protocol, name)| {
                let number = number(protocol);
                format!("; {number} connections speak {name}, which cannot be read")
            });
            Ok(format!(
                "can capture: {packets} packets ({dropped} dropped), {responses} responses in a second{unread}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn look(packets: u64, connections: [usize; 6]) -> Look {
        let is_readable = connections[Protocol::Http1 as usize] > 0;
        Look {
            packets,
            dropped: 0,
            responses: if is_readable { packets / 2 } else { 0 },
            connections,
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let tls = verdict(&look(9, [0, 0, 0, 1, 0, 0]));
        assert_eq!(tls.unwrap_err().0, "the port speaks TLS");
        let http2 = verdict(&look(9, [0, 0, 0, 0, 1, 0]));
        assert_eq!(http2.unwrap_err().0, "the port speaks HTTP/2 without TLS");
        let seen = verdict(&look(8, [0, 3, 0, 0, 0, 0])).unwrap();
        assert_eq!(
            seen,
            "can capture: 8 packets (0 dropped), 4 responses in a second"
        );
        // A client that takes the port for another one.
        let mixed = verdict(&look(8, [0, 3, 0, 1, 0, 0])).unwrap();
        assert!(mixed.ends_with("; 1 connections speak TLS, which cannot be read"));
        assert!(verdict(&look(0, [0; 6])).unwrap().contains("no packet"));
    }

    #[test]
    fn the_missing_capability_is_named_with_the_lines_that_grant_it() {
        let (problem, advice) = problem(&RingError::NotPermitted);
        assert!(problem.contains("CAP_NET_RAW"), "{problem}");
        for line in [
            "setcap",
            "AmbientCapabilities=CAP_NET_RAW",
            "--cap-add",
            "[NET_RAW]",
        ] {
            assert!(advice.contains(line), "{line}");
        }
    }
}
