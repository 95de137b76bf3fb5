//! The clients that scrape `/metrics` regularly, and the last scrape of each.

use std::net::IpAddr;

use vigie_metrics::{Epoch, Scrape};

/// The number of clients kept; beyond it the least recently seen is dropped.
const MOST: usize = 32;
/// The maximum length of a stored `User-Agent`; longer ones are truncated.
const LONGEST_AGENT: usize = 128;

/// A client, as identified by its requests. Clients with the same address and `User-Agent` count as one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Client {
    address: Option<IpAddr>,
    agent: String,
}

impl Client {
    pub(super) fn new(address: Option<IpAddr>, agent: &str) -> Self {
        Self {
            address: address.map(|address| address.to_canonical()),
            agent: agent[..agent.floor_char_boundary(LONGEST_AGENT)].to_owned(),
        }
    }
}

/// The clients, least recently seen first.
#[derive(Default)]
pub(super) struct Scrapers {
    known: Vec<(Client, Epoch)>,
    /// Whether a client was dropped: an unknown client may then have scraped before.
    has_dropped: bool,
}

impl Scrapers {
    /// Records the scrape `epoch` of a client. `is_recent_start`: the process started a short time ago. The first
    /// scrape of a client then includes a 0 for every counter, because it may have scraped the previous process and
    /// must see the reset.
    pub(super) fn scrape(&mut self, client: Client, epoch: Epoch, is_recent_start: bool) -> Scrape {
        let known = self.known.iter().position(|(known, _)| *known == client);
        let zero_since = match known {
            Some(at) => self.known.remove(at).1,
            None if is_recent_start && !self.has_dropped => Epoch::START,
            None => epoch,
        };
        if self.known.len() == MOST {
            self.known.remove(0);
            self.has_dropped = true;
        }
        self.known.push((client, epoch));
        Scrape { epoch, zero_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_metrics::Registry;

    fn client(n: u8) -> Client {
        Client::new(Some([10, 0, 0, n].into()), "Prometheus/2.42.0")
    }

    #[test]
    fn a_client_is_compared_with_its_own_last_scrape() {
        let registry = Registry::new();
        let mut scrapers = Scrapers::default();
        let [a, b, c, d] = [(); 4].map(|()| registry.begin_scrape());
        assert_eq!(scrapers.scrape(client(1), a, true).zero_since, Epoch::START);
        assert_eq!(scrapers.scrape(client(2), b, false).zero_since, b);
        assert_eq!(scrapers.scrape(client(1), c, true).zero_since, a);
        let mapped = Client::new("::ffff:10.0.0.2".parse().ok(), "Prometheus/2.42.0");
        assert_eq!(scrapers.scrape(mapped, d, true).zero_since, b);
    }

    #[test]
    fn the_least_recently_seen_is_forgotten_and_gets_true_values() {
        let registry = Registry::new();
        let mut scrapers = Scrapers::default();
        let last: Vec<_> = (0..=MOST as u8)
            .map(|n| {
                let epoch = registry.begin_scrape();
                scrapers.scrape(client(n), epoch, true);
                epoch
            })
            .collect();
        assert_eq!(scrapers.known.len(), MOST);
        let epoch = registry.begin_scrape();
        assert_eq!(
            scrapers.scrape(client(MOST as u8), epoch, true).zero_since,
            last[MOST]
        );
        let epoch = registry.begin_scrape();
        assert_eq!(scrapers.scrape(client(0), epoch, true).zero_since, epoch);
    }
}
