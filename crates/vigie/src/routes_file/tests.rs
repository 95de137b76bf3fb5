#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;
use vigie_gateway::{Gateway, Settings};
use vigie_metrics::Registry;
use vigie_traffic::RouteOrigin;

use super::*;

/// A gateway that has served nothing.
fn routes() -> KnownRoutes {
    let gateway = Gateway::new(Settings::new("127.0.0.1:1"), &Registry::new());
    gateway.unwrap().routes()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", path.display()))
}

const SAVED: &str =
    "vigie-routes 1\nlearned 20 /orders/:id\nseries GET 200 /orders/:id\nend 1421b3f9\n";

fn learned(routes: &KnownRoutes) -> Vec<String> {
    let routes = routes.list().routes.into_iter();
    let learned = routes.filter(|route| route.origin == RouteOrigin::Learned);
    learned.map(|route| route.pattern).collect()
}

fn restored() -> KnownRoutes {
    let routes = routes();
    routes.restore(SAVED.as_bytes()).unwrap();
    routes
}

#[test]
fn the_file_is_private_whole_and_read_back() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("routes");
    let mut file = RoutesFile::new(path.clone(), restored());
    file.load();
    file.save();
    assert_eq!(fs::read_to_string(&path).unwrap(), SAVED);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);

    let mut again = RoutesFile::new(path, routes());
    again.load();
    assert_eq!(learned(&again.routes), ["/orders/:id"]);
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    for content in ["listen = 1\n", "vigie", "vigie-history 1\n"] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("routes");
        fs::write(&path, content).unwrap();
        let mut file = RoutesFile::new(path.clone(), restored());
        file.load();
        file.save();
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn links_directories_and_foreign_files_beside_it_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let target = directory.path().join("target");
    fs::write(&target, "precious").unwrap();
    let link = directory.path().join("link");
    symlink(&target, &link).unwrap();
    let dangling = directory.path().join("dangling");
    symlink(directory.path().join("nothing"), &dangling).unwrap();
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for path in [&link, &dangling, &inner] {
        let mut file = RoutesFile::new(path.clone(), restored());
        file.load();
        file.save();
        assert!(file.is_foreign, "{path:?}");
        let kind = fs::symlink_metadata(path).unwrap().file_type();
        assert!(!kind.is_file(), "{path:?} was replaced");
    }
    // The names of the unfinished file are taken.
    let path = directory.path().join("routes");
    let taken = ["new", "1.new", "2.new", "3.new"].map(|suffix| with_suffix(&path, suffix));
    for taken in &taken {
        fs::write(taken, "precious").unwrap();
    }
    let mut file = RoutesFile::new(path.clone(), restored());
    file.load();
    file.save();
    assert!(!path.exists() && file.is_failing);
    for precious in taken.into_iter().chain([target]) {
        assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
    }
}

#[test]
fn a_damaged_file_is_kept_aside_and_replaced() {
    let newer = "vigie-routes 2\nnew\n";
    let cut = &SAVED[..40];
    for damaged in [newer, cut] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("routes");
        fs::write(&path, damaged).unwrap();
        let mut file = RoutesFile::new(path.clone(), restored());
        file.load();
        file.save();
        let aside = fs::read_to_string(with_suffix(&path, "unusable")).unwrap();
        assert_eq!(aside, damaged);
        assert_eq!(fs::read_to_string(&path).unwrap(), SAVED);
        // The remainder of an interrupted write is replaced, and so is an older damaged file.
        fs::write(with_suffix(&path, "new"), &SAVED[..4]).unwrap();
        fs::write(&path, cut).unwrap();
        let mut file = RoutesFile::new(path.clone(), restored());
        file.load();
        file.save();
        assert_eq!(fs::read_to_string(&path).unwrap(), SAVED);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
    }
}

#[test]
fn a_directory_that_is_missing_costs_only_the_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("later/routes");
    let mut file = RoutesFile::new(path.clone(), restored());
    file.load();
    file.save();
    assert!(file.is_failing);
    fs::create_dir(directory.path().join("later")).unwrap();
    file.save();
    assert!(!file.is_failing && path.exists());
}
