//! Routes that only fail, rare routes, and scanners.

use super::*;

#[test]
fn a_route_that_only_fails_gets_its_label_with_the_fifth_failure() {
    for answer in [
        Answer::Status(500),
        Answer::Status(503),
        Answer::Missing(502),
        Answer::Missing(504),
        Answer::Status(401),
        Answer::Status(403),
        Answer::Status(405),
        Answer::Status(409),
        Answer::Status(422),
    ] {
        let routes = routes(&[]);
        for n in 0..4 {
            let path = format!("/api/reports/{n}");
            let route = routes.resolve("GET", &path, answer, Duration::ZERO);
            assert!(route.folded().is_some(), "{answer:?}");
        }
        for method in ["GET", "POST"] {
            let route = routes.resolve(method, "/api/reports/9", answer, Duration::ZERO);
            assert_eq!(&*route, "/api/reports/:id", "{answer:?}");
        }
        // Any answer counts under a label that exists, as does the first success.
        for status in [404, 429, 200] {
            let route = routes.see("GET", "/api/reports/9", status, false);
            assert_eq!(&*route, "/api/reports/:id", "{answer:?} {status}");
        }
        // Once it has succeeded often enough, it needs no place for failing routes any more.
        visit(&routes, "/api/reports/9");
        assert_eq!(routes.len(), 1);
        assert_eq!(routes.state.read().failing.len(), 0);
    }
}

#[test]
fn rare_changes_and_web_sockets_get_a_label_with_the_second_success() {
    for (method, status, upgrade) in [
        ("POST", 201, false),
        ("PUT", 204, false),
        ("PATCH", 200, false),
        ("DELETE", 303, false),
        ("GET", 101, true),
    ] {
        let routes = routes(&[]);
        let first = routes.see(method, "/admin/reindex", status, upgrade);
        assert_eq!(&*first, "<other>", "{method}");
        let second = routes.see(method, "/admin/reindex", status, upgrade);
        assert_eq!(&*second, "/admin/reindex", "{method}");
    }
}

#[test]
fn a_failure_that_every_path_gets_proves_nothing() {
    // Authentication, maintenance or a method filter in front of the router.
    for status in [401, 403, 405, 500, 503] {
        let routes = routes(&[]);
        for n in 0..5_000 {
            routes.see(
                "GET",
                &format!("/{}/{}", word(n % 70), word(n)),
                status,
                false,
            );
        }
        for _ in 0..20 {
            routes.see("GET", "/wp-login.php", status, false);
        }
        assert_eq!(
            routes.len(),
            0,
            "{status}: {:?}",
            routes.state.read().failing
        );
        // Hours later the scan is over.
        let later = Duration::from_secs(24 * 3600);
        for hour in 1..24_u64 {
            let now = Duration::from_secs(hour * 3600);
            routes.resolve("GET", "/api/broken", Answer::Status(status), now);
        }
        let route = routes.resolve("GET", "/api/broken", Answer::Status(status), later);
        assert_eq!(&*route, "/api/broken", "{status}");
    }
}

#[test]
fn successful_routes_keep_their_places_whatever_fails() {
    let routes = routes(&[]);
    for n in 0..150 {
        visit(&routes, &format!("/{}", word(n)));
    }
    let before = routes.learned();
    for n in 0..60_u64 {
        for minute in [0, 20, 40] {
            let now = Duration::from_secs((n * 60 + minute) * 60);
            for _ in 0..10 {
                let path = format!("/broken/{}", word(n));
                routes.resolve("GET", &path, Answer::Status(500), now);
            }
        }
    }
    assert_eq!(routes.learned(), before);
    assert_eq!(routes.state.read().failing.len(), 25);
    // Recent ones took the places of old ones.
    assert_eq!(
        look(&routes, &format!("/broken/{}", word(59))),
        format!("/broken/{}", word(59))
    );
}

#[test]
fn values_alone_are_not_a_name() {
    let routes = routes(&[]);
    for n in 0..100 {
        routes.see("GET", &format!("/{n}/{n}"), 500, false);
        routes.see("GET", "/", 500, false);
    }
    assert_eq!(look(&routes, "/7/7"), "<other>");
    assert_eq!(look(&routes, "/"), "/");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A scanner asks for 5,000 random paths with random methods. In front of the router something may answer, with any
    /// code; the app's fallback answers 404.
    #[test]
    fn a_scanner_leaves_a_handful_of_labels(
        seed in any::<u64>(),
        refusal in prop::sample::select(vec![400, 401, 403, 404, 405, 414, 429, 500, 503]),
        share in 0..=4_u64,
    ) {
        const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "_OTHER"];
        const PREFIXES: [&str; 6] = ["", "/api", "/admin", "/wp-content/plugins", "/api/v1/users/7", "/.git"];
        const SUFFIXES: [&str; 5] = ["", ".php", ".env", "/config.json", "/..%2f..%2fetc/passwd"];
        let routes = routes(&[]);
        for path in ["/api/orders", "/api/v1/users/7"] {
            visit(&routes, path);
        }
        let mut state = seed;
        let mut dice = |sides: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % sides
        };
        let mut labels = HashSet::new();
        for _ in 0..5_000 {
            let method = METHODS[dice(6) as usize];
            let prefix = PREFIXES[dice(6) as usize];
            let path = format!("{prefix}/{}{}", word(dice(3_000)), SUFFIXES[dice(5) as usize]);
            let status = if dice(4) < share { refusal } else { 404 };
            labels.insert(routes.see(method, &path, status, false));
        }
        prop_assert!(routes.len() <= 7, "{:?}", labels);
    }
}
