//! A day of an app, made of dice: 40 templates, 12 kinds of identifiers, scanners, links that lead nowhere.

use std::collections::HashMap;

use super::*;

/// What the app has, with the share of requests; a word in braces is a kind of identifier.
const TEMPLATES: [(&str, u64); 40] = [
    ("/", 6),
    ("/healthcheck", 4),
    ("/login", 4),
    ("/logout", 2),
    ("/favicon.ico", 2),
    ("/api/v1/users", 4),
    ("/api/v1/users/{int}", 8),
    ("/api/v1/users/{int}/orders", 6),
    ("/api/v1/users/{int}/orders/{uuid}", 5),
    ("/api/v1/users/{int}/avatar", 3),
    ("/api/v1/orders", 4),
    ("/api/v1/orders/{uuid}", 8),
    ("/api/v1/orders/{uuid}/items/{int}", 4),
    ("/api/v1/orders/{uuid}/cancel", 1),
    ("/api/v1/products", 6),
    ("/api/v1/products/{slug}", 9),
    ("/api/v1/products/{slug}/reviews", 4),
    ("/api/v1/products/{slug}/reviews/{ulid}", 2),
    ("/api/v1/categories", 2),
    ("/api/v1/search", 6),
    ("/api/v1/carts/{cuid}", 6),
    ("/api/v1/carts/{cuid}/items", 4),
    ("/api/v1/carts/{cuid}/items/{nanoid}", 3),
    ("/api/v1/sessions/{hex}", 4),
    ("/api/v1/invites/{base64url}", 2),
    ("/api/v1/contacts/{email}", 2),
    ("/api/v1/reports/{date}", 2),
    ("/api/v1/reports/{date}/summary", 1),
    ("/api/v1/files/{percent}", 2),
    ("/api/v2/events", 4),
    ("/api/v2/events/{ulid}", 4),
    ("/api/v2/rooms/{nanoid}/messages", 6),
    ("/api/v2/rooms/{nanoid}/messages/{ulid}", 3),
    ("/profiles/{user}", 6),
    ("/profiles/{user}/followers", 3),
    ("/profiles/me", 3),
    ("/blog/{slug}", 4),
    ("/blog/archive", 1),
    ("/short/{base64url}", 3),
    ("/admin/jobs/{hex}/retry", 1),
];

/// The dice (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Small numbers far more often than large ones, as popular things are.
    fn popular(&mut self, sides: u64) -> u64 {
        let bound = 1 + self.roll(sides);
        self.roll(bound)
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let letter = |_| char::from(alphabet[self.roll(alphabet.len() as u64) as usize]);
        (0..length).map(letter).collect()
    }

    fn identifier(&mut self, kind: &str) -> String {
        const LOWER: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        const HEX: &[u8] = b"0123456789abcdef";
        const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        const URL: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
        match kind {
            "int" => self.roll(1_000_000).to_string(),
            "uuid" => [8, 4, 4, 4, 12]
                .map(|length| self.text(HEX, length))
                .join("-"),
            "hex" => self.text(HEX, 24),
            "ulid" => format!("01{}", self.text(CROCKFORD, 24)),
            "cuid" => format!("c{}", self.text(LOWER, 24)),
            "nanoid" => self.text(URL, 21),
            "email" => format!("{}@example.com", self.name(5_000)),
            "slug" => {
                let (first, second) = (self.name(40), self.name(60));
                match self.roll(4) {
                    0 => format!("{first}-{second}-{}", 1 + self.roll(99)),
                    _ => format!("{first}-{second}"),
                }
            }
            "user" => self.name(5_000),
            "date" => {
                let (month, day) = (1 + self.roll(12), 1 + self.roll(28));
                format!("2024-{month:02}-{day:02}")
            }
            "percent" => format!("{}%20{}.pdf", self.name(500), self.name(500)),
            "base64url" => self.text(URL, 16),
            other => panic!("no such kind: {other}"),
        }
    }

    fn name(&mut self, names: u64) -> String {
        word(self.popular(names))
    }

    fn fill(&mut self, template: &str) -> String {
        let fill = |segment: &str| match segment.strip_prefix('{') {
            Some(kind) => self.identifier(kind.trim_end_matches('}')),
            None => segment.to_owned(),
        };
        template.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    fn template(&mut self) -> &'static str {
        let mut left = self.roll(TEMPLATES.iter().map(|(_, share)| share).sum());
        for (template, share) in TEMPLATES {
            if left < share {
                return template;
            }
            left -= share;
        }
        unreachable!("the shares sum up to the sides of the dice")
    }

    /// Template (a scanner has none), path and status of the next request.
    fn request(&mut self) -> (&'static str, String, u16) {
        match self.roll(100) {
            0..5 => {
                let (depth, tail) = (self.roll(3), self.roll(100_000));
                let below: String = (0..depth)
                    .map(|_| format!("/{}", word(self.roll(500))))
                    .collect();
                let base = ["", "/api", "/api/v1", "/wp-admin", "/admin"][self.roll(5) as usize];
                (
                    "<unmatched>",
                    format!("{base}{below}/{}.php", word(tail)),
                    404,
                )
            }
            5..8 => {
                let template = loop {
                    let template = self.template();
                    if template.contains('{') {
                        break template;
                    }
                };
                (template, self.fill(template), 404)
            }
            roll => {
                let template = self.template();
                let status = match roll {
                    8 => 500,
                    9 => 499,
                    10..14 => 304,
                    _ => 200,
                };
                (template, self.fill(template), status)
            }
        }
    }
}

