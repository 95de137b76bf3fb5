//! How often credentials may be tried: a few times at once, and then at a rate, for each client and for all together. A plain
//! value, driven by the time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// For one client: this many attempts at once, and one more after each period.
const CLIENT: Limit = Limit {
    burst: 5,
    period: Duration::from_secs(12),
};
/// For all together, so that many addresses do not help.
const ALL: Limit = Limit {
    burst: 60,
    period: Duration::from_secs(1),
};
/// The most clients that are remembered.
const CLIENTS: usize = 1_000;

#[derive(Clone, Copy)]
struct Limit {
    burst: u32,
    period: Duration,
}

/// Attempts at a limited rate, as the time at which all of them are available again.
#[derive(Clone, Copy)]
struct Bucket {
    full: Instant,
}

impl Bucket {
    /// The time to wait before another attempt; zero if one is available.
    fn wait(self, limit: Limit, now: Instant) -> Duration {
        let used = self.full.saturating_duration_since(now);
        (used + limit.period).saturating_sub(limit.period * limit.burst)
    }

    fn take(&mut self, limit: Limit, now: Instant) {
        self.full = self.full.max(now) + limit.period;
    }
}

/// The attempts of all clients.
pub(super) struct Attempts {
    all: Bucket,
    clients: HashMap<IpAddr, Bucket>,
}

impl Attempts {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            all: Bucket { full: now },
            clients: HashMap::new(),
        }
    }

    /// Takes an attempt of the client; the error is the time to wait.
    pub(super) fn take(&mut self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let client = network(client);
        let mut own = self.clients.get(&client).copied();
        let bucket = own.get_or_insert(Bucket { full: now });
        let wait = bucket.wait(CLIENT, now).max(self.all.wait(ALL, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        bucket.take(CLIENT, now);
        self.all.take(ALL, now);
        let bucket = *bucket;
        self.make_room(now);
        self.clients.insert(client, bucket);
        Ok(())
    }

    /// The client had the right credentials: it may try again at once.
    pub(super) fn forgive(&mut self, client: IpAddr) {
        self.clients.remove(&network(client));
    }

    fn make_room(&mut self, now: Instant) {
        if self.clients.len() < CLIENTS {
            return;
        }
        self.clients.retain(|_, bucket| bucket.full > now);
        if self.clients.len() >= CLIENTS {
            let earliest = self.clients.iter().min_by_key(|(_, bucket)| bucket.full);
            if let Some(client) = earliest.map(|(client, _)| *client) {
                self.clients.remove(&client);
            }
        }
    }
}

/// The address, or of IPv6 the network of 64 bits, all of which one machine may have.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(prefix.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_a_few_attempts_and_then_one_each_period() {
        let now = Instant::now();
        let mut attempts = Attempts::new(now);
        let client = address("192.0.2.1");
        for _ in 0..CLIENT.burst {
            attempts.take(client, now).unwrap();
        }
        assert_eq!(attempts.take(client, now), Err(CLIENT.period));
        // An IPv4 address in IPv6 is the same client; another one is not.
        assert!(attempts.take(address("::ffff:192.0.2.1"), now).is_err());
        attempts.take(address("192.0.2.2"), now).unwrap();
        let later = now + CLIENT.period;
        attempts.take(client, later).unwrap();
        assert_eq!(attempts.take(client, later), Err(CLIENT.period));
        attempts.forgive(client);
        attempts.take(client, later).unwrap();
    }

    #[test]
    fn many_addresses_do_not_help() {
        let now = Instant::now();
        let mut attempts = Attempts::new(now);
        let mut taken = 0;
        for number in 0..5_000_u128 {
            let client = IpAddr::V6((number << 64).into());
            taken += u32::from(attempts.take(client, now).is_ok());
        }
        assert_eq!(taken, ALL.burst);
        // The addresses of one network are one client.
        let mut attempts = Attempts::new(now);
        let taken =
            (0..100_u128).filter(|host| attempts.take(IpAddr::V6((*host).into()), now).is_ok());
        assert_eq!(taken.count() as u32, CLIENT.burst);
    }

    #[test]
    fn the_number_of_clients_that_are_remembered_is_bounded() {
        let now = Instant::now();
        let mut attempts = Attempts::new(now);
        for number in 0..3_000_u128 {
            let later = now + ALL.period * u32::try_from(number).unwrap();
            attempts
                .take(IpAddr::V6((number << 64).into()), later)
                .unwrap();
            assert!(attempts.clients.len() <= CLIENTS);
        }
    }
}
