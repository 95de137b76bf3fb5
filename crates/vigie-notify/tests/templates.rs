//! Templates against amtool 0.25, which Debian 12 has.
#![allow(clippy::unwrap_used)]

#[path = "support/templates.rs"]
mod templates;

#[test]
fn templates_render_as_in_amtool() {
    let amtool = vigie_testkit::tools::AMTOOL.find().unwrap();
    templates::compare(&amtool, false);
}
