//! The packets that the kernel copies, and how much of each: a program of classic BPF, as data.
//!
//! The program decides for each packet, which begins at its IP header:
//!
//! - Only TCP over IPv4 or IPv6 from or to the ports. The IPv6 header may be followed by hop-by-hop options, which the
//!   segments of BIG TCP have.
//! - The loopback interface shows each packet twice; the outgoing one is dropped.
//! - A segment without payload, SYN, FIN and RST is dropped.
//! - Requests are copied whole. Responses are copied up to [`RESPONSE_BYTES`], except that a segment that ends with the last
//!   chunk of a body is copied whole. [`Depth::Whole`] copies everything.

mod assembler;

pub use assembler::Instruction;
use assembler::{Assembler, Label, op};

/// The bytes of a response's payload that are copied from each segment.
pub const RESPONSE_BYTES: u32 = 1024;

/// The maximum number of ports, which bounds the length of the program.
pub const MAX_PORTS: usize = 16;

/// How much of the responses is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Heads, and the ends of chunked bodies.
    Heads,
    /// Everything.
    Whole,
}

/// A port whose traffic is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The port of the app.
    pub number: u16,
    /// The index of the interface; `None` for all interfaces.
    pub interface: Option<u32>,
}

/// The number of bytes that a filter returns to accept a whole packet.
const ALL: u32 = u32::MAX;

/// The offsets at which the kernel shows properties of the packet (`SKF_AD_OFF` and others).
mod property {
    const BASE: u32 = -0x1000_i32 as u32;
    pub(super) const PROTOCOL: u32 = BASE;
    pub(super) const DIRECTION: u32 = BASE + 4;
    pub(super) const INTERFACE: u32 = BASE + 8;
    pub(super) const HARDWARE: u32 = BASE + 28;
}

const OUTGOING: u32 = 4;
/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u32 = 772;
/// IPv4, IPv6, and the two kinds of VLAN tags: an outgoing packet may have its tag already, before its IP header.
const PROTOCOLS: [u32; 4] = [0x0800, 0x86dd, 0x8100, 0x88a8];
const TCP: u32 = 6;
/// FIN, SYN and RST.
const FLAGS: u32 = 7;

/// The words of memory.
mod word {
    /// The end of the segment.
    pub(super) const END: u32 = 0;
    /// The offset of the payload.
    pub(super) const PAYLOAD: u32 = 1;
    /// The flags.
    pub(super) const FLAGS: u32 = 2;
}

/// The program for these ports, of which the first [`MAX_PORTS`] are used.
#[must_use]
pub fn program(ports: &[Port], depth: Depth) -> Vec<Instruction> {
    let ports = &ports[..ports.len().min(MAX_PORTS)];
    // The bound on the ports keeps all jumps in range, as a test shows; a program that cannot be built captures nothing.
    build(ports, depth).unwrap_or_else(|| vec![nothing()])
}

/// The filter that accepts no packet, for a socket that is not ready.
#[must_use]
pub fn nothing() -> Instruction {
    let (jt, jf) = (0, 0);
    Instruction {
        code: op::RETURN,
        jt,
        jf,
        k: 0,
    }
}

fn build(ports: &[Port], depth: Depth) -> Option<Vec<Instruction>> {
    let mut program = Assembler::default();
    let drop = program.label();
    let (request, response) = (program.label(), program.label());
    skip_copies_of_loopback(&mut program, drop);
    find_tcp(&mut program, drop);
    choose_port(&mut program, ports, 2, request, drop);
    choose_port(&mut program, ports, 0, response, drop);
    program.add(op::RETURN, 0);
    program.place(response);
    if depth == Depth::Heads {
        cut_response(&mut program, drop);
    }
    program.place(request);
    copy_whole(&mut program, drop);
    program.place(drop);
    program.add(op::RETURN, 0);
    program.finish()
}

fn skip_copies_of_loopback(program: &mut Assembler, drop: Label) {
    let incoming = program.label();
    program.add(op::LOAD_WORD, property::DIRECTION);
    program.unless(op::IF_EQUAL, OUTGOING, incoming);
    program.add(op::LOAD_WORD, property::HARDWARE);
    program.on(op::IF_EQUAL, LOOPBACK, drop);
    program.place(incoming);
}

