//! The list of routes, and what survives a restart.

use super::*;

/// A day in short: values, folded names, a failing route, the root.
fn experienced(patterns: &[&str]) -> Routes {
    let routes = routes(patterns);
    for n in 0..200 {
        routes.see("GET", "/", 200, false);
        routes.see("GET", &format!("/items/{n}"), 200, false);
        routes.see("GET", &format!("/shops/{}/items/{n}", word(n)), 200, false);
        routes.see("GET", &format!("/users/{n}"), 200, false);
        routes.see("GET", &format!("/users/{}", word(n)), 200, false);
        routes.see("POST", "/reports", 500, false);
        routes.see(
            "GET",
            &format!("/files/{}/lost.txt", word(n % 3)),
            429,
            false,
        );
    }
    routes
}

fn restarted(routes: &Routes, patterns: &[&str], limits: Limits) -> Routes {
    let text = routes.save(Vec::new()).encode();
    let restarted = Routes::new(patterns, limits).unwrap();
    let saved = Saved::decode(text.as_bytes()).unwrap();
    restarted.restore(&saved, Duration::ZERO);
    restarted
}

#[test]
fn the_list_has_every_route_with_its_origin_and_can_be_pasted() {
    let patterns = [
        "GET /orders/:id",
        "PUT /orders/:id",
        "/static/*",
        "GET /items/:id",
    ];
    let routes = experienced(&patterns);
    for n in 0..10 {
        routes.see("DELETE", &format!("/items/{n}"), 204, false);
    }
    let requests = [
        (("GET", "/orders/:id"), 3),
        (("HEAD", "/orders/:id"), 4),
        (("PUT", "/orders/:id"), 5),
        (("GET", "/items/:id"), 200),
        (("GET", "/shops/*/items/:id"), 195),
        (("POST", "/reports"), 196),
        (("GET", "<other>"), 1_000),
    ];
    let requests = requests.map(|((method, label), n)| ((method.to_owned(), label.to_owned()), n));
    let list = routes.list(&Requests::from(requests));
    let listed: Vec<_> = list.routes.iter().collect();
    let listed: Vec<_> = listed
        .iter()
        .map(|route| (&*route.pattern, route.origin.name(), route.requests))
        .collect();
    assert_eq!(
        listed,
        [
            ("GET /orders/:id", "configured", 7),
            ("PUT /orders/:id", "configured", 5),
            ("/static/*", "configured", 0),
            ("GET /items/:id", "configured", 200),
            ("/", "learned", 0),
            ("/items/:id", "learned", 200),
            ("/shops/:any/items/:id", "learned", 195),
            ("/users/:id", "learned", 0),
            ("/reports", "failing", 196),
        ]
    );
    let folded = &list.folded[0];
    assert_eq!(
        (&*folded.template, folded.method, folded.code),
        ("/files/wg/lost.txt", "GET", 429)
    );
    assert_eq!((folded.at_least, folded.at_most), (67, 67));

    // Pasted, the same requests have a route.
    let pasted: Vec<_> = list.routes.iter().map(|route| &*route.pattern).collect();
    let pasted = self::routes(&pasted);
    for (method, path) in [
        ("GET", "/orders/7"),
        ("PUT", "/orders/7"),
        ("GET", "/static/a/b"),
        ("DELETE", "/items/7"),
        ("GET", "/shops/corner/items/7"),
        ("POST", "/reports"),
    ] {
        let route = pasted.see(method, path, 500, false);
        assert_eq!(route.folded(), None, "{method} {path}");
    }
    let again = pasted.list(&Requests::new());
    assert!(
        again
            .routes
            .iter()
            .all(|route| route.origin == RouteOrigin::Configured)
    );
    assert_eq!(again.routes.len(), list.routes.len());
}

#[test]
fn routes_are_known_at_once_after_a_restart() {
    let before = experienced(&[]);
    let after = restarted(&before, &[], Limits::default());
    assert_eq!(
        after.list(&Requests::new()).routes,
        before.list(&Requests::new()).routes
    );
    for path in [
        "/",
        "/items/7",
        "/shops/new-one/items/7",
        "/users/new-one",
        "/reports",
    ] {
        assert_eq!(look(&after, path), look(&before, path), "{path}");
        assert_ne!(look(&after, path), "<other>", "{path}");
    }
    // It goes on as it would have without the restart.
    for routes in [&before, &after] {
        visit(routes, "/shops/another/owners");
        visit(routes, "/users/me/friends");
    }
    assert_eq!(after.learned(), before.learned());
    assert_eq!(after.save(Vec::new()), before.save(Vec::new()));
}

#[test]
fn with_fewer_places_the_routes_with_the_most_requests_come_back() {
    let before = routes(&[]);
    for n in 0..20_u64 {
        for _ in 0..5 + n {
            before.see("GET", &format!("/{}", word(n)), 200, false);
        }
    }
    let limits = Limits {
        max_routes: 5,
        ..Limits::default()
    };
    let after = restarted(&before, &[], limits);
    assert_eq!(after.len(), 5);
    for n in 15..20 {
        let path = format!("/{}", word(n));
        assert_eq!(look(&after, &path), path);
    }
}

#[test]
fn a_restored_route_that_is_configured_now_is_listed_once() {
    let before = experienced(&[]);
    let after = restarted(
        &before,
        &["/items/:item", "/shops/:shop/items/:item"],
        Limits::default(),
    );
    let list = after.list(&Requests::new());
    let pasted: Vec<_> = list.routes.iter().map(|route| &*route.pattern).collect();
    assert!(
        Routes::new(&pasted, Limits::default()).is_ok(),
        "{pasted:?}"
    );
    assert_eq!(look(&after, "/items/7"), "/items/:item");
}

proptest! {
    #[test]
    fn any_saved_state_can_be_restored_within_the_bounds(
        requests in proptest::collection::vec(request(), 0..200),
        max_routes in 0..12_usize,
        max_children in 0..5_usize,
        max_depth in 0..5_usize,
    ) {
        let before = routes(&["/b/*"]);
        for Request(method, target, status, upgrade) in &requests {
            before.see(method, target, *status, *upgrade);
        }
        let limits = Limits { max_routes, max_children, max_depth, ..Limits::default() };
        let after = restarted(&before, &["GET /a/:x"], limits);
        prop_assert!(after.len() <= 1 + max_routes + max_routes.div_ceil(8));
        prop_assert!(after.state.read().learned.nodes() as usize <= limits.sane().max_nodes());
        for Request(method, target, status, upgrade) in &requests {
            after.see(method, target, *status, *upgrade);
        }
        let list = after.list(&Requests::new());
        let pasted: Vec<_> = list.routes.iter().map(|route| &*route.pattern).collect();
        prop_assert!(Routes::new(&pasted, limits).is_ok(), "{:?}", pasted);
    }
}
