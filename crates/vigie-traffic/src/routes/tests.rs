//! The facade, the invariants on any input, and a hostile client. The measured workload is in `workload.rs`.

#![allow(clippy::unwrap_used)]

mod failing;
mod places;
mod saving;
mod workload;

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// Requests at the same time, with the answers of an app.
trait See {
    fn see(&self, method: &'static str, target: &str, status: u16, upgrade: bool) -> Route;
}

impl See for Routes {
    fn see(&self, method: &'static str, target: &str, status: u16, upgrade: bool) -> Route {
        let answer = match upgrade {
            true => Answer::Switched,
            false => Answer::Status(status),
        };
        self.resolve(method, target, answer, Duration::ZERO)
    }
}

fn routes(patterns: &[&str]) -> Routes {
    Routes::new(patterns, Limits::default()).unwrap()
}

/// As often as it takes to learn; the label of the last time.
fn visit(routes: &Routes, path: &str) -> String {
    for _ in 1..Limits::default().promote_after {
        routes.see("GET", path, 200, false);
    }
    routes.see("GET", path, 200, false).to_string()
}

/// The label, without teaching.
fn look(routes: &Routes, path: &str) -> String {
    routes.see("GET", path, 500, false).to_string()
}

#[test]
fn a_route_gets_its_label_with_the_fifth_answer() {
    let routes = routes(&[]);
    for _ in 0..4 {
        let route = routes.see("GET", "/api/users/42", 200, false);
        assert_eq!(route.folded(), Some("<other>"));
    }
    let route = routes.see("GET", "/api/users/7/?full=1", 302, false);
    assert_eq!((&*route, route.folded()), ("/api/users/:id", None));
    assert_eq!(visit(&routes, "/"), "/");
    assert_eq!(visit(&routes, "/api"), "/api");
    assert_eq!(routes.len(), 3);
}

#[test]
fn only_the_answers_of_handlers_teach() {
    let routes = routes(&[]);
    for (method, status, label) in [
        ("GET", 404, "<unmatched>"),
        ("GET", 400, "<other>"),
        ("GET", 414, "<other>"),
        ("GET", 429, "<other>"),
        ("GET", 499, "<other>"),
        ("OPTIONS", 204, "<other>"),
        ("OPTIONS", 500, "<other>"),
    ] {
        for _ in 0..10 {
            let route = routes.see(method, "/users", status, false);
            assert_eq!(&*route, label, "{method} {status}");
        }
    }
    for _ in 0..10 {
        // The gateway's own answers tell nothing about the app.
        let route = routes.resolve("GET", "/users", Answer::Own(502), Duration::ZERO);
        assert_eq!(&*route, "<other>");
    }
    assert_eq!(routes.state.read().learned.nodes(), 1);
    assert_eq!(routes.len(), 0);

    assert_eq!(visit(&routes, "/users"), "/users");
    for (method, status, upgrade) in [
        ("GET", 404, false),
        ("PUT", 405, false),
        ("GET", 499, false),
        ("GET", 500, false),
        ("GET", 101, true),
        ("OPTIONS", 204, false),
    ] {
        let route = routes.see(method, "/users", status, upgrade);
        assert_eq!(&*route, "/users", "{method} {status} {upgrade}");
    }
}

#[test]
fn configured_patterns_come_first_whatever_the_answer() {
    let routes = routes(&["GET /users/:name", "/files/*"]);
    for status in [200, 404, 405, 499, 500] {
        for (path, label) in [("/users/bob", "/users/:name"), ("/files/a/b", "/files/*")] {
            assert_eq!(&*routes.see("GET", path, status, false), label);
        }
    }
    assert_eq!(
        &*routes.see("PUT", "/users/bob", 405, false),
        "/users/:name"
    );
    assert_eq!(
        &*routes.see("OPTIONS", "/users/bob", 204, false),
        "/users/:name"
    );
    assert_eq!(&*routes.see("PUT", "/users/bob", 200, false), "<other>");
    assert_eq!(routes.len(), 2);
    assert!(routes.learned().is_empty());
}

#[test]
fn what_is_no_path_has_no_route() {
    let routes = routes(&["/*"]);
    assert_eq!(&*routes.see("OPTIONS", "*", 200, false), "<other>");
    assert_eq!(&*routes.see("GET", "", 404, false), "<unmatched>");
    assert_eq!(
        &*routes.see("CONNECT", "example.com:443", 200, false),
        "<other>"
    );
}

#[test]
fn names_below_a_node_fold_but_a_route_among_them_stays() {
    let routes = routes(&[]);
    for n in 0..200 {
        routes.see("GET", "/api/orders", 200, false);
        routes.see("GET", "/users/me", 200, false);
        routes.see("GET", &format!("/users/{}", word(n)), 200, false);
        routes.see("GET", &format!("/users/{}/posts", word(n)), 200, false);
        routes.see("GET", &format!("/api/{}/x", word(n)), 200, false);
    }
    assert_eq!(
        routes.learned(),
        [
            "/api/:any/x",
            "/api/orders",
            "/users/:any",
            "/users/:any/posts",
            "/users/me"
        ]
    );
    assert_eq!(
        look(&routes, "/users//posts"),
        "<other>",
        "no parameter is empty"
    );
    assert_eq!(look(&routes, "/users/somebody-new/posts"), "/users/*/posts");
    assert_eq!(
        look(&routes, "/users/42"),
        "/users/*",
        "one parameter, one label"
    );
    assert_eq!(&*routes.see("GET", "/users/gone", 404, false), "/users/*");
}

#[test]
fn slugs_join_the_ids_they_stand_beside() {
    let routes = routes(&[]);
    for n in 0..100 {
        routes.see("GET", &format!("/posts/{n}"), 200, false);
        routes.see("GET", &format!("/posts/{}", word(n)), 200, false);
    }
    assert_eq!(routes.learned(), ["/posts/:id"]);
    assert_eq!(look(&routes, "/posts/some-slug"), "/posts/:id");
}

#[test]
fn learned_routes_can_be_pasted_as_patterns() {
    let taught = routes(&[]);
    for n in 0..100 {
        taught.see("GET", "/", 200, false);
        taught.see("GET", "/items/17", 200, false);
        taught.see("GET", &format!("/shops/{}/items/{n}", word(n)), 200, false);
    }
    let patterns = taught.learned();
    assert_eq!(patterns, ["/", "/items/:id", "/shops/:any/items/:id"]);
    let configured = Routes::new(&patterns, Limits::default()).unwrap();
    assert_eq!(
        look(&configured, "/shops/corner/items/3"),
        "/shops/:any/items/:id"
    );
}

#[test]
fn long_and_deep_paths_stay_short_and_shallow() {
    let routes = routes(&[]);
    assert_eq!(
        visit(&routes, &format!("/a/{}", "x".repeat(4000))),
        "/a/:id"
    );
    assert_eq!(visit(&routes, &"/a".repeat(12)), "/a".repeat(12));
    assert_eq!(visit(&routes, &"/a".repeat(13)), "<other>");
    assert_eq!(visit(&routes, &"/".repeat(5000)), "<other>");
    assert_eq!(visit(&routes, "/a//b"), "<other>", "slashes are not merged");
}

#[test]
fn a_path_cannot_pass_for_a_template() {
    let routes = routes(&[]);
    for path in ["/:id", "/*", "/{id}", "/%3Aid", "/<other>"] {
        assert_eq!(visit(&routes, path), "/:id", "{path}");
    }
}

/// A name without digits, different for each number.
fn word(mut n: u64) -> String {
    let mut word = String::from("w");
    loop {
        word.push(char::from(b'g' + (n % 20) as u8));
        n /= 20;
        if n == 0 {
            return word;
        }
    }
}

#[test]
fn a_hostile_client_folds_only_itself() {
    let real = [
        "/",
        "/login",
        "/api/users/1",
        "/api/users/1/posts",
        "/api/orders",
        "/health",
    ];
    let learn = || {
        let routes = routes(&[]);
        for _ in 0..200 {
            for path in real {
                routes.see("GET", path, 200, false);
            }
        }
        routes
    };
    let attacks: [fn(u64) -> String; 6] = [
        |n| format!("/{}", word(n)),
        |n| format!("/api/{}", word(n)),
        |n| format!("/api/users/{}", word(n)),
        |n| {
            format!(
                "/{}/{}/{}/{}",
                word(n % 7),
                word(n % 11),
                word(n % 13),
                word(n)
            )
        },
        |n| format!("/{}", word(n / 7)), // often enough to earn labels
        |n| format!("/{}/{}/{}", word(n % 25), word(n / 6 % 25), word(n / 150)),
    ];
    for (number, attack) in attacks.iter().enumerate() {
        let routes = learn();
        let before = real.map(|path| look(&routes, path));
        let mut labels = HashSet::new();
        for n in 0..10_000 {
            labels.insert(routes.see("GET", &attack(n), 200, false));
            if n % 50 == 0 {
                assert!(routes.state.read().learned.nodes() <= 4_801);
            }
        }
        assert_eq!(
            real.map(|path| look(&routes, path)),
            before,
            "attack {number}"
        );
        assert!(labels.len() <= 201, "attack {number}: {}", labels.len());
        assert!(routes.len() <= 200, "attack {number}: {}", routes.len());
    }
}

#[test]
fn a_flood_at_the_root_does_not_keep_new_routes_from_being_learned() {
    let routes = routes(&[]);
    for n in 0..10_000 {
        routes.see("GET", &format!("/{}", word(n)), 200, false);
        if n % 3 == 0 {
            routes.see("GET", &format!("/api/late/{n}"), 200, false);
        }
    }
    assert_eq!(look(&routes, "/api/late/1"), "/api/late/:id");
    assert_eq!(routes.learned(), ["/api/late/:id"]);
}

#[test]
fn threads_agree_on_one_label() {
    let routes = routes(&[]);
    let labels: HashSet<String> = std::thread::scope(|scope| {
        let learners: Vec<_> = (0..4)
            .map(|thread| {
                let routes = &routes;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        routes.see("GET", &format!("/a/{}", word(n)), 200, false);
                        routes.see("GET", &format!("/b/{thread}/{n}"), 200, false);
                    }
                    [look(routes, "/a/x"), look(routes, "/b/1/2")]
                })
            })
            .collect();
        learners
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        labels,
        HashSet::from(["/a/*".to_owned(), "/b/:id/:id".to_owned()])
    );
}