/// Leaves the offset of the TCP header in X, and stores the end of the segment.
fn find_tcp(program: &mut Assembler, drop: Label) {
    let (ip, version4, version6, tcp) = (
        program.label(),
        program.label(),
        program.label(),
        program.label(),
    );
    program.add(op::LOAD_WORD, property::PROTOCOL);
    for protocol in PROTOCOLS {
        program.on(op::IF_EQUAL, protocol, ip);
    }
    program.add(op::RETURN, 0);
    program.place(ip);
    program.add(op::LOAD_BYTE, 0);
    program.add(op::SHIFT_RIGHT, 4);
    program.on(op::IF_EQUAL, 4, version4);
    program.on(op::IF_EQUAL, 6, version6);
    program.add(op::RETURN, 0);

    program.place(version4);
    program.add(op::LOAD_BYTE, 9);
    program.unless(op::IF_EQUAL, TCP, drop);
    // Only the first fragment has ports.
    program.add(op::LOAD_HALF, 6);
    program.on(op::IF_ANY_BIT, 0x1fff, drop);
    // A length of 0 is that of a BIG TCP segment. The length of other packets may include the padding of Ethernet.
    let length = program.label();
    program.add(op::LOAD_HALF, 2);
    program.unless(op::IF_EQUAL, 0, length);
    program.add(op::LOAD_LENGTH, 0);
    program.place(length);
    program.add(op::STORE, word::END);
    program.add(op::INDEX_HEADER_LENGTH, 0);
    program.jump(tcp);

    program.place(version6);
    let (big, end, options) = (program.label(), program.label(), program.label());
    program.add(op::LOAD_HALF, 4);
    program.on(op::IF_EQUAL, 0, big);
    program.add(op::ADD, 40);
    program.jump(end);
    program.place(big);
    program.add(op::LOAD_LENGTH, 0);
    program.place(end);
    program.add(op::STORE, word::END);
    program.add(op::LOAD_BYTE, 6);
    program.unless(op::IF_EQUAL, TCP, options);
    program.add(op::INDEX, 40);
    program.jump(tcp);
    program.place(options);
    program.unless(op::IF_EQUAL, 0, drop);
    program.add(op::LOAD_BYTE, 40);
    program.unless(op::IF_EQUAL, TCP, drop);
    program.add(op::LOAD_BYTE, 41);
    program.add(op::SHIFT_LEFT, 3);
    program.add(op::ADD, 48);
    program.add(op::A_TO_X, 0);
    program.place(tcp);
}

/// Continues at `found` if the port at this offset of the TCP header is captured.
fn choose_port(program: &mut Assembler, ports: &[Port], at: u32, found: Label, drop: Label) {
    let mut numbers: Vec<u16> = ports.iter().map(|port| port.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    program.add(op::LOAD_HALF_AT_X, at);
    for number in numbers {
        let mut interfaces = ports.iter().filter(|port| port.number == number);
        if interfaces.clone().any(|port| port.interface.is_none()) {
            program.on(op::IF_EQUAL, number.into(), found);
            continue;
        }
        let other = program.label();
        program.unless(op::IF_EQUAL, number.into(), other);
        program.add(op::LOAD_WORD, property::INTERFACE);
        for interface in interfaces.by_ref().filter_map(|port| port.interface) {
            program.on(op::IF_EQUAL, interface, found);
        }
        program.jump(drop);
        program.place(other);
    }
}

/// Leaves the offset of the payload in X and its length in A.
fn measure_payload(program: &mut Assembler) {
    program.add(op::LOAD_BYTE_AT_X, 12);
    program.add(op::SHIFT_RIGHT, 2);
    program.add(op::AND, 0x3c);
    program.add(op::ADD_X, 0);
    program.add(op::A_TO_X, 0);
    program.add(op::LOAD_MEMORY, word::END);
    program.add(op::SUBTRACT_X, 0);
}

fn copy_whole(program: &mut Assembler, drop: Label) {
    let whole = program.label();
    program.add(op::LOAD_BYTE_AT_X, 13);
    program.on(op::IF_ANY_BIT, FLAGS, whole);
    measure_payload(program);
    program.on(op::IF_EQUAL, 0, drop);
    program.place(whole);
    program.add(op::RETURN, ALL);
}

fn cut_response(program: &mut Assembler, drop: Label) {
    let (empty, cut) = (program.label(), program.label());
    program.add(op::LOAD_BYTE_AT_X, 13);
    program.add(op::STORE, word::FLAGS);
    measure_payload(program);
    program.add(op::STORE_X, word::PAYLOAD);
    program.on(op::IF_EQUAL, 0, empty);
    program.unless(op::IF_AT_LEAST, 5, cut);
    program.add(op::LOAD_MEMORY, word::END);
    program.add(op::SUBTRACT, 5);
    program.add(op::A_TO_X, 0);
    program.add(op::LOAD_BYTE_AT_X, 0);
    program.unless(op::IF_EQUAL, u32::from(b'0'), cut);
    program.add(op::LOAD_WORD_AT_X, 1);
    program.unless(op::IF_EQUAL, u32::from_be_bytes(*b"\r\n\r\n"), cut);
    program.add(op::RETURN, ALL);
    program.place(cut);
    program.add(op::LOAD_MEMORY, word::PAYLOAD);
    program.add(op::ADD, RESPONSE_BYTES);
    program.add(op::RETURN_A, 0);
    program.place(empty);
    program.add(op::LOAD_MEMORY, word::FLAGS);
    program.unless(op::IF_ANY_BIT, FLAGS, drop);
    program.add(op::RETURN, ALL);
}
