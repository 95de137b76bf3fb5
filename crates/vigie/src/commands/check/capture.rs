//! Whether packets can be captured, and what they contain.

use std::time::Duration;

use tokio::time::Instant;
use vigie_capture::{Look, Protocol, RingError, Settings};

use super::{Row, Verdict, on_a_thread};

/// How long packets are captured.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn capture(settings: &Settings, limit: Duration) -> Row {
    let start = Instant::now();
    let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
    let looked = settings.clone();
    let advice = "is the machine very busy?";
    let look = on_a_thread(LOOK + limit, advice, move || {
        vigie_capture::look(&looked, LOOK).map_err(|error| problem(&error))
    });
    let verdict = look.await.and_then(|look| verdict(&look));
    Row {
        what: "capture",
        place: listen.join(", "),
        verdict,
        warns: false,
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
    if let Some((_, name)) = unreadable
        .into_iter()
        .find(|(protocol, _)| number(*protocol) > 0)
    {
        let advice = "capture where the app receives HTTP/1 without TLS: behind the proxy that ends TLS, often on `lo`";
        return Err((format!("the port speaks {name}"), advice.to_owned()));
    }
    let Look {
        packets,
        dropped,
        responses,
        ..
    } = look;
    Ok(match packets {
        0 => "can capture; no packet in a second, perhaps for lack of requests".to_owned(),
        _ => format!(
            "can capture: {packets} packets ({dropped} dropped), {responses} responses in a second"
        ),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn look(packets: u64, connections: [usize; 6]) -> Look {
        Look {
            packets,
            dropped: 0,
            responses: packets / 2,
            connections,
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let tls = verdict(&look(9, [0, 3, 0, 1, 0, 0]));
        assert_eq!(tls.unwrap_err().0, "the port speaks TLS");
        let http2 = verdict(&look(9, [0, 0, 0, 0, 1, 0]));
        assert_eq!(http2.unwrap_err().0, "the port speaks HTTP/2 without TLS");
        let seen = verdict(&look(8, [0, 3, 0, 0, 0, 0])).unwrap();
        assert_eq!(
            seen,
            "can capture: 8 packets (0 dropped), 4 responses in a second"
        );
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
