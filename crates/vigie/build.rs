//! Tells the program which compiler built it, and embeds the runbooks, and the web page if it has been built. Tells the tests
//! whether packets can be captured here.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask page` builds the page. The directory is committed, so that Cargo can watch it before.
const PAGE: &str = "../../page/dist";
const RUNBOOKS: &str = "../../docs/runbooks";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=RUSTC");
    println!("cargo:rustc-env=VIGIE_RUSTC={}", compiler());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={PAGE}");
    println!("cargo:rerun-if-changed={RUNBOOKS}");
    println!("cargo:rerun-if-env-changed=CI");
    println!("cargo:rustc-check-cfg=cfg(tests_capture)");
    if std::env::var_os("CI").is_some() || has_net_raw() {
        println!("cargo:rustc-cfg=tests_capture");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let list = page(&Path::new(PAGE).join("files"), &out)?;
    fs::write(out.join("page.rs"), list)?;
    fs::write(out.join("runbooks.rs"), runbooks()?)
}

/// Whether this process, and so probably the tests, may capture packets.
fn has_net_raw() -> bool {
    const CAP_NET_RAW: u32 = 13;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let effective = lines.find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    effective.is_some_and(|bits| bits >> CAP_NET_RAW & 1 == 1)
}

/// The runbooks as an expression of type `&[Runbook]`, sorted by name.
fn runbooks() -> io::Result<String> {
    let directory = fs::canonicalize(RUNBOOKS)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut list = String::from("&[");
    for english in &files {
        let (Some(name), Some(file)) = (english.file_stem(), english.file_name()) else {
            continue;
        };
        let name = name.display().to_string();
        let french = directory.join("fr").join(file);
        // Writing to a string cannot fail. If the French one is missing, the compilation fails.
        let _ = write!(
            list,
            "Runbook {{ name: {name:?}, english: include_str!({english:?}), \
             french: include_str!({french:?}) }},"
        );
    }
    list.push(']');
    Ok(list)
}

/// `rustc 1.95.0 (f2d3ce0bd 2026-03-21)` is the version 1.95.0.
fn compiler() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("--version").output();
    let version = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().and_then(|line| line.split(' ').nth(1));
    version.unwrap_or("unknown").to_owned()
}

/// The built files as an expression of type `&[File]`; none if the page has not been built. The files are copied, because the page
/// may be built again while the program is compiled.
fn page(directory: &Path, out: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    if directory.is_dir() {
        collect(directory, &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[");
    for (at, file) in files
        .iter()
        .enumerate()
        .filter(|(_, file)| !is_compressed(file))
    {
        let content = fs::read(file)?;
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let plain = embedded(&content, out, &format!("page-{at}"))?;
        let compressed = PathBuf::from(format!("{}.gz", file.display()));
        let gzip = match files.contains(&compressed) {
            true => {
                let content = fs::read(&compressed)?;
                format!(
                    "Some({})",
                    embedded(&content, out, &format!("page-{at}.gz"))?
                )
            }
            false => "None".to_owned(),
        };
        let name = file.strip_prefix(directory).unwrap_or(file);
        // Writing to a string cannot fail.
        let _ = write!(
            list,
            "File {{ path: {:?}, etag: \"\\\"{:016x}\\\"\", plain: {plain}, gzip: {gzip} }},",
            name.display().to_string(),
            hasher.finish(),
        );
    }
    list.push(']');
    Ok(list)
}

/// An expression that is the content.
fn embedded(content: &[u8], out: &Path, name: &str) -> io::Result<String> {
    let copy = out.join(name);
    fs::write(&copy, content)?;
    Ok(format!("include_bytes!({copy:?})"))
}

fn is_compressed(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "gz")
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
