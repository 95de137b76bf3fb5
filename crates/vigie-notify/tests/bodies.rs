//! Webhook bodies against Debian's Alertmanager.
#![allow(clippy::unwrap_used)]

#[path = "support/bodies.rs"]
mod bodies;

#[test]
fn the_bodies_are_those_of_alertmanager() {
    let alertmanager = vigie_testkit::tools::ALERTMANAGER.find().unwrap();
    bodies::compare(&alertmanager, false);
}
