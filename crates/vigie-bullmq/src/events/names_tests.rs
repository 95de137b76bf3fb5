use super::*;
use proptest::prelude::*;

const HOUR: u64 = 3_600_000;

fn id(names: &mut Names, name: &str, now: u64) -> NameId {
    names.id(name.as_bytes(), now, std::iter::empty)
}

/// The label under which a job of this name is counted.
fn label(names: &mut Names, name: &str, now: u64) -> String {
    let id = id(names, name, now);
    names.label(id).to_owned()
}

#[test]
fn are_few_and_short() {
    let mut names = Names::new(2, None);
    let mail = id(&mut names, "mail", 0);
    assert_eq!(id(&mut names, "mail", 0), mail);
    id(&mut names, &"é".repeat(100), 0);
    assert_eq!(label(&mut names, "third", 0), OTHER);
    assert_eq!(label(&mut names, "fourth", 0), OTHER);
    let empty = id(&mut names, "", 0);
    assert_eq!(empty, names.unknown());
    let cut = "é".repeat(64);
    let labels: Vec<&str> = names.labels().iter().map(|label| &**label).collect();
    assert_eq!(labels, ["mail", &cut, "other", "unknown"]);
    assert_eq!(names.folded(), 2);
}

#[test]
fn names_that_recur_and_names_that_fail_have_places_of_their_own() {
    let mut names = Names::new(100, None);
    let once = (0..300).filter(|n| label(&mut names, &format!("once-{n}"), 0) != OTHER);
    assert_eq!(once.count(), 75);
    assert_eq!(names.folded(), 225);
    // The first job is counted before the name is known to recur.
    assert_eq!(label(&mut names, "nightly", 0), OTHER);
    assert_eq!(label(&mut names, "nightly", 0), "nightly");
    let invoice = id(&mut names, "send-invoice", 0);
    assert_eq!(names.label(invoice), OTHER);
    names.failed(invoice, 0);
    assert_eq!(names.label(invoice), "send-invoice");
    assert_eq!(label(&mut names, "send-invoice", 0), "send-invoice");
    // Recurring names leave the last places to names that fail.
    let again = |n: u32| format!("again-{n}");
    for n in (0..50).flat_map(|n| [n, n, n]) {
        label(&mut names, &again(n), 0);
    }
    let labels = names.labels().len();
    assert_eq!(labels, 100 - 12 + 1, "and other");
    let late = id(&mut names, "late", 0);
    names.failed(late, 0);
    assert_eq!(names.label(late), "late");
    assert_eq!(names.most_folded(1).len(), 1);
}

#[test]
fn a_name_that_is_idle_gives_its_place_to_one_that_recurs_or_fails() {
    let mut names = Names::new(2, None);
    for name in ["once", "often", "often"] {
        label(&mut names, name, 0);
    }
    let soon = HOUR / 2;
    let late = id(&mut names, "late", soon);
    names.failed(late, soon);
    assert_eq!(names.label(late), OTHER, "nothing is idle");
    names.failed(late, 2 * HOUR);
    assert_eq!(names.label(late), "late");
    assert_eq!(label(&mut names, "once", 2 * HOUR), OTHER);
    let other = id(&mut names, "another", 20 * HOUR);
    names.failed(other, 20 * HOUR);
    // The failed name was also seen only once.
    assert_eq!(names.label(other), "another");
    assert_eq!(label(&mut names, "often", 20 * HOUR), "often");
    let labels: Vec<&str> = names.labels().iter().map(|label| &**label).collect();
    assert_eq!(labels, ["another", "often", "other"]);
    // A name in constant use, and the first one after it.
    assert_eq!(label(&mut names, "x", 45 * HOUR), OTHER);
    assert_eq!(label(&mut names, "x", 45 * HOUR), "x");
}

#[test]
fn the_wanted_name_has_a_place_whenever_it_comes() {
    let mut names = Names::new(2, Some("tick"));
    for name in ["a", "b", "c"] {
        label(&mut names, name, 0);
    }
    assert_eq!(label(&mut names, "tick", 0), "tick");
}

#[test]
fn numbers_of_names_in_flight_are_not_given_to_others() {
    let mut names = Names::new(8, None);
    for n in 0..6 {
        id(&mut names, &format!("kept-{n}"), 0);
    }
    let flying = id(&mut names, "flying", 0);
    names.begin_batch();
    let touched = id(&mut names, "touched", 0);
    for n in 0..1_000 {
        let name = format!("once-{n}");
        names.id(name.as_bytes(), 0, || std::iter::once(flying));
        names.begin_batch();
        names.touch(touched);
        assert!(names.known.len() <= 8 * REMEMBERED + 2);
    }
    assert_eq!(id(&mut names, "flying", 0), flying);
    assert_eq!(id(&mut names, "touched", 0), touched);
    assert_eq!(names.label(flying), "flying");
}

proptest! {
    /// For any names: places are bounded, each number has a label, and the counts are correct.
    #[test]
    fn places_are_bounded(
        max in 1usize..20,
        steps in prop::collection::vec((0u32..200, any::<bool>(), 0u64..3), 0..400),
    ) {
        let mut names = Names::new(max, None);
        let mut now = 0;
        for (n, fails, hours) in steps {
            now += hours * HOUR;
            let name = format!("n{n}");
            let id = id(&mut names, &name, now);
            if fails {
                names.failed(id, now);
            }
            let label = names.label(id);
            prop_assert!(label == name || label == OTHER, "{label} of {name}");
            prop_assert!(names.labels().len() <= max + 2);
            names.begin_batch();
        }
    }
}