#[derive(Clone, Debug)]
struct Request(&'static str, String, u16, bool);

fn request() -> impl Strategy<Value = Request> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..60);
    let garbage = bytes.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let segment = prop_oneof![
        4 => "[abc]{1,2}",
        1 => "[0-9]{1,3}",
        1 => "(:id|[*]|%4[0-9]|[{]x[}]|)",
    ];
    let path =
        proptest::collection::vec(segment, 0..6).prop_map(|all| format!("/{}", all.join("/")));
    let target =
        prop_oneof![4 => path, 1 => garbage.clone(), 1 => garbage.prop_map(|g| format!("/{g}"))];
    let method = prop::sample::select(vec!["GET", "POST", "HEAD", "OPTIONS", "_OTHER"]);
    let status = prop_oneof![6 => Just(200_u16), 1 => Just(404), 1 => Just(405), 1 => 0..600_u16];
    (method, target, status, prop::bool::weighted(0.1))
        .prop_map(|(method, target, status, upgrade)| Request(method, target, status, upgrade))
}

proptest! {
    #[test]
    fn whatever_comes_in_the_bounds_hold(
        requests in proptest::collection::vec(request(), 0..200),
        max_routes in 0..12_usize,
        promote_after in 0..4_u32,
        max_children in 0..5_usize,
        max_depth in 0..5_usize,
        established in 0..10_u32,
    ) {
        let limits = Limits { max_routes, promote_after, max_children, max_depth, established };
        let patterns = ["GET /a/:x", "/b/*"];
        let routes = Routes::new(&patterns, limits).unwrap();
        let twin = Routes::new(&patterns, limits).unwrap();
        // All at one time, so that no place changes hands more than once.
        let most = patterns.len() + max_routes + max_routes.div_ceil(8) + 2;
        let mut labels = HashSet::new();
        for Request(method, target, status, upgrade) in &requests {
            let route = routes.see(method, target, *status, *upgrade);
            // The same requests, the same labels.
            prop_assert_eq!(&route, &twin.see(method, target, *status, *upgrade));
            // A label, once there, is what the same request gets again.
            if route.folded().is_none() {
                prop_assert_eq!(&route, &routes.see(method, target, *status, *upgrade));
                twin.see(method, target, *status, *upgrade);
                prop_assert!(route.starts_with('/'));
            }
            labels.insert(route);
            prop_assert!(routes.state.read().learned.nodes() as usize <= limits.sane().max_nodes());
            prop_assert!(routes.len() <= most);
        }
        let known = labels.iter().filter(|route| route.folded().is_none()).count();
        prop_assert!(known <= most, "{:?}", labels);
        // What was learned is a valid configuration.
        prop_assert!(Routes::new(&routes.learned(), limits).is_ok());
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error_with_a_place(text in "\\PC{0,20}|(GET )?/[a:{}*/%?]{0,8}") {
        match Routes::new(&[&text], Limits::default()) {
            Ok(routes) => prop_assert_eq!(routes.len(), 1),
            Err(error) => {
                prop_assert!(error.at() <= text.len() && text.is_char_boundary(error.at()));
                prop_assert_eq!(error.index(), 0);
            }
        }
    }
}