/// How a run went: labels seen in all, and the share of requests of the second half whose label and template belong
/// to each other and to no one else.
fn run(routes: &Routes, seed: u64) -> (usize, f64) {
    const REQUESTS: usize = 200_000;
    let mut dice = Dice(seed);
    let mut labels = HashSet::new();
    let mut pairs: HashMap<(&str, String), usize> = HashMap::new();
    for number in 0..REQUESTS {
        let (template, path, status) = dice.request();
        let label = routes.see("GET", &path, status, false);
        labels.insert(label.to_string());
        if number >= REQUESTS / 2 {
            *pairs.entry((template, label.to_string())).or_default() += 1;
        }
    }
    let most = |same: &dyn Fn(&(&str, String)) -> bool| {
        pairs
            .iter()
            .filter(|(pair, _)| same(pair))
            .map(|(_, count)| *count)
            .max()
    };
    let own: usize = pairs
        .iter()
        .filter(|((template, label), count)| {
            most(&|pair| pair.0 == *template) == Some(**count)
                && most(&|pair| pair.1 == *label) == Some(**count)
        })
        .map(|(_, count)| count)
        .sum();
    (labels.len(), own as f64 / (REQUESTS / 2) as f64)
}

#[test]
fn requests_find_their_own_template_and_labels_stay_few() {
    for seed in 1..=2 {
        let routes = routes(&[]);
        let (labels, own) = run(&routes, seed);
        assert!(
            labels <= 50,
            "seed {seed}: {labels} labels: {:?}",
            routes.learned()
        );
        assert!(
            own >= 0.96,
            "seed {seed}: {own} under their own template: {:?}",
            routes.learned()
        );
        assert!(routes.len() <= labels);
    }
}

#[test]
fn with_configured_patterns_every_request_does() {
    let patterns = TEMPLATES.map(|(template, _)| template);
    let (labels, own) = run(&routes(&patterns), 1);
    assert_eq!((labels, own), (41, 1.0));
}

#[test]
fn what_was_learned_survives_a_hostile_client() {
    let routes = routes(&[]);
    run(&routes, 1);
    let before = routes.learned();
    for n in 0..10_000 {
        let path = match n % 3 {
            0 => format!("/{}", word(n)),
            1 => format!("/api/{}", word(n)),
            _ => format!("/api/v1/{}/{}", word(n), word(n / 5)),
        };
        routes.see("GET", &path, 200, false);
    }
    let after = routes.learned();
    let lost: Vec<_> = before
        .iter()
        .filter(|route| !after.contains(route))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(routes.len() <= 200);
}
