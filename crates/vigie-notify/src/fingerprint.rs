//! Alertmanager's fingerprints of alerts.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use vigie_alerts::fnv1a;
use vigie_promql::Labels;

/// The FNV-1a hash of an alert's labels, as Prometheus and Alertmanager compute it. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// Ends each name and each value.
const SEPARATOR: u8 = 0xff;

impl Fingerprint {
    /// The fingerprint of an alert with these labels.
    #[must_use]
    pub fn of(labels: &Labels) -> Self {
        let texts = labels.iter().flat_map(|(name, value)| [name, value]);
        let bytes = texts.flat_map(|text| text.bytes().chain([SEPARATOR]));
        Self(fnv1a(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 16 hexadecimal digits")]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(NoFingerprint)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_alertmanager() {
        for (labels, text) in [
            (
                Labels::new([("alertname", "M"), ("m", "1")]),
                "0c2b0c045c65057f",
            ),
            (
                Labels::new([("alertname", "A"), ("severity", "critical"), ("team", "x")]),
                "ce5307b8f67cdce4",
            ),
            (Labels::empty(), "cbf29ce484222325"),
        ] {
            let fingerprint = Fingerprint::of(&labels);
            assert_eq!(fingerprint.to_string(), text);
            assert_eq!(text.parse(), Ok(fingerprint));
        }
        for wrong in [
            "",
            "+c2b0c045c65057f",
            "0c2b0c045c65057",
            "0c2b0c045c65057ff",
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NoFingerprint));
        }
    }
}
