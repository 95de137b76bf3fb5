//! Passes the host triple to the program.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=VIGIE_HOST={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
