//! Which routes get a place when there are more routes than places.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn get(routes: &Routes, path: &str, times: u32, now: Duration) -> String {
    for _ in 1..times {
        routes.resolve("GET", path, Answer::Status(200), now);
    }
    let route = routes.resolve("GET", path, Answer::Status(200), now);
    route.to_string()
}

/// So many paths, each requested until it would have its label.
fn one_offs(routes: &Routes, numbers: std::ops::Range<u64>, now: Duration) {
    for n in numbers {
        get(routes, &format!("/{}", word(n)), 5, now);
    }
}

#[test]
fn an_important_route_gets_a_label_however_late_it_comes() {
    let routes = routes(&[]);
    one_offs(&routes, 0..1_000, Duration::ZERO);
    assert_eq!(routes.len(), 150);
    // At the same time still, and below a name that is new, too.
    assert_eq!(get(&routes, "/late", 49, Duration::ZERO), "<other>");
    assert_eq!(get(&routes, "/late", 1, Duration::ZERO), "/late");
    let label = get(&routes, "/api/late/42", 50, Duration::ZERO);
    assert_eq!(label, "/api/late/:id");
    assert_eq!(routes.retired(), 0);
}

#[test]
fn paths_that_are_not_requested_any_more_give_their_places_back() {
    let routes = routes(&[]);
    one_offs(&routes, 0..150, Duration::ZERO);
    let used = format!("/{}", word(3));
    for minute in 1..60 {
        get(&routes, &used, 1, minute * MINUTE);
    }
    // Ten routes that are used a little more than the paths were; one place a minute changes hands.
    for minute in 60..80 {
        for n in 0..10 {
            get(&routes, &format!("/new/{}", word(n)), 1, minute * MINUTE);
        }
    }
    for n in 0..10 {
        let path = format!("/new/{}", word(n));
        assert_eq!(look(&routes, &path), path);
    }
    assert_eq!(look(&routes, &used), used, "it is used");
    assert_eq!((routes.len(), routes.retired()), (150, 10));
}

#[test]
fn a_place_is_kept_while_the_series_matters() {
    let routes = routes(&[]);
    one_offs(&routes, 0..150, Duration::ZERO);
    for minute in 0..15 {
        get(&routes, "/new", 1, minute * MINUTE);
    }
    assert_eq!(look(&routes, "/new"), "<other>");
    assert_eq!(get(&routes, "/new", 1, 15 * MINUTE), "/new");
}

#[test]
fn a_used_route_is_not_displaced_by_ever_new_paths() {
    let routes = routes(&[]);
    get(&routes, "/weekly-report", 100, Duration::ZERO);
    let mut labels = HashSet::new();
    for minute in 0..10 * 60 {
        for n in 0..10 {
            let path = format!("/{}", word(1_000 + u64::from(minute) * 10 + n));
            labels.insert(get(&routes, &path, 6, minute * MINUTE));
        }
    }
    assert_eq!(look(&routes, "/weekly-report"), "/weekly-report");
    // One place a minute, and only to paths that are requested more often than those before them.
    assert!(labels.len() <= 800, "{}", labels.len());
    assert!(routes.len() <= 200);
}

#[test]
fn a_label_without_series_is_not_in_use() {
    let routes = routes(&["/configured/:id"]);
    one_offs(&routes, 0..150, Duration::ZERO);
    get(&routes, "/new", 6, 20 * MINUTE);
    get(&routes, "/new", 1, 21 * MINUTE);
    let labels = (0..150).map(|n| format!("/{}", word(n)));
    routes.with_labels(|is_in_use| {
        assert_eq!(labels.filter(|label| is_in_use(label)).count(), 149);
        for label in ["/configured/:id", "/new", "<other>", "<unmatched>"] {
            assert!(is_in_use(label), "{label}");
        }
    });
}

#[test]
fn names_that_are_folded_away_keep_their_series_for_a_while() {
    let routes = routes(&[]);
    for n in 0..31 {
        get(&routes, &format!("/shop/{}", word(n)), 5, Duration::ZERO);
    }
    assert_eq!(routes.learned(), ["/shop/:any"]);
    let is_kept = |path: &str| routes.with_labels(|is_in_use| is_in_use(path));
    assert!(is_kept(&format!("/shop/{}", word(1))));
}

#[test]
fn a_frequent_name_gets_its_label_although_its_siblings_were_folded_before_it_came() {
    let routes = routes(&[]);
    for n in 0..1_000 {
        get(&routes, &format!("/api/{}/{n}", word(n)), 1, Duration::ZERO);
    }
    assert_eq!(routes.learned(), ["/api/:any/:id"]);
    // One request in ten, beside names that are never the same.
    let mut labels = HashSet::new();
    for n in 1_000..4_000 {
        if n % 10 == 0 {
            labels.insert(get(&routes, &format!("/api/late/{n}"), 1, Duration::ZERO));
        } else {
            get(&routes, &format!("/api/{}/{n}", word(n)), 1, Duration::ZERO);
        }
    }
    assert_eq!(routes.learned(), ["/api/:any/:id", "/api/late/:id"]);
    // At no time was it without a label.
    let expected = ["/api/*/:id", "/api/late/:id"].map(str::to_owned);
    assert_eq!(labels, HashSet::from(expected));
}

#[test]
fn an_api_with_many_names_in_one_place_gets_them_back() {
    let routes = routes(&[]);
    for round in 0..1_000 {
        for n in 0..50 {
            get(
                &routes,
                &format!("/api/{}/{round}", word(n)),
                1,
                Duration::ZERO,
            );
        }
    }
    for n in 0..50 {
        let path = format!("/api/{}/7", word(n));
        assert_eq!(look(&routes, &path), format!("/api/{}/:id", word(n)));
    }
}
