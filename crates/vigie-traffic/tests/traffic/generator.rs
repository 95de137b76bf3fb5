//! Hostile messages, built from fragments that parsers disagree about, and from damage to valid ones.

/// Choices taken from a seed; zeros when it is used up.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// One of `options`; the first for a seed that is used up.
    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[usize::from(self.byte()) % options.len()]
    }

    /// True in one of `times` cases.
    fn rarely(&mut self, times: u8) -> bool {
        self.byte() % times == 1
    }

    fn left(&self) -> bool {
        self.0.len() > 0
    }
}

const METHODS: [&str; 9] = [
    "GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "DELETE", "get", "X",
];
const TARGETS: [&str; 10] = [
    "/",
    "/a?b=c",
    "*",
    "http://a/b",
    "/{\"x\"}",
    "a:80",
    "/\u{e9}",
    "/ b",
    "",
    "//",
];
const VERSIONS: [&str; 8] = [
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "http/1.1",
    "HTTP/1.1 ",
];
/// Framing fields with their bodies.
const FRAMING: [(&str, &str); 8] = [
    ("", ""),
    ("Content-Length: 5", "hello"),
    ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
    (
        "transfer-encoding:Chunked",
        "2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
    ),
    ("Content-Length: 0", ""),
    ("content-length:  05 ", "0\r\n\r\n"),
    ("", ""),
    ("Content-Length: 16", "GET / HTTP/1.1\r\n"),
];
/// The number of fields at the beginning of [`FIELDS`] that do not concern framing.
const HARMLESS: usize = 4;
const FIELDS: [&str; 48] = [
    "X:  spaced\t ",
    "X: y",
    "Connection: keep-alive",
    "Expect: 100-continue",
    "Host: a",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Content-Length: 0",
    "Content-Length: 05",
    "Content-Length: 5 ",
    "Content-Length:\t5",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: 5\0",
    "Content-Length : 5",
    "content-length:5",
    "Content-Length: 9",
    "Content-Length:",
    "Content_Length: 5",
    "Content-Length\0: 5",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding : chunked",
    "transfer-encoding:Chunked ",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: chunked\r",
    "Transfer-Encoding:\u{b}chunked",
    "X: y\r\n folded",
    "X: y\nContent-Length: 5",
    "X: y\rTransfer-Encoding: chunked",
    "X: y\r\n\tContent-Length: 5",
    " X: y",
    ": y",
    "X",
    "X\u{e9}: y",
    "X: \u{e9}",
    "X: \u{7f}",
    "Connection: keep-alive, close",
    "Connection: content-length",
    "Proxy-Connection: close",
    "Host: b",
    "Host: a/b",
];
const BODIES: [&str; 20] = [
    "",
    "hello",
    "5\r\nhello\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "5;a=b\r\nhello\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "5\r\nhello0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "05\r\nhello\r\n000\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "5\r\nhello\r\n0\r\n\rX",
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n-0\r\n\r\n",
    "5\r\nhello\r\n\r\n0\r\n\r\n",
];
const LINE_ENDS: [&str; 8] = ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"];
const DAMAGE: [u8; 16] = *b"\r\n\0 \t:;,0\x0b\x7f\xe9\"ag-";

/// Up to four requests on one connection.
pub(crate) fn pipeline(seed: &[u8]) -> Vec<u8> {
    let mut choices = Choices(seed.iter());
    let mut bytes = Vec::new();
    for _ in 0..=choices.byte() % 4 {
        let start = [
            latin1(choices.of(&METHODS[..])),
            latin1(choices.of(&TARGETS[..])),
            latin1(choices.of(&VERSIONS[..])),
        ];
        // Mostly valid, since one fault hides what follows.
        let [method, target, version] = match choices.rarely(10) {
            true => start,
            false => [start[0].clone(), b"/p".to_vec(), b"HTTP/1.1".to_vec()],
        };
        bytes.extend([method, target, version].join(&b' '));
        message(&mut choices, &mut bytes);
    }
    damage(&mut choices, bytes)
}

/// Up to four responses on one connection.
pub(crate) fn responses(seed: &[u8]) -> Vec<u8> {
    const STATUSES: [&str; 12] = [
        "200 OK",
        "200",
        "404 Not Found",
        "100 Continue",
        "103 Early",
        "204 No",
        "304 Not",
        "101 Switch",
        "500 \u{e9}",
        "20 X",
        "2000",
        "200OK",
    ];
    let mut choices = Choices(seed.iter());
    let mut bytes = Vec::new();
    for _ in 0..=choices.byte() % 4 {
        let version = choices.of(&VERSIONS[..]);
        let status = choices.of(&STATUSES[..]);
        bytes.extend(latin1(&format!("{version} {status}")));
        message(&mut choices, &mut bytes);
    }
    damage(&mut choices, bytes)
}

/// The fields and the body.
fn message(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    let end = |choices: &mut Choices<'_>| match choices.rarely(40) {
        true => choices.of(&LINE_ENDS[..]),
        false => "\r\n",
    };
    let (field, mut body) = choices.of(&FRAMING[..]);
    let mut fields = vec![field];
    for _ in 0..choices.byte() % 4 {
        let known = match choices.rarely(8) {
            true => FIELDS.len(),
            false => HARMLESS,
        };
        fields.push(choices.of(&FIELDS[..known]));
    }
    if choices.rarely(8) {
        body = choices.of(&BODIES[..]);
    }
    bytes.extend(end(choices).bytes());
    for field in fields.into_iter().filter(|field| !field.is_empty()) {
        bytes.extend(latin1(field));
        bytes.extend(end(choices).bytes());
    }
    bytes.extend(end(choices).bytes());
    bytes.extend(latin1(body));
}

/// Inserts, removes or replaces some bytes.
fn damage(choices: &mut Choices<'_>, mut bytes: Vec<u8>) -> Vec<u8> {
    while choices.left() && choices.rarely(5) && !bytes.is_empty() {
        let place = usize::from(choices.byte()) * 256 + usize::from(choices.byte());
        let place = place % bytes.len();
        let byte = choices.of(&DAMAGE[..]);
        match choices.byte() % 3 {
            0 => bytes.insert(place, byte),
            1 => bytes[place] = byte,
            _ => drop(bytes.remove(place)),
        }
    }
    bytes
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?'))
        .collect()
}
