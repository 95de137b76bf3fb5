//! Which sockets accept connections in this network namespace, from the tables of the kernel.

use std::fs;

/// The maximum number of Unix sockets that are named.
const MOST_NAMED: usize = 5;
/// The directories of sockets that belong to the system.
const OF_THE_SYSTEM: [&str; 5] = [
    "/run/systemd/",
    "/run/dbus/",
    "/run/udev/",
    "/run/user/",
    "/run/docker",
];

/// The sockets that accept connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listeners {
    ports: Vec<u16>,
    /// The paths of Unix sockets.
    paths: Vec<String>,
}

impl Listeners {
    /// The listeners of this network namespace; `None` if `/proc/net` cannot be read.
    pub(super) fn read() -> Option<Self> {
        let tcp = fs::read_to_string("/proc/net/tcp").ok()?;
        // Without IPv6 there is no such table.
        let tcp6 = fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
        let unix = fs::read_to_string("/proc/net/unix").unwrap_or_default();
        Some(Self::parse(&[&tcp, &tcp6], &unix))
    }

    /// `tcp` and `unix` are the texts of `/proc/net/tcp` and `/proc/net/unix`.
    fn parse(tcp: &[&str], unix: &str) -> Self {
        let lines = tcp.iter().flat_map(|table| table.lines());
        let mut paths: Vec<_> = unix.lines().filter_map(unix_path).collect();
        paths.sort_unstable();
        paths.dedup();
        Self {
            ports: lines.filter_map(tcp_port).collect(),
            paths,
        }
    }

    /// Why nothing is captured on these ports, and what to do. `None` if something listens on one of them.
    pub(super) fn explain_silence(&self, ports: &[u16]) -> Option<(String, String)> {
        if ports.iter().any(|port| self.ports.contains(port)) {
            return None;
        }
        let listed: Vec<_> = ports.iter().map(u16::to_string).collect();
        let problem = format!(
            "no packet in a second, and nothing listens on TCP port {} in this network namespace",
            listed.join(" or ")
        );
        let advice = "start the app, or run Vigie in the network namespace of the app";
        let named: Vec<_> = self.paths.iter().take(MOST_NAMED).cloned().collect();
        let advice = match named.is_empty() {
            true => advice.to_owned(),
            false => format!(
                "{advice}; an app that listens on a Unix socket cannot be captured (here listen {})",
                named.join(", ")
            ),
        };
        Some((problem, advice))
    }
}

/// The port of a listening socket in a line of `/proc/net/tcp`: number, local address, remote address, state, …
fn tcp_port(line: &str) -> Option<u16> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_whitespace().skip(1);
    let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let (_, port) = local.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (state == LISTEN).then_some(port)
}

/// The path of a listening socket in a line of `/proc/net/unix`: number, references, protocol, flags, type, state, inode, path.
fn unix_path(line: &str) -> Option<String> {
    const ACCEPTS_CONNECTIONS: u32 = 1 << 16;
    let mut fields = line.split_whitespace();
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    let path = fields.nth(3)?;
    let is_of_an_app =
        path.starts_with('/') && !OF_THE_SYSTEM.iter().any(|begin| path.starts_with(begin));
    (flags & ACCEPTS_CONNECTIONS != 0 && is_of_an_app).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0000000000000000 20 4 30 10 -1
";
    const UNIX: &str = "\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 11 /srv/app/app.sock
0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/systemd/private
0000000000000000: 00000003 00000000 00000000 0001 03 13 /srv/app/client.sock
0000000000000000: 00000002 00000000 00010000 0001 01 14 @abstract
0000000000000000: 00000003 00000000 00000000 0001 03 15
";

    #[test]
    fn listening_sockets_are_found() {
        let found = Listeners::parse(&[TCP, ""], UNIX);
        assert_eq!(found.ports, [3000]);
        assert_eq!(found.paths, ["/srv/app/app.sock"]);
        assert_eq!(found.explain_silence(&[3000, 3001]), None);
        let (problem, advice) = found.explain_silence(&[8080]).unwrap();
        assert!(problem.contains("nothing listens on TCP port 8080"));
        assert!(advice.ends_with("(here listen /srv/app/app.sock)"));
        let none = Listeners::default().explain_silence(&[1, 2]).unwrap();
        assert!(none.0.contains("port 1 or 2"));
        assert!(!none.1.contains("Unix"));
    }

    #[test]
    fn the_tables_of_this_kernel_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.sock");
        let _unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Listeners::read().unwrap();
        assert!(found.ports.contains(&tcp.local_addr().unwrap().port()));
        let path = path.to_str().unwrap().to_owned();
        assert!(found.paths.contains(&path), "{found:?}");
    }
}
