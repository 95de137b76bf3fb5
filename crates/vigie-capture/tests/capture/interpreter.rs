//! Runs a filter as the kernel does.

use vigie_capture::filter::Instruction;

use crate::wire::Seen;

/// The offsets of a packet's properties, as the kernel numbers them.
const PROPERTIES: u32 = -0x1000_i32 as u32;

/// The number of bytes that the program captures.
pub(crate) fn captured(program: &[Instruction], packet: &Seen) -> usize {
    let accepted = run(program, packet).unwrap_or(0);
    packet.bytes.len().min(accepted as usize)
}

/// `None` if the program reads outside of the packet, which drops it.
fn run(program: &[Instruction], packet: &Seen) -> Option<u32> {
    let (mut a, mut x, mut memory) = (0u32, 0u32, [None; 16]);
    let mut at = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let operand = if code & 0x08 == 0 { k } else { x };
        match code & 7 {
            // Load.
            0 => {
                a = match code & 0xe0 {
                    0x20 => load(packet, code, k)?,
                    0x40 => load(packet, code, x.checked_add(k)?)?,
                    0x60 => memory[k as usize].expect("a word is stored before it is loaded"),
                    0x80 => packet.bytes.len() as u32,
                    mode => panic!("unknown mode {mode:#x}"),
                }
            }
            1 if code & 0xe0 == 0xa0 => x = 4 * (load(packet, 0x10, k)? & 0xf),
            1 => x = k,
            2 => memory[k as usize] = Some(a),
            3 => memory[k as usize] = Some(x),
            4 => {
                a = match code & 0xf0 {
                    0x00 => a.wrapping_add(operand),
                    0x10 => a.wrapping_sub(operand),
                    0x50 => a & operand,
                    0x60 => a << operand,
                    0x70 => a >> operand,
                    operation => panic!("unknown operation {operation:#x}"),
                }
            }
            5 if code & 0xf0 == 0 => at += k as usize,
            5 => {
                let holds = match code & 0xf0 {
                    0x10 => a == operand,
                    0x30 => a >= operand,
                    0x40 => a & operand != 0,
                    condition => panic!("unknown condition {condition:#x}"),
                };
                at += usize::from(if holds { jt } else { jf });
            }
            6 if code == 0x16 => return Some(a),
            6 => return Some(k),
            _ => x = a,
        }
    }
}

fn load(packet: &Seen, code: u16, at: u32) -> Option<u32> {
    match at.wrapping_sub(PROPERTIES) {
        0 => return Some(packet.protocol),
        4 => return Some(packet.direction),
        8 => return Some(packet.interface),
        28 => return Some(packet.hardware),
        _ => {}
    }
    let size = match code & 0x18 {
        0x00 => 4,
        0x08 => 2,
        _ => 1,
    };
    let bytes = packet.bytes.get(at as usize..)?.get(..size)?;
    Some(
        bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)),
    )
}
