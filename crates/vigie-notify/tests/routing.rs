//! Routing against amtool 0.25, which Debian 12 has.
#![allow(clippy::unwrap_used)]

#[path = "support/routing.rs"]
mod routing;

#[test]
fn alerts_go_where_amtool_sends_them() {
    let amtool = vigie_testkit::tools::AMTOOL.find().unwrap();
    routing::compare(&amtool, false);
}
