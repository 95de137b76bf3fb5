//! Tells the program which compiler built it.
#![allow(clippy::print_stdout)]

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=RUSTC");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("--version").output();
    let version = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    // `rustc 1.95.0 (f2d3ce0bd 2026-03-21)`
    let version = version.as_deref().and_then(|line| line.split(' ').nth(1));
    println!(
        "cargo:rustc-env=VIGIE_RUSTC={}",
        version.unwrap_or("unknown")
    );
}
