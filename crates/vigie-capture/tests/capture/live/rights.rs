//! `CAP_NET_RAW` is the only capability that capture needs.

use std::process::Command;

use vigie_capture::filter::{Depth, Port, program};
use vigie_capture::ring::{Ring, RingError};

/// Opens a ring as the user that this test program was started as, for the test below.
#[test]
#[ignore = "run by `one_capability_suffices`"]
fn opens_a_ring() {
    let port = Port {
        number: 3000,
        interface: None,
    };
    match Ring::open(&program(&[port], Depth::Heads), None, 4 << 20) {
        Ok(ring) => println!("opened {} bytes", ring.bytes()),
        Err(RingError::NotPermitted) => println!("not permitted"),
        Err(error) => println!("failed: {error}"),
    }
}

/// The output of the test above, run by another user with these capabilities.
fn as_nobody(capabilities: &[&str]) -> String {
    // The target directory may not be readable to others.
    let directory = tempfile();
    let program = directory.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let output = Command::new("setpriv")
        .args(user)
        .args(capabilities)
        .arg(&program)
        .args([
            "--exact",
            "live::rights::opens_a_ring",
            "--ignored",
            "--nocapture",
        ])
        .current_dir("/")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A directory that everyone can read.
fn tempfile() -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let name = format!("vigie-capture-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[test]
fn one_capability_suffices() {
    if !as_root() {
        eprintln!("ignored: needs root, to become another user with a capability");
        return;
    }
    let without = as_nobody(&["--inh-caps=-all", "--bounding-set=-all"]);
    assert!(without.contains("not permitted"), "{without}");
    let with = as_nobody(&["--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw"]);
    assert!(with.contains("opened 4194304 bytes"), "{with}");
}

fn as_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    effective.is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}
